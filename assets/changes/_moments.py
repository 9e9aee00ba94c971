"""Moments of a history. One is the id of the last change that some operations made to an object."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from assets.changes._allowed import ChangeRefused
from assets.models import Change

Of = tuple[str, int]
"""The kind of an object, of Change.Kind, and its id."""


class NoMoment(ChangeRefused):
    """These operations have not touched the object."""


class Gone(ChangeRefused):
    """The object was not there at that moment."""


def moment(operations: Iterable[int], of: Collection[Of], whole: Collection[str] = ()) -> int:
    """The moment just after these operations, by their ids, in the history of these objects.

    `whole` are the fields that stand for an object itself. Raises NoMoment, and Gone where they took it away.
    """
    found = Change.objects.filter(operation__in=list(operations), object_id__in=[pk for _kind, pk in of])
    ours = [change for change in found.order_by("pk") if (change.object_kind, change.object_id) in of]
    if not ours:
        raise NoMoment(_("This is no moment in this history."))
    if taken_away := [change for change in ours if change.field in whole]:
        last = taken_away[-1]
        if last.field == "deleted" or last.after is None:
            raise Gone(_("It had been taken away at that moment, so there is nothing to restore."))
    return ours[-1].pk


def since(of: Of, end: int, fields: Collection[str]) -> dict[str, Any]:
    """What it was at a moment, by field, of those fields that were changed later."""
    found: dict[str, Any] = {}
    for change in _changes(of, fields).filter(pk__gt=end):
        found.setdefault(change.field, change.before)
    return found


def until(of: Of, end: int, fields: Collection[str], whole: str) -> dict[str, Any]:
    """What it was at a moment, by field, of those fields that had been changed by then.

    This knows also of what went later without a change of its own, since something else was deleted.
    """
    found: dict[str, Any] = {}
    for change in _changes(of, {*fields, whole}).filter(pk__lte=end):
        if change.field == whole:
            found |= {name: value for name, value in (change.after or {}).items() if name in fields}
        else:
            found[change.field] = change.after
    return found


def between(of: Of, one: int, other: int, fields: Collection[str]) -> list[Change]:
    """What is different at the moment `other` from what it was at `one`, as unsaved changes."""
    first, last = sorted((one, other))
    before, after = dict[str, Any](), dict[str, Any]()
    for change in _changes(of, fields).filter(pk__gt=first, pk__lte=last):
        before.setdefault(change.field, change.before)
        after[change.field] = change.after
    if one > other:
        before, after = after, before
    return [unsaved(of, name, before[name], after[name]) for name in before if before[name] != after[name]]


def unsaved(of: Of, field: str, before: Any, after: Any) -> Change:
    """What would be changed, from what to what."""
    kind, pk = of
    return Change(object_kind=kind, object_id=pk, field=field, before=before, after=after)


def _changes(of: Of, fields: Collection[str]) -> "QuerySet[Change]":
    kind, pk = of
    return Change.objects.filter(object_kind=kind, object_id=pk, field__in=fields).order_by("pk")
