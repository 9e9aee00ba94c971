"""The museum's words as EXIF: description, artist, copyright, and those of Windows where a file has them."""

import io

from assets.metadata.exif import UTF_16
from assets.metadata.present import Statement
from assets.metadata.texts import clean, cut
from assets.metadata.tiff import ASCII, BYTE, EMPTY, New, Tiff

DESCRIPTION, ARTIST, COPYRIGHT = 0x010E, 0x013B, 0x8298
WINDOWS = {0x9C9B: "title", 0x9C9D: "creators", 0x9C9E: "tags"}
LONGEST, SHORT = 2000, 100  # bytes; the whole text is in the XMP, and EXIF in a JPEG has 64 kB for everything
# What programs of science keep in a TIFF's description, and cannot read the pixels without.
NOT_A_DESCRIPTION = (b"<?xml", b"<OME", b"ImageJ=", b"{", b"SCANIMAGE", b"SI.")


def update(block: bytes, says: Statement, room: int) -> bytes:
    """The EXIF block with what the museum says; empty where there was none and nothing is to be said.

    Where it would be larger than `room` bytes, the texts are cut short; where even that does not help, it
    stays as it was. Raises Damaged.
    """
    tiff = Tiff(io.BytesIO(block or EMPTY))
    for longest in (LONGEST, SHORT):
        changes = directory(tiff, says, longest)
        if not any(changes.values()) and not block:
            return b""
        header, tail = tiff.appended(changes)
        made = header + (block or EMPTY)[len(header) :] + tail
        if len(made) <= room:
            return made
    return block


def directory(tiff: Tiff, says: Statement, longest: int = LONGEST) -> dict[int, New | None]:
    """The entries of the first directory that change. Raises Damaged."""
    present = tiff.directory(tiff.first).entries
    texts = {DESCRIPTION: "description", ARTIST: "creators", COPYRIGHT: "rights"}
    if DESCRIPTION in present and _is_data(tiff.value(present[DESCRIPTION])):
        del texts[DESCRIPTION]
    changes: dict[int, New | None] = {}
    for tag, field in texts.items():
        if says.touches(field):
            text = cut(_joined(says, field), longest)
            changes[tag] = New(ASCII, text + b"\x00") if text else None
    for tag, field in WINDOWS.items():
        if tag in present and tag in UTF_16 and says.touches(field):
            text = _joined(says, field)[:longest].encode("utf-16-le", "ignore")
            changes[tag] = New(BYTE, text + b"\x00\x00") if text else None
    return {tag: new for tag, new in changes.items() if new or tag in present}


def _joined(says: Statement, field: str) -> str:
    value = getattr(says, field)
    return clean("; ".join(value) if isinstance(value, tuple) else value)


def _is_data(description: bytes) -> bool:
    return description.lstrip().startswith(NOT_A_DESCRIPTION)
