"""Which tags, people, places and collections a question means."""

import re
from collections.abc import Iterable, Mapping, Sequence

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from assets.models import CREATORS, PLACES, SUBJECTS, TAGS, Collection
from assets.text import fold, label_key
from search.language.nodes import Field, Name, Value
from search.sql import rows

VOCABULARIES = {"tag": TAGS, "creator": CREATORS, "place": PLACES, "subject": SUBJECTS}
LOOKED_UP = (*VOCABULARIES, "collection")
Known = Mapping[tuple[str, Value], list[int]]
MOST_WORDS = 10  # of a name
MISSING = {
    "tag": _("There is no tag “%(text)s”."),
    "creator": _("There is no creator “%(text)s”."),
    "place": _("There is no place “%(text)s”."),
    "subject": _("There is no subject “%(text)s”."),
    "collection": _("There is no collection “%(text)s”."),
}

# First the labels that are exactly this, which an index finds; then further labels and those in other
# languages, which another finds; then both without accents.
EXACT = """
    SELECT t.key, t.id FROM assets_term t JOIN assets_vocabulary v ON v.id = t.vocabulary_id
    WHERE v.slug = %s AND t.key = ANY(%s)
"""
OTHERWISE = """
    SELECT said.key, t.id FROM unnest(%s::varchar[]) AS said(key)
    JOIN assets_term t ON t.other_keys @> ARRAY[said.key]
    JOIN assets_vocabulary v ON v.id = t.vocabulary_id AND v.slug = %s
"""
SAID = """
    WITH term AS (
        SELECT t.* FROM assets_term t JOIN assets_vocabulary v ON v.id = t.vocabulary_id WHERE v.slug = %s
    ), said AS MATERIALIZED (
        SELECT id, {label} AS text FROM (
            SELECT id, key AS label FROM term
            UNION ALL
            SELECT id, other #>> '{{}}' FROM term, jsonb_path_query(labels, '$.**') AS other
            WHERE labels <> '{{}}' AND jsonb_typeof(other) = 'string') AS every)
"""
LIKE = """
    SELECT %s::int, id FROM said
    WHERE text LIKE ALL(ARRAY(SELECT unaccent(pattern) FROM unnest(%s::text[]) AS pattern))
"""
WHOLE = "lower(unaccent(label))"
WORDS = "' ' || regexp_replace(lower(unaccent(label)), '\\W+', ' ', 'g') || ' '"


def look_up(fields: Iterable[Field]) -> Known:
    """The ids that each value of a field stands for; none where there is no such thing."""
    known: dict[tuple[str, Value], list[int]] = {}
    wanted: dict[str, dict[Value, Name]] = {}
    for field in fields:
        meant = {value: value.meaning for value in field.values if isinstance(value.meaning, Name)}
        if field.name in LOOKED_UP:
            wanted.setdefault(field.name, {}).update(meant)
    for name, values in wanted.items():
        names = list(values.values())
        found = [_collections(n) for n in names] if name == "collection" else _terms(name, names)
        known |= {(name, value): ids for value, ids in zip(values, found, strict=True)}
    return known


def missing(name: str, value: Value) -> str:
    """What is said of a name that stands for nothing."""
    return gettext(MISSING[name]) % {"text": value.text}


def _terms(field: str, names: Sequence[Name]) -> list[list[int]]:
    """A tag is meant as a whole, a person or a place by words of its name in any order."""
    slug, keys = VOCABULARIES[field], [label_key(name.text)[:200] for name in names]
    exact: dict[str, list[int]] = {}
    for key, pk in rows(EXACT, [slug, keys]):
        exact.setdefault(key, []).append(pk)
    if missing := [key for key in keys if key and key not in exact]:
        for key, pk in rows(OTHERWISE, [missing, slug]):
            exact.setdefault(key, []).append(pk)
    found = [[] if name.beginning else exact.get(key, []) for name, key in zip(names, keys, strict=True)]
    patterns = {
        number: _whole(keys[number], name) if field == "tag" else _by_words(keys[number], name)
        for number, name in enumerate(names)
        if not found[number]
    }
    patterns = {number: wanted for number, wanted in patterns.items() if wanted}
    if patterns:
        said = SAID.format(label=WHOLE if field == "tag" else WORDS)
        questions = " UNION ALL ".join([LIKE] * len(patterns))
        params = [part for pair in patterns.items() for part in pair]
        for number, pk in rows(said + questions, [slug, *params]):
            found[number].append(pk)
    return [sorted(set(ids)) for ids in found]


def _whole(key: str, name: Name) -> list[str]:
    return [_literal(key) + ("%" if name.beginning else "")]


def _by_words(key: str, name: Name) -> list[str]:
    words = re.findall(r"\w+", key)[:MOST_WORDS]
    ends = [" "] * (len(words) - 1) + ["" if name.beginning else " "]
    return [f"% {_literal(word)}{end}%" for word, end in zip(words, ends, strict=True)] if words else []


def _literal(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)


def _collections(name: Name) -> list[int]:
    """By name or by path; where none is written exactly so, without accents."""
    if not name.beginning:
        for path in (name.text, name.text.replace("/", " / ")):
            if found := list(Collection.objects.matching(path).values_list("pk", flat=True)):
                return found
    wanted = fold(name.text)
    every = ((pk, fold(written)) for pk, written in Collection.objects.values_list("pk", "name"))
    return [pk for pk, key in every if key == wanted or name.beginning and key.startswith(wanted)]
