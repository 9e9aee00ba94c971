"""Large pictures, and those that Pillow cannot open: by libvips, which never has all of one in memory."""

from typing import Any

import pyvips
from PIL import Image, UnidentifiedImageError

from assets.decode import upright_rgb
from assets.decoders import Look

NOT_FOR_VIPS = ("BMP", "JPEG2000")  # the libvips that we install has no loader for them
PLAIN = ("uchar", "ushort")  # other numbers have no range of their own
LAB = ("lab", "labs", "labq")
ERRORS = (pyvips.Error,)

pyvips.cache_set_max(0)


def look(path: str) -> Look:
    header = opened(path).autorot()
    return Look(header.width, header.height)


def show(path: str, longest: int) -> Any:
    try:
        return _by_pillow(path, longest)
    except UnidentifiedImageError:
        return _by_vips(path, longest)


def _by_pillow(path: str, longest: int) -> Image.Image:
    with Image.open(path, formats=NOT_FOR_VIPS) as image:
        halvings = 0 if image.format == "BMP" else max(0, (max(image.size) // longest).bit_length() - 1)
        if not halvings:
            return upright_rgb(image, longest)
        image.reduce = halvings  # type: ignore[method-assign, assignment]
        try:
            return upright_rgb(image, longest)  # decodes no more of a JPEG 2000 than is shown
        except OSError:
            pass  # fewer of the smaller sizes are inside
    with Image.open(path, formats=NOT_FOR_VIPS) as image:
        return upright_rgb(image, longest)


def opened(path: str, **options: Any) -> Any:
    """As the file has it; nothing is decoded yet."""
    return pyvips.Image.new_from_file(path, **options)


def _by_vips(path: str, side: int) -> Any:
    header = opened(path)
    if header.format in PLAIN or header.interpretation in LAB:
        managed = {"output_profile": "srgb"} if header.get_typeof("icc-profile-data") else {}
        options = {"height": side, "size": "down", "fail_on": "error", **managed}
        return finished(pyvips.Image.thumbnail(path, side, **options))
    return finished(_stretched(path).thumbnail_image(side, height=side, size="down"))


def finished(image: Any) -> Any:
    """Eight bits of sRGB or grey, on white."""
    if image.hasalpha():
        image = image.flatten(background=255 if image.format == "uchar" else 65535)
    if image.interpretation not in ("srgb", "b-w"):
        image = image.colourspace("srgb")
    return image if image.format == "uchar" else image.cast("uchar", shift=image.format == "ushort")


def _stretched(path: str) -> Any:
    """From the darkest to the brightest number, read twice so that they are never all in memory."""
    stats = opened(path, access="sequential", fail_on="error").stats()
    low, high = stats(0, 0)[0], stats(1, 0)[0]
    image = opened(path, access="sequential", fail_on="error")
    colored = image.bands > 2
    image = image[:3] if colored else image[0]
    image = ((image - low) * (255 / ((high - low) or 1))).cast("uchar")
    return image.copy(interpretation="srgb" if colored else "b-w")
