"""The result of a comparison in words and differences, for people."""

from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

SHOWN = 25
RECALLS = {
    "recall@1": gettext_lazy("Right picture in the first place"),
    "recall@5": gettext_lazy("Right picture among the first 5"),
    "recall@10": gettext_lazy("Right picture among the first 10"),
}


@dataclass(frozen=True)
class Line:
    """One figure of both spaces; `gain` is above 0 where the second space is the better one."""

    label: str
    first: str
    second: str
    difference: str
    gain: float


@dataclass(frozen=True)
class Moved:
    """A question whose right answer stands elsewhere; None where it was not found."""

    query: str
    first: int | None
    second: int | None

    @property
    def gain(self) -> float:
        """A step near the top counts for more than one far down, as for a person who looks."""
        return (1 / self.second if self.second else 0.0) - (1 / self.first if self.first else 0.0)


@dataclass(frozen=True)
class Figures:
    lines: list[Line]
    overlap: str
    won: list[Moved]
    lost: list[Moved]
    number_won: int
    number_lost: int
    number_same: int
    nowhere: int  # questions whose right answer neither space found


def figures_of(result: dict[str, Any]) -> Figures:
    """Of Comparison.result, as search.comparing.compare gives it."""
    first, second = result["first"], result["second"]
    moved = [Moved(q["query"], q["first"], q["second"]) for q in result["questions"]]
    won = sorted((m for m in moved if m.gain > 0), key=lambda m: -m.gain)
    lost = sorted((m for m in moved if m.gain < 0), key=lambda m: m.gain)
    return Figures(
        lines=[*(_recall(key, label, first, second) for key, label in RECALLS.items()), _rank(first, second)],
        overlap=f"{result['overlap@10']:.0%}",
        won=won[:SHOWN],
        lost=lost[:SHOWN],
        number_won=len(won),
        number_lost=len(lost),
        number_same=len(moved) - len(won) - len(lost),
        nowhere=sum(m.first is None and m.second is None for m in moved),
    )


def _recall(key: str, label: Any, first: dict[str, Any], second: dict[str, Any]) -> Line:
    one, two = (round(figures[key] * 100, 1) for figures in (first, second))
    sign = "−" if two < one else "+"
    gained = _("%(number)s points") % {"number": sign + number_format(abs(two - one), 1)}
    points = _("the same") if one == two else gained
    first_share, second_share = (f"{number_format(share, 1)} %" for share in (one, two))
    return Line(f"{label} ({key})", first_share, second_share, points, two - one)


def _rank(first: dict[str, Any], second: dict[str, Any]) -> Line:
    one, two = first["median_rank"], second["median_rank"]
    said = _("%(number)s higher up") if two < one else _("%(number)s further down")
    said = _("the same") if one == two else said % {"number": number_format(abs(two - one))}
    label = _("Place of the right picture, in the middle (median rank)")
    return Line(label, number_format(one), number_format(two), said, one - two)
