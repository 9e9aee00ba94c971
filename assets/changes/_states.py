"""The words of a picture or an object as they were at a moment of its history, and bringing them back."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from assets.changes._steps import (
    COLUMNS,
    ChangeRefused,
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
from assets.models import Change, Operation, Term

KIND = "earlier state"
NOT_WORDS = {"trashed_at", "created_at", "uploaded_by", "current_version"}
NOT_WORDS |= {"collection", "access", "embargo_until", "rights_expire_at", "consents"}
"""Where a picture is, who sees it and which file it is: an old description must not open what was closed."""


def state_steps(subjects: Iterable[Subject], op: Operation) -> list[Step]:
    """What would change if these were described as they were just after `op`. Nothing is written."""
    subjects = list(subjects)
    return [step for one in subjects for step in _steps(one, _end(subjects, op))]


def changes_to_state(steps: Sequence[Step]) -> list[Change]:
    """The same as unsaved changes: what from, and what to."""
    return [
        Change(object_kind=kind_of(subject), object_id=subject.pk, field=field, before=before, after=after)
        for subject, field, value in steps
        for before, after in [_both(subject, field, value)]
    ]


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


def _end(subjects: Sequence[Subject], op: Operation) -> int:
    """The id of the last change that `op` made to any of these. Raises ChangeRefused where it made none."""
    of = {(kind_of(one), one.pk) for one in subjects}
    found = op.changes.filter(object_id__in=[one.pk for one in subjects])
    ids = [c.pk for c in found.only("pk", "object_kind", "object_id") if (c.object_kind, c.object_id) in of]
    if not ids:
        raise ChangeRefused(_("This is no moment in the history of this picture."))
    return max(ids)


def _steps(subject: Subject, end: int) -> list[Step]:
    later = Change.objects.filter(object_kind=kind_of(subject), object_id=subject.pk, pk__gt=end)
    first: dict[str, Any] = {}
    for change in later.filter(field__in=_words(subject)).order_by("pk"):
        first.setdefault(change.field, change.before)
    steps = []
    for field, then in first.items():
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
    gone = [pk for pk in ids if pk not in alive]
    merged = Change.objects.filter(object_kind=Change.Kind.TERM, object_id__in=gone, field="deleted")
    into = {pk: after["into"] for pk, after in merged.values_list("object_id", "after") if after}
    found = [pk if pk in alive else into.get(pk, 0) for pk in ids]
    known = alive | set(Term.objects.filter(pk__in=into.values()).values_list("pk", flat=True))
    return [pk for pk in dict.fromkeys(found) if pk in known]
