"""The files of an asset over time: another one becomes the next version, an earlier one is shown again."""

from typing import IO, Any

from django.core.files import File
from django.db.models import Max
from django.utils.translation import gettext as _

from accounts.models import User
from assets import changes, pipeline, storage
from assets.identify import Identity, identify
from assets.ingest import INTERACTIVE, clean_filename
from assets.models import Asset, AssetVersion, Operation


class SameFile(ValueError):
    """The message is for people."""


def put(asset: Asset, source: IO[bytes] | File[Any], filename: str, user: User) -> Operation:
    """Make a file the next version of an asset; undoing the operation shows the earlier one again.

    Raises SameFile, assets.identify.NotAPicture, storage.TooLarge, StorageFull and StorageDamaged.
    """
    name = clean_filename(filename)
    with storage.spooled(source) as spool:
        identity = identify(spool.path, name)
        with storage.locked(spool.sha256):
            blob = storage.store(spool, identity.media_type)
            known = asset.versions.filter(blob=blob).first()
            if known:
                raise SameFile(
                    _("This very file is here already, as version %(number)d.") % {"number": known.number}
                )
            with changes.together():
                operation = changes.operation("version", f"New file: {name}", user=user)
                changes.lock([asset])
                last = asset.versions.aggregate(last=Max("number"))["last"] or 0
                version = AssetVersion.objects.create(
                    asset=asset, number=last + 1, blob=blob, original_filename=name, **_as_columns(identity)
                )
                changes.apply(operation, [asset], {"current_version": version})
                pipeline.start(version, priority=INTERACTIVE)
    return operation


def show_again(version: AssetVersion, user: User) -> Operation:
    """Make an earlier (or later) version the one that is shown."""
    with changes.together():
        operation = changes.operation("version", f"Shown again: version {version.number}", user=user)
        changes.apply(operation, [version.asset], {"current_version": version})
    return operation


def _as_columns(found: Identity) -> dict[str, Any]:
    return {name: value for name, value in found._asdict().items() if name != "media_type"}
