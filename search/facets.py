"""What a question can be narrowed by: tags, collections, makers, dates … with numbers.

The number beside a value is the `total` of the same question with the value's filter added: all are counted
in the rows that pass its filters and its rule of permission, and in mode `keywords` its words, never in a
ranking. Names are only those of what these rows have.
"""

import hashlib
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

from assets.kinds import KINDS
from assets.models import CREATORS, TAGS, Asset, Collection
from assets.querysets import path_parts
from assets.text import label_key, word_key
from search import cached, facet_sql
from search.asked import Asked
from search.facet_sql import MOST, Counted, Decades
from search.hybrid import HybridQuery
from search.language.fields import FORMATS
from search.language.nodes import And, Field, Name, Span, Value, written
from search.query import understood

NAMES = {
    "tags": _("Tags"),
    "collections": _("Collections"),
    "creators": _("Makers"),
    "dates": _("Dates"),
    "rights": _("Rights"),
    "types": _("Types of file"),
    "colours": _("Colours"),
}
STATES = {"none": _("Nothing written down"), "expired": _("Expired"), "embargo": _("Under embargo")}
COLOURS = (
    *(_("red"), _("orange"), _("yellow"), _("green"), _("cyan"), _("blue")),
    *(_("purple"), _("pink"), _("brown"), _("black"), _("grey"), _("white")),
)
"""Those of assets.colors, to be translated where they are shown."""
MOST_DATES, MOST_BARS = 12, 20
"""Spans of time that are read at a glance, in a list and in a plot: where decades would be more, centuries,
and then millennia."""
FIRST_DECADE, LAST_DECADE = -999, 999  # of years that can be asked for
STATEMENTS = 30  # of which the words of rights are looked for


@dataclass(frozen=True)
class Choice:
    """A value that narrows a question."""

    value: str
    """A label, a path, a name, or a span of years such as 1880..1889."""
    label: str
    """For people."""
    count: int
    filter: str
    """In the language of search.language."""


class Facets(NamedTuple):
    total: int
    choices: dict[str, list[Choice]]
    """By the keys of NAMES, in their order: the most frequent first, but dates in theirs."""
    spans: Sequence[Choice] = ()
    """Dates again, as many as a plot has room for."""
    width: int = 1
    """Of these, in decades."""
    dated: int = 0
    """How many have years at all."""


class Chosen(NamedTuple):
    """What the question asks for already, beyond which its facets go."""

    collections: tuple[tuple[int, ...], ...] = ()
    """Ids of each collection that was asked for."""
    dates: Span = Span(None, None)


def facets(query: HybridQuery) -> Facets:
    """All facets of a question, counted at most once a minute for all who may see the same."""
    asked, where = understood(query)
    if asked.is_impossible:
        return Facets(0, {name: [] for name in NAMES})
    chosen = chosen_in(asked)
    rule = repr((where.conditions, where.params, chosen, get_language()))
    key = f"facets:{hashlib.sha256(rule.encode()).hexdigest()}"
    return cached.for_a_minute(key, lambda: _facets(query, facet_sql.counted(where), chosen))


def chosen_in(asked: Asked) -> Chosen:
    """Of all that must hold at once."""
    parts = asked.tree.parts if isinstance(asked.tree, And) else (asked.tree,)
    fields = [part for part in parts if isinstance(part, Field)]
    ids = [{pk for v in f.values for pk in asked.known.get((f.name, v), [])} for f in fields]
    spans = [f.values[0].meaning for f in fields if f.name == "date" and len(f.values) == 1]
    lows = [span.low for span in spans if isinstance(span, Span) and span.low is not None]
    highs = [span.high for span in spans if isinstance(span, Span) and span.high is not None]
    collections = [tuple(sorted(i)) for f, i in zip(fields, ids, strict=True) if f.name == "collection"]
    return Chosen(tuple(collections), Span(max(lows, default=None), min(highs, default=None)))


