"""The SQL of facets: how often each value occurs in the rows that pass, in one pass over them.

The values of a row lie in its `facet_codes` as eight bytes each. The database does no more than to hand them
over; they are counted here, which takes a hundredth of what grouping them there does (docs/decisions/0013).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from assets.models import CREATORS, TAGS
from search.sql import Where, packed, rows

MOST = 50  # labels of one vocabulary
FIRST = 400  # terms among which these are looked for, before all are
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
    """All facets of the rows that pass, by one statement, and one or two for the names of terms."""
    found = Counted()
    values: dict[int, Counter[int]] = {kind: Counter() for kind in Kind}
    for words, format, number, example, expired, embargo, codes in packed(
        COUNTED.format(where=where.sql), where.params
    ):
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
    found.terms |= _labels(values[Kind.TERM], [*found.terms])
    return found


def _labels(terms: Counter[int], vocabularies: Sequence[str]) -> dict[str, list[tuple[str, int]]]:
    """By vocabulary: its most frequent labels, first among the most frequent of all terms.

    What is not among these is less frequent than each of them, so that a vocabulary that is full is right.
    """
    least = sorted(terms.values(), reverse=True)[FIRST - 1] if len(terms) > FIRST else 0
    found: dict[str, list[tuple[str, int]]] = {slug: [] for slug in vocabularies}
    for limit in dict.fromkeys((least, 0)):
        lacking = [slug for slug, labels in found.items() if len(labels) < MOST]
        some = {term: number for term, number in terms.items() if number >= limit}
        if lacking and some:
            found |= {slug: [] for slug in lacking}
            for slug, label, number in rows(NAMED, [[*some], [*some.values()], lacking, MOST]):
                found[slug].append((label, number))
    return found


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
