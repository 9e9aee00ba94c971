"""The table of a space: a partition of search_embedding, with its check of dimensions and its HNSW indexes.

Everything here takes locks that let searches and edits go on: partitions are attached and detached, never
created or dropped in place, and indexes are built concurrently.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, transaction

from search.models import Embedding, EmbeddingSpace

MAX_DIMENSIONS = 4000  # of a halfvec that HNSW can index
HNSW = "m = 24, ef_construction = 128"  # docs/decisions/0008
LOCK_SECONDS, LOCK_TRIES = 2, 15
GRAPH_BYTES = 600  # of one row in the graph while it is built, on top of its vector (m = 24)
INDEXING = 0x5EA2C4  # advisory lock: (this, space)


def name_of(space: EmbeddingSpace) -> str:
    return f"search_embedding_{int(space.pk)}"


def index_name(space: EmbeddingSpace, kind: str) -> str:
    return f"{name_of(space)}_{Embedding.Kind(kind)}"


def lock_spaces() -> None:
    """Let one transaction at a time make or switch spaces; searches go on."""
    _execute("LOCK TABLE search_embeddingspace IN SHARE ROW EXCLUSIVE MODE")


def create(space: EmbeddingSpace) -> None:
    """The empty table of a new space. Its indexes come with build_index, best when it has been filled."""
    name, dimensions = name_of(space), int(space.dimensions)
    _execute(f"CREATE TABLE {name} (LIKE search_embedding INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    _execute(f"ALTER TABLE {name} ALTER COLUMN vector SET STORAGE PLAIN")
    _execute(f"ALTER TABLE {name} ADD CHECK (vector_dims(vector) = {dimensions})")
    _execute(f"ALTER TABLE search_embedding ATTACH PARTITION {name} FOR VALUES IN ({int(space.pk)})")


def drop(space: EmbeddingSpace) -> None:
    """Take the table away, outside a transaction: a search that is under way ends first, none has to wait."""
    name = name_of(space)
    pending = _value("SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = to_regclass(%s)", name)
    if pending is not None:  # else an earlier call, which was cut off, has detached it
        how = "FINALIZE" if pending else "CONCURRENTLY"
        _execute(f"ALTER TABLE search_embedding DETACH PARTITION {name} {how}")
    with_short_locks(f"DROP TABLE IF EXISTS {name}")


def size(space: EmbeddingSpace) -> int:
    """Bytes on disk, with indexes; 0 where there is no table."""
    found: int = _value("SELECT coalesce(pg_total_relation_size(to_regclass(%s)), 0)", name_of(space))
    return found


def rows_in(space: EmbeddingSpace) -> dict[str, int]:
    """How many vectors of each kind there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, count(*) FROM search_embedding WHERE space_id = %s GROUP BY kind", [space.pk]
        )
        return {**dict.fromkeys(Embedding.Kind.values, 0), **dict(cursor.fetchall())}


def has_index(space: EmbeddingSpace, kind: str) -> bool:
    """Whether the index of a kind is there and complete; one whose building was cut off is not."""
    sql = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"
    return bool(_value(sql, index_name(space, kind)))


def is_indexed(space: EmbeddingSpace) -> bool:
    return all(has_index(space, kind) for kind in Embedding.Kind.values)


def build_indexes(space: EmbeddingSpace) -> bool:
    """Build what is missing, outside a transaction; False where somebody else is at it already."""
    if not _value("SELECT pg_try_advisory_lock(%s, %s)", INDEXING, space.pk):
        return False
    try:
        with _memory(space):
            for kind in Embedding.Kind.values:
                if not has_index(space, kind):
                    _execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index_name(space, kind)}")
                    _execute(_definition(space, kind, "CONCURRENTLY"))
    finally:
        _value("SELECT pg_advisory_unlock(%s, %s)", INDEXING, space.pk)
    return True


def index_empty(space: EmbeddingSpace) -> None:
    """The indexes of a table that has no rows yet, in the transaction of the caller."""
    for kind in Embedding.Kind.values:
        _execute(_definition(space, kind, ""))


def indexing_progress(space: EmbeddingSpace) -> float | None:
    """The share of tuples that the index under way has taken in, 0 to 1; None while none is being built."""
    found: float | None = _value(
        "SELECT tuples_done::float / nullif(tuples_total, 0) FROM pg_stat_progress_create_index "
        "WHERE relid = to_regclass(%s)",
        name_of(space),
    )
    return found


def with_short_locks(statement: str) -> None:
    """Run a statement that needs a lock for a moment; those behind it wait LOCK_SECONDS at most.

    Raises OperationalError after LOCK_TRIES.
    """
    for attempt in range(1, LOCK_TRIES + 1):
        try:
            with transaction.atomic():
                _execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
                return _execute(statement)
        except OperationalError:
            if attempt == LOCK_TRIES:
                raise


def _definition(space: EmbeddingSpace, kind: str, how: str) -> str:
    return (
        f"CREATE INDEX {how} {index_name(space, kind)} ON {name_of(space)} "
        f"USING hnsw ((vector::halfvec({int(space.dimensions)})) halfvec_ip_ops) WITH ({HNSW}) "
        f"WHERE kind = '{Embedding.Kind(kind)}'"
    )


@contextmanager
def _memory(space: EmbeddingSpace) -> Iterator[None]:
    """Enough for the graph, which is several times faster than building it on disk."""
    rows = max(rows_in(space).values())
    needed = rows * (2 * space.dimensions + GRAPH_BYTES) * 5 // 4 // 1024**2
    megabytes = min(max(needed, 64), settings.INDEX_MEMORY_MB)
    helpers = max((os.cpu_count() or 1) // 2 - 1, 0)  # the other half is for those who search
    _execute(f"SET maintenance_work_mem = '{int(megabytes)}MB'")
    _execute(f"SET max_parallel_maintenance_workers = {helpers}")
    try:
        yield
    finally:
        _execute("RESET maintenance_work_mem")
        _execute("RESET max_parallel_maintenance_workers")


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _value(statement: str, *params: str | int) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        row = cursor.fetchone()
    return row[0] if row else None
