"""The life of a picture: which stage may run, who runs it, and what came of it (docs/decisions/0005).

A StageRun goes waiting -> queued (sent to the broker) -> running (claimed) -> done | failed | waiting again.
Queued and running carry a lease; `feed` takes back what outlived it. So a lost message, a flushed broker
or a killed worker costs time, never work.

Runs of priority BACKGROUND are never sent: `work_off` claims many of them at once, for one variant.
"""

import logging
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from assets.models import Asset, AssetVersion, StageRun
from assets.outcomes import Claim, finish_all, record
from assets.stages import Outcome, Write, pipeline

log = logging.getLogger(__name__)
State = StageRun.State
MAX_LOST_WORKERS = 3
AFRESH: dict[str, Any] = {
    "state": State.WAITING,
    "attempts": 0,
    "lost_workers": 0,
    "token": None,
    "not_before": None,
    "lease_until": None,
    "reason": "",
    "detail": "",
}
TOGETHER, TOGETHER_SECONDS = 32, 1.0  # results in one transaction; the longest that one waits for others
RUN_TASK = "assets.run_stage"


# --- starting and feeding -------------------------------------------------------------------------


def start(version: AssetVersion, priority: int = 5) -> None:
    """Note all stages of a new version as waiting, and offer the first to the workers after the commit."""
    StageRun.every.bulk_create(
        StageRun(
            version=version,
            stage=name,
            variant=variant,
            priority=priority if urgent else StageRun.BACKGROUND,
            input_hash=version.blob.sha256,
        )
        for name, stage in pipeline().items()
        for variant, urgent in stage.variants().items()
    )
    transaction.on_commit(feed)


def feed() -> int:
    """Take back expired leases, then send ready runs, most urgent first, up to QUEUE_WINDOW in the broker."""
    release_expired()
    free = settings.QUEUE_WINDOW - StageRun.every.filter(state=State.QUEUED).count()
    return _send(_urgent().order_by("priority", "pk")[:free]) if free > 0 else 0


def resume() -> int:
    """Send all that is queued or ready, in case the broker has lost it or beat is away. Returns how many."""
    release_expired()
    StageRun.every.filter(state=State.QUEUED).update(state=State.WAITING, lease_until=None)
    total = 0
    while sent := _send(_urgent().order_by("priority", "pk")[: settings.QUEUE_WINDOW]):
        total += sent
    return total


def release_expired() -> int:
    """Queued runs that nobody began, and running ones whose worker is gone, wait again. Returns how many."""
    leased = StageRun.every.filter(state__in=[State.QUEUED, State.RUNNING])  # as the index has it
    expired = leased.filter(lease_until__lt=timezone.now())
    queued = expired.filter(state=State.QUEUED).update(state=State.WAITING, lease_until=None)
    return queued + _count_lost_worker(expired.filter(state=State.RUNNING))


def _count_lost_worker(runs: "QuerySet[StageRun]") -> int:
    """Running runs whose worker is gone wait again; those that lost too many fail. Returns how many."""
    gone: dict[str, Any] = {"lease_until": None, "token": None, "lost_workers": F("lost_workers") + 1}
    doomed = runs.filter(lost_workers__gte=MAX_LOST_WORKERS - 1)
    failed = doomed.update(**gone, state=State.FAILED, reason=_lost_reason())
    return failed + runs.update(**gone, state=State.WAITING)


def _able(names: Iterable[str]) -> "QuerySet[StageRun]":
    """Waiting runs of these stages whose needs are done."""
    allowed = Q(pk__in=[])
    for name in names:
        this = Q(stage=name)
        for need in pipeline()[name].needs:
            done = StageRun.every.filter(version=OuterRef("version"), stage=need, variant=0, state=State.DONE)
            this &= Q(Exists(done))
        allowed |= this
    return StageRun.every.filter(allowed, state=State.WAITING)


def _ready(names: Iterable[str] | None = None) -> "QuerySet[StageRun]":
    """Those of these stages (or of all) whose retry is due, too."""
    due = Q(not_before=None) | Q(not_before__lte=timezone.now())
    return _able(names or pipeline()).filter(due)


def _urgent() -> "QuerySet[StageRun]":
    return _ready().filter(priority__lt=StageRun.BACKGROUND)


def _send(runs: "QuerySet[StageRun]") -> int:
    """Mark as queued and hand to the broker. Where the broker is away, they wait again."""
    with transaction.atomic():
        ids = list(runs.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True))
        lease = timezone.now() + timedelta(seconds=settings.QUEUE_LEASE_SECONDS)
        StageRun.every.filter(pk__in=ids).update(state=State.QUEUED, lease_until=lease)
    for sent, pk in enumerate(ids):
        try:
            current_app.send_task(RUN_TASK, kwargs={"run_id": pk})
        except (OperationalError, RedisError, OSError) as error:
            log.warning("The broker cannot be reached, %d runs wait: %s", len(ids) - sent, error)
            left = StageRun.every.filter(pk__in=ids[sent:], state=State.QUEUED)
            left.update(state=State.WAITING, lease_until=None)
            return sent
    return len(ids)


# --- running --------------------------------------------------------------------------------------


def run(run_id: int, message_id: str = "") -> None:
    """Claim a run, call its stage, record what came of it. Nothing happens if somebody else has it."""
    claim = _claim(run_id, message_id)
    if claim is None:
        return
    _work([claim])
    _send(_urgent().filter(version=claim.run.version_id))


def work_off(name: str, variant: int, limit: int) -> int:
    """Claim up to `limit` ready runs of one stage and variant and do them in one call; returns how many."""
    claims = _claim_many(_ready([name]).filter(stage=name, variant=variant), limit)
    if claims:
        _work(claims)
    return len(claims)


