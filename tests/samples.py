"""Files of kinds that no library here writes, made by code; and colour profiles."""

import struct
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

FORMS = {1: "B", 2: "s", 3: "H", 4: "I", 5: "I", 10: "i"}  # types of TIFF; rational numbers have two parts


def tiff(entries: Mapping[int, tuple[int, Sequence[int] | bytes]], strip: bytes, following: int = 0) -> bytes:
    """A TIFF of one directory and one strip; the tag of the strip's place is filled in."""
    entries = {273: (4, [0]), **entries, 279: (4, [len(strip)])}
    at = 8 + 2 + 12 * len(entries) + 4
    table, behind = b"", b""
    for tag in sorted(entries):
        kind, values = entries[tag]
        count = len(values) // (2 if kind in (5, 10) else 1)
        form = f"<{len(values)}s" if isinstance(values, bytes) else f"<{len(values)}{FORMS[kind]}"
        data = struct.pack(form, *([values] if isinstance(values, bytes) else values))
        if len(data) > 4:
            place, data = at + len(behind), data + bytes(len(data) % 2)
            behind += data
            data = struct.pack("<I", place)
        table += struct.pack("<HHI4s", tag, kind, count, data.ljust(4, b"\0"))
    place = struct.pack("<HHII", 273, 4, 1, at + len(behind))
    table = b"".join(
        place if table[n : n + 2] == place[:2] else table[n : n + 12] for n in range(0, len(table), 12)
    )
    head = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    return head + table + struct.pack("<I", following) + behind + strip


