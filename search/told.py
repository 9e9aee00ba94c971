"""Which terms of a vocabulary a person may be told, and on how many pictures that they may see each is."""

from collections.abc import Sequence
from typing import Any

from search import sql

# A term that no picture has is told to everybody. One pass over the pictures of all these terms.
TOLD = """
    SELECT t.id, coalesce(c.pictures, 0) FROM unnest(%s::bigint[]) AS t(id)
    LEFT JOIN (
        SELECT of_id, count(*) AS pictures FROM search_searchrow r, unnest(r.term_ids) AS of_id
        WHERE r.term_ids && %s::bigint[] AND of_id = ANY(%s::bigint[]) AND {where} GROUP BY of_id
    ) AS c ON c.of_id = t.id
    WHERE c.pictures > 0 OR %s
        OR (SELECT 1 FROM search_searchrow r WHERE r.term_ids && ARRAY[t.id] LIMIT 1) IS NULL
"""


def terms(ids: Sequence[int], user: Any, *, everything: bool = False) -> dict[int, int]:
    """Pictures by term, narrower terms included, of those of these terms that this person may be told.

    With `everything` all are told, as to somebody who looks after the vocabulary; the numbers stay theirs.
    """
    where = sql.visible_to(sql.Where(), user)
    given = list(ids)
    params = [given, given, given, *where.params, everything]
    return dict(sql.rows(TOLD.format(where=where.sql), params)) if given else {}
