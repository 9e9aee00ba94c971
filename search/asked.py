"""What a question asks for: its words to rank by, and its filters as one condition on search rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from assets.text import accession_key
from search import sql
from search.language import Mistake, Parsed, names, parse, parse_filter
from search.language.conditions import condition
from search.language.nodes import And, Field, Name, Node, Value, both, fields_of


class Wrong(NamedTuple):
    """A mistake, and the text that it stands in: `q`, or `filter[0]` and so on."""

    where: str
    mistake: Mistake


@dataclass(frozen=True)
class Asked:
    parsed: Parsed
    where: sql.Where
    mistakes: tuple[Wrong, ...]
    notices: tuple[str, ...]
    tree: Node | None
    """All that must hold, however it came in."""
    known: names.Known
    unknown: tuple[tuple[str, Value], ...] = ()
    """(field, value) of names in the text that stand for nothing, beginnings left aside."""

    @property
    def accession_keys(self) -> list[str]:
        """The numbers that were asked for, as they are compared: the very numbers come first."""
        return [key for written in self.parsed.accessions if (key := accession_key(written))]

    @property
    def is_impossible(self) -> bool:
        """Whether it is known beforehand that nothing can be found."""
        return "FALSE" in self.where.conditions


class FilterError(ValueError):
    """A filter that is not understood where nobody is there to read notices; the message is for people."""


def checked(filters: Iterable[str]) -> tuple[str, ...]:
    """The filters of a command line as they are. Raises FilterError where one has a mistake."""
    found = tuple(filters)
    for text in found:
        for mistake in parse_filter(text).mistakes:
            raise FilterError(f"The filter {text!r} is not understood. {mistake.message}")
    return found


def understand(
    text: str,
    user: Any,
    filters: Sequence[str] = (),
    tags: Sequence[str] = (),
    collections: Sequence[str] = (),
    without: Sequence[int] = (),
    before: names.Known | None = None,
) -> Asked:
    """Text, filters and facets mean the same, however they came in. `without` has assets to leave out;
    `before` the names that were looked up a moment ago."""
    parsed, narrower, facets, tree = _read(text, filters, tags, collections)
    known = dict(before or {})
    known |= names.look_up([f for f in fields_of(tree) if any((f.name, v) not in known for v in f.values)])
    wrong = [Wrong("q", mistake) for mistake in _mistakes(parsed, known)]
    for number, found in enumerate(narrower):
        wrong += [Wrong(f"filter[{number}]", mistake) for mistake in _mistakes(found, known)]
    notices = [said for facet in facets for _, _, said in _unknown(facet, known)]
    where = _where(sql.visible_to(sql.Where(), user), tree, known)
    if without:
        where = where.add("r.asset_id <> ALL(%s::bigint[])", list(without))
    unknown = [(name, value) for name, value, _ in _unknown(parsed.condition, known) if _is_whole(value)]
    return Asked(parsed, where, tuple(wrong), tuple(notices), tree, known, tuple(unknown))


def wanted(
    text: str, filters: Sequence[str] = (), tags: Sequence[str] = (), collections: Sequence[str] = ()
) -> names.Wanted:
    """The names that `understand` will look up, unless it is given them."""
    return names.Wanted(fields_of(_read(text, filters, tags, collections)[-1]))


def _read(
    text: str, filters: Sequence[str], tags: Sequence[str], collections: Sequence[str]
) -> tuple[Parsed, list[Parsed], list[Field], Node | None]:
    """The text and the filters, the facets as fields, and all that must hold."""
    parsed, narrower = parse(text), [parse_filter(filter) for filter in filters]
    facets = [_facet("tag", label) for label in tags]
    facets += [_facet("collection", name) for name in collections]
    trees = [parsed.condition, *(found.condition for found in narrower), *facets]
    return parsed, narrower, facets, both([part for part in trees if part])


def _facet(name: str, label: str) -> Field:
    return Field(name, (Value(label, Name(label)),))


def _where(where: sql.Where, tree: Node | None, known: names.Known) -> sql.Where:
    for part in tree.parts if isinstance(tree, And) else [tree] if tree else []:
        found = condition(part, known)
        where = where.add(found.sql, *found.params)
    return where


def _mistakes(parsed: Parsed, known: names.Known) -> list[Mistake]:
    found = [*parsed.mistakes]
    found += [Mistake(value.start, value.end, said) for _, value, said in _unknown(parsed.condition, known)]
    last = len(parsed.text)  # a filter may have been read with quotation marks that it does not have
    found = [Mistake(min(m.start, last), min(m.end, last), m.message) for m in found]
    return sorted(found, key=lambda mistake: mistake.start)


def _unknown(tree: Node | None, known: names.Known) -> Iterable[tuple[str, Value, str]]:
    """The fields and names in a condition that stand for nothing, and what is said of each."""
    for field in fields_of(tree):
        for value in field.values:
            if known.get((field.name, value)) == []:
                yield field.name, value, names.missing(field.name, value)


def _is_whole(value: Value) -> bool:
    return isinstance(value.meaning, Name) and not value.meaning.beginning
