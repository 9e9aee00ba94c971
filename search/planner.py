"""Which way to search the vectors. Pure: numbers in, a name out; see docs/decisions/0006."""

import math

EXACT, ITERATIVE = "exact", "iterative"


def choose(passing: int, total: int, wanted: int) -> str:
    """`exact` where few rows pass the filter, else the index.

    The exact scan costs one comparison for each passing row; the index has to walk past the rows that do
    not pass. Measured, the two meet near sqrt(5 * wanted * total) rows.
    """
    return EXACT if passing <= max(math.sqrt(5 * wanted * total), 2000) else ITERATIVE
