"""Waiting for pictures to be searchable or failed, by looking at the database."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable

from django.db import InterfaceError, OperationalError, connection

from assets.models import Asset, StageRun
from assets.progress import progress_from
from assets.queues import has_room
from assets.stages import pipeline

NOT_NEEDED = ("detail", "version__embedded_metadata", "version__sidecar")  # may be long
POLL_SECONDS, STALL_SECONDS = 1.0, 60


def settled(asset_ids: Collection[int]) -> tuple[set[int], list[StageRun]]:
    """Which of these assets are no longer being processed, and the essential runs of theirs that failed."""
    runs: dict[int, list[StageRun]] = defaultdict(list)
    current = StageRun.objects.filter(version__asset__in=asset_ids, version__current_of__isnull=False)
    for run in current.select_related("version").defer(*NOT_NEEDED):
        runs[run.version.asset_id].append(run)
    done = {pk: found for pk, found in runs.items() if progress_from(found).state != "processing"}
    taken_back = Asset.objects.awaited().filter(pk__in=asset_ids).values_list("pk", flat=True)
    essential = {name for name, stage in pipeline().items() if stage.essential}
    failed = [
        run for found in done.values() for run in found if run.state == "failed" and run.stage in essential
    ]
    return {*done, *taken_back}, failed


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
    failed: list[StageRun] = []
    while True:
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
        time.sleep(POLL_SECONDS)
