"""The SQL of facets: how often each value occurs in the rows that pass, in one pass over them.

The values of a row lie in its `facet_codes` as eight bytes each. The database does no more than to hand them
over; they are counted here, which takes a hundredth of what grouping them there does (docs/decisions/0013).
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from psycopg import Cursor

from assets.models import CREATORS, TAGS
from search.sql import Where, rows

MOST = 50  # labels of one vocabulary
AT_ONCE = 1 << 20  # codes that are looked at together
DENSE = 1 << 22
VALUE_BITS, YEAR_BITS = 56, 28
Decades = tuple[int | None, int | None]


class Kind(IntEnum):
    """As in the function search_facet_codes."""

    TERM = 1
    HOME = 2
    COLOR = 3
    DECADES = 4
    NO_RIGHTS = 5


COUNTED = """
    SELECT r.rights_words, r.format, count(*), min(r.asset_id),
        count(*) FILTER (WHERE r.rights_expire_at <= now()),
        count(*) FILTER (WHERE r.embargo_until > now()),
        string_agg(r.facet_codes, ''::bytea)
    FROM search_searchrow r WHERE {where} GROUP BY r.rights_words, r.format
"""
NAMED = """
    SELECT slug, label, number FROM (
        SELECT v.slug, t.label, number, t.key,
            row_number() OVER (PARTITION BY v.id ORDER BY number DESC, t.key) AS place
        FROM unnest(%s::bigint[], %s::bigint[]) AS used(term, number)
        JOIN assets_term t ON t.id = used.term JOIN assets_vocabulary v ON v.id = t.vocabulary_id
        WHERE v.slug = ANY(%s)) AS every
    WHERE place <= %s ORDER BY slug, place
"""


@dataclass
class Counted:
    """Numbers of rows, by value."""

    total: int = 0
    terms: dict[str, list[tuple[str, int]]] = field(default_factory=lambda: {TAGS: [], CREATORS: []})
    """By vocabulary: its MOST frequent labels, the most frequent first."""
    homes: Counter[int] = field(default_factory=Counter)
    """By the collection where a picture lives."""
    decades: Counter[Decades] = field(default_factory=Counter)
    """By the first and the last year, divided by ten; None is open. Without a date, none."""
    rights: Counter[str] = field(default_factory=Counter)
    """By the words of rights and holder: see assets.text.word_key."""
    examples: dict[str, int] = field(default_factory=dict)
    """An asset that passes, for each of the words of rights."""
    states: Counter[str] = field(default_factory=Counter)
    """By what `rights:` calls expired, embargo and none."""
    formats: Counter[str] = field(default_factory=Counter)
    colors: Counter[str] = field(default_factory=Counter)


def counted(where: Where) -> Counted:
    """All facets of the rows that pass, by one statement, and another for the names of terms."""
    found = Counted()
    values: dict[int, Counter[int]] = {kind: Counter() for kind in Kind}
    for words, format, number, example, expired, embargo, codes in _binary(where):
        found.total += number
        found.rights[words] += number
        found.examples[words] = example
        found.formats[format] += number
        found.states += Counter(expired=expired, embargo=embargo)
        for kind, counts in _tally(codes).items():
            values[kind].update(counts)
    found.homes = values[Kind.HOME]
    found.colors = Counter({_color(code): n for code, n in values[Kind.COLOR].items()})
    found.decades = Counter({_decades(code): n for code, n in values[Kind.DECADES].items()})
    found.states["none"] = values[Kind.NO_RIGHTS].total()
    terms = values[Kind.TERM]
    named = rows(NAMED, [[*terms], [*terms.values()], [TAGS, CREATORS], MOST]) if terms else []
    for slug, label, number in named:
        found.terms[slug].append((label, number))
    return found


def _binary(where: Where) -> list[tuple[Any, ...]]:
    """As bytes: as text, the codes would be twice as long."""
    connection.ensure_connection()
    database: Any = connection  # the stubs do not know what is PostgreSQL's alone
    with database._prepare_cursor(Cursor(database.connection)) as cursor:
        cursor.cursor.execute(COUNTED.format(where=where.sql), where.params, binary=True)
        return list(cursor.fetchall())


def _tally(codes: bytes) -> dict[int, Counter[int]]:
    """By kind: how often each value occurs."""
    found: dict[int, Counter[int]] = {kind: Counter() for kind in Kind}
    every = np.frombuffer(codes, dtype=">i8")
    for start in range(0, len(every), AT_ONCE):
        some = every[start : start + AT_ONCE].astype(np.int64)
        kinds = some >> VALUE_BITS
        for kind, counts in found.items():
            counts.update(_occurrences(some[kinds == kind] & ((1 << VALUE_BITS) - 1)))
    return found


def _occurrences(values: NDArray[np.int64]) -> dict[int, int]:
    if len(values) and values.max() < DENSE:
        numbers = np.bincount(values)
        distinct = np.flatnonzero(numbers)
        numbers = numbers[distinct]
    else:
        distinct, numbers = np.unique(values, return_counts=True)
    return dict(zip(distinct.tolist(), numbers.tolist(), strict=True))


def _color(code: int) -> str:
    return code.to_bytes(VALUE_BITS // 8, "big").lstrip(b"\0").decode()


def _decades(code: int) -> Decades:
    low, high = code >> YEAR_BITS, code & ((1 << YEAR_BITS) - 1)
    zero = 1 << YEAR_BITS - 1
    return (low - zero if low else None), (high - zero if high else None)
