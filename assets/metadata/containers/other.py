"""Formats that are only read: what Pillow hands out, or an XMP packet found by its marks (XMP part 3, 2)."""

import mmap
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from assets.decode import DAMAGED, reason
from assets.metadata import photoshop
from assets.metadata.blocks import Blocks

XMP_RESOURCE, EXIF_RESOURCE = 0x0424, 0x0422
PACKET = re.compile(rb"<\?xpacket begin=.{1,16000000}?<\?xpacket end=.{3,6}?\?>", re.DOTALL)
SEARCHED = 256 * 1024**2  # bytes from the start of a file, and from its end


def blocks_of(path: Path) -> Blocks:
    """What was found; never raises for a damaged file."""
    blocks = Blocks()
    try:
        with Image.open(path) as image:
            blocks = _of_pillow(image)
    except (UnidentifiedImageError, *DAMAGED) as error:
        blocks.damage = reason(error)
    if not blocks.xmp:
        blocks.xmp = _found(path)
    return blocks


def _of_pillow(image: Image.Image) -> Blocks:
    info: dict[Any, Any] = image.info
    exif, xmp = info.get("exif"), info.get("xmp")
    if not isinstance(exif, bytes):
        exif = image.getexif().tobytes() if image.getexif() else b""
    blocks = Blocks(exif=exif.removeprefix(b"Exif\x00\x00"))
    blocks.xmp = [xmp.encode() if isinstance(xmp, str) else xmp] if xmp else []
    for number, _name, data in getattr(image, "resources", []):  # of a Photoshop document
        if number == XMP_RESOURCE:
            blocks.xmp = [data]
        elif number == EXIF_RESOURCE:
            blocks.exif = data
        elif number in (photoshop.IIM, photoshop.DIGEST):
            blocks.photoshop += photoshop.packed(
                [photoshop.Resource(b"8BIM", number, photoshop.NO_NAME, data)]
            )
    return blocks


def _found(path: Path) -> list[bytes]:
    """The first packet in a file of any kind; a file that cannot be mapped has none."""
    with (
        suppress(OSError, ValueError),
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        for start, end in ((0, SEARCHED), (max(len(data) - SEARCHED, 0), len(data))):
            at = data.find(b"<?xpacket begin=", start, min(end, len(data)))
            if at >= 0 and (packet := PACKET.match(data, at)):
                return [packet[0]]
    return []
