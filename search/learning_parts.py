"""What the page about learning shows: where it stands, its curve, examples, and what came of each lesson."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.models import User
from assets.descriptions import subject_of
from assets.models import Asset
from assets.views.cards import Card, cards_of
from search import filling, spaces, sql
from search.learning import jobs, lessons, teaching
from search.models import LEARNED, EmbeddingSpace, LearningJob, Lesson

SHOWN_EXAMPLES, SHOWN_FIRST, SHOWN_LESSONS = 6, 5, 60
LONGEST = 140  # signs of a question that are shown
LEFT, RIGHT, TOP, BOTTOM = 34, 350, 12, 150
"""Of the plots, in units of an SVG of 360 x 180."""
State = EmbeddingSpace.State


@dataclass(frozen=True)
class Now:
    """Where learning stands: what is in use, what the last lesson was, and what is going on."""

    in_use: EmbeddingSpace | None
    earlier: EmbeddingSpace | None
    last: Lesson | None
    job: LearningJob | None

    @cached_property
    def used_lesson(self) -> Lesson | None:
        if self.in_use is None or self.in_use.encoder != LEARNED:
            return None
        found: Lesson | None = _lessons().filter(space=self.in_use).first()
        return found

    @property
    def is_working(self) -> bool:
        return self.job is not None and self.job.state in jobs.OPEN

    @property
    def problem(self) -> LearningJob | None:
        """A job that has failed, where nothing was learned since."""
        job = self.job
        if job is None or job.state != LearningJob.State.FAILED:
            return None
        return None if self.last and self.last.began_at > job.changed_at else job

    @property
    def percent(self) -> int:
        return round(100 * self.job.done / self.job.of) if self.job and self.job.of else 0

    @property
    def why(self) -> str:
        """Of the last lesson; of one that is in use, what it brought."""
        last, used = self.last, self.used_lesson
        if last and last == used and "after" in last.figures:
            shares = {side: percent(last.figures[side]["recall@10"]) for side in ("before", "after")}
            text = _(
                "Of pictures that it had not learned from, it found %(after)s among the first ten; "
                "what was in use before found %(before)s."
            )
            return text % shares
        return lessons.reason(last.refused, last.described, last.figures) if last else ""

    @property
    def space(self) -> EmbeddingSpace | None:
        return self.last.space if self.last else None

    @property
    def fills(self) -> bool:
        return self.space is not None and self.space.state == State.BUILDING

    @cached_property
    def filled(self) -> int:
        """In percent, rounded down."""
        return int(100 * filling.progress_of(self.space).share) if self.space else 0

    @property
    def can_be_used(self) -> bool:
        return self.space is not None and self.space.state in (State.READY, State.RETIRED)

    @property
    def draws(self) -> bool:
        return self.last is not None and self.last.curve is None and bool(self.last.figures)

    @property
    def key(self) -> str:
        """What decides which parts the page has; one that shows another key is out of date."""
        last, space = self.last, self.space
        parts = (self.is_working, last and last.pk, space and space.state, self.draws)
        return "-".join(str(part or 0).lower() for part in parts)


def now() -> Now:
    return Now(spaces.active(), spaces.earlier(), _lessons().first(), LearningJob.objects.first())


def _lessons() -> Any:
    return Lesson.objects.defer("arrays", "learned_ids").select_related("space")


def described(user: User) -> int:
    """How many pictures that this person may see have words to learn from."""
    where = sql.visible_to(sql.Where(), user).add(sql.PICTURED)
    return sql.count(where.add("r.has && %s::varchar[]", teaching.fields()))


# --- plots ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Point:
    """In whole units of the plot: fractions would be written with a comma by some."""

    x: int
    y: int
    label: str
    """What stands below it; empty where there is no room."""
    share: float
    size: int
    when: datetime | None = None

    @property
    def percent(self) -> str:
        return percent(self.share)


@dataclass(frozen=True)
class Plot:
    points: list[Point]
    lines: list[tuple[int, str]]
    """Heights of the grid, and what they stand for."""

    @property
    def path(self) -> str:
        return " ".join(f"{point.x},{point.y}" for point in self.points)


def curve(lesson: Lesson | None) -> Plot | None:
    """Recall@10 by how many described pictures it was learned from; sizes stand by their logarithm."""
    points = (lesson.curve or {}).get("points", []) if lesson else []
    if len(points) < 2:
        return None
    most = max(point["size"] for point in points)
    places = [math.log1p(point["size"] / 30) / math.log1p(most / 30) for point in points]
    return _plot(
        [
            (place, point["recall@10"], point["size"], None)
            for place, point in zip(places, points, strict=True)
        ]
    )


def progress(found: Sequence[Lesson]) -> Plot | None:
    """What each lesson found, by when it was; they come with the newest first."""
    told = [lesson for lesson in reversed(found) if "after" in lesson.figures]
    if len(told) < 2:
        return None
    first, last = told[0].began_at, told[-1].began_at
    whole = max((last - first).total_seconds(), 1)
    return _plot(
        [
            (
                (one.began_at - first).total_seconds() / whole,
                one.figures["after"]["recall@10"],
                one.described,
                one.began_at,
            )
            for one in told
        ]
    )


def _plot(values: list[tuple[float, float, int, datetime | None]]) -> Plot:
    """Of (place from 0 to 1, share, size, time)."""
    top = max(math.ceil(max(share for _, share, *_ in values) * 10), 1) / 10
    points: list[Point] = []
    free = 0
    for place, share, size, when in values:
        x, y = round(LEFT + place * (RIGHT - LEFT - 12)), round(BOTTOM - share / top * (BOTTOM - TOP))
        label = number_format(size, force_grouping=True)
        fits = x - 3 * len(label) >= free
        free = x + 3 * len(label) + 4 if fits else free
        points.append(Point(x, y, label if fits else "", share, size, when))
    heights = [round(BOTTOM - part * (BOTTOM - TOP)) for part in (0, 0.5, 1)]
    return Plot(points, [(y, percent(top * part, 0)) for y, part in zip(heights, (0, 0.5, 1), strict=True)])


def percent(share: float, digits: int = 1) -> str:
    return f"{number_format(100 * share, digits)} %"


# --- lessons and examples -------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """One lesson, in the list of all."""

    lesson: Lesson
    before: str
    after: str
    in_use: bool


def history(in_use: EmbeddingSpace | None) -> tuple[list[Lesson], list[Told]]:
    found = list(_lessons().defer("arrays", "learned_ids", "curve")[:SHOWN_LESSONS])

    def share(lesson: Lesson, side: str) -> str:
        return percent(lesson.figures[side]["recall@10"]) if side in lesson.figures else ""

    return found, [
        Told(one, share(one, "before"), share(one, "after"), bool(in_use and one.space_id == in_use.pk))
        for one in found
    ]


@dataclass(frozen=True)
class Side:
    """What one of two finds first; `rank` is the place of the picture that was meant."""

    rank: int
    cards: list[Card]


@dataclass(frozen=True)
class Example:
    words: str
    meant: Card
    before: Side
    after: Side


def examples(user: User, lesson: Lesson | None) -> list[Example]:
    """Questions of the proof, drawn by chance, of pictures that this person may see; as are those found."""
    kept = (lesson.curve or {}).get("examples", []) if lesson else []
    visible = Asset.objects.live().visible_to(user)
    meant = set(visible.filter(pk__in=[one["asset"] for one in kept]).values_list("pk", flat=True))
    chosen = [one for one in kept if one["asset"] in meant][: 2 * SHOWN_EXAMPLES]
    ids = {pk for one in chosen for pk in (one["asset"], *one["before"]["first"], *one["after"]["first"])}
    cards = {card.asset.pk: card for card in cards_of(visible.for_grid().filter(pk__in=ids))}

    def side(found: dict[str, Any]) -> Side:
        return Side(found["rank"], [cards[pk] for pk in found["first"] if pk in cards][:SHOWN_FIRST])

    made = [
        Example(words, cards[one["asset"]], side(one["before"]), side(one["after"]))
        for one in chosen
        if one["asset"] in cards and (words := _question(cards[one["asset"]].asset))
    ]
    return made[:SHOWN_EXAMPLES]


def _question(asset: Asset) -> str:
    """The words of a picture that were the question, cut where they are long."""
    subject = subject_of(asset)
    parts = [getattr(subject, name) for name in ("title", "description") if name in settings.LEARN_FIELDS]
    text = ". ".join(part.strip() for part in parts if part.strip())
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rsplit(' ', 1)[0]} …"
