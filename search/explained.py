"""How the page explains the language: what was wrong with a question, its parts, and how to ask."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from search.asked import Wrong
from search.forms import Wish
from search.language import parse
from search.language.fields import FIELDS

WAYS = {
    "boat on a river": "pictures that look like it or say it, the most fitting first",
    '"still life"': "only pictures with exactly this phrase",
    "portrait -child": "without this word; a hyphen stands before anything else, too",
    "boat OR ship": "one of the two; OR in capitals",
    "(boat OR ship) colour:blue": "parentheses keep together what belongs together",
    "tag:oil,tempera": "one of several, without a space",
}


class Piece(NamedTuple):
    """A part of the question as it was written."""

    text: str
    wrong: bool


class Example(NamedTuple):
    text: str
    does: str
    address: str


def marked(text: str, mistakes: Sequence[Wrong]) -> list[Piece]:
    """The question in pieces, those that were not understood marked; together they are the whole text."""
    spans = [(m.start, m.end) for where, m in mistakes if where == "q"]
    edges = sorted({0, len(text), *(edge for span in spans for edge in span if edge <= len(text))})
    return [
        Piece(text[start:end], any(low <= start < high for low, high in spans))
        for start, end in zip(edges, edges[1:], strict=False)
    ]


def parts(wish: Wish) -> list[tuple[str, str]]:
    """Each part of the question that must hold, and the address of the search without it."""
    return [
        (wish.q[start:end], wish.address(q=" ".join((wish.q[:start] + wish.q[end:]).split())))
        for start, end in parse(wish.q).parts
    ]


@cache
def ways() -> list[Example]:
    """How questions are put together."""
    return [Example(text, does, Wish(q=text).address()) for text, does in WAYS.items()]


@cache
def fields() -> list[Example]:
    """All fields, each with an example; without an address where the example is only a sketch."""
    return [
        Example(text, kind.does, "" if text.endswith("…") else Wish(q=text).address())
        for name, kind in FIELDS.items()
        for text in [f"{name}:{kind.example}"]
    ]
