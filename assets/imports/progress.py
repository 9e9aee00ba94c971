"""Where an import stands, for people: counts, rate, time left."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Max, Min
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assets.models import Import, ImportRow
from assets.queues import has_room

State = Import.State
Result = ImportRow.Result
PLANNING = (State.MAPPING, State.CHECKING, State.PLANNED)
RECENT = timedelta(minutes=2)
# What so many of each are called where they are counted.
NOUNS: dict[Result, Callable[[int], str]] = {
    Result.NEW: lambda n: ngettext("new picture", "new pictures", n),
    Result.FILLED: lambda n: ngettext(
        "picture for an object that waits", "pictures for objects that wait", n
    ),
    Result.OBJECT: lambda n: ngettext("new object without a picture", "new objects without a picture", n),
    Result.CHANGED: lambda n: ngettext(
        "already here, description changes", "already here, descriptions change", n
    ),
    Result.SAME: lambda n: ngettext("already here, nothing changes", "already here, nothing changes", n),
    Result.REFUSED: lambda n: ngettext("problem", "problems", n),
}


@dataclass(frozen=True)
class Progress:
    total: int
    """Rows and files."""
    checked: int
    done: int
    counts: list[tuple[str, str, int]]
    """(result, in words, how many): what became of the rows; before the run what would become of them."""
    problems: int
    notes: int
    """Rows with something to look at that are no problem."""
    per_minute: float
    """Rows in a minute of late; 0 where that is not known."""
    seconds_left: int | None
    held_back: bool
    """Whether it waits until fewer pictures are still to be processed."""

    @property
    def part(self) -> int:
        """Of a hundred."""
        return 100 * self.done // self.total if self.total else 0

    @property
    def time_left(self) -> str:
        """In words, rounded as a person would; empty where it is not known."""
        seconds = self.seconds_left
        if seconds is None:
            return ""
        if seconds < 50:
            return _("less than a minute left")
        minutes = round(seconds / 60)
        if minutes < 90:
            text = ngettext("about %(number)d minute left", "about %(number)d minutes left", minutes)
            return text % {"number": minutes}
        hours = round(minutes / 60)
        return ngettext("about %(number)d hour left", "about %(number)d hours left", hours) % {
            "number": hours
        }


def progress_of(delivery: Import) -> Progress:
    rows = delivery.rows.order_by()
    found = rows.values_list("plan", "outcome").annotate(Count("pk"))
    total = checked = done = 0
    results: dict[str, int] = {}
    running_now = delivery.state not in PLANNING
    for plan, outcome, count in found:
        total += count
        checked += count if plan or outcome else 0
        done += count if outcome else 0
        if result := outcome if running_now else plan:
            results[result] = results.get(result, 0) + count
    counts = _named(results)
    rate, left = _rate(delivery, total - done)
    notes = rows.exclude(note="", reason="").exclude(plan=Result.REFUSED).exclude(outcome=Result.REFUSED)
    held = delivery.state == State.RUNNING and delivery.token is None and not has_room()
    problems = results.get(Result.REFUSED, 0)
    return Progress(total, checked, done, counts, problems, notes.count(), rate, left, held)


def counts_of(deliveries: Sequence[Import]) -> dict[int, list[tuple[str, str, int]]]:
    """The counts of several imports by their ids, as Progress has them, by one statement."""
    before = {delivery.pk for delivery in deliveries if delivery.state in PLANNING}
    rows = ImportRow.objects.filter(delivery__in=deliveries).order_by()
    found: dict[int, dict[str, int]] = {delivery.pk: {} for delivery in deliveries}
    for pk, plan, outcome, count in rows.values_list("delivery", "plan", "outcome").annotate(Count("pk")):
        if result := plan if pk in before else outcome:
            found[pk][result] = found[pk].get(result, 0) + count
    return {pk: _named(results) for pk, results in found.items()}


def _named(results: Mapping[str, int]) -> list[tuple[str, str, int]]:
    return [
        (str(kind), noun(results[kind]), results[kind]) for kind, noun in NOUNS.items() if results.get(kind)
    ]


def _rate(delivery: Import, left: int) -> tuple[float, int | None]:
    """Rows in a minute, and the seconds that the rest will take, from those of the last minutes."""
    if delivery.state != State.RUNNING:
        return 0.0, None
    now = timezone.now()
    since = max(now - RECENT, delivery.started_at or now)
    recent = delivery.rows.filter(done_at__gte=since).order_by()
    found = recent.aggregate(count=Count("pk"), first=Min("done_at"), last=Max("done_at"))
    if found["count"] < 2:
        return 0.0, None
    seconds = max((now - since).total_seconds(), 1.0)
    per_second = found["count"] / seconds
    return 60 * per_second, round(left / per_second)
