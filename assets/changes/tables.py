"""Light tables: what is put on them and taken off has a history, and undo puts it back where it lay.

Of a change, `item` is one picture on a table ({asset, position, note}; None where it is not there), and
`itself` the whole table with its pictures.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from assets.models import Asset, AssetSet, Change, Operation, SetItem

ITSELF, ITEM = "itself", "item"
Item = Mapping[str, Any]


def lock(table: AssetSet) -> AssetSet:
    """As it stands now, and nobody else changes it until the end of the transaction.

    Raises AssetSet.DoesNotExist.
    """
    return AssetSet.objects.select_for_update(no_key=True).get(pk=table.pk)


def put(op: Operation, table: AssetSet, items: Sequence[Item]) -> None:
    """Put these pictures, which are not there yet, at their positions. The table is locked."""
    order = [(item["asset"], item["note"]) for item in items_of(table)]
    for item in sorted(items, key=lambda item: int(item["position"])):
        order.insert(item["position"], (item["asset"], item["note"]))
    made = {item["asset"] for item in items}
    SetItem.objects.bulk_create(
        SetItem(set=table, asset_id=item["asset"], note=item["note"], position=0) for item in items
    )
    number(table, [pk for pk, _ in order])
    places = {pk: place for place, (pk, _) in enumerate(order) if pk in made}
    said = [{**item, "position": places[item["asset"]]} for item in items]
    _note(op, table.pk, [(None, item) for item in said])


def take(op: Operation, table: AssetSet, asset_ids: Iterable[int]) -> int:
    """Take these pictures off; returns how many lay there. The table is locked."""
    wanted = set(asset_ids)
    gone = [item for item in items_of(table) if item["asset"] in wanted]
    table.items.filter(asset__in=wanted).delete()
    _note(op, table.pk, [(item, None) for item in gone])
    touched(table)
    return len(gone)


def number(table: AssetSet, asset_ids: Sequence[int]) -> None:
    """Give the pictures of a table, all of them, this order. The table is locked."""
    places = {pk: place for place, pk in enumerate(asset_ids)}
    moved = [item for item in table.items.all() if item.position != places[item.asset_id]]
    for item in moved:
        item.position = places[item.asset_id]
    SetItem.objects.bulk_update(moved, ["position"], batch_size=500)
    touched(table)


def touched(table: AssetSet) -> None:
    """Note that the pictures or their order are others now."""
    table.arrangement += 1
    table.changed_at = timezone.now()
    table.save(update_fields=["arrangement", "changed_at"])


def items_of(table: AssetSet) -> list[dict[str, Any]]:
    """{asset, position, note} of each, in order; the positions are counted anew."""
    found = table.items.order_by("position", "pk").values("asset", "note")
    return [{**item, "position": place} for place, item in enumerate(found)]


def delete(op: Operation, table: AssetSet) -> None:
    with transaction.atomic():
        table = lock(table)
        whole: dict[str, Any] = {"uid": str(table.uid), "name": table.name, "description": table.description}
        whole |= {"owner": table.owner_id, "shared": table.shared, "cover": table.cover_id}
        _note(op, table.pk, [(whole | {"items": items_of(table)}, None)], ITSELF)
        table.delete()


def reverse(op: Operation, changes: Iterable[Change]) -> int:
    """Take back what these changes did to light tables; returns how many had to stay."""
    by_table: dict[int, list[Change]] = {}
    for one in changes:
        by_table.setdefault(one.object_id, []).append(one)
    return sum(_reversed(op, pk, found) for pk, found in by_table.items())


def _reversed(op: Operation, pk: int, changes: Sequence[Change]) -> int:
    table = AssetSet.objects.filter(pk=pk).first()
    whole = [one for one in changes if one.field == ITSELF]
    if whole:
        return sum(not _whole_back(op, pk, table, one) for one in whole)
    if table is None:
        return len(changes)
    table = lock(table)
    lies = {item["asset"] for item in items_of(table)}
    added = {one.after["asset"] for one in changes if one.after} & lies
    taken = [one.before for one in changes if one.before and one.before["asset"] not in lies]
    alive = set(Asset.objects.filter(pk__in=[item["asset"] for item in taken]).values_list("pk", flat=True))
    taken = [item for item in taken if item["asset"] in alive]
    if added:
        take(op, table, added)
    if taken:
        put(op, table, taken)
    return len(changes) - len(added) - len(taken)


def _whole_back(op: Operation, pk: int, table: AssetSet | None, one: Change) -> bool:
    """A deleted table is made again; one that was made again is deleted."""
    if one.before is None:
        if table:
            delete(op, table)
        return table is not None
    if table is not None:
        return False
    whole = one.before
    ids = [item["asset"] for item in whole["items"]] + [whole["cover"]]
    alive = set(Asset.objects.filter(pk__in=[i for i in ids if i]).values_list("pk", flat=True))
    owner = get_user_model()._default_manager.filter(pk=whole["owner"]).first()
    made = AssetSet.objects.create(
        pk=pk,
        uid=whole["uid"],
        name=whole["name"],
        description=whole["description"],
        owner=owner,
        shared=whole["shared"],
        cover_id=whole["cover"] if whole["cover"] in alive else None,
    )
    items = [item for item in whole["items"] if item["asset"] in alive]
    SetItem.objects.bulk_create(
        SetItem(set=made, asset_id=item["asset"], note=item["note"], position=place)
        for place, item in enumerate(items)
    )
    _note(op, pk, [(None, whole)], ITSELF)
    return True


def _note(
    op: Operation, pk: int, pairs: Sequence[tuple[Item | None, Item | None]], field: str = ITEM
) -> None:
    kind = Change.Kind.TABLE
    Change.objects.bulk_create(
        Change(operation=op, object_kind=kind, object_id=pk, field=field, before=before, after=after)
        for before, after in pairs
    )
