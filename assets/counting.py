"""Pages and frames, counted without decoding anything, in files that may say anything."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

MAX_PAGES = 10_000
MAX_ENTRIES = 4096  # of one directory; more are damage
SUBFILE, PHOTOMETRIC, SUBDIRECTORIES, DNG_VERSION = 254, 262, 330, 50706
REDUCED, MASK = 1, 4  # bits of SUBFILE: a smaller copy of another page, a mask for one
OF_A_SENSOR = {32803, 34892}  # PHOTOMETRIC: a mosaic of colour filters, and the same put together
SIZES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}  # the types of whole numbers
Directory = dict[int, tuple[int, ...]]


class Layout(NamedTuple):
    """How the numbers of a TIFF are written: in small or big files, least or most significant byte first."""

    order: str
    big: bool

    @property
    def offset(self) -> str:
        return self.order + ("Q" if self.big else "I")

    @property
    def length(self) -> str:
        return self.order + ("Q" if self.big else "H")

    @property
    def entry(self) -> struct.Struct:
        return struct.Struct(self.order + ("HHQ8s" if self.big else "HHI4s"))


def tiff_pages(path: Path) -> int:
    """Pages of a TIFF, from 1 to MAX_PAGES, without smaller copies and masks; a loop ends the count."""
    with path.open("rb") as file:
        subfiles = (directory.get(SUBFILE, (0,)) for directory in directories(file))
        return max(1, sum(1 for kind in subfiles if not (kind and kind[0] & (REDUCED | MASK))))


def is_raw(path: Path) -> bool:
    """Whether a file that begins as a TIFF holds what the sensor of a camera saw."""
    with path.open("rb") as file:
        for directory in directories(file, with_inner=True, most=16):
            if DNG_VERSION in directory or OF_A_SENSOR & set(directory.get(PHOTOMETRIC, ())):
                return True
    return False


def directories(file: IO[bytes], with_inner: bool = False, most: int = MAX_PAGES) -> Iterator[Directory]:
    """The whole numbers in the directories of a TIFF; those inside others too, if asked."""
    head = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8:
        return
    layout = Layout(order, struct.unpack_from(order + "H", head, 2)[0] == 43)
    if layout.big and len(head) < 16:
        return
    ahead = [struct.unpack_from(layout.offset, head, 8 if layout.big else 4)[0]]
    seen: set[int] = {0}
    while ahead and most > 0:
        at = ahead.pop(0)
        if at in seen:
            continue
        seen.add(at)
        directory, following = _directory(file, at, layout)
        if not directory:
            continue
        yield directory
        most -= 1
        ahead += [following, *(directory.get(SUBDIRECTORIES, ()) if with_inner else ())]


def _directory(file: IO[bytes], at: int, layout: Layout) -> tuple[Directory, int]:
    """The entries at a place and where the next directory is; empty where there is none."""
    count = _number(file, at, layout.length)
    if not 0 < count <= MAX_ENTRIES:
        return {}, 0
    data = file.read(count * layout.entry.size)
    if len(data) < count * layout.entry.size:
        return {}, 0
    following = file.read(struct.calcsize(layout.offset))
    found: Directory = {}
    for tag, kind, number, value in layout.entry.iter_unpack(data):
        if tag in (SUBFILE, PHOTOMETRIC, SUBDIRECTORIES, DNG_VERSION):
            found[tag] = _values(file, kind, number, value, layout)
    found.setdefault(SUBFILE, (0,))
    whole = len(following) == struct.calcsize(layout.offset)
    return found, struct.unpack(layout.offset, following)[0] if whole else 0


def _values(file: IO[bytes], kind: int, number: int, value: bytes, layout: Layout) -> tuple[int, ...]:
    """At most 16 numbers of an entry, which stand in it or, if they do not fit, where it points."""
    size = struct.calcsize(SIZES.get(kind, "B"))
    shown = min(number, 16)
    if number * size > len(value):
        try:
            file.seek(struct.unpack(layout.offset, value)[0])
        except (OSError, OverflowError, ValueError):
            return ()
        value = file.read(shown * size)
    shown = min(shown, len(value) // size)
    return struct.unpack_from(f"{layout.order}{shown}{SIZES.get(kind, 'B')}", value)


def _number(file: IO[bytes], at: int, form: str) -> int:
    try:
        file.seek(at)
    except (OSError, OverflowError, ValueError):  # beyond what a file can have
        return 0
    data = file.read(struct.calcsize(form))
    return int(struct.unpack(form, data)[0]) if len(data) == struct.calcsize(form) else 0


def gif_frames(path: Path) -> int:
    """Pictures in a GIF, from 1 to MAX_PAGES, as far as it is whole."""
    frames = 0
    with path.open("rb") as file:
        head = file.read(13)
        if len(head) == 13:
            _skip_colors(file, head[10])
        while frames < MAX_PAGES:
            kind = file.read(1)
            if kind == b",":
                described = file.read(9)
                if len(described) < 9:
                    break
                _skip_colors(file, described[8])
                frames += 1
            elif kind != b"!":
                break  # the end, or damage
            file.seek(1, 1)  # the size of codes, or the kind of an extension
            while size := file.read(1):
                if size == b"\0":
                    break
                file.seek(size[0], 1)
    return max(1, frames)


def _skip_colors(file: IO[bytes], flags: int) -> None:
    if flags & 0x80:
        file.seek(3 * 2 ** ((flags & 7) + 1), 1)
