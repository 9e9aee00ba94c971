"""How likely a picture has each tag, from its features: least squares, and probabilities that are true.

Of a picture with features x and a tag, y is +1 where people gave it and -1 where they did not; where nobody
said either, y is the mean of the others, so that it speaks for neither. All tags are learned at once by
regularised least squares (Rifkin, Yeo and Poggio 2003), from the sums of `ridge`, without a prediction:

    f(x) = m + z'w,    w = (Z'Z + k I)^-1 Z'(y - m),    z = (x - x0) / s

with one eigendecomposition and one strength k for all, that of the least leave-one-out error. What a model
would have said of pictures G that show the same, had it not seen any of them, follows from its errors e:

    e_G without G = (I - H)^-1 e_G,    H = 1/n + Z_G (Z'Z + k I)^-1 Z_G'

(Cook and Weisberg 1982; of one picture it is the e / (1 - h) of `ridge`). The score of a picture is
f(x) - m, and held out y_G - e_G - m_G, with the mean m_G of those without G: if the mean of all stayed in it,
pictures that have a rare tag would score below the others by that alone. These held-out scores are made
probabilities by Platt's logistic function (1999), with his smoothed targets:

    P(tag) = 1 / (1 + exp(-(a score + b))),    a >= 0

Scores are counted in bins, so that memory does not grow with pictures.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from search.learning.ridge import FEWEST, STRENGTHS, Array, Chunk, NothingToLearn, Problem, Rows, Sums

Ids = NDArray[np.int64]
SAMPLE = 2000  # pictures whose leave-one-out error decides the strength
LOWEST, HIGHEST, BINS = -8.0, 24.0, 640  # of held-out scores, in spreads of the scores of a tag
STEPS, LONGEST, STEADY = 80, 1.0, 1e-6  # of Newton's method
HELD_BACK = 1.0  # what a slope, in spreads, is held back by: of few examples, it would be too steep
TENTHS = 10


class Examples(NamedTuple):
    """Of n pictures: features (n, p), answers (n, t) of +1, -1 or 0 for unknown, and groups (n,) that are
    the same, one after the other, for what shows the same.
    """

    features: Rows
    answers: Rows
    groups: Ids


@dataclass(frozen=True)
class TagHead:
    """What was learned of t tags: x0 (p,), s (p,), weights a w (p, t) as halves, b (t,), and the terms."""

    feature_mean: Rows
    feature_spread: Rows
    weights: NDArray[np.float16]
    offsets: Rows
    terms: Ids
    strength: float
    learned_from: int

    def probabilities(self, features: Rows) -> Rows:
        """Features (n, p) -> (n, t), 0 to 1."""
        z = (features - self.feature_mean) / self.feature_spread
        return _logistic(z @ self.weights.astype(np.float32) + self.offsets).astype(np.float32)

    def packed(self) -> bytes:
        """As `unpacked` reads it; the same head is the same bytes."""
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **vars(self))
        return buffer.getvalue()


def unpacked(content: bytes) -> TagHead:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return TagHead(**{name: value if value.ndim else value.item() for name, value in arrays.items()})


class Tenth(NamedTuple):
    """Of the suggestions in a tenth of the probabilities: how many, what was said, and what is true."""

    number: int
    said: float
    true: float


@dataclass(frozen=True)
class TagFit:
    head: TagHead
    reliability: list[Tenth]
    """By held-out scores, the lowest tenth first."""


def error(tenths: Iterable[Tenth], least: float = 0.0) -> float:
    """The expected calibration error (Naeini et al. 2015) of what was said with at least this."""
    some = [one for one in tenths if one.number and one.said >= least]
    return sum(one.number * abs(one.said - one.true) for one in some) / max(sum(s.number for s in some), 1)


def tenths(
    said: NDArray[np.floating], true: NDArray[np.floating], weight: Array | None = None
) -> list[Tenth]:
    """Probabilities (n,) and what is true (n,), each of a weight (n,), by tenths."""
    weight = np.ones(len(said)) if weight is None else weight
    place = np.minimum((said * TENTHS).astype(np.int64), TENTHS - 1)
    n, sum_said, sum_true = (
        np.bincount(place, values, TENTHS) for values in (weight, weight * said, weight * true)
    )
    return [
        Tenth(int(count), float(one / max(count, 1)), float(other / max(count, 1)))
        for count, one, other in zip(n, sum_said, sum_true, strict=True)
    ]


def learn(chunks: Callable[[], Iterable[Examples]], terms: Ids, shares: Array, size: int) -> TagFit:
    """Learn t tags from about `size` pictures in chunks, which are gone through twice.

    `shares` (t,) is how many have each tag, of those that it is known of, 0 to 1. Raises NothingToLearn.
    """
    means, step = 2 * shares - 1, max(1, size // SAMPLE)
    sums: Sums | None = None
    sample: list[Chunk] = []
    for one in chunks():
        x, u, y = chunk = _chunk(one, means)
        sums = sums or Sums(x.shape[1], len(terms))
        sums.add(chunk)
        sample.append((x[::step], u[::step], y[::step]))
    if sums is None or sums.n < FEWEST:
        raise NothingToLearn("There are too few pictures with tags to learn from.")
    problem = Problem(sums)
    errors = problem.errors(sample, sorted(STRENGTHS))
    held = _Held(problem, min(errors, key=errors.__getitem__))
    for one in chunks():
        held.add(one, _chunk(one, means)[2])
    return held.fit(terms)


def _chunk(one: Examples, means: Array) -> Chunk:
    """As `ridge` wants it; the encoder's prediction is nothing, of one column that stands for all."""
    filled = np.where(one.answers == 0, means.astype(np.float32), one.answers)
    return one.features, np.zeros((len(filled), 1), np.float32), filled


