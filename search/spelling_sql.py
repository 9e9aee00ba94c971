"""The SQL of words that may be mistyped: which of them some row has, and which other spellings rows have.

All that is asked about the words of one question goes in two statements. Where one part of a statement
decides whether another is needed, that is not looked at otherwise.
"""

from collections.abc import Sequence
from typing import NamedTuple

from search.lexicon import LEAST_ALIKE, NEAR
from search.sql import Fragment, Where, rows

# The limit is a subquery, so that it is no reason for the planner to read the table from its beginning.
FEW = "(SELECT count(*) FROM (SELECT FROM search_searchrow r WHERE {} AND {} LIMIT (SELECT {})) AS few)"
WRONG = """
    WITH had(n, few) AS MATERIALIZED ({had}),
    wrong AS MATERIALIZED (SELECT n FROM had WHERE few = 0 ORDER BY n LIMIT %s)
    SELECT n, NULL::text, 0::real FROM wrong
"""
# The limit holds for this statement: it is set before the words are read.
LIKE = """
    (SELECT {n}, w.word, similarity(w.word, %s) FROM search_word w
     WHERE EXISTS (SELECT FROM wrong WHERE n = {n})
        AND (SELECT set_config('pg_trgm.similarity_threshold', %s, true)) IS NOT NULL AND w.word %% %s
     ORDER BY 3 DESC, 2 LIMIT %s)
"""
# The spellings are a subquery, so that the planner does not look at each of some hundreds.
BY_EDITS = """
    (SELECT {n}, w.word, 0 FROM search_word w
     WHERE EXISTS (SELECT FROM wrong WHERE n = {n}) AND w.word = ANY((SELECT %s::text[])::text[]))
"""
MORE = """
    SELECT {n}, asked.word, (
        SELECT count(*) FROM (
            SELECT FROM search_searchrow r WHERE r.words @@ plainto_tsquery('museum', asked.word) AND {where}
            LIMIT (SELECT {most})) AS few)
    FROM unnest(%s::text[]) AS asked(word)
    WHERE (SELECT count(*) FROM first WHERE few > 0 AND n = ANY(%s)) < {enough}
"""


class Typed(NamedTuple):
    word: str
    has: Fragment
    """The condition on a row that has it."""
    slips: Sequence[str]
    """Words that are one slip away."""


def misspelt(typed: Sequence[Typed], where: Where, most: int) -> dict[int, list[str]]:
    """The first of these words that no row has which passes, `most` of them, by their number; of each the
    words that are alike, and the spellings that exist."""
    had = _numbered([one.has for one in typed], where, 1)
    parts, params = [WRONG.format(had=had.sql)], [*had.params, most]
    for n, (word, _, slips) in enumerate(typed):
        parts += [LIKE.format(n=n), BY_EDITS.format(n=n)]
        params += [word, str(LEAST_ALIKE), word, NEAR, list(slips)]
    found: dict[int, list[str]] = {}
    for n, near, _ in rows(" UNION ALL ".join(parts), params) if typed else []:
        known = found.setdefault(n, [])
        if near and near != typed[n].word and near not in known:
            known.append(near)
    return dict(sorted(found.items()))


class Tried(NamedTuple):
    counts: dict[str, int]
    """By word, the rows that have it."""
    tests: list[bool]
    """Whether some row passes each."""


def tried(
    groups: Sequence[Sequence[str]], first: int, tests: Sequence[Fragment], where: Where, most: int
) -> Tried:
    """Of each group of words, how many rows have each of the `first` ones, up to `most`; of the others too,
    where one of those has no row. And which of some other conditions rows pass.
    """
    words = sorted({word for group in groups for word in group[:first]})
    place = {word: n for n, word in enumerate(words)}
    has = [Fragment("r.words @@ plainto_tsquery('museum', %s)", (word,)) for word in words]
    counted, passing = _numbered(has, where, most), _numbered(tests, where, 1)
    parts = [f"WITH first(n, few) AS MATERIALIZED ({counted.sql}) SELECT -1, n::text, few FROM first"]
    parts += [f"SELECT -2, n::text, few FROM ({passing.sql}) AS tests(n, few)"] if tests else []
    params = [*counted.params, *passing.params]
    for n, group in enumerate(groups):
        if len(group) > first:
            parts.append(MORE.format(n=n, where=where.sql, most=int(most), enough=int(first)))
            params += [*where.params, list(group[first:]), [place[word] for word in group[:first]]]
    found = rows(" UNION ALL ".join(parts), params) if words else []
    counts = {words[int(key)] if n == -1 else key: few for n, key, few in found if n != -2}
    passed = {int(key) for n, key, few in found if n == -2 and few}
    return Tried(counts, [n in passed for n in range(len(tests))])


def _numbered(conditions: Sequence[Fragment], where: Where, most: int) -> Fragment:
    """For each condition on `r` its number, and how many rows pass it and `where`, counted up to `most`."""
    lines = [
        f"SELECT {n}, {FEW.format(condition.sql, where.sql, int(most))}"
        for n, condition in enumerate(conditions)
    ]
    params = tuple(v for condition in conditions for v in (*condition.params, *where.params))
    return Fragment(" UNION ALL ".join(lines), params)
