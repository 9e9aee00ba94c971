"""The life of a picture: which stage may run, who runs it, and what came of it (docs/decisions/0005).

A StageRun goes waiting -> queued (sent to the broker) -> running (claimed) -> done | failed | waiting again.
Queued and running carry a lease; `feed` takes back what outlived it (assets.leases). So a lost message, a
flushed broker or a killed worker costs time, never work.

assets.queues has which queue a run goes to. Those of priority BACKGROUND are never sent: `work_off` claims
many of them at once, for one variant.
"""

import logging
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from assets import storage
from assets.commits import soon
from assets.leases import claimed_by, count_lost_worker, release_expired
from assets.models import AssetVersion, StageRun
from assets.outcomes import Claim, finish_all, record
from assets.queues import AWAY, QUEUES, queue_of, runs_of, stages_of
from assets.stages import Outcome, Write, pipeline

log = logging.getLogger(__name__)
State = StageRun.State
TOGETHER, TOGETHER_SECONDS = 32, 1.0  # results in one transaction; the longest that one waits for others
ALONG_SECONDS = 5.0
"""After which the next stage of a picture is sent to the workers: all that one message makes them do shares
one limit of time."""
RUN_TASK = "assets.run_stage"
UNDER_WAY = StageRun.every.filter(
    version=OuterRef("version"), priority=OuterRef("priority"), state__in=[State.QUEUED, State.RUNNING]
)
"""What somebody does of the same picture, or will soon; all that is as urgent is done after it."""
FEW = 20  # pictures that somebody may be waiting for; more are an import


# --- starting and feeding -------------------------------------------------------------------------


def start(version: AssetVersion, priority: int = 5) -> None:
    """Note all stages of a new version as waiting, and offer the first to the workers after the commit."""
    variants = {ask: ask() for ask in {stage.variants for stage in pipeline().values()}}
    runs = StageRun.every.bulk_create(
        StageRun(
            version=version,
            stage=name,
            variant=variant,
            priority=priority if urgent and not stage.quiet else StageRun.BACKGROUND,
            input_hash=version.blob.sha256,
        )
        for name, stage in pipeline().items()
        for variant, urgent in variants[stage.variants].items()
    )
    transaction.on_commit(lambda: _begin(runs))


def _begin(runs: Sequence[StageRun]) -> None:
    """Send the first run of a new picture, unless its queue is full: then it is left to beat."""
    able = [run for run in runs if run.priority < StageRun.BACKGROUND and not pipeline()[run.stage].needs]
    if not able:
        return
    first = min(able, key=lambda run: (run.priority, run.pk))
    queue = queue_of(first.priority, first.stage)
    full = StageRun.every.filter(runs_of(queue), state=State.QUEUED)[settings.QUEUE_WINDOW - 1 :]
    waiting = StageRun.every.filter(~Exists(full), soon(), pk=first.pk, state=State.WAITING)
    if waiting.update(**_queued()):
        _hand_over({first.pk: queue})


def feed() -> int:
    """Take back expired leases, then fill each queue with ready runs up to QUEUE_WINDOW. Returns how many."""
    release_expired()
    return sum(_fill(queue) for queue in QUEUES)


def _fill(queue: str) -> int:
    names, free = stages_of(queue), _free(queue)
    ready = _ready(names).filter(runs_of(queue), ~Exists(UNDER_WAY)).order_by("priority", "pk")
    return _send(ready[: free * len(names)], free) if free > 0 else 0


def _offer(runs: "QuerySet[StageRun]") -> None:
    """Send these runs of one picture at once, but to no queue that is full: those are left to beat."""
    for queue in {queue_of(priority, stage) for priority, stage in runs.values_list("priority", "stage")}:
        if _free(queue) > 0:
            _send(runs.filter(runs_of(queue), ~Exists(UNDER_WAY)).order_by("priority", "pk"), 1)


def _free(queue: str) -> int:
    return int(settings.QUEUE_WINDOW) - StageRun.every.filter(runs_of(queue), state=State.QUEUED).count()


def resume() -> int:
    """Send a window of each queue at once, in case the broker has lost what it had. Returns how many."""
    StageRun.every.filter(state=State.QUEUED).update(state=State.WAITING, lease_until=None)
    return feed()


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


def _send(runs: "QuerySet[StageRun]", most: int) -> int:
    """Mark at most so many as queued and hand them to the broker; returns how many.

    Of each picture it is the first: after it, `run` does the others.
    """
    with transaction.atomic():
        free = runs.select_for_update(skip_locked=True, of=("self",))
        first: dict[int, tuple[int, str]] = {}
        for pk, version, priority, stage in free.values_list("pk", "version", "priority", "stage"):
            first.setdefault(version, (pk, queue_of(priority, stage)))
        chosen = dict(islice(first.values(), most))
        StageRun.every.filter(pk__in=chosen).update(**_queued())
    return _hand_over(chosen)


def _queued() -> dict[str, Any]:
    lease = timezone.now() + timedelta(seconds=settings.QUEUE_LEASE_SECONDS)
    return {"state": State.QUEUED, "lease_until": lease}


