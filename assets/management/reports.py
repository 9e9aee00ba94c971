"""What `manage.py ingest` says at its end, for people and as JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from assets.ingest import Outcome, Outcomes
from assets.models import Batch, StageRun
from assets.objects import Tally
from assets.stages import pipeline as stages

MOST_SHOWN = 20  # bad lines of a list of objects
Row = dict[str, str]
Rehearsed = Sequence[tuple[int, list[str]]]


@dataclass
class Taken:
    """What became of the files so far."""

    accepted: int = 0
    duplicates: int = 0
    updated: int = 0
    rejected: list[Row] = field(default_factory=list)
    notes: list[Row] = field(default_factory=list)
    """Of files that are here, but for which something is to be said."""
    assets: set[int] = field(default_factory=set)

    def add(self, outcome: Outcome) -> None:
        row = {"file": outcome.file, "reason": outcome.reason}
        if outcome.outcome == Outcomes.REJECTED:
            self.rejected.append(row)
            return
        new = outcome.outcome == Outcomes.ACCEPTED
        self.accepted += new
        self.duplicates += not new
        self.updated += outcome.changed
        if outcome.refused or new and outcome.reason:
            self.notes.append(row)
        if outcome.asset:
            self.assets.add(outcome.asset.pk)

    @property
    def summary(self) -> str:
        here = f"{self.duplicates} already here ({self.updated} with a new description)"
        return f"{self.accepted} accepted, {here}, {len(self.rejected)} rejected"

    def as_json(self, batch: Batch, failed: Sequence[StageRun], seconds: float) -> dict[str, Any]:
        return {
            "batch": str(batch.uid),
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "updated": self.updated,
            "rejected": self.rejected,
            "failed": [failure(run) for run in failed],
            "notes": self.notes,
            "seconds": round(seconds, 2),
        }

    def lines(self, failed: Sequence[StageRun], seconds: float) -> Iterator[str]:
        yield f"{self.summary}, {len(failed)} failed, in {seconds:.1f} s."
        for row in [*self.rejected, *map(failure, failed), *self.notes]:
            yield f"  {row['file']}: {row['reason']}"


def of_objects(batch: Batch, tally: Tally, failed: Sequence[StageRun], seconds: float) -> dict[str, Any]:
    """The report about a list of objects."""
    return {
        "batch": str(batch.uid),
        "lines": tally.lines,
        "new": tally.new,
        "updated": tally.updated,
        "unchanged": tally.unchanged,
        "accepted": sum(o.outcome == Outcomes.ACCEPTED for o in tally.pictures),
        "duplicates": sum(o.outcome == Outcomes.DUPLICATE for o in tally.pictures),
        "refused": tally.refused,
        "rejected": [{"file": where, "reason": reason} for where, reason in _problems(tally)],
        "failed": [failure(run) for run in failed],
        "seconds": round(seconds, 2),
    }


def lines_of_objects(tally: Tally, seconds: float) -> Iterator[str]:
    problems = _problems(tally)
    yield f"{tally.summary}, in {seconds:.1f} s."
    for where, reason in problems[:MOST_SHOWN]:
        yield f"  {where}: {reason}"
    if len(problems) > MOST_SHOWN:
        yield f"  … and {len(problems) - MOST_SHOWN:,} more: see Jobs."


KEYS = ("file", "accession", "title", "result", "reason", "changes")  # as imports.report.texts has them


def of_rehearsal(lines: Rehearsed, counts: Sequence[tuple[str, str, int]]) -> dict[str, Any]:
    rows = [{"row": number, **dict(zip(KEYS, texts, strict=True))} for number, texts in lines]
    return {"rows": rows, "counts": {kind: number for kind, _, number in counts}}


def lines_of_rehearsal(lines: Rehearsed, counts: Sequence[tuple[str, str, int]]) -> Iterator[str]:
    """Each row that has something to be said of it; the others are counted."""
    for number, (file, accession, title, result, reason, changes) in lines:
        said = " ".join(filter(None, [reason, changes]))
        if said:
            yield f"  row {number}, {file or accession or title}: {result}. {said}"
    yield ", ".join(f"{number} × {noun}" for _, noun, number in counts) or "There is nothing in it."
    yield "Nothing was kept."


def failure(run: StageRun) -> Row:
    stage = stages()[run.stage]
    return {"file": run.version.original_filename, "stage": stage.name, "reason": run.reason}


def _problems(tally: Tally) -> list[tuple[str, str]]:
    rejected = (o for o in tally.pictures if o.outcome == Outcomes.REJECTED)
    return [*tally.problems, *((o.file, o.reason) for o in rejected)]
