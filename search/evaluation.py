"""How well the search finds known right answers: recall@k and the median rank."""

import csv
import io
import statistics
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

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
    except (OSError, UnicodeDecodeError) as error:
        raise GoldenError(f"{path} cannot be read: {error}.") from error
    if not rows or not {"query", "filename"} <= set(rows[0]):
        raise GoldenError(f"{path} needs the columns query and filename, and at least one line.")
    return [Golden(row["query"], row["filename"]) for row in rows]


def evaluate(questions: Iterable[Golden], base: HybridQuery) -> dict[str, Any]:
    """{"queries", "recall@1", "recall@5", "recall@10", "median_rank"} among all that pass `base`'s filters.

    A right answer that the ranking does not reach counts as standing last.
    """
    last = size(base)
    ranks = []
    for question in questions:
        right = set(
            Asset.objects.live()
            .filter(current_version__original_filename=question.filename)
            .values_list("pk", flat=True)
        )
        found = (hit.asset_id in right for hit in rank(replace(base, text=question.query)))
        ranks.append(next((n for n, good in enumerate(found, start=1) if good), max(last, 1)))
    return {
        "queries": len(ranks),
        **{f"recall@{k}": round(sum(r <= k for r in ranks) / len(ranks), 4) for k in (1, 5, 10)},
        "median_rank": statistics.median(ranks),
    }
