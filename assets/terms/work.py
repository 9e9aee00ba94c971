"""What follows from a change of a vocabulary, in bounded steps: whoever dies in between, the next goes on.

A request does the first second of it itself, so that most changes are through when the page comes back; the
rest is left to the workers. Beat calls `tend`, which sends a step for what nobody is working on.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from celery import current_app
from django.db import IntegrityError, transaction
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from accounts.models import User
from assets import changes
from assets.hierarchy import with_narrower
from assets.models import AssetTerm, Change, Depiction, Operation, RecordTerm, TermWork, Vocabulary

log = logging.getLogger(__name__)
Kind, State, Phase = TermWork.Kind, TermWork.State, TermWork.Phase
TASK = "assets.term_step"
STEP_SECONDS, BRIEF_SECONDS, LEASE_SECONDS = 8.0, 1.0, 180
READING_SECONDS = 3600  # a large file is read in one go
AT_ONCE = 500  # pictures whose search rows are written in one transaction
MOST_ATTEMPTS = 3
Portion = Callable[[TermWork], bool]
"""Does some of a phase; True when nothing of it is left."""
PHASES: Mapping[str, tuple[str, ...]] = {
    Kind.EDIT: (Phase.FIELDS, Phase.REFRESHING),
    Kind.MERGE: (Phase.USES, Phase.FIELDS, Phase.WRITING, Phase.REFRESHING),
    Kind.IMPORT: (Phase.READING, Phase.WRITING, Phase.LINKING, Phase.REFRESHING),
    Kind.UNDO: (Phase.UNDOING, Phase.REFRESHING),
}


def begin(kind: str, label: str, user: User | None, vocabulary: Vocabulary, **values: Any) -> TermWork:
    """New work, in the first phase of its kind."""
    return TermWork.objects.create(
        kind=kind, label=label[:300], user=user, vocabulary=vocabulary, phase=PHASES[kind][0], **values
    )


def briefly(work: TermWork) -> TermWork:
    """Do the first second of it here and now; the workers do what is left."""
    step(work.pk, BRIEF_SECONDS)
    work.refresh_from_db()
    return work


def undo(work: TermWork, user: User | None) -> TermWork:
    """Take a whole work back, in steps. Raises ChangeRefused."""
    if work.state == State.WORKING:
        raise changes.ChangeRefused(_("This is still under way. Take it back when it is done."))
    if not work.operations:
        raise changes.ChangeRefused(_("There is nothing to take back."))
    try:
        with transaction.atomic():
            label = f"Undone: {work.label}"
            back = begin(Kind.UNDO, label, user, work.vocabulary, undoes=work, total=len(work.operations))
    except IntegrityError as error:
        raise changes.ChangeRefused(_("This has been undone already.")) from error
    return briefly(back)


def again(work: TermWork) -> TermWork:
    """Let work that has stopped go on."""
    stopped = TermWork.objects.filter(pk=work.pk, state=State.FAILED)
    stopped.update(state=State.WORKING, problem="", attempts=0, lease_until=None)
    return briefly(work)


def of_operation(operation: Operation) -> TermWork | None:
    return TermWork.objects.filter(operations__contains=[operation.pk]).first()


def affected(operations: Iterable[int]) -> set[int]:
    """The terms whose pictures have other words or other broader terms since these operations."""
    of_terms = Change.objects.filter(operation__in=list(operations), object_kind=Change.Kind.TERM)
    pairs = list(of_terms.values_list("field", "object_id"))
    named = {pk for field, pk in pairs if field in ("label", "labels")}
    return named | with_narrower({pk for field, pk in pairs if field in ("parents", "created", "deleted")})


# --- steps ----------------------------------------------------------------------------------------


def tend() -> None:
    """Send a step for all work that nobody is doing."""
    free = Q(lease_until=None) | Q(lease_until__lt=timezone.now())
    send(TermWork.objects.filter(free, state=State.WORKING).values_list("pk", flat=True))


def send(ids: Iterable[int]) -> None:
    """Offer steps to the workers; where the broker is away, beat offers them again."""
    for pk in ids:
        try:
            current_app.send_task(TASK, kwargs={"work_id": pk}, expires=60)
        except (OperationalError, RedisError, OSError) as error:
            log.warning("The broker is away: %s", error)


def step(work_id: int, seconds: float = STEP_SECONDS) -> bool:
    """Work for a while; returns whether more is to be done. Nothing where somebody else does."""
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    held = TermWork.objects.filter(pk=work_id, state=State.WORKING)
    long = now + timedelta(seconds=READING_SECONDS)
    until = Case(
        When(phase=Phase.READING, then=Value(long)), default=Value(now + timedelta(seconds=LEASE_SECONDS))
    )
    if not held.filter(free).update(lease_until=until, attempts=F("attempts") + 1):
        return False
    work = TermWork.objects.select_related("vocabulary", "undoes", "user").get(pk=work_id)
    try:
        if work.attempts > MOST_ATTEMPTS:
            raise changes.ChangeRefused(_("A worker died over this three times in a row."))
        more = _work(work, time.monotonic() + seconds)
    except changes.ChangeRefused as refused:
        held.update(state=State.FAILED, problem=str(refused), lease_until=None)
        return False
    except Exception as error:
        log.exception("%s stopped", work)
        said = _("Something unexpected went wrong (%(what)s).")
        problem = said % {"what": f"{type(error).__name__}: {error}"[:500]}
        held.update(state=State.FAILED, problem=problem, lease_until=None)
        return False
    TermWork.objects.filter(pk=work_id).update(lease_until=None, attempts=0)  # whatever its state is now
    if more:
        send([work_id])
    return more


def _work(work: TermWork, until: float) -> bool:
    """Portion after portion; whether more is left."""
    while work.state == State.WORKING:
        if portions()[work.phase](work):
            _next_phase(work)
        work.lease_until, work.attempts = timezone.now() + timedelta(seconds=LEASE_SECONDS), 0
        work.save()
        if time.monotonic() > until:
            break
    return work.state == State.WORKING


def _next_phase(work: TermWork) -> None:
    left = PHASES[work.kind]
    if work.phase == Phase.READING:
        work.state = State.PLANNED
    if work.phase == left[-1]:
        work.state, work.finished_at = State.DONE, timezone.now()
        return
    work.phase, work.position = left[left.index(work.phase) + 1], 0
    if work.phase == Phase.REFRESHING:
        work.terms = sorted(affected(work.operations))
        work.done, work.total = 0, _count(work.terms)


def portions() -> Mapping[str, Portion]:
    from assets.terms import fields, importing, merging  # they know of this module

    return {
        Phase.READING: importing.read,
        Phase.FIELDS: fields.rename,
        Phase.USES: merging.move_uses,
        Phase.WRITING: lambda w: (merging.finish if w.kind == Kind.MERGE else importing.write)(w),
        Phase.LINKING: importing.link,
        Phase.UNDOING: _undo_next,
        Phase.REFRESHING: _refresh,
    }


def _undo_next(work: TermWork) -> bool:
    """Take back the last operation that was not taken back yet."""
    of: list[int] = work.undoes.operations if work.undoes else []
    if work.position < len(of):
        operation = Operation.objects.filter(pk=of[-1 - work.position]).first()
        if operation and not Operation.objects.filter(undoes=operation).exists():
            work.operations.append(changes.undo(operation, work.user).pk)
        work.position += 1
        work.done = work.position
    return work.position >= len(of)


def _refresh(work: TermWork) -> bool:
    """Let the search know of the next pictures of these terms."""
    ids = _pictures(work.terms, work.position)
    with transaction.atomic():
        changes.notify(ids)
    work.position = ids[-1] if ids else work.position
    work.done += len(ids)
    return len(ids) < AT_ONCE


def _pictures(terms: list[int], after: int) -> list[int]:
    """The next pictures that have one of these terms, themselves or by an object."""
    own = AssetTerm.objects.filter(term__in=terms, asset__gt=after).order_by("asset_id")
    shown = Depiction.objects.filter(record__term_uses__term__in=terms, asset__gt=after).order_by("asset_id")
    found = {
        pk for uses in (own, shown) for pk in uses.values_list("asset_id", flat=True).distinct()[:AT_ONCE]
    }
    return sorted(found)[:AT_ONCE]


def _count(terms: list[int]) -> int:
    own = AssetTerm.objects.filter(term__in=terms).values("asset_id")
    shown = Depiction.objects.filter(record__term_uses__term__in=terms).values("asset_id")
    return own.union(shown).count() if terms else 0


def uses(terms: Iterable[int]) -> tuple[int, int]:
    """How many pictures and how many objects have one of these terms themselves."""
    terms = list(terms)
    pictures = AssetTerm.objects.filter(term__in=terms).values("asset_id").distinct().count()
    return pictures, RecordTerm.objects.filter(term__in=terms).values("record_id").distinct().count()
