"""The nearest vectors among the rows that pass a filter, the way search.planner chooses.

The statements are meant to be prepared (docs/decisions/0010), since planning costs half as much as
searching. So numbers that vary are parameters or rounded, and a plan must be good whatever the parameters
are: what another plan would ruin is forced. The walk is a loop over the index, and the exact way looks up
each row.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from pgvector import HalfVector
from psycopg.adapt import Dumper
from psycopg.pq import Format

from search import planner
from search.models import EmbeddingSpace
from search.sql import Kind, Ranked, Vector, Where, rows

UNLIMITED, SCAN_MEMORY = 10_000_000, 8
"""Of an iterative scan: its own limit of tuples, which the budget replaces; multiples of work_mem."""
MOST_WALKS = 3
"""A look, a walk, and a longer one."""
SHORT = 200
"""Rows that can be taken out of the index before it meets hnsw.max_scan_tuples, 20,000 unless set."""


def nearest(
    space: EmbeddingSpace,
    vector: Vector,
    where: Where,
    limit: int,
    kind: str = Kind.VISUAL,
    *,
    passing: int,
    total: int,
    having: int,
) -> list[Ranked]:
    """The `limit` nearest of the rows that pass, or all of them where there are fewer.

    `passing`, `total` and `having`, estimates of the rows that pass, of all, and of the vectors of this kind,
    decide about the way, never the result.
    """
    plan = planner.choose(passing, total, limit, having)
    if plan.way == planner.FEW:
        return few(space, vector, where, limit, kind)
    for _ in range(MOST_WALKS):
        if plan.way == planner.EXACT:
            break
        found = walk(space, vector, where, limit, kind, plan=plan)
        if len(found) >= limit:
            return found
        plan = planner.again(plan, len(found), passing, limit)
    return exact(space, vector, where, limit, kind)


def exact(
    space: EmbeddingSpace, vector: Vector, where: Where, limit: int, kind: str = Kind.VISUAL
) -> list[Ranked]:
    """The nearest of all rows that pass, by comparing every one: `+ 0.0` keeps the HNSW index out."""
    statement = f"""
        SELECT e.asset_id, ({_distance(space)}) + 0.0 AS distance FROM search_embedding e
        WHERE {_of(space, kind)} AND e.asset_id = ANY (ARRAY(
            SELECT r.asset_id FROM search_searchrow r WHERE {where.sql}))
        ORDER BY distance LIMIT {int(limit)}
    """
    return _ranked(statement, [HalfVector(vector), *where.params])


def few(
    space: EmbeddingSpace, vector: Vector, where: Where, limit: int, kind: str = Kind.VISUAL
) -> list[Ranked]:
    """The same as `exact`, from the other side: each vector of this kind, and whether its row passes."""
    statement = f"""
        SELECT e.asset_id, ({_distance(space)}) + 0.0 AS distance FROM search_embedding e,
        LATERAL (SELECT FROM search_searchrow r WHERE r.asset_id = e.asset_id AND {where.sql} OFFSET 0)
        WHERE {_of(space, kind)} ORDER BY distance LIMIT {int(limit)}
    """
    return _ranked(statement, [HalfVector(vector), *where.params])


def count(space: EmbeddingSpace, kind: str, most: int) -> int:
    """How many vectors of a kind there are, counted up to `most`."""
    some = f"SELECT FROM search_embedding e WHERE {_of(space, kind)} LIMIT {int(most)}"
    return int(rows(f"SELECT count(*) FROM ({some}) AS found", [])[0][0])


def walk(
    space: EmbeddingSpace,
    vector: Vector,
    where: Where,
    limit: int,
    kind: str = Kind.VISUAL,
    *,
    plan: planner.Plan,
) -> list[Ranked]:
    """The first `limit` rows that pass among the plan's budget of nearest ones; fewer if it does not reach.

    The settings hold for this statement: a subquery that is evaluated before the scan begins makes them,
    which saves a transaction around it. OFFSET 0 keeps the loop a loop. What comes out of a relaxed scan is
    nearly in order.
    """
    statement = f"""
        SELECT taken.asset_id, taken.distance FROM (
            SELECT e.asset_id, {_distance(space)} AS distance FROM search_embedding e
            WHERE {_settings(plan)} AND {_of(space, kind)}
            ORDER BY distance LIMIT {int(plan.budget)}) taken,
        LATERAL (
            SELECT FROM search_searchrow r WHERE r.asset_id = taken.asset_id AND {where.sql} OFFSET 0)
        LIMIT {int(limit)}
    """
    return _ranked(statement, [HalfVector(vector), *where.params])


def _distance(space: EmbeddingSpace) -> str:
    return f"e.vector::halfvec({int(space.dimensions)}) <#> %s::halfvec({int(space.dimensions)})"


def _of(space: EmbeddingSpace, kind: str) -> str:
    return f"e.space_id = {int(space.pk)} AND e.kind = '{Kind(kind)}'"


def _settings(plan: planner.Plan) -> str:
    """A scan that need not go on keeps no account of what it left out. The limits of one that does are far
    away from a short walk, and are left as they are.
    """
    iterative = "off" if plan.is_look else "relaxed_order"
    values: dict[str, Any] = {"hnsw.iterative_scan": iterative, "hnsw.ef_search": int(plan.breadth)}
    if plan.budget > SHORT:
        values |= {"hnsw.max_scan_tuples": UNLIMITED, "hnsw.scan_mem_multiplier": SCAN_MEMORY}
    calls = " || ".join(f"set_config('{name}', '{value}', true)" for name, value in values.items())
    return f"(SELECT {calls}) IS NOT NULL"


class _Binary(Dumper):
    """A vector as the server keeps it, so that it need not parse 500 numbers."""

    format = Format.BINARY

    def dump(self, obj: HalfVector) -> bytes:
        return bytes(obj.to_binary())


def _ranked(statement: str, params: Sequence[Any]) -> list[Ranked]:
    """(asset, distance) as rankings, ties by the smaller id, each asset once however many parts it has.

    By a cursor that binds on the server, so that the connection's prepare_threshold counts. Ordering by a
    second column, or grouping, would cost the database more than it costs here.
    """
    connection.ensure_connection()
    database: Any = connection  # the stubs do not know what is PostgreSQL's alone
    bare: Any = ServerBindingCursor(database.connection)  # type: ignore[call-arg]
    bare.adapters.register_dumper(HalfVector, _Binary)
    with database._prepare_cursor(bare) as cursor:
        cursor.execute(statement, params)
        found = cursor.fetchall()
    best: dict[int, float] = {}
    for asset_id, distance in sorted(found, key=lambda row: (row[1], row[0])):
        best.setdefault(asset_id, -distance)
    return [Ranked(*item) for item in best.items()]