def _work(claims: Sequence[Claim]) -> None:
    """Call the stage that these claims share; soon after an outcome is known it is recorded."""
    good: list[tuple[Claim, Write]] = []
    began = time.monotonic()
    for claim, outcome in zip(claims, _outcomes(claims), strict=True):
        if isinstance(outcome, Exception):
            record(claim, outcome, alone=len(claims) == 1)
        else:
            good.append((claim, outcome))
        if len(good) >= TOGETHER or time.monotonic() > began + TOGETHER_SECONDS:
            finish_all(good)
            good, began = [], time.monotonic()
    finish_all(good)


def _outcomes(claims: Sequence[Claim]) -> Iterator[Outcome]:
    """One for each claim; an error of the stage itself is that of all which it had not answered yet."""
    run, left = claims[0].run, len(claims)
    try:
        for outcome in pipeline()[run.stage].function([claim.run.version for claim in claims], run.variant):
            left -= 1
            yield outcome
    except Exception as error:  # noqa: BLE001 (the boundary: whatever a stage raises is recorded and shown)
        yield from [error] * left


def _claim(run_id: int, message_id: str) -> Claim | None:
    """One UPDATE decides who runs it and counts the attempt before it begins.

    The same message delivered a second time means that the worker which had it is gone.
    """
    redelivered = Q(state=State.RUNNING, message_id=message_id) & ~Q(message_id="")
    _count_lost_worker(StageRun.every.filter(redelivered, pk=run_id))
    token, lease = uuid.uuid4(), timezone.now() + timedelta(seconds=settings.STAGE_SECONDS + 15)
    claimed = StageRun.every.filter(pk=run_id, state__in=[State.WAITING, State.QUEUED]).update(
        state=State.RUNNING, token=token, lease_until=lease, message_id=message_id, attempts=F("attempts") + 1
    )
    if not claimed:
        return None
    found = StageRun.every.select_related("version__asset", "version__blob").get(pk=run_id)
    return Claim(found, token)


def _claim_many(ready: "QuerySet[StageRun]", limit: int) -> list[Claim]:
    """Those that lost a worker come last and alone, so that one which kills workers spoils no other."""
    token, lease = uuid.uuid4(), timezone.now() + timedelta(seconds=settings.STAGE_SECONDS + 15)
    with transaction.atomic():
        free = ready.order_by("priority", "pk").select_for_update(skip_locked=True, of=("self",))
        ids = list(free.filter(lost_workers=0).values_list("pk", flat=True)[:limit])
        ids = ids or list(free.values_list("pk", flat=True)[:1])
        StageRun.every.filter(pk__in=ids).update(
            state=State.RUNNING, token=token, lease_until=lease, message_id="", attempts=F("attempts") + 1
        )
    found = StageRun.every.select_related("version__asset", "version__blob").filter(pk__in=ids)
    return [Claim(run, token) for run in found]


def _lost_reason() -> str:
    return (
        f"{MAX_LOST_WORKERS} workers stopped while working on this file, so it is left alone. "
        "The file may be damaged; an administrator finds more in the worker's log."
    )


# --- doing it again, and doing more ---------------------------------------------------------------


def retry(assets: Iterable[Asset], stages: Sequence[str] | None = None, force: bool = False) -> int:
    """Let failed runs of these assets wait again; with `force` finished ones too. Returns how many."""
    versions = [asset.current_version_id for asset in assets]
    runs = StageRun.objects.filter(version__in=versions, stage__in=list(stages or pipeline()))
    return retry_runs(runs, priority=1, force=force)


def retry_runs(runs: "QuerySet[StageRun]", priority: int, force: bool = False) -> int:
    """Let those of these runs that failed (with `force`, also finished ones) wait again; returns how many."""
    states = [State.FAILED, State.DONE, State.WAITING] if force else [State.FAILED]
    count = runs.filter(state__in=states).update(**AFRESH, priority=priority)
    transaction.on_commit(feed)
    return count


def outdated(name: str, asset_ids: Sequence[int]) -> int:
    """The input of a stage has changed: its runs on these assets wait again, in all variants.

    A result that is being computed meanwhile is dropped, since the run loses its token. Returns how many.
    """
    runs = StageRun.every.filter(stage=name, version__current_of__in=asset_ids)
    return runs.update(**AFRESH, priority=StageRun.BACKGROUND)


def plan(name: str, variant: int, limit: int) -> int:
    """Note up to `limit` missing runs of a variant, for current versions that have none. Returns how many."""
    versions = AssetVersion.objects.filter(current_of__isnull=False)
    known = StageRun.every.filter(version=OuterRef("pk"), stage=name, variant=variant)
    missing = versions.filter(~Exists(known)).values_list("pk", "blob__sha256")[:limit]
    runs = [
        StageRun(version_id=pk, stage=name, variant=variant, priority=StageRun.BACKGROUND, input_hash=sha256)
        for pk, sha256 in missing
    ]
    return len(StageRun.every.bulk_create(runs, ignore_conflicts=True, batch_size=2000))


def is_ready(name: str, variant: int) -> bool:
    """Whether there is anything for `work_off` to do just now."""
    return _ready([name]).filter(variant=variant).exists()


def is_open(name: str, variant: int) -> bool:
    """Whether anything is under way or will be tried again, besides what waits for its needs."""
    begun = StageRun.every.filter(stage=name, variant=variant, state__in=[State.QUEUED, State.RUNNING])
    return begun.exists() or _able([name]).filter(variant=variant).exists()
