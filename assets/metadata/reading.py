"""Reading EXIF, IPTC IIM and XMP out of a file, and a sidecar beside it, into the fields that people use."""

import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from assets.decode import DAMAGED, reason
from assets.metadata import exif, iim, photoshop, xmp
from assets.metadata.blocks import Blocks
from assets.metadata.containers import container_of, other
from assets.metadata.containers.tiff import TiffFile
from assets.metadata.mapping import Sources, Words, words_of
from assets.metadata.texts import bounded, clean
from assets.metadata.xmp import Packet

EXIF, IIM, XMP, SIDECAR, TEXTS = "EXIF", "IPTC IIM", "XMP", "XMP sidecar", "PNG text"
UNREADABLE = "unreadable"
Raw = dict[str, Any]


class Reading(NamedTuple):
    words: Words
    raw: dict[str, Raw]
    """The values by standard; of a block that cannot be read, the reason."""
    damage: str
    """Why the file could not be walked through to its end, empty when all is well."""


def read(path: Path, sidecar: str = "") -> Reading:
    """What a file and the sidecar that came with it say."""
    with path.open("rb") as file:
        kind = container_of(file.read(12))
        blocks = kind(file).blocks if kind else other.blocks_of(path)
        structure = file if kind is TiffFile else io.BytesIO(blocks.exif)
        has_exif = bool(blocks.exif) or kind is TiffFile and not blocks.damage
        raw = {EXIF: _guarded(lambda: exif.raw(structure)) if has_exif else {}}
    raw[IIM] = _guarded(lambda: iim.raw(iim_of(blocks)))
    beside, raw[SIDECAR] = _packet([sidecar.encode()] if sidecar else [])
    inside, raw[XMP] = _packet(blocks.xmp)
    raw[TEXTS] = {name: clean(text) for name, text in blocks.texts.items()}
    newer = photoshop.is_newer(photoshop.data_of(blocks.photoshop, photoshop.DIGEST), iim_of(blocks))
    sources = Sources(xmp.merged([beside, inside]), raw[IIM], raw[EXIF], raw[TEXTS], newer)
    kept = {standard: bounded(values) for standard, values in raw.items() if values}
    return Reading(words_of(sources), kept, blocks.damage)


def iim_of(blocks: Blocks) -> bytes:
    """The block of IPTC IIM, wherever it lies."""
    return blocks.iim or photoshop.data_of(blocks.photoshop, photoshop.IIM)


def _packet(found: Iterable[bytes]) -> tuple[Packet, Raw]:
    """Several packets as one, and its raw values."""
    packets: list[Packet] = []
    trouble: Raw = {}
    for data in found:
        try:
            packets.append(xmp.parse(data))
            packets[-1].raw()
        except DAMAGED as error:
            trouble = {UNREADABLE: clean(reason(error))}
    whole = xmp.merged(packets)
    return whole, whole.raw() | trouble


def _guarded(reader: Callable[[], Raw]) -> Raw:
    """One block; where it cannot be read, the reason in its place, so that the others are kept."""
    try:
        return reader()
    except DAMAGED as error:
        return {UNREADABLE: clean(reason(error))}
