"""Whether the originals are still what they were: read again, compared, noted, and put back from a copy.

An original that cannot be read well is looked at twice, the second time under its lock, so that one which is
being replaced or deleted at this moment is no alarm. Nothing is noted while the storage as a whole is away.
"""

import hashlib
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.core.files import File
from django.db import transaction
from django.db.models import Count, F, Min, Q, QuerySet, Sum
from django.utils import timezone

from assets import again, storage
from assets.backends import contents, trouble
from assets.models import AssetVersion, Blob, Rendition, StageRun, StorageEvent
from assets.renditions import SIZES

AT_ONCE = 200
RENDITIONS = "make_renditions"
PORTION_SECONDS, PORTIONS_AN_HOUR = 60.0, 6  # as CELERY_BEAT_SCHEDULE has it
LEAST_BYTES = 64 * 1024**2  # in a portion: small libraries need not wait
AGAIN_AFTER = timedelta(days=1)  # what is bad is looked at once a day
LONGEST_PAUSE = 2.0
AWAY, AWAY_SECONDS = "fixity:away", 3600  # in the cache
ASKED, ASKED_SECONDS = "fixity:asked", 30 * 86_400  # in the cache: when somebody asked for all to be read
AT_WORK = "fixity:at-work"  # in the cache: a portion that somebody asked for is being read
Fixity = Blob.Fixity
log = logging.getLogger(__name__)


class StorageAway(OSError):
    """The storage as a whole cannot be asked; the message is for people."""


class Finding(NamedTuple):
    """What a reading has shown."""

    state: Blob.Fixity
    detail: str = ""


@dataclass
class Summary:
    """All originals in numbers."""

    stored: int
    bytes: int
    unchecked: int
    oldest: datetime | None
    missing: int
    changed: int
    unreadable: int

    @property
    def bad(self) -> int:
        return self.missing + self.changed + self.unreadable

    @property
    def is_late(self) -> bool:
        """Whether the schedule cannot keep its promise."""
        limit = timezone.now() - timedelta(days=2 * settings.FIXITY_DAYS)
        return bool(settings.FIXITY_DAYS and self.oldest and self.oldest < limit)


# --- reading --------------------------------------------------------------------------------------


def stored() -> "QuerySet[Blob]":
    """All that should be there, the longest unread first (never read: before all)."""
    return Blob.objects.filter(state=Blob.State.STORED).order_by(F("checked_at").asc(nulls_first=True), "pk")


def not_since(moment: datetime) -> "QuerySet[Blob]":
    """Those that nobody has read since then."""
    return stored().filter(Q(checked_at=None) | Q(checked_at__lt=moment))


def bad() -> "QuerySet[Blob]":
    return Blob.objects.filter(fixity__in=Blob.BAD).order_by("pk")


def check_all(blobs: "QuerySet[Blob]", limit: int | None = None) -> Iterator[tuple[Blob, Finding]]:
    """Read these one after the other, each noted at once: a stop loses nothing. Raises StorageAway.

    `blobs` must be such that those which were read are no longer among them, as `not_since`.
    """
    left = limit
    while found := list(blobs[: AT_ONCE if left is None else min(AT_ONCE, left)]):
        for blob in found:
            yield blob, check(blob)
        left = None if left is None else left - len(found)


def check(blob: Blob) -> Finding:
    """Read one original and note what is found. Raises StorageAway."""
    finding = look(blob)
    if finding.state == Fixity.OK:
        note(blob, finding)
        return finding
    if said := trouble(storage.originals()):
        raise StorageAway(said)
    with storage.locked(blob.sha256):
        there = Blob.objects.filter(pk=blob.pk, state=Blob.State.STORED).first()
        if there is None:
            return Finding(Fixity.OK, "It was deleted meanwhile.")
        finding = look(there)
        note(there, finding)
    return finding


