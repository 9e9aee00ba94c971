"""What the search is measured against: two naive ways in the same database, and two engines in this process.

Each is a function of a question (float32, unit length) and a tag or None, and gives numbers of rows of
the library, nearest first. The engines hold only the pictures that the person may see, and need not ask
who that is.
"""

import shutil
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.synthetic import Library, Tag

Search = Callable[[np.ndarray, Tag | None], list[int]]
M, EF_CONSTRUCTION, PAGE = 24, 128, 20


def are_installed() -> bool:
    return all(find_spec(name) for name in ("hnswlib", "qdrant_edge"))


def naive(space: Any, where: Callable[[Tag | None], Any]) -> Search:
    """The HNSW index with its defaults, the filter after it, as a plain ORDER BY … LIMIT with a join does."""
    from search import nearest

    def search(question: np.ndarray, tag: Tag | None) -> list[int]:
        chosen = where(tag)
        statement = f"""
            SELECT taken.asset_id, taken.distance FROM (
                SELECT e.asset_id, {nearest._distance(space)} AS distance FROM search_embedding e
                WHERE {nearest._of(space, "visual")} ORDER BY distance LIMIT 40) taken,
            LATERAL (
                SELECT FROM search_searchrow r
                WHERE r.asset_id = taken.asset_id AND {chosen.sql} OFFSET 0) LIMIT {PAGE}
        """
        found = nearest._alone(nearest.Fragment(statement, (nearest.HalfVector(question), *chosen.params)))
        return [ranked.asset_id - 1 for ranked in found]

    return search


def exact(space: Any, where: Callable[[Tag | None], Any]) -> Search:
    """Every row that passes, compared one by one."""
    from search import nearest

    def search(question: np.ndarray, tag: Tag | None) -> list[int]:
        return [ranked.asset_id - 1 for ranked in nearest.exact(space, question, where(tag), PAGE)]

    return search


def plain_exact(space: Any) -> Search:
    """Every vector of the library, without any condition on what it belongs to."""
    from search import nearest

    statement = f"""
        SELECT e.asset_id, ({nearest._distance(space)}) + 0.0 AS distance FROM search_embedding e
        WHERE {nearest._of(space, "visual")} ORDER BY distance LIMIT {PAGE}
    """

    def search(question: np.ndarray, tag: Tag | None) -> list[int]:
        return [
            r.asset_id - 1
            for r in nearest._alone(nearest.Fragment(statement, (nearest.HalfVector(question),)))
        ]

    return search


def hnswlib(library: Library, visible: np.ndarray, recall: Callable[[Search], float]) -> tuple[Search, int]:
    """With the same m and ef_construction, and the least ef whose recall@20 is 0.99 or more."""
    import hnswlib as engine

    index = engine.Index("ip", library.vectors.shape[1])
    numbers = np.flatnonzero(visible)
    index.init_index(len(numbers), M=M, ef_construction=EF_CONSTRUCTION, random_seed=1)
    index.add_items(library.vectors[numbers], numbers)

    def search(question: np.ndarray, tag: Tag | None) -> list[int]:
        found: list[int] = index.knn_query(question, PAGE, num_threads=1)[0][0].tolist()
        return found

    for ef in (20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 300, 500, 1000):
        index.set_ef(ef)
        if recall(search) >= 0.99:
            break
    return search, ef


def qdrant(library: Library, visible: np.ndarray, ef: int = 200) -> Search:
    """The embedded engine with the same graph, and an integer index on the tags."""
    import qdrant_edge as engine

    folder = Path(tempfile.mkdtemp(prefix="qdrant-"))
    graph = engine.HnswIndexConfig(m=M, ef_construct=EF_CONSTRUCTION, full_scan_threshold=10_000)
    vectors = engine.EdgeVectorParams(size=library.vectors.shape[1], distance=engine.Distance.Dot)
    segments = engine.EdgeOptimizersConfig(default_segment_number=1, indexing_threshold=1000)
    config = engine.EdgeConfig(vectors=vectors, hnsw_config=graph, optimizers=segments)
    shard = engine.EdgeShard.create(str(folder), config)
    tags: dict[int, list[int]] = {}
    for tag in (*library.loose, *library.topics):
        for row in tag.rows.tolist():
            tags.setdefault(row, []).append(tag.pk)
    shard.update(engine.UpdateOperation.create_field_index("tags", engine.PayloadSchemaType.Integer))
    numbers = np.flatnonzero(visible).tolist()
    for start in range(0, len(numbers), 1000):
        points = [
            engine.Point(n, library.vectors[n].tolist(), {"tags": tags.get(n, [])})
            for n in numbers[start : start + 1000]
        ]
        shard.update(engine.UpdateOperation.upsert_points(points))
    shard.optimize()
    params = engine.SearchParams(hnsw_ef=ef)

    def search(question: np.ndarray, tag: Tag | None) -> list[int]:
        chosen = None
        if tag:
            condition = engine.FieldCondition(key="tags", match=engine.MatchValue(tag.pk))
            chosen = engine.Filter(must=[condition])
        asked = engine.SearchRequest(
            engine.Query.Nearest(question.tolist()), PAGE, filter=chosen, params=params
        )
        return [point.id for point in shard.search(asked)]

    search.close = lambda: (shard.close(), shutil.rmtree(folder, ignore_errors=True))  # type: ignore[attr-defined]
    return search
