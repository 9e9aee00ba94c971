"""Joining rankings: reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009). Pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

K = 60  # the constant of the paper: how quickly the weight falls with the rank
WEIGHTS = {
    **{"accession": 1000.0, "title": 500.0},
    **{"keywords": 1.0, "some_words": 1.0, "visual": 1.0, "words": 1.0},
}
"""An exact accession number comes before an exact title, and both before everything fused."""


@dataclass
class Hit:
    """One result, and which signals put it there at which rank (1 is best)."""

    asset_id: int
    score: float = 0.0
    signals: dict[str, int] = field(default_factory=dict)
    strong: bool | None = None
    """Whether it is above the cutoff; None where that cannot be told."""


def fuse(rankings: Mapping[str, Sequence[int]], limit: int) -> list[Hit]:
    """Hits by the sum of weight / (K + rank) over the rankings, best first, ties by the smaller id."""
    hits: dict[int, Hit] = {}
    for signal, asset_ids in rankings.items():
        for rank, asset_id in enumerate(asset_ids, start=1):
            hit = hits.setdefault(asset_id, Hit(asset_id))
            hit.signals[signal] = rank
            hit.score += WEIGHTS[signal] / (K + rank)
    return sorted(hits.values(), key=lambda hit: (-hit.score, hit.asset_id))[:limit]
