"""One time of learning from beginning to end: read the library, learn, prove, and offer what is better.

What is better beyond the interval becomes a space that is filled beside the one in use. It is activated by a
person, or, where settings.LEARN_ACTIVATE allows, by itself when it is ready (`activate_if_allowed`).
"""

import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

import audit
from search import encoders, spaces
from search.learning import library, proof, trial
from search.learning.encoder import LearnedEncoder, options
from search.models import LEARNED, EmbeddingSpace, Lesson

FEWEST = 30
"""Described pictures, or groups of what shows the same: below, nothing can be proved."""
LEARNING = 0x1EA2  # advisory lock
SAID = {
    "": gettext_noop(
        "Better: of pictures that it had not learned from, it found %(after)s among the first ten, and "
        "what is in use now finds %(before)s (difference: %(low)s to %(high)s points)."
    ),
    "unsure": gettext_noop(
        "Not used: of pictures that it had not learned from, it found %(after)s among the first ten, and "
        "what is in use now finds %(before)s. A difference of %(low)s to %(high)s may be chance."
    ),
    "worse": gettext_noop(
        "Not used: of pictures that it had not learned from, it found %(after)s among the first ten, and "
        "what is in use now finds %(before)s."
    ),
    "nonsense": gettext_noop(
        "Not used: the words do not seem to go with the pictures. By its own words, a picture was found "
        "among the first ten in %(after)s of cases, which is about what chance gives."
    ),
}


class Busy(Exception):
    """Somebody else is learning just now; the message is for people."""


@dataclass(frozen=True)
class Report:
    """What came of it. `refused` is few, unsure, worse, nonsense or empty; `why` says it in words."""

    assets: int
    described: int
    refused: str
    figures: dict[str, Any] = field(default_factory=dict)
    space: str | None = None

    @property
    def why(self) -> str:
        return reason(self.refused, self.described, self.figures)

    @property
    def printed(self) -> dict[str, Any]:
        """As `manage.py learn --json` prints it."""
        names = ("lambda", "before", "after", "gain", "interval", "questions", "candidates")
        counted = {name: getattr(self, name) for name in ("assets", "described")}
        told = {"space": self.space, "refused": self.refused, "why": self.why}
        return {**counted, **{name: self.figures.get(name) for name in names}, **told}


@dataclass(frozen=True)
class Below:
    """The encoder that is learned on top of, and the space in use, which is to be bettered."""

    space: EmbeddingSpace
    name: str
    options: dict[str, Any]
    encoder: encoders.Encoder
    known: list[int]
    """Assets that the head in use has learned from; none where the encoder alone is in use."""


def learn(dry: bool = False, note: library.Note = lambda step, done, of: None) -> Report:
    """Do all of it. With `dry` nothing is written but vectors of words, which the next time needs as well.

    `note` is told how far it is. Raises Busy, SpaceError where no space is in use, EncoderError.
    """
    with _alone():
        began, below = timezone.now(), _below()
        found = library.of(below.encoder, note)
        report, made = _try(below, found, note)
        if dry:
            return report
        with transaction.atomic():  # or the next one would wait for new words, and nothing come of these
            lesson = _note(below, report, made, found, began)
            if made is None:
                return report
            lesson.space = _space_of(lesson)
            lesson.save(update_fields=["space"])
        return replace(report, space=lesson.space.slug)


def reason(refused: str, described: int, figures: dict[str, Any]) -> str:
    """Why a head is not used, in a sentence for people; what it brings, where it is good."""
    if refused == "few":
        return ngettext(
            "%(count)d picture with words has something to learn from; at least %(fewest)d are needed.",
            "%(count)d pictures with words have something to learn from; at least %(fewest)d are needed.",
            described,
        ) % {"count": described, "fewest": FEWEST}
    return _(SAID[refused]) % _shares(figures)


def activate_if_allowed(space: EmbeddingSpace) -> bool:
    """Use a learned space that is ready, if the administrator allows that without asking; whether it did so.

    Not where something else is in use than what it was proved against.
    """
    if space.encoder != LEARNED or not settings.LEARN_ACTIVATE:
        return False
    lesson, in_use = Lesson.objects.filter(space=space).first(), spaces.active()
    if lesson is None or in_use is None or lesson.against != in_use.slug:
        return False
    spaces.activate(space)
    about = audit.About("embeddingspace", label=space.slug)
    audit.record(audit.Event.SPACE_CHANGED, None, about, action="activate", way="learning")
    return True


@contextmanager
def _alone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LEARNING])
        if not cursor.fetchone()[0]:
            raise Busy("Somebody else is learning just now. Try again when that has ended.")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LEARNING])


def _below() -> Below:
    space = spaces.active()
    if space is None:
        raise spaces.SpaceError("No embedding space is in use, so there is nothing to build on.")
    encoder = spaces.encoder_of(space)
    if not isinstance(encoder, LearnedEncoder):
        return Below(space, space.encoder, space.options, encoder, [])
    lesson = Lesson.objects.filter(sha256=space.options["revision"]).exclude(arrays=None)[0]
    return Below(space, lesson.encoder, lesson.options, encoder.base, lesson.learned_ids)


def _try(below: Below, found: library.Library, note: library.Note) -> tuple[Report, trial.Trial | None]:
    """The report, and the trial if it is good."""
    told = len(set(found.groups[: found.described].tolist()))
    if told < FEWEST:
        return Report(len(found.assets), found.described, "few"), None
    made = trial.run(found, below.known, note=note)
    refused = judged(made)
    report = Report(len(found.assets), found.described, refused, made.figures)
    return report, None if refused else made


def judged(made: trial.Trial) -> str:
    """Empty where a head is better beyond the interval; else why it is refused."""
    chance = min(1.0, 10 / max(made.candidates, 1))
    by_chance = chance + 2 * math.sqrt(chance * (1 - chance) / max(len(made.after), 1))
    if all(proof.recall(ranks)["recall@10"] <= by_chance for ranks in (made.before, made.after)):
        return "nonsense"
    found = made.gain
    if found.is_sure:
        return ""
    return "worse" if found.high < 0 else "unsure"


def _note(
    below: Below, report: Report, made: trial.Trial | None, found: library.Library, began: datetime
) -> Lesson:
    content = made.fit.head.packed() if made else None
    Lesson.objects.filter(space=None).exclude(arrays=None).update(arrays=None, learned_ids=[])
    return Lesson.objects.create(
        began_at=began,
        encoder=below.name,
        options=below.options,
        base=below.encoder.identity.slug(),
        against=below.space.slug,
        assets=report.assets,
        described=report.described,
        figures=report.figures,
        refused=report.refused,
        sha256=hashlib.sha256(content).hexdigest() if content else "",
        arrays=content,
        learned_ids=found.assets[: found.described].tolist() if made else [],
    )


def _space_of(lesson: Lesson) -> EmbeddingSpace:
    """The space that is made of it; of the very same head that it was, if that is there."""
    slug = encoders.get(LEARNED, options(lesson)).identity.slug()
    return EmbeddingSpace.objects.filter(slug=slug).first() or spaces.create(LEARNED, options(lesson))


def _shares(figures: dict[str, Any]) -> dict[str, str]:
    low, high = figures["interval"]
    shares = {"before": figures["before"]["recall@10"], "after": figures["after"]["recall@10"]}
    return {
        **{name: f"{100 * share:.1f} %" for name, share in shares.items()},
        **{name: f"{100 * share:+.1f}" for name, share in {"low": low, "high": high}.items()},
    }
