"""How many examples hypothesis makes up: some at each run, TIMES as many with `make soak`."""

import os

TIMES = int(os.environ.get("TIMES", "1"))


def often(number: int) -> int:
    return number * TIMES