def dng(size: tuple[int, int] = (64, 48), orientation: int = 1) -> bytes:
    """What a sensor behind red, green, green and blue filters sees: red at the left, blue at the right."""
    width, height = size
    mosaic = np.full((height, width), 400, dtype="<u2")
    mosaic[::2, : width // 2 : 2] = 12000
    mosaic[1::2, width // 2 + 1 :: 2] = 12000
    matrix = (32404, -15371, -4985, -9692, 18760, 415, 556, -2040, 10572)  # XYZ to sRGB
    entries: dict[int, tuple[int, Sequence[int] | bytes]] = {
        254: (4, [0]),
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [16]),
        259: (3, [1]),
        262: (3, [32803]),
        271: (2, b"Maker\0"),
        272: (2, b"Model\0"),
        274: (3, [orientation]),
        277: (3, [1]),
        278: (4, [height]),
        284: (3, [1]),
        33421: (3, [2, 2]),
        33422: (1, [0, 1, 1, 2]),
        50706: (1, [1, 4, 0, 0]),
        50708: (2, b"Maker Model\0"),
        50717: (4, [16383]),
        50721: (10, [part for n in matrix for part in (n, 10_000)]),
        50728: (5, [1, 1, 1, 1, 1, 1]),
        50778: (3, [21]),
    }  # fmt: skip
    return tiff(entries, mosaic.tobytes())


def psd(
    image: Image.Image,
    *,
    depth: int = 8,
    profile: bytes = b"",
    packed: bool = False,
    large: bool = False,
    merged: bool = True,
) -> bytes:
    """A Photoshop document of one merged picture in RGB, CMYK or grey."""
    modes = {"L": 1, "RGB": 3, "CMYK": 4}
    planes = [np.asarray(band) for band in image.split()]
    if image.mode == "CMYK":
        planes = [255 - plane for plane in planes]
    resources = _resource(1057, struct.pack(">IB", 1, merged) + bytes(8))
    resources += _resource(1039, profile) if profile else b""
    rows = [row.astype(">u2") * 257 if depth == 16 else row for plane in planes for row in plane]
    data = b"".join(row.tobytes() for row in rows)
    if packed:
        lines = [_packed(row.tobytes()) for row in rows]
        data = struct.pack(f">{len(lines)}{'I' if large else 'H'}", *map(len, lines)) + b"".join(lines)
    head = struct.pack(
        ">4sH6xHIIHH",
        b"8BPS",
        2 if large else 1,
        len(planes),
        image.height,
        image.width,
        depth,
        modes[image.mode],
    )
    layers = bytes(8 if large else 4)
    return (
        head
        + bytes(4)
        + struct.pack(">I", len(resources))
        + resources
        + layers
        + struct.pack(">H", packed)
        + data
    )


def _resource(number: int, data: bytes) -> bytes:
    return struct.pack(">4sHHI", b"8BIM", number, 0, len(data)) + data + bytes(len(data) % 2)


def _packed(row: bytes) -> bytes:
    """Without repetitions, which the format allows."""
    parts = (row[at : at + 128] for at in range(0, len(row), 128))
    return b"".join(bytes([len(part) - 1]) + part for part in parts)


def pdf(*pages: str, size: tuple[int, int] = (300, 200), claims: int = 0, password: bool = False) -> bytes:
    """One page for each text, the upper half of each red. `claims` is how many pages it says it has."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    width, height = size
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {claims or len(pages)}>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for number, text in enumerate(pages):
        drawn = (
            f"1 0 0 rg 0 {height // 2} {width} {height // 2} re f 0 g BT /F1 12 Tf 20 40 Td ({text}) Tj ET"
        )
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]/Contents {5 + 2 * number} 0 R"
            "/Resources<</Font<</F1 3 0 R>>>>>>"
        )
        objects.append(f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream")
    written, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(written))
        written += f"{number} 0 obj{content}endobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    secret = (
        "/Encrypt<</Filter/Standard/V 1/R 2/O<" + "00" * 32 + ">/U<" + "00" * 32 + ">/P -4>>/ID[<00><00>]"
    )
    more = secret if password else ""
    size_of = len(objects) + 1
    written += f"xref\n0 {size_of}\n0000000000 65535 f \n{table}trailer<</Size {size_of}/Root 1 0 R{more}>>\n"
    return (written + f"startxref\n{written.index('xref')}\n%%EOF\n").encode("latin-1")


def svg(inside: str = "", attributes: str = 'width="200" height="100"', before: str = "") -> bytes:
    """A red rectangle that fills the left half, and more."""
    return (
        f'<?xml version="1.0"?>{before}<svg xmlns="http://www.w3.org/2000/svg" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink" {attributes}>'
        f'<rect width="100" height="100" fill="#f00"/>{inside}</svg>'
    ).encode()


def video(
    ending: str = "mp4", codec: str = "mp4v", size: tuple[int, int] = (160, 120), seconds: float = 2.0
) -> bytes:
    """Black at first, then red."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / f"video.{ending}")
        writer = cv2.VideoWriter(path, cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), 10.0, size)
        assert writer.isOpened()
        frames = round(seconds * 10)
        for number in range(frames):
            frame = np.zeros((size[1], size[0], 3), np.uint8)
            if number * 10 >= frames:
                frame[:, : size[0] // 2] = (0, 0, 255)
            writer.write(frame)
        writer.release()
        return Path(path).read_bytes()


# --- colour profiles --------------------------------------------------------------------------------

ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)), 2.2


def profile(primaries: Sequence[Sequence[float]], gamma: float) -> bytes:
    """A profile of three primaries (as XYZ under D50) and a gamma. Source: ICC.1:2001-04."""

    def number(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(values: Sequence[float]) -> bytes:
        return b"XYZ " + bytes(4) + b"".join(map(number, values))

    curve = b"curv" + bytes(4) + struct.pack(">IHH", 1, round(gamma * 256), 0)
    text = b"desc" + bytes(4) + struct.pack(">I", 5) + b"made\0" + bytes(78)
    tags = {b"desc": text + bytes(-len(text) % 4), b"wtpt": xyz((0.9642, 1.0, 0.8249))}
    tags |= {name: xyz(values) for name, values in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    table, data, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += struct.pack(">4sII", name, at + len(data), len(content))
        data += content
    size = at + len(data)
    head = struct.pack(">I4sI4s4s4s12x4s", size, bytes(4), 0x02100000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    head += bytes(28) + b"".join(map(number, (0.9642, 1.0, 0.8249)))
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


def pixels(image: Image.Image) -> NDArray[Any]:
    return np.asarray(image.convert("RGB"))
