"""SQL about vectors and search rows. Functions take a cursor-ready filter and return ids with scores.

The nearest vectors are found in search.nearest, words in search.word_sql, facets counted in search.facet_sql.

A vector is `vector` in a partition of search_embedding, untyped; every comparison casts it to the space's
dimensions, which is also the expression that the HNSW index of the partition is built on. All vectors are
of unit length, so that the negative inner product `<#>` orders as the cosine distance does, and is cheaper.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from pgvector import HalfVector
from psycopg import Cursor
from psycopg.pq import Format

from assets.scopes import EVERYWHERE, Action, Homes, scope_of
from search.models import Embedding, EmbeddingSpace

Kind = Embedding.Kind
Vector = NDArray[np.float32]


class Ranked(NamedTuple):
    asset_id: int
    score: float
    """The larger, the better; only comparable within one arm."""


PICTURED = "r.format <> ''"
"""Of a row: its file is here, so that there may be a vector of it."""


class Count(NamedTuple):
    total: int
    awaited: int
    """How many of them wait for their picture."""


@dataclass(frozen=True)
class Fragment:
    """A piece of SQL with its parameters."""

    sql: str
    params: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Where:
    """Conditions on a search row `r`, all of which must hold; trashed assets never pass."""

    conditions: tuple[str, ...] = ("NOT r.trashed",)
    params: tuple[Any, ...] = ()
    narrowed: bool = False
    """Whether anything was asked for; else only the trash and the rule of permission keep rows out."""
    homes: Homes = EVERYWHERE
    """The collections all of whose open pictures that rule lets pass."""

    def add(self, condition: str, *params: Any, narrows: bool = True) -> "Where":
        conditions, params = (*self.conditions, condition), (*self.params, *params)
        return replace(self, conditions=conditions, params=params, narrowed=narrows or self.narrowed)

    def within(self, homes: Homes, otherwise: str) -> "Where":
        """Only rows that live in these collections, or pass this condition."""
        if homes.every:
            return self
        if homes.none:
            return self.add(otherwise, narrows=False)
        return self.add(f"({homes.sql('r.home_collection_id')} OR {otherwise})", narrows=False)

    @property
    def scoped(self) -> bool:
        """Whether the rule of permission keeps out whole collections, perhaps nearly all there are."""
        return not self.homes.every

    @property
    def sql(self) -> str:
        return " AND ".join(self.conditions)


OPEN = "(r.access IN ('public', 'staff') AND (r.embargo_until IS NULL OR r.embargo_until <= now()))"
"""Of a row: neither restricted nor under an embargo; said so that an index can look for it."""

PUBLIC = "(r.access = 'public' AND (r.rights_expire_at IS NULL OR r.rights_expire_at > now()))"
"""Of a row: for all who are signed in; what was, is not once its licence or a consent has ended."""


def visible_to(where: Where, user: Any) -> Where:
    """The rule of AssetQuerySet.visible_to, on search rows. Tests hold the two together."""
    scope = scope_of(user)
    if not scope.signed_in:
        return where.add("FALSE", narrows=False)
    see = scope.of(Action.SEE)
    where = where if see.every else replace(where.within(see, PUBLIC), homes=see)
    return where.within(scope.of(Action.RESTRICTED), OPEN)


def other_than(where: Where, uid: UUID) -> Where:
    """Without one asset, by the id in its address."""
    return where.add("r.asset_id <> ALL(ARRAY(SELECT a.id FROM assets_asset a WHERE a.uid = %s))", uid)


def rows(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def packed(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Rows that hold many values packed into bytes: as text, these would be twice as long."""
    connection.ensure_connection()
    database: Any = connection  # the stubs do not know what is PostgreSQL's alone
    bare: Any = Cursor(database.connection)
    bare.format = Format.BINARY
    with database._prepare_cursor(bare) as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def packed_row(sql: str, params: Sequence[Any], besides: Fragment | None = None) -> tuple[Any, ...]:
    """The one row of a statement, and behind it that of another, which is asked for with it."""
    if besides:
        sql = f"SELECT asked.*, besides.* FROM ({sql}) AS asked, ({besides.sql}) AS besides"
    return packed(sql, [*params, *(besides.params if besides else ())])[0]


# --- vectors ----------------------------------------------------------------------------------------------


