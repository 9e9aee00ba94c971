"""A collection, and what groups may do there, as it was at a moment of its history; and bringing that back.

None instead of a collection is the whole library, which has nothing but grants.
"""

from collections.abc import Iterable, Mapping
from copy import copy
from typing import Any, NamedTuple

from django.contrib.admin.models import DELETION
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from assets.changes import collections, grants
from assets.changes._allowed import ChangeRefused, NotAllowed, check_collections
from assets.changes._moments import Of, between, moment, since, unsaved, until
from assets.changes._states import KIND
from assets.changes._steps import DELETED, to_json
from assets.inheriting import Actions, effective_if
from assets.models import Asset, Change, Collection, Operation
from assets.scopes import Action, forget, scope_of
from assets.text import label_key

PERMISSIONS = (grants.GRANTS, grants.INHERITS)
CASCADING = (grants.GRANTS, "cover")
"""These change without a change of their own, when a group or a picture is deleted."""


class State(NamedTuple):
    """What a collection is, or would become."""

    described: dict[str, Any]
    """By collections.FIELDS, `parent` and `cover` as objects; empty for the library."""
    granted: dict[int, list[str]]
    inherits: bool


class Foreseen(NamedTuple):
    now: State
    then: State
    """As far as it can come back."""
    stays: list[str]
    """What cannot, and why, in words for people."""
    locked_out: bool
    """Whether the person who restores it could not manage it any more."""


def foreseen(collection: Collection | None, op: Operation, user: User) -> Foreseen:
    """What would become of it if it were as it was just after `op`. Nothing is written.

    Raises ChangeRefused, as where it was not there then.
    """
    now = _now(collection)
    told = _told(collection, op)
    described, stays = _described(collection, now, told, user) if collection else ({}, [])
    granted, gone = _living(told.get(grants.GRANTS), now.granted, op)
    then = State(described, granted, told.get(grants.INHERITS, now.inherits))
    then, refused = _allowed(collection, now, then, user)
    if collection is not None:
        collections.check(_as(collection, then.described))
    return Foreseen(now, then, [*stays, *gone, *refused], _locked_out(collection, then, user))


def changes_of(collection: Collection | None, found: Foreseen) -> list[Change]:
    """The same as unsaved changes: what from, and what to."""
    of, now, then = _of(collection), found.now, found.then
    pairs = {name: (to_json(now.described[name]), to_json(then.described[name])) for name in then.described}
    pairs[grants.GRANTS] = (grants.named(now.granted), grants.named(then.granted))
    pairs[grants.INHERITS] = (now.inherits, then.inherits)
    return [unsaved(of, name, *both) for name, both in pairs.items() if both[0] != both[1]]


def changes_between(collection: Collection | None, one: Operation, other: Operation) -> list[Change]:
    """In what it differed just after `other` from what it was just after `one`."""
    fields = _fields(collection)
    found = between(_of(collection), _end(collection, one), _end(collection, other), fields)
    return sorted(found, key=lambda change: fields.index(change.field))


def restore(collection: Collection | None, op: Operation, user: User, label: str) -> Operation | None:
    """Make it what it was just after `op`, as far as that can be, as an operation that can be undone.

    None where it is so already. Raises ChangeRefused.
    """
    with transaction.atomic():
        collections.lock_all()
        if collection is not None:
            collection = Collection.objects.select_for_update(no_key=True).get(pk=collection.pk)
            check_collections(user, collection.pk)
        now, then, *_rest = foreseen(collection, op, user)
        if now == then:
            return None
        done = Operation.objects.create(kind=KIND, label=label[:300], user=user)
        # What is shut is shut before it moves, and what is opened is opened after: undo goes the other way.
        opens = now.inherits < then.inherits
        if not opens:
            grants.write(done, collection, then.granted, inherits=then.inherits)
        if collection is not None:
            collections.write(done, collection, then.described)
        if opens:
            grants.write(done, collection, then.granted, inherits=then.inherits)
    forget(user)
    return done


def _of(collection: Collection | None) -> Of:
    return Change.Kind.COLLECTION, collection.pk if collection else grants.LIBRARY


def _fields(collection: Collection | None) -> tuple[str, ...]:
    return (*collections.FIELDS, *PERMISSIONS) if collection else (grants.GRANTS,)


def _end(collection: Collection | None, op: Operation) -> int:
    return moment([op.pk], [_of(collection)], [collections.ITSELF])


def _now(collection: Collection | None) -> State:
    granted = grants.granted(collection)
    if collection is None:
        return State({}, granted, inherits=True)
    described = {name: getattr(collection, name) for name in collections.FIELDS}
    return State(described, granted, collection.inherits)


