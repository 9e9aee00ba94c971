"""Two spaces side by side: the museum's own questions asked of both, by a worker or by a command."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from search import encoders, spaces
from search.evaluation import Golden, GoldenError, place, places, summary
from search.hybrid import HybridQuery
from search.models import Comparison, EmbeddingSpace
from search.query import rank
from search.question import text_vector

TASK = "search.compare"
MOST_QUESTIONS, OVERLAP, NOTED_EVERY = 5000, 10, 10
STALE_SECONDS = 120
"""A running comparison that was not heard of for so long has lost its worker."""
EVERYTHING = User(is_superuser=True)  # who compares models may look at all there is
State = Comparison.State


class Asked(NamedTuple):
    """One question: where its right answer stands in each space, and the share of the first ten in both."""

    query: str
    first: int | None
    second: int | None
    overlap: float


def start(
    first: EmbeddingSpace, second: EmbeddingSpace, questions: Sequence[Golden], mode: str, user: User | None
) -> Comparison:
    """Note a comparison for the workers, who come for it. Raises GoldenError, SpaceError."""
    if first == second:
        raise spaces.SpaceError("Choose two different spaces.")
    if not 1 <= len(questions) <= MOST_QUESTIONS:
        raise GoldenError(f"There are {len(questions):,} questions; 1 to {MOST_QUESTIONS:,} can be asked.")
    places(HybridQuery(user=EVERYTHING))
    return Comparison.objects.create(
        first=first, second=second, questions=[list(q) for q in questions], mode=mode, user=user
    )


def waiting() -> "QuerySet[Comparison]":
    """Those that nobody is at."""
    stale = Q(state=State.RUNNING, changed_at__lt=timezone.now() - timedelta(seconds=STALE_SECONDS))
    return Comparison.objects.filter(Q(state=State.WAITING) | stale)


def run(comparison_id: int) -> None:
    """Do one that waits; nothing happens if somebody else has it."""
    if not waiting().filter(pk=comparison_id).update(state=State.RUNNING, asked=0, changed_at=timezone.now()):
        return
    comparison = Comparison.objects.select_related("first", "second").get(pk=comparison_id)
    questions = [Golden(*pair) for pair in comparison.questions]

    def note(asked: int) -> None:
        Comparison.objects.filter(pk=comparison_id).update(asked=asked, changed_at=timezone.now())

    try:
        result = compare(comparison.first, comparison.second, questions, comparison.mode, note)
    except Exception as error:
        Comparison.objects.filter(pk=comparison_id).update(state=State.FAILED, problem=str(error))
        raise
    Comparison.objects.filter(pk=comparison_id).update(
        state=State.DONE, result=result, asked=len(questions), changed_at=timezone.now()
    )


def compare(
    first: EmbeddingSpace,
    second: EmbeddingSpace,
    questions: Sequence[Golden],
    mode: str,
    note: Callable[[int], None],
) -> dict[str, Any]:
    """{"first", "second": figures of evaluation.summary, "overlap@10": mean share, "questions": one each}.

    `note` is told now and then how many questions have been asked. Raises GoldenError, EncoderError.
    """
    base = HybridQuery(user=EVERYTHING, mode=mode)
    behind, asked = places(base), []
    for number, question in enumerate(questions, start=1):
        asked.append(_ask(question, replace(base, text=question.query), (first, second)))
        if number % NOTED_EVERY == 0:
            note(number)
    return {
        "first": summary([one.first for one in asked], behind),
        "second": summary([one.second for one in asked], behind),
        f"overlap@{OVERLAP}": round(sum(one.overlap for one in asked) / len(asked), 4),
        "questions": [one._asdict() for one in asked],
    }


def _ask(question: Golden, query: HybridQuery, both: Sequence[EmbeddingSpace]) -> Asked:
    for space in both:
        _prepare(query, space)
    first, second = (rank(query, space) for space in both)
    tops = [{hit.asset_id for hit in hits[:OVERLAP]} for hits in (first, second)]
    shared = len(tops[0] & tops[1]) / max(min(OVERLAP, len(tops[0] | tops[1])), 1)
    return Asked(question.query, place(question, first), place(question, second), shared)


def _prepare(query: HybridQuery, space: EmbeddingSpace) -> None:
    """Get the vector of the question with patience, and remember it, since a search would go on without one.

    Raises EncoderError: figures of words alone would say nothing about the space.
    """
    if query.mode != "keywords" and query.text.strip():
        with encoders.somebody_waits(False):
            text_vector(space, spaces.encoder_of(space), query.text, [])
