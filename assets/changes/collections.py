"""Collections are made, changed and deleted here, with history; undo puts them back.

    op = operation("collection", "Renamed Prints", user=user)
    change(op, collection, {"name": "Works on paper"})

Of a change, `itself` stands for the whole collection: None before it was made and after it was deleted.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from celery import current_app
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from assets.changes import grants
from assets.changes._allowed import ChangeRefused, check_collections, check_home
from assets.changes._notify import notify
from assets.changes._steps import to_json
from assets.inheriting import effective
from assets.models import Asset, Change, Collection, Operation
from assets.querysets import MAX_DEPTH, path_parts
from assets.scopes import forget
from assets.text import label_key

FIELDS = ("name", "parent", "description", "cover")
ITSELF = "itself"
TASK = "assets.collection_changed"
AT_ONCE = 1000
"""Pictures whose search rows are written while a person waits; of a larger collection, a worker does it."""


def make(op: Operation, name: str, parent: Collection | None, description: str = "") -> Collection:
    """A new, empty collection. Raises ChangeRefused."""
    check_collections(op.user, parent.pk if parent else None)
    with transaction.atomic():
        lock_all()
        collection = Collection(name=name, parent=parent, description=description)
        check(collection)
        collection.save(force_insert=True)
        _note(op, collection.pk, ITSELF, None, _whole(collection))
    _forget(op.user)
    return collection


def home(user: User | None, path: str) -> Collection:
    """The collection of this path for something new, made when missing. Raises NotAllowed where this person
    may not put pictures into it, or into what the new one would lie in."""
    found = check_path(user, path)
    if found is None:
        found = Collection.objects.named(path)
        _forget(user)
    return found


def check_path(user: User | None, path: str) -> Collection | None:
    """The collection of this path, if it is there; as `home`, but makes nothing. Raises NotAllowed."""
    found: Collection | None = None
    for part in path_parts(path):
        inner = Collection.objects.filter(parent=found, key=label_key(part)[:200]).first()
        if inner is None:
            check_home(user, found)
            return None
        found = inner
    check_home(user, found)
    return found


def _forget(user: User | None) -> None:
    """What this person may do was found out before the collection was there."""
    if user is not None:
        forget(user)


def change(op: Operation, collection: Collection, patch: Mapping[str, Any]) -> bool:
    """Set some of FIELDS; False where nothing was new. Raises ChangeRefused, for a circle as well."""
    with transaction.atomic():
        lock_all()
        stored = Collection.objects.get(pk=collection.pk)
        check_collections(op.user, stored.pk)
        if "parent" in patch and patch["parent"] != stored.parent:
            check_collections(op.user, patch["parent"].pk if patch["parent"] else None)
            if stored.inherits:
                grants.check_given(op.user, stored, effective(patch["parent"]))
        return write(op, stored, patch)


def write(op: Operation, stored: Collection, patch: Mapping[str, Any]) -> bool:
    """As `change`, for who holds `lock_all` and has asked whether this person may. Raises ChangeRefused."""
    new = {name: value for name, value in patch.items() if getattr(stored, name) != value}
    for name, value in new.items():
        before = to_json(getattr(stored, name))
        setattr(stored, name, value)
        _note(op, stored.pk, name, before, to_json(value))
    check(stored)
    stored.save(update_fields=[*new, "key"])
    if new.keys() & {"name", "parent"}:
        _tell(stored, inner="parent" in new)
    return bool(new)


def delete(op: Operation, collection: Collection) -> None:
    """Raises ChangeRefused unless it is empty: of hidden pictures, and of those in the trash, as well."""
    with transaction.atomic():
        lock_all()
        stored = Collection.objects.select_for_update().get(pk=collection.pk)
        check_collections(op.user, stored.pk)
        if stored.children.exists() or stored.assets.exists():
            raise ChangeRefused(_("Only an empty collection can be deleted."))
        _note(op, stored.pk, ITSELF, _whole(stored), None)
        stored.delete()


def reverse(op: Operation, changes: Iterable[Change]) -> int:
    """Take back what these changes did to collections; returns how many had to stay."""
    return sum(not _reversed(op, one) for one in changes)


def lock_all() -> None:
    """Until the end of the transaction nobody else moves or deletes a collection: no circle can arise."""
    list(Collection.objects.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))


def tell(collection_id: int, after: int) -> int | None:
    """Have AT_ONCE search rows in a collection written anew, beyond the asset `after`; where to go on."""
    collection = Collection.objects.filter(pk=collection_id).first()
    if collection is None:
        return None
    inside = Asset.objects.in_collection(collection).filter(pk__gt=after).order_by("pk")
    with transaction.atomic():
        ids = list(inside.values_list("pk", flat=True)[:AT_ONCE])
        notify(ids)
    return ids[-1] if len(ids) == AT_ONCE else None


def _reversed(op: Operation, one: Change) -> bool:
    pk, name, before, after = one.object_id, one.field, one.before, one.after
    stored = Collection.objects.filter(pk=pk).first()
    try:
        with transaction.atomic():
            if name == ITSELF:
                return _made_again(op, pk, before) if before else _taken_away(op, stored)
            if name in (grants.GRANTS, grants.INHERITS):
                return grants.reverse(op, one)
            if stored is None or to_json(getattr(stored, name)) != after:
                return False
            return change(op, stored, {name: _value(name, before)})
    except ChangeRefused:
        return False


def _made_again(op: Operation, pk: int, whole: Mapping[str, Any]) -> bool:
    parent = Collection.objects.filter(pk=whole["parent"]).first()
    if Collection.objects.filter(pk=pk).exists() or whole["parent"] and parent is None:
        return False
    lock_all()
    check_collections(op.user, whole["parent"])
    values = {name: whole[name] for name in ("uid", "name", "description")}
    values["inherits"] = whole.get("inherits", True)
    collection = Collection(pk=pk, parent=parent, cover=_value("cover", whole["cover"]), **values)
    check(collection)
    collection.save(force_insert=True)
    grants.restore(op, collection, whole.get("grants", {}))
    _note(op, pk, ITSELF, None, dict(whole))
    _forget(op.user)
    return True


def _taken_away(op: Operation, stored: Collection | None) -> bool:
    if stored:
        delete(op, stored)
    return True


def _value(name: str, stored: Any) -> Any:
    """As it stood in the history; what is gone for good is None."""
    models = {"parent": Collection, "cover": Asset}
    return models[name]._default_manager.filter(pk=stored).first() if name in models else stored


def _whole(collection: Collection) -> dict[str, Any]:
    permission = {"inherits": collection.inherits, "grants": grants.kept_of(collection)}
    described = {name: to_json(getattr(collection, name)) for name in FIELDS}
    return {"uid": str(collection.uid)} | described | permission


def _note(op: Operation, pk: int, field: str, before: Any, after: Any) -> None:
    kind = Change.Kind.COLLECTION
    Change.objects.create(
        operation=op, object_kind=kind, object_id=pk, field=field, before=before, after=after
    )


def check(collection: Collection) -> None:
    """Whether it may be called so, and stand where it stands. Raises ChangeRefused."""
    if " / " in collection.name:
        raise ChangeRefused(_("“ / ” stands between collections, so it cannot be part of a name."))
    check_place(collection)
    try:
        collection.full_clean(exclude=["cover"])
    except ValidationError as error:
        if NON_FIELD_ERRORS in error.message_dict:
            raise ChangeRefused(_("There is a collection of this name in the same place.")) from error
        raise ChangeRefused(" ".join(error.messages)) from error


def check_place(collection: Collection) -> None:
    """Whether it may stand where it stands. Raises ChangeRefused."""
    parents = dict(Collection.objects.values_list("pk", "parent"))  # as they stand, whoever handed in what
    above, pk = 0, collection.parent_id
    while pk is not None and above <= MAX_DEPTH:
        if pk == collection.pk:
            raise ChangeRefused(_("A collection cannot lie inside itself."))
        above, pk = above + 1, parents.get(pk)
    if above + _height(collection) > MAX_DEPTH:
        raise ChangeRefused(_("Not more than %(most)d collections inside one another.") % {"most": MAX_DEPTH})


def _height(collection: Collection) -> int:
    """How many lie inside one another, this one and below."""
    height, level = 1, [collection.pk] if collection.pk else []
    while level and height <= MAX_DEPTH:
        level = list(Collection.objects.filter(parent__in=level).values_list("pk", flat=True))
        height += bool(level)
    return height


def _tell(collection: Collection, *, inner: bool) -> None:
    """The search rows of its pictures say another name and place now; of those in `inner` ones, a place."""
    inside = Asset.objects.in_collection(collection) if inner else Asset.objects.filter(collection=collection)
    ids = list(inside.order_by("pk").values_list("pk", flat=True)[: AT_ONCE + 1])
    if len(ids) <= AT_ONCE:
        notify(ids)
        return
    message = {"collection_id": collection.pk, "after": 0}
    # Should it get lost, the daily comparison of all rows puts them right.
    transaction.on_commit(lambda: current_app.send_task(TASK, kwargs=message), robust=True)
