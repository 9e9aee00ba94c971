"""Taking work back whose worker or message is gone: by its lease, a bounded number at a time.

Nothing here waits for a lock: a process that hangs in the middle of a transaction keeps the lock of its run
until it is killed, and whoever waited for it could not kill it, nor take back the work of others.
"""

import logging
from typing import Any

from django.conf import settings
from django.db import transaction
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
            oldest = expired.filter(runs_of(queue)).order_by("lease_until")[:lost]
            released += _update(oldest, state=State.WAITING, lease_until=None)
    return released


def count_lost_worker(runs: "QuerySet[StageRun]") -> int:
    """Running runs whose worker is gone wait again; those that lost too many fail. Returns how many."""
    lost = {**FREE, "lost_workers": F("lost_workers") + 1}
    doomed = runs.filter(lost_workers__gte=MAX_LOST_WORKERS - 1)
    again = runs.filter(lost_workers__lt=MAX_LOST_WORKERS - 1)
    failed = _update(doomed, **lost, state=State.FAILED, reason=LOST)
    return failed + _update(again, **lost, state=State.WAITING)


def timed_out(run_id: int, message_id: str) -> None:
    """The worker process of this message was killed because its stage did not stop in time: it fails."""
    said = f"It took longer than {settings.STAGE_SECONDS} seconds and did not stop when it was asked to."
    _update(claimed_by(run_id, message_id), **FREE, state=State.FAILED, reason=said)


def claimed_by(run_id: int, message_id: str) -> "QuerySet[StageRun]":
    """What is running by this message for this run: itself, or what came after it of the same picture."""
    same = StageRun.every.filter(pk=run_id).values("version")
    return StageRun.every.filter(version__in=same, message_id=message_id, state=State.RUNNING)


def _update(runs: "QuerySet[StageRun]", **values: Any) -> int:
    """Those of these runs that nobody has locked; returns how many."""
    with transaction.atomic():
        found = list(runs.select_for_update(skip_locked=True).values_list("pk", flat=True))
        return StageRun.every.filter(pk__in=found).update(**values, changed_at=timezone.now())
