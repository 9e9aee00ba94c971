"""What the home page counts, in one pass over the search rows; and the questions that were put before."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from search.sql import PICTURED, Fragment, Where, rows

MOST = 8  # questions in each of the two lists


class Month(NamedTuple):
    number: int
    bytes: int


class Glance(NamedTuple):
    """`numbers` in the order of the conditions; `added` and `ending` one for each span between two bounds."""

    total: int
    awaited: int
    bytes: int
    numbers: list[int]
    added: list[Month]
    ending: list[int]


class Put(NamedTuple):
    """A question as it was last written, how often it was put, and what it found the last time."""

    question: str
    mode: str
    times: int
    total: int
    strong: int | None


def glance(
    where: Where, conditions: Sequence[Fragment], added: Sequence[datetime], ending: Sequence[datetime]
) -> Glance:
    """Count what passes `where`: all, by each condition, and by when it was added or its rights end.

    Of n bounds there are n - 1 spans, and what lies outside is in none of them.
    """
    filtered = "".join(f", count(*) FILTER (WHERE c{n})" for n in range(len(conditions)))
    named = "".join(f", {condition.sql} AS c{n}" for n, condition in enumerate(conditions))
    found = rows(
        "SELECT added, ending, count(*), count(*) FILTER (WHERE NOT pictured),"
        f" coalesce(sum(bytes), 0)::bigint{filtered} FROM ("
        " SELECT width_bucket(r.added_at, %s::timestamptz[]) AS added,"
        f" width_bucket(r.rights_expire_at, %s::timestamptz[]) AS ending, {PICTURED} AS pictured,"
        f" r.bytes{named} FROM search_searchrow r WHERE {where.sql}) AS seen GROUP BY added, ending",
        [
            *(list(added), list(ending)),
            *(value for condition in conditions for value in condition.params),
            *where.params,
        ],
    )
    sums = [sum(column) for column in zip(*(row[2:] for row in found), strict=True)]
    total, awaited, size, *numbers = sums or [0] * (3 + len(conditions))
    months, ends = [Month(0, 0)] * (len(added) + 1), Counter[int | None]()
    for month, end, number, _, bytes, *_rest in found:
        months[month] = Month(months[month].number + number, months[month].bytes + bytes)
        ends[end] += number
    spans = range(1, len(ending))
    return Glance(total, awaited, size, numbers, months[1 : len(added)], [ends[n] for n in spans])


def questions(since: date) -> tuple[list[Put], list[Put]]:
    """The questions put most since a day, and the most frequent of those that found nothing the last time."""
    found = rows(
        "WITH put AS (SELECT key, mode, sum(times)::int AS times,"
        " (array_agg(question ORDER BY day DESC))[1] AS question,"
        " (array_agg(total ORDER BY day DESC))[1] AS total,"
        " (array_agg(strong ORDER BY day DESC))[1] AS strong"
        " FROM search_searchlog WHERE day >= %s GROUP BY key, mode)"
        " (SELECT FALSE, question, mode, times, total, strong FROM put ORDER BY times DESC, key LIMIT %s)"
        " UNION ALL (SELECT TRUE, question, mode, times, total, strong FROM put"
        " WHERE total = 0 OR strong = 0 ORDER BY times DESC, key LIMIT %s)",
        [since, MOST, MOST],
    )
    most, nothing = ([Put(*row[1:]) for row in found if row[0] is flag] for flag in (False, True))
    return most, nothing
