"""What the head of a picture file says of its pixels: resolution, colours, depth. Nothing is decoded."""

import io
import struct
import warnings
from pathlib import Path
from typing import Any

from django.utils.translation import ngettext
from PIL import Image, ImageCms

from assets.decode import DAMAGED

NAME = "Image"
"""Beside the standards of metadata, in AssetVersion.embedded_metadata."""
COLOURS = {"1": "black and white", "L": "grey", "LA": "grey", "P": "indexed", "LAB": "Lab", "F": "grey"}
DEPTHS = {"1": 1, "I": 32, "F": 32}
EXIF_SPACES = {1: "sRGB", 2: "Adobe RGB"}
CENTIMETRES = 3  # EXIF ResolutionUnit


def of_file(path: Path) -> dict[str, Any]:
    """`dpi` (two numbers), `colours`, `profile`, `bits` of a channel, as far as the file says them."""
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path) as image:
            found = {
                "dpi": _dpi(image.info.get("dpi")),
                "colours": COLOURS.get(image.mode, "grey" if image.mode.startswith("I") else image.mode),
                "profile": _profile(image.info.get("icc_profile")),
                "bits": _bits(path, image),
            }
    except (*DAMAGED, Image.DecompressionBombError):
        return {}
    return {name: value for name, value in found.items() if value}


def said(embedded: dict[str, Any]) -> dict[str, str]:
    """In words: `Resolution`, `Colour space`, `Bit depth`, from what was found in the file when it came."""
    head, exif = embedded.get(NAME) or {}, embedded.get("EXIF") or {}
    dpi = head.get("dpi") or _dpi_of_exif(exif)
    space = head.get("profile") or EXIF_SPACES.get(exif.get("ColorSpace", 0), "")
    bits = exif.get("BitsPerSample") if not head.get("bits") else head["bits"]
    bits = bits[0] if isinstance(bits, list) and bits else bits
    found = {
        "Resolution": " × ".join(dict.fromkeys(f"{number:g}" for number in dpi or ())),
        "Colour space": ", ".join(filter(None, (str(head.get("colours", "")), space))),
        "Bit depth": _per_channel(bits) if bits else "",
    }
    found["Resolution"] += " dpi" if found["Resolution"] else ""
    return {name: text for name, text in found.items() if text}


def _per_channel(bits: Any) -> str:
    """`8 bits for each channel`; several numbers, where the channels differ."""
    count = 1 if bits == 1 else 2
    said = ngettext("%(number)s bit for each channel", "%(number)s bits for each channel", count)
    return said % {"number": bits}


def _dpi(value: Any) -> list[float]:
    """Two numbers; none where they are missing or the 1 that programs write when they know none."""
    try:
        numbers = [round(float(number), 1) for number in value or ()]
    except (TypeError, ValueError, ZeroDivisionError):
        return []
    return numbers if len(numbers) == 2 and min(numbers) > 1 else []


def _dpi_of_exif(exif: dict[str, Any]) -> list[float]:
    both = [exif.get(name) for name in ("XResolution", "YResolution")]
    scale = 2.54 if exif.get("ResolutionUnit") == CENTIMETRES else 1
    numbers = [number for number in both if isinstance(number, int | float)]
    return _dpi([number * scale for number in numbers])


def _profile(data: Any) -> str:
    if not data:
        return ""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        return " ".join(ImageCms.getProfileDescription(profile).split())[:100]
    except (ImageCms.PyCMSError, OSError, ValueError):
        return ""


def _bits(path: Path, image: Image.Image) -> int:
    """Of a channel. A PNG says it in its head; what Pillow would decode it to may be less."""
    if image.format == "PNG":
        with path.open("rb") as file:
            head = file.read(26)
        return int(struct.unpack(">B", head[24:25])[0]) if len(head) == 26 else 0
    if image.format == "TIFF":
        tags: Any = getattr(image, "tag_v2", {})
        bits = tags.get(258, 0)
        return int(bits[0] if isinstance(bits, tuple) else bits)
    return DEPTHS.get(image.mode, 16 if image.mode.startswith("I;16") else 8)
