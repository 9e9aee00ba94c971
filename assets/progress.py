"""Where a picture stands, for people: derived from its runs alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from assets.models import Asset, StageRun
from assets.stages import Stage, pipeline

State = StageRun.State
Variants = dict[str, Mapping[int, bool]]


class Standing(NamedTuple):
    """Of a run what a card needs: objects of the ORM take long to make where there are hundreds."""

    stage: str
    state: str
    reason: str = ""
    attempts: int = 0
    changed_at: datetime | None = None


@dataclass(frozen=True)
class StageState:
    name: str
    label: str
    state: str
    reason: str
    attempts: int
    changed_at: datetime | None


@dataclass(frozen=True)
class Progress:
    """Where an asset stands: `searchable`, `processing` or `failed`; `awaited` where it has no picture yet.

    Derived from the database alone.
    """

    state: str
    stages: list[StageState]

    @property
    def problems(self) -> list[StageState]:
        return [stage for stage in self.stages if stage.state == State.FAILED]


AWAITED = Progress("awaited", [])


def progress_of(asset: Asset) -> Progress:
    if asset.current_version is None:
        return AWAITED
    return progress_from(list(asset.current_version.stage_runs.all()))


def progress_from(runs: Sequence[StageRun | Standing], variants: Variants | None = None) -> Progress:
    """The progress that these runs of one version amount to.

    `variants`, the same for all versions of a page, remembers what the stages have said of theirs.
    """
    known: Variants = {} if variants is None else variants
    by_name = {run.stage: run for run in runs}
    stages, failed, open_ = [], False, False
    for name, stage in pipeline().items():
        run = by_name.get(name)
        if stage.quiet and (run is None or run.state != State.FAILED):
            continue
        if run is None and not _has_one_result(stage, known):
            continue
        state = run.state if run else State.WAITING
        failed |= state == State.FAILED and stage.essential
        open_ |= state in {State.WAITING, State.QUEUED, State.RUNNING} and not _blocked(stage, by_name)
        stages.append(
            StageState(
                name,
                stage.label,
                state,
                run.reason if run else "",
                run.attempts if run else 0,
                run.changed_at if run else None,
            )
        )
    return Progress("processing" if open_ else "failed" if failed else "searchable", stages)


def _has_one_result(stage: Stage, known: Variants) -> bool:
    """Whether it is not one for each embedding space, of which nobody may have asked for any yet."""
    if stage.name not in known:
        known[stage.name] = stage.variants()
    return 0 in known[stage.name]


def _blocked(stage: Stage, by_name: Mapping[str, StageRun | Standing]) -> bool:
    needed = [by_name.get(need) for need in stage.needs]
    return any(run is not None and run.state == State.FAILED for run in needed)
