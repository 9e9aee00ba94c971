"""Ridge regression from image features to text vectors, as a residual on what an encoder says already.

For a picture with features x (p), the encoder's own prediction u (d) and the vector y (d) of the words that
people wrote, the model is

    y = m + a (u - u0) + W' z + e,    z = (x - x0) / s

with means m, u0, x0 and standard deviations s of what it learns from. `a` is the least-squares scale of the
prediction alone. W is the ridge estimate (Hoerl and Kennard 1970) for the residual r = y - m - a (u - u0):

    W = (Z'Z + k I)^-1 Z'R

Everything it needs are sums over pictures (`Sums`), so that a million of them need no more memory than a
thousand. The strength k is that of the least exact leave-one-out error: with Z'Z = V S V', the leverage of a
picture is h = 1/n + sum_j (V'z)_j^2 / (S_j + k), and what a model without it would have erred by is
e / (1 - h) (Allen 1974, PRESS; Golub, Heath and Wahba 1979), m being an intercept that is not held back.
The means, s and `a` are taken from all pictures there: their share in the error is of the order 1/n.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rows = NDArray[np.float32]
Chunk = tuple[Rows, Rows, Rows]
"""Features (n, p), predictions (n, d) and text vectors (n, d) of the same n pictures."""
STRENGTHS = tuple(float(10**power) for power in np.arange(1, 7.01, 0.5))
FEWEST = 3  # pictures
LEAST_SPREAD = 1e-6  # of a feature; one that is always the same teaches nothing


class NothingToLearn(ValueError):
    """Too few pictures; the message is for people."""


@dataclass
class Sums:
    """What is kept of the pictures: moments of features x, predictions u and text vectors y."""

    features: int
    dimensions: int
    n: int = 0
    x: Array = field(init=False)
    u: Array = field(init=False)
    y: Array = field(init=False)
    xx: Array = field(init=False)
    xu: Array = field(init=False)
    xy: Array = field(init=False)
    uu: float = 0.0
    uy: float = 0.0

    def __post_init__(self) -> None:
        p, d = self.features, self.dimensions
        self.x, self.u, self.y = np.zeros(p), np.zeros(d), np.zeros(d)
        self.xx, self.xu, self.xy = np.zeros((p, p)), np.zeros((p, d)), np.zeros((p, d))

    def add(self, chunk: Chunk) -> None:
        x, u, y = (np.asarray(rows, np.float64) for rows in chunk)
        self.n += len(x)
        self.x += x.sum(axis=0)
        self.u += u.sum(axis=0)
        self.y += y.sum(axis=0)
        self.xx += x.T @ x
        self.xu += x.T @ u
        self.xy += x.T @ y
        self.uu += float((u * u).sum())
        self.uy += float((u * y).sum())


def total(parts: Iterable[Sums]) -> Sums | None:
    """The sums of all these pictures together; None of none."""
    whole: Sums | None = None
    for part in parts:
        whole = whole or Sums(part.features, part.dimensions)
        for name in ("n", "x", "u", "y", "xx", "xu", "xy", "uu", "uy"):
            setattr(whole, name, getattr(whole, name) + getattr(part, name))
    return whole


@dataclass(frozen=True)
class Head:
    """What was learned. float32: x0 (p,), s (p,), W (p, d), u0 (d,), m (d,)."""

    feature_mean: Rows
    feature_spread: Rows
    weights: Rows
    prior_mean: Rows
    prior_scale: float
    offset: Rows
    strength: float
    learned_from: int

    def predict(self, features: Rows, prior: Rows) -> Rows:
        """Features (n, p) and the encoder's predictions (n, d) -> text vectors (n, d), of any length."""
        z = (features - self.feature_mean) / self.feature_spread
        found = self.offset + self.prior_scale * (prior - self.prior_mean) + z @ self.weights
        return found.astype(np.float32)

    def packed(self) -> bytes:
        """As `unpacked` reads it; the same head is the same bytes."""
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **vars(self))
        return buffer.getvalue()


