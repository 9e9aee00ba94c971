"""WebP: metadata lies in chunks of a RIFF file, behind a VP8X chunk that announces them (RFC 9649)."""

from typing import IO, NamedTuple

from assets.metadata.blocks import MAX_BLOCKS, Blocks, Damaged, Piece, Span, Walk, joined

HAS_EXIF, HAS_XMP, HAS_ALPHA = 0x08, 0x04, 0x10
OURS = (b"EXIF", b"XMP ")


class Chunk(NamedTuple):
    name: bytes
    start: int
    length: int
    """With name, length and padding."""


class WebP:
    room_for_exif = MAX_BLOCKS

    def __init__(self, file: IO[bytes]) -> None:
        self.walk, self.blocks = Walk(file), Blocks()
        self.chunks: list[Chunk] = []
        self.end = int.from_bytes(self.walk.head(4, 4), "little") + 8
        try:
            self._walk()
        except Damaged as error:
            self.blocks.damage = str(error)

    def _walk(self) -> None:
        at = 12
        if self.end > self.walk.size:
            raise Damaged("The WebP is shorter than it says.")
        while at + 8 <= self.end:
            head = self.walk.head(at, 8)
            size = int.from_bytes(head[4:], "little")
            length = 8 + size + size % 2
            if at + 8 + size > self.end:
                raise Damaged("A chunk of the WebP is longer than the file.")
            self.chunks.append(Chunk(head[:4], at, length))
            if head[:4] == b"EXIF":
                self.blocks.exif = self.walk.read(at + 8, size).removeprefix(b"Exif\x00\x00")
            elif head[:4] == b"XMP ":
                self.blocks.xmp.append(self.walk.read(at + 8, size))
            at += length

    def rewritten(self, new: Blocks) -> list[Piece]:
        if self.blocks.damage or not self.chunks:
            raise Damaged(self.blocks.damage or "The WebP is empty.")
        has = (HAS_EXIF if new.exif else 0) | (HAS_XMP if new.xmp else 0)
        first = self.chunks[0]
        content = bytearray(self.walk.read(first.start + 8, 10))
        rest = self.chunks
        if first.name == b"VP8X":
            rest = rest[1:]
            content[0] = content[0] & ~(HAS_EXIF | HAS_XMP) | has
        else:
            content = bytearray(_canvas(first.name, bytes(content), has))
        pieces: list[Piece] = [_chunk(b"VP8X", bytes(content))]
        for one in rest:
            if one.name not in OURS:
                pieces.append(Span(one.start, min(one.length, self.end - one.start)))
                pieces.append(b"\x00" * max(one.start + one.length - self.end, 0))  # padding left out
        pieces.append(_chunk(b"EXIF", new.exif) if new.exif else b"")
        pieces += [_chunk(b"XMP ", packet) for packet in new.xmp]
        pieces = joined(pieces)
        size = 4 + sum(piece.length if isinstance(piece, Span) else len(piece) for piece in pieces)
        if size >= 2**32 - 1:
            raise Damaged("The file is too large for more metadata in it.")
        head = b"RIFF" + size.to_bytes(4, "little") + b"WEBP"
        return joined([head, *pieces, Span(self.end, self.walk.size - self.end)])


def _canvas(name: bytes, start: bytes, has: int) -> bytes:
    """The content of a VP8X chunk for a file that had none; `start`: the first ten bytes of its picture."""
    if name == b"VP8L" and start[:1] == b"\x2f":
        bits = int.from_bytes(start[1:5], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        has |= HAS_ALPHA if bits >> 28 & 1 else 0
    elif name == b"VP8 " and start[3:6] == b"\x9d\x01\x2a":
        width, height = (int.from_bytes(start[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    else:
        raise Damaged("The WebP begins in a way that is not known here.")
    return bytes([has, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "little") + content + b"\x00" * (len(content) % 2)
