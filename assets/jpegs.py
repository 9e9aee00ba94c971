"""A picture as a JPEG, made when somebody asks for it and not kept."""

import tempfile
from pathlib import Path
from threading import BoundedSemaphore
from typing import BinaryIO

from django.conf import settings

from assets import apart, storage
from assets.kinds import OTHER
from assets.models import AssetVersion

LIMITED, FULL = (4096, 2048, 1024), 20_000  # pixels of the longer side; a larger one is made smaller
SECONDS, AT_ONCE, PATIENCE = 60, 2, 20  # for one; decoders of this process; how long one waits for another

_free = BoundedSemaphore(AT_ONCE)


class NoJpeg(Exception):
    """The message is for people."""


def sizes_of(version: AssetVersion | None) -> list[int]:
    """What may be asked for, in pixels of the longer side, largest first; a copy of a JPEG only smaller."""
    if version is None or version.format == OTHER:
        return []
    longest = min(max(version.width, version.height), FULL)
    limited = [size for size in LIMITED if size < longest]
    return limited if version.format == "JPEG" else [longest, *limited]


def jpeg(version: AssetVersion, longest: int) -> BinaryIO:
    """Upright sRGB on white, at most `longest` pixels a side; to be closed by the caller. Raises NoJpeg."""
    if not _free.acquire(timeout=PATIENCE):
        raise NoJpeg("Others are being made just now. Try again in a minute.")
    try:
        with (
            storage.local_copy(version.blob) as original,
            tempfile.TemporaryDirectory(dir=settings.INCOMING_DIR, prefix="jpeg-") as folder,
        ):
            target = Path(folder) / "picture.jpg"
            apart.show(original, version.format, target, longest, SECONDS)
            return target.open("rb")
    except (apart.Undecodable, apart.Killed) as error:
        raise NoJpeg(str(error)) from error
    except FileNotFoundError as error:
        raise NoJpeg("The original is missing from storage. Restore it from a backup.") from error
    finally:
        _free.release()
