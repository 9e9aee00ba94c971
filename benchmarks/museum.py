"""A library that is complete with its first encoder: real small renditions, runs that are done, vectors."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from django.db import connection
from PIL import Image

from assets.descriptions import sentence
from assets.models import Asset, AssetVersion, StageRun
from assets.stages import pipeline
from benchmarks import library, loopback
from search import partitions, spaces
from search.models import EmbeddingSpace

CHUNK = 2000
PIXELS = 32  # of a rendition's side: decoding shall cost little here
COLUMNS = ("space_id", "version_id", "asset_id", "kind", "part", "vector", "source")
TYPES = ("int8", "int8", "int8", "varchar", "int4", "bytea", "varchar")


def make(rows: int, renditions: Path) -> None:
    """Into the present system, which is running and has no assets yet."""
    space = spaces.active()
    assert space is not None
    with connection.cursor() as cursor:
        for kind in ("visual", "words"):
            cursor.execute(f"DROP INDEX {partitions.index_name(space, kind)}")
    library.fill(rows, with_vectors=False)
    blocks = np.random.default_rng(7).integers(
        0, 256, (rows, loopback.BLOCKS, loopback.BLOCKS, 3), dtype=np.uint8
    )
    versions = list(AssetVersion.objects.order_by("pk").values_list("pk", "asset_id"))
    for start in range(0, rows, CHUNK):
        chosen, seen = versions[start : start + CHUNK], blocks[start : start + CHUNK]
        _files(renditions, [pk for pk, _ in chosen], seen)
        _put(space, list(_visual(space, chosen, seen)))
        _put(space, list(_words(space, chosen)))
        _runs(space, [pk for pk, _ in chosen])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE assets_rendition SET storage_name = 'made/' || version_id || '.webp'")
    partitions.build_indexes(space)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _files(renditions: Path, ids: Sequence[int], blocks: np.ndarray) -> None:
    folder = renditions / "made"
    folder.mkdir(parents=True, exist_ok=True)
    for pk, one in zip(ids, blocks, strict=True):
        large = Image.fromarray(one).resize((PIXELS, PIXELS), Image.Resampling.NEAREST)
        large.save(folder / f"{pk}.webp", method=0)


Row = tuple[int, int, int, str, int, bytes, str]


def _visual(space: EmbeddingSpace, versions: Sequence[tuple[int, int]], blocks: np.ndarray) -> Iterator[Row]:
    for (pk, asset), vector in zip(versions, loopback.picture_vectors(1, blocks), strict=True):
        yield space.pk, pk, asset, "visual", 0, _half(vector), ""


def _words(space: EmbeddingSpace, versions: Sequence[tuple[int, int]]) -> Iterator[Row]:
    assets = Asset.objects.with_words().in_bulk([asset for _, asset in versions])
    for pk, asset in versions:
        text = sentence(assets[asset])
        digest = hashlib.sha256(text.encode()).hexdigest()
        yield space.pk, pk, asset, "words", 0, _half(loopback.text_vector(1, " ".join(text.split()))), digest


def _half(vector: np.ndarray) -> bytes:
    """A halfvec as PostgreSQL receives it: its length and a 0, of 16 bits each, then the values."""
    return np.array([len(vector), 0], ">i2").tobytes() + vector.astype(">f2").tobytes()


def _put(space: EmbeddingSpace, rows: Sequence[Row]) -> None:
    statement = f"COPY {partitions.name_of(space)} ({', '.join(COLUMNS)}) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(TYPES)
        for row in rows:
            copy.write_row(row)


def _runs(space: EmbeddingSpace, versions: Sequence[int]) -> None:
    StageRun.every.bulk_create(
        StageRun(version_id=pk, stage=name, variant=variant, state="done", attempts=1)
        for name, stage in pipeline().items()
        for variant in stage.variants()
        for pk in versions
    )
