"""What a picture looks like in 256 bits, so that copies of it are near: a perceptual hash.

The DCT hash that Christoph Zauner describes in "Implementation and Benchmarking of Perceptual Image Hash
Functions" (2010), after phash.org by Evan Klinger and David Starkweather: of the small grey picture the
lowest frequencies of its discrete cosine transform, each a bit that tells whether it lies above their median.
16 x 16 frequencies instead of 8 x 8: a large library has too many pairs for 64 bits (docs/decisions/0022).
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE, KEPT = 64, 16  # pixels that a picture is reduced to; frequencies in each direction that are looked at
BITS = KEPT * KEPT
FEWEST_GREYS = 4.0
"""How far half of the frequencies lie from the median at least: below this, noise decides about the bits."""


def fingerprint(image: Image.Image) -> str | None:
    """BITS characters 0 or 1, lowest frequency first; None of what is too uniform to be told from others.

    Any mode and size; the smallest rendition is enough.
    """
    small = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    greys = np.asarray(small, dtype=np.float64)
    lowest = (WAVES @ greys @ WAVES.T).ravel()
    away = lowest - np.median(lowest)
    if np.median(np.abs(away)) < FEWEST_GREYS:
        return None
    return "".join(np.where(away > 0, "1", "0"))


def _waves() -> NDArray[np.float64]:
    """The first rows of the orthonormal DCT-II: (KEPT, SIDE)."""
    at = np.pi / SIDE * (np.arange(SIDE) + 0.5)
    waves = np.cos(np.outer(np.arange(KEPT), at)) * np.sqrt(2 / SIDE)
    waves[0] /= np.sqrt(2)
    return np.asarray(waves, dtype=np.float64)


WAVES = _waves()