def _facets(query: HybridQuery, counted: Counted, chosen: Chosen) -> Facets:
    found = {
        "tags": [_named("tag", label, number) for label, number in counted.terms[TAGS]],
        "collections": _collections(counted.homes, chosen.collections),
        "creators": [_named("creator", label, number) for label, number in counted.terms[CREATORS]],
        "dates": dates(counted.decades, chosen.dates),
        "rights": _rights(query, counted),
        "types": [
            Choice(name, format_name(name), number, f"type:{name}")
            for name, number in counted.formats.items()
            if name in FORMATS
        ],
        "colours": [
            Choice(name, gettext(name), number, f"colour:{name}") for name, number in counted.colors.items()
        ],
    }
    chronological = found.pop("dates")
    best = {name: sorted(choices, key=_frequency)[:MOST] for name, choices in found.items()}
    best["dates"] = chronological
    width, spans = spans_of(counted.decades, chosen.dates, MOST_BARS)
    dated = sum(counted.decades.values())
    return Facets(counted.total, {name: best[name] for name in NAMES}, spans, width, dated)


def _frequency(choice: Choice) -> tuple[int, str]:
    return -choice.count, choice.label.casefold()


def _named(field: str, name: str, number: int, label: str = "") -> Choice:
    return Choice(name, label or name, number, written(Field(field, (Value(name, Name(name)),))))


# --- collections ----------------------------------------------------------------------------------


def _collections(homes: Mapping[int, int], chosen: Iterable[Iterable[int]]) -> list[Choice]:
    """Those below the chosen ones, or all, by their whole path; by homes of pictures, with numbers.

    A path is what a filter says, and means every collection whose own path ends so: all of them are counted.
    """
    by_id = {collection.pk: collection for collection in Collection.objects.all()}
    inside: Counter[int] = Counter()
    ends: dict[tuple[str, ...], set[int]] = {}
    paths = {home: _path(home, by_id) for home in homes}
    paths |= {pk: path[depth:] for path in paths.values() for depth, pk in enumerate(path)}
    for home, number in homes.items():
        inside.update(dict.fromkeys(paths[home], number))
    for pk, path in paths.items():
        keys = [by_id[above].key for above in path]
        for depth in range(1, len(keys) + 1):
            ends.setdefault(tuple(keys[:depth]), set()).add(pk)
    found = []
    for pk, path in paths.items():
        if not all(set(ids).intersection(path[1:]) and pk not in ids for ids in chosen):
            continue
        text = " / ".join(by_id[above].name for above in reversed(path))
        meant = ends.get(tuple(label_key(part)[:200] for part in reversed(path_parts(text))), set())
        if len(meant) > 1:
            number = sum(number for home, number in homes.items() if meant.intersection(paths[home]))
        else:
            number = inside[pk]
        if pk in meant:  # else its name has signs that no path can say
            found.append(_named("collection", text, number))
    return found


def _path(pk: int, by_id: Mapping[int, Collection]) -> list[int]:
    """The collection and those that contain it, innermost first."""
    found: list[int] = []
    node: int | None = pk
    while node is not None and node in by_id and node not in found:
        found.append(node)
        node = by_id[node].parent_id
    return found


# --- dates ----------------------------------------------------------------------------------------


def dates(groups: Mapping[Decades, int], within: Span) -> list[Choice]:
    """Decades, or centuries, or millennia, that some object may be of; narrower than the span asked for."""
    return spans_of(groups, within, MOST_DATES)[1]


