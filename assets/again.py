"""Having stages done again, and more of them: by people, and where the input of a stage has changed."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from assets.models import Asset, AssetVersion, StageRun
from assets.pipeline import FEW, feed
from assets.stages import pipeline

State = StageRun.State
AFRESH: dict[str, Any] = {
    "state": State.WAITING,
    "attempts": 0,
    "lost_workers": 0,
    "token": None,
    "not_before": None,
    "lease_until": None,
    "reason": "",
    "detail": "",
}


def retry(assets: Iterable[Asset], stages: Sequence[str] | None = None, force: bool = False) -> int:
    """Let failed runs of these assets wait again; with `force` finished ones too. Returns how many."""
    versions = [asset.current_version_id for asset in assets]
    runs = StageRun.objects.filter(version__in=versions, stage__in=list(stages or pipeline()))
    return retry_runs(runs, force=force)


def retry_runs(runs: "QuerySet[StageRun]", priority: int | None = None, force: bool = False) -> int:
    """Let those of these runs that failed (with `force`, also finished ones) wait again; returns how many.

    Without a priority, a few are what somebody waits for, and many are an import.
    """
    states = [State.FAILED, State.DONE, State.WAITING] if force else [State.FAILED]
    chosen = runs.filter(state__in=states)
    if priority is None:
        many = len(chosen.values_list("pk")[: FEW + 1]) > FEW
        priority = StageRun.BULK if many else StageRun.INTERACTIVE
    count = chosen.update(**AFRESH, priority=priority)
    transaction.on_commit(feed)
    return count


def cancel(runs: "QuerySet[StageRun]", who: str) -> int:
    """What waits of these runs, and is not a matter of the background, is given up: it counts as failed, and
    can be tried again. Returns how many pictures that touches."""
    waiting = runs.filter(state__in=[State.WAITING, State.QUEUED], priority__lt=StageRun.BACKGROUND)
    said = f"Cancelled by {who} while it waited. Try it again to have it done."
    with transaction.atomic():
        found = dict(waiting.select_for_update(of=("self",)).values_list("pk", "version"))
        StageRun.every.filter(pk__in=found).update(
            state=State.FAILED, reason=said, lease_until=None, token=None, changed_at=timezone.now()
        )
    return len(set(found.values()))


def outdated(name: str, asset_ids: Sequence[int]) -> int:
    """The input of a stage has changed: its runs on these assets wait again, in all variants.

    A result that is being computed meanwhile is dropped, since the run loses its token. Returns how many.
    """
    runs = StageRun.every.filter(stage=name, version__current_of__in=asset_ids)
    return runs.update(**AFRESH, priority=StageRun.BACKGROUND)


def plan(name: str, variant: int, limit: int) -> int:
    """Note up to `limit` missing runs of a variant, for current versions that have none. Returns how many."""
    versions = AssetVersion.objects.filter(current_of__isnull=False)
    known = StageRun.every.filter(version=OuterRef("pk"), stage=name, variant=variant)
    missing = versions.filter(~Exists(known)).values_list("pk", "blob__sha256")[:limit]
    runs = [
        StageRun(version_id=pk, stage=name, variant=variant, priority=StageRun.BACKGROUND, input_hash=sha256)
        for pk, sha256 in missing
    ]
    return len(StageRun.every.bulk_create(runs, ignore_conflicts=True, batch_size=2000))
