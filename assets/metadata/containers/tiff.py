"""TIFF: metadata lies in entries of the first directory, which is written anew behind the file."""

import struct
from typing import IO

from assets.metadata.blocks import MAX_BLOCKS, Blocks, Damaged, Piece, Span, joined
from assets.metadata.tiff import BYTE, LONG, New, Tiff

XMP, IIM, PHOTOSHOP = 0x02BC, 0x83BB, 0x8649


class TiffFile:
    room_for_exif = MAX_BLOCKS

    def __init__(self, file: IO[bytes]) -> None:
        self.blocks = Blocks()
        self.tiff: Tiff | None = None
        try:
            self.tiff = Tiff(file)
            self._take(self.tiff)
        except (Damaged, struct.error) as error:
            self.blocks.damage = str(error)

    def _take(self, tiff: Tiff) -> None:
        entries = tiff.directory(tiff.first).entries
        found = {tag: tiff.value(entries[tag]) for tag in (XMP, IIM, PHOTOSHOP) if tag in entries}
        self.blocks.xmp = [found[XMP]] if XMP in found else []
        self.blocks.photoshop = found.get(PHOTOSHOP, b"")
        self.blocks.iim = found.get(IIM, b"")
        if IIM in entries and entries[IIM].kind == 4 and tiff.order == ">" and self.blocks.iim[:1] != b"\x1c":
            words = struct.unpack(f">{len(self.blocks.iim) // 4}I", self.blocks.iim)  # turned by some writers
            self.blocks.iim = struct.pack(f"<{len(words)}I", *words)

    def rewritten(self, new: Blocks, directory: dict[int, New | None] | None = None) -> list[Piece]:
        """`directory`: other entries, by tag."""
        if self.tiff is None or self.blocks.damage:
            raise Damaged(self.blocks.damage)
        changes: dict[int, New | None] = dict(directory or {})
        changes[XMP] = New(BYTE, new.xmp[0]) if new.xmp else None
        changes[IIM] = New(LONG, new.iim) if new.iim else None
        changes[PHOTOSHOP] = New(BYTE, new.photoshop) if new.photoshop else None
        header, tail = self.tiff.appended(changes)
        size = self.tiff.walk.size
        return joined([header, Span(len(header), size - len(header)), tail])
