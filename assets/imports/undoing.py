"""Taking a whole import back: its operations in reverse order, some at a time."""

from dataclasses import dataclass

from django.db.models import QuerySet

from accounts.models import User
from assets import changes
from assets.models import Asset, Batch, Change, Import, Operation
from assets.seen import assets_for

AT_ONCE = 20  # operations; one may be of 500 objects


class CannotUndo(ValueError):
    """The import cannot be taken back; the message is for people."""


@dataclass(frozen=True)
class Foreseen:
    """What taking back would do, in pictures and objects."""

    pictures: int
    """Made by the import, and to go to the trash."""
    places: int
    """Objects that wait for their picture, made by it and to go as well."""
    described: int
    """Pictures and objects that were here before, and get back the words that nobody has changed since."""
    edited: list[Asset]
    """Made by the import and worked on by people since: they stay. The first that this person sees."""


def operations(batch: Batch) -> "QuerySet[Operation]":
    """What is still to be taken back of a batch, the newest first."""
    made = Operation.objects.filter(batch=batch, undone_by=None).exclude(kind="undo")
    return made.order_by("-pk")


def foreseen(batch: Batch, user: User | None = None) -> Foreseen:
    """For this person; None sees all."""
    born = Change.objects.filter(
        operation__in=operations(batch), field="created", object_kind=Change.Kind.ASSET
    )
    assets = Asset.objects.live().filter(pk__in=born.values("object_id"))
    edited = changes.edited_by_people(operations(batch))
    touched = Change.objects.filter(operation__in=operations(batch)).exclude(field="created")
    others = touched.exclude(object_id__in=born.values("object_id"), object_kind=Change.Kind.ASSET)
    made = Change.objects.filter(operation__in=operations(batch), field="created")
    records = made.filter(object_kind=Change.Kind.RECORD).values("object_id")
    others = others.exclude(object_id__in=records, object_kind=Change.Kind.RECORD)
    kept = set(changes.with_pictures(edited))
    return Foreseen(
        pictures=assets.exclude(pk__in=kept).exclude(current_version=None).count(),
        places=assets.exclude(pk__in=kept).awaited().count(),
        described=others.values("object_kind", "object_id").distinct().count(),
        edited=list(assets_for(user).filter(pk__in=assets.filter(pk__in=kept)).order_by("pk")[:50]),
    )


def undo_some(delivery: Import) -> bool:
    """Take back the next operations; True when none is left."""
    left = operations(delivery.batch)
    if delivery.position:
        left = left.filter(pk__lt=delivery.position)
    found = list(left[:AT_ONCE])
    user = User.objects.filter(pk=delivery.options.get("undone_by")).first() or delivery.user
    for operation in found:
        try:
            _, kept = changes.undo_keeping(operation, user)
        except changes.ChangeRefused as refused:
            kept = 1
            _note(delivery, f"{operation.label}: {refused}")
        delivery.options["kept"] = delivery.options.get("kept", 0) + kept
        delivery.position = operation.pk
        delivery.save(update_fields=["position", "options", "notes"])
    return len(found) < AT_ONCE


def _note(delivery: Import, text: str) -> None:
    delivery.notes = [*delivery.notes, text][-50:]


def of_batch(batch: Batch) -> Import:
    """The import of a batch; an ordinary upload gets one, so that it can be taken back as a whole."""
    found, _ = Import.objects.get_or_create(
        batch=batch, defaults={"state": Import.State.DONE, "laid_out": True, "options": {"upload": True}}
    )
    return found
