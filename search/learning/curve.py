"""How much is found by what was learned from so many pictures: really learned again, at several sizes.

As in `trial`, the questions are the words of held-out pictures. From the others, in an order by chance, ever
more are learned from, and each head is asked the same questions; size 0 is the encoder alone.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from django.db.models import Q, QuerySet
from django.utils import timezone

from search import spaces
from search.learning import library, trial
from search.learning.library import Ids, Library
from search.learning.proof import Ranks, folds, ranks, recall
from search.learning.ridge import Head, NothingToLearn, Rows, Sums, solve
from search.models import Lesson

TASK = "search.draw_curve"
SIZES = (30, 60, 125, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000)
QUESTIONS = 1000  # after which no other part is held out
EXAMPLES, FIRST = 60, 8  # questions that are kept, and pictures found by each
PATIENCE = timedelta(hours=2)
"""After which a curve that was begun has lost its worker."""


def waiting() -> "QuerySet[Lesson]":
    """The newest lesson, if its curve is still to be drawn, and nobody is at it."""
    newest = Lesson.objects.values("pk")[:1]
    begun = Q(curve_begun_at=None) | Q(curve_begun_at__lt=timezone.now() - PATIENCE)
    return Lesson.objects.filter(begun, curve__isnull=True, pk__in=newest).exclude(figures={})


def run(lesson_id: int) -> None:
    """Draw the curve of a lesson that waits for it; nothing happens if somebody else does.

    Where it cannot be, an empty one is kept, and the error raised: EncoderError, NothingToLearn.
    """
    if not waiting().filter(pk=lesson_id).update(curve_begun_at=timezone.now()):
        return
    lesson, found = Lesson.objects.defer("arrays").get(pk=lesson_id), {}
    try:
        encoder = spaces.encoder_with(lesson.encoder, lesson.options, lesson.base)
        found = drawn(library.of(encoder))
    finally:
        Lesson.objects.filter(pk=lesson_id).update(curve=found)


def drawn(found: Library, seed: int = 0) -> dict[str, Any]:
    """{"points": [{"size", "recall@1", …}], "questions", "candidates", "examples": see `_examples`}.

    Raises NothingToLearn.
    """
    draw = np.random.default_rng(seed)
    parts = _held_out(found, seed)
    sizes = sizes_up_to(found.described - max((len(part) for part in parts), default=0))
    by_size: dict[int, list[Ranks]] = {size: [] for size in (0, *sizes)}
    examples: list[dict[str, Any]] = []
    for held in parts:
        told = _Fold(found, draw, held)
        by_size[0].append(told.ranks(told.prior, told.texts))
        for size, head in told.heads(sizes):
            by_size[size].append(told.ranks(*told.by(head)))
            if size == sizes[-1]:
                examples += told.examples(head, -(-EXAMPLES // len(parts)))
    joined = {size: np.concatenate(some) for size, some in by_size.items()}
    return {
        "points": [{"size": size, **_rounded(recall(some))} for size, some in joined.items()],
        "questions": len(joined[0]),
        "candidates": min(len(found.assets), trial.CANDIDATES),
        "examples": [examples[n] for n in draw.permutation(len(examples))],
    }


def sizes_up_to(most: int) -> list[int]:
    """Of SIZES, those that are clearly less than what there is, and that itself. Raises NothingToLearn."""
    if most < SIZES[0]:
        raise NothingToLearn("There are too few pictures with words to learn from.")
    return [*(size for size in SIZES if size < 0.8 * most), most]


def _held_out(found: Library, seed: int) -> list[Ids]:
    """Parts of the described pictures, until they give questions enough."""
    parts: list[Ids] = []
    for part in folds(found.groups[: found.described].tolist(), trial.FOLDS, seed):
        if len(part) and sum(map(len, parts)) < QUESTIONS:
            parts.append(part)
    return parts


class _Fold:
    """Some pictures are held out, and asked for by their words among all; others are there to learn from."""

    def __init__(self, found: Library, draw: np.random.Generator, held: Ids) -> None:
        self.found, self.draw = found, draw
        self.here, self.features, self.prior, self.asked = trial.competing(found, draw, held)
        self.right, self.texts = np.searchsorted(self.here, self.asked), found.said(self.asked)
        self.rest = draw.permutation(np.setdiff1d(np.arange(found.described), held))

    def heads(self, sizes: Sequence[int]) -> "list[tuple[int, Head]]":
        """What is learned from so many of the rest; each size has all of the one before it."""
        sums: Sums | None = None
        heads, start = [], 0
        for size in sizes:
            for _, chunk in self.found.chunks(self.rest[start:size]):
                sums = sums or Sums(chunk[0].shape[1], chunk[1].shape[1])
                sums.add(chunk)
            seen = (chunk for _, chunk in self.found.chunks(self.rest[: min(size, trial.SAMPLE)]))
            heads.append((size, solve(sums, seen).head))
            start = size
        return heads

    def by(self, head: Head) -> tuple[Rows, Rows]:
        return trial.centred(head, self.features, self.prior), trial.question(head, self.texts)

    def ranks(self, pictures: Rows, questions: Rows) -> Ranks:
        return ranks(pictures, questions, self.right)

    def examples(self, head: Head, count: int) -> list[dict[str, Any]]:
        """[{"asset", "before", "after": {"rank", "first": asset ids}}]: questions drawn by chance."""
        chosen = self.draw.permutation(len(self.asked))[:count]
        both = {"before": (self.prior, self.texts), "after": self.by(head)}
        sides = {name: self._answers(*side, chosen) for name, side in both.items()}
        return [
            {
                "asset": int(self.found.assets[self.asked[one]]),
                **{name: answers[number] for name, answers in sides.items()},
            }
            for number, one in enumerate(chosen)
        ]

    def _answers(self, pictures: Rows, questions: Rows, chosen: Ids) -> list[dict[str, Any]]:
        placed = ranks(pictures, questions[chosen], self.right[chosen])
        first = np.argsort(-(questions[chosen] @ pictures.T), axis=1, kind="stable")[:, :FIRST]
        return [
            {"rank": int(rank), "first": self.found.assets[self.here[some]].tolist()}
            for rank, some in zip(placed, first, strict=True)
        ]


def _rounded(shares: dict[str, float]) -> dict[str, float]:
    return {name: round(share, 4) for name, share in shares.items()}
