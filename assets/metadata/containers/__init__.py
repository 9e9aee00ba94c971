"""Where each format keeps its blocks of metadata, and how it is written anew around untouched pixels."""

from assets.metadata.blocks import Container
from assets.metadata.containers.jpeg import Jpeg
from assets.metadata.containers.png import Png
from assets.metadata.containers.tiff import TiffFile
from assets.metadata.containers.webp import WebP

WRITABLE: dict[str, type[Container]] = {"JPEG": Jpeg, "PNG": Png, "TIFF": TiffFile, "WEBP": WebP}
"""By the format as the content says it."""

SIGNATURES: dict[bytes, type[Container]] = {
    b"\xff\xd8\xff": Jpeg,
    b"\x89PNG": Png,
    b"II*\x00": TiffFile,
    b"MM\x00*": TiffFile,
}
SIGNATURES |= {b"II+\x00": TiffFile, b"MM\x00+": TiffFile}


def container_of(head: bytes) -> type[Container] | None:
    """The container of a file that begins so (12 bytes), None where it is none of ours."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WebP
    return next((kind for signature, kind in SIGNATURES.items() if head.startswith(signature)), None)
