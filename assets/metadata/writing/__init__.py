"""A file with the museum's present words in it, made while it is sent: no pixel is touched, and the original
in storage neither. What cannot be done without loss is not done: the file goes as it is, and says why."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from assets.decode import DAMAGED, reason
from assets.metadata import photoshop
from assets.metadata.blocks import Blocks, Damaged, Piece, Span, length_of
from assets.metadata.containers import WRITABLE, container_of, other
from assets.metadata.containers.tiff import TiffFile
from assets.metadata.present import Statement
from assets.metadata.reading import iim_of
from assets.metadata.writing import exif, iim
from assets.metadata.writing import xmp as words
from assets.metadata.xmp import Packet, merged, parse
from assets.models import AssetVersion

CHUNK = 1024 * 1024
NO_PLACE = "Metadata is not written into files of this format."


class Unwritable(ValueError):
    """The words cannot be put into this file; the message is for people."""


def pieces_of(file: IO[bytes], format: str, says: Statement, sidecar: str = "") -> list[Piece]:
    """The file with these words, as new bytes and ranges of the old. Raises Unwritable."""
    if format not in WRITABLE:
        raise Unwritable(NO_PLACE)
    if not says.says_something and not sidecar:
        return [Span(0, file.seek(0, 2))]
    try:
        container = WRITABLE[format](file)
        if container.blocks.damage:
            raise Damaged(container.blocks.damage)
        new = _blocks(container.blocks, says, sidecar, format)
        if isinstance(container, TiffFile) and container.tiff:
            return container.rewritten(new, exif.directory(container.tiff, says))
        new.exif = exif.update(container.blocks.exif, says, container.room_for_exif)
        return container.rewritten(new)
    except (Damaged, struct.error) as error:
        raise Unwritable(f"Metadata cannot be written into this file. {error}") from error


def why_not(path: Path, format: str) -> str:
    """Why nothing can be written into this file, empty where it can; at most 300 characters."""
    with path.open("rb") as file:
        try:
            pieces_of(file, format, Statement(title="x", description="x", accession="x"))
        except Unwritable as error:
            return str(error)[:300]
        except DAMAGED as error:
            return f"Metadata cannot be written into this file ({reason(error)})."[:300]
    return ""


def unwritable(version: AssetVersion) -> str:
    """What was found out about this when its metadata was read; empty where nothing stands in the way."""
    return version.unwritable or ("" if version.format in WRITABLE else NO_PLACE)


def stream(file: IO[bytes], pieces: list[Piece]) -> Iterator[bytes]:
    """The bytes of the new file in parts of at most CHUNK; closes the old one at the end."""
    with file:
        for piece in pieces:
            if isinstance(piece, bytes):
                yield piece
                continue
            file.seek(piece.start)
            left = piece.length
            while left and (part := file.read(min(CHUNK, left))):
                left -= len(part)
                yield part


def sidecar_of(path: Path, says: Statement, sidecar: str = "") -> bytes:
    """An XMP file with these words and all that the file's own XMP and sidecar say besides."""
    with path.open("rb") as file:
        kind = container_of(file.read(12))
        found = kind(file).blocks if kind else other.blocks_of(path)
    packet = _packet(found, sidecar, strict=False)
    words.update(packet, says)
    return packet.serialised()


def _blocks(old: Blocks, says: Statement, sidecar: str, format: str) -> Blocks:
    packet = _packet(old, sidecar, strict=True)
    words.update(packet, says)
    new = Blocks(xmp=[packet.serialised()], photoshop=old.photoshop)
    if format in ("JPEG", "TIFF"):
        resources, rest = photoshop.resources(old.photoshop)
        if rest:
            raise Damaged("The Photoshop block in the file is damaged.")
        new.iim = iim.update(iim_of(old), says)
        if format == "TIFF":  # where its numbers are of four bytes
            new.iim += bytes(-len(new.iim) % 4)
        whole = photoshop.with_iim(resources, new.iim, elsewhere=format == "TIFF")
        new.photoshop = photoshop.packed(whole)
    return new


def _packet(blocks: Blocks, sidecar: str, strict: bool) -> Packet:
    """All packets of a file and its sidecar as one; `strict`: raises Damaged where one would be lost."""
    packets: list[Packet] = []
    for number, data in enumerate([sidecar.encode(), *blocks.xmp]):
        try:
            packets += [parse(data)] if data else []
        except Damaged:
            if strict and number:
                raise
    return merged(packets)


__all__ = ["Unwritable", "length_of", "pieces_of", "sidecar_of", "stream", "unwritable", "why_not"]