def write_vector(
    space: EmbeddingSpace, version_id: int, asset_id: int, kind: str, vector: Vector, source: str = ""
) -> None:
    """Put one vector, and take away those of the asset's other versions in this space.

    Nothing happens where the file was replaced meanwhile: the new version has a run of its own.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH current AS (SELECT FROM assets_asset WHERE id = %s AND current_version_id = %s), "
            "others AS (DELETE FROM search_embedding WHERE space_id = %s AND asset_id = %s AND kind = %s "
            "AND version_id <> %s AND EXISTS (SELECT FROM current)) "
            "INSERT INTO search_embedding (space_id, version_id, asset_id, kind, part, vector, source) "
            "SELECT %s, %s, %s, %s, 0, %s::halfvec, %s FROM current "
            "ON CONFLICT (space_id, version_id, kind, part) "
            "DO UPDATE SET vector = EXCLUDED.vector, source = EXCLUDED.source",
            [
                *(asset_id, version_id),
                *(space.pk, asset_id, kind, version_id),
                *(space.pk, version_id, asset_id, kind, _text(vector), source),
            ],
        )


def delete_vector(space: EmbeddingSpace, version_id: int, kind: str) -> None:
    """Of a picture whose words were all taken away."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM search_embedding WHERE space_id = %s AND version_id = %s AND kind = %s",
            [space.pk, version_id, kind],
        )


def forget_others(asset_ids: Sequence[int]) -> None:
    """Take away the vectors of those versions of these assets that are not shown, in all spaces."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM search_embedding e USING assets_asset a WHERE e.asset_id = ANY(%s) "
            "AND a.id = e.asset_id AND e.version_id IS DISTINCT FROM a.current_version_id",
            [list(asset_ids)],
        )


def words_known(space: EmbeddingSpace, version_ids: Sequence[int]) -> dict[int, str]:
    """The sha256 of the words that each version's stored vector was made from."""
    known = (
        "SELECT version_id, source FROM search_embedding WHERE space_id = %s AND kind = 'words' AND part = 0"
    )
    return dict(rows(f"{known} AND version_id = ANY(%s)", [space.pk, list(version_ids)]))


def vectors_of(
    space: EmbeddingSpace, asset_ids: Sequence[int], kind: str = "visual", where: Where | None = None
) -> dict[int, Vector]:
    """The stored vectors of these assets, float32 (dimensions,); with `where` of those that pass."""
    if not asset_ids:
        return {}
    where = where or Where(conditions=("TRUE",))
    found = rows(
        "SELECT e.asset_id, e.vector::text FROM search_embedding e "
        "JOIN search_searchrow r ON r.asset_id = e.asset_id "
        f"WHERE e.space_id = %s AND e.kind = %s AND e.part = 0 AND e.asset_id = ANY(%s) AND {where.sql}",
        [space.pk, kind, list(asset_ids), *where.params],
    )
    return {pk: read_vector(text) for pk, text in found}


def vectors_in(space_id: str, uids: Sequence[UUID], where: Where) -> Fragment:
    """Rows of (asset, text of its vector of what is seen), of those of these pictures that pass."""
    statement = f"""
        SELECT e.asset_id, e.vector::text AS vector FROM assets_asset a
        JOIN search_searchrow r ON r.asset_id = a.id JOIN search_embedding e ON e.asset_id = a.id
        WHERE a.uid = ANY(%s) AND e.space_id = {space_id} AND e.kind = '{Kind.VISUAL}' AND e.part = 0
            AND {where.sql}
    """
    return Fragment(statement, (list(uids), *where.params))


def read_vector(text: str) -> Vector:
    return np.asarray(json.loads(text), dtype=np.float32)


def _text(vector: Vector) -> str:
    return str(HalfVector(vector).to_text())


# --- numbers, titles, counts, lists -----------------------------------------------------------------------


COUNTED = f"""
    SELECT count(*) AS total, count(*) FILTER (WHERE NOT {PICTURED}) AS awaited FROM search_searchrow r
"""


class Exact(NamedTuple):
    """Assets that depict the records of accession numbers, number by number, and those with a title."""

    numbered: list[int]
    titled: list[int]
    passing: Count | None
    """How many rows pass the filter, where that was to be counted."""

    @classmethod
    def of(cls, row: Sequence[Any], keys: int) -> "Exact":
        """From the row that `exact` asks for, and the number of its `keys`."""
        arms = [np.frombuffer(ids or b"", ">i8").tolist() for ids in row if not isinstance(ids, int)]
        numbered = dict.fromkeys(pk for arm in arms[:keys] for pk in arm)
        passing = Count(*row[-2:]) if len(row) > len(arms) else None
        return cls(list(numbered), [pk for arm in arms[keys:] for pk in arm], passing)


def exact(keys: Sequence[str], title: str, where: Where, limit: int, *, counting: bool) -> Fragment | None:
    """One row, to be asked for besides: `keys` are accession numbers in their compared form, `title` is a
    folded one. None where there is nothing to ask."""
    arms = [("r.accession_keys @> ARRAY[%s]::varchar[]", key) for key in keys]
    arms += [("r.title_key = %s", title)] if title else []
    columns = [
        f"""(SELECT string_agg(int8send(found.asset_id), ''::bytea) FROM (
            SELECT r.asset_id FROM search_searchrow r WHERE {where.sql} AND {condition}
            ORDER BY r.asset_id LIMIT {int(limit)}) AS found)"""
        for condition, _ in arms
    ]
    params = [value for _, wanted in arms for value in (*where.params, wanted)]
    if not counting:
        return Fragment(f"SELECT {', '.join(columns)}", tuple(params)) if arms else None
    columns.append("counted.*")
    statement = f"SELECT {', '.join(columns)} FROM ({COUNTED} WHERE {where.sql}) AS counted"
    return Fragment(statement, (*params, *where.params))


