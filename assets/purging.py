"""Deleting for good what lies in the trash: the picture with all that was made of it, and its bytes.

One transaction takes the rows and leaves a tombstone and a change; the files go after it. What a crash leaves
between the two is nobody's: the sweeper takes the original, `manage.py fixity --sweep` the previews.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

import audit
from accounts.models import User
from assets import changes, storage
from assets.models import Asset, AssetVersion, Blob, Change, Depiction, Record, Rendition, Tombstone

log = logging.getLogger(__name__)
AT_ONCE, PORTION_SECONDS = 50, 60.0
KIND = changes.DELETED


@dataclass(frozen=True)
class Going:
    """What would go with a picture, for the page that asks."""

    versions: list[AssetVersion]
    shared: int
    """Of its files, how many another picture has too, so that they stay."""
    records: list[Record]
    staying: list[Record]


def may_delete(user: User) -> bool:
    """Whether this person may delete for good what they see in the trash."""
    return bool(user.has_perm("assets.delete_asset"))


def days_left(asset: Asset | Record) -> int | None:
    """Until it is deleted for good; 0 is today. None: it stays in the trash."""
    if asset.trashed_at is None or not settings.TRASH_DAYS:
        return None
    return max((asset.trashed_at + timedelta(days=settings.TRASH_DAYS) - timezone.now()).days, 0)


def going_with(asset: Asset) -> Going:
    versions = list(asset.versions.select_related("blob").order_by("number"))
    others = AssetVersion.objects.filter(blob__in=[v.blob_id for v in versions]).exclude(asset=asset)
    shared = set(others.values_list("blob", flat=True))
    records = list(_records_of([asset.pk]))
    staying = Record.objects.live().filter(depictions__asset=asset).distinct()
    return Going(versions, len(shared), records, list(staying))


def empty() -> int:
    """Delete what has been in the trash for TRASH_DAYS, for at most a minute; returns how many pictures."""
    if not settings.TRASH_DAYS:
        return 0
    before = timezone.now() - timedelta(days=settings.TRASH_DAYS)
    until, count = time.monotonic() + PORTION_SECONDS, 0
    while time.monotonic() < until:
        expired = Asset.objects.filter(trashed_at__lt=before).order_by("trashed_at", "pk")
        ids = list(expired.values_list("pk", flat=True)[:AT_ONCE])
        gone = purge(ids, None, before=before)
        count += gone
        if not gone:
            break
    return count


def purge(asset_ids: Sequence[int], user: User | None, before: datetime | None = None) -> int:
    """Delete these for good, those of them that are in the trash (since `before`); returns how many.

    Each is locked first: one that is restored at this moment stays. Call it in no transaction.
    """
    with transaction.atomic():
        since = Q(trashed_at__lt=before) if before else Q(trashed_at__isnull=False)
        locked = Asset.objects.filter(since, pk__in=asset_ids).order_by("pk").select_for_update(of=("self",))
        ids = [asset.pk for asset in locked]
        if not ids:
            return 0
        versions = AssetVersion.objects.filter(asset__in=ids)
        bytes_ = list(Blob.objects.filter(versions__in=versions).distinct().values_list("sha256", flat=True))
        previews = Rendition.objects.filter(version__in=versions)
        names = list(previews.values_list("storage_name", flat=True))
        _delete_rows(ids, user)
    _delete_files(names, bytes_)
    return len(ids)


def _delete_rows(ids: Sequence[int], user: User | None) -> None:
    """Rows of other apps go by the database's own rules: search rows and vectors hang on the asset."""
    assets = list(Asset.objects.filter(pk__in=ids).with_words().prefetch_related("versions__blob"))
    records = list(_records_of(ids).order_by("pk").select_for_update(of=("self",)))
    op = changes.operation(KIND, _label(assets, user), user=user)
    gone: list[tuple[Asset | Record, Tombstone]] = [(asset, _of_asset(asset)) for asset in assets]
    gone += [(record, _of_record(record)) for record in records]
    for _, stone in gone:
        stone.operation, stone.deleted_by = op, user
    Tombstone.objects.bulk_create(stone for _, stone in gone)
    Change.objects.bulk_create(
        Change(
            operation=op, object_kind=changes.kind_of(one), object_id=one.pk, field=KIND, before=_said(stone)
        )
        for one, stone in gone
    )
    for _, stone in gone:
        about = audit.About(stone.kind, str(stone.uid), stone.title)
        audit.record(audit.Event.DELETED, user, about, number=stone.accession_number, sha256=stone.sha256)
    Asset.objects.filter(pk__in=ids).update(current_version=None)
    Asset.objects.filter(pk__in=ids).delete()
    Record.objects.filter(pk__in=[record.pk for record in records]).delete()


def _delete_files(names: Sequence[str], hashes: Sequence[str]) -> None:
    """What cannot be deleted now is left for the sweeper: nothing claims it any more."""
    try:
        for name in names:
            storage.renditions().delete(name)
        for sha256 in hashes:
            storage.remove_unclaimed(sha256)
    except Exception:
        log.exception("Some files of what was deleted are still there; they are swept later")


def _records_of(asset_ids: Sequence[int]) -> "QuerySet[Record]":
    """The objects in the trash that none but these pictures show: they go along."""
    of_others = Depiction.objects.exclude(asset__in=asset_ids)
    shown = Depiction.objects.filter(asset__in=asset_ids)
    found = Record.objects.filter(trashed_at__isnull=False, pk__in=shown.values("record"))
    return found.exclude(pk__in=of_others.values("record"))


def _label(assets: Sequence[Asset], user: User | None) -> str:
    what = assets[0].display_title if len(assets) == 1 else f"{len(assets)} pictures"
    why = "" if user else f" (after {settings.TRASH_DAYS} days in the trash)"
    return f"Deleted for good: {what[:240]}{why}"


def _of_asset(asset: Asset) -> Tombstone:
    records = [depiction.record for depiction in asset.depictions.all()]
    number = next((record.accession_number for record in records if record.accession_number), "")
    return Tombstone(
        kind=Tombstone.Kind.ASSET,
        uid=asset.uid,
        accession_number=number,
        title=asset.display_title[:500],
        filename=asset.filename,
        sha256=list(dict.fromkeys(version.blob.sha256 for version in asset.versions.all())),
        collection=asset.collection,
        access=asset.access,
        embargo_until=asset.embargo_until,
        closes_at=asset.closes_at,
        trashed_at=asset.trashed_at,
    )


def _of_record(record: Record) -> Tombstone:
    """It was seen by those who saw one of its pictures; now only administrators are told."""
    return Tombstone(
        kind=Tombstone.Kind.RECORD,
        uid=record.uid,
        accession_number=record.accession_number,
        title=record.title[:500],
        access=Asset.Access.RESTRICTED,
        trashed_at=record.trashed_at,
    )


def _said(stone: Tombstone) -> dict[str, object]:
    return {
        "uid": str(stone.uid),
        "accession_number": stone.accession_number,
        "title": stone.title,
        "sha256": stone.sha256,
    }
