"""/home/: the library at a glance. Each part is counted by itself, for one person, and kept for a minute."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import Count, QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.models import User
from assets import jobs, relations
from assets.models import Asset
from assets.scopes import scope_of
from assets.views.cards import Card, cards_of
from assets.views.requests import person
from search import cached, home_sql, sql
from search.forms import Wish
from search.language import parse
from search.language.conditions import condition
from search.language.nodes import Node

T = TypeVar("T")
log = logging.getLogger(__name__)
RECENT, MONTHS, SEARCH_DAYS = 12, 12, 30
QUESTIONS = {
    "undescribed": ("missing:description has:picture", gettext_lazy("waiting for a description")),
    "untagged": ("missing:tag has:picture", gettext_lazy("without a tag")),
    "awaited": ("missing:picture", gettext_lazy("waiting for their picture")),
    "embargo": ("rights:embargo", gettext_lazy("under embargo")),
    "expired": ("rights:expired", gettext_lazy("with rights that have ended")),
    "expiring": ("rights:expiring", gettext_lazy("with rights that end within 90 days")),
}
"""What is counted by a question, which is also where its number leads to."""
ALWAYS = {"undescribed", "failed", "expiring"}
"""Shown although there are none: good news as well."""


@dataclass(frozen=True)
class Number:
    """A number, and the list of what it counts."""

    name: str
    label: str
    count: int
    address: str


@dataclass(frozen=True)
class Bar:
    month: date
    number: int
    x: int
    y: int
    height: int
    bytes: int = 0


@dataclass(frozen=True)
class Searched:
    put: home_sql.Put
    address: str
    share: int
    """Of the most frequent one, in percent."""


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    user = person(request)
    found = part(user, "glance", lambda: glance(user))
    waiting = part(user, "work", lambda: work(user))
    context: dict[str, Any] = {
        "glance": found,
        **(plotted(found) if found else {}),
        "work": None if waiting is None else elsewhere(waiting),
        "cards": shielded("recent", lambda: recent(user)),
        "newest": Wish(sort="added").address(),
    }
    if user.is_staff and user.has_perm("search.view_searchlog") and settings.SEARCH_LOG_DAYS > 0:
        context["may_see_searches"] = True
        context["searches"] = part(user, "searches", searches)
    return render(request, "search/home.html", context)


def plotted(found: home_sql.Glance) -> dict[str, Any]:
    pictures, sizes = [month.number for month in found.added], [month.bytes for month in found.added]
    return {
        "pictures": found.total - found.awaited,
        "numbers": numbers(found),
        "growth": bars(months(-MONTHS), pictures, sizes),
        "added": sum(pictures),
        "ending": bars(months(MONTHS), found.ending) if any(found.ending) else [],
        "ends": sum(found.ending),
    }


def part(user: User, name: str, count: Callable[[], T]) -> T | None:
    """A part of the page, kept for a minute for this person in this time zone; None where it failed.

    Only what is the same in every language is kept.
    """
    key = f"home:{name}:{user.pk}:{scope_of(user).key}:{timezone.get_current_timezone_name()}"
    return shielded(name, lambda: cached.for_a_minute(key, count))


def shielded(name: str, work: Callable[[], T]) -> T | None:
    """What it gives; None where it fails, so that the other parts are shown all the same."""
    try:
        return work()
    except Exception:
        log.exception("The part %r of the home page could not be made", name)
        return None


# --- numbers --------------------------------------------------------------------------------------


def glance(user: User) -> home_sql.Glance:
    """All numbers about pictures that this person may see, in one statement."""
    where = sql.visible_to(sql.Where(), user)
    asked = [condition(_tree(question), {}) for question, _label in QUESTIONS.values()]
    return home_sql.glance(where, asked, edges(months(-MONTHS)), edges(months(MONTHS)))


def _tree(question: str) -> Node:
    tree = parse(question).condition
    if tree is None:
        raise ValueError(f"{question!r} has no condition.")
    return tree


def numbers(found: home_sql.Glance) -> list[Number]:
    counts = dict(zip(QUESTIONS, found.numbers, strict=True))
    return [
        Number(name, str(label), counts[name], Wish(q=question).address())
        for name, (question, label) in QUESTIONS.items()
        if counts[name] or name in ALWAYS
    ]


def work(user: User) -> dict[str, int]:
    """What waits for somebody elsewhere than in the search, by its name, counted in one statement."""
    failed = _named("failed", jobs.failed_assets(user))
    alike = _named("alike", relations.open_for(user))
    trashed = _named("trashed", Asset.objects.allowing(user, "manage").trashed())
    return dict(failed.union(alike, trashed, all=True))


def elsewhere(counts: dict[str, int]) -> list[Number]:
    kinds = {
        "failed": (_("could not be processed"), f"{reverse('assets:jobs')}#failed"),
        "alike": (_("pairs that look alike"), reverse("assets:duplicates")),
        "trashed": (_("in the trash"), reverse("assets:trashed")),
    }
    found = [Number(name, label, counts.get(name, 0), link) for name, (label, link) in kinds.items()]
    return [number for number in found if number.count or number.name in ALWAYS]


def _named(name: str, rows: "QuerySet[Any]") -> Any:
    """One row of a name and a number; none where nothing is counted."""
    return rows.order_by().annotate(kind=Value(name)).values_list("kind").annotate(number=Count("pk"))


def recent(user: User) -> list[Card]:
    seen = Asset.objects.live().visible_to(user).for_grid()
    return cards_of(seen.order_by("-created_at", "-pk")[:RECENT])


# --- plots ----------------------------------------------------------------------------------------


def months(number: int) -> list[date]:
    """The first days of so many months: up to this one where negative, else from this one on."""
    today = timezone.localdate()
    first = today.year * 12 + today.month - 1 + (number + 1 if number < 0 else 0)
    return [date((first + n) // 12, (first + n) % 12 + 1, 1) for n in range(abs(number))]


def edges(begun: Sequence[date]) -> list[datetime]:
    """The midnights at which these months begin, and at which the last one ends."""
    last = begun[-1] + timedelta(days=32)
    zone = timezone.get_current_timezone()
    return [datetime(day.year, day.month, 1, tzinfo=zone) for day in (*begun, last)]


def bars(begun: Sequence[date], counted: Sequence[int], bytes: Sequence[int] = ()) -> list[Bar]:
    """Bars of an SVG of 360 x 60 units, in whole units: fractions would be written with a comma by some."""
    most, sizes = max(counted, default=0), bytes or [0] * len(counted)
    heights = [max(round(58 * number / most), 1) if number else 0 for number in counted]
    step = 360 // max(len(counted), 1)
    return [
        Bar(day, number, n * step + 3, 60 - height, height, size)
        for n, (day, number, height, size) in enumerate(zip(begun, counted, heights, sizes, strict=True))
    ]


# --- searches -------------------------------------------------------------------------------------


def searches() -> tuple[list[Searched], list[Searched]]:
    """The questions put most within SEARCH_DAYS, and those that found nothing; who put them is not known."""
    since = timezone.now().date() - timedelta(days=min(SEARCH_DAYS, settings.SEARCH_LOG_DAYS))
    most, nothing = home_sql.questions(since)
    return _searched(most), _searched(nothing)


def _searched(found: list[home_sql.Put]) -> list[Searched]:
    most = max((put.times for put in found), default=1)
    return [
        Searched(put, Wish(q=put.question, mode=put.mode).address(), max(round(100 * put.times / most), 1))
        for put in found
    ]
