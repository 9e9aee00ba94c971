"""The SQL of words: which rows have them, how well each fits, and where they stand in a text.

The database hands over every match as twelve bytes, and the best are picked here. So one reading of the rows
both ranks and counts; sorting them there takes it as long as handing them over (docs/decisions/0006).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from search.sql import PICTURED, Count, Fragment, Ranked, Where, packed_row, rows

FEW_WORDS = 16  # divides a rank by 1 + the logarithm of the number of different words of a row
SHORT = 160  # characters of a passage that is shown whole with its matches marked


class Matched(NamedTuple):
    best: list[Ranked]
    counted: Count
    """Of all matches, however many of them are among the best."""
    besides: tuple[Any, ...] = ()
    """The row of what was asked with them."""


def matching_words(
    question: Fragment,
    where: Where,
    limit: int,
    *,
    required: bool = True,
    near: bool = True,
    besides: Fragment | None = None,
) -> Matched:
    """Rows by how well they fit a tsquery, best first; all that pass, where it is not `required`. In the same
    statement one row of something else is asked `besides`.

    `near`: words that stand near to one another count more. A single word has nothing to be near to, and is
    ranked by how often and where it stands, for half of the time.
    """
    wanted = "r.words @@ q AND" if required else ""
    sql = f"""
        SELECT count(*), count(*) FILTER (WHERE NOT {PICTURED}),
            string_agg(int8send(r.asset_id), ''::bytea),
            string_agg(float4send({rank(near)}), ''::bytea)
        FROM search_searchrow r, (SELECT {question.sql} AS q) AS question
        WHERE {wanted} {where.sql}
    """
    total, awaited, ids, ranks, *others = packed_row(sql, [*question.params, *where.params], besides)
    assets, scores = numbers(ids, ranks)
    best = best_of(assets, scores, limit)
    return Matched(pairs(assets[best], scores[best]), Count(total, awaited), tuple(others))


def rank(near: bool) -> str:
    """How well the words of a row `r` fit `q`."""
    return f"{'ts_rank_cd' if near else 'ts_rank'}(r.words, q, {FEW_WORDS})"


def numbers(ids: bytes | None, ranks: bytes | None) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Assets and their scores, in the order in which the rows were read."""
    return np.frombuffer(ids or b"", ">i8").astype(np.int64), np.frombuffer(ranks or b"", ">f4").astype("f4")


def best_of(assets: NDArray[np.int64], scores: NDArray[np.float32], limit: int) -> NDArray[np.intp]:
    """Where the highest scores stand, ties by the smaller id."""
    likely = np.arange(len(assets))
    if len(assets) > limit > 0:
        likely = np.flatnonzero(scores >= np.partition(scores, -limit)[-limit])
    return likely[np.lexsort((assets[likely], -scores[likely]))[:limit]]


def pairs(assets: NDArray[np.int64], scores: NDArray[np.float32]) -> list[Ranked]:
    return [Ranked(*pair) for pair in zip(assets.tolist(), scores.tolist(), strict=True)]


def marked(words: Sequence[str], passages: Sequence[str], start: str, stop: str) -> list[str]:
    """Each passage, or a piece of a long one, with what matches between `start` and `stop`; "" without any.

    Words match as in `matching_words`: by their stem, and the last one also as the beginning of one.
    """
    if not words or not passages:
        return [""] * len(passages)
    query, params = "websearch_to_tsquery('museum', %s)", [" or ".join(f'"{word}"' for word in words)]
    if len(words[-1]) > 1:
        query += " || to_tsquery('museum', %s)"
        params.append(f"'{words[-1]}':*")
    marks = f"StartSel={start}, StopSel={stop}"
    options = [f"{marks}, HighlightAll=true", f"{marks}, MaxWords=24, MinWords=12"]
    sql = f"""
        SELECT CASE WHEN NOT to_tsvector('museum', passage) @@ q THEN ''
                    WHEN length(passage) < {SHORT} THEN ts_headline('museum', passage, q, %s)
                    ELSE ts_headline('museum', passage, q, %s) END
        FROM unnest(%s::text[]) WITH ORDINALITY AS given(passage, n), (SELECT {query} AS q) AS question
        ORDER BY n
    """
    return [text for (text,) in rows(sql, [*options, list(passages), *params])]
