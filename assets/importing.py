"""Sources and CSV lists as deliveries: which files, with which words. Used by `manage.py ingest`."""

import os
import unicodedata
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from assets import tables
from assets.sources import Addresses, Folder, Item, Refused, Source
from assets.sources.addresses import WEB, path_of
from assets.words import WORD_KEYS


class ImportRefused(ValueError):
    """The delivery cannot be begun; the message is for people."""


@dataclass
class Line:
    """One line of the CSV."""

    number: int
    file: str
    words: dict[str, str]


@dataclass
class Delivered:
    """One file to take in, or one that cannot be had, with the identity of its source (empty: of none)."""

    source: str
    item: Item | Refused
    words: dict[str, str] = field(default_factory=dict)


def deliveries(sources: Sequence[Source], table: Path | None) -> list[Delivered]:
    """The files of the sources, or else those that the CSV names, each once, with the words of its line.

    Raises ImportRefused, and SourceError.
    """
    found = _Found()
    for source in sources:
        found.add_all(source, table)
    lines = read_table(table) if table else []
    if table and not sources:
        found.add_all(Addresses([line.file for line in lines if line.file.startswith(WEB)], table.name))
    missing = []
    for line in lines:
        beside = locate(line, table.parent) if table else None
        if sources and beside and _key(beside) not in found.by_key:
            continue  # there, but not among what was asked for
        if table and beside and not sources:
            found.add(*_named(beside, table.parent.resolve()))
        delivered, reason = found.of(line, beside)
        if delivered:
            delivered.words.update(line.words)
        else:
            missing.append(Delivered("", Refused(line.file, reason)))
    return [*found.by_key.values(), *missing]


def _named(file: Path, folder: Path) -> tuple[str, Item | Refused]:
    """A file that a CSV names: one of the CSV's folder, if it lies there, as if the folder had been named."""
    file = file.resolve()
    source = Folder(folder if file.is_relative_to(folder) else file.parent)
    return source.identity, source.item(file)


class _Found:
    """What the sources have, to be found by the lines of a table."""

    def __init__(self) -> None:
        self.by_key: dict[str, Delivered] = {}
        self._by_path: dict[str, list[Delivered]] = {}
        self._by_name: dict[str, list[Delivered]] = {}

    def add_all(self, source: Source, table: Path | None = None) -> None:
        """All of its files but the table that describes them."""
        for item in source.items():
            place = item.place if isinstance(item, Item) else None
            if table is None or place is None or not _same(place, table):
                self.add(source.identity, item)

    def add(self, source: str, item: Item | Refused) -> None:
        place = item.place if isinstance(item, Item) else None
        key = _key(place) if place else f"{source}\0{item.path}"
        if key not in self.by_key:
            made = self.by_key[key] = Delivered(source, item)
            self._by_path.setdefault(item.path, []).append(made)
            self._by_name.setdefault(item.path.rpartition("/")[2], []).append(made)

    def of(self, line: Line, beside: Path | None) -> tuple[Delivered | None, str]:
        """What a line means: the file beside the CSV, one of this path or address, or one of this name."""
        if beside and (delivered := self.by_key.get(_key(beside))):
            return delivered, ""
        web = line.file.startswith(WEB)
        path = path_of(line.file) if web else nfc(line.file).replace("\\", "/")
        same = self._by_path.get(path) or self._by_name.get(path.rpartition("/")[2], [])
        if len(same) == 1:
            return same[0], ""
        where = f"Line {line.number} of the CSV"
        if same:
            return None, f"{where}: {len(same)} files are called {line.file}; write the path."
        return None, f"{where} names this file, but it is not there."


def read_table(path: Path) -> list[Line]:
    """The lines of a CSV that name a file: see `table_lines`."""
    with closing(table_lines(path, "file")) as lines:
        return [line for line in lines if line.file]


def table_lines(path: Path, needed: str) -> Generator[Line, None, None]:
    """The lines of a table with the column `needed`, one after the other; the file may be of any length.

    Empty lines are passed over. Raises ImportRefused.
    """
    try:
        with tables.opened(path) as table:
            columns = _columns(table.headers, needed)
            for row in table.rows:
                values = dict(zip(columns, row.cells, strict=True))
                words = {key: value for key, value in values.items() if key in WORD_KEYS}
                yield Line(row.number, values.get("file", ""), words)
    except tables.TableRefused as refused:
        raise ImportRefused(str(refused)) from refused


def _columns(headers: Sequence[str], needed: str) -> list[str]:
    columns = [header.lower() for header in headers]
    if needed not in columns:
        has = ", ".join(filter(None, columns)) or "nothing"
        others = ", ".join(sorted(WORD_KEYS - {needed}))
        raise ImportRefused(
            f"The table needs a column called {needed}; it has: {has}. It may also have: {others}."
        )
    return columns


def locate(line: Line, folder: Path) -> Path | None:
    """The file that a line names, relative to the folder of its table."""
    for form in ("NFC", "NFD"):  # macOS writes é as two characters
        written = folder / unicodedata.normalize(form, line.file)
        with suppress(OSError, ValueError):  # a name that is too long, or none at all
            if written.is_file():
                return written
    return None


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _key(path: Path) -> str:
    return os.path.realpath(path)


def _same(one: Path, other: Path) -> bool:
    return _key(one) == _key(other)
