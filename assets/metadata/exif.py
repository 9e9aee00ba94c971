"""EXIF: the values of the picture, the camera and the place, by the names of the standard."""

import struct
from fractions import Fraction
from typing import IO, Any

from PIL import ExifTags

from assets.metadata.blocks import Damaged
from assets.metadata.texts import clean
from assets.metadata.tiff import ASCII, NUMBERS, RATIONAL, UNDEFINED, Entry, Tiff

EXIF_IFD, GPS_IFD = 0x8769, 0x8825
# Blocks of their own, pointers, pixels: not values for people.
HIDDEN = {0x02BC, 0x83BB, 0x8649, 0x8773, 0x927C, 0xC4A5, 0x014A, 0xA005, 0xEA1C, EXIF_IFD, GPS_IFD}
HIDDEN |= {0x0111, 0x0117, 0x0144, 0x0145, 0x0201, 0x0202, 0x015B, 0x0140, 0x012D, 0x0207, 0x0208, 0x0209}
UTF_16 = range(0x9C9B, 0x9CA0)  # the XP… tags of Windows
PREFIXED = {0x9286, 0x001B, 0x001C}  # UserComment, and two of GPS: eight bytes name the character set
LONGEST_BINARY, MOST_NUMBERS = 64, 24


def raw(structure: IO[bytes]) -> dict[str, Any]:
    """The values of a TIFF structure by name: its first directory, those of the camera and of GPS.

    Raises Damaged where nothing can be read of it.
    """
    tiff = Tiff(structure)
    first = tiff.directory(tiff.first).entries
    found = _values(tiff, first, ExifTags.TAGS)
    for pointer, names in ((EXIF_IFD, ExifTags.TAGS), (GPS_IFD, ExifTags.GPSTAGS)):
        if pointer in first:
            try:
                inner = tiff.directory(tiff.pointer(first[pointer])).entries
            except (Damaged, struct.error):
                continue  # what was found so far counts
            found |= _values(tiff, inner, names)
    return found


def _values(tiff: Tiff, entries: dict[int, Entry], names: dict[int, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for tag, entry in entries.items():
        if tag in HIDDEN and names is ExifTags.TAGS or tag not in names:
            continue
        try:
            value = _value(tiff, tag, entry)
        except (Damaged, struct.error):
            continue  # one entry that points nowhere
        if value not in ("", [], None):
            found[names[tag]] = value
    return found


def _value(tiff: Tiff, tag: int, entry: Entry) -> Any:
    data = tiff.value(entry)
    if tag in UTF_16:
        return clean(data.decode("utf-16-le", "replace"))
    if tag in PREFIXED:
        return _commented(data, tiff.order)
    if entry.kind in (ASCII, 129):
        return decoded(data)
    if entry.kind == UNDEFINED:
        printable = data.rstrip(b"\x00").decode("ascii", "ignore")
        whole = len(printable) == len(data.rstrip(b"\x00")) and printable.isprintable()
        return printable if whole else data.hex() if len(data) <= LONGEST_BINARY else ""
    numbers = _numbers(data, entry, tiff.order)
    return numbers[0] if len(numbers) == 1 else numbers


def decoded(data: bytes) -> str:
    """Text that the standard calls ASCII: UTF-8 where it is valid, else Windows-1252."""
    text = data.split(b"\x00")[0] if data.count(b"\x00") == 1 else data.replace(b"\x00", b" ")
    try:
        return clean(text.decode("utf-8"))
    except UnicodeDecodeError:
        return clean(text.decode("cp1252", "replace"))


def _commented(data: bytes, order: str) -> str:
    """A text behind eight bytes that name its character set."""
    charset, text = data[:8].rstrip(b"\x00 ").upper(), data[8:]
    if charset == b"UNICODE":
        marked = text[:2] in (b"\xff\xfe", b"\xfe\xff")
        plain = "utf-16-le" if order == "<" else "utf-16-be"
        return clean(text.decode("utf-16" if marked else plain, "replace"))
    if charset == b"JIS":
        return clean(text.decode("iso2022_jp", "replace"))
    return decoded(text.rstrip(b"\x00"))


def _numbers(data: bytes, entry: Entry, order: str) -> list[int | float | str]:
    if entry.number > MOST_NUMBERS:
        return []
    if entry.kind in (RATIONAL, 10):
        code = "I" if entry.kind == RATIONAL else "i"
        flat = struct.unpack(f"{order}{2 * entry.number}{code}", data)
        return [_fraction(*flat[at : at + 2]) for at in range(0, len(flat), 2) if flat[at + 1]]
    if entry.kind not in NUMBERS:
        return []
    found = struct.unpack(f"{order}{entry.number}{NUMBERS[entry.kind]}", data)
    return [n if isinstance(n, int) else round(n, 6) if abs(n) < 1e15 else str(n) for n in found]


def _fraction(numerator: int, denominator: int) -> int | float | str:
    """`1/125` as people write it, whole numbers and others as numbers."""
    value = Fraction(numerator, denominator)
    if value.denominator == 1:
        return value.numerator
    return f"{value.numerator}/{value.denominator}" if value.numerator == 1 else round(float(value), 6)


def degrees(values: dict[str, Any], axis: str) -> float | None:
    """`GPSLatitude` or `GPSLongitude` in decimal degrees, north and east positive; or None."""
    parts, side = values.get(axis), str(values.get(f"{axis}Ref", ""))[:1].upper()
    if not isinstance(parts, list) or not 1 <= len(parts) <= 3:
        return None
    try:
        numbers = [float(Fraction(str(part))) for part in parts]
    except (ValueError, ZeroDivisionError):
        return None
    total = sum(number / 60**power for power, number in enumerate(numbers))
    return in_range(-total if side in ("S", "W") else total, axis)


def in_range(value: float, axis: str) -> float | None:
    limit = 90 if axis == "GPSLatitude" else 180
    return round(value, 7) if abs(value) <= limit else None