def _hand_over(chosen: Mapping[int, str]) -> int:
    """To the broker: queued runs by their queues. Returns how many it took; the others wait again."""
    for sent, (pk, queue) in enumerate(chosen.items()):
        try:
            current_app.send_task(RUN_TASK, kwargs={"run_id": pk}, queue=queue)
        except AWAY as error:
            log.warning("The broker cannot be reached, %d runs wait: %s", len(chosen) - sent, error)
            left = StageRun.every.filter(pk__in=list(chosen)[sent:], state=State.QUEUED)
            left.update(state=State.WAITING, lease_until=None)
            return sent
    return len(chosen)


# --- running --------------------------------------------------------------------------------------


def run(run_id: int, message_id: str = "", worker: str = "") -> None:
    """Claim a run, call its stage, record what came of it, and go on with what is ready of the same picture.

    Nothing happens if somebody else has it. Each stage is claimed by itself when its turn comes.
    """
    claim, until = _claim(run_id, message_id, worker), time.monotonic() + ALONG_SECONDS
    beside = _beside(claim.run) if claim else []
    while claim:
        _work([claim])
        following = _following(claim.run, beside)
        if not following and claim.run.priority == StageRun.BULK:
            storage.let_go(claim.run.version.blob)
        if time.monotonic() > until:
            return _offer(StageRun.every.filter(pk__in=[run.pk for run in following]))
        claims = (_claim_next(run, message_id, worker) for run in following)
        claim = next(filter(None, claims), None)


def _beside(run: StageRun) -> list[StageRun]:
    """The runs of the same picture in their order, this one among them; a few."""
    found = StageRun.every.filter(version=run.version_id).order_by("pk")
    runs = [run if other.pk == run.pk else other for other in found]
    for other in runs:
        other.version = run.version  # with its asset and blob
    return runs


def _following(run: StageRun, beside: Sequence[StageRun]) -> list[StageRun]:
    """Those that are `_ready`, and as urgent: as they were read, and for what has been done since."""
    done = {other.stage for other in beside if other.variant == 0 and other.state == State.DONE}
    able = {name for name, stage in pipeline().items() if done.issuperset(stage.needs)}
    return [
        other
        for other in beside
        if other.state == State.WAITING and other.stage in able and other.priority == run.priority
        if other.not_before is None or other.not_before <= timezone.now()
    ]


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


def _claim(run_id: int, message_id: str, worker: str = "") -> Claim | None:
    """One UPDATE decides who runs it and counts the attempt before it begins.

    The same message delivered a second time means that the worker which had it is gone.
    """
    token = uuid.uuid4()
    free = StageRun.every.filter(soon(), pk=run_id, state__in=[State.WAITING, State.QUEUED])
    claimed = free.update(**_claimed(token, message_id, worker))
    if not claimed and message_id and count_lost_worker(claimed_by(run_id, message_id)):
        claimed = free.update(**_claimed(token, message_id, worker))
    if not claimed:
        return None
    return Claim(StageRun.every.select_related("version__asset", "version__blob").get(pk=run_id), token)


def _claim_next(run: StageRun, message_id: str, worker: str) -> Claim | None:
    """The same for a waiting one that was read a moment ago, if nothing has happened to it since."""
    token = uuid.uuid4()
    as_read = {name: getattr(run, name) for name in ("pk", "state", "attempts", "priority")}
    if not StageRun.every.filter(soon(), **as_read).update(**_claimed(token, message_id, worker)):
        return None
    run.state, run.attempts = State.RUNNING, run.attempts + 1
    return Claim(run, token)


def _claim_many(ready: "QuerySet[StageRun]", limit: int) -> list[Claim]:
    """Those that lost a worker come last and alone, so that one which kills workers spoils no other."""
    token = uuid.uuid4()
    with transaction.atomic():
        free = ready.order_by("priority", "pk").select_for_update(skip_locked=True, of=("self",))
        ids = list(free.filter(lost_workers=0).values_list("pk", flat=True)[:limit])
        ids = ids or list(free.values_list("pk", flat=True)[:1])
        StageRun.every.filter(pk__in=ids).update(**_claimed(token, "", "filler"))
    found = StageRun.every.select_related("version__asset", "version__blob").filter(pk__in=ids)
    return [Claim(run, token) for run in found]


def _claimed(token: uuid.UUID, message_id: str, worker: str) -> dict[str, Any]:
    now = timezone.now()
    return {
        "state": State.RUNNING,
        "token": token,
        "lease_until": now + timedelta(seconds=settings.STAGE_SECONDS + settings.STAGE_GRACE),
        "message_id": message_id,
        "worker": worker[:100],
        "began_at": now,
        "attempts": F("attempts") + 1,
    }


# --- what there is to do ----------------------------------------------------------------------------


def is_ready(name: str, variant: int) -> bool:
    """Whether there is anything for `work_off` to do just now."""
    return _ready([name]).filter(variant=variant).exists()


def is_open(name: str, variant: int) -> bool:
    """Whether anything is under way or will be tried again, besides what waits for its needs."""
    begun = StageRun.every.filter(stage=name, variant=variant, state__in=[State.QUEUED, State.RUNNING])
    return begun.exists() or _able([name]).filter(variant=variant).exists()
