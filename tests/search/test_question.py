"""A picture to search by: read as renditions are, bounded, and kept small."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from search import cached, question
from search.encoders import UnreadableImage
from search.question import opened, remember_image
from tests.factories import encoded, picture

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("more", [{}, {"icc_profile": PROFILE}])
def test_a_picture_to_search_by_is_upright(more: dict[str, Any]) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert opened(encoded(Image.new("RGB", (400, 200), "red"), "JPEG", exif=exif, **more)).size == (200, 400)


def test_sixteen_bits_of_grey_stay_grey() -> None:
    grey = Image.fromarray(np.tile(np.linspace(0, 65535, 300), (200, 1)).astype("uint16"))
    assert abs(np.asarray(opened(encoded(grey, "PNG"))).mean() - 127) < 3


def test_only_a_jpeg_may_have_many_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(question, "MAX_PIXELS", 10_000)
    monkeypatch.setattr(question, "MAX_JPEG_PIXELS", 40_000)
    assert opened(picture(size=(200, 200))).size == (200, 200)
    for content in (picture(size=(201, 200)), picture(size=(101, 100), format="PNG")):
        with pytest.raises(UnreadableImage, match="too large"):
            opened(content)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP", "BMP", "JPEG2000", "AVIF", "GIF"])
def test_a_damaged_picture_is_told_in_words(format: str) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    content = encoded(Image.fromarray(noise), format)
    for length in (0, 3, 40, 200, len(content) // 2, len(content) - 2000):
        with pytest.raises(UnreadableImage, match="could not be read"):
            opened(content[:length])


def test_a_damaged_avif_is_told_in_words() -> None:
    content = bytearray(encoded(Image.effect_noise((300, 200), 80).convert("RGB"), "AVIF"))
    at = content.index(b"mdat") + 4
    content[at : at + 8] = bytes(8)
    with pytest.raises(UnreadableImage, match="could not be read"):
        opened(bytes(content))


def test_the_picture_is_kept_small_and_means_the_same() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (3000, 2000, 3), dtype=np.uint8)
    content = encoded(Image.fromarray(noise), "PNG")
    kept = cached.picture(remember_image(content))
    assert kept is not None and len(kept) < len(content) / 20
    with Image.open(io.BytesIO(kept)) as image:
        assert image.size == (427, 640)
    difference = np.asarray(opened(kept)).astype(int) - np.asarray(opened(content))
    assert np.abs(difference).mean() < 5


@pytest.mark.parametrize("content", [b"no picture", b"", b"x" * 1_000_000])
def test_what_cannot_be_read_is_kept_short_and_told_again(content: bytes) -> None:
    kept = cached.picture(remember_image(content))
    assert kept == content[: question.UNREADABLE_KEPT]
    with pytest.raises(UnreadableImage, match="could not be read"):
        opened(kept)


def test_what_is_too_large_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (600, 600, 3), dtype=np.uint8)
    content = encoded(Image.fromarray(noise), "PNG")
    monkeypatch.setattr(question, "MAX_PIXELS", 10_000)
    kept = cached.picture(remember_image(content))
    assert kept is not None and len(kept) < len(content)
    with pytest.raises(UnreadableImage, match="too large"):
        opened(kept)
