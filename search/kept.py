"""The SQL of what learning keeps: features of versions, and vectors of what people wrote.

Numbers are read in PostgreSQL's binary form of a halfvec, since there are many: two bytes of length, two that
are zero, then half floats, all with the most significant byte first.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from django.db import connection
from pgvector import HalfVector

from search.models import EmbeddingSpace
from search.sql import OPEN, PICTURED, Vector, Where, packed, rows

Ids = list[tuple[int, int]]
BEFORE_NUMBERS = 4  # bytes
AT_ONCE = 2000  # rows in one statement
TAKE_PART = f"""
    SELECT a.id, a.current_version_id FROM assets_asset a
    JOIN search_searchrow r ON r.asset_id = a.id
    JOIN search_features f ON f.model = %s AND f.version_id = a.current_version_id
    WHERE f.numbers IS NOT NULL AND NOT r.trashed AND {PICTURED} AND (%s OR {OPEN}) ORDER BY a.id
"""  # noqa: S608 (constants of search.sql; values are parameters)


def keep_features(model: str, version_id: int, numbers: Vector | None) -> None:
    """Note what was seen of a version, or None: it cannot be seen. What is seen last holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO search_features AS f (model, version_id, numbers) VALUES (%s, %s, %s::halfvec) "
            "ON CONFLICT (model, version_id) DO UPDATE SET numbers = EXCLUDED.numbers "
            "WHERE EXCLUDED.numbers IS NOT NULL AND f.numbers IS DISTINCT FROM EXCLUDED.numbers",
            [model, version_id, None if numbers is None else _text(numbers)],
        )


def features(model: str, version_ids: Sequence[int]) -> dict[int, Vector]:
    """What is kept of these versions, float32 (p,)."""
    found = packed(
        "SELECT version_id, numbers FROM search_features "
        "WHERE model = %s AND version_id = ANY(%s) AND numbers IS NOT NULL",
        [model, list(version_ids)],
    )
    return {pk: _numbers(raw) for pk, raw in found}


