"""Originals in storage: named by content, written once, verified, swept when nobody claims them."""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, NamedTuple

from django.conf import settings
from django.core.files import File
from django.core.files.storage import Storage, storages
from django.db import connection
from django.utils import timezone

from assets.models import Blob

CHUNK = 1024 * 1024


class TooLarge(ValueError):
    """The file is over the size limit; the message is for people."""


class StorageDamaged(OSError):
    """What was read back is not what was written."""


class Spooled(NamedTuple):
    path: Path
    sha256: str
    size: int


def originals() -> Storage:
    return storages["originals"]


def renditions() -> Storage:
    return storages["renditions"]


@contextmanager
def spooled(source: IO[bytes] | File[Any]) -> Iterator[Spooled]:
    """The stream as a local file, hashed on the way; removed at the end. Raises TooLarge."""
    settings.INCOMING_DIR.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(dir=settings.INCOMING_DIR, prefix="spool-") as target:
        while chunk := source.read(CHUNK):
            size += len(chunk)
            if size > settings.MAX_UPLOAD_BYTES:
                raise TooLarge(f"The file is larger than {settings.MAX_UPLOAD_BYTES // 1024**2} MB.")
            digest.update(chunk)
            target.write(chunk)
        target.flush()
        yield Spooled(Path(target.name), digest.hexdigest(), size)


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
    """The blob of these bytes, put into storage unless it is there. Call it under `locked`."""
    blob, _ = Blob.objects.get_or_create(
        sha256=spool.sha256, defaults={"size": spool.size, "media_type": media_type}
    )
    if blob.state == Blob.State.STORED and originals().exists(blob.storage_name):
        return blob
    with spool.path.open("rb") as source:
        originals().save(blob.storage_name, File(source))
    with originals().open(blob.storage_name) as written:
        if hashlib.file_digest(written, "sha256").hexdigest() != blob.sha256:
            raise StorageDamaged(f"{blob.storage_name} was not stored as it was sent")
    blob.state = Blob.State.STORED
    blob.save(update_fields=["state"])
    return blob


@contextmanager
def local_copy(blob: Blob) -> Iterator[Path]:
    """The original as a local path: the file itself in a folder storage, else a temporary download."""
    try:
        path = Path(originals().path(blob.storage_name))
    except NotImplementedError:
        settings.INCOMING_DIR.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=settings.INCOMING_DIR, prefix="work-") as target:
            with originals().open(blob.storage_name) as source:
                for chunk in source.chunks(CHUNK):
                    target.write(chunk)
            target.flush()
            yield Path(target.name)
    else:
        yield path


def sweep(age: timedelta = timedelta(days=1)) -> int:
    """Remove originals that no version claims and that are older than `age`; returns how many."""
    removed = 0
    for blob in Blob.objects.filter(versions=None, created_at__lt=timezone.now() - age):
        with locked(blob.sha256):
            if not blob.versions.exists():
                originals().delete(blob.storage_name)
                blob.delete()
                removed += 1
    for left in settings.INCOMING_DIR.glob("*"):
        if timezone.now().timestamp() - left.stat().st_mtime > age.total_seconds():
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
    return removed
