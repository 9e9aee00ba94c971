"""How well the search finds known right answers: recall@k and the median rank."""

import csv
import io
import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from assets.importing import nfc
from assets.models import Asset
from search.hybrid import HybridQuery
from search.query import rank, size
from search.ranking import Hit


class Golden(NamedTuple):
    """A question and the original file name of a right answer."""

    query: str
    filename: str


class GoldenError(ValueError):
    """The file of questions cannot be used; the message is for people."""


def read(path: Path) -> list[Golden]:
    """The questions of a CSV with the columns `query` and `filename`. Raises GoldenError."""
    try:
        return parse(path.read_bytes(), str(path))
    except OSError as error:
        raise GoldenError(f"{path} cannot be read: {error}.") from error


def parse(content: bytes, name: str) -> list[Golden]:
    """The questions of the content of such a file. Raises GoldenError."""
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise GoldenError(f"{name} cannot be read: {error}.") from error
    if not rows or not {"query", "filename"} <= set(rows[0]):
        raise GoldenError(f"{name} needs the columns query and filename, and at least one line.")
    return [Golden(row["query"] or "", nfc(row["filename"] or "")) for row in rows]


def evaluate(questions: Sequence[Golden], base: HybridQuery) -> dict[str, Any]:
    """The figures of `summary` for the space in use, among all that pass `base`'s filters.

    Raises GoldenError where the filters let nothing pass.
    """
    behind = places(base)
    found = (rank(replace(base, text=question.query)) for question in questions)
    return summary([place(q, hits) for q, hits in zip(questions, found, strict=True)], behind)


def places(base: HybridQuery) -> int:
    """The place behind the last of all that pass the filters. Raises GoldenError where nothing passes."""
    if not (passing := size(base)):
        raise GoldenError("No picture passes the filters, so there is nothing to find.")
    return passing + 1


def summary(found: Sequence[int | None], behind: int) -> dict[str, Any]:
    """{"queries", "recall@1", "recall@5", "recall@10", "median_rank"} of the places of right answers.

    One that the ranking does not reach is never recalled, and counts for the median as standing `behind`.
    """
    ranks = [at or behind for at in found]
    return {
        "queries": len(ranks),
        **{
            f"recall@{k}": round(sum(r <= min(k, behind - 1) for r in ranks) / len(ranks), 4)
            for k in (1, 5, 10)
        },
        "median_rank": statistics.median(ranks),
    }


def place(question: Golden, hits: Sequence[Hit]) -> int | None:
    """Where the first asset of this file name stands, from 1; None where the ranking does not have it."""
    named = Asset.objects.live().filter(current_version__original_filename=question.filename)
    right = set(named.values_list("pk", flat=True))
    return next((n for n, hit in enumerate(hits, start=1) if hit.asset_id in right), None)
