"""Which tags, people, places and collections a question means."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from assets.models import CREATORS, PLACES, SUBJECTS, TAGS, Collection
from assets.querysets import path_parts
from assets.text import fold, label_key
from search.language.nodes import Field, Name, Value
from search.sql import Fragment, rows

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

# By the number of a name: first the labels that are exactly this, which an index finds; where there is none,
# further labels and those in other languages, which another finds; else all are read without accents. What
# stands in a later line is not looked at where an earlier one has found something.
FOUND = """
    WITH asked AS (SELECT * FROM unnest(%s::int[], %s::varchar[], %s::varchar[]) AS asked(n, slug, key)),
    exact AS MATERIALIZED (
        SELECT asked.n, t.id FROM asked JOIN assets_vocabulary v ON v.slug = asked.slug
        JOIN assets_term t ON t.vocabulary_id = v.id AND t.key = asked.key {paths}),
    other AS MATERIALIZED (
        SELECT asked.n, t.id FROM asked JOIN assets_term t ON t.other_keys @> ARRAY[asked.key]
        JOIN assets_vocabulary v ON v.id = t.vocabulary_id AND v.slug = asked.slug
        WHERE asked.n NOT IN (SELECT n FROM exact)),
    found AS (SELECT n, id FROM exact UNION ALL SELECT n, id FROM other) {said}
    SELECT n, id, NULL::text AS name FROM found {like}
"""
SAID = """
    , said_{slug} AS MATERIALIZED (
        SELECT id, {label} AS text FROM (
            SELECT t.id, t.key AS label FROM assets_term t JOIN assets_vocabulary v ON v.id = t.vocabulary_id
            WHERE v.slug = '{slug}'
            UNION ALL
            SELECT t.id, other #>> '{{}}'
            FROM assets_term t JOIN assets_vocabulary v ON v.id = t.vocabulary_id,
                jsonb_path_query(t.labels, '$.**') AS other
            WHERE v.slug = '{slug}' AND t.labels <> '{{}}' AND jsonb_typeof(other) = 'string') AS every)
"""
LIKE = """
    UNION ALL SELECT {n}, id, NULL FROM said_{slug}
    WHERE NOT EXISTS (SELECT FROM found WHERE n = {n})
        AND text LIKE ALL(ARRAY(SELECT unaccent(pattern) FROM unnest(%s::text[]) AS pattern))
"""
COLLECTIONS = """
    UNION ALL SELECT {n}, c.id, c.name FROM assets_collection c
    WHERE NOT EXISTS (SELECT FROM found WHERE n = {n})
"""
WHOLE = "lower(unaccent(label))"
WORDS = "' ' || regexp_replace(lower(unaccent(label)), '\\W+', ' ', 'g') || ' '"


class Wanted:
    """The names in some fields, to be looked up together. A tag is meant as a whole, a person or a place by
    words of its name in any order, a collection by its name or by a path."""

    def __init__(self, fields: Iterable[Field]) -> None:
        named = [field for field in fields if field.name in LOOKED_UP]
        every = [(field.name, value, value.meaning) for field in named for value in field.values]
        meant = {(name, value): meaning for name, value, meaning in every if isinstance(meaning, Name)}
        self.names = [(n, name, meaning) for n, ((name, _), meaning) in enumerate(meant.items())]
        self.values = [*meant]

    @property
    def asked(self) -> Fragment | None:
        """Rows for `read`; None where nothing is to be looked up."""
        if not self.names:
            return None
        terms = [(n, VOCABULARIES[f], name) for n, f, name in self.names if f in VOCABULARIES]
        paths = [_paths(n, name) for n, f, name in self.names if f == "collection"]
        like = [_like(n, f, name) for n, f, name in self.names]
        exact = [(n, slug, label_key(name.text)[:200]) for n, slug, name in terms if not name.beginning]
        said = [SAID.format(slug=s, label=WHOLE if s == TAGS else WORDS) for s in {s for _, s, _ in terms}]
        sql = FOUND.format(
            paths=" ".join(path.sql for path in paths),
            said=" ".join(sorted(said)),
            like=" ".join(one.sql for one in like),
        )
        columns = [[one[column] for one in exact] for column in range(3)]
        others = [value for part in (*paths, *like) for value in part.params]
        return Fragment(sql, (*columns, *others))

    def read(self, found: Iterable[Sequence[Any]]) -> Known:
        """The ids that each stands for, from rows of (number, id, name); none where nothing is called so."""
        ids: list[set[int]] = [set() for _ in self.names]
        for n, pk, written in found:
            if written is None or _is_called(fold(written), self.names[n][2]):
                ids[n].add(pk)
        return {value: sorted(some) for value, some in zip(self.values, ids, strict=True)}


def look_up(fields: Iterable[Field]) -> Known:
    """The ids that each value of a field stands for, by one statement; none where there is no such thing."""
    wanted = Wanted(fields)
    asked = wanted.asked
    return wanted.read(rows(asked.sql, asked.params) if asked else [])


def missing(name: str, value: Value) -> str:
    """What is said of a name that stands for nothing."""
    return gettext(MISSING[name]) % {"text": value.text}


def _like(n: int, field: str, name: Name) -> Fragment:
    """What is read where nothing is called exactly so."""
    if field == "collection":
        return Fragment(COLLECTIONS.format(n=n))
    key = label_key(name.text)[:200]
    patterns = _whole(key, name) if field == "tag" else _by_words(key, name)
    return Fragment(LIKE.format(n=n, slug=VOCABULARIES[field]), (patterns,)) if patterns else Fragment("")


def _paths(n: int, name: Name) -> Fragment:
    """Collections by name or by path; where there is none, with each stroke as one between two names."""
    if name.beginning or not path_parts(name.text):
        return Fragment("")
    first, second = (_matching(path) for path in (name.text, name.text.replace("/", " / ")))
    union = "UNION ALL SELECT %s::int, c.id FROM ({}) AS c"
    if second == first:
        return Fragment(union.format(first.sql), (n, *first.params))
    either = f"({first.sql}) UNION ALL ({second.sql} AND NOT EXISTS ({first.sql}))"
    return Fragment(union.format(either), (n, *first.params, *second.params, *first.params))


def _matching(path: str) -> Fragment:
    sql, params = Collection.objects.matching(path).order_by().values("id").query.sql_with_params()
    return Fragment(sql, params)


def _is_called(key: str, name: Name) -> bool:
    wanted = fold(name.text)
    return key == wanted or name.beginning and key.startswith(wanted)


def _whole(key: str, name: Name) -> list[str]:
    return [_literal(key) + ("%" if name.beginning else "")]


def _by_words(key: str, name: Name) -> list[str]:
    words = re.findall(r"\w+", key)[:MOST_WORDS]
    ends = [" "] * (len(words) - 1) + ["" if name.beginning else " "]
    return [f"% {_literal(word)}{end}%" for word, end in zip(words, ends, strict=True)] if words else []


def _literal(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)
