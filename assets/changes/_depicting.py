"""Which pictures show which objects, in which view and order."""

from collections.abc import Sequence

from django.db import transaction

from assets.changes._steps import Step, commit, depiction, lock
from assets.models import Asset, Depiction, Operation, Record


def depict(op: Operation, asset: Asset, record: Record, view: str = Depiction.View.RECTO) -> bool:
    """Say that this picture shows this object; False when that was known."""
    with transaction.atomic():
        locked = [s for s in lock([asset, record]) if isinstance(s, Asset)]
        if Depiction.objects.filter(asset=asset, record=record).exists():
            return False
        wanted = depiction(record.pk, view, record.depictions.count(), linked=True)
        return commit(op, [Step(subject, "depicts", wanted) for subject in locked]) > 0


def depict_only(op: Operation, asset: Asset, record: Record) -> bool:
    """As `depict`, and a single other record that the picture was said to show is replaced."""
    with transaction.atomic():
        others = list(asset.depictions.exclude(record=record).values_list("record_id", flat=True))
        linked = depict(op, asset, record)
        if linked and len(others) == 1:
            commit(op, [Step(asset, "depicts", depiction(others[0], linked=False))])
    return linked


def undepict(op: Operation, asset: Asset, record: Record) -> bool:
    """Say that this picture does not show this object after all; False when nobody had said so."""
    with transaction.atomic():
        locked = [s for s in lock([asset, record]) if isinstance(s, Asset)]
        if not Depiction.objects.filter(asset=asset, record=record).exists():
            return False
        return (
            commit(op, [Step(subject, "depicts", depiction(record.pk, linked=False)) for subject in locked])
            > 0
        )


def arrange(op: Operation, record: Record, wanted: Sequence[tuple[int, str]]) -> int:
    """Put the pictures of an object into this order, each (asset id, view); returns how many have moved.

    Pictures that are not named keep their view, behind the others.
    """
    with transaction.atomic():
        named = dict(wanted)
        shown = {d.asset_id: d for d in record.depictions.all()}
        order = [pk for pk in named if pk in shown] + [pk for pk in shown if pk not in named]
        views = {pk: named.get(pk, found.view) for pk, found in shown.items()}
        moved = {
            pk: depiction(record.pk, views[pk], n, linked=True)
            for n, pk in enumerate(order)
            if (shown[pk].view, shown[pk].position) != (views[pk], n)
        }
        locked = {
            s.pk: s for s in lock([*Asset.objects.filter(pk__in=moved), record]) if isinstance(s, Asset)
        }
        return commit(op, [Step(locked[pk], "depicts", value) for pk, value in moved.items() if pk in locked])
