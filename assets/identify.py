"""What a file is, from its content alone: the name may say anything."""

import mimetypes
import warnings
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from django.conf import settings
from PIL import ExifTags, Image, UnidentifiedImageError

from assets import apart, counting, signatures
from assets.decode import DAMAGED, reason
from assets.kinds import ACCEPTED, HERE, OTHER

FORMATS = HERE
TRANSPOSED = {5, 6, 7, 8}  # EXIF orientations that turn the picture on its side
LOOK_SECONDS = 30
MAX_DOCUMENT_PAGES = 1_000_000


class NotAPicture(ValueError):
    """The file cannot become an asset; the message is for people."""


class Identity(NamedTuple):
    format: str
    """One of assets.kinds.KINDS."""
    media_type: str
    width: int
    """Pixels, upright; 0 for what is no picture."""
    height: int
    """Pixels, upright; 0 for what is no picture."""
    pages: int = 1
    """Pages of a document, frames of an animation."""
    duration_ms: int | None = None


def identify(path: Path, name: str = "") -> Identity:
    """Look at a file. Raises NotAPicture with a reason that a person understands.

    `name` matters only for what is no picture, and only where the administrator allows its ending.
    """
    if path.stat().st_size == 0:
        raise NotAPicture("The file is empty (0 bytes). It may not have been copied completely.")
    head = signatures.head_of(path)
    if kind := signatures.kind_of(head, path):
        return _apart(path, kind)
    try:
        return _here(path)
    except NotAPicture:
        raise
    except UnidentifiedImageError:
        if head[:2] in (b"II", b"MM") and signatures.PICTURES.match(head):
            return _apart(path, "TIFF")  # libvips knows more of them
        return _other(head, name)
    except DAMAGED as error:
        raise NotAPicture(
            f"The picture's header is damaged ({reason(error)}). Export or copy it again."
        ) from error


def _here(path: Path) -> Identity:
    """Of a picture that Pillow knows, from its header alone."""
    with warnings.catch_warnings(), Image.open(path, formats=FORMATS) as image:
        warnings.simplefilter("ignore")
        width, height = image.size
        format = "JPEG" if image.format == "MPO" else str(image.format)
        media_type = Image.MIME.get(format, "application/octet-stream")
        _check_size(width, height)
        turned = exif_of(image).get(ExifTags.Base.Orientation) in TRANSPOSED
        if turned and format != "TIFF":  # of which Pillow says the upright size itself
            width, height = height, width
        return Identity(format, media_type, width, height, _pages(path, format, image))


def _pages(path: Path, format: str, image: Image.Image) -> int:
    if format == "TIFF":
        return counting.tiff_pages(path)
    if format == "GIF":
        return counting.gif_frames(path)
    frames = getattr(image, "n_frames", 1) if format in ("WEBP", "PNG", "AVIF") else 1
    return min(max(1, frames), counting.MAX_PAGES)


def _apart(path: Path, kind: str) -> Identity:
    """Of a file whose header is read in a process of its own."""
    try:
        found = apart.look(path, kind, LOOK_SECONDS)
    except apart.Undecodable as error:
        raise NotAPicture(str(error)) from error
    _check_size(found.width, found.height)
    if kind == "TIFF":
        return Identity(kind, "image/tiff", found.width, found.height, counting.tiff_pages(path))
    pages = min(found.pages, MAX_DOCUMENT_PAGES)
    return Identity(kind, found.media_type, found.width, found.height, pages, found.duration_ms)


def _other(head: bytes, name: str) -> Identity:
    """Of what is no picture, if its kind is allowed."""
    if signatures.PICTURES.match(head):
        raise NotAPicture(
            "The picture is damaged, or stored in a way that is not known here: "
            "not even its size can be read. Copy or export it again."
        )
    found = signatures.other_of(head)
    ending = PurePosixPath(name).suffix.casefold()
    allowed = {
        one.casefold() if "/" in one else "." + one.casefold().lstrip(".") for one in settings.OTHER_TYPES
    }
    by_content = {found.media_type, found.media_type.partition("/")[0] + "/*"} & allowed
    if by_content or (ending in allowed and not found.harmful):
        guessed = mimetypes.guess_type(f"file{ending}")[0]
        return Identity(OTHER, found.media_type if by_content else guessed or found.media_type, 0, 0)
    raise NotAPicture(
        f"This is {found.said}, not a picture. Accepted: {ACCEPTED}. "
        "An administrator can allow further kinds with OTHER_TYPES."
    )


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


Image.MAX_IMAGE_PIXELS = None  # MAX_MEGAPIXELS is the limit, checked above before anything is decoded
