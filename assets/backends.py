"""Where files lie: a folder that is written durably, and two storages of which one is being left.

A third, S3, is django-storages' own. All of them take the same name as the same bytes and write over it.
"""

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, NamedTuple

from django.core.files import File
from django.core.files.storage import FileSystemStorage, Storage, storages

PARTS = ".parts"  # files that are being written; what is older than a day was left by a crash
PIECE = 256 * 1024  # bytes of a file that are in memory while it is sent
NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
FULL = "The disk of the library is full. Nothing of the file was kept: make room, and send it again."


class StorageFull(OSError):
    """There is no room for the file; the message is for people."""


class Stored(NamedTuple):
    """What a storage holds under a name."""

    name: str
    size: int
    modified: datetime


class OnDisk(File[Any]):
    """A file of our own that nobody will write to any more: it may be stored without being copied."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.open("rb"))
        self.path = path


class FolderStorage(FileSystemStorage):
    """A folder in which a file is there wholly or not at all, also after a power cut.

    It is written beside, flushed to the disk and renamed; one that is OnDisk gets a second name instead of
    being written, where both lie on one disk. With `durable=False` it is only renamed, for what can be made
    again. Raises StorageFull.
    """

    def __init__(self, *, durable: bool = True, **options: Any) -> None:
        super().__init__(**{"allow_overwrite": True, **options})
        self.durable = durable

    def _save(self, name: str, content: File[Any]) -> str:
        target, parts = Path(self.path(name)), Path(self.location) / PARTS
        try:
            parts.mkdir(parents=True, exist_ok=True)
            fresh = _make(target.parent)
            part = parts / uuid.uuid4().hex
            try:
                with _written(part, content) as file:
                    os.fchmod(file.fileno(), self.file_permissions_mode or 0o644)
                    if self.durable:
                        os.fsync(file.fileno())
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)
            for folder in [target.parent, *fresh] if self.durable else []:
                _flush(folder)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise StorageFull(FULL) from error
            raise
        self._ensure_location_group_id(str(target))  # type: ignore[attr-defined]
        return target.relative_to(self.location).as_posix()


class BothStorage(Storage):
    """Two storages while one is being left for the other: everything is written to `new` and found in both.

    `new` and `old` are entries as in settings.STORAGES.
    """

    def __init__(self, new: dict[str, Any], old: dict[str, Any]) -> None:
        self.new, self.old = (storages.create_storage(params) for params in (new, old))

    def _open(self, name: str, mode: str = "rb") -> File[Any]:
        for place in (self.new, self.old):
            with suppress(FileNotFoundError):
                return place.open(name, mode)
        return self.new.open(name, mode)  # moved while we looked

    def _save(self, name: str, content: IO[Any]) -> str:
        return self.new.save(name, content)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name

    def exists(self, name: str) -> bool:
        return self.new.exists(name) or self.old.exists(name) or self.new.exists(name)

    def delete(self, name: str) -> None:
        self.old.delete(name)
        self.new.delete(name)

    def size(self, name: str) -> int:
        return (self.new if self.new.exists(name) else self.old).size(name)

    def path(self, name: str) -> str:
        """Only of what is in `new`: a file in `old` may be deleted under the reader's hands."""
        found = self.new.path(name)
        if not Path(found).exists():
            raise NotImplementedError("The file is still in the other storage.")
        return found


def contents(storage: Storage) -> Iterator[Stored]:
    """All that lies in a storage; what is in both of two may come twice."""
    if isinstance(storage, BothStorage):
        yield from contents(storage.new)
        yield from contents(storage.old)
    elif isinstance(storage, FileSystemStorage):
        yield from _in_folder(Path(storage.location))
    else:
        bucket, prefix = _bucket(storage)
        for found in bucket.objects.filter(Prefix=prefix):
            yield Stored(found.key.removeprefix(prefix), found.size, found.last_modified)


