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
    ON CONFLICT (asset_id) DO UPDATE SET noted_at = EXCLUDED.noted_at
"""
# What is locked is being noted anew: it stays, and nobody waits.
DONE = """
    DELETE FROM search_fresh WHERE asset_id IN (
        SELECT f.asset_id FROM search_fresh f
        JOIN unnest(%s::bigint[], %s::timestamptz[]) AS d (asset_id, noted_at) USING (asset_id, noted_at)
        FOR UPDATE OF f SKIP LOCKED)
"""
Noted = tuple[int, datetime]


def note(asset_ids: Sequence[int]) -> None:
    """These are new, or something is known of them that was not (settings.ASSET_CHANGED)."""
    with connection.cursor() as cursor:
        cursor.execute(NOTE, [sorted(set(asset_ids))])


def waiting(limit: int) -> list[Noted]:
    """(asset, when it was noted), the oldest first."""
    found = "SELECT asset_id, noted_at FROM search_fresh ORDER BY noted_at, asset_id LIMIT %s"
    return [(pk, at) for pk, at in rows(found, [limit])]


def done(noted: Sequence[Noted]) -> None:
    """Take these away, but those that were noted again meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(DONE, [[pk for pk, _ in noted], [at for _, at in noted]])
