"""The nearest vectors among the rows that pass a filter, the way search.planner chooses.

The statements are meant to be prepared (docs/decisions/0010), since planning costs half as much as
searching. So numbers that vary are parameters or rounded, and a plan must be good whatever the parameters
are: what another plan would ruin is forced. The walk is a loop over the index, and the exact way looks up
each row.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from pgvector import HalfVector
from psycopg.adapt import Dumper
from psycopg.pq import Format

from search import planner
from search.models import EmbeddingSpace
from search.sampling import ROWS
from search.sql import Fragment, Kind, Ranked, Vector, Where, rows

UNLIMITED, SCAN_MEMORY = 10_000_000, 8
"""Of an iterative scan: its own limit of tuples, which the budget replaces; multiples of work_mem."""
MOST_WALKS = 3
"""A look, a walk, and a longer one."""
SHORT = 200
"""Rows that can be taken out of the index before it meets hnsw.max_scan_tuples, 20,000 unless set."""


Near = dict[str, list[Ranked]]


class Scale(NamedTuple):
    """How many there are, for choosing a way: none of the numbers has to be right."""

    space: int
    """Its id."""
    visual: int
    words: int
    """Vectors of each kind in a space, counted up to planner.MANY."""
    pictured: int
    """Rows with a picture, whoever may see them."""

    def plan(self, kind: str, passing: int, limit: int) -> planner.Plan:
        having = self.words if kind == Kind.WORDS else self.visual
        return planner.choose(passing, self.pictured, limit, having)


class Besides(NamedTuple):
    """What is asked in the same statement, each as rows of (asset, number)."""

    asked: Sequence[Fragment] = ()
    before: Fragment | None = None
    """What these read from: `name AS MATERIALIZED (…)`."""


NOTHING = Besides()


def nearest(
    space: EmbeddingSpace,
    vectors: Mapping[str, Vector],
    where: Where,
    limit: int,
    plans: Mapping[str, planner.Plan],
    *,
    passing: int,
    besides: Besides = NOTHING,
) -> tuple[Near, list[list[Ranked]]]:
    """By kind of vector, the `limit` nearest of the rows that pass, or all of them where there are fewer; and
    what was asked `besides`. A kind without a plan has none.

    All in one statement, unless a walk ends before it has enough: then another one follows. The plans, and
    `passing`, an estimate of the rows that pass, decide about the way, never about the result.
    """
    near: Near = {kind: [] for kind in vectors}
    others: list[list[Ranked]] | None = None
    walks = 0
    while plans or (others is None and besides.asked):
        arms = [_arm(space, vectors[kind], where, limit, kind, plan) for kind, plan in plans.items()]
        found = _together([*arms, *besides.asked], besides.before)
        near |= dict(zip(plans, found, strict=False))
        others = found[len(arms) :] if others is None else others
        besides, walks = NOTHING, walks + 1
        plans = _further(plans, near, limit, passing, walks)
    return near, others or []


def _further(
    plans: Mapping[str, planner.Plan], near: Near, limit: int, passing: int, walks: int
) -> dict[str, planner.Plan]:
    """For each walk that ended before it had enough, what is done instead."""
    short = {k: plan for k, plan in plans.items() if plan.way == planner.WALK and len(near[k]) < limit}
    if walks >= MOST_WALKS:
        return dict.fromkeys(short, planner.Plan(planner.EXACT))
    return {kind: planner.again(plan, len(near[kind]), passing, limit) for kind, plan in short.items()}


def exact(
    space: EmbeddingSpace, vector: Vector, where: Where, limit: int, kind: str = Kind.VISUAL
) -> list[Ranked]:
    """The nearest of all rows that pass, by comparing every one: `+ 0.0` keeps the HNSW index out."""
    return _alone(_exact(space, vector, where, limit, kind))


def _exact(space: EmbeddingSpace, vector: Vector, where: Where, limit: int, kind: str) -> Fragment:
    statement = f"""
        SELECT e.asset_id, ({_distance(space)}) + 0.0 AS distance FROM search_embedding e
        WHERE {_of(space, kind)} AND e.asset_id = ANY (ARRAY(
            SELECT r.asset_id FROM search_searchrow r WHERE {where.sql}))
        ORDER BY distance LIMIT {int(limit)}
    """
    return Fragment(statement, (HalfVector(vector), *where.params))


def few(
    space: EmbeddingSpace, vector: Vector, where: Where, limit: int, kind: str = Kind.VISUAL
) -> list[Ranked]:
    """The same as `exact`, from the other side: each vector of this kind, and whether its row passes."""
    return _alone(_few(space, vector, where, limit, kind))


def _few(space: EmbeddingSpace, vector: Vector, where: Where, limit: int, kind: str) -> Fragment:
    statement = f"""
        SELECT e.asset_id, ({_distance(space)}) + 0.0 AS distance FROM search_embedding e,
        LATERAL (SELECT FROM search_searchrow r WHERE r.asset_id = e.asset_id AND {where.sql} OFFSET 0)
        WHERE {_of(space, kind)} ORDER BY distance LIMIT {int(limit)}
    """
    return Fragment(statement, (HalfVector(vector), *where.params))


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
    return _alone(_walk(space, vector, where, limit, kind, plan))


def _walk(
    space: EmbeddingSpace, vector: Vector, where: Where, limit: int, kind: str, plan: planner.Plan
) -> Fragment:
    statement = f"""
        SELECT taken.asset_id, taken.distance FROM (
            SELECT e.asset_id, {_distance(space)} AS distance FROM search_embedding e
            WHERE {_settings(plan)} AND {_of(space, kind)}
            ORDER BY distance LIMIT {int(plan.budget)}) taken,
        LATERAL (
            SELECT FROM search_searchrow r WHERE r.asset_id = taken.asset_id AND {where.sql} OFFSET 0)
        LIMIT {int(limit)}
    """
    return Fragment(statement, (HalfVector(vector), *where.params))


def _arm(
    space: EmbeddingSpace, vector: Vector, where: Where, limit: int, kind: str, plan: planner.Plan
) -> Fragment:
    if plan.way == planner.WALK:
        return _walk(space, vector, where, limit, kind, plan)
    return (_few if plan.way == planner.FEW else _exact)(space, vector, where, limit, kind)


SCALE = f"""
    SELECT {{space}} AS space,
        (SELECT count(*) FROM (
            SELECT FROM search_embedding e WHERE e.space_id = {{space}} AND e.kind = '{Kind.VISUAL}'
            LIMIT {planner.MANY}) AS found) AS visual,
        (SELECT count(*) FROM (
            SELECT FROM search_embedding e WHERE e.space_id = {{space}} AND e.kind = '{Kind.WORDS}'
            LIMIT {planner.MANY}) AS found) AS words,
        ({ROWS}) * (1 - coalesce((
            SELECT most_common_freqs[array_position(most_common_vals::text::text[], '')] FROM pg_stats
            WHERE schemaname = current_schema() AND tablename = 'search_searchrow'
                AND attname = 'format'), 0)) AS pictured
