"""Cutting a part out of a picture: only the tiles that it needs are read and decoded."""

import math
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("VIPS_CONCURRENCY", "1")  # many parts at a time, each by one thread

import pyvips  # noqa: E402

from iiif.parameters import Cut  # noqa: E402

NEARLY = 0.02  # of a halving: tiles at the right edge are rounded to whole pixels
JPEG_QUALITY, WEBP_QUALITY, WEBP_EFFORT, PNG_COMPRESSION = 85, 85, 2, 4
ERRORS = (pyvips.Error,)

pyvips.cache_set_max(0)


def made(path: Path, cut: Cut) -> bytes:
    """The encoded part of a pyramid, or of a plain picture. Raises one of ERRORS."""
    image = _scaled(path, cut)
    image = _in_quality(image, cut.quality)
    image = _turned(image, cut)
    if cut.format == "jpg":
        return bytes(image.jpegsave_buffer(Q=JPEG_QUALITY, keep="none"))
    if cut.format == "webp":
        return bytes(image.webpsave_buffer(Q=WEBP_QUALITY, effort=WEBP_EFFORT, keep="none"))
    depth = {"bitdepth": 1} if cut.quality == "bitonal" and image.bands == 1 else {}
    return bytes(image.pngsave_buffer(compression=PNG_COMPRESSION, keep="none", **depth))


def _scaled(path: Path, cut: Cut) -> Any:
    left, top, width, height = cut.box
    scale = max(cut.size[0] / width, cut.size[1] / height)
    level = _level(path, -math.log2(scale))
    across, down = level.width / cut.full[0], level.height / cut.full[1]
    x, w = _span(left, width, across, level.width)
    y, h = _span(top, height, down, level.height)
    part = level.crop(x, y, w, h)
    if (w, h) == cut.size:
        return part
    return part.thumbnail_image(cut.size[0], height=cut.size[1], size="force")


def _level(path: Path, halvings: float) -> Any:
    """The smallest copy in a pyramid that has at least as many pixels as are wanted."""
    whole = pyvips.Image.new_from_file(str(path))
    copies = whole.get("n-pages") if whole.get_typeof("n-pages") else 1
    number = min(max(int(halvings + NEARLY), 0), copies - 1)
    return pyvips.Image.new_from_file(str(path), page=number) if number else whole


def _span(start: int, length: int, scale: float, end: int) -> tuple[int, int]:
    first = min(round(start * scale), end - 1)
    return first, max(1, min(round((start + length) * scale), end) - first)


def _in_quality(image: Any, quality: str) -> Any:
    if quality != "color" and image.interpretation != "b-w":
        image = image.colourspace("b-w")
    return (image > 127).copy(interpretation="b-w") if quality == "bitonal" else image


def _turned(image: Any, cut: Cut) -> Any:
    """Mirrored and turned clockwise; the corners that become free are transparent, or white in a JPEG."""
    if cut.mirrored:
        image = image.flip("horizontal")
    if cut.angle % 90 == 0:
        return image.rot(f"d{int(cut.angle)}") if cut.angle else image
    interpolate = pyvips.Interpolate.new("nearest" if cut.quality == "bitonal" else "bilinear")
    if cut.format == "jpg":
        return image.rotate(cut.angle, background=[255] * image.bands, interpolate=interpolate)
    return image.addalpha().rotate(cut.angle, interpolate=interpolate)
