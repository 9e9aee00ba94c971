"""Filling spaces in the background: every few seconds `tend` looks what is missing, workers come for it.

All state lies in the runs of the two stages of search.vectorise (assets.pipeline), one for each picture and
space. So it goes on after any stop, and what a person changes meanwhile is just another waiting run.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle

from django.conf import settings
from django.db import connections
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from assets import again, pipeline
from assets.models import StageRun
from search import encoders, partitions, spaces
from search.learning import lessons
from search.models import LEARNED, EmbeddingSpace
from search.vectorise import LANES, vectorise_picture, vectorise_words

State = EmbeddingSpace.State
Run = StageRun.State
OPEN = (Run.WAITING, Run.QUEUED, Run.RUNNING)
STAGES = (vectorise_picture.name, vectorise_words.name)
PLAN_AT_ONCE, TIDY_AT_ONCE = 10_000, 10_000
WORK_SECONDS, CLAIM_SECONDS, CLAIM_MOST = 15.0, 4.0, 64
PROJECTED_AT_ONCE = 256  # a matrix product for so many takes a third of the time for each
FILL_SECONDS = WORK_SECONDS + settings.STAGE_SECONDS  # of a call of work that has come to a standstill
RATE_SECONDS = 60
FILL, INDEX = "search.fill", "search.build_indexes"
TENDED = "search.tended"  # in the cache: when the clock of the workers last came by


def tend() -> list[tuple[str, int]]:
    """One look at every kept space: plan what is missing, and say what workers shall do: (task, space id)."""
    tidy()
    found = EmbeddingSpace.objects.filter(state__in=spaces.KEPT)
    for name in sorted({space.asks for space in found}):
        encoders.probe(name)
    return [(task, space.pk) for space in found for task in _next_step(space)]


def _next_step(space: EmbeddingSpace) -> list[str]:
    if not space.planned:
        _plan(space)
    if any(pipeline.is_ready(stage, space.pk) for stage in STAGES):
        return [] if _paused(space) else [FILL]
    if any(pipeline.is_open(stage, space.pk) for stage in STAGES) or not space.planned:
        return []
    if space.state == State.BUILDING and _plan(space):  # a picture whose upload met the making of the space
        return []
    if not partitions.is_indexed(space):
        return [INDEX]
    if space.state == State.BUILDING:
        _finish(space)
    return []


def _plan(space: EmbeddingSpace) -> int:
    """Note a portion of the missing runs; returns how many. The space is planned when none is missing."""
    noted = sum(again.plan(stage, space.pk, PLAN_AT_ONCE) for stage in STAGES)
    space.planned = noted == 0
    EmbeddingSpace.objects.filter(pk=space.pk).update(planned=space.planned)
    return noted


def _finish(space: EmbeddingSpace) -> None:
    """Ready, unless more pictures failed than worked: then something about the encoder is wrong."""
    counts = _counts(space)[vectorise_picture.name]
    if counts.get(Run.FAILED, 0) > counts.get(Run.DONE, 0):
        failed = StageRun.every.filter(variant=space.pk, stage=vectorise_picture.name, state=Run.FAILED)
        reason = failed.values_list("reason", flat=True).first()
        said = f"Most pictures could not be vectorised, so it is not ready. The first reason: {reason}"
        EmbeddingSpace.objects.filter(pk=space.pk).update(problem=said)
        return
    EmbeddingSpace.objects.filter(pk=space.pk, state=State.BUILDING).update(
        state=State.READY, ready_at=timezone.now(), problem=""
    )
    space.refresh_from_db()
    if not spaces.replace_lost(by=space):
        lessons.activate_if_allowed(space)


def work(space_id: int) -> int:
    """Do what is ready in this space for WORK_SECONDS at most; returns how many runs were done.

    A service is kept busy by LANES side by side: while one claims and writes, the other asks.
    """
    space, until = EmbeddingSpace.objects.filter(pk=space_id).first(), time.monotonic() + WORK_SECONDS
    if space is None or _limits(space).at_once == 1:
        return _lane(space, until, _portion(space)) if space else 0
    with ThreadPoolExecutor(LANES - 1) as others:  # which begin with less, so that the lanes take turns
        lanes = [others.submit(_other_lane, space, until, _portion(space) // 2) for _ in range(LANES - 1)]
        return _lane(space, until, _portion(space)) + sum(lane.result() for lane in lanes)


def _other_lane(space: EmbeddingSpace, until: float, portion: int) -> int:
    try:
        return _lane(space, until, portion)
    finally:
        connections.close_all()  # of this thread


def _lane(space: EmbeddingSpace, until: float, portion: int) -> int:
    """Portions of the stages in turn, until it is time or none has work; the first of `portion` runs."""
    done, idle = 0, 0
    for stage in cycle(STAGES):
        if idle == len(STAGES) or time.monotonic() >= until or _paused(space):
            break
        turn = pipeline.work_off(stage, space.pk, max(portion, 1))
        done, idle, portion = done + turn, 0 if turn else idle + 1, _portion(space)
    return done


def _portion(space: EmbeddingSpace) -> int:
    """How many runs a lane claims: a few seconds of work, so that a killed worker loses little."""
    limits = _limits(space)
    if space.encoder == LEARNED:  # nothing is decoded, and nobody is asked
        return PROJECTED_AT_ONCE
    if limits.per_second:
        return int(min(max(limits.per_second * CLAIM_SECONDS, 1), CLAIM_MOST))
    return min(2 * limits.batch_size * limits.at_once, CLAIM_MOST)


def _limits(space: EmbeddingSpace) -> encoders.Limits:
    try:
        return spaces.encoder_of(space).limits
    except encoders.EncoderError:
        return encoders.Limits(input_pixels=0, max_text_words=None, batch_size=1)


def _paused(space: EmbeddingSpace) -> encoders.Pause | None:
    """Why nobody calls its encoder; one that the settings do not name any more rests until they do."""
    try:
        encoders.configured(space.asks)
    except encoders.UnknownEncoder as error:
        now = timezone.now()
        return encoders.Pause(str(error), now, now)
    return encoders.paused(space.asks)


def build_indexes(space_id: int) -> None:
    """The indexes that are missing, which may take long; what went wrong stands at the space."""
    if space := EmbeddingSpace.objects.filter(pk=space_id, state__in=spaces.KEPT).first():
        try:
            partitions.build_indexes(space)
        except Exception as error:
            said = f"The index could not be built, and will be tried again: {error}"
            EmbeddingSpace.objects.filter(pk=space_id).update(problem=said)
            raise
        EmbeddingSpace.objects.filter(pk=space_id).update(problem="")


def tidy() -> int:
    """Delete a portion of the runs of spaces that are gone; returns how many."""
    known = EmbeddingSpace.objects.values("pk")
    gone = StageRun.every.filter(variant__gt=0).exclude(variant__in=known)
    ids = list(gone.values_list("pk", flat=True)[:TIDY_AT_ONCE])
    return StageRun.every.filter(pk__in=ids).delete()[0] if ids else 0


def try_again(space: EmbeddingSpace) -> int:
    """Let the failed runs of a space wait again; returns how many."""
    EmbeddingSpace.objects.filter(pk=space.pk).update(problem="")
    encoders.resume(space.asks)
    runs = StageRun.every.filter(variant=space.pk)
    runs.filter(state=Run.WAITING).update(not_before=None)
    return again.retry_runs(runs, priority=StageRun.BACKGROUND)


# --- for people -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """How far a space has got. Numbers are pictures; `rate` is pictures and descriptions a second."""

    total: int
    done: int
    failed: int
    waiting: int  # of both stages
    words: int  # pictures whose words have been vectorised
    words_failed: int
    rate: float
    seconds_left: float | None  # None: not known
    indexing: float | None  # share of the index that is being built, 0 to 1
    doing: str  # in words
    paused: encoders.Pause | None
    bytes: int

    @property
    def share(self) -> float:
        return (self.done + self.failed) / self.total if self.total else 1.0


def progress_of(space: EmbeddingSpace) -> Progress:
    counts = _counts(space)
    pictures, words = (counts[stage] for stage in STAGES)
    waiting = sum(
        c.get(state, 0) for c in (pictures, words) for state in (Run.WAITING, Run.QUEUED, Run.RUNNING)
    )
    rate = _rate(space)
    paused = _paused(space)
    indexing = partitions.indexing_progress(space)
    return Progress(
        total=sum(pictures.values()),
        done=pictures.get(Run.DONE, 0),
        failed=pictures.get(Run.FAILED, 0),
        waiting=waiting,
        words=words.get(Run.DONE, 0),
        words_failed=words.get(Run.FAILED, 0),
        rate=rate,
        seconds_left=waiting / rate if rate and space.planned else None,
        indexing=indexing,
        doing=_doing(space, waiting, paused, indexing),
        paused=paused,
        bytes=partitions.size(space),
    )


def _doing(space: EmbeddingSpace, waiting: int, paused: encoders.Pause | None, indexing: float | None) -> str:
    if space.state == State.RETIRED:
        return _("kept to go back to; gets no new pictures")
    if space.problem:
        return space.problem
    if paused and waiting:
        return _("paused: %(why)s") % {"why": paused.reason}
    if not space.planned:
        return _("looking which pictures are missing")
    if indexing is not None:
        return _("building the index, %(share)s") % {"share": f"{indexing:.0%}"}
    if waiting:
        return _("being filled")
    return _("finishing") if space.state == State.BUILDING else _("complete")


def _counts(space: EmbeddingSpace) -> dict[str, dict[str, int]]:
    """Runs of each stage by state."""
    found: dict[str, dict[str, int]] = {stage: {} for stage in STAGES}
    runs = StageRun.every.filter(variant=space.pk, stage__in=STAGES)
    for stage, state, number in runs.values_list("stage", "state").annotate(Count("pk")):
        found[stage][state] = number
    return found


def _rate(space: EmbeddingSpace) -> float:
    """Runs done in a second, over the last RATE_SECONDS or since the space was made."""
    age = (timezone.now() - space.created_at).total_seconds()
    seconds = min(max(age, 1.0), RATE_SECONDS)
    since = timezone.now() - timedelta(seconds=seconds)
    runs = StageRun.every.filter(variant=space.pk, stage__in=STAGES, state=Run.DONE, changed_at__gt=since)
    return runs.count() / seconds
