"""Originals in storage: named by content, written once, verified, swept when nobody claims them."""

import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, NamedTuple

from django.conf import settings
from django.core.files import File
from django.core.files.storage import Storage, storages
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from assets import memory
from assets.backends import FULL, NO_ROOM, OnDisk, StorageFull, sweep_parts
from assets.models import Blob, StorageEvent

__all__ = ["OriginalMissing", "Spooled", "StorageDamaged", "StorageFull", "TooLarge", "Whole"]
CHUNK = 1024 * 1024
log = logging.getLogger(__name__)


class TooLarge(ValueError):
    """The file is over the size limit; the message is for people."""


class StorageDamaged(OSError):
    """What was read back is not what was written."""


class OriginalMissing(FileNotFoundError):
    """There is no original under its name."""


class Spooled(NamedTuple):
    path: Path
    sha256: str
    size: int
    checked: bool = False
    """Whether each piece of this file was read back as it had been written."""


class Whole(NamedTuple):
    """A file that lies here already and is known: it needs no spooling, and stays the caller's."""

    path: Path
    """Nobody may write to it any more."""
    sha256: str
    size: int


def originals() -> Storage:
    return storages["originals"]


def renditions() -> Storage:
    return storages["renditions"]


@contextmanager
def spooled(source: IO[bytes] | File[Any] | Whole) -> Iterator[Spooled]:
    """The stream as a local file, hashed on the way; removed at the end. Raises TooLarge, StorageFull."""
    if isinstance(source, Whole):
        _check_size(source.size)
        yield Spooled(*source)
        return
    settings.INCOMING_DIR.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=settings.INCOMING_DIR, prefix="spool-") as target:
        try:
            sha256, size = _spool(source, target)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise StorageFull(FULL) from error
            raise
        yield Spooled(Path(target.name), sha256, size, checked=True)


def _spool(source: IO[bytes] | File[Any], target: IO[bytes]) -> tuple[str, int]:
    """Copy it; returns its sha256 and its size. Raises StorageDamaged.

    Each piece is read back while it is at hand, which costs a sixth of reading the whole file once more.
    """
    _make_room(source, target)
    digest, size = hashlib.sha256(), 0
    back = bytearray(CHUNK)
    for chunk in _pieces(source):
        _check_size(size + len(chunk))
        digest.update(chunk)
        target.write(chunk)
        target.flush()
        _read_back(target, size, chunk, back)
        size += len(chunk)
    target.truncate(size)
    return digest.hexdigest(), size


def _make_room(source: IO[bytes] | File[Any], target: IO[bytes]) -> None:
    """Where a size is said, that much is asked for at once: a full disk is told before it is filled up, and
    writing takes a quarter less. What is said need not be so. Raises TooLarge, OSError."""
    size = getattr(source, "size", None) or 0
    _check_size(size)
    try:
        if size:
            os.posix_fallocate(target.fileno(), 0, size)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise


def _read_back(target: IO[bytes], start: int, chunk: memoryview, back: bytearray) -> None:
    """Whether this is there now, from `start` on. As bytes: to compare views would take far longer."""
    length = os.preadv(target.fileno(), [memoryview(back)[: len(chunk)]], start)
    same = back == chunk.obj if len(chunk) == len(back) else back[:length] == bytes(chunk)
    if length != len(chunk) or not same:
        raise StorageDamaged("The file was not written as it was sent. Send it again.")


def _pieces(source: IO[bytes] | File[Any]) -> Iterator[memoryview]:
    """The bytes of a stream, each piece in the memory of the one before: fresh memory would cost more than
    reading does."""
    into, memory = getattr(source, "readinto", None), memoryview(bytearray(CHUNK))
    if into is None:
        while chunk := source.read(CHUNK):
            yield memoryview(chunk)
        return
    while count := into(memory):
        yield memory[:count]


def _check_size(size: int) -> None:
    if size > settings.MAX_UPLOAD_BYTES:
        raise TooLarge(f"The file is larger than {settings.MAX_UPLOAD_BYTES // 1024**2} MB.")


@contextmanager
def locked(sha256: str) -> Iterator[None]:
    """One process at a time for these bytes, across all machines (a PostgreSQL advisory lock)."""
    key = int.from_bytes(bytes.fromhex(sha256[:16]), signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [key])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def store(spool: Spooled, media_type: str) -> Blob:
    """The blob of these bytes, put into storage unless it is there. Call it under `locked`.

    What was found damaged is put there anew. Raises StorageFull, StorageDamaged.
    """
    blob = Blob.objects.filter(sha256=spool.sha256).first()
    if blob is None:
        blob = Blob.objects.create(sha256=spool.sha256, size=spool.size, media_type=media_type)
        blob.is_new = True
    there = blob.state == Blob.State.STORED and blob.fixity not in Blob.BAD
    if there and originals().exists(blob.storage_name):
        return blob
    try:
        with OnDisk(spool.path) as source:
            put(blob, source, spool.checked)
    except (StorageFull, StorageDamaged):
        with suppress(OSError, DatabaseError):
            _remove_unclaimed(blob.sha256)
        raise
    return blob