def trouble(storage: Storage) -> str:
    """Why a storage as a whole cannot be asked just now, for people; empty where it can."""
    if isinstance(storage, BothStorage):  # a folder may be empty there: not yet filled, or left already
        asked = [place for place in (storage.new, storage.old) if not isinstance(place, FileSystemStorage)]
        return next(filter(None, map(trouble, asked)), "")
    if isinstance(storage, FileSystemStorage):
        if next(_in_folder(Path(storage.location)), None) is None:
            return f"The folder {storage.location} holds no file at all. Is its disk mounted?"
        return ""
    try:
        bucket, _ = _bucket(storage)
        bucket.meta.client.head_bucket(Bucket=bucket.name)
    except Exception as error:  # noqa: BLE001 (whatever the client raises: it is shown)
        return f"The bucket does not answer: {error}"
    return ""


def part(storage: Storage, name: str, start: int, length: int) -> Iterator[bytes]:
    """`length` bytes from `start` on, in pieces; of a bucket no other bytes are fetched.

    Opened before this returns. Raises FileNotFoundError.
    """
    if isinstance(storage, BothStorage):
        with suppress(FileNotFoundError):
            return part(storage.new, name, start, length)
        return part(storage.old, name, start, length)
    if isinstance(storage, FileSystemStorage):
        file = storage.open(name)
        file.seek(start)
        return _pieces(file, length)
    bucket, prefix = _bucket(storage)
    only = {"Range": f"bytes={start}-{start + length - 1}"} if length else {}
    try:
        body = bucket.Object(prefix + name).get(**only)["Body"]
    except bucket.meta.client.exceptions.NoSuchKey as error:
        raise FileNotFoundError(name) from error
    return _pieces(body, length)


def _pieces(file: Any, length: int) -> Iterator[bytes]:
    with closing(file):
        while length > 0 and (piece := file.read(min(PIECE, length))):
            length -= len(piece)
            yield piece


def presigned(storage: Storage, name: str, seconds: int, headers: dict[str, str]) -> str:
    """An address at which a bucket hands out a file by itself for so long, with these headers of its answer;
    empty where the file is in a folder."""
    if isinstance(storage, BothStorage):
        storage = storage.new if storage.new.exists(name) else storage.old
    if isinstance(storage, FileSystemStorage):
        return ""
    asked = {f"Response{header.replace('-', '')}": value for header, value in headers.items()}
    place: Any = storage
    return str(place.url(name, parameters=asked, expire=seconds))


def sweep_parts(storage: Storage, older_than: datetime) -> None:
    """Remove what a crash has left half written."""
    for place in (storage.new, storage.old) if isinstance(storage, BothStorage) else (storage,):
        if isinstance(place, FileSystemStorage):
            for path in (Path(place.location) / PARTS).glob("*"):
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime < older_than.timestamp():
                        path.unlink()
        elif hasattr(place, "bucket"):
            bucket, prefix = _bucket(place)
            for upload in bucket.multipart_uploads.filter(Prefix=prefix):
                if upload.initiated < older_than:
                    upload.abort()


def _written(part: Path, content: File[Any]) -> IO[bytes]:
    """The file under this new name, with these bytes, open and handed to the system."""
    if isinstance(content, OnDisk):
        with suppress(OSError):  # another disk, or one that knows no second names
            part.hardlink_to(content.path)
            os.utime(part)  # begun now, for sweep_parts
            return part.open("rb")
    with part.open("xb") as file:
        for chunk in content.chunks():
            file.write(chunk)
    return part.open("rb")


def _in_folder(root: Path) -> Iterator[Stored]:
    for folder, inside, files in os.walk(root):
        inside[:] = [name for name in inside if name != PARTS]
        for name in files:
            path = Path(folder) / name
            with suppress(FileNotFoundError):
                found = path.stat()
                modified = datetime.fromtimestamp(found.st_mtime, UTC)
                yield Stored(path.relative_to(root).as_posix(), found.st_size, modified)


def _bucket(storage: Any) -> tuple[Any, str]:
    """The bucket of an S3 storage, and what every name in it begins with."""
    return storage.bucket, f"{storage.location.strip('/')}/" if storage.location.strip("/") else ""


def _make(folder: Path) -> list[Path]:
    """Make a folder; returns the folders in which something is new."""
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return [parent.parent for parent in missing]


def _flush(folder: Path) -> None:
    """A new name is on the disk only when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
