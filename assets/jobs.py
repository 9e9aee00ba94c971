"""What the workers do, what waits for them, what failed and why, and how long it takes: for the jobs page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Min, TextField, Value
from django.db.models.functions import MD5, Concat, TruncMinute
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from assets import again, queues
from assets.models import Asset, Batch, BatchItem, StageRun
from assets.querysets import AssetQuerySet
from assets.stages import pipeline as stages

State = StageRun.State
MOST_RUNNING, MOST_BATCHES, MOST_REASONS = 20, 20, 50
MINUTES, RECENT_MINUTES = 60, 10
LABELS = {
    queues.INTERACTIVE: gettext_lazy("Uploads that somebody waits for"),
    queues.BULK: gettext_lazy("Imports"),
    queues.VECTORISE: gettext_lazy("Likeness of imported pictures"),
}
GROUP = MD5(Concat("stage", Value(" "), "reason", output_field=TextField()))


def lasted(since: datetime | None) -> str:
    """How long ago that was, in words; empty where nobody knows."""
    if since is None:
        return ""
    seconds = (timezone.now() - since).total_seconds()
    return _("less than a minute") if seconds < 60 else timesince(since, depth=1)


@dataclass(frozen=True)
class Running:
    asset: Asset
    stage: str
    lasted: str
    worker: str


@dataclass(frozen=True)
class Queue:
    label: str
    steps: int
    oldest: str


@dataclass(frozen=True)
class WaitingBatch:
    batch: Batch
    pictures: int


@dataclass(frozen=True)
class Reason:
    """Failed steps of one kind with one reason."""

    key: str
    label: str
    reason: str
    pictures: int


def visible(user: User) -> AssetQuerySet:
    return Asset.objects.live().visible_to(user)


def _runs_for(user: User) -> Any:
    return StageRun.objects.filter(version__current_of__in=visible(user))


# --- now ------------------------------------------------------------------------------------------


def running(user: User) -> list[Running]:
    """The longest first; only pictures that `user` may see."""
    runs = _runs_for(user).filter(state=State.RUNNING, priority__lt=StageRun.BACKGROUND)
    runs = runs.select_related("version").order_by(F("began_at").asc(nulls_last=True))[:MOST_RUNNING]
    assets = visible(user).for_grid().in_bulk([run.version.asset_id for run in runs])
    return [
        Running(assets[run.version.asset_id], stages()[run.stage].label, lasted(run.began_at), run.worker)
        for run in runs
        if run.version.asset_id in assets and run.stage in stages()
    ]


def waiting() -> list[Queue]:
    """Each queue with its waiting steps, of all pictures: numbers tell nothing about any of them."""
    found = []
    for name, label in LABELS.items():
        runs = StageRun.objects.filter(queues.runs_of(name), state__in=[State.WAITING, State.QUEUED])
        runs = runs.exclude(version__stage_runs__state=State.FAILED, stage__in=_in_need())
        numbers = runs.aggregate(steps=Count("pk"), oldest=Min("changed_at"))
        found.append(Queue(str(label), numbers["steps"], lasted(numbers["oldest"])))
    return [queue for queue in found if queue.steps]


def _in_need() -> list[str]:
    """Stages that may wait for ever because another has failed."""
    return [name for name, stage in stages().items() if stage.needs]


def waiting_batches(user: User) -> list[WaitingBatch]:
    """Those of `user`, for staff all, that have pictures waiting; the newest first."""
    open_runs = StageRun.objects.filter(
        state__in=[State.WAITING, State.QUEUED], stage__in=_first(), priority__lt=StageRun.BACKGROUND
    )
    items = BatchItem.objects.filter(
        outcome=BatchItem.Outcome.ACCEPTED, asset__current_version__in=open_runs.values("version")
    )
    if not user.is_staff:
        items = items.filter(batch__user=user)
    rows = items.values("batch").annotate(number=Count("asset", distinct=True)).order_by("-batch")
    numbers = {row["batch"]: row["number"] for row in rows[:MOST_BATCHES]}
    batches = Batch.objects.select_related("user").in_bulk(list(numbers))
    return [WaitingBatch(batches[pk], number) for pk, number in numbers.items() if pk in batches]


def _first() -> list[str]:
    """The stages that need no other, and that people wait for."""
    return [name for name, stage in stages().items() if not stage.needs and not stage.quiet]


def cancel(batch: Batch, user: User) -> int:
    """What waits of a batch is not done, and can be tried again; returns how many pictures that touches."""
    versions = (
        visible(user)
        .filter(batch_items__batch=batch, batch_items__outcome=BatchItem.Outcome.ACCEPTED)
        .values("current_version")
    )
    return again.cancel(StageRun.objects.filter(version__in=versions), user.get_username())


# --- how fast -------------------------------------------------------------------------------------


def by_minute(now: datetime) -> list[int]:
    """Pictures whose preview was finished, or failed, in each of the last MINUTES minutes, oldest first."""
    start = now.replace(second=0, microsecond=0) - timedelta(minutes=MINUTES - 1)
    finished = _finished(["make_renditions"], start).annotate(minute=TruncMinute("changed_at"))
    numbers = dict(finished.values_list("minute").annotate(Count("pk")).order_by())
    return [numbers.get(start + timedelta(minutes=n), 0) for n in range(MINUTES)]


def _finished(names: Sequence[str], since: datetime) -> Any:
    return StageRun.objects.filter(
        stage__in=names, state__in=[State.DONE, State.FAILED], changed_at__gte=since
    )


def seconds_left(now: datetime) -> float | None:
    """Until nothing waits that people wait for, by the speed of the last minutes; None: not known, or nothing
    waits. The slowest stage decides."""
    left = []
    for name, stage in stages().items():
        open_runs = StageRun.objects.filter(
            stage=name, state__in=queues.OPEN, priority__lt=StageRun.BACKGROUND
        )
        if stage.needs:
            open_runs = open_runs.exclude(version__stage_runs__state=State.FAILED)
        if not (number := open_runs.count()):
            continue
        done = _finished([name], now - timedelta(minutes=RECENT_MINUTES))
        seen = done.aggregate(number=Count("pk"), first=Min("changed_at"))
        if not seen["number"]:
            return None
        left.append(number * max((now - seen["first"]).total_seconds(), 1) / seen["number"])
    return max(left, default=None)


def left_in_words(seconds: float | None) -> str:
    if seconds is None:
        return _("Under way")
    if seconds < 90:
        return _("About a minute left")
    if seconds < 5400:
        return _("About %(number)s minutes left") % {"number": round(seconds / 60)}
    return _("About %(number)s hours left") % {"number": round(seconds / 3600)}


@dataclass(frozen=True)
class Plot:
    """Bars of an SVG of 360 x 60 units."""

    bars: list[tuple[float, float, float]]  # x, y, height
    most: int
    total: int


def plot(numbers: Sequence[int]) -> Plot:
    most, step = max(numbers, default=0), 360 / max(len(numbers), 1)
    heights = [round(58 * number / most, 1) if most else 0.0 for number in numbers]
    bars = [(round(n * step, 1), 60 - height, height) for n, height in enumerate(heights) if height]
    return Plot(bars, most, sum(numbers))


def now(user: User) -> dict[str, Any]:
    """All that changes while one looks."""
    moment = timezone.now()
    return {
        "running": running(user),
        "queues": waiting(),
        "batches": waiting_batches(user),
        "plot": plot(by_minute(moment)),
        "left": left_in_words(seconds_left(moment)),
    }


# --- what failed ----------------------------------------------------------------------------------


def failed(user: User, key: str = "") -> Any:
    """Failed runs of pictures that `user` may see; with a key, those of one Reason."""
    runs = _runs_for(user).filter(state=State.FAILED)
    return runs.annotate(group=GROUP).filter(group=key) if key else runs


def reasons(user: User) -> list[Reason]:
    """The most frequent first."""
    groups = failed(user).annotate(group=GROUP).values("group", "stage", "reason")
    rows = groups.annotate(number=Count("version", distinct=True)).order_by("-number", "stage", "reason")
    found = []
    for row in rows[:MOST_REASONS]:
        label = stages()[row["stage"]].label if row["stage"] in stages() else row["stage"]
        found.append(Reason(row["group"], label, row["reason"], row["number"]))
    return found


def failed_assets(user: User, key: str = "") -> AssetQuerySet:
    return visible(user).filter(current_version__in=failed(user, key).values("version"))
