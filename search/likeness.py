"""The nearest pictures to a vector, by kind, and from which score on they match well."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from search import background, cached, nearest, sql
from search.models import EmbeddingSpace
from search.nearest import Near

SCALE = "scale"  # under which it is remembered, of the space in use


class Judged(NamedTuple):
    near: Near
    cutoffs: dict[str, float]
    """By kind the lowest strong score, where it is known."""
    awaited: set[int]
    """Which of those that may wait for their picture do."""


def judged(
    user: Any,
    space: EmbeddingSpace,
    vectors: Mapping[str, sql.Vector],
    where: sql.Where,
    depth: int,
    *,
    sentence: bool,
    passing: int,
    waiting: Sequence[int] = (),
) -> Judged:
    """By kind of vector: the `depth` nearest to its own, and the lowest strong score. `sentence`: in words
    alone. `passing`: how many pictures pass. `waiting`: assets that may wait for their picture.
    """
    sample = background.Sample.of(sql.visible_to(sql.Where(), user))
    besides = sample.asked(space, [*vectors.items()])
    if waiting:
        besides = besides._replace(asked=[sql.awaited_among(waiting), *besides.asked])
    near, others = _nearest(space, vectors, where, depth, passing, besides)
    awaited = {pk for pk, _ in others.pop(0)} if waiting else set()
    reached = max(map(len, near.values()), default=0)
    reached = passing if reached >= depth else reached
    drawn = dict(zip(vectors, sample.told(others), strict=True))
    return Judged(near, background.cutoffs(space, near, drawn, reached, sentence), awaited)


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
) -> Near:
    """By kind of vector, nearest first. What waits for its picture is passed over: that may be most."""
    return _nearest(space, vectors, where, depth, _passing(user, where))[0]


def _nearest(
    space: EmbeddingSpace,
    vectors: Mapping[str, sql.Vector],
    where: sql.Where,
    depth: int,
    passing: int,
    besides: nearest.Besides = nearest.NOTHING,
) -> tuple[Near, list[list[sql.Ranked]]]:
    known = scale(space)
    there = {"visual": known.visual, "words": known.words}
    plans = {kind: known.plan(kind, passing, depth) for kind in vectors if there[kind]}
    where = where.add(sql.PICTURED)
    return nearest.nearest(space, vectors, where, depth, plans, passing=passing, besides=besides)


def scale(space: EmbeddingSpace) -> nearest.Scale:
    """Counted once a minute, as it chooses the way alone. That there is no vector of a picture is asked each
    time, since then nothing is compared; of words, with the space itself.
    """
    known = cached.within_a_minute(SCALE)
    if known and known[0] == space.pk:
        found = nearest.Scale(*known)
    else:
        found = nearest.scale_of(space)
        keep_scale(found)
    return found._replace(words=max(found.words, 1) if space.has_words else 0)


def keep_scale(found: nearest.Scale) -> None:
    if found.visual:
        cached.keep_for_a_minute(SCALE, tuple(found))


def _passing(user: Any, where: sql.Where) -> int:
    """How many pictures pass, estimated; once a minute where all questions of a person share it."""
    where, everything = where.add(sql.PICTURED), sql.visible_to(sql.Where(), user).add(sql.PICTURED)
    if where != everything:
        return sql.estimate(where)
    rule = hashlib.sha256(repr((where.conditions, where.params)).encode()).hexdigest()
    return cached.for_a_minute(f"estimate:{rule}", lambda: sql.estimate(where))
