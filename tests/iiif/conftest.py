"""A picture whose colours tell the place: red grows to the right, green downwards, blue is the middle."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assets import apart
from assets.models import Asset, AssetVersion, Rendition
from tests import factories

FULL = (2400, 1700)


def placed(size: tuple[int, int] = FULL) -> Image.Image:
    width, height = size
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width)
    pixels[..., 1] = np.linspace(0, 255, height)[:, None]
    pixels[..., 2] = 128
    return Image.fromarray(pixels)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("original") / "placed.png"
    placed().save(path, compress_level=1)
    return path


@pytest.fixture(scope="module")
def pyramid(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a worker makes it."""
    path = tmp_path_factory.mktemp("pyramid") / "picture.tif"
    apart.show(original, "PNG", path, max(FULL), 60)
    return path


@pytest.fixture(autouse=True)
def own_cache(settings: Any, tmp_path: Path) -> None:
    settings.IIIF_CACHE_DIR = tmp_path / "iiif"


@pytest.fixture
def large(db: None, settings: Any, pyramid: Path) -> Asset:
    """An asset that has that pyramid, and no original that could be decoded instead."""
    return with_pyramid(
        factories.asset(), Path(settings.STORAGES["renditions"]["OPTIONS"]["location"]), pyramid
    )


def with_pyramid(asset: Asset, folder: Path, pyramid: Path) -> Asset:
    version = asset.current_version
    assert version is not None
    AssetVersion.objects.filter(pk=version.pk).update(width=FULL[0], height=FULL[1])
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(pyramid, folder / "pyramid.tif")
    sides = {"width": FULL[0], "height": FULL[1], "size": pyramid.stat().st_size}
    Rendition.objects.create(
        version=version, name="pyramid", storage_name="pyramid.tif", media_type="image/tiff", **sides
    )
    return asset
