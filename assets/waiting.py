"""Waiting for pictures to be searchable or failed, by looking at the database."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable

from django.db import InterfaceError, OperationalError, connection

from assets.models import Asset, StageRun
from assets.progress import progress_from
from assets.queues import OPEN, has_room
from assets.stages import pipeline

NOT_NEEDED = ("detail", "version__embedded_metadata", "version__sidecar")  # may be long
POLL_SECONDS, SELDOM_SECONDS, STALL_SECONDS = 0.1, 5.0, 60
REST = 40  # times as long as a look took nobody looks again: it must not keep the database from the work
NEARER = 8  # a look comes when this part of the time that seems to be left has passed


def settled(asset_ids: Collection[int]) -> tuple[set[int], list[StageRun]]:
    """Which of these assets are no longer being processed, and the essential runs of theirs that failed."""
    runs: dict[int, list[StageRun]] = defaultdict(list)
    ended = {*asset_ids} - _on_their_way(asset_ids)
    if not ended:
        return set(), []
    current = StageRun.objects.filter(version__asset__in=ended, version__current_of__isnull=False)
    for run in current.select_related("version").defer(*NOT_NEEDED):
        runs[run.version.asset_id].append(run)
    done = {pk: found for pk, found in runs.items() if progress_from(found).state != "processing"}
    taken_back = Asset.objects.awaited().filter(pk__in=ended).values_list("pk", flat=True)
    essential = {name for name, stage in pipeline().items() if stage.essential}
    failed = [
        run for found in done.values() for run in found if run.state == "failed" and run.stage in essential
    ]
    return {*done, *taken_back}, failed


def _on_their_way(asset_ids: Collection[int]) -> set[int]:
    """Those of which a step is open and none has failed: one question, however many there are."""
    loud = [name for name, stage in pipeline().items() if not stage.quiet]
    current = StageRun.objects.filter(version__current_of__in=asset_ids)
    failed = current.filter(state=StageRun.State.FAILED)
    going_on = current.filter(state__in=OPEN, stage__in=loud).exclude(version__in=failed.values("version"))
    return set(going_on.values_list("version__current_of", flat=True))


def hold_on(patience: float = 60) -> bool:
    """Wait while earlier pictures fill their queue; False where none of them got on for `patience` seconds.

    To be asked before each file of an import. Nobody may be working on the queue at all.
    """
    until = time.monotonic() + patience
    while not has_room():
        if time.monotonic() > until:
            return False
        time.sleep(1)
    return True


def wait_until_settled(
    asset_ids: Iterable[int], show: Callable[[int], None], stalled: Callable[[], None]
) -> list[StageRun]:
    """Poll until all are settled; calls `show` with the number, and `stalled` when nothing moves.

    A database that is away for a while is waited for.
    """
    pending = set(asset_ids)
    total, moved = len(pending), time.monotonic()
    first: tuple[float, int] | None = None
    failed: list[StageRun] = []
    while True:
        began = time.monotonic()
        try:
            done, broken = settled(pending)
        except (OperationalError, InterfaceError):  # it is being restarted
            connection.close()
            done, broken = set(), []
        pending -= done
        failed += broken
        show(total - len(pending))
        if not pending:
            return failed
        if done:
            moved = time.monotonic()
        elif time.monotonic() - moved > STALL_SECONDS:
            stalled()
            moved = time.monotonic()
        first = first or (began, len(pending))
        now = time.monotonic()
        left = (now - first[0]) * len(pending) / max(first[1] - len(pending), 1)
        time.sleep(min(max(POLL_SECONDS, REST * (now - began), left / NEARER), SELDOM_SECONDS))
