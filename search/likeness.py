"""The nearest pictures to a vector, by kind, and from which score on they match well."""

import hashlib
import math
from collections.abc import Mapping
from typing import Any

from search import background, cached, nearest, planner, sql
from search.models import EmbeddingSpace

Near = dict[str, list[sql.Ranked]]


def judged(
    user: Any,
    space: EmbeddingSpace,
    vectors: Mapping[str, sql.Vector],
    where: sql.Where,
    depth: int,
    *,
    sentence: bool,
    passing: int | None = None,
) -> tuple[Near, dict[str, float]]:
    """By kind of vector: the `depth` nearest to its own, and the lowest strong score. `sentence`: in words
    alone. `passing`: how many pictures pass, where it is known; else it is counted.
    """
    near = by_kind(user, space, vectors, where, depth, passing)
    drawn = background.drawn(space, vectors, sql.visible_to(sql.Where(), user))
    reached = max(map(len, near.values()), default=0)
    if reached >= depth:
        reached = sql.count(where.add(sql.PICTURED)) if passing is None else passing
    return near, background.cutoffs(space, near, drawn, reached, sentence)


def all_strong(near: Near, cutoffs: Mapping[str, float], depth: int) -> bool:
    """Whether the nearest of a kind all match well, so that there may be more that do behind them."""
    return any(
        len(found) >= depth and found[-1].score >= cutoffs.get(kind, math.inf) for kind, found in near.items()
    )


def by_kind(
    user: Any,
    space: EmbeddingSpace,
    vectors: Mapping[str, sql.Vector],
    where: sql.Where,
    depth: int,
    passing: int | None = None,
) -> Near:
    """By kind of vector, nearest first. What waits for its picture is passed over: that may be most."""
    passing = _passing(user, where) if passing is None else passing
    total = _remembered_estimate(sql.Where().add(sql.PICTURED))
    where = where.add(sql.PICTURED)
    near: Near = {}
    for kind, vector in vectors.items():
        if having := _having(space, kind):
            near[kind] = nearest.nearest(
                space, vector, where, depth, kind, passing=passing, total=total, having=having
            )
        else:
            near[kind] = []
    return near


def _having(space: EmbeddingSpace, kind: str) -> int:
    """How many vectors of a kind there are, up to MANY: asked once a minute, it chooses the way alone. That
    there are none is asked each time, since then nothing is compared; of words, with the space itself."""
    if kind == sql.Kind.WORDS and not space.has_words:
        return 0
    name = f"having:{space.pk}:{kind}"
    return cached.for_a_minute(name, lambda: nearest.count(space, kind, planner.MANY), worth=bool)


def _passing(user: Any, where: sql.Where) -> int:
    """How many pictures pass, estimated; once a minute where all questions of a person share it."""
    where, everything = where.add(sql.PICTURED), sql.visible_to(sql.Where(), user).add(sql.PICTURED)
    return _remembered_estimate(where) if where == everything else sql.estimate(where)


def _remembered_estimate(where: sql.Where) -> int:
    rule = hashlib.sha256(repr((where.conditions, where.params)).encode()).hexdigest()
    return cached.for_a_minute(f"estimate:{rule}", lambda: sql.estimate(where))
