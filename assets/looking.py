"""Looking for duplicates in the background: what has just come in, and pictures from before this was done."""

import time
from collections.abc import Sequence

from assets import again, pipeline
from assets.duplicates import find_duplicates

WORK_SECONDS, AT_ONCE, PLANNED = 3.0, 50, 2000


def work() -> int:
    """Look at what waits, for some seconds at most; how many pictures it were."""
    done, until = 0, time.monotonic() + WORK_SECONDS
    while time.monotonic() < until and (now := pipeline.work_off(find_duplicates.name, 0, AT_ONCE)):
        done += now
    return done


def picture_changed(asset_ids: Sequence[int]) -> None:
    """These assets show another picture than before: what looks like the former one does not count for it."""
    again.outdated(find_duplicates.name, asset_ids)


def plan() -> int:
    """Note up to PLANNED pictures that nobody has looked at, for `work`; how many."""
    return again.plan(find_duplicates.name, 0, PLANNED)
