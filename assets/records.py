"""Objects of the catalogue by themselves: made, shown by pictures, put into the trash and back."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from accounts.models import User
from assets import changes
from assets.models import Asset, Collection, Depiction, Operation, Record
from assets.querysets import AssetQuerySet


def make(
    words: Mapping[str, Any], user: User, picture: Asset | None, home: Collection | None
) -> tuple[Record, Operation]:
    """A new object with these words, as assets.changes.apply takes them, and what made it.

    Raises ChangeRefused.

    It is shown by `picture`, or an asset waits in `home` for its first one (docs/decisions/0012).
    """
    with changes.together():
        record = Record.objects.create()
        op = changes.operation("edit", "Made a new object", user=user)
        changes.created(op, record)
        changes.apply(op, [record], words)
        record.refresh_from_db()
        op.label = f"Made the object {record}"[:300]
        op.save(update_fields=["label"])
        if picture is None and home is not None:
            picture = Asset.objects.create(collection=home, uploaded_by=user)
            changes.created(op, picture)
        if picture is not None:
            changes.depict(op, picture, record)
    return record, op


def attach(record: Record, asset: Asset, view: str, user: User) -> Operation | None:
    """Say that a picture shows an object; None where that was known. A place that waited goes away."""
    with changes.together():
        changes.lock([asset, *waiting(record, user), record])
        op = changes.operation("edit", f"Added a picture to {record}", user=user)
        if not changes.depict(op, asset, record, view):
            op.delete()
            return None
        if not asset.is_awaited:
            changes.apply(op, waiting(record, user)[:1], {"trashed_at": timezone.now()})
    return op


def detach(record: Record, asset: Asset, user: User) -> Operation | None:
    """Say that a picture does not show an object; both stay. None where nobody had said that it does."""
    with changes.together():
        op = changes.operation("edit", f"Took a picture out of {record}", user=user)
        if not changes.undepict(op, asset, record):
            op.delete()
            return None
    return op


def arrange(record: Record, asset: Asset, user: User, *, view: str = "", step: int = 0) -> Operation | None:
    """Give a picture another view, or move it by one place (-1 or 1) among those of its view.

    Pictures that this person does not see keep their places.
    """
    with changes.together():
        changes.lock([*Asset.objects.filter(depictions__record=record), record])  # then all is as it stands
        order = _arranged(record, asset, user, view, step)
        op = changes.operation("edit", f"Arranged the pictures of {record}", user=user)
        if not order or not changes.arrange(op, record, order):
            op.delete()
            return None
    return op


def _arranged(record: Record, asset: Asset, user: User, view: str, step: int) -> list[tuple[int, str]]:
    """(asset id, view) of all in their new order; nothing where this picture does not show the object."""
    depictions = list(record.depictions.all())
    seen = set(
        Asset.objects.live().visible_to(user).filter(depictions__record=record).values_list("pk", flat=True)
    )
    order = [(d.asset_id, view if d.asset_id == asset.pk and view else d.view) for d in depictions]
    at = next((n for n, (pk, _) in enumerate(order) if pk == asset.pk), None)
    if at is None:
        return []
    same = [n for n, (pk, shown) in enumerate(order) if shown == order[at][1] and pk in seen]
    to = same.index(at) + step if at in same else -1
    if step and 0 <= to < len(same):
        order[at], order[same[to]] = order[same[to]], order[at]
    return order


def trash(record: Record, user: User) -> Operation:
    """Into the trash, with the places that wait for a picture of it alone. Its pictures stay."""
    with changes.together():
        op = changes.operation("trash", f"Moved to the trash: the object {record}", user=user)
        at = timezone.now()
        changes.apply(op, waiting(record, user), {"trashed_at": at})
        changes.apply(op, [record], {"trashed_at": at})
    return op


def restore(record: Record, user: User) -> Operation:
    """Back from the trash, with the places that went with it.

    Raises ChangeRefused where its number was given to another object meanwhile.
    """
    with changes.together():
        op = changes.operation("restore", f"Restored: the object {record}", user=user)
        places = Asset.objects.trashed().filter(current_version=None, depictions__record=record)
        changes.apply(op, places.filter(trashed_at__gte=record.trashed_at), {"trashed_at": None})
        changes.apply(op, [record], {"trashed_at": None})
    return op


def waiting(record: Record, user: User) -> AssetQuerySet:
    """The places that wait for a picture of this object and of no other, as far as this person sees them."""
    others = Depiction.objects.exclude(record=record).filter(record__trashed_at=None).values("asset")
    places = Asset.objects.live().visible_to(user).awaited()
    return places.filter(depictions__record=record).exclude(pk__in=others)
