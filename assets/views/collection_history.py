"""What was done to a collection and to the permissions on it: who, when, from what to what. No HTML here."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.auth.models import Group
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from accounts.models import User
from assets.changes import grants
from assets.models import Asset, Change, Operation
from assets.scopes import Action
from assets.views.changed import Line, hidden_name
from assets.views.entries import Entry
from assets.views.visible import collections_for

SHOWN = 20
TEXTS = ("name", "description")


def entries(pk: int, user: User, *, permissions: bool, most: int = SHOWN) -> list[Entry]:
    """The newest operations on the collection of this id, or on grants.LIBRARY, in at most six queries.

    With `permissions` it is told what was granted to whom. Of other collections and of covers `user` is told
    the names that they may see.
    """
    ours = Change.objects.filter(object_kind=Change.Kind.COLLECTION, object_id=pk)
    found = Operation.objects.filter(pk__in=ours.values("operation")).order_by("-created_at", "-pk")
    operations = list(found.select_related("user", "undone_by")[:most])
    said = list(ours.filter(operation__in=operations).order_by("pk"))
    told = _told(said, permissions=permissions)
    names = _names(told, user)
    return [
        Entry.of_operation(
            operation,
            [line for one in told if one.operation_id == operation.pk for line in _lines(one, names)],
        )
        for operation in operations
    ]


def lines_of(changes: Iterable[Change], user: User, *, permissions: bool) -> list[Line]:
    """What some changes of one collection did, or would do, told as in `entries`."""
    told = _told(changes, permissions=permissions)
    names = _names(told, user)
    return [line for one in told for line in _lines(one, names)]


def _told(changes: Iterable[Change], *, permissions: bool) -> list[Change]:
    return [one for one in changes if permissions or one.field not in (grants.GRANTS, grants.INHERITS)]


def listed(actions: Iterable[str]) -> str:
    """Names of actions in their order, as `see and download copies`."""
    wanted = set(actions)
    return get_text_list([str(action.label) for action in Action if action in wanted], _("and"))


def _names(changes: Iterable[Change], user: User) -> dict[tuple[str, Any], str]:
    fields = {one.field for one in changes}
    found: dict[tuple[str, Any], str] = {}
    if "parent" in fields:
        found |= {("parent", one.pk): path for one, path in collections_for(user)}
    if "cover" in fields:
        ids = {pk for one in changes if one.field == "cover" for pk in (one.before, one.after) if pk}
        seen = Asset.objects.visible_to(user).filter(pk__in=ids).for_grid()
        found |= {("cover", asset.pk): asset.display_title for asset in seen}
    if grants.GRANTS in fields:
        found |= {(grants.GRANTS, pk): name for pk, name in _groups(changes).items()}
    return found


def _groups(changes: Iterable[Change]) -> dict[str, str]:
    """What groups are called, or were, by their ids as the history has them."""
    said = [one for one in changes if one.field == grants.GRANTS]
    ids = {int(pk) for one in said for some in (one.before, one.after) for pk in some or ()}
    names = {str(pk): name for pk, name in Group.objects.values_list("pk", "name")}
    gone = grants.last_noted(pk for pk in ids if str(pk) not in names)
    was = _("%(name)s (a group that is gone)")
    return names | {str(pk): was % {"name": last.object_repr} for pk, last in gone.items()}


def _lines(change: Change, names: dict[tuple[str, Any], str]) -> Iterator[Line]:
    before, after = change.before, change.after
    if change.field in TEXTS:
        yield Line(_(change.field.capitalize()), before or "", after or "")
    elif change.field == "parent":
        yield Line(_("Inside"), *(_named(names, "parent", pk) for pk in (before, after)))
    elif change.field == "cover":
        yield Line(_("Cover"), *(_named(names, "cover", pk) for pk in (before, after)))
    elif change.field == grants.INHERITS:
        words = (_("yes") if one else _("no") for one in (before, after))
        yield Line(_("What is allowed above counts here as well"), *words)
    elif change.field == grants.GRANTS:
        was, now = before or {}, after or {}
        for pk in {**was, **now}:
            group = names.get((grants.GRANTS, pk)) or _("a group that is gone")
            texts = [listed(some.get(pk, ())) for some in (was, now)]
            if texts[0] != texts[1]:
                yield Line(group, *texts)


def _named(names: dict[tuple[str, Any], str], kind: str, pk: int | None) -> str:
    return names.get((kind, pk)) or hidden_name(kind) if pk else ""
