"""How many pass; of many, remembered for a minute, since counting them takes a while."""

import hashlib

from search import cached, sql

MANY = 10_000


def counted(where: sql.Where) -> sql.Count:
    """As it is, or of MANY as it was within the last minute."""
    return sql.Count(*cached.for_a_minute(_name(where), lambda: sql.count_both(where), worth=_worth))


def known(where: sql.Where) -> sql.Count | None:
    """What is remembered, if anything."""
    found = cached.within_a_minute(_name(where))
    return sql.Count(*found) if found else None


def keep(where: sql.Where, count: sql.Count | None) -> None:
    """Remember what was counted on the way to something else."""
    if count and _worth(count):
        cached.keep_for_a_minute(_name(where), count)


def _worth(count: sql.Count) -> bool:
    return count.total >= MANY


def _name(where: sql.Where) -> str:
    return f"counted:{hashlib.sha256(repr(where).encode()).hexdigest()}"
