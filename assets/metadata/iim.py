"""IPTC IIM: datasets, their character sets, and their limits. Raw values by the names of the standard."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from assets.metadata.texts import clean

MARKER, UTF_8 = 0x1C, b"\x1b%G"
LATIN_1 = (b"\x1b.A", b"\x1b,A", b"\x1b-A")


class Kind(NamedTuple):
    name: str
    limit: int
    """Bytes."""
    repeats: bool = False


# Record 2, the application record; IIM 4.2, chapter 6.
KINDS = {
    5: Kind("Object Name", 64),
    7: Kind("Edit Status", 64),
    10: Kind("Urgency", 1),
    12: Kind("Subject Reference", 236, True),
    15: Kind("Category", 3),
    20: Kind("Supplemental Category", 32, True),
    22: Kind("Fixture Identifier", 32),
    25: Kind("Keywords", 64, True),
    26: Kind("Content Location Code", 3, True),
    27: Kind("Content Location Name", 64, True),
    30: Kind("Release Date", 8),
    37: Kind("Expiration Date", 8),
    40: Kind("Special Instructions", 256),
    55: Kind("Date Created", 8),
    60: Kind("Time Created", 11),
    62: Kind("Digital Creation Date", 8),
    63: Kind("Digital Creation Time", 11),
    65: Kind("Originating Program", 32),
    80: Kind("By-line", 32, True),
    85: Kind("By-line Title", 32, True),
    90: Kind("City", 32),
    92: Kind("Sublocation", 32),
    95: Kind("Province/State", 32),
    100: Kind("Country Code", 3),
    101: Kind("Country Name", 64),
    103: Kind("Original Transmission Reference", 32),
    105: Kind("Headline", 256),
    110: Kind("Credit", 32),
    115: Kind("Source", 32),
    116: Kind("Copyright Notice", 128),
    118: Kind("Contact", 128, True),
    120: Kind("Caption/Abstract", 2000),
    122: Kind("Writer/Editor", 32, True),
    131: Kind("Image Orientation", 1),
    135: Kind("Language Identifier", 3),
}
NUMBERS = {kind.name: number for number, kind in KINDS.items()}


class DataSet(NamedTuple):
    record: int
    number: int
    data: bytes


def datasets(block: bytes) -> tuple[list[DataSet], bytes]:
    """The datasets of a block, and what behind them is none: empty for a sound block."""
    found: list[DataSet] = []
    at = 0
    while at + 5 <= len(block) and block[at] == MARKER:
        length, start = int.from_bytes(block[at + 3 : at + 5], "big"), at + 5
        if length & 0x8000:  # extended: so many bytes tell the length
            width = length & 0x7FFF
            length, start = int.from_bytes(block[start : start + min(width, 4)], "big"), start + width
            if width > 4:
                break
        if start + length > len(block):
            break
        found.append(DataSet(block[at + 1], block[at + 2], block[start : start + length]))
        at = start + length
    return found, block[at:].rstrip(b"\x00")


def packed(found: Iterable[DataSet]) -> bytes:
    """The block of these datasets."""
    block = b""
    for record, number, data in found:
        length = len(data).to_bytes(2, "big")
        if len(data) > 0x7FFF:
            length = b"\x80\x04" + len(data).to_bytes(4, "big")
        block += bytes([MARKER, record, number]) + length + data
    return block


def declared(found: Iterable[DataSet]) -> bytes:
    """The escape sequence of the character set (1:90), empty where none is declared."""
    return next((data for record, number, data in found if (record, number) == (1, 90)), b"")


def decoded(data: bytes, charset: bytes = b"") -> str:
    """The text of a dataset. What is not declared is UTF-8 where it is valid, else Windows-1252."""
    if charset not in LATIN_1:
        try:
            return clean(data.decode("utf-8"))
        except UnicodeDecodeError:
            pass
    try:
        return clean(data.decode("cp1252"))
    except UnicodeDecodeError:  # five bytes mean nothing there
        return clean(data.decode("latin-1"))


def raw(block: bytes) -> dict[str, Any]:
    """The values of record 2 by the names of the standard; a list where a dataset may be repeated."""
    found, _ = datasets(block)
    charset = declared(found)
    values: dict[str, Any] = {}
    for record, number, data in found:
        kind = KINDS.get(number)
        text = decoded(data, charset) if record == 2 and kind else ""
        if kind and text and kind.repeats:
            values.setdefault(kind.name, []).append(text)
        elif kind and text:
            values.setdefault(kind.name, text)
    return values
