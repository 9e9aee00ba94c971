"""How well the search finds known right answers: recall@k and the median rank."""

import csv
import io
import statistics
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from assets.importing import nfc
from assets.models import Asset
from search.query import HybridQuery, rank, size


class Golden(NamedTuple):
    """A question and the original file name of a right answer."""

    query: str
    filename: str


class GoldenError(ValueError):
    """The file of questions cannot be used; the message is for people."""


def read(path: Path) -> list[Golden]:
    """The questions of a CSV with the columns `query` and `filename`. Raises GoldenError."""
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise GoldenError(f"{path} cannot be read: {error}.") from error
    if not rows or not {"query", "filename"} <= set(rows[0]):
        raise GoldenError(f"{path} needs the columns query and filename, and at least one line.")
    return [Golden(row["query"] or "", nfc(row["filename"] or "")) for row in rows]


def evaluate(questions: Iterable[Golden], base: HybridQuery) -> dict[str, Any]:
    """{"queries", "recall@1", "recall@5", "recall@10", "median_rank"} among all that pass `base`'s filters.

    A right answer that the ranking does not reach is never recalled, and counts for the median as standing
    behind the last. Raises GoldenError where the filters let nothing pass.
    """
    behind = size(base) + 1
    if behind == 1:
        raise GoldenError("No picture passes the filters, so there is nothing to find.")
    ranks = [_rank(question, base) or behind for question in questions]
    return {
        "queries": len(ranks),
        **{
            f"recall@{k}": round(sum(r <= min(k, behind - 1) for r in ranks) / len(ranks), 4)
            for k in (1, 5, 10)
        },
        "median_rank": statistics.median(ranks),
    }


def _rank(question: Golden, base: HybridQuery) -> int | None:
    """Where the first asset of this file name stands, from 1; None where the ranking does not have it."""
    named = Asset.objects.live().filter(current_version__original_filename=question.filename)
    right = set(named.values_list("pk", flat=True))
    hits = rank(replace(base, text=question.query))
    return next((n for n, hit in enumerate(hits, start=1) if hit.asset_id in right), None)
