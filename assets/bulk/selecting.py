"""A selection becomes a fixed list of pictures: those that this person may change at that moment."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from assets.models import Asset, BulkJob
from assets.querysets import AssetQuerySet
from assets.scopes import Action

MOST = 200_000
"""Pictures in one selection."""
KEPT_DAYS = 7  # a selection with which nothing was done


class NothingSelected(ValueError):
    """There is nothing to change; the message is for people."""


def changeable(user: User) -> AssetQuerySet:
    """What may be selected: all that one sees and is not in the trash. What may be done with each is asked
    when it is done."""
    return downloadable(user, Action.SEE)


def downloadable(user: User, action: str) -> AssetQuerySet:
    """Those with which this person may do something."""
    found = Asset.objects.live().allowing(user, action)
    return found if user.is_active else found.none()


def of_uids(user: User, uids: Iterable[UUID]) -> list[int]:
    """Those of these pictures that may be changed, in the order in which they were named."""
    wanted = list(dict.fromkeys(uids))
    found = dict(changeable(user).filter(uid__in=wanted).values_list("uid", "pk"))
    return [found[uid] for uid in wanted if uid in found]


def select(user: User, asset_ids: Sequence[int], question: str = "") -> BulkJob:
    """Keep a list. The ids have been found with the permission of this person. Raises NothingSelected."""
    ids = list(dict.fromkeys(asset_ids))
    if not ids:
        raise NothingSelected(_("Nothing is selected. Select some pictures first."))
    if len(ids) > MOST:
        said = _("These are more than %(most)s pictures. Narrow the question down, and do it in parts.")
        raise NothingSelected(said % {"most": intcomma(MOST)})
    return BulkJob.objects.create(owner=user, asset_ids=ids, total=len(ids), question=question)


def again(job: BulkJob) -> BulkJob:
    """The same pictures once more, for another change: those that still may be changed."""
    left = set(changeable(job.owner).filter(pk__in=job.asset_ids).values_list("pk", flat=True))
    return select(job.owner, [pk for pk in job.asset_ids if pk in left], job.question)


def sweep() -> int:
    """Forget selections with which nothing was done; returns how many."""
    old = timezone.now() - timedelta(days=KEPT_DAYS)
    return BulkJob.objects.filter(state__in=BulkJob.OPEN, token=None, created_at__lt=old).delete()[0]