def look(blob: Blob) -> Finding:
    """Read the bytes and compare, without noting anything."""
    digest, size = hashlib.sha256(), 0
    try:
        with storage.originals().open(blob.storage_name) as file:
            for chunk in file.chunks(storage.CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except FileNotFoundError:
        return Finding(Fixity.MISSING, "There is no file under its name.")
    except Exception as error:  # noqa: BLE001 (whatever a storage raises: it is noted and shown)
        return Finding(Fixity.UNREADABLE, f"{type(error).__name__}: {error}")
    if digest.hexdigest() == blob.sha256:
        return Finding(Fixity.OK)
    return Finding(
        Fixity.CHANGED,
        f"It has {size:,} of {blob.size:,} bytes, and its SHA-256 begins with {digest.hexdigest()[:12]}.",
    )


def note(blob: Blob, finding: Finding) -> None:
    """Keep what was found; what is new about it becomes an event."""
    news = finding.state != blob.fixity and (finding.state != Fixity.OK or blob.fixity != Fixity.UNCHECKED)
    with transaction.atomic():
        Blob.objects.filter(pk=blob.pk).update(
            fixity=finding.state, fixity_detail=finding.detail, checked_at=timezone.now()
        )
        if news:
            storage.event(StorageEvent.Kind.FIXITY, blob.sha256, finding.state, finding.detail)


def summary() -> Summary:
    counted = {name: Count("pk", filter=Q(fixity=name)) for name in ("unchecked", *Blob.BAD)}
    found = Blob.objects.filter(state=Blob.State.STORED).aggregate(
        stored=Count("pk"), bytes=Sum("size"), oldest=Min("checked_at"), **counted
    )
    return Summary(**found | {"bytes": int(found["bytes"] or 0)})


# --- by the clock ---------------------------------------------------------------------------------


def work(sleep: Callable[[float], None] = time.sleep) -> int:
    """One portion of the schedule; returns how many were read. `away` says afterwards whether it could.

    At the hours of FIXITY_HOURS those that were not read for half of FIXITY_DAYS, twice as fast as would be
    needed; at any hour those that are overdue, so that a machine which is off at night gets its turn too.
    """
    return _portion(_due(), _portion_bytes(), sleep)


def _portion(blobs: Iterable[Blob], budget: float, sleep: Callable[[float], None]) -> int:
    """Read these for PORTION_SECONDS, as many bytes as `budget` has, and no more than half of the time."""
    count, until, said = 0, time.monotonic() + PORTION_SECONDS, ""
    try:
        for blob in blobs:
            if budget <= 0 or time.monotonic() > until:
                break
            began = time.monotonic()
            check(blob)
            count, budget = count + 1, budget - blob.size
            sleep(min(time.monotonic() - began, LONGEST_PAUSE))
    except StorageAway as error:
        log.error("The originals cannot be read again: %s", error)
        said = str(error)
    cache.set(AWAY, said, AWAY_SECONDS)
    return count


def away() -> str:
    """Why the last portion came to no end, for people; empty where it did."""
    return str(cache.get(AWAY) or "")


# --- because somebody asked -----------------------------------------------------------------------


def ask_for_all() -> None:
    """From now on, in the background and beside the schedule, every original is read once."""
    cache.set(ASKED, timezone.now(), ASKED_SECONDS)


def asked() -> datetime | None:
    """When somebody asked for all to be read, as long as that is remembered."""
    found: datetime | None = cache.get(ASKED)
    return found


def left() -> int:
    """How many of those that somebody asked for were not read yet."""
    moment = asked()
    return not_since(moment).count() if moment else 0


def work_on(sleep: Callable[[float], None] = time.sleep) -> bool:
    """One portion of what somebody asked for; returns whether to go on at once. One at a time does so."""
    moment = asked()
    if moment is None or not cache.add(AT_WORK, 1, int(PORTION_SECONDS) * 2):
        return False
    try:
        count = _portion(islice(not_since(moment), AT_ONCE), float("inf"), sleep)
    finally:
        cache.delete(AT_WORK)
    return count > 0 and left() > 0


def _due() -> Iterator[Blob]:
    """What the schedule reads now, at most AT_ONCE of each kind: first what is bad, then the oldest."""
    if not settings.FIXITY_DAYS:
        return
    now, days = timezone.now(), timedelta(days=settings.FIXITY_DAYS)
    at_work = timezone.localtime(now).hour in settings.FIXITY_HOURS
    yield from bad().filter(checked_at__lt=now - AGAIN_AFTER)[:AT_ONCE]
    yield from not_since(now - (days / 2 if at_work else days))[:AT_ONCE]


def _portion_bytes() -> int:
    """So much that all is read in half of FIXITY_DAYS."""
    total = stored().aggregate(bytes=Sum("size"))["bytes"] or 0
    portions = max(settings.FIXITY_DAYS, 1) * PORTIONS_AN_HOUR * max(len(settings.FIXITY_HOURS), 1)
    return max(2 * int(total) // portions, LEAST_BYTES)


# --- putting right --------------------------------------------------------------------------------


def restore_from(folder: Path) -> Iterator[tuple[Blob, Path]]:
    """Put back every bad original of which this folder has a right copy, whatever that is called.

    Only files of the right size are read, and only the right bytes are taken.
    """
    wanted = {blob.sha256: blob for blob in bad()}
    sizes = {blob.size for blob in wanted.values()}
    for path in _files(folder):
        if not wanted:
            return
        if path.stat().st_size not in sizes:
            continue
        with path.open("rb") as file:
            blob = wanted.pop(hashlib.file_digest(file, "sha256").hexdigest(), None)
        if blob is not None and _put_back(blob, path):
            yield blob, path


def _put_back(blob: Blob, path: Path) -> bool:
    with storage.locked(blob.sha256):
        there = Blob.objects.filter(pk=blob.pk).first()
        if there is None:
            return False
        with path.open("rb") as source:
            storage.put(there, File(source))
    failed = StageRun.every.filter(version__blob=blob, state=StageRun.State.FAILED)
    again.retry_runs(failed, priority=5)
    return True


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        for name in sorted(names):
            path = Path(parent) / name
            if path.is_file():
                yield path


def renditions_missing() -> set[int]:
    """The versions of which the storage lacks a preview that the database lists. Raises StorageAway.

    Other renditions, such as pyramids, are made again when somebody asks for them.
    """
    if Rendition.objects.exists() and (said := trouble(storage.renditions())):
        raise StorageAway(said)
    there = {found.name for found in contents(storage.renditions())}
    previews = Rendition.objects.filter(name__in=SIZES)
    listed = previews.values_list("version", "storage_name").iterator(chunk_size=5000)
    return {version for version, name in listed if name not in there}


def remake(versions: Iterable[int], priority: int = 5) -> int:
    """Have the previews of these versions made again, where nobody is at it; returns how many."""
    left, count = iter(versions), 0
    done = StageRun.every.filter(stage=RENDITIONS, state=StageRun.State.DONE)
    while some := list(islice(left, 5000)):
        runs = done.filter(version__in=some)
        if runs.exists():  # else every look at a lost preview would stir the queue
            count += again.retry_runs(runs, priority=priority, force=True)
    return count


def concerned(blob: Blob) -> "QuerySet[AssetVersion]":
    """The versions whose bytes these are."""
    return AssetVersion.objects.filter(blob=blob).select_related("asset").order_by("pk")
