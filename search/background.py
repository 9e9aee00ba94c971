"""What a question scores against pictures that are there anyway: the measure for what is strong."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import pstdev

from search import cached, nearest, sampling, sql, strength
from search.models import EmbeddingSpace
from search.ranking import Hit, count_strong

SECONDS = 600
FEWEST = 10
"""Pictures that a spread is taken of: fewer say nothing about a library."""


@dataclass(frozen=True)
class Sample:
    """Up to strength.SAMPLE pictures drawn from all that this person may see, without the filters of a
    question.

    Which ones is kept for some minutes for all who may see the same; whether they may be seen is asked each
    time.
    """

    seen: sql.Where
    ids: list[int] | None
    """None where nothing is kept: then they are drawn as soon as they are asked for."""

    @classmethod
    def of(cls, seen: sql.Where) -> "Sample":
        return cls(seen, cached.within_a_minute(_name(seen)))

    def asked(self, space: EmbeddingSpace, vectors: Sequence[tuple[str, sql.Vector]]) -> nearest.Besides:
        """The scores of each vector against those of its kind; and the pictures, if they are to be drawn."""
        drawn = sql.Fragment("ARRAY(SELECT asset_id FROM drawn)")
        which = drawn if self.ids is None else sql.Fragment("%s::bigint[]", (self.ids,))
        scored = [nearest.scored(space, kind, vector, self.seen, which) for kind, vector in vectors]
        if self.ids is not None:
            return nearest.Besides(scored)
        every = sql.Fragment("SELECT asset_id, 0::float8 FROM drawn")
        return nearest.Besides(
            [*scored, every], sampling.sampled(self.seen.add(sql.PICTURED), strength.SAMPLE)
        )

    def told(self, answers: Sequence[Sequence[sql.Ranked]]) -> list[list[float]]:
        """The scores vector by vector, from the answers to what was `asked`; what was drawn is kept."""
        if self.ids is None:
            *answers, every = answers
            cached.keep_for_a_minute(_name(self.seen), [pk for pk, _ in every], SECONDS)
        return [[score for _, score in found] for found in answers]


def _name(seen: sql.Where) -> str:
    return f"background:{hashlib.sha256(repr((seen.conditions, seen.params)).encode()).hexdigest()}"


def drawn(
    space: EmbeddingSpace, vectors: Sequence[tuple[str, sql.Vector]], seen: sql.Where
) -> list[list[float]]:
    """What each vector of a kind scores against the pictures of a sample of what passes `seen`."""
    sample = Sample.of(seen)
    besides = sample.asked(space, vectors)
    return sample.told(nearest.nearest(space, {}, seen, 0, {}, passing=0, besides=besides)[1])


def spreads(space: EmbeddingSpace, vectors: Sequence[sql.Vector], seen: sql.Where) -> list[float | None]:
    """The standard deviation of each direction's scores against the sample's pictures; None of too few."""
    visual = drawn(space, [("visual", vector) for vector in vectors], seen)
    return [pstdev(scores) if len(scores) >= FEWEST else None for scores in visual]


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
