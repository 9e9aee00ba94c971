"""Differences for people: what a field says now and what it would say, with the difference marked."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from assets import changes
from assets.bulk.actions import FIELDS, shown_access, shown_moment
from assets.changes import Labels, Step
from assets.models import Collection, Term
from assets.text import label_key

Difference = tuple[str, str, str]
"""The name of a column, or the slug of a vocabulary; the value before, and after."""
QUIET = {"year_earliest", "year_latest"}  # they follow from the date
AROUND = 40  # characters of what stays that are shown beside a difference
MOST_WORDS = 2000  # that are compared one by one


class Names:
    """What ids stand for. Terms that are still to be made have ids below 0."""

    def __init__(self, labels: Labels) -> None:
        wanted = {(slug, label_key(one)[:200]): one for slug, found in labels.items() for one in found}
        stored = Term.objects.filter(vocabulary__slug__in=labels, key__in={key for _, key in wanted})
        self._terms = {(s, key): pk for s, key, pk in stored.values_list("vocabulary__slug", "key", "pk")}
        missing = [pair for pair in wanted if pair not in self._terms]
        self._terms |= {pair: -at for at, pair in enumerate(missing, start=1)}
        self.labels = {-at: (slug, wanted[slug, key]) for at, (slug, key) in enumerate(missing, start=1)}
        self._homes: dict[int, tuple[str, int | None]] | None = None

    def ids(self, labels: Labels) -> dict[str, list[int]]:
        """Stands for changes.make_terms, and makes none."""
        return changes.ids_among(labels, self._terms)

    def load(self, steps: Sequence[Step]) -> None:
        """The labels of all terms before and after these steps, by one statement."""
        of_terms = [step for step in steps if step.field == "terms"]
        ids = {pk for step in of_terms for pk in (*changes.value_before(step), *step.value)}
        found = Term.objects.filter(pk__in=ids - self.labels.keys())
        named = found.values_list("pk", "vocabulary__slug", "label")
        self.labels |= {pk: (slug, label) for pk, slug, label in named}

    def path(self, home: Collection | int | None) -> str:
        """As `Prints / Hokusai`; of one that is still to be made as it was written."""
        if isinstance(home, Collection) and home.pk is None:
            return home.name
        if self._homes is None:
            known = Collection.objects.values_list("pk", "name", "parent")
            self._homes = {pk: (name, parent) for pk, name, parent in known}
        names: list[str] = []
        at = home.pk if isinstance(home, Collection) else home
        while at in self._homes and len(names) < 20:
            name, at = self._homes[at]
            names.insert(0, name)
        return " / ".join(names)


def differences(steps: Sequence[Step], names: Names) -> list[Difference]:
    """Of the steps of one picture; call `names.load` before."""
    found: list[Difference] = []
    for step in steps:
        if step.field == "terms":
            found += _of_terms(changes.value_before(step), step.value, names)
        elif step.field == "collection":
            before = changes.raw(step.subject, "collection")
            found.append((step.field, names.path(before), names.path(step.value)))
        elif step.field not in QUIET:
            before = changes.value_before(step)
            found.append((step.field, _shown(step.field, before), _shown(step.field, step.value)))
    return found


def _of_terms(before: Sequence[int], after: Sequence[int], names: Names) -> list[Difference]:
    old, new = ([names.labels[pk] for pk in ids if pk in names.labels] for ids in (before, after))
    found: list[Difference] = []
    for slug in dict.fromkeys(slug for slug, _label in [*old, *new]):
        was, becomes = ("; ".join(label for s, label in terms if s == slug) for terms in (old, new))
        if was != becomes:
            found.append((slug, was, becomes))
    return found


def _shown(field: str, value: Any) -> str:
    if field == "trashed_at":
        return _("in the trash") if value else _("in the library")
    if field in ("embargo_until", "rights_expire_at"):
        return shown_moment(value) if value else ""
    if field == "not_for":
        return ", ".join(value)
    return shown_access(value) if field == "access" else str(value)


class Piece(NamedTuple):
    kind: str
    """`same`, `old` or `new`."""
    text: str


class Shown(NamedTuple):
    name: str
    pieces: list[Piece]


def shown(difference: Sequence[str]) -> Shown:
    """A difference for a page: the words that go and come among those that stay."""
    name, before, after = difference
    return Shown(str(FIELDS.get(name, name)), _pieces(before, after))


def _pieces(before: str, after: str) -> list[Piece]:
    old, new = (re.findall(r"\w+|\s+|[^\w\s]", text) for text in (before, after))
    if max(len(old), len(new)) > MOST_WORDS:
        return [piece for piece in (Piece("old", before), Piece("new", after)) if piece.text]
    found: list[Piece] = []
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for n, (tag, a, b, c, d) in enumerate(blocks):
        if tag == "equal":
            text = "".join(old[a:b])
            found.append(Piece("same", _shortened(text, first=n == 0, last=n == len(blocks) - 1)))
        else:
            found += [p for p in (Piece("old", "".join(old[a:b])), Piece("new", "".join(new[c:d]))) if p.text]
    return found


def _shortened(text: str, *, first: bool, last: bool) -> str:
    """What stays, only as far as it stands beside a difference."""
    begin = "" if first else text[:AROUND]
    end = "" if last else text[-AROUND:]
    return f"{begin}…{end}" if len(text) > len(begin) + len(end) + 1 else text
