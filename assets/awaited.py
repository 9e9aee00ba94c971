"""Objects that wait for their pictures, and the pictures when they come (docs/decisions/0012)."""

from django.utils import timezone

from accounts.models import User
from assets import changes
from assets.models import Asset, AssetVersion, Operation, Record
from assets.text import accession_key


def waiting_for(accession: str, place: Asset | None, user: User | None) -> Asset | None:
    """The asset which this picture is for, locked: `place`, or one of the object with this number.

    None where nothing waits, or nothing that `user` may see. Of two pictures that come at the same moment
    the second finds that the first was quicker.
    """
    key = accession_key(accession)
    if place is None and not key:
        return None
    found = Asset.objects.live().awaited()
    found = found.visible_to(user) if user else found
    if place is not None:
        found = found.filter(pk=place.pk)
    else:
        found = found.filter(depictions__record__accession_key=key, depictions__record__trashed_at=None)
    return found.order_by("pk").select_for_update(no_key=True, of=("self",)).first()


def fill(op: Operation, asset: Asset, version: AssetVersion, user: User | None) -> None:
    """Make this version the picture of an asset that waits. It counts as added now, by this person."""
    changes.apply(
        op, [asset], {"current_version": version, "created_at": timezone.now(), "uploaded_by": user}
    )
    asset.current_version = version


def link(op: Operation, asset: Asset, place: Asset) -> None:
    """Say that a picture shows the objects that `place` was kept for."""
    for record in Record.objects.live().filter(depictions__asset=place).order_by("pk"):
        changes.depict(op, asset, record)


def give_up(op: Operation, place: Asset, asset: Asset) -> None:
    """Let a place go, since this asset shows its objects already."""
    link(op, asset, place)
    changes.apply(op, [place], {"trashed_at": timezone.now()})
