"""Folders that are watched: what comes into them is taken in by itself (docs/decisions/0019).

Nothing in them is moved, changed or removed. What was taken in is known by its origin, so that a restart, a
second worker or a lost tick adds nothing twice; a file that is no picture is said once, in the batch, and
looked at again when it changes. A picture that somebody has moved to the trash does not come back.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from assets.changes import NotAllowed, collections
from assets.ingest import UNSORTED, Outcome
from assets.models import Batch, WatchedFolder
from assets.origins import Order, take, unknown
from assets.queues import has_room
from assets.sources import Folder, Item, Refused, SourceError
from assets.words import split_labels

AT_ONCE = 200  # files in one look
SECONDS = 30.0  # after which no further file is begun in one look
IN_A_ROW = 3  # files that fail for a reason that may pass, after which a look ends: the disk may be full
BETWEEN = 5.0  # seconds between the looks of the command
PAUSES = (60, 3600)  # seconds after trouble: at first, and at most
LOCK = 0x77617463686564  # "watched"


@dataclass(frozen=True)
class Watch:
    """A folder and what is said of its files."""

    folder: str
    collection: str = ""
    tags: tuple[str, ...] = ()
    user: User | None = None
    settle: float = 30
    """Seconds for which a file must not have changed."""
    replace: bool = False


def look(watch: Watch, told: Callable[[Outcome], None] = lambda outcome: None) -> int:
    """Take in what is new, for at most SECONDS and AT_ONCE files; returns how many. Raises SourceError.

    Ends with a SourceError, too, where a file could not be taken in for a reason that may pass; the files
    after it still have their turn, until IN_A_ROW fail one after the other. Looks at nothing while another
    process does.
    """
    with _alone() as mine:
        if not mine:
            return 0
        source = Folder(Path(watch.folder))
        new = unknown(source.identity, list(source.items()))
        settled = (item for item in new if _has_settled(item, watch.settle))
        until, done, order, trouble, failed = time.monotonic() + SECONDS, 0, None, "", 0
        for item in islice(settled, AT_ONCE):
            if not has_room():
                break
            order = order or _order(watch)
            outcome = take(source.identity, item, order)
            told(outcome)
            failed = failed + 1 if outcome.passing else 0
            if outcome.passing:
                trouble = trouble or f"{outcome.file}: {outcome.reason}"
            else:
                done += 1
            if failed == IN_A_ROW or time.monotonic() > until:
                break
        if trouble:
            raise SourceError(trouble)
        return done


def look_at_all() -> int:
    """One look at every folder that is not paused. One that is in trouble says so, and waits ever longer."""
    now, done = timezone.now(), 0
    for row in WatchedFolder.objects.filter(Q(pause_until=None) | Q(pause_until__lte=now), is_active=True):
        tags = tuple(split_labels(row.tags))
        try:
            _check(row)
            done += look(Watch(row.folder, row.collection, tags, row.user, row.settle_seconds))
            trouble, pause = "", None
        except SourceError as error:
            trouble, pause = str(error)[:500], timezone.now() + _longer(row)
        WatchedFolder.objects.filter(pk=row.pk).update(
            looked_at=timezone.now(), trouble=trouble, pause_until=pause
        )
    return done


def _check(row: WatchedFolder) -> None:
    """Whether the person in whose name pictures come in may still put them there: else each file would be
    refused, and not looked at again. Raises SourceError."""
    try:
        collections.check_path(row.user, row.collection or UNSORTED)
    except NotAllowed as refused:
        raise SourceError(f"{row.user}: {refused}") from refused


def watch(folder: Watch, told: Callable[[Outcome], None]) -> None:
    """Look again and again, until it is interrupted. Raises SourceError where the folder is not there."""
    Folder(Path(folder.folder))
    while True:
        try:
            done = look(folder, told)
        except SourceError:
            done = 0  # it was told; the next look tries again
        if not done:
            time.sleep(BETWEEN)


def _order(watch: Watch) -> Order:
    batch = Batch.objects.create(source=f"Watched: {watch.folder}"[:500], user=watch.user)
    return Order(batch, watch.user, watch.collection, watch.tags, replace=watch.replace)


def _has_settled(item: Item | Refused, seconds: float) -> bool:
    """Whether nobody wrote for so long. Copying may set the time of writing back, not that of change."""
    if not isinstance(item, Item) or item.place is None:
        return True
    for place in (item.place, item.sidecar and item.sidecar.place):
        try:
            state = place.stat() if place else None
        except OSError:
            return False
        if state and time.time() - max(state.st_mtime, state.st_ctime) < seconds:
            return False
    return True


def _longer(row: WatchedFolder) -> timedelta:
    """Twice as long as the last pause."""
    last = (row.pause_until - row.looked_at).total_seconds() if row.pause_until and row.looked_at else 0
    return timedelta(seconds=min(max(2 * last, PAUSES[0]), PAUSES[1]))


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether no other process looks at present (a PostgreSQL advisory lock)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        (mine,) = cursor.fetchone()
        try:
            yield mine
        finally:
            if mine:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
