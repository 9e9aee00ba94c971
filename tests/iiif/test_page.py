"""When the page of a picture offers a closer view."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from assets.models import AssetVersion
from tests import factories


@pytest.mark.parametrize(
    ("longest", "installed", "offered"), [(2400, True, True), (2400, False, False), (999, True, False)]
)
@pytest.mark.django_db
def test_a_closer_view_is_offered_where_there_is_more_to_see(
    browser: Client, settings: Any, tmp_path: Path, longest: int, installed: bool, offered: bool
) -> None:
    asset = factories.asset("red", done=True)
    AssetVersion.objects.update(width=longest, height=10)
    settings.JAVASCRIPT_DIR = tmp_path if installed else tmp_path / "nothing"
    page = browser.get(asset.get_absolute_url()).content.decode()
    assert (f'data-info="/iiif/3/{asset.uid}:1/info.json"' in page) == offered
    assert ("data-zoom-start" in page) == offered