def spans_of(groups: Mapping[Decades, int], within: Span, most: int) -> tuple[int, list[Choice]]:
    """As `dates`, so wide that there are not more than `most`, with that width in decades."""
    known = [year for span in groups for year in span if year is not None]
    if not known:
        return 1, []
    first, last = max(min(known), FIRST_DECADE), min(max(known), LAST_DECADE)
    first = first if within.low is None else max(first, within.low // 10)
    last = last if within.high is None else min(last, within.high // 10)
    overlapping = _overlapping(groups)
    width, found = 1, list[Choice]()
    for width in (1, 10, 100):
        starts = range(first // width * width, last + 1, width)
        numbers = {start: overlapping(max(start, FIRST_DECADE), start + width - 1) for start in starts}
        found = [
            _span(start, width, n) for start, n in numbers.items() if n and _narrows(start, width, within)
        ]
        if len(found) <= most:
            break
    return width, found


def _overlapping(groups: Mapping[Decades, int]) -> Callable[[int, int], int]:
    """A function of the first and the last decade of a span: how many may be of it.

    Those that had begun by its end, without those that had ended before it. Where somebody wrote an end that
    lies before the beginning, both are looked at.
    """
    begun: list[tuple[int, int]] = []
    ended: list[tuple[int, int]] = []
    turned: list[tuple[int, int, int]] = []
    always = 0
    for (low, high), number in groups.items():
        if low is None and high is None:
            continue
        if low is not None and high is not None and low > high:
            turned.append((low, high, number))
            continue
        always += number if low is None else 0
        begun += [(low, number)] if low is not None else []
        ended += [(high, number)] if high is not None else []
    begins, sums_begun = _sums(begun, always)
    ends, sums_ended = _sums(ended, 0)

    def overlap(first: int, last: int) -> int:
        found = sums_begun[bisect_right(begins, last)] - sums_ended[bisect_left(ends, first)]
        return found + sum(n for low, high, n in turned if low <= last and high >= first)

    return overlap


def _sums(numbers: list[tuple[int, int]], first: int) -> tuple[list[int], list[int]]:
    """The decades in their order, and the running sum before each of them and behind the last."""
    ordered = sorted(numbers)
    return [decade for decade, _ in ordered], list(accumulate((n for _, n in ordered), initial=first))


def _narrows(start: int, width: int, within: Span) -> bool:
    """Whether a span is not all that was asked for."""
    begins = within.low is not None and start * 10 <= within.low
    ends = within.high is not None and (start + width) * 10 > within.high
    return not (begins and ends)


def _span(start: int, width: int, number: int) -> Choice:
    low, high = max(start, FIRST_DECADE) * 10, (start + width) * 10 - 1
    value = f"{low}..{high}"
    return Choice(value, span_name(low, high), number, f"date:{value}")


def span_name(low: int | None, high: int | None) -> str:
    """`1880–1889`, `300–201 BCE`, `before 1500`, `from 1850`, for people."""
    if low is None or high is None:
        text = gettext("up to %(year)s") if low is None else gettext("from %(year)s")
        return text % {"year": _year(high if low is None else low)}
    if low == high:
        return _year(low)
    if high < 0:
        return gettext("%(year)s BCE") % {"year": f"{-low}–{-high}"}
    return f"{_year(low)}–{high}" if low < 0 else f"{low or 1}–{high}"


def _year(year: int | None) -> str:
    if year is None:
        return ""
    return gettext("%(year)s BCE") % {"year": -year} if year < 0 else str(year)


# --- rights and types -----------------------------------------------------------------------------


def _rights(query: HybridQuery, counted: Counted) -> list[Choice]:
    """Statements and holders as somebody wrote them, and what can be said of rights besides."""
    most = sorted(
        (words for words in counted.rights if words), key=lambda words: (-counted.rights[words], words)
    )
    assets = Asset.objects.live().visible_to(query.user).prefetch_related("depictions__record")
    by_id = assets.in_bulk([counted.examples[words] for words in most[:STATEMENTS]])
    statements: dict[str, str] = {}
    for words in most[:STATEMENTS]:
        for said in _statements(by_id.get(counted.examples[words])):
            if key := word_key(said.casefold()):
                statements.setdefault(key, " ".join(said.split()))
    found = [
        _named("rights", said, sum(n for words, n in counted.rights.items() if key in words))
        for key, said in statements.items()
    ]
    states = [Choice(s, gettext(said), counted.states[s], f"rights:{s}") for s, said in STATES.items()]
    return [choice for choice in [*found, *states] if choice.count]


def _statements(asset: Asset | None) -> list[str]:
    if asset is None:
        return []
    records = [d.record for d in asset.depictions.all() if d.record.trashed_at is None]
    return [said for subject in [*records, asset] for said in (subject.rights, subject.rights_holder)]


def format_name(name: str) -> str:
    kind = KINDS.get(name.upper())
    return gettext(kind.label) if kind else name.upper()