def unpacked(content: bytes) -> Head:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return Head(**{name: value if value.ndim else value.item() for name, value in arrays.items()})


@dataclass(frozen=True)
class Fit:
    head: Head
    errors: dict[float, float]
    """Mean squared leave-one-out error by strength; `inf` is that of nothing learned but scale and mean."""


def fit(chunks: Callable[[], Iterable[Chunk]], strengths: Iterable[float] = STRENGTHS) -> Fit:
    """Learn from all chunks, which are gone through twice. Raises NothingToLearn."""
    parts: list[Sums] = []
    for chunk in chunks():
        parts = parts or [Sums(chunk[0].shape[1], chunk[1].shape[1])]
        parts[0].add(chunk)
    return solve(total(parts), chunks(), strengths)


def solve(sums: Sums | None, seen: Iterable[Chunk], strengths: Iterable[float] = STRENGTHS) -> Fit:
    """Learn from sums. `seen` are pictures of which they are, all or a fair sample: the error is theirs.

    Raises NothingToLearn.
    """
    if sums is None or sums.n < FEWEST:
        raise NothingToLearn("There are too few pictures with words to learn from.")
    problem = Problem(sums)
    errors = problem.errors(seen, sorted(strengths))
    return Fit(problem.head(min(errors, key=errors.__getitem__)), errors)


class Problem:
    """The centred problem in the eigenvectors of Z'Z."""

    def __init__(self, sums: Sums) -> None:
        n = self.n = sums.n
        self.x0, self.u0, self.m = sums.x / n, sums.u / n, sums.y / n
        spread = np.sqrt(np.maximum(np.diag(sums.xx) / n - self.x0**2, 0))
        self.s = np.where(spread > LEAST_SPREAD, spread, np.inf)
        spread_of_u = sums.uu - n * float(self.u0 @ self.u0)
        self.a = (sums.uy - n * float(self.u0 @ self.m)) / spread_of_u if spread_of_u > LEAST_SPREAD else 0.0
        both = self.s[:, None] * self.s
        gram = (sums.xx - n * np.outer(self.x0, self.x0)) / both
        residual = (sums.xy - self.a * sums.xu - n * np.outer(self.x0, self.m - self.a * self.u0)) / self.s[
            :, None
        ]
        values, self.vectors = np.linalg.eigh(gram)
        self.values = np.maximum(values, 0)
        self.turned = self.vectors.T @ residual

    def errors(self, chunks: Iterable[Chunk], strengths: list[float]) -> dict[float, float]:
        total, count = dict.fromkeys([*strengths, np.inf], 0.0), 0
        for z, r in self._turned_chunks(chunks):
            count += len(z)
            squares, single = z * z, z.astype(np.float32)  # the product takes the time
            for strength in total:
                shrunk = 1 / (self.values + strength)
                leverage = 1 / self.n + squares @ shrunk
                predicted = single @ (self.turned * shrunk[:, None]).astype(np.float32)
                wrong = (r - predicted) / np.maximum(1 - leverage, 1e-9)[:, None]
                total[strength] += float((wrong * wrong).sum())
        if not count:
            return {np.inf: 0.0}  # nothing can be said for learning more than scale and mean
        return {strength: error / count for strength, error in total.items()}

    def _turned_chunks(self, chunks: Iterable[Chunk]) -> Iterator[tuple[Array, Array]]:
        for x, u, y in chunks:
            z = ((x - self.x0) / self.s) @ self.vectors
            yield z, y - self.m - self.a * (u - self.u0)

    def head(self, strength: float) -> Head:
        weights = self.vectors @ (self.turned / (self.values + strength)[:, None])
        return Head(
            self.x0.astype(np.float32),
            self.s.astype(np.float32),
            weights.astype(np.float32),
            self.u0.astype(np.float32),
            self.a,
            self.m.astype(np.float32),
            strength,
            self.n,
        )
