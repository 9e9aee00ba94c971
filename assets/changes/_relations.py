"""What is said of two pictures: one relation at most, whichever of them comes first in it."""

from typing import Any

from django.db.models import Q

from assets.models import Asset, Change, Operation, Relation

Kind = Relation.Kind
SAID = {
    Kind.DUPLICATE: "Two pictures were said to be duplicates",
    Kind.VERSION: "One picture was said to be a version of another",
    Kind.DETAIL: "One picture was said to be a detail of another",
    Kind.VERSO: "One picture was said to be the verso of another",
    Kind.UNRELATED: "Two pictures were said to be unrelated",
}
Value = dict[str, Any]


def relation(asset_id: int, other_id: int, kind: str) -> Value:
    """The value of a `related` step: what the first picture is of the other; nothing where that is empty."""
    return {"asset": asset_id, "other": other_id, "kind": str(kind)}


def known(value: Value) -> Value:
    """What is said at present of the two pictures that a value speaks of."""
    found = _between(value["asset"], value["other"]).first()
    return relation(found.asset_id, found.other_id, found.kind) if found else {**value, "kind": ""}


def relate(op: Operation, value: Value) -> Value:
    """Write a value in place of what was said of the two before, which is returned."""
    before = known(value)
    _between(value["asset"], value["other"]).delete()
    ends = {"asset_id": value["asset"], "other_id": value["other"]}
    if value["kind"] and Asset.objects.filter(pk__in=ends.values()).count() == len(ends):
        Relation.objects.create(**ends, kind=value["kind"], user=op.user)
    return before


def mirrored(change: Change) -> Change:
    """The same change in the history of the other picture."""
    said: Value = change.after or {}
    ends = said["asset"], said["other"]
    return Change(
        operation=change.operation,
        object_kind=change.object_kind,
        object_id=ends[0] if change.object_id == ends[1] else ends[1],
        field=change.field,
        before=change.before,
        after=change.after,
    )


def _between(one: int, two: int) -> Any:
    return Relation.objects.filter(Q(asset=one, other=two) | Q(asset=two, other=one))
