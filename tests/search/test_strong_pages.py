"""The library page where some pictures match well, and the others are the nearest all the same."""

import numpy as np
import pytest
from django.test import Client

from search import sql
from search.forms import PER_PAGE
from search.models import EmbeddingSpace
from tests.conftest import Kept
from tests.factories import asset

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("space", "crowd")]


@pytest.fixture(scope="module")
def crowd(kept: Kept) -> None:
    kept(make_crowd)


def make_crowd() -> None:
    """Sixty dull pictures, and two that are red; vectors made by hand, so that it is quick."""
    draw, space = np.random.default_rng(1), EmbeddingSpace.objects.get()
    for n in range(62):
        one = asset("black", f"{n}.jpg", title=f"Fire & <i> {n}" if n < 2 else f"Dull {n}")
        vector = np.abs(draw.normal(0.3, 0.03, space.dimensions)).astype(np.float32)
        vector[2] = 3.0 if n < 2 else vector[2]  # the third number says how red it is
        sql.write_vector(
            space, one.current_version_id or 0, one.pk, "visual", vector / np.linalg.norm(vector)
        )


def test_strong_matches_are_shown_and_weaker_ones_on_demand(browser: Client) -> None:
    page = browser.get("/?q=red")
    text = page.content.decode()
    assert "2 strong matches</strong> among 62 pictures" in text and len(page.context["cards"]) == 2
    assert "60 weaker matches are not shown" in text and 'href="/?q=red&amp;weak=1#weaker"' in text
    assert "Weaker matches</h2>" not in text and page.context["next"] == ""
    page = browser.get("/?q=red&weak=1")
    text = page.content.decode()
    assert len(page.context["cards"]) == PER_PAGE and text.count("Weaker matches</h2>") == 1
    assert text.index("Fire") < text.index('id="weaker"') < text.index("Dull")
    assert page.context["next"] == "/?q=red&page=2&weak=1" and "Hide weaker ones" in text
    more = browser.get("/?q=red&weak=1&page=2&first=1", headers={"HX-Request": "true"}).content.decode()
    assert "Dull" in more and "Weaker matches" not in more


def test_where_nothing_matches_well_the_page_says_so_and_offers_ways_on(browser: Client) -> None:
    page = browser.get("/?q=something+unheard")
    text = page.content.decode()
    assert "Nothing matches well</h2>" in text and "The nearest all the same</h2>" in text
    assert "fewer or plainer words" in text and 'href="/?q=something+unheard&amp;mode=keywords"' in text
    assert len(page.context["cards"]) == PER_PAGE and "without the filters" not in text
    assert "Nothing matches well" not in browser.get("/").content.decode()


def test_each_result_says_why_it_is_there(browser: Client) -> None:
    assert "Why are these here?" not in browser.get("/").content.decode()
    text = browser.get("/?q=fires&weak=1").content.decode()
    assert 'href="/?q=fires&amp;weak=1&amp;why=1"' in text and "<mark>" not in text
    text = browser.get("/?q=fires&weak=1&why=1").content.decode()
    assert "by words" in text and "by likeness" in text and "Hide the reasons" in text
    assert "<mark>Fire</mark> &amp; " in text and "<i>" not in text and text.count("<mark>") == 2