def _told(collection: Collection | None, op: Operation) -> dict[str, Any]:
    """What the history says that it was, of all that it says something of."""
    of, end = _of(collection), _end(collection, op)
    told = since(of, end, _fields(collection)) | until(of, end, CASCADING, collections.ITSELF)
    if cover := told.get("cover"):
        deleted = Change.objects.filter(object_kind=Change.Kind.ASSET, object_id=cover, field=DELETED)
        told["cover"] = None if deleted.filter(pk__lte=end).exists() else cover
    return told


def _described(
    collection: Collection, now: State, told: Mapping[str, Any], user: User
) -> tuple[dict[str, Any], list[str]]:
    """Name, place, description and cover as they were, as far as that can be; and what cannot."""
    then, stays = {**now.described, **{n: told[n] for n in ("name", "description") if n in told}}, list[str]()
    if "cover" in told and told["cover"] != collection.cover_id:
        seen = Asset.objects.live().visible_to(user).in_collection(collection)
        cover = seen.filter(pk=told["cover"]).first()
        if told["cover"] is None or cover:
            then["cover"] = cover
        else:
            stays.append(_("The cover stays: the picture that it was is not in this collection any more."))
    if "parent" in told and told["parent"] != collection.parent_id:
        try:
            then["parent"] = _place(collection, told["parent"], user)
        except ChangeRefused as refused:
            stays.append(_("It stays where it is. %(why)s") % {"why": refused})
    if then["name"] != collection.name and _taken(collection, then):
        said = _("It keeps its name: another collection in the same place is called “%(name)s” by now.")
        stays.append(said % {"name": then["name"]})
        then["name"] = collection.name
    return then, stays


def _place(collection: Collection, pk: int | None, user: User) -> Collection | None:
    """What it stood in, by its id, if it can stand there again. Raises ChangeRefused."""
    parent = Collection.objects.filter(pk=pk).first() if pk else None
    if pk and parent is None:
        raise ChangeRefused(_("The collection that it was inside is gone."))
    check_collections(user, pk)
    collections.check_place(_as(collection, {"parent": parent}))
    return parent


def _taken(collection: Collection, then: Mapping[str, Any]) -> bool:
    same = Collection.objects.filter(parent=then["parent"], key=label_key(then["name"])[:200])
    return same.exclude(pk=collection.pk).exists()


def _as(collection: Collection, values: Mapping[str, Any]) -> Collection:
    """The same one with other values, which is not stored."""
    found = copy(collection)
    for name, value in values.items():
        setattr(found, name, value)
    return found


def _living(
    told: Mapping[str, list[str]] | None, now: dict[int, list[str]], op: Operation
) -> tuple[dict[int, list[str]], list[str]]:
    """What was granted to the groups that there still are; and a sentence for each that went since."""
    if told is None:
        return now, []
    living, stays = grants.unnamed(told), []
    gone = [int(pk) for pk in told if int(pk) not in living]
    noted = grants.last_noted(gone)
    for pk in gone:
        last = noted.get(pk)
        if last and last.action_flag == DELETION and last.action_time <= op.created_at:
            continue  # it was gone by then
        said = _("The group “%(group)s” is gone: what it was allowed cannot come back.")
        unknown = _("A group that was allowed something then is gone: that cannot come back.")
        stays.append(said % {"group": last.object_repr} if last else unknown)
    return living, stays


def _allowed(collection: Collection | None, now: State, then: State, user: User) -> tuple[State, list[str]]:
    """As much of it as this person may do; and why not the rest."""
    try:
        if now.granted != then.granted:
            grants.check(user, collection, then.granted)
        _check_opened(collection, now, then, user)
    except NotAllowed as refused:
        stays = [_("Who may do what stays as it is. %(why)s") % {"why": refused}]
        then = then._replace(granted=now.granted, inherits=now.inherits)
    else:
        return then, []
    try:
        _check_opened(collection, now, then, user)
    except NotAllowed as refused:
        stays.append(_("It stays where it is. %(why)s") % {"why": refused})
        then.described["parent"] = now.described["parent"]
    return then, stays


def _check_opened(collection: Collection | None, now: State, then: State, user: User) -> None:
    """Whether nobody gets by it what this person may not do there. Raises NotAllowed."""
    if collection is not None and now != then:
        grants.check_given(user, collection, _effective(then))


def _effective(state: State) -> Actions:
    return effective_if(state.granted, state.described.get("parent"), inherits=state.inherits)


def _locked_out(collection: Collection | None, then: State, user: User) -> bool:
    if collection is None or user.is_superuser or not scope_of(user).may(Action.MANAGE, collection.pk):
        return False
    mine: Iterable[int] = user.groups.values_list("pk", flat=True)
    after = _effective(then)
    return not any(Action.MANAGE in after.get(pk, ()) for pk in mine)
