"""Storing: durable, verified, and clean after a crash at any step, in a folder and in a bucket (test_s3)."""

import errno
import io
import os
import stat
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import connection
from django.utils import timezone

from assets import backends, checks, ingest, purging, storage
from assets.models import Asset, BatchItem, Blob, StorageEvent
from tests.factories import picture, take_in

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """As if the process had ended here: nothing of the program catches it."""


STEPS = ("hash", "row", "before writing", "after writing", "before reading back", "before stored", "stored")


@contextmanager
def killed_at(step: str) -> Iterator[None]:
    """The next time that storing comes to this step, it ends there."""

    def dies(*args: Any, **kwargs: Any) -> Any:
        raise Killed

    def then_dies(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            function(*args, **kwargs)
            raise Killed

        return wrapped

    with pytest.MonkeyPatch.context() as patch:
        kind = type(storage.originals())
        if step == "hash":
            patch.setattr(storage, "_spool", then_dies(storage._spool))
        elif step == "row":
            patch.setattr(storage, "put", dies)
        elif step == "before writing":
            patch.setattr(kind, "_save", dies)
        elif step == "after writing":
            patch.setattr(kind, "_save", then_dies(kind._save))  # type: ignore[attr-defined]
        elif step == "before reading back":
            patch.setattr(storage, "_is_same_file", dies)
        elif step == "before stored":
            patch.setattr(Blob, "save", dies)
        else:
            patch.setattr(ingest, "_create_or_find", dies)
        yield


def crash_and_recover(step: str) -> None:
    """After a crash the same file is taken in again; if nobody sends it again, the sweeper leaves nothing."""
    for again in (True, False):
        content = picture()
        with killed_at(step), pytest.raises(Killed):
            BatchItem.objects.all().delete()
            take_in(content)
        assert not Asset.objects.exists()
        if again:
            found = take_in(content).asset
            assert found is not None and found.current_version is not None
            blob = found.current_version.blob
            assert (blob.state, blob.fixity) == ("stored", "ok")
            assert storage.digest_of(storage.originals(), blob.storage_name) == blob.sha256
            Asset.objects.update(trashed_at=timezone.now())
            assert purging.purge([found.pk], None) == 1
        assert storage.sweep() == 0  # it may be an upload that is going on
        Blob.objects.update(created_at=timezone.now() - timedelta(days=2))
        storage.sweep()
        assert not Blob.objects.exists() and not list(backends.contents(storage.originals()))


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_at_any_step_leaves_what_is_completed_or_swept(step: str) -> None:
    crash_and_recover(step)


def test_a_crash_while_the_folder_is_written_leaves_no_half_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def dies(*args: Any) -> None:
        raise Killed

    content = picture()
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(os, "fchmod", dies)
        take_in(content)
    assert not list(backends.contents(storage.originals()))
    left = tmp_path / "originals" / backends.PARTS / "left by a power cut"
    left.write_bytes(content[:100])
    storage.sweep()
    assert left.exists()
    os.utime(left, (0, 0))
    storage.sweep()
    assert not left.exists()


def test_originals_are_flushed_to_the_disk_and_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []
    real = os.fsync

    def counted(handle: int) -> None:
        flushed.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        real(handle)

    monkeypatch.setattr(os, "fsync", counted)
    place = backends.FolderStorage(location=str(tmp_path / "durable"), file_permissions_mode=0o444)
    assert place.save("ab/cd/one", ContentFile(b"one")) == "ab/cd/one"
    assert flushed[0] == "file" and flushed.count("folder") >= 3  # cd in ab, ab in the root, one in cd
    assert stat.S_IMODE((tmp_path / "durable/ab/cd/one").stat().st_mode) == 0o444
    assert place.save("ab/cd/one", ContentFile(b"two")) == "ab/cd/one"
    assert [found.name for found in backends.contents(place)] == ["ab/cd/one"]
    with place.open("ab/cd/one") as file:
        assert file.read() == b"two"


@pytest.mark.parametrize("where", ["incoming", "originals"])
def test_a_full_disk_is_said_and_leaves_nothing(
    where: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`/dev/full` refuses what is written to it as a full disk does."""
    real = storage._spool

    def full(part: Path, content: Any) -> Any:
        with open("/dev/full", "wb", buffering=0) as nowhere:  # noqa: PTH123
            nowhere.write(content.read())

    def spool(source: Any, target: Any) -> Any:
        with open("/dev/full", "wb") as nowhere:  # noqa: PTH123
            return real(source, nowhere)

    with monkeypatch.context() as patch:
        if where == "originals":
            patch.setattr(backends, "_written", full)
        else:
            patch.setattr(storage, "_spool", spool)
        outcome = take_in(picture())
    assert outcome.outcome == "rejected" and "disk of the library is full" in outcome.reason
    assert not Blob.objects.exists() and not Asset.objects.exists()
    left = [path for name in ("incoming", "originals") for path in (tmp_path / name).rglob("*")]
    assert not [path for path in left if path.is_file()]
    assert take_in(picture()).outcome == "accepted"


def test_what_is_not_stored_as_it_was_sent_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = type(storage.originals())
    real = kind._save  # type: ignore[attr-defined]

    def loses(self: Storage, name: str, content: Any) -> str:
        return str(real(self, name, ContentFile(content.read()[:-1])))

    with monkeypatch.context() as patch:
        patch.setattr(kind, "_save", loses)
        outcome = take_in(picture())
    assert outcome.outcome == "rejected" and "not stored as it was sent" in outcome.reason
    assert not Blob.objects.exists() and not list(backends.contents(storage.originals()))


class Flips(io.BufferedRandom):
    """A disk that keeps other bytes than it was given."""

    def write(self, piece: Any) -> int:
        return super().write(bytes(piece[:-1]) + bytes([piece[-1] ^ 1]))


@pytest.mark.parametrize("size", [1, storage.CHUNK, storage.CHUNK + 5])
def test_what_is_not_spooled_as_it_was_sent_is_refused(tmp_path: Path, size: int) -> None:
    """It is noticed before anything is stored: what only gets a second name is not read once more."""
    content = os.urandom(size)
    with (tmp_path / "good").open("w+b") as good:
        assert storage._spool(io.BytesIO(content), good)[1] == size
    assert (tmp_path / "good").read_bytes() == content
    bad = Flips(io.FileIO(tmp_path / "bad", "w+"))
    with bad, pytest.raises(storage.StorageDamaged, match="not written as it was sent"):
        storage._spool(io.BytesIO(content), bad)


def test_the_same_bytes_put_a_damaged_original_right() -> None:
    content = picture()
    take_in(content)
    blob = Blob.objects.get()
    storage.originals().delete(blob.storage_name)
    Blob.objects.update(fixity="missing")
    assert take_in(content).outcome == "duplicate"
    blob.refresh_from_db()
    assert blob.fixity == "ok" and StorageEvent.objects.get().kind == "recovery"
    assert storage.digest_of(storage.originals(), blob.storage_name) == blob.sha256


def wait_until_somebody_waits_for_a_lock() -> None:
    until = time.monotonic() + 10
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
            if cursor.fetchone() == (True,):
                return
            assert time.monotonic() < until, "nobody waits"
            time.sleep(0.01)


@pytest.mark.django_db(transaction=True)
def test_an_upload_of_bytes_that_are_just_being_deleted_is_stored_anew(
    vocabularies: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = picture()
    first = take_in(content).asset
    assert first is not None
    Asset.objects.update(trashed_at=timezone.now())
    deleting = Event()
    kind = type(storage.originals())
    real = kind.delete

    def slowly(self: Storage, name: str) -> None:
        deleting.set()
        wait_until_somebody_waits_for_a_lock()
        real(self, name)

    def upload() -> ingest.Outcome:
        deleting.wait(5)
        try:
            return take_in(content)
        finally:
            connection.close()

    monkeypatch.setattr(kind, "delete", slowly)
    with ThreadPoolExecutor(1) as threads:
        outcome = threads.submit(upload)
        assert purging.purge([first.pk], None) == 1
        assert outcome.result().outcome == "accepted"
    blob = Blob.objects.get()
    assert blob.state == "stored" and Asset.objects.get().pk != first.pk
    assert storage.digest_of(storage.originals(), blob.storage_name) == blob.sha256


def test_two_storages_are_read_as_one_while_one_is_left(tmp_path: Path) -> None:
    entries = {
        name: {"BACKEND": "assets.backends.FolderStorage", "OPTIONS": {"location": str(tmp_path / name)}}
        for name in ("new", "old")
    }
    both: Any = storages.create_storage(
        {"BACKEND": "assets.backends.BothStorage", "OPTIONS": {"new": entries["new"], "old": entries["old"]}}
    )
    both.old.save("a", ContentFile(b"old"))
    both.save("b", ContentFile(b"newer"))
    assert both.open("a").read() == b"old" and both.open("b").read() == b"newer"
    assert (both.size("a"), both.size("b")) == (3, 5) and both.exists("a") and not both.exists("c")
    assert Path(both.path("b")).read_bytes() == b"newer"
    with pytest.raises(NotImplementedError):  # it may be deleted under the reader's hands
        both.path("a")
    with pytest.raises(FileNotFoundError):
        both.open("c")
    both.new.save("a", ContentFile(b"old"))
    both.delete("a")
    assert not both.exists("a") and {found.name for found in backends.contents(both)} == {"b"}
    both.delete("a")  # twice is no error


class Claimed(io.BytesIO):
    """A stream that says of itself how long it is."""

    def __init__(self, content: bytes, size: int) -> None:
        super().__init__(content)
        self.size = size


@pytest.mark.parametrize("claimed", [0, 10, 5_000_000])
def test_what_is_said_of_a_size_need_not_be_so(claimed: int) -> None:
    content = os.urandom(1_200_000)
    with storage.spooled(Claimed(content, claimed)) as spool:
        assert spool.path.read_bytes() == content and spool.size == len(content)


def test_a_full_disk_and_a_file_too_large_are_told_before_anything_is_read(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    source = Claimed(b"picture", 5_000_000)
    with pytest.raises(storage.StorageFull), storage.spooled(source):
        pass
    settings.MAX_UPLOAD_BYTES = 4_000_000
    with pytest.raises(storage.TooLarge), storage.spooled(source):
        pass
    assert source.tell() == 0 and not list(settings.INCOMING_DIR.iterdir())


def test_a_disk_that_keeps_no_room_is_written_to_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", unknown)
    with storage.spooled(Claimed(b"picture", 7)) as spool:
        assert spool.path.read_bytes() == b"picture"


def test_a_spooled_file_is_gone_afterwards(tmp_path: Path) -> None:
    with storage.spooled(io.BytesIO(b"words")) as spool:
        assert spool.path.read_bytes() == b"words" and spool.size == 5
    assert not list((tmp_path / "incoming").iterdir())
    assert errno.ENOSPC in backends.NO_ROOM


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"STORAGE": "s3", "S3_BUCKET": ""}, "assets.E004"),
        ({"STORAGE_BEFORE": "s3", "S3_BUCKET": ""}, "assets.E004"),
        ({"STORAGE": "tape"}, "assets.E003"),
        ({"FIXITY_HOURS": [3, 24]}, "assets.E005"),
        ({"STORAGE_BEFORE": "local"}, ""),
    ],
)
def test_settings_that_cannot_be_are_said_at_the_start(
    values: dict[str, Any], said: str, settings: Any
) -> None:
    for name, value in values.items():
        setattr(settings, name, value)
    assert [message.id for message in checks.storages()] == ([said] if said else [])


def test_what_lies_on_the_same_disk_is_not_copied(tmp_path: Path) -> None:
    """It gets a second name; elsewhere, or where there are none, its bytes are written."""
    folder, sent = backends.FolderStorage(location=str(tmp_path / "originals")), tmp_path / "sent"
    sent.write_bytes(b"picture")
    with backends.OnDisk(sent) as file:
        name = folder.save("ab/cd", file)
    assert (tmp_path / "originals" / name).samefile(sent)
    with backends.OnDisk(sent) as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "hardlink_to", raises(OSError(errno.EXDEV, "Cross-device link")))
        name = folder.save("ab/ef", file)
    stored = tmp_path / "originals" / name
    assert stored.read_bytes() == b"picture" and not stored.samefile(sent)
    assert not [*(tmp_path / "originals" / ".parts").iterdir()]


def raises(error: Exception) -> Callable[..., None]:
    def fail(*args: Any) -> None:
        raise error

    return fail
