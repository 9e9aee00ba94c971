"""Learning, and judging what was learned on pictures that it has not seen: five times, a fifth held out.

The words of each held-out picture are the question, and it is to be found among all pictures, or a sample of
them, by a head that has not seen it. What is in use now is asked the same: the encoder alone, or, where a
head is in use already, one that is learned just so from those pictures that the head in use had, without the
held-out ones. So neither is praised for what it has seen.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.learning.library import Ids, Library, Note
from search.learning.proof import Gain, Ranks, folds, gain, ranks, recall
from search.learning.ridge import FEWEST, Chunk, Fit, Head, Rows, Sums, solve, total

FOLDS = 5
CANDIDATES, QUESTIONS = 10_000, 1_000  # pictures that compete; questions of one fold
SAMPLE = 2000  # pictures whose leave-one-out error decides the strength
Key = tuple[int, bool]
"""The fold of a picture, and whether the head that is in use has learned from it."""


@dataclass(frozen=True)
class Trial:
    """The head learned from all, and what finds how much: ranks of the same questions, (n,) each."""

    fit: Fit
    before: Ranks
    after: Ranks
    groups: list[int]
    candidates: int

    @property
    def gain(self) -> Gain:
        return gain(self.before, self.after, self.groups)

    @property
    def figures(self) -> dict[str, object]:
        """As `manage.py learn --json` has them; shares between 0 and 1."""
        found = self.gain
        return {
            "lambda": None if np.isinf(self.fit.head.strength) else self.fit.head.strength,
            "before": {name: round(share, 4) for name, share in recall(self.before).items()},
            "after": {name: round(share, 4) for name, share in recall(self.after).items()},
            "gain": round(found.difference, 4),
            "interval": [round(found.low, 4), round(found.high, 4)],
            "questions": len(self.before),
            "candidates": self.candidates,
        }


def centred(head: Head, features: Rows, prior: Rows) -> Rows:
    """What pictures show, unit rows (n, d), to be compared with `question`."""
    return _unit(head.predict(features, prior) - head.offset)


def question(head: Head, texts: Rows) -> Rows:
    """Text vectors (n, d) as unit rows, without what they share with the mean of all words.

    Of each its own part: the mean less for all would push those that have none of it to the other side, as
    questions in another language than that of the catalogue.
    """
    shared = _unit(head.offset[None])[0]
    return _unit(texts - np.outer(texts @ shared, shared))


def run(
    library: Library,
    known: Iterable[int] = (),
    seed: int = 0,
    note: Note = lambda step, done, of: None,
) -> Trial:
    """Learn and judge. `known` are the assets that the head in use has learned from.

    Raises ridge.NothingToLearn.
    """
    places = np.arange(library.described)
    trying = _Trying(library, np.random.default_rng(seed), seed, set(known))
    fit = solve(total(trying.sums.values()), (chunk for _, chunk in trying.sample))
    judged = []
    for number in range(FOLDS):
        note("proof", number, FOLDS)
        if (trying.fold[places] == number).any():
            judged.append(trying.judge(number))
    return Trial(
        fit,
        np.concatenate([before for before, _, _ in judged]),
        np.concatenate([after for _, after, _ in judged]),
        [int(group) for _, _, asked in judged for group in library.groups[asked]],
        min(len(library.assets), CANDIDATES),
    )


class _Trying:
    """The described pictures in folds, their sums, and a sample of them."""

    def __init__(self, library: Library, draw: np.random.Generator, seed: int, known: set[int]) -> None:
        self.library, self.draw = library, draw
        places = np.arange(library.described)
        self.fold = np.zeros(library.described, np.int64)
        for number, part in enumerate(folds(library.groups[places].tolist(), FOLDS, seed)):
            self.fold[part] = number
        self.old = np.array([int(pk) in known for pk in library.assets[places]], np.bool_)
        self.sums: dict[Key, Sums] = {}
        for some, chunk in library.chunks(places):
            self._add(some, chunk)
        self.sample = self._sample(places)
        self.old_sample = self.sample if self.old.all() else self._sample(np.flatnonzero(self.old))

    def _sample(self, places: Ids) -> list[tuple[Ids, Chunk]]:
        return list(self.library.chunks(np.sort(_some(self.draw, places, SAMPLE))))

    def _add(self, some: Ids, chunk: Chunk) -> None:
        x, u, y = chunk
        keys = np.stack([self.fold[some], self.old[some]], axis=1)
        for number, old in np.unique(keys, axis=0).tolist():
            these = (keys == (number, old)).all(axis=1)
            key = (int(number), bool(old))
            self.sums.setdefault(key, Sums(x.shape[1], u.shape[1])).add((x[these], u[these], y[these]))

    def judge(self, number: int) -> tuple[Ranks, Ranks, Ids]:
        """Ranks before and after of a fold's questions, and the places that were asked for."""
        held = np.flatnonzero(self.fold == number)
        here, features, prior, asked = competing(self.library, self.draw, held)
        right, texts = np.searchsorted(here, asked), self.library.said(asked)
        rest = {key: sums for key, sums in self.sums.items() if key[0] != number}

        def found_by(sums: Sums | None, sample: list[tuple[Ids, Chunk]]) -> Ranks:
            seen = [_those(chunk, self.fold[some] != number) for some, chunk in sample]
            head = solve(sums, seen).head
            return ranks(centred(head, features, prior), question(head, texts), right)

        after = found_by(total(rest.values()), self.sample)
        present = total(sums for (_, old), sums in rest.items() if old)
        if present is None or present.n < FEWEST:
            return ranks(prior, texts, right), after, asked
        return found_by(present, self.old_sample), after, asked


def competing(library: Library, draw: np.random.Generator, held: Ids) -> tuple[Ids, Rows, Rows, Ids]:
    """(places, their features and predictions, those that are asked for), where these are held out."""
    asked = _some(draw, held, QUESTIONS)
    others = np.setdiff1d(np.arange(len(library.assets)), asked)
    chosen = np.concatenate([asked, _some(draw, others, CANDIDATES - len(asked))])
    here, features, prior = library.seen(np.sort(chosen))
    return here, features, prior, np.intersect1d(asked, here)


def _some(draw: np.random.Generator, places: Ids, most: int) -> Ids:
    return places if len(places) <= most else draw.choice(places, most, replace=False)


def _those(chunk: Chunk, rows: NDArray[np.bool_]) -> Chunk:
    return chunk[0][rows], chunk[1][rows], chunk[2][rows]


def _unit(rows: Rows) -> Rows:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-9), dtype=np.float32)
