"""The right to work on something for a while, for work in bounded steps: imports and bulk changes.

Whoever dies over it loses the right when the lease ends, and the next step goes on from the database. The
rows have `state`, `token`, `lease_until`, `heartbeat`, `attempts` and `problem`.
"""

import logging
import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Generic, TypeVar

from celery import current_app
from django.db.models import F, Manager, Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from assets.models import BulkJob, Import

log = logging.getLogger(__name__)
Work = TypeVar("Work", Import, BulkJob)
LEASE_SECONDS = 180


class Claim(Generic[Work]):
    """The right to work on one of them."""

    def __init__(self, work: Work, token: uuid.UUID, seconds: int) -> None:
        self.work: Work = work
        self.seconds = seconds
        model: Any = type(work)
        self.held: QuerySet[Any] = model._default_manager.filter(pk=work.pk, token=token)

    @classmethod
    def of(
        cls, among: "Manager[Work] | QuerySet[Work]", pk: int, seconds: int = LEASE_SECONDS
    ) -> "Claim[Work] | None":
        """Counted as an attempt beforehand; None where nothing is to be done, or somebody else does it."""
        now, token = timezone.now(), uuid.uuid4()
        until = now + timedelta(seconds=seconds)
        waiting = free(among.filter(pk=pk))
        if not waiting.update(token=token, lease_until=until, heartbeat=now, attempts=F("attempts") + 1):
            return None
        return cls(among.get(pk=pk), token, seconds)

    def renew(self) -> bool:
        """As `hold`, after something was finished."""
        return self.hold(attempts=0)

    def hold(self, **more: Any) -> bool:
        """Whether it is still ours, and still to be done; then for another while."""
        now = timezone.now()
        ours = self.held.filter(state=self.work.state)
        return bool(ours.update(lease_until=now + timedelta(seconds=self.seconds), heartbeat=now, **more))

    def finish(self, state: str) -> None:
        ours = self.held.filter(state=self.work.state)
        ours.update(state=state, finished_at=timezone.now())

    def pause(self, problem: str, state: str) -> None:
        self.held.filter(state=self.work.state).update(state=state, problem=problem)
        self.release()

    def release(self) -> None:
        self.held.update(token=None, lease_until=None, attempts=0)


def free(among: "QuerySet[Work]") -> "QuerySet[Work]":
    """Those that somebody is to work on, and nobody does."""
    nobody = Q(lease_until=None) | Q(lease_until__lt=timezone.now())
    return among.filter(nobody, state__in=among.model.WORKING)


def send(task: str, name: str, ids: Iterable[int]) -> None:
    """Offer steps to the workers; where the broker is away, beat offers them again."""
    for pk in ids:
        try:
            current_app.send_task(task, kwargs={name: pk}, expires=60)
        except (OperationalError, RedisError, OSError) as error:
            log.warning("The broker is away: %s", error)
