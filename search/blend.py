"""Examples and words as one direction to search in. Pure; docs/decisions/0015 says why, with figures."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
UNLIKED = 0.5
"""What is not wanted counts half of what is."""
Spreads = Callable[[Sequence[Vector]], Sequence[float | None]]
"""How widely the scores of each direction are spread over the library; None where that cannot be told."""


def blended(
    words: Sequence[Vector], pictures: Sequence[Vector], unliked: Sequence[Vector], spreads_of: Spreads
) -> Vector | None:
    """Unit float32 (dimensions,) of unit vectors: towards words and pictures, away from what is not liked.

    Each of the three counts by its mean, however many there are, divided by the spread of its scores, so that
    each moves the order as much as the others. Without that, pictures would drown the words, or the contrary:
    in no model do texts lie as near to pictures as pictures to one another. None where nothing is wanted.
    """
    groups = [unit(np.mean(group, axis=0)) for group in (words, pictures, unliked) if len(group)]
    if not (len(words) or len(pictures)):
        return None
    if len(groups) > 1:
        spreads = spreads_of(groups)
        if all(spreads):
            groups = [one / much for one, much in zip(groups, spreads, strict=True) if much]
    away = groups.pop() if len(unliked) else 0
    return unit(np.mean(groups, axis=0) - UNLIKED * away)


def unit(vector: Vector) -> Vector:
    """Of length 1; a vector of zeros stays one."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), dtype=np.float32)
