"""Whether a head finds more than what is in use, judged on pictures that it has not learned from.

The words of each picture are the question, and the picture is the one right answer. Pictures that show the
same (duplicates, versions, views of one object) are one group, and stand on one side of the split together:
else a head would be praised for what it has seen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.learning.ridge import Rows

AT = (1, 5, 10)
DRAWS = 2000
CHUNK = 2048
Ranks = NDArray[np.int64]
Places = NDArray[np.int64]


def folds(groups: Sequence[int], count: int, seed: int = 0) -> list[Places]:
    """The places of all groups, dealt out into `count` parts of about the same number of pictures."""
    named, place, sizes = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(named))
    part = np.empty(len(named), dtype=np.int64)
    part[order] = (np.cumsum(sizes[order]) - 1) * count // max(int(sizes.sum()), 1)
    return [np.flatnonzero(part[place] == n) for n in range(count)]


def ranks(pictures: Rows, questions: Rows, right: Places) -> Ranks:
    """The rank, from 1, of the picture that is right: unit rows (n, d) and (q, d), its place in (q,)."""
    return np.concatenate([np.empty(0, np.int64), *_ranks(pictures, questions, right)])


def _ranks(pictures: Rows, questions: Rows, right: Places) -> Iterator[Ranks]:
    for start in range(0, len(questions), CHUNK):
        scores = questions[start : start + CHUNK] @ pictures.T
        own = np.take_along_axis(scores, right[start : start + CHUNK, None], axis=1)
        alike = (scores == own).sum(
            axis=1
        ) - 1  # the middle of these: else who cannot tell would always be right
        yield 1 + (scores > own).sum(axis=1) + (alike + 1) // 2


def recall(found: Ranks) -> dict[str, float]:
    """recall@1, @5 and @10, between 0 and 1."""
    return {f"recall@{k}": float((found <= k).mean()) if len(found) else 0.0 for k in AT}


@dataclass(frozen=True)
class Gain:
    """Of recall@10: how much more is found, and an interval that holds it in 95 of 100 such libraries."""

    difference: float
    low: float
    high: float

    @property
    def is_sure(self) -> bool:
        return self.low > 0


def gain(before: Ranks, after: Ranks, groups: Sequence[int], k: int = 10, seed: int = 0) -> Gain:
    """The same questions before and after; by a paired bootstrap over groups (Efron 1979, percentiles)."""
    change = (after <= k).astype(np.float64) - (before <= k)
    if not len(change):
        return Gain(0.0, 0.0, 0.0)
    _, place = np.unique(np.asarray(groups), return_inverse=True)
    sums, sizes = np.bincount(place, change), np.bincount(place).astype(np.float64)
    drawn = np.random.default_rng(seed).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), DRAWS)
    differences = (drawn @ sums) / (drawn @ sizes)
    low, high = np.quantile(differences, [0.025, 0.975])
    return Gain(float(change.mean()), float(low), float(high))
