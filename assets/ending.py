"""Pictures whose licence or consents end: soon, or since when; and which of this is news to somebody."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.db.models.functions import Least
from django.utils import timezone

from accounts.models import User
from assets.models import Asset, LicenceRules, RightsSeen
from assets.models.pictures import HAS_AN_END
from assets.querysets import AssetQuerySet


@dataclass(frozen=True)
class Window:
    """Pictures that end within so many days and not within fewer; `days` is 0 for those that have ended."""

    days: int
    count: int
    news: int


def managed(user: User) -> Any:
    """What this person manages and what has an end, as `ends_at`; the earliest first."""
    found = Asset.objects.live().allowing(user, "manage")
    dated = found.filter(HAS_AN_END)
    return dated.annotate(ends_at=Least("rights_expire_at", "consent_ends_at")).order_by("ends_at", "pk")


def within(user: User, days: int, now: datetime) -> AssetQuerySet:
    """Those of one window of `windows`."""
    found: Any = managed(user)
    if days:
        before = max((fewer for fewer in warn_days() if fewer < days), default=0)
        found = found.filter(ends_at__gt=now + timedelta(days=before))
    within: AssetQuerySet = found.filter(ends_at__lte=now + timedelta(days=days))
    return within


def warn_days() -> list[int]:
    """The days before an end at which people are told, the shortest first."""
    return sorted(set(LicenceRules.current().warn_days))


def windows(user: User) -> list[Window]:
    """Ended, then each window, the nearest first, counted in one query; news is what has entered a window
    since this person's last look."""
    every, now = [0, *warn_days()], timezone.now()
    seen = RightsSeen.objects.filter(user=user).values_list("at", flat=True).first()
    counts: dict[str, Count] = {}
    for before, days in zip([None, *every], every, strict=False):
        inside = Q(ends_at__lte=now + timedelta(days=days))
        if before is not None:
            inside &= Q(ends_at__gt=now + timedelta(days=before))
        new = inside & Q(ends_at__gt=seen + timedelta(days=days)) if seen else inside
        counts |= {f"n{days}": Count("pk", filter=inside), f"new{days}": Count("pk", filter=new)}
    found = managed(user).order_by().aggregate(**counts)
    return [Window(days, found[f"n{days}"], found[f"new{days}"]) for days in every]


def news(user: User) -> int:
    """How many pictures have come nearer to their end since this person last looked."""
    return sum(window.news for window in windows(user))


def looked(user: User) -> None:
    RightsSeen.objects.update_or_create(user=user, defaults={"at": timezone.now()})
