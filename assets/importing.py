"""Folders and CSV lists as deliveries: which files, with which words. Used by `manage.py ingest`."""

import codecs
import csv
import os
import unicodedata
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from assets import sidecars
from assets.words import WORD_KEYS

csv.field_size_limit(10_000_000)  # characters; the default is too small for some descriptions
JUNK = {"thumbs.db", "desktop.ini", "__macosx"}


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
    """One file to take in, or a line whose file is not there."""

    name: str
    path: Path | None
    words: dict[str, str] = field(default_factory=dict)
    reason: str = ""
    sidecar: Path | None = None


def deliveries(paths: Iterable[Path], table: Path | None) -> list[Delivered]:
    """The files below `paths`, or else those that the CSV names, each once, with the words of its line."""
    files = [file for path in paths for file in files_below(path) if table is None or not _same(file, table)]
    found = {_key(file): Delivered(str(file), file) for file in files}
    by_name: dict[str, list[Path]] = {}
    for file in files:
        by_name.setdefault(nfc(file.name), []).append(file)
    missing = []
    for line in read_table(table) if table else []:
        path, reason = locate(line, table.parent if table else Path(), by_name)
        if path is not None and files and _key(path) not in found:
            continue  # there, but not among what was asked for
        if path is None:
            missing.append(Delivered(line.file, None, reason=reason))
        else:
            found.setdefault(_key(path), Delivered(str(path), path)).words.update(line.words)
    return [*_with_sidecars(list(found.values())), *missing]


def _with_sidecars(files: list[Delivered]) -> list[Delivered]:
    """Without the XMP files, which go with their pictures; one that has none says so."""
    beside, alone = sidecars.pairs([file.name for file in files])
    for at, sidecar in beside.items():
        files[at].sidecar = files[sidecar].path
    for at in alone:
        files[at] = Delivered(files[at].name, None, reason=sidecars.ALONE)
    taken = set(beside.values())
    return [file for at, file in enumerate(files) if at not in taken]


def files_below(path: Path) -> Iterator[Path]:
    """The file itself, or the files of a folder in the order of their names; hidden and system files not."""
    if path.is_file():
        yield path
    elif path.is_dir():
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(n for n in folders if not n.startswith(".") and n.lower() not in JUNK)
            wanted = (Path(folder) / n for n in sorted(names) if n[0] != "." and n.lower() not in JUNK)
            yield from (file for file in wanted if file.is_file())  # no pipes or devices
    else:
        raise ImportRefused(f"There is no file or folder {path}.")


def read_table(path: Path) -> list[Line]:
    """The lines of a CSV that name a file: see `table_lines`."""
    with closing(table_lines(path, "file")) as lines:
        return [line for line in lines if line.file]


def table_lines(path: Path, needed: str) -> Generator[Line, None, None]:
    """The lines of a CSV with the column `needed`, one after the other; the file may be of any length.

    UTF-8 or Windows-1252, commas, semicolons or tabs. Empty lines are passed over. Raises ImportRefused.
    """
    try:
        with path.open(encoding=_encoding(path), errors="replace", newline="") as text:
            delimiter = max(",;\t", key=text.readline().count)
            text.seek(0)
            reader = csv.DictReader(text, delimiter=delimiter)
            columns = _columns(reader, needed)
            try:
                yield from _lines(reader, columns)
            except csv.Error as error:
                raise ImportRefused(f"Line {reader.line_num} of the CSV cannot be read: {error}.") from error
    except OSError as error:
        raise ImportRefused(f"The CSV {path} cannot be read: {error.strerror}.") from error


def _encoding(path: Path) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while data := file.read(1 << 20):
                decoder.decode(data)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _columns(reader: "csv.DictReader[str]", needed: str) -> dict[str, str]:
    columns = {name: (name or "").strip().lower() for name in reader.fieldnames or []}
    if needed not in columns.values():
        has = ", ".join(filter(None, columns.values())) or "nothing"
        others = ", ".join(sorted(WORD_KEYS - {needed}))
        raise ImportRefused(
            f"The CSV needs a column called {needed}; it has: {has}. It may also have: {others}."
        )
    return columns


def _lines(reader: "csv.DictReader[str]", columns: dict[str, str]) -> Iterator[Line]:
    for row in reader:
        values = {columns[name]: value or "" for name, value in row.items() if name in columns}
        words = {key: value for key, value in values.items() if key in WORD_KEYS}
        if any(value.strip() for value in values.values()):
            yield Line(reader.line_num, values.get("file", "").strip(), words)


def locate(line: Line, folder: Path, by_name: dict[str, list[Path]]) -> tuple[Path | None, str]:
    """The file of a line: relative to the CSV, or one of the given files by its bare name."""
    for form in ("NFC", "NFD"):  # macOS writes é as two characters
        written = folder / unicodedata.normalize(form, line.file)
        with suppress(OSError, ValueError):  # a name that is too long, or none at all
            if written.is_file():
                return written, ""
    same = by_name.get(nfc(Path(line.file).name), [])
    if len(same) == 1:
        return same[0], ""
    if same:
        return (
            None,
            f"Line {line.number} of the CSV: {len(same)} files are called {line.file}; write the path.",
        )
    return None, f"Line {line.number} of the CSV names this file, but it is not there."


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _key(path: Path) -> str:
    return os.path.realpath(path)


def _same(one: Path, other: Path) -> bool:
    return _key(one) == _key(other)
