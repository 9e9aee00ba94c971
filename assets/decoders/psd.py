"""Photoshop documents, small (PSD) and large (PSB): the merged picture, of 1, 8 or 16 bits.

Source: Adobe Photoshop File Formats Specification. The merged picture stands on white already, so that
further channels, which are transparency or selections, are left out.
"""

import struct
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assets.decode import upright_rgb
from assets.decoders import Look, Refused

MODES = {0: ("1", 1), 1: ("L", 1), 2: ("P", 1), 3: ("RGB", 3), 4: ("CMYK", 4), 8: ("L", 1), 9: ("LAB", 3)}
PROFILE, VERSION_INFO = 1039, 1057  # image resources
RAW, RLE = 0, 1
MAX_SECTION = 64 * 1024**2  # bytes of a palette or of all resources
DAMAGED = "The Photoshop document is damaged: it ends before the picture does. Copy or save it again."
NOT_MERGED = (
    "The Photoshop document has no merged picture inside. "
    "Save it again with “Maximize compatibility” turned on."
)


class Header(NamedTuple):
    large: bool
    channels: int
    height: int
    width: int
    depth: int
    """Bits of a channel."""
    mode: int


def look(path: str) -> Look:
    with Path(path).open("rb") as file:
        header = _header(file)
    return Look(header.width, header.height, 1, None, "image/vnd.adobe.photoshop")


def show(path: str, longest: int) -> Image.Image:
    with Path(path).open("rb") as file:
        header = _header(file)
        palette = _section(file, ">I")
        resources = _resources(_section(file, ">I"))
        if resources.get(VERSION_INFO, b"\0\0\0\0\1")[4:5] == b"\0":
            raise Refused(NOT_MERGED)
        file.seek(_number(file, ">Q" if header.large else ">I"), 1)  # layers and masks
        image = _merged(file, header, palette)
    if PROFILE in resources:
        image.info["icc_profile"] = resources[PROFILE]
    return upright_rgb(image, longest)


def _header(file: IO[bytes]) -> Header:
    data = file.read(26)
    if len(data) < 26:
        raise Refused(DAMAGED)
    _, version, _, channels, height, width, depth, mode = struct.unpack(">4sH6sHIIHH", data)
    header = Header(version == 2, channels, height, width, depth, mode)
    if mode not in MODES or depth not in (1, 8, 16) or channels < MODES[mode][1]:
        raise Refused(
            f"Photoshop documents of {depth} bits in this colour mode are not known here. "
            "Save a copy as TIFF."
        )
    return header


def _number(file: IO[bytes], form: str) -> int:
    data = file.read(struct.calcsize(form))
    if len(data) < struct.calcsize(form):
        raise Refused(DAMAGED)
    return int(struct.unpack(form, data)[0])


def _section(file: IO[bytes], form: str) -> bytes:
    size = _number(file, form)
    if size > MAX_SECTION:
        raise Refused(DAMAGED)
    return file.read(size)


def _resources(data: bytes) -> dict[int, bytes]:
    found, at = {}, 0
    while data[at : at + 4] == b"8BIM" and at + 12 < len(data):
        number, name = struct.unpack_from(">HB", data, at + 4)
        at += 6 + (name + 2) // 2 * 2
        if at + 4 > len(data):
            break
        (size,) = struct.unpack_from(">I", data, at)
        found[number] = data[at + 4 : at + 4 + size]
        at += 4 + (size + 1) // 2 * 2
    return found


def _merged(file: IO[bytes], header: Header, palette: bytes) -> Image.Image:
    mode, channels = MODES[header.mode]
    compression = _number(file, ">H")
    if compression not in (RAW, RLE):
        raise Refused(
            "The Photoshop document is compressed in a way that is not known here. Save it as TIFF."
        )
    sizes = _row_sizes(file, header) if compression == RLE else None
    planes = [_plane(file, header, sizes[n] if sizes is not None else None) for n in range(channels)]
    if mode == "CMYK":
        planes = [255 - plane for plane in planes]
    if mode in ("1", "L", "P"):
        image = Image.fromarray(planes[0])
    else:
        image = Image.merge(mode, [Image.fromarray(plane) for plane in planes])
    if mode == "P" and len(palette) >= 768:
        image.putpalette(np.frombuffer(palette[:768], np.uint8).reshape(3, 256).T.tobytes())
    return image


def _row_sizes(file: IO[bytes], header: Header) -> NDArray[np.int64]:
    """Bytes of each compressed row, (channels, height)."""
    kind = np.dtype(">u4" if header.large else ">u2")
    count = header.channels * header.height
    data = file.read(count * kind.itemsize)
    if len(data) < count * kind.itemsize:
        raise Refused(DAMAGED)
    return np.frombuffer(data, kind).reshape(header.channels, header.height).astype(np.int64)


def _plane(file: IO[bytes], header: Header, sizes: NDArray[np.int64] | None) -> NDArray[np.uint8]:
    """One channel, (height, width) from 0 to 255."""
    row = (header.width * header.depth + 7) // 8
    wanted = row * header.height if sizes is None else int(sizes.sum())
    data = file.read(wanted)
    if len(data) < wanted:
        raise Refused(DAMAGED)
    if sizes is not None:
        data = Image.frombytes("L", (row, header.height), data, "packbits", "L").tobytes()
    rows = np.frombuffer(data, np.uint8).reshape(header.height, row)
    if header.depth == 16:
        return np.ascontiguousarray(rows[:, ::2])
    if header.depth == 1:
        return (1 - np.unpackbits(rows, axis=1)[:, : header.width]) * np.uint8(255)
    return rows
