"""The results by the dates of objects: a plot of how many are of each time, and the pictures in order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from assets.templatetags.cards import AT_ONCE
from assets.views.cards import Card
from search import counting, sql, steps
from search.facets import Choice, Facets, facets, span_name
from search.forms import Wish
from search.hybrid import HybridQuery
from search.query import passing

WIDTHS = {"1": 1, "10": 10, "100": 100}
UNDATED = ("missing:date",)
UNREAD = ("has:date", "-date:..9999")
"""With a date that no year could be read from."""
Years = tuple[int | None, int | None]


@dataclass(frozen=True)
class Bar:
    """A span of time, and the question narrowed to it."""

    label: str
    begins: str
    """Its first year, where there is no room for more."""
    count: int
    height: int
    """In percent of the highest."""
    address: str
    apart: bool
    """Whether there is time with nothing before it."""


class Timeline(NamedTuple):
    bars: list[Bar]
    path: list[tuple[str, str]]
    """The spans of time that were chosen, each with the address of the question without those after it."""
    all_dates: str
    """The address of the question without any of them; empty where there is none."""
    undated: tuple[int, str]
    """How many there are, and the address of these alone."""
    unread: tuple[int, str]


class Time(NamedTuple):
    """Pictures that stand under one heading."""

    key: str
    name: str
    cards: list[Card]
    later: bool
    """Whether they are so far down that they need not be loaded with the page."""


def context(wish: Wish, query: HybridQuery, page: dict[str, Any], by: str) -> dict[str, Any]:
    """What the page has besides: the plot, and its cards under headings as wide as the bars.

    A further page has no plot, and is told `by` its address how wide they are, in decades: one of WIDTHS.
    """
    found = facets(query) if by == "plot" else None
    width = found.width if found else WIDTHS.get(by, 1)
    ids = [card.asset.pk for card in page["cards"]]
    years = sql.years(ids, sql.visible_to(sql.Where(), query.user))
    told = {name: f"{page[name]}&by={width}" for name in ("more", "earlier") if page[name]}
    return told | {
        "timeline": plotted(wish, query, found) if found else None,
        "strong_times": grouped(page["strong_cards"], years, width),
        "weak_times": grouped(page["weak_cards"], years, width, len(page["strong_cards"])),
    }


# --- the plot -------------------------------------------------------------------------------------


def plotted(wish: Wish, query: HybridQuery, found: Facets) -> Timeline:
    without = 0 if {*UNDATED, *UNREAD}.intersection(wish.filters) else found.total - found.dated
    undated = _count(query, UNDATED) if without else 0
    return Timeline(
        bars=bars(wish, found.spans, found.width),
        path=steps.path(wish, "date"),
        all_dates=steps.without(wish, "date"),
        undated=(undated, wish.address(filters=(*wish.filters, *UNDATED), view="")),
        unread=(max(without - undated, 0), wish.address(filters=(*wish.filters, *UNREAD), view="")),
    )


def _count(query: HybridQuery, filters: Sequence[str]) -> int:
    """The total of the question with these filters added."""
    return counting.counted(passing(replace(query, filters=(*query.filters, *filters)))).total


def bars(wish: Wish, spans: Sequence[Choice], width: int) -> list[Bar]:
    """One for each span of time that has something."""
    most = max((span.count for span in spans), default=1)
    starts = [int(span.value.partition("..")[0]) // 10 for span in spans]
    befores = [*starts[:1], *(start // width * width + width for start in starts[:-1])]
    return [
        Bar(
            label=span.label,
            begins=span_name(start * 10 or 1, start * 10 or 1),
            count=span.count,
            height=max(round(100 * span.count / most), 1),
            address=wish.address(filters=(*wish.filters, span.filter)),
            apart=start > before,
        )
        for span, start, before in zip(spans, starts, befores, strict=True)
    ]


# --- the pictures ---------------------------------------------------------------------------------


def grouped(cards: Sequence[Card], years: dict[int, Years], width: int, before: int = 0) -> list[Time]:
    """Cards in the order of dates, under the span of time in which each begins; `before` are above."""
    found, at = [], before
    for key, some in groupby(cards, lambda card: _key(years.get(card.asset.pk, (None, None)), width)):
        listed = list(some)
        found.append(Time(key, _name(key, width), listed, at >= AT_ONCE))
        at += len(listed)
    return found


def _key(span: Years, width: int) -> str:
    first, last = span
    if first is None:
        return "undated" if last is None else "open"
    return str(first // 10 // width * width)


def _name(key: str, width: int) -> str:
    if key in ("undated", "open"):
        return _("Without a year") if key == "undated" else _("First year not known")
    start = int(key)
    return span_name(start * 10, (start + width) * 10 - 1)
