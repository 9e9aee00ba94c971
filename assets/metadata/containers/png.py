"""PNG: metadata lies in chunks, XMP in iTXt, EXIF in eXIf (PNG 1.2 and its extensions; XMP part 3, 1.1.5)."""

import re
import zlib
from contextlib import suppress
from typing import IO, NamedTuple

from assets.metadata.blocks import MAX_BLOCKS, Blocks, Damaged, Piece, Span, Walk, joined

XMP_KEYWORD = "XML:com.adobe.xmp"
PROFILE = "Raw profile type "  # as ImageMagick writes what PNG had no place for
TEXTS = (b"tEXt", b"zTXt", b"iTXt")
SAID = {"Title", "Author", "Description", "Copyright", "Creation Time", "Software", "Source", "Comment"}
REPLACED = {"Title", "Author", "Description", "Copyright"}
MAX_CHUNKS = 5_000_000


class Chunk(NamedTuple):
    name: bytes
    start: int
    length: int
    """With length, name and checksum."""
    keyword: str = ""


class Png:
    room_for_exif = MAX_BLOCKS

    def __init__(self, file: IO[bytes]) -> None:
        self.walk, self.blocks = Walk(file), Blocks()
        self.chunks: list[Chunk] = []
        self.profiles: dict[str, bytes] = {}
        try:
            self._walk()
        except Damaged as error:
            self.blocks.damage = str(error)
        self.blocks.exif = self.blocks.exif or self.profiles.get("exif", self.profiles.get("APP1", b""))
        self.blocks.exif = self.blocks.exif.removeprefix(b"Exif\x00\x00")
        self.blocks.photoshop = self.profiles.get("8bim", self.profiles.get("iptc", b""))
        if "xmp" in self.profiles:
            self.blocks.xmp.append(self.profiles["xmp"])

    def _walk(self) -> None:
        at = 8
        while not self.chunks or self.chunks[-1].name != b"IEND":
            head = self.walk.head(at, 8)
            length = int.from_bytes(head[:4], "big") + 12
            if len(head) < 8 or at + length > self.walk.size:
                raise Damaged("The PNG ends before its last chunk.")
            name = head[4:]
            if not (self.chunks or name == b"IHDR") or len(self.chunks) > MAX_CHUNKS:
                raise Damaged("The PNG does not begin as it should.")
            if name == b"IDAT" and self.chunks[-1].name == b"IDAT":  # many: one entry for all
                last = self.chunks.pop()
                self.chunks.append(Chunk(name, last.start, last.length + length))
            else:
                keyword = self._take(name, at, length) if name not in (b"IDAT", b"fdAT") else ""
                self.chunks.append(Chunk(name, at, length, keyword))
            at += length

    def _take(self, name: bytes, start: int, length: int) -> str:
        """Check a chunk, keep what it says; returns its keyword where it is text."""
        content = self.walk.read(start + 4, length - 4)
        if zlib.crc32(content[:-4]) != int.from_bytes(content[-4:], "big"):
            raise Damaged(f"The checksum of a chunk of the PNG ({name.decode('latin-1')}) is wrong.")
        content = content[4:-4]
        if name == b"eXIf":
            self.blocks.exif = self.blocks.exif or content
        if name not in TEXTS:
            return ""
        key, _, rest = content.partition(b"\x00")
        keyword, text = key.decode("latin-1"), _text(name, rest)
        if keyword == XMP_KEYWORD:
            self.blocks.xmp.append(text)
        elif keyword.startswith(PROFILE):
            self.profiles.setdefault(keyword.removeprefix(PROFILE), _profile(text))
        elif keyword in SAID:
            charset = "utf-8" if name == b"iTXt" else "latin-1"
            self.blocks.texts.setdefault(keyword, text.decode(charset, "replace"))
        return keyword

    def rewritten(self, new: Blocks) -> list[Piece]:
        if self.blocks.damage:
            raise Damaged(self.blocks.damage)
        gone = REPLACED | {XMP_KEYWORD, *(PROFILE + name for name in ("xmp", "exif", "APP1"))}
        pieces: list[Piece] = [Span(0, 8)]
        added = b"".join(_chunk(b"iTXt", XMP_KEYWORD.encode() + bytes(5) + packet) for packet in new.xmp)
        added += _chunk(b"eXIf", new.exif) if new.exif else b""
        for one in self.chunks:
            if one.name == b"IDAT" and added:
                pieces.append(added)
                added = b""
            if one.name != b"eXIf" and one.keyword not in gone:
                pieces.append(Span(one.start, one.length))
        if added:
            raise Damaged("The PNG has no picture data.")
        end = self.chunks[-1].start + self.chunks[-1].length
        return joined([*pieces, Span(end, self.walk.size - end)])


def _text(name: bytes, rest: bytes) -> bytes:
    """The text of a chunk, unpacked; empty where that is not possible."""
    if name == b"tEXt":
        return rest
    if name == b"zTXt":
        return _unpacked(rest[1:])
    packed, text = rest[:1] == b"\x01", rest[2:].split(b"\x00", 2)
    return (_unpacked(text[2]) if packed else text[2]) if len(text) == 3 else b""


def _unpacked(data: bytes) -> bytes:
    with suppress(zlib.error):
        return zlib.decompressobj().decompress(data, MAX_BLOCKS)
    return b""


def _profile(text: bytes) -> bytes:
    """Bytes that were written as hexadecimal digits behind a name and a length."""
    digits = re.sub(rb"\s", b"", b"".join(text.strip().split(b"\n")[2:]))
    with suppress(ValueError):
        return bytes.fromhex(digits.decode("ascii", "replace"))
    return b""


def _chunk(name: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")
