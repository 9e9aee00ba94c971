"""What a table is, whichever file it comes from."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

MAX_ROWS, MAX_COLUMNS, MAX_CELL = 1_000_000, 500, 1_000_000  # rows, columns, characters in a cell


class TableRefused(ValueError):
    """The table cannot be read; the message is for people."""


class Odd(NamedTuple):
    """A cell that a spreadsheet may have changed: it holds no text but a number, a date or an error."""

    kind: str
    """`number`, `date` or `error`."""
    shown: str
    """What the spreadsheet keeps, as text."""


class Row(NamedTuple):
    number: int
    """As a spreadsheet or an editor counts it: the headers are in row 1, unless empty lines come first."""
    cells: list[str]
    """As many as there are headers."""
    odd: dict[int, Odd]
    """By the index of the cell."""


@dataclass
class Table:
    headers: list[str]
    rows: Iterator[Row]
    """To be read once. Empty rows are passed over."""
    notes: list[str] = field(default_factory=list)
    """What a person should know of how it was read."""
    size: int = 0
    """Rows, where the file says so; else 0."""


def headed(cells: list[str]) -> list[str]:
    """The headers without empty ones at the end. Raises TableRefused where there is none, or too many."""
    names = [" ".join(cell.split()) for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not any(names):
        raise TableRefused("The table is empty: its first row should name the columns.")
    if len(names) > MAX_COLUMNS:
        raise TableRefused(f"The table has {len(names):,} columns; {MAX_COLUMNS} are the most.")
    return names


def bounded(count: int, number: int, cells: list[str], width: int) -> list[str]:
    """The cells of the row `number`, the `count`th: exactly `width`, without null characters.

    Raises TableRefused where one is too long, or there are too many rows.
    """
    if count > MAX_ROWS:
        raise TableRefused(f"The table has more than {MAX_ROWS:,} rows. Divide it into several.")
    if any(len(cell) > MAX_CELL for cell in cells[:width]):
        raise TableRefused(f"A cell in row {number} has more than {MAX_CELL:,} characters.")
    cut = [cell.replace("\x00", "").strip() for cell in cells[:width]]
    return cut + [""] * (width - len(cut))
