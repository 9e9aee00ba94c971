"""XLSX: cells as the text that people saw, and a note where a spreadsheet may have changed what was typed."""

import re
import zipfile
from collections.abc import Generator, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from assets.tables.rows import MAX_COLUMNS, MAX_ROWS, Odd, Row, Table, TableRefused, bounded, headed

MAX_UNPACKED, MAX_PARTS = 1 << 30, 10_000  # bytes of all parts together, files in the archive
DAMAGED = "The workbook is damaged or no workbook. Open it, save it again as XLSX, and try once more."
DECIMALS = re.compile(r"^#?,?#*0?\.(0+)")
ZEROS = re.compile(r"^(0{2,})(?:;|$)")


def read(path: Path) -> Generator[Table, None, None]:
    """Yields the table; closing it closes the file. Raises TableRefused."""
    from openpyxl import load_workbook  # which takes long, and is seldom needed

    _guard(path)
    try:
        book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except (KeyError, ValueError, TypeError, BadZipFile, SyntaxError) as error:
        raise TableRefused(DAMAGED) from error
    try:
        sheet, notes = _sheet(book)
        sheet.reset_dimensions()  # what a sheet says of its size may be anything
        rows = _numbered(sheet)
        _, cells = next(rows, (0, []))
        headers = headed([text_of(cell)[0] for cell in cells])
        yield Table(headers, _rows(rows, len(headers)), notes)
    finally:
        book.close()


def _guard(path: Path) -> None:
    """Refuses what would unpack to more than a table can be. zipfile never reads beyond what it declares."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except BadZipFile as error:
        raise TableRefused(DAMAGED) from error
    if not any(part.filename.startswith("xl/") for part in parts):
        raise TableRefused("This is an archive, not a workbook. Save the table as XLSX or CSV.")
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise TableRefused("The workbook is too large when it is unpacked. Save the table as CSV.")


def _sheet(book: Any) -> tuple[Any, list[str]]:
    """The sheet that is read: the first that can be seen."""
    seen = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if not seen:
        raise TableRefused("The workbook has no sheet with a table.")
    others = len(seen) - 1
    notes = [f"Only the sheet “{seen[0].title}” is read, not the {others} after it."] if others else []
    return seen[0], notes


def _numbered(sheet: Any) -> Iterator[tuple[int, list[Any]]]:
    """Rows that are not empty, with their numbers in the sheet."""
    try:
        for number, cells in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS + 1), start=1):
            if number > MAX_ROWS + 1:
                raise TableRefused(f"The sheet has more than {MAX_ROWS:,} rows. Divide it into several.")
            if any(cell.value not in (None, "") for cell in cells):
                yield number, list(cells)
    except (KeyError, ValueError, TypeError, BadZipFile, SyntaxError) as error:
        if isinstance(error, TableRefused):
            raise
        raise TableRefused(DAMAGED) from error


def _rows(rows: Iterator[tuple[int, list[Any]]], width: int) -> Iterator[Row]:
    for number, cells in rows:
        read = [text_of(cell) for cell in cells[:width]]
        odd = {at: found for at, (_, found) in enumerate(read) if found}
        yield Row(number, bounded(number - 1, number, [text for text, _ in read], width), odd)


def text_of(cell: Any) -> tuple[str, Odd | None]:
    """A cell as it was shown, and what it really holds where that is no text."""
    value = cell.value
    if value is None:
        return "", None
    if isinstance(value, bool):
        return ("yes" if value else "no"), None
    if isinstance(value, int | float):
        shown = _number(value, str(getattr(cell, "number_format", "") or ""))
        return shown, Odd("number", repr(value))
    if isinstance(value, datetime | date | time | timedelta):
        shown = _date(value, str(getattr(cell, "number_format", "") or ""))
        return shown, Odd("date", shown)
    if getattr(cell, "data_type", "") == "e":
        return "", Odd("error", str(value))
    return str(value), None


def _number(value: float, form: str) -> str:
    """`1923.10` where the format of the cell shows two decimals, `007` where it shows three digits."""
    if decimals := DECIMALS.match(form):
        return f"{value:.{len(decimals[1])}f}"
    if isinstance(value, float) and not value.is_integer():
        return repr(value)
    digits = str(int(value))
    zeros = ZEROS.match(form)
    return digits.zfill(len(zeros[1])) if zeros else digits


def _date(value: datetime | date | time | timedelta, form: str) -> str:
    """`1923-10-04`, or the year alone where nothing else is shown."""
    if isinstance(value, datetime):
        midnight = value.time() == time()
        if midnight and set(form.lower()) <= set("y"):
            return f"{value.year:04}"
        return value.date().isoformat() if midnight else value.isoformat(" ", "minutes")
    return str(value) if isinstance(value, timedelta) else value.isoformat()