class _Held:
    """Held-out scores of one strength, counted in bins: `yes` and `no` (t, BINS)."""

    def __init__(self, problem: Problem, strength: float) -> None:
        self.problem, self.strength = problem, strength
        self.shrunk = 1 / (problem.values + strength)
        self.turned = problem.turned * self.shrunk[:, None]
        spread = np.sqrt((self.turned**2 * problem.values[:, None]).sum(axis=0) / problem.n)
        self.spread = np.where(spread > 0, spread, 1.0)
        self.yes, self.no = (np.zeros((len(spread), BINS)) for _ in range(2))

    def add(self, one: Examples, y: Rows) -> None:
        high = (self.scores(one, y) / self.spread - LOWEST) * BINS / (HIGHEST - LOWEST)
        place = np.clip(high, 0, BINS - 1).astype(np.int64) + BINS * np.arange(y.shape[1])
        for counted, answer in ((self.yes, 1), (self.no, -1)):
            found = np.bincount(place[one.answers == answer], minlength=counted.size)
            counted += found.reshape(counted.shape)

    def scores(self, one: Examples, y: Rows) -> Array:
        """What would be said (n, t) of pictures, had nothing been learned from what shows the same."""
        problem, n = self.problem, self.problem.n
        z = ((one.features - problem.x0) / problem.s) @ problem.vectors
        wrong = y - problem.m - z @ self.turned
        leverage = 1 / n + (z * z) @ self.shrunk
        alone = y - wrong / np.maximum(1 - leverage, 1e-9)[:, None] - (n * problem.m - y) / max(n - 1, 1)
        found = np.asarray(alone, np.float64)
        for some in _runs(one.groups):
            without = max(n - (some.stop - some.start), 1)
            share = 1 / n + (z[some] * self.shrunk) @ z[some].T
            kept = np.eye(len(share)) * (1 + 1e-9) - share
            mean = (n * problem.m - y[some].sum(axis=0)) / without
            found[some] = y[some] - np.linalg.solve(kept, wrong[some]) - mean
        return found

    def fit(self, terms: Ids) -> TagFit:
        centres = LOWEST + (np.arange(BINS) + 0.5) * (HIGHEST - LOWEST) / BINS
        slopes, offsets = platt(centres, self.yes, self.no)
        said = _logistic(slopes[:, None] * centres + offsets[:, None])
        number = self.yes + self.no
        true = self.yes / np.maximum(number, 1)
        problem = self.problem
        head = TagHead(
            problem.x0.astype(np.float32),
            problem.s.astype(np.float32),
            (problem.vectors @ (self.turned * slopes / self.spread)).astype(np.float16),
            offsets.astype(np.float32),
            terms,
            self.strength,
            problem.n,
        )
        return TagFit(head, tenths(said.ravel(), true.ravel(), number.ravel()))


def _runs(groups: Ids) -> Iterator[slice]:
    """The places of equal groups that stand one after the other, of those with several."""
    ends = [*(np.flatnonzero(np.diff(groups)) + 1).tolist(), len(groups)]
    start = 0
    for end in ends:
        if end - start > 1:
            yield slice(start, end)
        start = end


def platt(centres: Array, yes: Array, no: Array) -> tuple[Array, Array]:
    """Slopes a and offsets b (t,), from how many of each tag scored what: centres (b,), numbers (t, b).

    By Newton's method (Lin, Lin and Weng 2007), with steps that are not too long. A tag whose scores say
    nothing, or the contrary, has the slope 0: the probability is its share.
    """
    has, lacks = yes.sum(axis=1), no.sum(axis=1)
    number = yes + no
    wanted = yes * ((has + 1) / (has + 2))[:, None] + no * (1 / (lacks + 2))[:, None]
    flat = np.log((has + 1) / (lacks + 1))
    a, b = np.zeros(len(has)), flat.copy()
    for _ in range(STEPS):
        p = _logistic(a[:, None] * centres + b[:, None])
        wrong, curve = wanted - number * p, number * p * (1 - p)
        down_a, down_b = (wrong * centres).sum(axis=1) - HELD_BACK * a, wrong.sum(axis=1)
        aa = (curve * centres**2).sum(axis=1) + HELD_BACK
        ab, bb = (curve * centres).sum(axis=1), curve.sum(axis=1) + STEADY
        whole = np.maximum(aa * bb - ab * ab, 1e-12)
        a += np.clip((bb * down_a - ab * down_b) / whole, -LONGEST, LONGEST)
        b += np.clip((aa * down_b - ab * down_a) / whole, -LONGEST, LONGEST)
    return np.where(a > 0, a, 0.0), np.where(a > 0, b, flat)


def _logistic(x: Array | Rows) -> Array:
    kept = np.clip(np.asarray(x, np.float64), -60, 60)
    return np.asarray(1 / (1 + np.exp(-kept)), np.float64)
