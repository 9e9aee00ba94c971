"""JPEG: metadata lies in segments before the picture data (JFIF 1.02; XMP part 3, 1.1.3)."""

import hashlib
import io
import struct
from contextlib import suppress
from typing import IO, NamedTuple

from assets.metadata import elements, xmp
from assets.metadata.blocks import Blocks, Damaged, Piece, Span, Walk, joined
from assets.metadata.tiff import Tiff

APP0, APP1, APP2, APP13, EOI, SOS = 0xE0, 0xE1, 0xE2, 0xED, 0xD9, 0xDA
EXIF, XMP = b"Exif\x00\x00", b"http://ns.adobe.com/xap/1.0/\x00"
EXTENSION, PHOTOSHOP, SEVERAL = b"http://ns.adobe.com/xmp/extension/\x00", b"Photoshop 3.0\x00", b"MPF\x00"
OURS = {EXIF, XMP, EXTENSION, PHOTOSHOP}
MOST = 65533  # bytes of content of one segment
PART = 65400
MAX_SEGMENTS = 20_000


class Segment(NamedTuple):
    marker: int
    start: int
    """Of the marker."""
    length: int
    """With marker and length."""
    kind: bytes
    """How its content begins, where that is known here."""


class Jpeg:
    room_for_exif = MOST - len(EXIF)

    def __init__(self, file: IO[bytes]) -> None:
        self.walk, self.blocks = Walk(file), Blocks()
        self.segments: list[Segment] = []
        self.parts: dict[bytes, dict[int, bytes]] = {}
        self.lengths: dict[bytes, int] = {}
        self.picture = 2
        try:
            self._walk()
            self._put_together()
        except (Damaged, struct.error) as error:
            self.blocks.damage = str(error)

    def _walk(self) -> None:
        at = 2
        while len(self.segments) < MAX_SEGMENTS:
            mark = self.walk.head(at, 4)
            if len(mark) < 4 or mark[0] != 0xFF:
                raise Damaged("The JPEG is cut off or damaged before its picture data.")
            if mark[1] == 0xFF:  # a filling byte
                at += 1
                continue
            if mark[1] in (SOS, EOI):
                break
            length = int.from_bytes(mark[2:], "big") + 2
            if length < 4 or at + length > self.walk.size:
                raise Damaged("A segment of the JPEG is longer than the file.")
            self._take(mark[1], at, length)
            at += length
        else:
            raise Damaged("The JPEG has more segments than can be right.")
        if mark[1] == EOI:
            raise Damaged("The JPEG has no picture data.")
        self.picture = at

    def _take(self, marker: int, start: int, length: int) -> None:
        head = self.walk.head(start + 4, min(length - 4, 40))
        known = {APP1: (EXIF, XMP, EXTENSION), APP13: (PHOTOSHOP,), APP2: (SEVERAL,)}.get(marker, ())
        kind = next((name for name in known if head.startswith(name)), b"")
        self.segments.append(Segment(marker, start, length, kind))
        if kind not in OURS:
            return
        content = self.walk.read(start + 4 + len(kind), length - 4 - len(kind))
        if kind == EXIF:
            self.blocks.exif = self.blocks.exif or content
        elif kind == XMP:
            self.blocks.xmp.append(content)
        elif kind == PHOTOSHOP:
            self.blocks.photoshop += content
        else:
            guid, (whole, offset) = content[:32], struct.unpack(">II", content[32:40])
            self.parts.setdefault(guid, {})[offset] = content[40:]
            self.lengths[guid] = whole

    def _put_together(self) -> None:
        """The packets that were too long for one segment, where all of their parts are there."""
        for guid, parts in self.parts.items():
            whole = b"".join(part for _, part in sorted(parts.items()))
            digest = hashlib.md5(whole, usedforsecurity=False).hexdigest().upper().encode()
            if len(whole) != self.lengths[guid] or digest != guid:
                raise Damaged("A part of the XMP is missing.")
            self.blocks.xmp.append(whole)

    def rewritten(self, new: Blocks) -> list[Piece]:
        if self.blocks.damage:
            raise Damaged(self.blocks.damage)
        kept = [one for one in self.segments if one.kind not in OURS]
        first = [one for one in kept[:1] if one.marker == APP0]
        added = self._added(new)
        growth = sum(map(len, added)) - sum(one.length for one in self.segments if one.kind in OURS)
        pieces: list[Piece] = [Span(0, 2), *(Span(one.start, one.length) for one in first), *added]
        for one in kept[len(first) :]:
            pieces += self._several(one, growth) if one.kind == SEVERAL else [Span(one.start, one.length)]
        return joined([*pieces, Span(self.picture, self.walk.size - self.picture)])

    def _added(self, new: Blocks) -> list[bytes]:
        added: list[bytes] = []
        if new.exif:
            added.append(_segment(APP1, EXIF + new.exif))
        for packet in new.xmp:
            added += _xmp_segments(packet)
        for at in range(0, len(new.photoshop), PART):
            added.append(_segment(APP13, PHOTOSHOP + new.photoshop[at : at + PART]))
        return added

    def _several(self, index: Segment, growth: int) -> list[Piece]:
        """The index of a file with several pictures: what stands behind the first one has moved with it."""
        behind = [one for one in self.segments if one.kind in OURS and one.start > index.start]
        if behind:
            raise Damaged("The JPEG holds several pictures, and their index does not allow a change.")
        start = index.start + 4 + len(SEVERAL)
        content = self.walk.head(start, index.length - 4 - len(SEVERAL))
        with suppress(Damaged, struct.error, KeyError):
            tiff = Tiff(io.BytesIO(content))
            entry = tiff.directory(tiff.first).entries[0xB002]
            at = tiff.unpack("I", entry.slot) + 4  # the size of the first picture
            size = tiff.unpack("I", content[at : at + 4]) + growth
            content = content[:at] + struct.pack(f"{tiff.order}I", size) + content[at + 4 :]
        return [Span(index.start, 4 + len(SEVERAL)), content]


def _segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


def _xmp_segments(data: bytes) -> list[bytes]:
    """One segment, or where that is too short one with what fits and others with the rest."""
    if len(XMP) + len(data) <= MOST:
        return [_segment(APP1, XMP + data)]
    main, rest = xmp.parse(data), xmp.Packet()
    rest.prefixes = main.prefixes
    sizes = {name: elements.size_of(element) for name, element in main.properties.items()}
    for name in sorted(sizes, key=lambda name: -sizes[name]):
        rest.properties[name] = main.properties.pop(name)
        extension = rest.serialised()
        guid = hashlib.md5(extension, usedforsecurity=False).hexdigest().upper()
        main.put("xmpNote:HasExtendedXMP", elements.plain(guid))
        if len(XMP) + len(packet := main.serialised()) <= MOST:
            break
    head = EXTENSION + guid.encode() + len(extension).to_bytes(4, "big")
    starts = range(0, len(extension), PART - 400)
    parts = [head + at.to_bytes(4, "big") + extension[at : at + PART - 400] for at in starts]
    return [_segment(APP1, XMP + packet), *(_segment(APP1, part) for part in parts)]
