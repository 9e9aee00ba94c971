"""What follows on the last byte: a picture is taken in, a file waits until something claims it."""

import hashlib
import logging
import shutil
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from celery import current_app
from django.db.models import F
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from accounts.models import User
from assets import ingest, sidecars, storage
from assets.models import Batch, Upload
from assets.uploads import _files
from assets.uploads._files import Locked, UploadError

FINISH_TASK = "assets.finish_upload"
FINISH_SECONDS = 3600  # a large file goes to its storage at the speed of a network
AT_ONCE_BYTES = 32 * 1024**2  # larger files are read and stored by a worker, not while the sender waits
MAX_ATTEMPTS = 3  # of a file that takes its worker along
State, Purpose = Upload.State, Upload.Purpose
log = logging.getLogger(__name__)


class NotThere(UploadError):
    """No finished file of this person has this address."""


def complete(upload: Upload) -> None:
    """The last byte is here: what follows begins."""
    if Upload.objects.filter(pk=upload.pk, state=State.OPEN).update(state=State.RECEIVED):
        begin(upload)
    upload.refresh_from_db()


def begin(upload: Upload) -> None:
    """Take in a picture that is complete: now, or by a worker when it is large."""
    if upload.purpose != Purpose.PICTURE:
        return
    if upload.length <= AT_ONCE_BYTES:
        finish(upload.pk)
        return
    try:
        current_app.send_task(FINISH_TASK, kwargs={"upload_id": upload.pk}, expires=60)
    except (OperationalError, RedisError, OSError) as error:
        log.warning("The broker cannot be reached, %s waits: %s", upload.uid, error)


def finish(upload_id: int) -> None:
    """Make an asset of a complete upload. Twice at the same time, or once more later, it does nothing."""
    with suppress(Upload.DoesNotExist, FileNotFoundError, Locked):
        uid = Upload.objects.get(pk=upload_id).uid
        with _files.held(uid):
            upload = Upload.objects.select_related("owner", "sidecar").get(pk=upload_id)
            if upload.state == State.RECEIVED and upload.purpose == Purpose.PICTURE:
                _take_in(upload)


def _take_in(upload: Upload) -> None:
    Upload.objects.filter(pk=upload.pk).update(attempts=F("attempts") + 1)
    made = {"user": upload.owner, "source": upload.source}
    batch, _ = Batch.objects.get_or_create(uid=upload.batch_uid, defaults=made)
    path = _files.path_of(upload.uid)
    if upload.attempts >= MAX_ATTEMPTS:
        said = f"It could not be taken in, in {upload.attempts} attempts. Look at the file, and try again."
        outcome = ingest.reject(batch, upload.filename, said)
    else:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        whole = storage.Whole(path, digest, upload.length)
        words = {name: str(value) for name, value in upload.words.items()}
        place = words.pop("collection", "")
        outcome = ingest.accept(
            whole,
            upload.filename,
            batch=batch,
            user=upload.owner,
            collection=place,
            words=words,
            sidecar=_sidecar(upload),
        )
    if outcome.passing and outcome.item and timezone.now() < upload.expires_at:
        outcome.item.delete()  # a storage that is full or away: `tend` tries it again, and nothing is lost
        Upload.objects.filter(pk=upload.pk).update(attempts=F("attempts") - 1)
        return
    Upload.objects.filter(pk=upload.pk).update(state=State.FINISHED, item=outcome.item)
    _files.remove(upload.uid)
    if upload.sidecar:
        _files.remove(upload.sidecar.uid)
        upload.sidecar.delete()


def _sidecar(upload: Upload) -> bytes:
    """The XMP that was sent before the picture; empty without one."""
    if upload.sidecar is None or upload.sidecar.state != State.RECEIVED:
        return b""
    with suppress(FileNotFoundError), _files.path_of(upload.sidecar.uid).open("rb") as file:
        return file.read(sidecars.MAX_BYTES + 1)
    return b""


def claim(uid: UUID, user: User, folder: Path) -> Path:
    """Take over a file that was sent with the purpose `file`, such as a table: it moves into `folder`.

    Returns its path there, under its own name, made harmless. From now on it is the caller's; the upload is
    forgotten. Raises NotThere unless it is complete and of this person.
    """
    whole = {"state": State.RECEIVED, "purpose": Purpose.FILE, "expires_at__gt": timezone.now()}
    upload = Upload.objects.filter(uid=uid, owner=user, **whole).first()
    if upload is None:
        raise NotThere("This file has not arrived completely, or was taken already.")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / ingest.clean_filename(upload.filename)
    try:
        with _files.held(uid):
            shutil.move(_files.path_of(uid), target)
    except FileNotFoundError:
        raise NotThere("This file was taken already.") from None
    upload.delete()
    return target


class TakenIn(UploadError):
    """It is too late to give it up."""


def give_up(upload: Upload) -> None:
    """What its owner no longer wants. Raises TakenIn, or Locked while bytes arrive or are taken in."""
    with suppress(FileNotFoundError), _files.held(upload.uid):
        upload.refresh_from_db()
        if upload.state != State.FINISHED:
            _files.remove(upload.uid)
    if upload.state == State.FINISHED:
        raise TakenIn("It has been taken in already.")
    upload.delete()


def _forget(upload: Upload) -> None:
    with suppress(FileNotFoundError), _files.held(upload.uid):
        _files.remove(upload.uid)
    upload.delete()


def tend() -> None:
    """What nobody came for: goes on with what is complete, removes what has expired or belongs to nobody."""
    for upload in Upload.objects.filter(state=State.OPEN):
        with suppress(FileNotFoundError):
            if _files.size_of(upload.uid) == upload.length:  # the server stopped just then
                complete(upload)
    for upload in Upload.objects.filter(state=State.RECEIVED, purpose=Purpose.PICTURE):
        begin(upload)
    for upload in Upload.objects.filter(expires_at__lt=timezone.now()):
        if (
            upload.state != State.RECEIVED
            or upload.purpose == Purpose.FILE
            or not _files.is_there(upload.uid)
        ):
            with suppress(Locked):
                _forget(upload)
    known = {uid.hex for uid in Upload.objects.values_list("uid", flat=True)}
    _files.sweep(known)
