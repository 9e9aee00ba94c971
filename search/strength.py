"""Which results match well: a cutoff for each question. Pure; docs/decisions/0011 says why, with error rates.

The question is compared with a background too: pictures drawn from all that the person may see. Their middle
and spread say what this question scores against anything. The k best of N results are strong as long as the
k-th scores higher than chance would let FALSE * k of N do: the rule of Benjamini and Hochberg (1995), so that
many good answers do not make one another look ordinary, as a bound on the best alone would.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, median

BELL = NormalDist()
FALSE = 0.2
"""The share of strong results that chance may have put there, were the background the bell curve."""
SAMPLE, FEWEST = 400, 50
"""Pictures in the background: so many are drawn, and of fewer than the latter nothing is concluded."""
MAD_TO_SPREAD = 1.4826  # of the bell curve: the standard deviation from the median deviation
CERTAIN = ("accession", "title", "keywords")
"""Signals that are strong by themselves."""


@dataclass(frozen=True)
class Usual:
    """What an encoder's questions usually score against anything, and how far its tails reach.

    A question that many pictures answer spreads its background widely, and would be held back by its own
    good answers: so its spread counts by half, and the usual one by half (as a geometric mean).
    """

    spread: float | None = None
    middle: float = -math.inf
    """The background's middle is never taken to be lower than this."""
    tail: float = 1.3
    """The background reaches so much further than the bell curve."""


UNKNOWN = Usual()
EXAMPLE = Usual(tail=0.9)
"""For questions by pictures: what is alike is near in any model, and a copy has to be strong."""
MEASURED = {
    ("builtin", "visual"): Usual(spread=0.055, middle=0.0, tail=1.2),
    ("builtin", "words"): Usual(spread=0.09, middle=0.0, tail=1.2),
}
"""By encoder and kind of vector, for questions in words; `python -m benchmarks cutoff` measures."""


def cutoff(
    scores: Sequence[float], background: Sequence[float], passing: int, usual: Usual = UNKNOWN
) -> float | None:
    """The lowest strong score; infinite where none is strong, None where too little is there to tell.

    `scores` are those of the nearest, best first; `passing` counts all that compete.
    """
    if len(background) < FEWEST:
        return None
    middle = median(background)
    spread = MAD_TO_SPREAD * median(abs(score - middle) for score in background)
    if usual.spread is not None:
        spread = math.sqrt(spread * usual.spread)
    middle = max(middle, usual.middle)
    scale = max(spread, 1e-6) * usual.tail
    chance = FALSE / max(passing, len(scores), 1)
    lowest = math.inf
    for place, score in enumerate(scores, start=1):
        if score > middle + scale * BELL.inv_cdf(1 - min(chance * place, 0.5)):
            lowest = score
    return lowest


def is_strong(
    signals: Mapping[str, int], scores: Mapping[str, float], cutoffs: Mapping[str, float]
) -> bool | None:
    """Of one result: its scores by kind of vector, against the cutoffs that are known; None without any."""
    if any(name in signals for name in CERTAIN):
        return True
    if scores and not cutoffs:
        return None
    return any(score >= cutoffs.get(kind, math.inf) for kind, score in scores.items())
