"""Which tags, people, places and collections a question means. Everything is asked once for a question."""

import re
from collections.abc import Mapping

from django.db import connection

from assets.models import CREATORS, PLACES, SUBJECTS, TAGS, Collection
from assets.text import fold, label_key
from search.language.nodes import Field, Name, Value

VOCABULARIES = {"tag": TAGS, "creator": CREATORS, "place": PLACES, "subject": SUBJECTS}
LOOKED_UP = (*VOCABULARIES, "collection")
Known = Mapping[tuple[str, Value], list[int]]

# First the labels that are exactly this, which an index finds; then without accents and in other languages.
EXACT = """
    SELECT t.id FROM assets_term t JOIN assets_vocabulary v ON v.id = t.vocabulary_id
    WHERE v.slug = %s AND t.key = %s
"""
FOLDED = """
    SELECT t.id FROM assets_term t JOIN assets_vocabulary v ON v.id = t.vocabulary_id
    WHERE v.slug = %s AND (
        {column} LIKE unaccent(%s)
        OR t.labels <> '{{}}' AND EXISTS (
            SELECT 1 FROM jsonb_path_query(t.labels, '$.**') AS other(label)
            WHERE jsonb_typeof(other.label) = 'string' AND {other} LIKE unaccent(%s)))
"""
PLAIN = "lower(unaccent({}))"
WORDS = "' ' || regexp_replace(lower(unaccent({})), '\\W+', ' ', 'g') || ' '"


def look_up(fields: list[Field]) -> Known:
    """The ids that each value of a field stands for; none where there is no such thing."""
    wanted = dict.fromkeys((f.name, value) for f in fields if f.name in LOOKED_UP for value in f.values)
    return {(name, value): _ids(name, value) for name, value in wanted}


def missing(name: str, value: Value) -> str:
    """What is said of a name that stands for nothing."""
    return f"There is no {name} “{value.text}”."


def _ids(field: str, value: Value) -> list[int]:
    name = value.meaning
    if not isinstance(name, Name):
        return []
    return _collections(name) if field == "collection" else _terms(field, name)


def _terms(field: str, name: Name) -> list[int]:
    """A tag is meant as a whole, a person or a place by words of its name in any order of theirs."""
    slug, key = VOCABULARIES[field], label_key(name.text)[:200]
    with connection.cursor() as cursor:
        if not name.beginning:
            cursor.execute(EXACT, [slug, key])
            if found := [pk for (pk,) in cursor.fetchall()]:
                return found
        form, patterns = (PLAIN, [_whole(key, name)]) if field == "tag" else (WORDS, _by_words(key, name))
        ids: set[int] | None = None
        for pattern in patterns:
            sql = FOLDED.format(column=form.format("t.key"), other=form.format("other.label #>> '{}'"))
            cursor.execute(sql, [slug, pattern, pattern])
            matching = {pk for (pk,) in cursor.fetchall()}
            ids = matching if ids is None else ids & matching
    return sorted(ids or ())


def _whole(key: str, name: Name) -> str:
    return _literal(key) + ("%" if name.beginning else "")


def _by_words(key: str, name: Name) -> list[str]:
    words = re.findall(r"\w+", key)[:10]
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
