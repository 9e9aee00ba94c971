"""Proof that the search rows say what the source of truth says, and the way to put right those that do not.

A row is compared with what `rows.refresh` would write, by the same code: it is written into a temporary
table, and the database compares the columns. What differs is looked at once more under the row's lock, so
that a change which is being made meanwhile is no difference.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from assets.models import Asset
from search import lexicon, rows

AT_ONCE = 1000
FACTS = [name for name in rows.COLUMNS if name != "asset_id"]
EXPECTED = "CREATE TEMPORARY TABLE expected (LIKE search_searchrow INCLUDING DEFAULTS) ON COMMIT DROP"
DIFFERENT = f"""
    SELECT e.asset_id, r.asset_id IS NULL, array_remove(ARRAY[{
    ", ".join(f"CASE WHEN r.{name} IS DISTINCT FROM e.{name} THEN '{name}' END" for name in FACTS)
}]::text[], NULL)
    FROM expected e LEFT JOIN search_searchrow r USING (asset_id)
    WHERE r.asset_id IS NULL OR {" OR ".join(f"r.{name} IS DISTINCT FROM e.{name}" for name in FACTS)}
    ORDER BY e.asset_id
"""
ORPHANS = """
    SELECT r.asset_id FROM search_searchrow r
    WHERE NOT EXISTS (SELECT 1 FROM assets_asset a WHERE a.id = r.asset_id) ORDER BY r.asset_id
"""
ROUND, RESULT = f"search.check:{rows.REVISION}", f"search.checked:{rows.REVISION}"  # in the cache
EVERY, KEPT = timedelta(days=1), 30 * 86_400
PORTION_SECONDS = 10.0


@dataclass(frozen=True)
class Difference:
    """`missing` and `orphan` name whole rows; else `columns` are those that say something else."""

    asset_id: int
    kind: str
    columns: tuple[str, ...] = ()


@dataclass
class Round:
    """One look at all rows, in portions; `after` is the last asset that was looked at."""

    begun: datetime
    after: int = 0
    checked: int = 0
    different: int = 0
    ended: datetime | None = None
    examples: list[dict[str, Any]] = field(default_factory=list)


def check(*, repair: bool) -> Iterator[tuple[int, list[Difference]]]:
    """For each chunk, how many assets were looked at and what differs; put right with `repair`."""
    after = 0
    while ids := _next(after):
        yield len(ids), check_these(ids, repair=repair)
        after = ids[-1]
    yield 0, orphans(repair=repair)


def check_these(asset_ids: Sequence[int], *, repair: bool) -> list[Difference]:
    """What differs in the rows of these assets."""
    found, words = _compare(asset_ids)
    if repair:
        lexicon.note(words)
    suspects = [difference.asset_id for difference in found]
    if not suspects:
        return []
    with transaction.atomic():
        rows.lock(suspects)
        found, _ = _compare(suspects)
        if repair and found:
            rows.refresh([difference.asset_id for difference in found])
    return found


def _compare(asset_ids: Sequence[int]) -> tuple[list[Difference], set[str]]:
    """What differs, and the words that these assets have."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(EXPECTED)
        words = rows.write(asset_ids, "expected")
        cursor.execute(DIFFERENT)
        found = cursor.fetchall()
        cursor.execute("DROP TABLE expected")  # the transaction may be a part of a larger one
    differences = [
        Difference(pk, "missing" if missing else "differs", () if missing else tuple(columns))
        for pk, missing, columns in found
    ]
    return differences, words


def orphans(*, repair: bool) -> list[Difference]:
    """Rows without an asset, which the database should not have let happen."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ORPHANS)
        ids = [pk for (pk,) in cursor.fetchall()]
        if repair and ids:
            cursor.execute("DELETE FROM search_searchrow WHERE asset_id = ANY(%s)", [ids])
    return [Difference(pk, "orphan") for pk in ids]


def _next(after: int) -> list[int]:
    following = Asset.objects.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)
    return list(following[:AT_ONCE])


# --- once a day -----------------------------------------------------------------------------------


def work() -> None:
    """Go on with the round for PORTION_SECONDS, or begin one a day after the last. It puts rows right."""
    result: Round | None = cache.get(RESULT)
    now = timezone.now()
    current: Round | None = cache.get(ROUND)
    if current is None:
        if result and result.ended and result.ended > now - EVERY:
            return
        current = Round(now)
    until = time.monotonic() + PORTION_SECONDS
    while ids := _next(current.after):
        _note(current, len(ids), check_these(ids, repair=True))
        current.after = ids[-1]
        if time.monotonic() > until:
            cache.set(ROUND, current, KEPT)
            return
    _note(current, 0, orphans(repair=True))
    lexicon.forget(current.begun.date())
    current.ended = timezone.now()
    cache.set(RESULT, current, KEPT)
    cache.delete(ROUND)


def last() -> Round | None:
    """The last round that came to its end."""
    found: Round | None = cache.get(RESULT)
    return found


def _note(current: Round, checked: int, found: Sequence[Difference]) -> None:
    current.checked += checked
    current.different += len(found)
    current.examples = (current.examples + [asdict(difference) for difference in found])[:20]
