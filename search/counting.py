"""How many pass: of many, where counting them took a while, remembered for a minute."""

import hashlib
import time
from collections.abc import Sequence

from search import cached, sql

MANY, SLOW = 1_000, 0.005
"""Pictures, and seconds: what is fewer, or was counted sooner, is counted each time."""


def counted(where: sql.Where) -> sql.Count:
    """As it is, or as it was within the last minute."""
    if found := known(where):
        return found
    began = time.monotonic()
    found = sql.count_both(where)
    keep(where, found, time.monotonic() - began)
    return found


def listed(
    where: sql.Where, order: str, limit: int, offset: int, first: Sequence[str]
) -> tuple[list[int], sql.Count]:
    """A page of all that passes, as of sql.listed, and how many pass: by one statement."""
    if found := known(where):
        return sql.listed(where, order, limit, offset, first), found
    began = time.monotonic()
    ids, found = sql.listed_and_counted(where, order, limit, offset, first)
    keep(where, found, time.monotonic() - began)
    return ids, found


def known(where: sql.Where) -> sql.Count | None:
    """What is remembered, if anything."""
    found = cached.within_a_minute(_name(where))
    return sql.Count(*found) if found else None


def keep(where: sql.Where, count: sql.Count, seconds: float) -> None:
    """Remember it, if it took so long that it is worth it."""
    if count.total >= MANY and seconds >= SLOW:
        cached.keep_for_a_minute(_name(where), count)


def _name(where: sql.Where) -> str:
    return f"counted:{hashlib.sha256(repr(where).encode()).hexdigest()}"
