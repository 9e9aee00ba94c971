"""Making an upload, and adding to it what a request brings."""

import base64
import binascii
import hashlib
import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from accounts.models import User
from assets.models import Upload
from assets.uploads import _files, finishing
from assets.uploads._files import UploadError

ALGORITHMS: dict[str, Callable[[], Any]] = {"sha256": hashlib.sha256, "sha1": hashlib.sha1}
MOST_UNFINISHED = 2000  # of one person
MORE = "This is more than the whole file was said to have."
State = Upload.State


class TooLarge(UploadError):
    """More than is allowed, or more than was announced."""


class WrongOffset(UploadError):
    """The bytes do not follow on what is here."""


class WrongChecksum(UploadError):
    """What arrived is not what was sent; it was thrown away."""


class Checksum(NamedTuple):
    algorithm: str
    digest: bytes

    @classmethod
    def of(cls, header: str) -> "Checksum":
        """From `sha256 BASE64`. Raises ValueError."""
        name, _, value = header.partition(" ")
        if name not in ALGORITHMS:
            raise ValueError(f"Checksums can be: {', '.join(ALGORITHMS)}.")
        try:
            return cls(name, base64.b64decode(value, validate=True))
        except binascii.Error:
            raise ValueError("The checksum is not in Base64.") from None


def create(owner: User, length: int, filename: str, **values: Any) -> Upload:
    """A new upload of `length` bytes; `values` are further fields of it. Raises TooLarge or DiskFull."""
    if length > settings.MAX_UPLOAD_BYTES:
        raise TooLarge(f"The file is larger than {settings.MAX_UPLOAD_BYTES // 1024**2} MB.")
    mine = Upload.objects.filter(owner=owner).exclude(state=State.FINISHED)
    unfinished = mine.aggregate(bytes=Sum("length", default=0))["bytes"]
    if unfinished + length > settings.UPLOAD_UNFINISHED_BYTES or mine.count() >= MOST_UNFINISHED:
        raise TooLarge("You have too many unfinished uploads. Finish some of them or remove them first.")
    uid = uuid.uuid4()
    _files.make(uid, length)
    values |= {"owner": owner, "length": length, "filename": filename, "expires_at": _expiry()}
    upload = Upload.objects.create(uid=uid, **values)
    if length == 0:
        finishing.complete(upload)
    return upload


def offset_of(upload: Upload) -> int:
    """How many bytes have arrived. Raises FileNotFoundError when they are gone."""
    return upload.length if upload.state != State.OPEN else _files.size_of(upload.uid)


def receive(
    upload: Upload,
    chunks: Iterable[bytes],
    offset: int,
    checksum: Checksum | None = None,
    announced: int = 0,
) -> int:
    """Append; returns the new offset. What arrived before `chunks` ended too early is kept.

    `announced` is how many bytes should come, where that is known: too many are not even read.

    Raises WrongOffset, WrongChecksum, TooLarge, DiskFull, Locked, FileNotFoundError.
    """
    with _files.held(upload.uid) as descriptor:
        upload.refresh_from_db()
        if offset != (here := offset_of(upload)):
            raise WrongOffset(f"{here} bytes are here, so that these cannot follow.")
        if announced > upload.length - offset:
            raise TooLarge(MORE)
        try:
            if checksum:
                _files.doubt(upload.uid, offset)
            reached = offset + _append(descriptor, chunks, upload.length - offset, checksum)
        except (TooLarge, WrongChecksum):
            _files.take_back(upload.uid, descriptor, offset)
            raise
        _files.trust(upload.uid)
        upload.expires_at = _expiry()
        upload.save(update_fields=["expires_at"])
    if reached == upload.length:
        finishing.complete(upload)
    return reached


def _append(descriptor: int, chunks: Iterable[bytes], left: int, checksum: Checksum | None) -> int:
    """Returns how many bytes were written."""
    digest = ALGORITHMS[checksum.algorithm]() if checksum else None
    written = 0
    for chunk in chunks:
        written += len(chunk)
        if written > left:
            raise TooLarge(MORE)
        _files.write(descriptor, chunk)
        if digest:
            digest.update(chunk)
    if checksum and digest and digest.digest() != checksum.digest:
        raise WrongChecksum("Something was changed on the way; it must be sent again.")
    return written


def _expiry() -> datetime:
    return timezone.now() + timedelta(hours=settings.UPLOAD_EXPIRY_HOURS)
