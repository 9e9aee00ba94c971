"""Waiting for pictures to be searchable or failed, by looking at the database."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence

from assets.models import StageRun
from assets.pipeline import progress_from
from assets.stages import pipeline

POLL_SECONDS, STALL_SECONDS = 0.5, 60


def settled(asset_ids: Sequence[int]) -> tuple[int, list[StageRun]]:
    """How many of these assets are no longer being processed, and the essential runs that failed."""
    runs: dict[int, list[StageRun]] = defaultdict(list)
    current = StageRun.objects.filter(version__asset__in=asset_ids, version__current_of__isnull=False)
    for run in current.select_related("version").defer("detail", "version__embedded_metadata"):
        runs[run.version_id].append(run)
    done = [found for found in runs.values() if progress_from(found).state != "processing"]
    failed = [
        run for found in done for run in found if run.state == "failed" and pipeline()[run.stage].essential
    ]
    return len(done), failed


def wait_until_settled(
    asset_ids: Sequence[int], show: Callable[[int], None], stalled: Callable[[], None]
) -> list[StageRun]:
    """Poll until all are settled; calls `show` with the number, and `stalled` when nothing moves."""
    moved, last = time.monotonic(), -1
    while True:
        count, failed = settled(asset_ids)
        show(count)
        if count >= len(asset_ids):
            return failed
        if count != last:
            moved, last = time.monotonic(), count
        elif time.monotonic() - moved > STALL_SECONDS:
            stalled()
            moved = time.monotonic()
        time.sleep(POLL_SECONDS)
