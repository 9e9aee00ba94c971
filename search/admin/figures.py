"""The result of a comparison in words and differences, for people."""

from dataclasses import dataclass
from typing import Any

SHOWN = 25
RECALLS = {
    "recall@1": "Right picture in the first place",
    "recall@5": "Right picture among the first 5",
    "recall@10": "Right picture among the first 10",
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


def _recall(key: str, label: str, first: dict[str, Any], second: dict[str, Any]) -> Line:
    one, two = (round(figures[key] * 100, 1) for figures in (first, second))
    points = "the same" if one == two else f"{two - one:+.1f} points".replace("-", "−")
    return Line(f"{label} ({key})", f"{one:.1f} %", f"{two:.1f} %", points, two - one)


def _rank(first: dict[str, Any], second: dict[str, Any]) -> Line:
    one, two = first["median_rank"], second["median_rank"]
    said = "the same" if one == two else f"{abs(two - one):g} {'higher up' if two < one else 'further down'}"
    return Line(
        "Place of the right picture, in the middle (median rank)", f"{one:g}", f"{two:g}", said, one - two
    )
