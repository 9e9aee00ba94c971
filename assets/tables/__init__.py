"""Tables as people deliver them, CSV or XLSX, as rows of text: the one reader for all imports.

    with opened(path) as table:
        table.headers, table.notes
        for row in table.rows: row.number, row.cells, row.odd

Everything is bounded: a table that is too large is refused with a sentence, never half read in silence.
"""

import zipfile
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from assets.tables import csvs, xlsx
from assets.tables.rows import MAX_CELL, MAX_COLUMNS, MAX_ROWS, Odd, Row, Table, TableRefused

__all__ = [
    "MAX_CELL",
    "MAX_COLUMNS",
    "MAX_ROWS",
    "SUFFIXES",
    "Odd",
    "Row",
    "Table",
    "TableRefused",
    "opened",
]
SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")
OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@contextmanager
def opened(path: Path) -> Iterator[Table]:
    """The table in a file; its content decides what it is, not its name. Raises TableRefused, while rows
    are read as well."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise TableRefused(f"The table {path.name} cannot be read: {error.strerror or error}.") from error
    with closing(_reader(path, head)(path)) as steps:
        yield next(steps)


def _reader(path: Path, head: bytes) -> Callable[[Path], Generator[Table, None, None]]:
    if head.startswith(OLD_OFFICE):
        raise TableRefused(
            "This is a workbook of an old or protected kind. Save it as XLSX without a password, or as CSV."
        )
    if head.startswith(b"PK"):
        if not zipfile.is_zipfile(path):
            raise TableRefused("The workbook is damaged. Open it, save it again, and try once more.")
        return xlsx.read
    return csvs.read