def put(blob: Blob, source: File[Any], checked: bool = False) -> None:
    """Write these bytes under the name of the blob, read them back, and only then call it stored.

    A file that was `checked` when it was spooled, and only got a second name, is not read once more.
    """
    originals().save(blob.storage_name, source)
    there = checked and _is_same_file(source, blob.storage_name)
    if not there and digest_of(originals(), blob.storage_name) != blob.sha256:
        raise StorageDamaged(f"{blob.storage_name} was not stored as it was sent. Send the file again.")
    was, now = blob.fixity, timezone.now()
    blob.state, blob.fixity, blob.fixity_detail, blob.checked_at = Blob.State.STORED, Blob.Fixity.OK, "", now
    with transaction.atomic() if was in Blob.BAD else nullcontext():
        blob.save(update_fields=["state", "fixity", "fixity_detail", "checked_at"])
        if was in Blob.BAD:
            event(StorageEvent.Kind.RECOVERY, blob.sha256, "ok", f"It was {was}, and was written anew.")


def _is_same_file(source: File[Any], name: str) -> bool:
    try:
        return Path(originals().path(name)).samefile(str(source.name))
    except (NotImplementedError, OSError):  # no folder, or no file of this disk
        return False


def digest_of(storage: Storage, name: str) -> str:
    """The sha256 of what a storage has under this name, in hexadecimal. Raises FileNotFoundError."""
    with storage.open(name) as file:
        return digest_of_file(file)


def digest_of_file(file: File[Any]) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def event(kind: StorageEvent.Kind, sha256: str, outcome: str, detail: str = "") -> None:
    StorageEvent.objects.create(kind=kind, sha256=sha256, outcome=outcome, detail=detail)


@contextmanager
def local_copy(blob: Blob) -> Iterator[Path]:
    """The original as a local path: the file itself in a folder storage, else a temporary download.

    Raises OriginalMissing where there is nothing to download.
    """
    try:
        path = Path(originals().path(blob.storage_name))
    except NotImplementedError:
        settings.INCOMING_DIR.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=settings.INCOMING_DIR, prefix="work-") as target:
            try:
                source = originals().open(blob.storage_name)
            except FileNotFoundError as error:
                raise OriginalMissing(str(error)) from error
            with source:
                for chunk in source.chunks(CHUNK):
                    target.write(chunk)
            target.flush()
            yield Path(target.name)
    else:
        yield path


def let_go(blob: Blob) -> None:
    """The original need not stay in memory: all that an import asks of it is done."""
    with suppress(NotImplementedError, OSError), Path(originals().path(blob.storage_name)).open("rb") as file:
        memory.let_go(file.fileno())


def remove_unclaimed(sha256: str) -> bool:
    """Delete an original that no version claims any more, and its blob; returns whether it did.

    An upload of the same bytes at this moment waits, and then stores them anew. Call it in no transaction.
    """
    with locked(sha256):
        return _remove_unclaimed(sha256)


def _remove_unclaimed(sha256: str) -> bool:
    """The row is locked too, so that nothing can begin to claim it; a crash leaves a row for the sweeper."""
    with transaction.atomic():
        blob = Blob.objects.select_for_update().filter(sha256=sha256).first()
        if blob is None or blob.versions.exists():
            return False
        originals().delete(blob.storage_name)
        if blob.state == Blob.State.STORED:
            event(StorageEvent.Kind.DELETION, sha256, "deleted", "No picture uses it any more.")
        blob.delete()
    return True


def sweep(age: timedelta = timedelta(days=1)) -> int:
    """Remove originals that no version claims and that are older than `age`; returns how many.

    What a crash has left half written goes too.
    """
    long_ago = timezone.now() - age
    unclaimed = Blob.objects.filter(versions=None, created_at__lt=long_ago)
    removed = sum(remove_unclaimed(sha256) for sha256 in unclaimed.values_list("sha256", flat=True))
    for left in settings.INCOMING_DIR.glob("*"):
        with suppress(FileNotFoundError):
            if left.stat().st_mtime < long_ago.timestamp():
                shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink()
    for place in (originals(), renditions()):
        try:
            sweep_parts(place, long_ago)
        except Exception as error:  # noqa: BLE001 (a bucket may not let us list unfinished uploads)
            log.warning("What is half written could not be looked for: %s", error)
    return removed
