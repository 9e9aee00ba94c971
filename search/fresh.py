"""Which pictures are to be asked for alerts: the SQL of a queue that every change of a search row fills.

A note is a row in the transaction of the change itself, so that none is lost and none comes too early; while
nobody has an alert, none is written.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from search.sql import rows

NOTE = """
    INSERT INTO search_fresh (asset_id, noted_at)
    SELECT id, clock_timestamp() FROM unnest(%s::bigint[]) AS id
    WHERE EXISTS (SELECT FROM search_savedsearch WHERE alert_since IS NOT NULL)
    ORDER BY id
    ON CONFLICT (asset_id) DO UPDATE SET noted_at = EXCLUDED.noted_at, waits = false
"""
# What is locked is being noted anew: it stays as it is, and nobody waits.
THESE = """
    asset_id IN (
        SELECT f.asset_id FROM search_fresh f
        JOIN unnest(%s::bigint[], %s::timestamptz[]) AS d (asset_id, noted_at) USING (asset_id, noted_at)
        FOR UPDATE OF f SKIP LOCKED)
"""
DONE = f"DELETE FROM search_fresh WHERE {THESE}"
LATER = f"UPDATE search_fresh SET waits = true WHERE {THESE}"
WAITING = """
    SELECT asset_id, noted_at FROM search_fresh WHERE waits = %s ORDER BY noted_at, asset_id LIMIT %s
"""
Noted = tuple[int, datetime]


def note(asset_ids: Sequence[int]) -> None:
    """These are new, or something is known of them that was not (settings.ASSET_CHANGED)."""
    with connection.cursor() as cursor:
        cursor.execute(NOTE, [sorted(set(asset_ids))])


def waiting(limit: int, *, again: bool = False) -> list[Noted]:
    """(asset, when it was noted), the oldest first; `again`: those that were put off."""
    return [(pk, at) for pk, at in rows(WAITING, [again, limit])]


def put_off(noted: Sequence[Noted]) -> None:
    """Ask for these again later, but those that were noted anew meanwhile."""
    _do(LATER, noted)


def done(noted: Sequence[Noted]) -> None:
    """Take these away, but those that were noted anew meanwhile."""
    _do(DONE, noted)


def _do(statement: str, noted: Sequence[Noted]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [[pk for pk, _ in noted], [at for _, at in noted]])
