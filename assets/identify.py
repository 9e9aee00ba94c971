"""What a file is, from its content alone: the name may say anything."""

import re
import warnings
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from PIL import ExifTags, Image, UnidentifiedImageError

from assets.decode import DAMAGED, reason

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "JPEG2000", "AVIF")
ACCEPTED = "JPEG, PNG, GIF, WebP, TIFF, BMP, JPEG 2000 and AVIF"
TRANSPOSED = {5, 6, 7, 8}  # EXIF orientations that turn the picture on its side

# How pictures begin, to tell a damaged one from something else.
PICTURES = re.compile(
    rb"\xff\xd8\xff|\x89PNG|GIF8|RIFF....WEBP|II\*\x00|MM\x00\*|BM"
    rb"|\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51|....ftypavi[fs]",
    re.DOTALL,
)

# How some common other files begin, to be able to say what it is instead.
SIGNATURES = {
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive or an Office document",
    b"\x1f\x8b": "a gzip archive",
    b"8BPS": "a Photoshop document",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"\x7fELF": "a program",
    b"MZ": "a program",
    b"<svg": "an SVG drawing",
    b"<?xml": "an XML document",
    b"<!DOCTYPE html": "a web page",
    b"RIFF": "a sound recording or a video",
    b"ID3": "a sound recording",
    b"OggS": "a sound recording",
    b"\x1aE\xdf\xa3": "a video",
}


class NotAPicture(ValueError):
    """The file cannot become an asset; the message is for people."""


class Identity(NamedTuple):
    format: str
    media_type: str
    width: int
    """Pixels, upright."""
    height: int
    """Pixels, upright."""


def identify(path: Path) -> Identity:
    """Read the header of a picture. Raises NotAPicture with a reason that a person understands."""
    if path.stat().st_size == 0:
        raise NotAPicture("The file is empty (0 bytes). It may not have been copied completely.")
    try:
        with warnings.catch_warnings(), Image.open(path, formats=FORMATS) as image:
            warnings.simplefilter("ignore")
            width, height = image.size
            format = "JPEG" if image.format == "MPO" else str(image.format)
            media_type = Image.MIME.get(format, "application/octet-stream")
            _check_size(width, height)
            if exif_of(image).get(ExifTags.Base.Orientation) in TRANSPOSED:
                width, height = height, width
    except NotAPicture:
        raise
    except UnidentifiedImageError:
        if PICTURES.match(_head(path)):
            raise NotAPicture(
                "The picture is damaged, or stored in a way that is not known here: "
                "not even its size can be read. Copy or export it again."
            ) from None
        raise NotAPicture(f"This is {_guess(path)}, not a picture. Accepted: {ACCEPTED}.") from None
    except DAMAGED as error:
        raise NotAPicture(
            f"The picture's header is damaged ({reason(error)}). Export or copy it again."
        ) from error
    return Identity(format, media_type, width, height)


def exif_of(image: Image.Image) -> Image.Exif:
    """The EXIF block, without decoding pixels: for a PNG, Pillow would look behind them."""
    if image.format == "PNG" and not {"exif", "Raw profile type exif"} & set(image.info):
        return Image.Exif()
    return image.getexif()


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise NotAPicture("The picture has no width or no height.")
    if width * height > settings.MAX_MEGAPIXELS * 1_000_000:
        raise NotAPicture(
            f"The picture has {width:,} x {height:,} pixels; the limit is {settings.MAX_MEGAPIXELS:,} "
            "megapixels. An administrator can raise MAX_MEGAPIXELS."
        )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(1024)


def _guess(path: Path) -> str:
    head = _head(path)
    if head[4:8] == b"ftyp":
        return "a HEIC picture" if head[8:12] in {b"heic", b"heix", b"mif1", b"msf1"} else "a video"
    for signature, name in SIGNATURES.items():
        if head.lstrip().startswith(signature):
            return name
    try:
        head.decode("utf-8", errors="strict" if len(head) < 1000 else "ignore")
        return "a text file" if b"\x00" not in head else "an unknown kind of file"
    except UnicodeDecodeError:
        return "an unknown kind of file"


Image.MAX_IMAGE_PIXELS = None  # MAX_MEGAPIXELS is the limit, checked above before anything is decoded
