"""The work of a bulk change in steps of two seconds: whoever dies in between, the next goes on from there.

Each portion is one transaction with its history, its search rows and the place where the next one begins:
what a killed worker had not finished was not done, and nothing is done twice.
"""

import logging
import time
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from assets import changes, claims
from assets.bulk import actions, homes, portions
from assets.bulk.actions import Action
from assets.claims import Claim, free
from assets.models import BulkJob, BulkRefusal, Operation

log = logging.getLogger(__name__)
State = BulkJob.State
TASK = "assets.bulk_step"
STEP_SECONDS = 2.0  # people's uploads wait in the same queue
LEASE_SECONDS = 60
PORTION = 250  # pictures in one transaction
AT_ONCE = 1000  # pictures that are looked at while a person waits for the page
MOST_ATTEMPTS = 3
COUNTS: dict[str, Any] = {"position": 0, "changed": 0, "refused": 0}


def plan(job: BulkJob, action: Action) -> bool:
    """Look at what an action would do; at once where the pictures are few. False where it is too late."""
    fresh: dict[str, Any] = {"action": dict(action), "label": actions.described(action), "examples": []}
    with transaction.atomic():
        planned = _to(job, State.CHECKING, BulkJob.OPEN, **fresh, **COUNTS, token=None, lease_until=None)
        if planned:
            BulkRefusal.objects.filter(job=job).delete()
    if planned and job.total <= AT_ONCE:
        step(job.pk)
    elif planned:
        send([job.pk])
    return planned


def start(job: BulkJob) -> bool:
    """Carry out the action of `job`; False where it was not ready any more, or another was planned since."""
    same = Q(action=job.action)
    with transaction.atomic():
        started = _to(job, State.RUNNING, [State.PLANNED], same, **COUNTS, started_at=timezone.now())
        if started:
            BulkRefusal.objects.filter(job=job).delete()
    return started and _sent(job)


def go_on(job: BulkJob) -> bool:
    return _to(job, State.RUNNING, [State.PAUSED]) and _sent(job)


def cancel(job: BulkJob) -> bool:
    """Stop after the portion that is at work; what was changed before stays, and can be undone."""
    among = [State.CHECKING, State.PLANNED, State.RUNNING, State.PAUSED]
    return _to(job, State.CANCELLED, among, finished_at=timezone.now())


def undo(job: BulkJob, user: User) -> bool:
    """Take all of it back; False where it is being worked on, or was taken back."""
    among = [State.DONE, State.CANCELLED, State.PAUSED]
    return _to(job, State.UNDOING, among, undo_position=0, kept=0, undone_by=user) and _sent(job)


def _to(job: BulkJob, state: str, among: Iterable[str], where: Q | None = None, **more: Any) -> bool:
    fresh: dict[str, Any] = {"attempts": 0, "problem": "", "finished_at": None}
    found = BulkJob.objects.filter(where or Q(), pk=job.pk, state__in=among)
    changed = found.update(state=state, **(fresh | more))
    job.refresh_from_db(fields=["state", "problem", *more])
    return bool(changed)


def _sent(job: BulkJob) -> bool:
    transaction.on_commit(lambda: send([job.pk]))
    return True


def send(ids: Iterable[int]) -> None:
    claims.send(TASK, "job_id", ids)


def tend() -> None:
    """Send a step for each that waits for one."""
    send(free(BulkJob.objects.all()).values_list("pk", flat=True))


def step(job_id: int, seconds: float = STEP_SECONDS) -> bool:
    """Work on a bulk change for a while; returns whether more is to be done."""
    claim = Claim.of(BulkJob.objects.select_related("owner", "undone_by"), job_id, LEASE_SECONDS)
    if claim is None:
        return False
    job = claim.work
    if job.attempts > MOST_ATTEMPTS:
        said = _("A worker died over this three times in a row, after %(number)s pictures.")
        _pause(claim, said % {"number": f"{job.position:,}"})
        return False
    try:
        more = _work(claim, seconds)
    except changes.ChangeRefused as refused:
        _pause(claim, str(refused))
        return False
    except Exception as error:
        log.exception("%s stopped", job)
        said = _("Something unexpected went wrong (%(error)s).")
        _pause(claim, said % {"error": f"{type(error).__name__}: {error}"})
        return False
    claim.release()
    if more:
        transaction.on_commit(lambda: send([job_id]))
    return more


def _pause(claim: Claim[BulkJob], problem: str) -> None:
    back = {State.CHECKING: State.SELECTED, State.UNDOING: State.DONE}
    claim.pause(problem, back.get(State(claim.work.state), State.PAUSED))


def _work(claim: Claim[BulkJob], seconds: float) -> bool:
    """Portion after portion; whether more is left."""
    job, until = claim.work, time.monotonic() + seconds
    if job.state == State.RUNNING:  # before any transaction: two of them could wait for each other's
        changes.make_terms(actions.labels_in(job.action))
        if job.action["name"] == "collection":
            homes.made_by(job.owner)(job.action["path"])
    one = _undo_one if job.state == State.UNDOING else _one_portion
    while one(claim):
        if time.monotonic() > until:
            return True
    return False


def _one_portion(claim: Claim[BulkJob]) -> bool:
    """False when it was the last, or the work is not ours any more."""
    job = claim.work
    ids = job.asset_ids[job.position : job.position + PORTION]
    with transaction.atomic():
        if not claim.renew():  # from here on, who cancels waits for the end of this portion
            return False
        looking = job.state == State.CHECKING
        done = portions.look_at(job, ids) if looking else portions.change(job, ids)
        job.examples += done.examples
        counts = {"changed": F("changed") + len(done.changed), "refused": F("refused") + len(done.refused)}
        claim.held.update(position=F("position") + len(ids), examples=job.examples, **counts)
    job.position += len(ids)
    if job.position < job.total:
        return True
    claim.finish(State.PLANNED if looking else State.DONE)
    return False


def _undo_one(claim: Claim[BulkJob]) -> bool:
    job = claim.work
    with transaction.atomic():
        if not claim.renew():
            return False
        operation = left_to_undo(job).first()
        if operation is not None:
            kept = _undone(operation, job)
            job.undo_position = operation.pk
            claim.held.update(undo_position=operation.pk, kept=F("kept") + kept)
            return True
    claim.finish(State.UNDONE)
    return False


def _undone(operation: Operation, job: BulkJob) -> int:
    """Take one operation back; returns how many values stay as they are."""
    try:
        with transaction.atomic():
            return changes.undo_keeping(operation, job.undone_by)[1]
    except changes.ChangeRefused:  # its pictures were deleted for good meanwhile
        return operation.changes.count()


def left_to_undo(job: BulkJob) -> "QuerySet[Operation]":
    """What is still to be taken back, the newest first."""
    found = job.operations.filter(undone_by=None).order_by("-pk")
    return found.filter(pk__lt=job.undo_position) if job.undo_position else found
