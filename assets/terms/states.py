"""A term as it was at a moment of its history, and bringing that back.

Which pictures have it, and which terms were merged into it, is no part of that.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from accounts.models import User
from assets import changes
from assets.hierarchy import with_broader
from assets.models import Change, Term, TermWork
from assets.terms import editing
from assets.text import label_key

COLUMNS = ("label", "labels", "note", "uri")
PARENTS = "parents"
FIELDS = (*COLUMNS, PARENTS)
WHOLE = ("created", "deleted")


class Foreseen(NamedTuple):
    values: dict[str, Any]
    """By COLUMNS, as far as they can come back."""
    broader: list[Term]
    stays: list[str]
    """What cannot, and why, in words for people."""


def foreseen(term: Term, operations: Sequence[int]) -> Foreseen:
    """What would become of a term if it were as it was just after these operations. Raises ChangeRefused."""
    of, end = _of(term), _end(term, operations)
    told = changes.since(of, end, FIELDS)
    told |= changes.until(of, end, (PARENTS,), "created")  # a broader term that was deleted is in no change
    values = {name: told.get(name, getattr(term, name)) for name in COLUMNS}
    stays = []
    if _taken(term, values["label"]):
        said = _("It keeps its name: another term is called “%(name)s” by now.")
        stays.append(said % {"name": values["label"]})
        values["label"] = term.label
    broader, not_above = _broader(term, told.get(PARENTS), end)
    return Foreseen(values, broader, [*stays, *not_above, *_merged_since(term, end)])


def changes_of(term: Term, found: Foreseen) -> list[Change]:
    """The same as unsaved changes: what from, and what to."""
    pairs = {name: (getattr(term, name), value) for name, value in found.values.items()}
    pairs[PARENTS] = (changes.parents_of([term.pk])[term.pk], sorted(above.pk for above in found.broader))
    return [changes.unsaved(_of(term), name, *both) for name, both in pairs.items() if both[0] != both[1]]


def changes_between(term: Term, one: Sequence[int], other: Sequence[int]) -> list[Change]:
    """In what it differed just after the operations `other` from what it was just after `one`."""
    found = changes.between(_of(term), _end(term, one), _end(term, other), FIELDS)
    return sorted(found, key=lambda change: FIELDS.index(change.field))


def restore(term: Term, operations: Sequence[int], user: User, said: str) -> TermWork | None:
    """Make it what it was just after these operations, as far as that can be. None where it is so already.

    What follows for its pictures goes on in steps. Raises ChangeRefused.
    """
    found = foreseen(term, operations)
    return editing.edit(term, found.values, found.broader, user, said)


def _of(term: Term) -> tuple[str, int]:
    return Change.Kind.TERM, term.pk


def _end(term: Term, operations: Iterable[int]) -> int:
    return changes.moment(operations, [_of(term)], WHOLE)


def _taken(term: Term, label: str) -> bool:
    if label == term.label:
        return False
    others = Term.objects.filter(vocabulary=term.vocabulary_id, key=label_key(label)[:200])
    return others.exclude(pk=term.pk).exists()


def _broader(term: Term, told: Sequence[int] | None, end: int) -> tuple[list[Term], list[str]]:
    """The broader terms that it had, or what they were merged into; and which cannot be that again."""
    if told is None:
        return list(term.parents.all()), []
    alive = Term.objects.in_bulk(told)
    gone = changes.went(pk for pk in told if pk not in alive)
    alive |= Term.objects.in_bulk([one.into for one in gone.values() if one.into])
    broader, stays = dict[int, Term](), list[str]()
    for pk in told:
        if pk in gone and gone[pk].change <= end:
            continue  # it had lost this one by then
        above = alive.get(gone[pk].into or 0 if pk in gone else pk)
        stays += _why_not(term, gone.get(pk), above)
        if above and not _below(term, above):
            broader[above.pk] = above
    return list(broader.values()), stays


def _why_not(term: Term, gone: changes.Went | None, above: Term | None) -> list[str]:
    """Why a broader term cannot be that again, or that another takes its place; else nothing."""
    if above is None:
        said = _("“%(name)s” is no broader term of it any more, since it was deleted.")
        return [said % {"name": gone.label if gone else "?"}]
    if _below(term, above):
        return [
            _("“%(name)s” cannot be a broader term of it: it is below it by now.") % {"name": above.label}
        ]
    if gone:
        said = _("“%(name)s” was merged into “%(into)s”, which takes its place.")
        return [said % {"name": gone.label, "into": above.label}]
    return []


def _below(term: Term, above: Term) -> bool:
    return term.pk in with_broader([above.pk])


def _merged_since(term: Term, end: int) -> list[str]:
    """That terms were merged into it later, which is taken back by undo alone."""
    merges = TermWork.objects.filter(
        kind=TermWork.Kind.MERGE, vocabulary=term.vocabulary_id, plan__target=term.pk, undone_by=None
    )
    operations = [pk for work in merges for pk in work.operations]
    gone = Change.objects.filter(
        object_kind=Change.Kind.TERM, operation__in=operations, field="deleted", pk__gt=end
    )
    said = _("“%(name)s” was merged into it since, and stays merged. To part them again, undo the merge.")
    return [said % {"name": name} for name in gone.order_by("pk").values_list("before__label", flat=True)]
