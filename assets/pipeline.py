"""The life of a picture: which stage may run, who runs it, and what came of it (docs/decisions/0005).

A StageRun goes waiting -> queued (sent to the broker) -> running (claimed) -> done | failed | waiting again.
Queued and running carry a lease; `feed` takes back what outlived it. So a lost message, a flushed broker
or a killed worker costs time, never work.
"""

import logging
import random
import traceback
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from assets.models import Asset, AssetVersion, StageRun
from assets.stages import PermanentFailure, Stage, Write, pipeline

log = logging.getLogger(__name__)
State = StageRun.State
MAX_ATTEMPTS, MAX_LOST_WORKERS = 4, 3
BACKOFF_SECONDS = 5
RUN_TASK = "assets.run_stage"


# --- starting and feeding -------------------------------------------------------------------------


def start(version: AssetVersion, priority: int = 5) -> None:
    """Note all stages of a new version as waiting, and offer the first to the workers after the commit."""
    StageRun.objects.bulk_create(
        StageRun(version=version, stage=name, priority=priority, input_hash=version.blob.sha256)
        for name in pipeline()
    )
    transaction.on_commit(feed)


def feed() -> int:
    """Take back expired leases, then send ready runs, most urgent first, up to QUEUE_WINDOW in the broker."""
    release_expired()
    free = settings.QUEUE_WINDOW - StageRun.objects.filter(state=State.QUEUED).count()
    return _send(_ready().order_by("priority", "pk")[:free]) if free > 0 else 0


def resume() -> int:
    """Send all that is queued or ready, in case the broker has lost it or beat is away. Returns how many."""
    release_expired()
    StageRun.objects.filter(state=State.QUEUED).update(state=State.WAITING, lease_until=None)
    total = 0
    while sent := _send(_ready().order_by("priority", "pk")[: settings.QUEUE_WINDOW]):
        total += sent
    return total


def release_expired() -> int:
    """Queued runs that nobody began, and running ones whose worker is gone, wait again. Returns how many."""
    expired = StageRun.objects.filter(lease_until__lt=timezone.now())
    queued = expired.filter(state=State.QUEUED).update(state=State.WAITING, lease_until=None)
    return queued + _count_lost_worker(expired.filter(state=State.RUNNING))


def _count_lost_worker(runs: "QuerySet[StageRun]") -> int:
    """Running runs whose worker is gone wait again; those that lost too many fail. Returns how many."""
    gone: dict[str, Any] = {"lease_until": None, "token": None, "lost_workers": F("lost_workers") + 1}
    doomed = runs.filter(lost_workers__gte=MAX_LOST_WORKERS - 1)
    failed = doomed.update(**gone, state=State.FAILED, reason=_lost_reason())
    return failed + runs.update(**gone, state=State.WAITING)


def _ready() -> "QuerySet[StageRun]":
    """Waiting runs whose retry is due and whose needs are done."""
    due = Q(not_before=None) | Q(not_before__lte=timezone.now())
    allowed = Q(pk__in=[])
    for stage in pipeline().values():
        this = Q(stage=stage.name)
        for need in stage.needs:
            done = StageRun.objects.filter(version=OuterRef("version"), stage=need, state=State.DONE)
            this &= Q(Exists(done))
        allowed |= this
    return StageRun.objects.filter(due, allowed, state=State.WAITING)


def _send(runs: "QuerySet[StageRun]") -> int:
    """Mark as queued and hand to the broker. Where the broker is away, they wait again."""
    with transaction.atomic():
        ids = list(runs.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True))
        lease = timezone.now() + timedelta(seconds=settings.QUEUE_LEASE_SECONDS)
        StageRun.objects.filter(pk__in=ids).update(state=State.QUEUED, lease_until=lease)
    for sent, pk in enumerate(ids):
        try:
            current_app.send_task(RUN_TASK, kwargs={"run_id": pk})
        except (OperationalError, RedisError, OSError) as error:
            log.warning("The broker cannot be reached, %d runs wait: %s", len(ids) - sent, error)
            left = StageRun.objects.filter(pk__in=ids[sent:], state=State.QUEUED)
            left.update(state=State.WAITING, lease_until=None)
            return sent
    return len(ids)


# --- running --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Claim:
    """The right to write the result of one run."""

    run: StageRun
    token: uuid.UUID

    @property
    def held(self) -> "QuerySet[StageRun]":
        return StageRun.objects.filter(pk=self.run.pk, token=self.token, state=State.RUNNING)


def run(run_id: int, message_id: str = "") -> None:
    """Claim a run, call its stage, record what came of it. Nothing happens if somebody else has it."""
    claim = _claim(run_id, message_id)
    if claim is None:
        return
    try:
        write = pipeline()[claim.run.stage](claim.run.version)
        _finish(claim, write)
    except PermanentFailure as failure:
        _fail(claim, str(failure))
    except SoftTimeLimitExceeded:
        _fail(claim, f"It took longer than {settings.CELERY_TASK_SOFT_TIME_LIMIT} seconds and was stopped.")
    except Exception as error:  # noqa: BLE001 (the boundary: whatever a stage raises is recorded and shown)
        _try_again(claim, error)
    _send(_ready().filter(version=claim.run.version_id))


