"""What groups are granted, changed with the same history as collections; undo puts it back.

Of a change, `grants` is {id of a group: its actions}, and the object is the collection, or 0: the library.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils.translation import gettext as _

import audit
from accounts.models import User
from assets.changes._allowed import NotAllowed, check_collections
from assets.inheriting import added, effective
from assets.models import Change, Collection, Grant, Operation
from assets.scopes import Action, forget, scope_of

GRANTS, INHERITS = "grants", "inherits"
LIBRARY = 0
Granted = Mapping[int, list[str]]


def granted(collection: Collection | None) -> dict[int, list[str]]:
    """The actions by the id of a group, in the order of Action; what is inherited is not among them."""
    order = [action.value for action in Action]
    found = Grant.objects.filter(collection=collection).order_by("group")
    return {grant.group_id: [action for action in order if action in grant.actions] for grant in found}


def change(
    op: Operation,
    collection: Collection | None,
    wanted: Granted,
    *,
    inherits: bool = True,
    own_switch: bool = False,
) -> bool:
    """Grant exactly this on a collection, or (None) on the whole library; False where that was so already.

    Raises NotAllowed: nobody gives away what they may not do there themselves. `own_switch`: who has stopped
    what is inherited lets it in again; it would be there without them.
    """
    with transaction.atomic():
        if collection is not None:
            collection = Collection.objects.select_for_update(no_key=True).get(pk=collection.pk)
        check(op.user, collection, wanted)
        turned = collection is not None and collection.inherits != inherits
        if turned and collection is not None and inherits and not own_switch:
            check_given(op.user, collection, effective(collection.parent))
        changed = write(op, collection, wanted, inherits=inherits)
    if op.user is not None:
        forget(op.user)
    return changed


def write(op: Operation, collection: Collection | None, wanted: Granted, *, inherits: bool) -> bool:
    """As `change`, for who holds the lock and has asked whether this person may, and `forget`s afterwards."""
    before, after = granted(collection), _cleaned(wanted)
    turned = collection is not None and collection.inherits != inherits
    if before != after:
        _store(collection, after)
        _note(op, collection, GRANTS, named(before), named(after))
        _record(op, collection, before, after)
    if turned and collection is not None:
        Collection.objects.filter(pk=collection.pk).update(inherits=inherits)
        _note(op, collection, INHERITS, not inherits, inherits)
        audit.record(audit.Event.GRANT_CHANGED, op.user, _about(collection), inherits=inherits)
    return turned or before != after


def reverse(op: Operation, one: Change) -> bool:
    """Take one change back; False where it has to stay, since something else was granted meanwhile."""
    collection = Collection.objects.filter(pk=one.object_id).first()
    if collection is None and one.object_id != LIBRARY:
        return False
    today, inherits = granted(collection), collection is None or collection.inherits
    if one.field == INHERITS:
        own = op.user_id is not None and one.operation.user_id == op.user_id
        before = bool(one.before)
        return inherits == one.after and change(op, collection, today, inherits=before, own_switch=own)
    if named(today) != one.after:
        return False
    return change(op, collection, unnamed(one.before or {}), inherits=inherits)


def unnamed(kept: Mapping[str, list[str]]) -> dict[int, list[str]]:
    """What the history says, of the groups that there still are."""
    alive = set(Group.objects.values_list("pk", flat=True))
    return {int(pk): actions for pk, actions in kept.items() if int(pk) in alive}


def last_noted(ids: Iterable[int]) -> dict[int, LogEntry]:
    """What the log of the administration said last of groups, by their ids, such as that one was deleted."""
    noted = LogEntry.objects.filter(content_type__app_label="auth", content_type__model="group")
    noted = noted.filter(object_id__in=[str(pk) for pk in ids]).order_by("action_time")
    return {int(one.object_id or 0): one for one in noted}


def restore(op: Operation, collection: Collection, kept: Mapping[str, list[str]]) -> None:
    """Grants of a collection that is there again."""
    _store(collection, unnamed(kept))
    _record(op, collection, {}, unnamed(kept))


def kept_of(collection: Collection) -> dict[str, list[str]]:
    """What is granted on it, as the history keeps it."""
    return named(granted(collection))


def _cleaned(wanted: Granted) -> dict[int, list[str]]:
    found = {pk: [action.value for action in Action if action in actions] for pk, actions in wanted.items()}
    return {pk: found[pk] for pk in sorted(found) if found[pk]}


def check(user: User | None, collection: Collection | None, wanted: Granted) -> None:
    """Whether this person may grant this, in the place of what is granted. Raises NotAllowed."""
    before, after = granted(collection), _cleaned(wanted)
    if user is None or user.is_superuser:
        return
    if collection is None:
        raise NotAllowed(_("Only administrators decide about the whole library."))
    check_collections(user, collection.pk)
    scope = scope_of(user)
    given = {action for pk, actions in after.items() for action in set(actions) - set(before.get(pk, ()))}
    if not all(scope.may(action, collection.pk) for action in given):
        raise NotAllowed(_("You can allow others only what you may do here yourself."))


def check_given(user: User | None, collection: Collection, above: Mapping[int, set[str]]) -> None:
    """Whether this person may have count here what is allowed `above`, by the ids of groups. Raises
    NotAllowed where a group would get by it what this person may not do here."""
    if user is None or user.is_superuser:
        return
    scope = scope_of(user)
    if not all(scope.may(action, collection.pk) for action in added(effective(collection), above)):
        raise NotAllowed(_("What is allowed above would let others do here what you may not do yourself."))


def _store(collection: Collection | None, after: Granted) -> None:
    Grant.objects.filter(collection=collection).delete()
    Grant.objects.bulk_create(
        Grant(collection=collection, group_id=pk, actions=actions) for pk, actions in after.items()
    )


def _record(op: Operation, collection: Collection | None, before: Granted, after: Granted) -> None:
    """For the audit log: the actions of each group of which they are others now, from and to, in words."""
    names = dict(Group.objects.filter(pk__in={*before, *after}).values_list("pk", "name"))
    both = {pk: [", ".join(some.get(pk, ())) for some in (before, after)] for pk in {*before, *after}}
    changes = {names.get(pk, str(pk)): [was, now] for pk, (was, now) in both.items() if was != now}
    if changes:
        audit.record(audit.Event.GRANT_CHANGED, op.user, _about(collection), changes=changes)


def _about(collection: Collection | None) -> Collection | audit.About:
    return collection or audit.About("library", str(LIBRARY), "library")


def named(found: Granted) -> dict[str, list[str]]:
    """As the history keeps it."""
    return {str(pk): list(actions) for pk, actions in found.items()}


def _note(op: Operation, collection: Collection | None, field: str, before: Any, after: Any) -> None:
    kind, pk = Change.Kind.COLLECTION, collection.pk if collection else LIBRARY
    Change.objects.create(
        operation=op, object_kind=kind, object_id=pk, field=field, before=before, after=after
    )
