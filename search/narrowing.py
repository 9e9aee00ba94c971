"""Facets as the page shows them: each value with the address of the question narrowed by it."""

from dataclasses import dataclass
from typing import NamedTuple

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext

from assets.text import label_key
from search.facets import NAMES, Choice, Facets
from search.forms import Wish

EXACT = 999
"""Up to this a number is written as it is; beyond, nobody counts."""
FIRST = 8
"""Of each facet shown at once."""


@dataclass(frozen=True)
class Option:
    label: str
    count: str
    plural: bool
    address: str
    swatch: str = ""
    """The name of the colour that stands before it."""


class Facet(NamedTuple):
    name: str
    title: str
    first: list[Option]
    more: list[Option]


class Narrowing(NamedTuple):
    total: int
    facets: list[Facet]


def narrowing(wish: Wish, found: Facets) -> Narrowing:
    """Without facets that have nothing to choose, and without what was chosen already."""
    facets = []
    for name, choices in found.choices.items():
        options = [_option(wish, name, choice) for choice in choices if not _is_chosen(wish, name, choice)]
        first = len(options) if name == "dates" else FIRST  # dates are few, and stay in their order
        if options:
            facets.append(Facet(name, gettext(NAMES[name]), options[:first], options[first:]))
    return Narrowing(found.total, facets)


def _is_chosen(wish: Wish, name: str, choice: Choice) -> bool:
    return (
        choice.filter in wish.filters
        or name == "tags"
        and label_key(choice.value) in map(label_key, wish.tags)
    )


def _option(wish: Wish, name: str, choice: Choice) -> Option:
    match name:
        case "tags":
            address = wish.address(tags=(*wish.tags, choice.value))
        case "collections":  # those below a chosen one take its place
            address = wish.address(collection=choice.value)
        case _:
            address = wish.address(filters=(*wish.filters, choice.filter))
    swatch = choice.value if name == "colours" else ""
    return Option(choice.label, shown(choice.count), choice.count != 1, address, swatch)


def shown(count: int) -> str:
    return str(count) if count <= EXACT else f"{intcomma(EXACT + 1)}+"