def _claim(run_id: int, message_id: str) -> Claim | None:
    """One UPDATE decides who runs it and counts the attempt before it begins.

    The same message delivered a second time means that the worker which had it is gone.
    """
    redelivered = Q(state=State.RUNNING, message_id=message_id) & ~Q(message_id="")
    _count_lost_worker(StageRun.objects.filter(redelivered, pk=run_id))
    token, lease = uuid.uuid4(), timezone.now() + timedelta(seconds=settings.STAGE_SECONDS + 15)
    claimed = StageRun.objects.filter(pk=run_id, state__in=[State.WAITING, State.QUEUED]).update(
        state=State.RUNNING, token=token, lease_until=lease, message_id=message_id, attempts=F("attempts") + 1
    )
    if not claimed:
        return None
    found = StageRun.objects.select_related("version__asset", "version__blob").get(pk=run_id)
    return Claim(found, token)


def _finish(claim: Claim, write: Write) -> None:
    with transaction.atomic():
        if claim.held.select_for_update().first() is None:
            log.info("%s was taken over by another worker; this result is dropped", claim.run)
            return
        write()
        claim.held.update(
            state=State.DONE, lease_until=None, token=None, reason="", detail="", changed_at=timezone.now()
        )


def _fail(claim: Claim, reason: str) -> None:
    claim.held.update(
        state=State.FAILED,
        lease_until=None,
        token=None,
        reason=reason,
        detail=traceback.format_exc(),
        changed_at=timezone.now(),
    )


def _try_again(claim: Claim, error: Exception) -> None:
    """Back to waiting with a growing, jittered delay; after MAX_ATTEMPTS shown as failed."""
    log.warning("%s: attempt %d: %s", claim.run, claim.run.attempts, error, exc_info=error)
    if claim.run.attempts >= MAX_ATTEMPTS:
        name = type(error).__name__
        return _fail(
            claim, f"It did not work in {claim.run.attempts} attempts. The last error: {name}: {error}"
        )
    delay = BACKOFF_SECONDS * 2 ** (claim.run.attempts - 1) * random.uniform(0.8, 1.4)  # noqa: S311
    claim.held.update(
        state=State.WAITING,
        lease_until=None,
        token=None,
        not_before=timezone.now() + timedelta(seconds=delay),
        reason=f"{type(error).__name__}: {error}",
        detail=traceback.format_exc(),
        changed_at=timezone.now(),
    )


def _lost_reason() -> str:
    return (
        f"{MAX_LOST_WORKERS} workers stopped while working on this file, so it is left alone. "
        "The file may be damaged; an administrator finds more in the worker's log."
    )


# --- for people -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class StageState:
    name: str
    label: str
    state: str
    reason: str
    attempts: int
    changed_at: datetime | None


@dataclass(frozen=True)
class Progress:
    """Where an asset stands: `searchable`, `processing` or `failed`; derived from the database alone."""

    state: str
    stages: list[StageState]

    @property
    def problems(self) -> list[StageState]:
        return [stage for stage in self.stages if stage.state == State.FAILED]


def progress_of(asset: Asset) -> Progress:
    runs = list(asset.current_version.stage_runs.all()) if asset.current_version else []
    return progress_from(runs)


def progress_from(runs: Sequence[StageRun]) -> Progress:
    """The progress that these runs of one version amount to."""
    by_name = {run.stage: run for run in runs}
    stages, failed, open_ = [], False, False
    for name, stage in pipeline().items():
        run = by_name.get(name)
        state = run.state if run else State.WAITING
        failed |= state == State.FAILED and stage.essential
        open_ |= state in {State.WAITING, State.QUEUED, State.RUNNING} and not _blocked(stage, by_name)
        stages.append(
            StageState(
                name,
                stage.label,
                state,
                run.reason if run else "",
                run.attempts if run else 0,
                run.changed_at if run else None,
            )
        )
    return Progress("processing" if open_ else "failed" if failed else "searchable", stages)


def _blocked(stage: Stage, by_name: dict[str, StageRun]) -> bool:
    needed = [by_name.get(need) for need in stage.needs]
    return any(run is not None and run.state == State.FAILED for run in needed)


def retry(assets: Iterable[Asset], stages: Sequence[str] | None = None, force: bool = False) -> int:
    """Let failed runs wait again; with `force` finished ones too. Returns how many runs were reset."""
    versions = [asset.current_version_id for asset in assets]
    runs = StageRun.objects.filter(version__in=versions, stage__in=list(stages or pipeline()))
    states = [State.FAILED, State.DONE, State.WAITING] if force else [State.FAILED]
    count = runs.filter(state__in=states).update(
        state=State.WAITING,
        attempts=0,
        lost_workers=0,
        token=None,
        not_before=None,
        lease_until=None,
        reason="",
        detail="",
        priority=1,
    )
    transaction.on_commit(feed)
    return count
