"""What the words that are being typed may become: tags, makers, titles and collections, a few of each."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from assets.text import fold
from search import labels, sql
from search.labels import Begun
from search.language.names import VOCABULARIES
from search.language.nodes import named
from search.language.typed import Typed, typed

EACH = 5
NAMES = {
    "tag": _("Tags"),
    "creator": _("Makers"),
    "title": _("Titles"),
    "collection": _("Collections"),
    "place": _("Places"),
    "subject": _("Subjects"),
}
FIRST = ("tag", "creator", "title", "collection")
"""What plain words may become; places and subjects are asked for by their fields."""
COUNTED, SHARE, LEAST_SECONDS = "suggestions.counted", 200, 30
FIELDS = {slug: field for field, slug in VOCABULARIES.items()}


@dataclass(frozen=True)
class Suggestion:
    kind: str
    """The field: `tag`, `creator`, `title`, `collection`, `place` or `subject`."""
    label: str
    part: str
    """What it stands for in the language of questions: `tag:"oil on canvas"`."""
    text: str
    """The whole text with this in it."""
    called: str = ""
    """What was typed the beginning of, where that is another name of the same thing."""


@dataclass(frozen=True)
class Group:
    kind: str
    name: str
    """For people."""
    items: tuple[Suggestion, ...]


def suggest(text: str, user: Any) -> list[Group]:
    """At most EACH names of a kind that the end of a text may become, and that this person may see.

    Longer beginnings first, then names that begin so before names with a word that does, then those of more
    pictures. Without anything, an empty list. Never raises for a text.
    """
    going_on = typed(text)
    kinds = [going_on.field] if going_on.field else list(FIRST)
    found = _found(kinds, going_on, sql.visible_to(sql.Where(), user)) if going_on.beginnings else []
    groups = []
    for kind in kinds:
        items = _items(text, kind, going_on, [begun for begun in found if begun.kind == kind])
        if items:
            groups.append(Group(kind, gettext(NAMES[kind]), items))
    return groups


def count_again() -> None:
    """Count the pictures of names, for their order: in the background, for a two-hundredth of the time."""
    if cache.get(COUNTED):
        return
    begun = time.monotonic()
    labels.count_pictures(sql.Where().add(sql.OPEN))
    cache.set(COUNTED, True, max(LEAST_SECONDS, SHARE * (time.monotonic() - begun)))


def _found(kinds: Sequence[str], going_on: Typed, where: sql.Where) -> list[Begun]:
    beginnings = [words for _, words in going_on.beginnings]
    found: list[Begun] = []
    if slugs := [VOCABULARIES[kind] for kind in kinds if kind in VOCABULARIES]:
        terms = labels.terms_begun(slugs, beginnings, where, EACH)
        found += [begun._replace(kind=FIELDS[begun.kind]) for begun in terms]
    if "title" in kinds:
        found += labels.titles_begun(beginnings, where, EACH)
    if "collection" in kinds:
        found += labels.collections_begun(beginnings, where, EACH)
    return found


def _items(text: str, kind: str, going_on: Typed, found: Sequence[Begun]) -> tuple[Suggestion, ...]:
    best = sorted(found, key=lambda b: (b.n, not b.whole, -b.pictures, len(b.label), b.label))
    items: dict[str, Suggestion] = {}
    for begun in best:
        part = named(kind, begun.label)
        before = text[: going_on.beginnings[begun.n][0]]
        value = part.partition(":")[2]
        new = before.rstrip() + value if going_on.field else before + part
        if fold(begun.label) and new != text.rstrip():
            items.setdefault(part, Suggestion(kind, begun.label, part, new, begun.called))
    return tuple(items.values())[:EACH]
