"""Rankings of words that many pictures have, remembered: the best of all, whoever may see them.

To rank what has a frequent word, every row that has it must be read. But a row that nobody has written
since fits as well as it did. So the best rows are remembered with the snapshot that they were read in. When
the words are asked for again, those of them that pass and were not written since keep their order, and what
was written since is ranked as it is now. Whether a row passes is asked of the row each time: of permission
nothing is remembered. The answer is the same as if all had been read; where it might not be, all is read.

How many have the words is remembered as one bit for each row, beside its home and access, and counted
without those that were written since. Those that time may hide or show are asked about. A row that is gone
has left a mark in search_rowsgone; then all are counted anew.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from search import cached, rows
from search.sql import OPEN, PICTURED, PUBLIC, Count, Fragment, Ranked, Where, count_both, packed, packed_row
from search.word_sql import Matched, best_of, matching_words, numbers, pairs, rank

TABLE = "'search_searchrow'::regclass::oid::bigint"
LONG = 4_000
"""Rows from which a ranking is remembered; fewer are read as quickly as looked up."""
SHAPE = 4  # of what is remembered: one more where List changes
KEPT = 20_000
"""Rows of it that are."""
WRITTEN = 500
"""Rows written since that are ranked anew; where there are more, all are."""
PASSES, WAITS, SHARED, CLOSED, TIMED = 1, 2, 4, 8, 16
"""What a survey says of a row: it passes; it waits for its picture; it is public; it is restricted; it has an
embargo, or is public as long as its rights last."""


@dataclass(frozen=True)
class List:
    """The best rows of a library, best first, ties by the smaller id; all that there are, if `whole`."""

    table: int
    """The table that it was read from: one that a backup was restored into is another, with older rows."""
    xmin: int
    """What a transaction of this number or a higher one wrote may be missing, or another now."""
    assets: NDArray[np.int64]
    scores: NDArray[np.float32]
    whole: bool
    having: bytes
    """All rows that have the words, one bit for each asset's id."""
    waiting: bytes
    """Those of them that wait for their picture."""
    places: tuple[tuple[int, int], ...]
    """Homes, each with SHARED, CLOSED or 0."""
    lies: NDArray[np.integer[Any]]
    """In which of the places each of those that have the words is, by rising id."""
    timed: NDArray[np.int64]
    """Those of them that are TIMED."""


def ranked(
    question: Fragment,
    where: Where,
    limit: int,
    *,
    near: bool,
    counted: bool,
    besides: Fragment | None = None,
) -> Matched:
    """As `matching_words`; where it need not be `counted`, (0, 0) may stand in place of the numbers."""
    if where.narrowed:
        return matching_words(question, where, limit, near=near, besides=besides)
    stored = cached.words(_key(question, near))
    if stored is None:
        return _survey(question, where, limit, near, besides)
    known = List(*stored)
    best, others = _from_list(known, question, where, limit, near, besides)
    if best is None and where.scoped:  # what they may see lies beyond the list
        return matching_words(question, where, limit, near=near)._replace(besides=others)
    count = _counted(known, question, where) if counted and best is not None else Count(0, 0)
    if best is None or count is None:
        return _survey(question, where, limit, near)._replace(besides=others)
    return Matched(best, count, others)


