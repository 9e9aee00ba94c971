"""Joining rankings: reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009). Pure functions."""

from collections.abc import Mapping, Sequence, Set
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


@dataclass
class Ranking:
    """The results of a question, as far down as they were looked for."""

    hits: list[Hit]
    matched: int = 0
    """How many were found by their words, an accession number or a title."""
    strong: int | None = None
    """How many match well, which are the first ones; None where that cannot be told."""
    whole: bool = True
    """Whether there is no more behind them that a search would show."""
    more_strong: bool = False
    """Whether what lies behind them may match well too: then `strong` is the least it can be."""
    counted: tuple[int, int] | None = None
    """All that pass, and how many of them wait for their picture, where that was counted just now."""

    def reaches(self, rank: int) -> bool:
        return self.whole or len(self.hits) >= rank

    def behind(self, shown: "Ranking", limit: int) -> "Ranking":
        """What was shown already, kept in its place, with what this deeper ranking has besides."""
        known = {hit.asset_id for hit in shown.hits}
        rest = [hit for hit in self.hits if hit.asset_id not in known]
        hits = [*shown.hits, *rest][:limit]
        strong = count_strong(hits) if shown.more_strong else shown.strong
        return Ranking(hits, shown.matched, strong, self.whole)


def count_strong(hits: Sequence[Hit]) -> int | None:
    """None where it cannot be told of each."""
    return None if any(hit.strong is None for hit in hits) else sum(bool(hit.strong) for hit in hits)


LIKENESSES = ("visual", "words")


def fuse(rankings: Mapping[str, Sequence[int]], limit: int, awaited: Set[int] = frozenset()) -> list[Hit]:
    """Hits by the sum of weight / (K + rank) over the rankings, best first, ties by the smaller id.

    What is `awaited` has no picture that could be like anything: its words count for the likenesses too, else
    the nearest of a few pictures would stand before every object that has all of the words.
    """
    likenesses = len(rankings.keys() & set(LIKENESSES))
    hits: dict[int, Hit] = {}
    for signal, asset_ids in rankings.items():
        for rank, asset_id in enumerate(asset_ids, start=1):
            hit = hits.setdefault(asset_id, Hit(asset_id))
            hit.signals[signal] = rank
            times = 1 + likenesses if signal == "keywords" and asset_id in awaited else 1
            hit.score += times * WEIGHTS[signal] / (K + rank)
    return sorted(hits.values(), key=lambda hit: (-hit.score, hit.asset_id))[:limit]
