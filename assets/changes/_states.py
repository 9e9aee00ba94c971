"""The words of a picture or an object as they were at a moment of its history, and bringing them back."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction

from accounts.models import User
from assets.changes._moments import Of, between, moment, since, unsaved
from assets.changes._steps import (
    COLUMNS,
    Step,
    Subject,
    commit,
    from_json,
    kind_of,
    lock,
    raw,
    terms_of,
    to_json,
)
from assets.changes._terms import went
from assets.models import Change, Operation, Term

KIND = "earlier state"
NOT_WORDS = {"trashed_at", "created_at", "uploaded_by", "current_version"}
NOT_WORDS |= {"collection", "access", "embargo_until", "rights_expire_at", "consents"}
"""Where a picture is, who sees it and which file it is: an old description must not open what was closed."""


def state_steps(subjects: Iterable[Subject], op: Operation) -> list[Step]:
    """What would change if these were described as they were just after `op`. Nothing is written."""
    subjects = list(subjects)
    end = _end(subjects, op)
    return [step for one in subjects for step in _steps(one, end)]


def changes_to_state(steps: Sequence[Step]) -> list[Change]:
    """The same as unsaved changes: what from, and what to."""
    return [unsaved(_of(step.subject), step.field, *_both(*step)) for step in steps]


def changes_between(subjects: Iterable[Subject], one: Operation, other: Operation) -> list[Change]:
    """In what words these differed just after `other` from what they were just after `one`."""
    subjects = list(subjects)
    first, last = _end(subjects, one), _end(subjects, other)
    return [change for subject in subjects for change in between(_of(subject), first, last, _words(subject))]


def restore_state(
    subjects: Iterable[Subject], op: Operation, user: User | None, label: str
) -> Operation | None:
    """Describe these as they were just after `op`, as an operation of its own that can be undone.

    None where they are so already. Raises ChangeRefused, as where a number was given away since.
    """
    with transaction.atomic():
        steps = state_steps(lock(subjects), op)
        if not steps:
            return None
        restored = Operation.objects.create(kind=KIND, label=label[:300], user=user)
        commit(restored, steps)
    return restored


def _of(subject: Subject) -> Of:
    return kind_of(subject), subject.pk


def _end(subjects: Sequence[Subject], op: Operation) -> int:
    return moment([op.pk], [_of(one) for one in subjects])


def _steps(subject: Subject, end: int) -> list[Step]:
    steps = []
    for field, then in since(_of(subject), end, _words(subject)).items():
        value = _living(then or []) if field == "terms" else _value(subject, field, then)
        before, after = _both(subject, field, value)
        if before != after:
            steps.append(Step(subject, field, value))
    return steps


def _words(subject: Subject) -> set[str]:
    return (COLUMNS[type(subject)] - NOT_WORDS) | {"terms"}


def _value(subject: Subject, field: str, then: Any) -> Any:
    try:
        return from_json(subject, field, then)
    except ObjectDoesNotExist:
        return raw(subject, field)


def _both(subject: Subject, field: str, value: Any) -> tuple[Any, Any]:
    now = terms_of(subject) if field == "terms" else to_json(raw(subject, field))
    return now, to_json(value)


def _living(ids: Sequence[int]) -> list[int]:
    """These terms in their order: what one was merged into in its place, and without those deleted since."""
    alive = set(Term.objects.filter(pk__in=ids).values_list("pk", flat=True))
    gone = went([pk for pk in ids if pk not in alive])
    found = [pk if pk in alive else gone[pk].into if pk in gone else None for pk in ids]
    return [pk for pk in dict.fromkeys(found) if pk is not None]
