"""Up and down the hierarchy of terms, by statements that end even where somebody has made a circle."""

from collections.abc import Iterable

from django.db import connection

NARROWER = """
    WITH RECURSIVE below(id) AS (
        SELECT unnest(%s::bigint[])
        UNION SELECT p.from_term_id FROM below JOIN assets_term_parents p ON p.to_term_id = below.id)
    SELECT id FROM below
"""
BROADER = """
    WITH RECURSIVE above(id) AS (
        SELECT unnest(%s::bigint[])
        UNION SELECT p.to_term_id FROM above JOIN assets_term_parents p ON p.from_term_id = above.id)
    SELECT id FROM above
"""


def with_narrower(ids: Iterable[int]) -> set[int]:
    """The ids of these terms and of all terms below them."""
    return _closure(NARROWER, ids)


def with_broader(ids: Iterable[int]) -> set[int]:
    """The ids of these terms and of all terms above them."""
    return _closure(BROADER, ids)


def _closure(statement: str, ids: Iterable[int]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(ids)])
        return {pk for (pk,) in cursor.fetchall()}
