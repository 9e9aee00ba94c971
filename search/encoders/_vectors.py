"""From the numbers in an answer to unit vectors: nothing that is wrong with them passes."""

import numpy as np

from search.encoders._protocol import EncoderUnavailable, Vectors


def checked(rows: object, count: int, dimensions: int, host: str) -> Vectors:
    """Unit float32 (count, dimensions) of a list of lists of numbers. Raises EncoderUnavailable."""
    if not isinstance(rows, list) or len(rows) != count:
        raise EncoderUnavailable(f"{host} did not answer with {count} vectors.")
    return np.stack([_unit(row, dimensions, host) for row in rows])


def _unit(row: object, dimensions: int, host: str) -> Vectors:
    if not isinstance(row, list) or not all(type(number) in (int, float) for number in row):
        raise EncoderUnavailable(f"{host} answered with something that is no vector.")
    if len(row) != dimensions:
        raise EncoderUnavailable(
            f"{host} answered with {len(row)} numbers instead of {dimensions}. "
            "Check ENCODER_MODEL and ENCODER_DIMENSIONS."
        )
    try:
        numbers = np.array(row, dtype=np.float64)
    except OverflowError:
        numbers = np.array([np.inf])
    largest = float(np.abs(numbers).max())
    if not np.isfinite(numbers).all():
        raise EncoderUnavailable(f"{host} answered with numbers that are not finite.")
    if largest == 0:
        raise EncoderUnavailable(f"{host} answered with a vector of zeros.")
    numbers = numbers / largest  # so that the squares neither overflow nor vanish
    return np.asarray(numbers / np.linalg.norm(numbers), dtype=np.float32)
