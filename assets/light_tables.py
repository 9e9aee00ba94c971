"""Light tables: pictures from anywhere, put side by side and in order by hand.

A table is arranged by moves ("this one before that one"), never by sending the whole order: what two people
do at the same time is all done. Nobody sees a hidden picture by it, and hidden ones keep their places.
"""

from collections.abc import Sequence
from typing import NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from assets import changes
from assets.changes import tables
from assets.models import Asset, AssetSet, Operation, SetItem

MOST = 1000
"""Pictures on one table."""


class TableError(ValueError):
    """It cannot be done; the message is for people."""


class Added(NamedTuple):
    added: int
    known: int
    """How many lay there already."""
    operation: Operation | None
    """For undo; None where nothing was added."""


def items_for(user: User, table: AssetSet) -> "QuerySet[SetItem]":
    """The pictures on a table that this person may see, in their order; none from the trash."""
    seen = Asset.objects.live().visible_to(user)
    return SetItem.objects.filter(set=table, asset__in=seen).order_by("position", "pk")


def tables_of(user: User, asset: Asset) -> "QuerySet[AssetSet]":
    """The tables that this picture lies on, of those that this person may see."""
    return AssetSet.objects.visible_to(user).filter(items__asset=asset).order_by("name")


def may_delete(user: User, table: AssetSet) -> bool:
    """Also to share it, or to keep it for oneself."""
    return table.owner_id in (None, user.pk) or user.is_superuser


def make(user: User, name: str, description: str = "", *, shared: bool = False) -> AssetSet:
    return AssetSet.objects.create(name=name, description=description, shared=shared, owner=user)


def add(user: User, table: AssetSet, asset_ids: Sequence[int]) -> Added:
    """Put pictures at the end of a table, in this order; those that this person may not see are left out.

    Raises TableError where the table is full, or gone, or not this person's.
    """
    with transaction.atomic():
        table = _locked(user, table)
        wanted = list(dict.fromkeys(asset_ids))
        seen = set(Asset.objects.live().visible_to(user).filter(pk__in=wanted).values_list("pk", flat=True))
        known = set(table.items.values_list("asset", flat=True))
        fresh = [pk for pk in wanted if pk in seen - known]
        if len(known) + len(fresh) > MOST:
            raise TableError(_("A light table holds at most %(most)d pictures.") % {"most": MOST})
        if not fresh:
            return Added(0, len(seen & known), None)
        said = ngettext(
            "Put %(number)d picture on %(name)s", "Put %(number)d pictures on %(name)s", len(fresh)
        )
        op = changes.operation("light table", said % {"number": len(fresh), "name": table.name}, user=user)
        end = len(known)
        tables.put(op, table, [{"asset": pk, "position": end + n, "note": ""} for n, pk in enumerate(fresh)])
    return Added(len(fresh), len(seen & known), op)


def remove(user: User, table: AssetSet, asset_ids: Sequence[int]) -> Operation | None:
    """Take pictures off; the operation for undo, None where none lay there. Raises TableError."""
    with transaction.atomic():
        table = _locked(user, table)
        lying = list(items_for(user, table).filter(asset__in=asset_ids).values_list("asset", flat=True))
        if not lying:
            return None
        said = ngettext(
            "Took %(number)d picture off %(name)s", "Took %(number)d pictures off %(name)s", len(lying)
        )
        op = changes.operation("light table", said % {"number": len(lying), "name": table.name}, user=user)
        tables.take(op, table, lying)
    return op


def move(
    user: User, table: AssetSet, asset: Asset, *, by: int = 0, place: int = 0, before: Asset | None = None
) -> AssetSet:
    """Move a picture `by` places among those that this person sees, or to a `place` counted from 1; else
    `before` another one, or to the end. Returns the table as it is now. Raises TableError."""
    with transaction.atomic():
        table = _locked(user, table)
        order = [item["asset"] for item in tables.items_of(table)]
        seen = list(items_for(user, table).values_list("asset", flat=True))
        if asset.pk not in seen or before and before.pk not in seen:
            raise TableError(_("This picture does not lie on the table any more."))
        others = [pk for pk in seen if pk != asset.pk]
        if by or place:
            to = max(place - 1 if place else seen.index(asset.pk) + by, 0)
        else:
            to = others.index(before.pk) if before and before != asset else len(others)
        new = [pk for pk in order if pk != asset.pk]
        new.insert(new.index(others[to]) if to < len(others) else _behind(new, others), asset.pk)
        if before != asset and new != order:
            tables.number(table, new)
    return table


def _behind(order: Sequence[int], others: Sequence[int]) -> int:
    """Behind the last of the others that are seen."""
    return order.index(others[-1]) + 1 if others else len(order)


def note(user: User, table: AssetSet, asset: Asset, text: str) -> None:
    """Raises TableError."""
    with transaction.atomic():
        table = _locked(user, table)
        if not items_for(user, table).filter(asset=asset).update(note=text):
            raise TableError(_("This picture does not lie on the table any more."))


def _locked(user: User, table: AssetSet) -> AssetSet:
    """As it stands now, for this transaction alone. Raises TableError."""
    found = AssetSet.objects.visible_to(user).select_for_update(no_key=True, of=("self",))
    locked = found.filter(pk=table.pk).first()
    if locked is None:
        raise TableError(_("This light table is not there any more."))
    return locked
