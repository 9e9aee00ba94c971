"""Which way to search the vectors. Pure: numbers in, a plan out; measured in docs/decisions/0010.

There are three ways. *Exact* compares every row that passes the filter; its cost is the number of those
rows. *Walk* takes the nearest of the whole library out of the HNSW index one after the other and keeps
those that pass. Its cost is the number of rows it has to take: `wanted / share` where those that pass lie
evenly among the others, and any number where they lie far from the question. So each walk has a budget,
and one that runs out of it is no answer: `again` says what is to be done instead. Where most of the library
passes, the walk begins with a *look*: the rows that the index finds at once, and none after them. *Few*
compares every vector that there is, where these are fewer than the rows that pass: of the words of a library
in which little has been described yet.
"""

import math
from dataclasses import dataclass

EXACT, WALK, FEW = "exact", "walk", "few"
STEP = 6
"""What one row out of the index costs, in rows of the exact way."""
LEAST_BREADTH, MOST_BREADTH = 40, 1000
"""Of hnsw.ef_search: less misses neighbours, more is not possible."""
PATIENCE = 4
"""How many times more rows a walk may take than it would if those that pass lay evenly."""
LOOK = 1.5
"""The same of a look, which need not go on: what somebody may not see seldom lies in one place."""
FAR = 8
"""A walk that met less than this part of what was wanted is not worth another."""
MOST_TAKEN = 20_000
MANY = 20_000
"""Vectors of a kind beyond which nobody counts them."""
LADDER = 1.25
"""Numbers in statements are rounded up by steps of this, so that few statements need to be prepared."""


@dataclass(frozen=True)
class Plan:
    way: str
    breadth: int = 0
    """Of a walk: hnsw.ef_search, the rows that the index looks for at once."""
    budget: int = 0
    """Of a walk: the rows to take out of the index at most."""

    @property
    def is_look(self) -> bool:
        return self.budget <= self.breadth


def choose(passing: int, total: int, wanted: int, having: int) -> Plan:
    """The cheapest way to the nearest `wanted` of `passing` rows among `total`, `having` of which have such a
    vector: all estimates."""
    share = min(max(passing, 1) / max(total, 1), 1.0)
    taken = wanted / share
    if having < min(passing, MANY) and having <= STEP * taken:
        return Plan(FEW)
    if passing <= STEP * taken or taken > MOST_TAKEN:
        return Plan(EXACT)
    walk = _walk(wanted, taken, taken / 2)
    return Plan(WALK, walk.breadth, walk.breadth) if LOOK * taken <= walk.breadth else walk


def again(plan: Plan, found: int, passing: int, wanted: int) -> Plan:
    """What to do after a walk that found only `found` of the `wanted` rows within its budget.

    Near the question fewer rows pass than elsewhere. If the share of those it met says that another walk, a
    longer and broader one, costs less than half of the exact way, that is tried, once. Where it met next to
    none, what passes lies far off, and the index would be slow and find the wrong ones. After a look, which
    says little about the share, an ordinary walk follows.
    """
    if plan.is_look:
        return Plan(WALK, plan.breadth, _rounded(PATIENCE * plan.breadth))
    taken = wanted * plan.budget / max(found, 1)
    if (
        plan.breadth == MOST_BREADTH
        or found < wanted / FAR
        or taken > MOST_TAKEN
        or 2 * STEP * taken > passing
    ):
        return Plan(EXACT)
    return _walk(wanted, taken, MOST_BREADTH)


def _walk(wanted: int, taken: float, breadth: float) -> Plan:
    broad = max(LEAST_BREADTH, 1.2 * wanted, breadth)
    return Plan(WALK, min(_rounded(broad), MOST_BREADTH), _rounded(max(PATIENCE * taken, broad)))


def _rounded(number: float) -> int:
    steps = math.ceil(math.log(number / LEAST_BREADTH, LADDER))
    return math.ceil(LEAST_BREADTH * LADDER**steps)
