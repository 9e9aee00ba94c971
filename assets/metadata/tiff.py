"""TIFF structures: TIFF files, and the EXIF blocks of others. Read by entry, changed by appending.

Nothing in a structure is moved: a changed first directory is put behind everything else, and the header
points to it. So every offset stays right, also those inside a maker's notes that nobody else understands.
"""

import struct
from collections.abc import Mapping
from typing import IO, NamedTuple

from assets.metadata.blocks import Damaged, Walk

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 1, 2, 3, 4, 5, 7
SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
NUMBERS = {
    1: "B",
    3: "H",
    4: "I",
    6: "b",
    8: "h",
    9: "i",
    11: "f",
    12: "d",
    13: "I",
    16: "Q",
    17: "q",
    18: "Q",
}
MAX_ENTRIES, MAX_VALUE = 4096, 16 * 1024**2


class Entry(NamedTuple):
    kind: int
    """The number of its type: ASCII, SHORT, …"""
    number: int
    """Of values."""
    slot: bytes
    """The value where it fits, else its offset."""


class New(NamedTuple):
    """A value for an entry; `data` in the byte order of the structure."""

    kind: int
    data: bytes


class Directory(NamedTuple):
    entries: dict[int, Entry]
    next: int
    """Offset of the following directory, 0 for none."""


class Tiff:
    """Raises Damaged where the header is none."""

    def __init__(self, file: IO[bytes]) -> None:
        self.walk = Walk(file)
        head = self.walk.head(0, 16)
        orders = {b"II": "<", b"MM": ">"}
        if len(head) < 8 or head[:2] not in orders:
            raise Damaged("The TIFF structure has no header.")
        self.order = orders[head[:2]]
        magic = self.unpack("H", head[2:4])
        self.big = magic == 43 and len(head) == 16
        if magic != 42 and not self.big:
            raise Damaged("The TIFF structure is of a kind that is not known here.")
        self.header = head[: 16 if self.big else 8]
        self.word, self.slot = ("Q", 8) if self.big else ("I", 4)
        self.first = self.unpack(self.word, self.header[-self.slot :])

    def unpack(self, code: str, data: bytes) -> int:
        return int(struct.unpack(self.order + code, data)[0])

    def directory(self, offset: int) -> Directory:
        """The entries at this offset. Raises Damaged."""
        counter = "Q" if self.big else "H"
        start = offset + struct.calcsize(self.order + counter)
        count = self.unpack(counter, self.walk.read(offset, start - offset))
        size = 4 + 2 * self.slot
        if count > MAX_ENTRIES:
            raise Damaged("A TIFF directory has more entries than can be right.")
        data = self.walk.read(start, count * size + self.slot)
        entries: dict[int, Entry] = {}
        for at in range(0, count * size, size):
            tag, kind = struct.unpack(f"{self.order}HH", data[at : at + 4])
            number = self.unpack(self.word, data[at + 4 : at + 4 + self.slot])
            entries.setdefault(tag, Entry(kind, number, data[at + 4 + self.slot : at + size]))
        return Directory(entries, self.unpack(self.word, data[count * size :]))

    def value(self, entry: Entry) -> bytes:
        """The bytes of a value, in the byte order of the structure. Raises Damaged."""
        length = SIZES.get(entry.kind, 1) * entry.number
        if length <= self.slot:
            return entry.slot[:length]
        if length > MAX_VALUE:
            raise Damaged("A value is longer than can be right.")
        return self.walk.read(self.unpack(self.word, entry.slot), length)

    def pointer(self, entry: Entry) -> int:
        """The offset of the directory that an entry points to."""
        return self.unpack("I", entry.slot[:4]) if entry.kind in (LONG, 13) else self.unpack("Q", entry.slot)

    def appended(self, changes: Mapping[int, New | None]) -> tuple[bytes, bytes]:
        """The new header and what to append, for a first directory with these values; None takes one out.

        The same header and nothing where that is no change. Raises Damaged where the structure would become
        too large for its offsets.
        """
        old = self.directory(self.first)
        if all(self._is(old.entries.get(tag), new) for tag, new in changes.items()):
            return self.header, b""
        entries = {tag: entry for tag, entry in old.entries.items() if tag not in changes}
        tail = b"\x00" * (self.walk.size % 2)
        for tag, new in changes.items():
            if new is None:
                continue
            slot = new.data.ljust(self.slot, b"\x00")
            if len(new.data) > self.slot:
                slot = self._pack(self.walk.size + len(tail))
                tail += new.data + b"\x00" * (len(new.data) % 2)
            entries[tag] = Entry(new.kind, len(new.data) // SIZES[new.kind], slot)
        at = self.walk.size + len(tail)
        tail += struct.pack(f"{self.order}{'Q' if self.big else 'H'}", len(entries))
        for tag, entry in sorted(entries.items()):
            tail += struct.pack(f"{self.order}HH", tag, entry.kind) + self._pack(entry.number) + entry.slot
        tail += self._pack(old.next)
        if not self.big and at + len(tail) >= 2**32:
            raise Damaged("The file is too large for more metadata in it.")
        return self.header[: -self.slot] + self._pack(at), tail

    def _is(self, entry: Entry | None, new: New | None) -> bool:
        """Whether an entry has this value already."""
        if entry is None or new is None:
            return entry is None and new is None
        return entry.kind == new.kind and self.value(entry) == new.data

    def _pack(self, number: int) -> bytes:
        return struct.pack(self.order + self.word, number % 2 ** (8 * self.slot))


EMPTY = b"II*\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00"  # a structure with a directory of no entries
