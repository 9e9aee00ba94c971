"""CSV as it is really saved: the encoding and the delimiter are found by counting, not by asking."""

import codecs
import csv
from collections import Counter
from collections.abc import Generator, Iterator
from itertools import islice
from pathlib import Path

from assets.tables.formulas import as_was
from assets.tables.rows import Row, Table, TableRefused, bounded, headed

csv.field_size_limit(10_000_000)  # characters; the default is too small for some descriptions
CHUNK, SAMPLE = 1 << 20, 1 << 16
DELIMITERS = ",;\t|"
TRIED_ROWS = 30
ASCII = bytes(range(128))
NAMES = {"cp1252": "Windows-1252", "mac_roman": "Mac Roman"}
# What is written in the languages of Western Europe; other signs above 127 speak against an encoding.
USUAL = frozenset("äöüÄÖÜßéèêëÉÈàâáãåÅæøØÆœçÇîïíìôóòõûùúñÑý’‘“”„‚–—…«»°§´·€£©®× ")


def read(path: Path) -> Generator[Table, None, None]:
    """Yields the table; closing it closes the file. Raises TableRefused."""
    encoding = encoding_of(path)
    with path.open(encoding=encoding, errors="replace", newline="") as text:
        start, delimiter = _beginning(text.read(SAMPLE))
        text.seek(0)
        for _ in range(start):
            text.readline()
        reader = csv.reader(text, delimiter=delimiter, strict=False)
        rows = _numbered(reader, start)
        _, cells = next(rows, (0, []))
        headers = headed(cells)
        notes = [f"Its letters were read as {NAMES[encoding]}."] if encoding in NAMES else []
        yield Table(headers, _rows(rows, len(headers)), notes)


def encoding_of(path: Path) -> str:
    """UTF-8, UTF-16, and where a file is neither, Windows-1252 or Mac Roman: what makes more usual letters.

    Raises TableRefused where it is no text.
    """
    with path.open("rb") as file:
        head = file.read(SAMPLE)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if guess := _utf16(head):
            return guess
        if b"\0" in head:
            raise TableRefused("This is no table. Save it as CSV or XLSX.")
        file.seek(0)
        decoder, valid = codecs.getincrementaldecoder("utf-8")(), True
        above: Counter[int] = Counter()
        while data := file.read(CHUNK):
            above.update(data.translate(None, ASCII))
            try:
                valid = valid and decoder.decode(data) is not None
            except UnicodeDecodeError:
                valid = False
        try:
            valid = valid and decoder.decode(b"", final=True) is not None
        except UnicodeDecodeError:
            valid = False
    return "utf-8-sig" if valid else max(NAMES, key=lambda name: _usual(above, name))


def _utf16(head: bytes) -> str:
    """UTF-16 that does not say so: nearly every second byte of a Western text is zero."""
    half = len(head) // 2
    if half > 3:
        if head[1::2].count(0) > 0.7 * half and head[0::2].count(0) < 0.1 * half:
            return "utf-16-le"
        if head[0::2].count(0) > 0.7 * half and head[1::2].count(0) < 0.1 * half:
            return "utf-16-be"
    return ""


def _usual(above: "Counter[int]", encoding: str) -> int:
    def points(byte: int) -> int:
        return 1 if bytes([byte]).decode(encoding, "replace") in USUAL else -1

    return sum(count * points(byte) for byte, count in above.items())


def _beginning(sample: str) -> tuple[int, str]:
    """How many lines stand before the table (`sep=;` of Excel), and the delimiter."""
    first = sample.lstrip("\ufeff").split("\n", 1)[0].strip()
    if first.lower().startswith("sep=") and len(first) == 5:
        return 1, first[4]
    return 0, max(DELIMITERS, key=lambda delimiter: _regular(sample, delimiter))


def _regular(sample: str, delimiter: str) -> tuple[bool, float, int]:
    """How much a text looks like a table with this delimiter: rows of one and the same length."""
    lines = sample.lstrip("\ufeff").splitlines(keepends=True)
    lines = lines[:-1] if len(sample) == SAMPLE else lines  # the last one may be cut
    try:
        found = [row for row in islice(csv.reader(lines, delimiter=delimiter), TRIED_ROWS) if any(row)]
    except csv.Error:
        return False, 0.0, 0
    if not found:
        return False, 0.0, 0
    width = len(found[0])
    like = sum(len(row) == width for row in found) / len(found)
    return width > 1, round(like, 1), width


def _numbered(reader: "Iterator[list[str]]", start: int) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty, with the line on which each ends."""
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield start + reader.line_num, [as_was(cell) for cell in cells]  # type: ignore[attr-defined]
    except csv.Error as error:
        line = start + reader.line_num  # type: ignore[attr-defined]
        raise TableRefused(f"Line {line} of the CSV cannot be read: {error}.") from error


def _rows(rows: Iterator[tuple[int, list[str]]], width: int) -> Iterator[Row]:
    for count, (line, cells) in enumerate(rows, start=1):
        yield Row(line, bounded(count, line, cells, width), {})
