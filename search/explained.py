"""How the page explains the language: what was wrong with a question, its parts, and how to ask."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

from django.template.loader import render_to_string
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from search.asked import Wrong
from search.facets import STATES as RIGHTS
from search.facets import format_name, span_name
from search.forms import Wish
from search.language import parse, parse_filter
from search.language.fields import FIELDS
from search.language.nodes import Area, Field, Meaning, Span, Value
from search.query import Results
from search.results import meant_by

WAYS = {
    "boat on a river": _("pictures that look like it or say it, the most fitting first"),
    '"still life"': _("only pictures with exactly this phrase"),
    "portrait -child": _("without this word; a hyphen stands before anything else, too"),
    "boat OR ship": _("one of the two; OR in capitals"),
    "(boat OR ship) colour:blue": _("parentheses keep together what belongs together"),
    "tag:oil,tempera": _("one of several, without a space"),
}


class Piece(NamedTuple):
    """A part of the question as it was written."""

    text: str
    wrong: bool


class Meant(NamedTuple):
    """Another question: in pieces, those marked that are new, or as the one name that is new in it."""

    pieces: list[Piece]
    name: str
    address: str


class Said(NamedTuple):
    message: str
    meant: Meant | None


class Example(NamedTuple):
    text: str
    does: str
    address: str


def marked(wish: Wish, mistakes: Sequence[Wrong]) -> list[list[Piece]]:
    """The question, and the filters that have a mistake: see `pieces`."""
    texts = {"q": wish.q} | {f"filter[{number}]": text for number, text in enumerate(wish.filters)}
    wrong = {where for where, _ in mistakes}
    return [
        pieces(text, [(m.start, m.end) for at, m in mistakes if at == where])
        for where, text in texts.items()
        if where in wrong
    ]


def pieces(text: str, spans: Sequence[tuple[int, int]]) -> list[Piece]:
    """A text in pieces, those that were not understood marked; together they are the whole text."""
    edges = sorted({0, len(text), *(edge for span in spans for edge in span if edge <= len(text))})
    return [
        Piece(text[start:end], any(low <= start < high for low, high in spans))
        for start, end in zip(edges, edges[1:], strict=False)
    ]


def told(wish: Wish, results: Results) -> list[Said]:
    """What is said of each mistake, and the way to what may have been meant."""
    found = []
    for wrong in results.mistakes:
        change, other = meant_by(results, wrong), results.did_you_mean
        name = f"{change.field}:{change.text}" if change else ""
        meant = Meant([], name, wish.address(q=other.q)) if other and change else None
        found.append(Said(wrong.mistake.message, meant))
    return found


def meant(wish: Wish, results: Results) -> Meant | None:
    """The question with other words; None where it is about names, which `told` has."""
    other = results.did_you_mean
    if other is None or any(change.field for change in other.changes):
        return None
    pieces, at = list[Piece](), 0
    for change in other.changes:
        pieces += [Piece(wish.q[at : change.start], False), Piece(change.text, True)]
        at = change.end
    pieces.append(Piece(wish.q[at:], False))
    return Meant([piece for piece in pieces if piece.text], "", wish.address(q=other.q))


def parts(wish: Wish) -> list[tuple[str, str]]:
    """Each part of the question that must hold, and the address of the search without it."""
    return [
        (wish.q[start:end], wish.address(q=" ".join((wish.q[:start] + wish.q[end:]).split())))
        for start, end in parse(wish.q).parts
    ]


def filters(wish: Wish) -> list[tuple[str, str]]:
    """Each filter in words for people, and the address of the search without it."""
    return [
        (said(text), wish.address(filters=tuple(other for other in wish.filters if other != text)))
        for text in wish.filters
    ]


def said(text: str) -> str:
    """A filter of one field in words for people; any other as it is written."""
    tree = parse_filter(text).tree
    match tree:
        case Field(name, (Value(value, meaning),)) if name in SAID:
            return SAID[name](value, meaning)
    return text


def _rights_said(value: str, meaning: Meaning) -> str:
    return gettext("Rights: %(rights)s") % {"rights": gettext(RIGHTS.get(value, value))}


def _date_said(value: str, meaning: Meaning) -> str:
    return span_name(meaning.low, meaning.high) if isinstance(meaning, Span) else value


def _area_said(value: str, meaning: Meaning) -> str:
    if not isinstance(meaning, Area):
        return gettext("Without coordinates")
    middle = (meaning.south + meaning.north) / 2, (meaning.west + meaning.east) / 2
    return gettext("Around %(place)s") % {"place": coordinates(*middle, (meaning.north - meaning.south) / 10)}


def coordinates(latitude: float, longitude: float, exact: float) -> str:
    """`48.9° N, 2.3° E`, to so many degrees."""
    digits = next((n for n in range(4) if 10**-n <= exact), 4)
    sides = ("N" if latitude >= 0 else "S", "E" if longitude >= 0 else "W")
    shown = (number_format(round(abs(degrees), digits), digits) for degrees in (latitude, longitude))
    return ", ".join(f"{number}° {side}" for number, side in zip(shown, sides, strict=True))


SAID: dict[str, Callable[[str, Meaning], str]] = {
    "area": _area_said,
    "tag": lambda value, meaning: value,
    "collection": lambda value, meaning: gettext("In %(collection)s") % {"collection": value},
    "creator": lambda value, meaning: gettext("By %(maker)s") % {"maker": value},
    "date": _date_said,
    "rights": _rights_said,
    "type": lambda value, meaning: format_name(str(meaning)),
    "colour": lambda value, meaning: gettext(str(meaning)).capitalize(),
}


@cache
def helps(language: str) -> dict[str, SafeString]:
    """How to search, and the keys, as HTML in the present `language`: long, and the same for everybody."""
    context = {"ways": ways(), "fields": fields()}
    files = {"how": "help.html", "keyboard": "keys.html"}
    return {name: render_to_string(f"search/partials/{file}", context) for name, file in files.items()}


def ways() -> list[Example]:
    """How questions are put together."""
    return [Example(text, gettext(does), Wish(q=text).address()) for text, does in WAYS.items()]


def fields() -> list[Example]:
    """All fields, each with an example; without an address where the example is only a sketch."""
    return [
        Example(text, gettext(kind.does), "" if text.endswith("…") else Wish(q=text).address())
        for name, kind in FIELDS.items()
        for text in [f"{name}:{kind.example}"]
    ]
