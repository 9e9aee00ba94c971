"""What the administration shows of one space."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assets.stored.marking import ngettext_noop
from search import filling, spaces
from search.models import EmbeddingSpace

State = EmbeddingSpace.State
LENGTHS = (
    (1, 100, ngettext_noop("about %(number)s second", "about %(number)s seconds")),
    (60, 5400, ngettext_noop("about %(number)s minute", "about %(number)s minutes")),
    (3600, 172_800, ngettext_noop("about %(number)s hour", "about %(number)s hours")),
)
"""Seconds of a unit, up to how many seconds it is used, and its words."""
IN_USE = {State.BUILDING: 1, State.READY: 2, State.ACTIVE: 0, State.RETIRED: 3}  # the order of the list


@dataclass(frozen=True)
class Row:
    """A space and how far it has got."""

    space: EmbeddingSpace
    progress: filling.Progress

    @property
    def under_way(self) -> bool:
        """Whether something changes by itself."""
        if self.space.state not in spaces.KEPT:
            return False
        busy = self.progress.waiting or self.progress.indexing is not None or not self.space.planned
        return bool(busy) or self.space.state == State.BUILDING

    @property
    def key(self) -> str:
        """What decides which buttons there are; a page that shows another key shows the wrong ones."""
        says = (self.space.state, "paused" if self.paused else "", "failed" if self.failed else "")
        return "-".join(filter(None, says))

    @property
    def paused(self) -> bool:
        return self.progress.paused is not None

    @property
    def failed(self) -> int:
        return self.progress.failed + self.progress.words_failed

    @property
    def done_or_failed(self) -> int:
        return self.progress.done + self.progress.failed

    @property
    def percent(self) -> str:
        """Not 100 before the last one is done."""
        return f"{int(self.progress.share * 100)} %"

    @property
    def shows_pause(self) -> bool:
        return self.paused and (bool(self.progress.waiting) or self.space.state == State.ACTIVE)

    @property
    def pause_ends(self) -> bool:
        return self.progress.paused is not None and self.progress.paused.until > timezone.now()

    @property
    def left(self) -> str:
        """How long it will still take, where something is measured."""
        left = self.progress.seconds_left
        return "" if left is None or not self.progress.waiting else in_words(left)

    @property
    def has_buttons(self) -> bool:
        return self.space.state != State.ACTIVE or self.paused or bool(self.failed)

    @property
    def is_activatable(self) -> bool:
        return self.space.state in (State.READY, State.RETIRED)


def row_of(space: EmbeddingSpace) -> Row:
    return Row(space, filling.progress_of(space))


def rows_of(found: Iterable[EmbeddingSpace]) -> list[Row]:
    """The one in use first, then what is being filled, what is ready, and what is kept."""
    return [row_of(space) for space in sorted(found, key=lambda space: IN_USE[State(space.state)])]


def in_words(seconds: float) -> str:
    """A length of time for people: `about 3 minutes`."""
    for size, most, (one, many) in LENGTHS:
        if seconds < most:
            count = max(1, round(seconds / size))
            return ngettext(one, many, count) % {"number": count}
    return _("about %(number)s days") % {"number": round(seconds / 86_400)}
