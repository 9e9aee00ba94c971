"""What a link shows at this moment: never more than its maker may see and share now."""

from typing import NamedTuple

from django.db.models import Q, QuerySet

from accounts.models import User
from assets.copies import LIMITED, Copy
from assets.kinds import OTHER
from assets.licensing import Verdict
from assets.models import Asset, AssetSet, AssetVersion, Collection, SetItem, ShareLink
from assets.querysets import AssetQuerySet
from assets.scopes import embargo_is_over, rights_last

MOST = 5000
"""Pictures that one link shows."""


class Counts(NamedTuple):
    """Of what somebody wants to share."""

    seen: int
    refused: int
    """Of them those that this person may not share."""
    shown: int
    """Those that a link would show at this moment."""


def pictures(link: ShareLink, action: str = "share") -> AssetQuerySet:
    """The pictures of a link; with `download` or `original` those of which files may be given out so.

    None that is restricted or under an embargo, although administrators see them, and none of which the
    licence or a consent has ended: what is no longer public is not for people outside.
    """
    maker = link.maker
    if maker is None or not maker.is_active:
        return Asset.objects.none()
    found = Asset.objects.live().visible_to(maker).allowing(maker, "share").allowing(maker, action)
    open_ = embargo_is_over() & rights_last() & ~Q(access=Asset.Access.RESTRICTED)
    return _of(link, maker, found.filter(open_, current_version__isnull=False))


def counted(link: ShareLink) -> Counts:
    """For a link that is not made yet. What its maker does not see is not counted."""
    maker = link.maker
    assert maker is not None  # noqa: S101 - who makes it
    seen = _of(link, maker, Asset.objects.live().visible_to(maker)).filter(current_version__isnull=False)
    number = seen.count()
    return Counts(number, number - seen.allowing(maker, "share").count(), pictures(link).count())


def _of(link: ShareLink, maker: User, found: AssetQuerySet) -> AssetQuerySet:
    """Those of these that the link is about."""
    if link.kind == ShareLink.Kind.COLLECTION:
        collection = Collection.objects.filter(pk__in=[link.target]).first()
        return found.in_collection(collection) if collection else found.none()
    if link.kind == ShareLink.Kind.TABLE:
        return found.filter(pk__in=_lying(link, maker).values("asset"))
    return found.filter(pk__in=link.asset_ids)


def _lying(link: ShareLink, maker: User) -> "QuerySet[SetItem]":
    tables = AssetSet.objects.visible_to(maker).filter(pk__in=[link.target])
    return SetItem.objects.filter(set__in=tables)


def in_order(link: ShareLink) -> list[int]:
    """The ids of the pictures, at most MOST: as selected or arranged; of a collection the newest first."""
    found = pictures(link)
    if link.kind == ShareLink.Kind.COLLECTION:
        return list(found.order_by("-created_at", "-pk").values_list("pk", flat=True)[:MOST])
    if link.kind == ShareLink.Kind.TABLE:
        items = SetItem.objects.filter(set=link.target, asset__in=found).order_by("position", "pk")
        return list(items.values_list("asset", flat=True)[:MOST])
    there = set(found.values_list("pk", flat=True))
    return [pk for pk in link.asset_ids if pk in there][:MOST]


def copies_of(link: ShareLink, version: AssetVersion, verdict: Verdict) -> list[Copy]:
    """The JPEGs of a version that this link gives out, largest first; never the original file itself."""
    whole = min(max(version.width, version.height), link.longest, verdict.longest)
    if version.format == OTHER or whole == 0:
        return []
    return [Copy("JPEG", size) for size in dict.fromkeys([whole, *(n for n in LIMITED if n < whole)])]


def gives_originals(link: ShareLink) -> bool:
    return link.sizes == ShareLink.Sizes.ORIGINAL
