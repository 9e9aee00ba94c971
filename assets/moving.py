"""Moving all files from one storage to another while the library runs (settings.STORAGE, STORAGE_BEFORE).

Both storages are read meanwhile, so there is no list of what is where: a file is where it is found. That is
why a stop loses nothing, a repetition does nothing twice, and the way back is the same.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice

from django.conf import settings
from django.core.files.storage import Storage
from django.db.models import Sum

from assets import orphans, storage
from assets.backends import BothStorage, Stored, contents
from assets.models import Blob, Rendition

KINDS = ("originals", "renditions")
AT_ONCE = 500
HOW = (
    "The library does not move to {to}. Set STORAGE={to} and STORAGE_BEFORE={other}{bucket}, restart the "
    "library, and repeat the command with the same settings."
)


class MoveRefused(ValueError):
    """It cannot be done; the message is for people."""


@dataclass(frozen=True)
class Moved:
    """What became of a file: moved, there already, removed from the old storage, refused, unknown."""

    kind: str
    name: str
    size: int
    outcome: str
    reason: str = ""


def both(kind: str, to: str) -> BothStorage:
    """The two storages of one kind of file. Raises MoveRefused where the settings say nothing of a move."""
    found: Storage = storage.originals() if kind == "originals" else storage.renditions()
    if to != settings.STORAGE or not isinstance(found, BothStorage):
        bucket = ", with S3_BUCKET and the other settings of the bucket" if not settings.S3_BUCKET else ""
        raise MoveRefused(HOW.format(to=to, other="s3" if to == "local" else "local", bucket=bucket))
    return found


def total() -> tuple[int, int]:
    """How many files the library has, and how many bytes."""
    blobs = Blob.objects.filter(state=Blob.State.STORED)
    sizes = [found.aggregate(bytes=Sum("size"))["bytes"] or 0 for found in (blobs, Rendition.objects.all())]
    return blobs.count() + Rendition.objects.count(), sum(sizes)


def move(to: str, *, delete_source: bool = False, dry_run: bool = False) -> Iterator[Moved]:
    """One file after the other, originals first. Raises MoveRefused.

    Every copy is read back and compared. With `delete_source` an original is deleted from the old storage
    when the new one's was read and is right, a preview when the new one has it; else nothing is deleted.
    """
    places = {kind: both(kind, to) for kind in KINDS}
    for kind, place in places.items():
        there = {found.name: found.size for found in contents(place.new)}
        left = contents(place.old)
        while some := list(islice(left, AT_ONCE)):
            known = orphans.known(kind, [found.name for found in some])
            for found in some:
                is_there = there.get(found.name) == found.size
                if found.name not in known:
                    yield Moved(kind, found.name, found.size, "unknown", "It belongs to no picture.")
                elif dry_run or (is_there and not delete_source):
                    yield Moved(kind, found.name, found.size, "there" if is_there else "moved")
                else:
                    yield _one(place, kind, found, delete_source)


def _one(place: BothStorage, kind: str, found: Stored, delete_source: bool) -> Moved:
    """Under the lock of its bytes: an upload or a deletion of the same bytes waits."""
    sha256 = found.name[-64:] if kind == "originals" else ""
    with storage.locked(sha256) if sha256 else nullcontext():
        if not orphans.known(kind, [found.name]):
            return Moved(kind, found.name, found.size, "unknown", "It was deleted meanwhile.")
        try:
            copied = _copy(place, found.name, sha256)
            if delete_source:
                place.old.delete(found.name)
        except (storage.StorageFull, storage.StorageDamaged, FileNotFoundError) as error:
            return Moved(kind, found.name, found.size, "refused", str(error))
    done = "moved" if copied else "removed" if delete_source else "there"
    return Moved(kind, found.name, found.size, done)


def _copy(place: BothStorage, name: str, sha256: str) -> bool:
    """Make sure that the new storage has the right bytes; returns whether they had to be copied.

    Raises StorageDamaged where those of the old one are wrong, or what was written cannot be read back.
    """
    if place.new.exists(name) and (not sha256 or storage.digest_of(place.new, name) == sha256):
        return False  # a preview that is there was made there, or read back when it was copied
    with place.old.open(name) as source:
        right = storage.digest_of_file(source)
        if sha256 and right != sha256:
            raise storage.StorageDamaged("It is not what was once stored. See manage.py fixity.")
        source.seek(0)
        place.new.save(name, source)
    if storage.digest_of(place.new, name) != right:
        place.new.delete(name)
        raise storage.StorageDamaged("It was not stored as it was sent.")
    return True