def copy_features(space: EmbeddingSpace, model: str, limit: int) -> int:
    """Of an encoder whose vectors are its features: those that its space has already. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO search_features (model, version_id, numbers) "
            f"SELECT %s, e.version_id, e.vector {_missing(space)} LIMIT %s ON CONFLICT DO NOTHING",
            [model, model, limit],
        )
        return int(cursor.rowcount)


def without_features(space: EmbeddingSpace, model: str, limit: int) -> list[int]:
    """Versions that have a vector in a space, and whose features are not kept yet."""
    found = rows(f"SELECT e.version_id {_missing(space)} ORDER BY e.version_id LIMIT %s", [model, limit])
    return [pk for (pk,) in found]


def _missing(space: EmbeddingSpace) -> str:
    return (
        f"FROM search_embedding e WHERE e.space_id = {int(space.pk)} AND e.kind = 'visual' AND e.part = 0 "
        "AND NOT EXISTS (SELECT FROM search_features f WHERE f.model = %s AND f.version_id = e.version_id)"
    )


def share_kept(space: EmbeddingSpace, model: str) -> float:
    """Of the pictures that have a vector in a space, how many have features too: 0 to 1."""
    ((has, kept),) = rows(
        "SELECT count(*), count(f.version_id) FROM search_embedding e "
        "LEFT JOIN search_features f ON f.model = %s AND f.version_id = e.version_id "
        "WHERE e.space_id = %s AND e.kind = 'visual' AND e.part = 0",
        [model, space.pk],
    )
    return kept / has if has else 1.0


def can_take_part(model: str, restricted: bool) -> list[tuple[int, int]]:
    """(asset, version) of all pictures that are in no trash and have features, by asset.

    Restricted ones, and those under an embargo, only if `restricted`.
    """
    found = rows(TAKE_PART, [model, restricted])
    return [(asset, version) for asset, version in found]


def to_describe(model: str, where: Where, fields: Sequence[str], restricted: bool, most: int) -> Ids:
    """(asset, version) of pictures that pass `where` and have features, but none of these `fields`, of what
    SearchRow.has knows. Restricted ones only if `restricted`; of more than `most`, a sample.
    """
    return _some(model, where.add("NOT r.has && %s::varchar[]", list(fields)), restricted, most)


def described(model: str, where: Where, fields: Sequence[str], restricted: bool, most: int) -> Ids:
    """Likewise of those that have at least one of these `fields`."""
    return _some(model, where.add("r.has && %s::varchar[]", list(fields)), restricted, most)


def _some(model: str, where: Where, restricted: bool, most: int) -> Ids:
    found = rows(
        "SELECT r.asset_id, f.version_id FROM search_searchrow r JOIN assets_asset a ON a.id = r.asset_id "
        "JOIN search_features f ON f.model = %s AND f.version_id = a.current_version_id "
        f"WHERE {where.sql} AND f.numbers IS NOT NULL AND {PICTURED} AND (%s OR {OPEN}) "
        "ORDER BY hashint8(r.asset_id), r.asset_id LIMIT %s",
        [model, *where.params, restricted, most],
    )
    return [(asset, version) for asset, version in found]


def same_thing() -> list[tuple[int, int]]:
    """Pairs of assets that show the same: of one object, with the same bytes, versions, or duplicates."""
    found = rows(
        "SELECT one, other FROM ("
        "SELECT min(asset_id) OVER (PARTITION BY record_id), asset_id FROM assets_depiction "
        "UNION SELECT min(asset_id) OVER (PARTITION BY blob_id), asset_id FROM assets_assetversion "
        "UNION SELECT asset_id, other_id FROM assets_relation WHERE kind <> 'unrelated' "
        "UNION SELECT first_id, second_id FROM assets_duplicatecandidate WHERE state = 'alike'"
        ") AS pairs (one, other) WHERE one <> other",
        [],
    )
    return [(one, other) for one, other in found]


def text_vectors(model: str, digests: Sequence[int]) -> dict[int, Vector]:
    """What is known of these texts, float32 (d,)."""
    found = packed(
        "SELECT digest, numbers FROM search_textvector WHERE model = %s AND digest = ANY(%s)",
        [model, list(digests)],
    )
    return {digest: _numbers(raw) for digest, raw in found}


def texts_known(model: str, digests: Sequence[int]) -> set[int]:
    """Those of these texts that have a vector."""
    asked = "SELECT digest FROM search_textvector WHERE model = %s AND digest = ANY(%s)"
    return {digest for (digest,) in rows(asked, [model, list(digests)])}


def keep_text_vectors(model: str, vectors: Mapping[int, Vector]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO search_textvector (model, digest, numbers) VALUES (%s, %s, %s::halfvec) "
            "ON CONFLICT (model, digest) DO NOTHING",
            [(model, digest, _text(vector)) for digest, vector in vectors.items()],
        )


def forget_texts(model: str, still: Sequence[int]) -> int:
    """Delete the vectors of texts that nobody wrote any more, as far as `still` tells. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM search_textvector t WHERE t.model = %s "
            "AND NOT EXISTS (SELECT FROM unnest(%s::bigint[]) AS s(digest) WHERE s.digest = t.digest)",
            [model, list(still)],
        )
        return int(cursor.rowcount)


def words_vectors(space_id: int, sources: Mapping[int, str]) -> dict[int, Vector]:
    """By version, the vector of its words in a space, where it was made of words with this sha256."""
    found = packed(
        "SELECT version_id, source, vector FROM search_embedding "
        "WHERE space_id = %s AND kind = 'words' AND part = 0 AND version_id = ANY(%s)",
        [space_id, list(sources)],
    )
    return {pk: _numbers(raw) for pk, source, raw in found if source == sources[pk]}


def _numbers(raw: bytes) -> Vector:
    return np.frombuffer(raw, dtype=">f2", offset=BEFORE_NUMBERS).astype(np.float32)


def _text(numbers: Vector) -> str:
    return str(HalfVector(np.asarray(numbers)).to_text())
