"""Taking work back whose worker or message is gone: by its lease, a bounded number at a time."""

import logging
from typing import Any

from django.conf import settings
from django.db.models import F, QuerySet
from django.utils import timezone

from assets.models import StageRun
from assets.queues import AWAY, QUEUES, lying, runs_of

log = logging.getLogger(__name__)
State = StageRun.State
MAX_LOST_WORKERS = 3
FREE: dict[str, Any] = {"lease_until": None, "token": None}
LOST = (
    f"{MAX_LOST_WORKERS} workers stopped while working on this file, so it is left alone. It may be damaged, "
    "or need more memory than the server has; an administrator finds more in the worker's log."
)


def release_expired() -> int:
    """Sent runs that got lost, and running ones whose worker is gone, wait again. Returns how many."""
    leased = StageRun.every.filter(state__in=[State.QUEUED, State.RUNNING])  # as the index has it
    expired = leased.filter(lease_until__lt=timezone.now())
    return _release_sent(expired.filter(state=State.QUEUED)) + count_lost_worker(
        expired.filter(state=State.RUNNING)
    )


def _release_sent(expired: "QuerySet[StageRun]") -> int:
    """As many as the broker has lost, oldest first: behind slow files a message may outlive its lease, and
    sending it again and again would fill the broker."""
    if not expired.exists():
        return 0
    try:
        left = lying(QUEUES)
    except AWAY as error:
        log.warning("The broker cannot be asked what it has: %s", error)
        return 0
    released = 0
    for queue in QUEUES:
        sent = StageRun.every.filter(runs_of(queue), state=State.QUEUED).count()
        if lost := max(sent - left[queue], 0):
            oldest = (
                expired.filter(runs_of(queue)).order_by("lease_until").values_list("pk", flat=True)[:lost]
            )
            again = StageRun.every.filter(pk__in=list(oldest), state=State.QUEUED)
            released += again.update(state=State.WAITING, lease_until=None)
    return released


def count_lost_worker(runs: "QuerySet[StageRun]") -> int:
    """Running runs whose worker is gone wait again; those that lost too many fail. Returns how many."""
    lost = {**FREE, "lost_workers": F("lost_workers") + 1, "changed_at": timezone.now()}
    doomed = runs.filter(lost_workers__gte=MAX_LOST_WORKERS - 1)
    failed = doomed.update(**lost, state=State.FAILED, reason=LOST)
    return failed + runs.update(**lost, state=State.WAITING)


def timed_out(run_id: int, message_id: str) -> None:
    """The worker process of this message was killed because its stage did not stop in time: it fails."""
    said = f"It took longer than {settings.STAGE_SECONDS} seconds and did not stop when it was asked to."
    running = StageRun.every.filter(pk=run_id, message_id=message_id, state=State.RUNNING)
    running.update(**FREE, state=State.FAILED, reason=said, changed_at=timezone.now())