ORDERS = {
    "added": "r.added_at DESC, r.asset_id DESC",
    "title": "r.title_sort, r.asset_id",
    "accession": "r.accession_sort = '', r.accession_sort, r.asset_id",
    "date": "r.year_earliest NULLS LAST, r.year_latest, r.asset_id",
}


def listed(where: Where, order: str, limit: int, offset: int, first: Sequence[str] = ()) -> list[int]:
    """Ids of all that passes, in one of ORDERS; those with one of the accession keys `first` come first."""
    asked = _listed(where, ORDERS[order], limit, offset, first)
    return [pk for (pk,) in rows(asked.sql, asked.params)]


def _listed(where: Where, order: str, limit: int, offset: int, first: Sequence[str]) -> Fragment:
    before = "r.accession_keys && %s::varchar[] DESC, " if first else ""
    sql = f"SELECT r.asset_id FROM search_searchrow r WHERE {where.sql} ORDER BY {before}{order}"
    params = (*where.params, *([list(first)] if first else []), limit, offset)
    return Fragment(f"{sql} LIMIT %s OFFSET %s", params)


def placed(asset_ids: Sequence[int], order: str) -> dict[int, int]:
    """The place of each of these assets in one of ORDERS, from 0."""
    sql = f"SELECT r.asset_id FROM search_searchrow r WHERE r.asset_id = ANY(%s) ORDER BY {ORDERS[order]}"
    return {pk: place for place, (pk,) in enumerate(rows(sql, [list(asset_ids)]))}


def years(asset_ids: Sequence[int], where: Where) -> dict[int, tuple[int | None, int | None]]:
    """The first and the last year of those of these that pass, by which they are in the order of dates."""
    found = rows(
        "SELECT r.asset_id, r.year_earliest, r.year_latest FROM search_searchrow r "
        f"WHERE r.asset_id = ANY(%s) AND {where.sql}",
        [list(asset_ids), *where.params],
    )
    return {pk: (first, last) for pk, first, last in found}


def listed_and_counted(
    where: Where, order: str, limit: int, offset: int, first: Sequence[str] = ()
) -> tuple[list[int], Count]:
    """The same by one statement with `count_both`."""
    ids = _listed(where, ORDERS[order], limit, offset, first)
    sql = f"SELECT ARRAY({ids.sql}), counted.* FROM ({COUNTED} WHERE {where.sql}) AS counted"
    found, *numbers = rows(sql, [*ids.params, *where.params])[0]
    return found, Count(*numbers)


def first_that_exists(wheres: Sequence[Where]) -> int | None:
    """The number of the first of these that some row passes."""
    one = "WHEN EXISTS (SELECT FROM search_searchrow r WHERE {}) THEN {}"
    cases = [one.format(where.sql, n) for n, where in enumerate(wheres)]
    params = [value for where in wheres for value in where.params]
    found: int | None = rows(f"SELECT CASE {' '.join(cases)} END", params)[0][0]
    return found


def count(where: Where) -> int:
    return int(rows(f"SELECT count(*) FROM search_searchrow r WHERE {where.sql}", where.params)[0][0])


def count_both(where: Where) -> Count:
    return Count(*rows(f"{COUNTED} WHERE {where.sql}", where.params)[0])


def awaited_among(asset_ids: Sequence[int]) -> Fragment:
    """Those of these that wait for their picture, for search.nearest.Besides."""
    awaited = "SELECT r.asset_id, 0::float8 FROM search_searchrow r WHERE r.asset_id = ANY(%s::bigint[])"
    return Fragment(f"{awaited} AND NOT {PICTURED}", (list(asset_ids),))


def passing(conditions: Sequence[Fragment], where: Where, most: int) -> list[int]:
    """For each condition on `r`, how many rows pass it and `where`, counted up to `most`.

    The limit is a subquery, so that it is no reason for the planner to read the table from its beginning.
    """
    one = "(SELECT count(*) FROM (SELECT FROM search_searchrow r WHERE {} AND {} LIMIT (SELECT {})) AS few)"
    columns = [one.format(condition.sql, where.sql, int(most)) for condition in conditions]
    params = [value for condition in conditions for value in (*condition.params, *where.params)]
    return list(rows(f"SELECT {', '.join(columns)}", params)[0]) if columns else []


def estimate(where: Where) -> int:
    """How many rows pass, as the planner guesses: no row is read."""
    explained = rows(
        f"EXPLAIN (FORMAT JSON) SELECT 1 FROM search_searchrow r WHERE {where.sql}", where.params
    )
    plan = explained[0][0]
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return int(plan[0]["Plan"]["Plan Rows"])
