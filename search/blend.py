"""Examples and words as one direction to search in. Pure; docs/decisions/0015 says why, with figures."""

from collections.abc import Callable, Sequence

import numpy as np

from search.sql import Vector

UNLIKED = 0.5
"""What is not wanted counts half of what is."""
Spread = Callable[[Vector], float | None]
"""How widely the scores of a direction are spread over the library; None where that cannot be told."""


def blended(
    words: Sequence[Vector], pictures: Sequence[Vector], unliked: Sequence[Vector], spread: Spread
) -> Vector | None:
    """Unit float32 (dimensions,) of unit vectors: towards words and pictures, away from what is not liked.

    Each of the three counts by its mean, however many there are. Words and pictures are divided by the spread
    of their scores, so that both move the order alike: in no model do texts lie as near to pictures as
    pictures lie to one another. None where nothing is wanted.
    """
    wanted = [np.mean(group, axis=0) for group in (words, pictures) if len(group)]
    if not wanted:
        return None
    if len(wanted) > 1:
        scales = [spread(unit(one)) for one in wanted]
        if all(scales):
            wanted = [unit(one) / scale for one, scale in zip(wanted, scales, strict=True) if scale]
    total = unit(np.sum(wanted, axis=0))
    if len(unliked):
        total = total - UNLIKED * unit(np.mean(unliked, axis=0))
    return np.asarray(unit(total), dtype=np.float32)


def unit(vector: Vector) -> Vector:
    """Of length 1; a vector of zeros stays one."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), dtype=np.float32)
