"""A picture in another format, made when somebody asks for it and not kept."""

import tempfile
from pathlib import Path
from threading import BoundedSemaphore
from typing import BinaryIO, NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _

from assets import apart, storage
from assets.kinds import OTHER
from assets.models import AssetVersion
from assets.stored import shown

LIMITED, FULL = (4096, 2048, 1024), 20_000  # pixels of the longer side; a larger one is made smaller
SECONDS, AT_ONCE, PATIENCE = 60, 2, 20  # for one; decoders of this process; how long one waits for another


class Kind(NamedTuple):
    ending: str
    media_type: str


KINDS = {
    "JPEG": Kind("jpg", "image/jpeg"),
    "PNG": Kind("png", "image/png"),
    "TIFF": Kind("tiff", "image/tiff"),
}
LOSSLESS = ("PNG", "TIFF")

_free = BoundedSemaphore(AT_ONCE)


class NoCopy(Exception):
    """The message is for people."""


class Copy(NamedTuple):
    """What may be asked for: a format of KINDS, and the pixels of the longer side."""

    format: str
    longest: int


def offered(version: AssetVersion | None) -> list[Copy]:
    """The copies of a version, largest first. One of a JPEG is only smaller, since it is never better."""
    if version is None or version.format == OTHER:
        return []
    longest = min(max(version.width, version.height), FULL)
    whole = [] if version.format == "JPEG" else [longest]
    lossless = LOSSLESS if whole and version.format != "VIDEO" else ()
    jpegs = [Copy("JPEG", size) for size in (*whole, *(size for size in LIMITED if size < longest))]
    return jpegs + [Copy(format, longest) for format in lossless if format != version.format]


def made(version: AssetVersion, copy: Copy, mark: str = "") -> BinaryIO:
    """Upright sRGB on white, at most so many pixels a side, with this mark; to be closed by the caller.

    Raises NoCopy.
    """
    if not _free.acquire(timeout=PATIENCE):
        raise NoCopy(_("Others are being made just now. Try again in a minute."))
    try:
        with (
            storage.local_copy(version.blob) as original,
            tempfile.TemporaryDirectory(dir=settings.INCOMING_DIR, prefix="copy-") as folder,
        ):
            target = Path(folder) / f"picture.{KINDS[copy.format].ending}"
            apart.show(original, version.format, target, copy.longest, SECONDS, mark)
            return target.open("rb")
    except (apart.Undecodable, apart.Killed) as error:
        raise NoCopy(shown(str(error))) from error
    except FileNotFoundError as error:
        raise NoCopy(_("The original is missing from storage. Restore it from a backup.")) from error
    finally:
        _free.release()