"""
"""The values of a Scale, of the space with an id; rows without a picture have no format."""


def scale_of(space: EmbeddingSpace) -> Scale:
    return Scale(*map(int, rows(SCALE.format(space=int(space.pk)), [])[0]))


def scored(space: EmbeddingSpace, kind: str, vector: Vector, where: Where, which: Fragment) -> Fragment:
    """For Besides: the distance of each vector of a kind, of those of the assets `which` that pass."""
    statement = f"""
        SELECT e.asset_id, {_distance(space)} AS distance
        FROM search_embedding e JOIN search_searchrow r ON r.asset_id = e.asset_id
        WHERE {_of(space, kind)} AND e.part = 0 AND e.asset_id = ANY({which.sql}) AND {where.sql}
    """
    return Fragment(statement, (HalfVector(vector), *which.params, *where.params))


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


def _alone(asked: Fragment) -> list[Ranked]:
    return _together([asked])[0]


def _together(arms: Sequence[Fragment], before: Fragment | None = None) -> list[list[Ranked]]:
    """For each arm, its (asset, distance) as a ranking, ties by the smaller id, each asset once however many
    parts it has.

    By a cursor that binds on the server, so that the connection's prepare_threshold counts. Ordering by a
    second column, or grouping, would cost the database more than it costs here.
    """
    parts = [f"SELECT {n} AS n, arm.* FROM ({arm.sql}) AS arm" for n, arm in enumerate(arms)]
    statement = (f"WITH {before.sql} " if before else "") + " UNION ALL ".join(parts)
    params = [value for part in ([before] if before else []) + [*arms] for value in part.params]
    connection.ensure_connection()
    database: Any = connection  # the stubs do not know what is PostgreSQL's alone
    bare: Any = ServerBindingCursor(database.connection)  # type: ignore[call-arg]
    bare.adapters.register_dumper(HalfVector, _Binary)
    with database._prepare_cursor(bare) as cursor:
        cursor.execute(statement, params)
        found = cursor.fetchall()
    best: list[dict[int, float]] = [{} for _ in arms]
    for n, asset_id, distance in sorted(found, key=lambda row: (row[2], row[1])):
        best[n].setdefault(asset_id, -distance)
    return [[Ranked(*item) for item in one.items()] for one in best]
