"""The bytes of unfinished uploads: one file each, whose size is how much has arrived.

Only the holder of a file's lock writes to it. The lock is the kernel's: it ends with the process that has it.
"""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

from django.conf import settings

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
SWEPT_SECONDS = 24 * 3600


class UploadError(Exception):
    """The message is for people."""


class Locked(UploadError):
    """Somebody else is writing."""


class DiskFull(UploadError):
    """There is no room; what arrived is kept."""


def path_of(uid: UUID) -> Path:
    return Path(settings.UPLOADS_DIR) / uid.hex


def _mark_of(uid: UUID) -> Path:
    """Holds how much was there before bytes that must first be compared with their checksum."""
    return path_of(uid).with_suffix(".sure")


def is_there(uid: UUID) -> bool:
    return path_of(uid).exists()


def make(uid: UUID, length: int) -> None:
    """An empty file. Raises DiskFull when its whole length would not find room."""
    settings.UPLOADS_DIR.mkdir(parents=True, exist_ok=True)
    check_room(length)
    os.close(os.open(path_of(uid), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def check_room(size: int) -> None:
    """Raises DiskFull unless `size` more bytes leave what is reserved for other things."""
    free = shutil.disk_usage(settings.UPLOADS_DIR).free
    if free - size < settings.UPLOAD_RESERVE_BYTES:
        raise DiskFull("There is not enough room on the server's disk at present.")


def size_of(uid: UUID) -> int:
    """How many bytes have arrived for certain. Raises FileNotFoundError."""
    try:
        return int(_mark_of(uid).read_text())
    except FileNotFoundError:
        return path_of(uid).stat().st_size


@contextmanager
def held(uid: UUID) -> Iterator[int]:
    """A descriptor to write with, at the end of what is certain. Raises Locked or FileNotFoundError."""
    try:
        descriptor = os.open(path_of(uid), os.O_RDWR)
    except PermissionError:  # it is an original already, which nobody writes to
        descriptor = os.open(path_of(uid), os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Locked("Another connection is sending this file just now.") from None
        if (mark := _mark_of(uid)).exists():  # the server stopped before the checksum was compared
            take_back(uid, descriptor, int(mark.read_text()))
        os.lseek(descriptor, 0, os.SEEK_END)
        yield descriptor
    finally:
        os.close(descriptor)


def write(descriptor: int, chunk: bytes) -> None:
    """All of it. Raises DiskFull."""
    view = memoryview(chunk)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull("The server's disk is full. What has arrived is kept.") from error
        raise


def doubt(uid: UUID, size: int) -> None:
    """From here on, bytes count only when `trust` has been called."""
    written = path_of(uid).with_suffix(".new")
    written.write_text(str(size))
    written.replace(_mark_of(uid))  # never half of it


def trust(uid: UUID) -> None:
    _mark_of(uid).unlink(missing_ok=True)


def take_back(uid: UUID, descriptor: int, size: int) -> None:
    """Only the first `size` bytes stay."""
    os.ftruncate(descriptor, size)
    os.lseek(descriptor, size, os.SEEK_SET)
    trust(uid)


def remove(uid: UUID) -> None:
    path_of(uid).unlink(missing_ok=True)
    trust(uid)


def sweep(known: Collection[str]) -> None:
    """Remove what has lain here for a day without being known, as after a crash."""
    for left in Path(settings.UPLOADS_DIR).glob("*"):
        with suppress(FileNotFoundError):
            if left.stem not in known and time.time() - left.stat().st_mtime > SWEPT_SECONDS:
                left.unlink()
