"""What a file holds of metadata, and a file written anew as pieces: new bytes, and ranges of the old ones."""

from dataclasses import dataclass, field
from typing import IO, NamedTuple, Protocol

MAX_BLOCKS = 32 * 1024**2
"""Bytes of metadata that are looked at in one file."""


class Damaged(ValueError):
    """A file or a block in it is not as its standard says; the message is for people."""


class Span(NamedTuple):
    """A range of the original file, in bytes."""

    start: int
    length: int


Piece = bytes | Span


@dataclass
class Blocks:
    """The blocks of one file as they lie in it, without the headers of its container."""

    exif: bytes = b""
    """A TIFF structure."""
    xmp: list[bytes] = field(default_factory=list)
    """Packets, the main one first; those that are cut into parts put together."""
    photoshop: bytes = b""
    """Image resources (8BIM), which hold IPTC IIM and its digest."""
    iim: bytes = b""
    """IPTC IIM outside of the image resources."""
    texts: dict[str, str] = field(default_factory=dict)
    """Plain text chunks of a PNG, by keyword."""
    damage: str = ""
    """Why the walk through the file stopped early; what was found before it counts."""


class Container(Protocol):
    """A file of one format, walked through once without reading its pixels."""

    blocks: Blocks
    room_for_exif: int
    """Bytes."""

    def __init__(self, file: IO[bytes]) -> None: ...

    def rewritten(self, new: Blocks) -> list[Piece]:
        """The same file with these blocks in place of its own. Raises Damaged where it cannot be done."""
        ...


class Walk:
    """Reading a file from its start to its end, never beyond it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.size = file.seek(0, 2)
        self.kept = 0

    def read(self, start: int, length: int) -> bytes:
        """Exactly these bytes. Raises Damaged where the file ends before, or metadata is beyond measure."""
        self.kept += length
        if start < 0 or length < 0 or start + length > self.size:
            raise Damaged("The file ends too early.")
        if self.kept > MAX_BLOCKS:
            raise Damaged("The file holds more metadata than is looked at here.")
        self.file.seek(start)
        return self.file.read(length)

    def head(self, start: int, length: int) -> bytes:
        """Up to these bytes, which count for nothing: markers, lengths, names."""
        self.file.seek(start)
        return self.file.read(length)


def joined(pieces: list[Piece]) -> list[Piece]:
    """Ranges that lie side by side as one, and nothing empty."""
    found: list[Piece] = []
    for piece in pieces:
        last = found[-1] if found else b""
        if isinstance(piece, Span) and isinstance(last, Span) and last.start + last.length == piece.start:
            found[-1] = Span(last.start, last.length + piece.length)
        elif isinstance(piece, Span):
            found += [piece] if piece.length else []
        elif isinstance(last, bytes) and found:
            found[-1] = last + piece
        else:
            found += [piece] if piece else []
    return found


def length_of(pieces: list[Piece]) -> int:
    """Bytes of the file that these pieces make."""
    return sum(piece.length if isinstance(piece, Span) else len(piece) for piece in pieces)
