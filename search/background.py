"""What a question scores against pictures that are there anyway: the measure for what is strong."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import pstdev

from search import cached, sql, strength
from search.models import EmbeddingSpace
from search.ranking import Hit, count_strong

SECONDS = 600
FEWEST = 10
"""Pictures that a spread is taken of: fewer say nothing about a library."""


def scores(space: EmbeddingSpace, vector: sql.Vector, seen: sql.Where) -> dict[str, list[float]]:
    """By kind of vector, the scores of up to strength.SAMPLE pictures drawn from all that pass `seen`.

    `seen` is what this person may see, without the filters of the question. Which assets are drawn is kept
    for some minutes for all who may see the same; whether they may be seen is asked each time.
    """
    rule = hashlib.sha256(repr((seen.conditions, seen.params)).encode()).hexdigest()
    pictured = seen.add(sql.PICTURED)
    drawn = cached.for_a_minute(f"background:{rule}", lambda: sql.sample(pictured, strength.SAMPLE), SECONDS)
    found: dict[str, list[float]] = defaultdict(list)
    for kind, score in sql.scores(space, vector, seen, drawn):
        found[kind].append(score)
    return dict(found)


def drawn(
    space: EmbeddingSpace, vectors: Mapping[str, sql.Vector], seen: sql.Where
) -> dict[str, list[float]]:
    """By kind, what its vector scores against the sample. One that stands for two kinds is asked once."""
    different = {id(vector): vector for vector in vectors.values()}
    found = {name: scores(space, vector, seen) for name, vector in different.items()}
    return {kind: found[id(vector)].get(kind, []) for kind, vector in vectors.items()}


def spread(space: EmbeddingSpace, vector: sql.Vector, seen: sql.Where) -> float | None:
    """The standard deviation of a direction's scores against the sample's pictures; None of too few."""
    visual = scores(space, vector, seen).get("visual", [])
    return pstdev(visual) if len(visual) >= FEWEST else None


def judge(
    hits: Sequence[Hit], near: Mapping[str, Sequence[sql.Ranked]], cutoffs: Mapping[str, float]
) -> list[Hit]:
    """The hits with `strong` set: the strong ones first, each part in its order; as they were if unknown."""
    scores: dict[int, dict[str, float]] = defaultdict(dict)
    for kind, ranked in near.items():
        for asset_id, score in ranked:
            scores[asset_id][kind] = score
    for hit in hits:
        hit.strong = strength.is_strong(hit.signals, scores[hit.asset_id], cutoffs)
    told = count_strong(hits) is not None
    return sorted(hits, key=lambda hit: not hit.strong) if told else list(hits)


def cutoffs(
    space: EmbeddingSpace,
    near: Mapping[str, Sequence[sql.Ranked]],
    drawn: Mapping[str, Sequence[float]],
    passing: int,
    sentence: bool,
) -> dict[str, float]:
    """By kind of vector the lowest strong score, where it is known. `drawn` are the scores of the sample."""
    encoder = space.identity.get("encoder", "")
    found: dict[str, float] = {}
    for kind, ranked in near.items():
        in_words = sentence or kind == "words"
        usual = strength.MEASURED.get((encoder, kind)) if in_words else strength.EXAMPLE
        best = [score for _, score in ranked]
        lowest = strength.cutoff(best, drawn.get(kind, []), passing, usual or strength.UNKNOWN)
        if lowest is not None:
            found[kind] = lowest
    return found