def prune() -> None:
    """Marks of rows that were gone before anything that is still remembered."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM search_rowsgone WHERE at < now() - interval '2 days'")


def settle() -> None:
    """Rows that a backup has brought from another server were not written after all that happens here."""
    with connection.cursor() as cursor:  # the database puts its own transaction in the place of the 0
        cursor.execute(
            "UPDATE search_searchrow SET written = 0 WHERE written > pg_current_xact_id()::text::bigint"
        )


def _survey(
    question: Fragment, where: Where, limit: int, near: bool, besides: Fragment | None = None
) -> Matched:
    """Read all that has the words, whether it passes or not, so that the ranking can serve everybody."""
    sql = f"""
        SELECT {TABLE}, pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
            pg_current_xact_id_if_assigned() IS NOT NULL,
            string_agg(int8send(r.asset_id), ''::bytea), string_agg(float4send({rank(near)}), ''::bytea),
            string_agg(int8send(r.home_collection_id), ''::bytea),
            string_agg(int2send((CASE WHEN {where.sql} THEN {PASSES} ELSE 0 END
                + CASE WHEN {PICTURED} THEN 0 ELSE {WAITS} END
                + CASE r.access WHEN 'public' THEN {SHARED} WHEN 'restricted' THEN {CLOSED} ELSE 0 END
                + CASE WHEN r.embargo_until IS NULL AND (r.access <> 'public' OR r.rights_expire_at IS NULL)
                    THEN 0 ELSE {TIMED} END)::smallint), ''::bytea)
        FROM search_searchrow r, (SELECT {question.sql} AS q) AS question
        WHERE r.words @@ q AND NOT r.trashed
    """
    table, xmin, writes, ids, ranks, lives, states, *others = packed_row(
        sql, [*where.params, *question.params], besides
    )
    assets, scores = numbers(ids, ranks)
    state = np.frombuffer(states or b"", ">i2")
    if len(assets) >= LONG and not writes:  # what this transaction wrote may yet be taken back
        first = best_of(assets, scores, KEPT)
        kept = (table, xmin, assets[first], scores[first], len(first) == len(assets))
        cached.keep_words(_key(question, near), (*kept, *_facts(assets, np.frombuffer(lives, ">i8"), state)))
    passing = np.flatnonzero(state & PASSES)
    found = passing[best_of(assets[passing], scores[passing], limit)]
    awaited = int((state[passing] & WAITS > 0).sum())
    return Matched(pairs(assets[found], scores[found]), Count(len(passing), awaited), tuple(others))


def _facts(assets: NDArray[np.int64], homes: NDArray[Any], state: NDArray[Any]) -> tuple[Any, ...]:
    """Of all rows that have the words, the values of a List from `having` on."""
    most, codes = int(assets.max()), homes * TIMED + (state & (SHARED | CLOSED))
    alike, lies = np.unique(codes, return_inverse=True)
    places = tuple(divmod(code, TIMED) for code in alike.tolist())
    lies = lies[np.argsort(assets)].astype(np.min_scalar_type(len(places)))
    waiting, timed = (assets[state & fact > 0] for fact in (WAITS, TIMED))
    return _bits(assets, most), _bits(waiting, most), places, lies, timed


def _from_list(
    known: List, question: Fragment, where: Where, limit: int, near: bool, besides: Fragment | None
) -> tuple[list[Ranked] | None, tuple[Any, ...]]:
    """None where the list does not reach as far as `limit`, or too much was written since; and the row of
    what was asked besides."""
    likely = _likely(known, where)
    every, others = len(likely), ()
    for looked_at in sorted({min(every, limit + limit // 4), every}):
        at = likely[:looked_at]
        written, unchanged, found_besides = _unchanged(known, known.assets[at].tolist(), where, besides)
        besides, others = None, others or found_besides
        if written > WRITTEN:
            break
        scores = dict(zip(known.assets[at].tolist(), known.scores[at].tolist(), strict=True))
        found = {pk: Ranked(pk, scores[pk]) for pk in unchanged}
        if written:
            found |= {one.asset_id: one for one in _anew(known, question, where, near)}
        best = sorted(found.values(), key=_place)
        if known.whole and looked_at == every:
            return best[:limit], others
        last = at[-1] if looked_at < every else -1
        end = Ranked(int(known.assets[last]), float(known.scores[last]))
        if len(best) >= limit and _place(best[limit - 1]) <= _place(end):
            return best[:limit], others  # what is not on the list comes after its end
    return None, others


def _likely(known: List, where: Where) -> NDArray[np.intp]:
    """Where on the list those stand that pass if they were not written since, or that time decides on.

    It saves asking about the others; those that are left are asked about all the same.
    """
    marks = _marks(known, where)
    marks[known.timed] = 1
    return np.flatnonzero(marks[known.assets])


def _place(one: Ranked) -> tuple[float, int]:
    return -one.score, one.asset_id


def _unchanged(
    known: List, listed: list[int], where: Where, besides: Fragment | None
) -> tuple[int, list[int], tuple[Any, ...]]:
    """How many rows were written since, and which of these of the list pass and were not; and the row of what
    is asked besides."""
    sql = f"""
        SELECT {TABLE}, pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
            (SELECT count(*) FROM (
                SELECT FROM search_searchrow WHERE written >= %s LIMIT {WRITTEN + 1}) AS written),
            (SELECT string_agg(int8send(r.asset_id), ''::bytea) FROM search_searchrow r
                WHERE r.asset_id = ANY(%s) AND r.written < %s AND {where.sql})
    """
    table, now, written, ids, *others = packed_row(
        sql, [known.xmin, listed, known.xmin, *where.params], besides
    )
    if table != known.table or now < known.xmin:  # another database than the one that it was read from
        return WRITTEN + 1, [], tuple(others)
    return written, np.frombuffer(ids or b"", ">i8").tolist(), tuple(others)


def _anew(known: List, question: Fragment, where: Where, near: bool) -> list[Ranked]:
    """Those of the rows written since that have the words and pass, as they are now."""
    since = f"SELECT w.asset_id FROM search_searchrow w WHERE w.written >= %s LIMIT {WRITTEN + 1}"
    these = where.add(f"r.asset_id = ANY(ARRAY({since}))", known.xmin)
    return matching_words(question, these, WRITTEN + 1, near=near).best


def _counted(known: List, question: Fragment, where: Where) -> Count | None:
    """How many have the words and pass; None where rows are gone since. Where time decides on many, or
    what is restricted is seen in some homes alone, the rows themselves are counted."""
    wanted = where.add(f"r.words @@ {question.sql}", *question.params)
    rule = {*Where().within(where.homes, PUBLIC).conditions, OPEN}
    timed = known.timed if {*where.conditions} - {*Where().conditions} else known.timed[:0]
    if len(timed) > LONG or not {*where.conditions} <= rule:
        return count_both(wanted)
    sql = f"""
        SELECT EXISTS (SELECT FROM search_rowsgone WHERE written >= %s),
            (SELECT string_agg(int8send(w.asset_id), ''::bytea) FROM search_searchrow w
                WHERE w.written >= %s),
            anew.total, anew.awaited
        FROM (SELECT count(*) AS total, count(*) FILTER (WHERE NOT {PICTURED}) AS awaited
            FROM (SELECT * FROM search_searchrow WHERE written >= %s OR asset_id = ANY(%s) OFFSET 0) AS r
            WHERE {wanted.sql}) AS anew
    """  # OFFSET 0: else all that has the words would be looked up beside these few
    ((gone, written, total, awaited),) = packed(sql, [*[known.xmin] * 3, timed.tolist(), *wanted.params])
    if gone:
        return None
    marks, out = _marks(known, where), np.frombuffer(written or b"", ">i8").astype(np.int64)
    for these in (out[out < len(marks)], timed):
        marks[these] = 0
    waiting = marks & np.unpackbits(np.frombuffer(known.waiting, np.uint8))
    return Count(total + int(marks.sum(dtype=np.int64)), awaited + int(waiting.sum(dtype=np.int64)))


def _marks(known: List, where: Where) -> NDArray[np.uint8]:
    """By asset: 1 for what has the words and passes, by its home and access alone."""
    marks = np.unpackbits(np.frombuffer(known.having, np.uint8))
    hidden = CLOSED if OPEN in where.conditions else -1
    seen = [access != hidden and (access == SHARED or home in where.homes) for home, access in known.places]
    marks[np.flatnonzero(marks)] = np.array(seen)[known.lies]
    return marks


def _bits(ids: NDArray[np.int64], most: int) -> bytes:
    """One bit for each number up to `most`, set for those of `ids`."""
    marks = np.zeros(most + 1, np.uint8)
    marks[ids] = 1
    return np.packbits(marks).tobytes()


def _key(question: Fragment, near: bool) -> str:
    asked = json.dumps([SHAPE, rows.REVISION, near, question.sql, *question.params])
    return hashlib.sha256(asked.encode()).hexdigest()
