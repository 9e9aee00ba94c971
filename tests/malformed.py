"""Files that mean harm or are damaged, made by code; the same ones for the same seed."""

import gzip
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from PIL import Image

from tests.factories import encoded
from tests.heic import heic
from tests.samples import dng, pdf, psd, svg, tiff, video


class Malformed(NamedTuple):
    name: str
    content: bytes


def files(count: int, seed: int = 1, slow: bool = False) -> Iterator[Malformed]:
    """The crafted ones first, with `slow` those too that keep a decoder busy; then damaged ones."""
    crafted = {**CRAFTED, **(SLOW if slow else {})}
    for name, make in crafted.items():
        yield Malformed(name, make())
    chance = random.Random(seed)  # noqa: S311 (not for secrets)
    whole = sorted(good().items())
    for number in range(count - len(crafted)):
        name, content = whole[number % len(whole)]
        damage = chance.choice(DAMAGES)
        other = chance.choice(whole)[0].rpartition(".")[2]
        yield Malformed(f"{number}-{damage.__name__}-{name}.{other}", damage(content, chance))


@cache
def good() -> dict[str, bytes]:
    """A whole file of every kind that is taken."""
    image = Image.effect_noise((96, 64), 90).convert("RGB")
    made = {f"a.{format.lower()}": encoded(image, format) for format in PLAIN}
    moving = [image, image.rotate(90), image.rotate(180)]
    for format in ("GIF", "TIFF", "WEBP"):
        made[f"many.{format.lower()}"] = encoded(image, format, save_all=True, append_images=moving)
    made |= {"a.heic": heic(image.resize((64, 64))), "a.psd": psd(image, packed=True), "a.dng": dng()}
    made |= {"a.pdf": pdf("one", "two"), "a.svg": svg("<text>words</text>")}
    return made | {"a.mp4": video(seconds=1), "a.avi": video("avi", "MJPG", seconds=1)}


PLAIN = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "JPEG2000", "AVIF")


# --- damage -------------------------------------------------------------------------------------------


def truncated(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(1, len(content))]


def flipped(content: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(chance.randrange(1, 30)):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def lying(content: bytes, chance: random.Random) -> bytes:
    """Some number near the beginning is as large as can be."""
    damaged = bytearray(content)
    at = chance.randrange(4, min(len(damaged), 400))
    size = chance.choice([1, 2, 4])
    damaged[at : at + size] = b"\xff" * size
    return bytes(damaged)


def torn(content: bytes, chance: random.Random) -> bytes:
    """A piece is missing in the middle."""
    at = chance.randrange(len(content))
    return content[:at] + content[at + chance.randrange(1, 2000) :]


def doubled(content: bytes, chance: random.Random) -> bytes:
    """Another file stands behind, and a piece of it inside."""
    other = chance.choice(sorted(good().values()))
    at = chance.randrange(len(content))
    return content[:at] + other[:200] + content[at:] + other


DAMAGES = (truncated, flipped, lying, torn, doubled)


# --- crafted ------------------------------------------------------------------------------------------


def png(width: int, height: int, data: bytes = b"", depth: int = 8, color: int = 2) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def grey_tiff(
    width: int, height: int, strip: bytes = b"\0" * 64, following: int = 0, compression: int = 1
) -> bytes:
    entries = {256: (4, [width]), 257: (4, [height]), 258: (3, [8]), 259: (3, [compression])}
    entries |= {262: (3, [1]), 277: (3, [1]), 278: (4, [height])}
    return tiff(entries, strip, following)  # type: ignore[arg-type]


def packed_zeros(count: int) -> bytes:
    return zlib.compress(bytes(count), 9)


def jpeg_of(width: int, height: int) -> bytes:
    whole = bytearray(encoded(Image.new("RGB", (32, 32)), "JPEG"))
    at = whole.index(b"\xff\xc0") + 5
    whole[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(whole)


def large_bmp(side: int) -> bytes:
    return b"BM" + bytes(8) + struct.pack("<IIiiHH24x", 54, 40, side, side, 1, 24)


def large_psd(side: int) -> bytes:
    whole = psd(Image.new("L", (9, 9)))
    return whole[:14] + struct.pack(">II", side, side) + whole[22:]


def large_heic(side: int) -> bytes:
    whole = heic(Image.new("RGB", (64, 32)))
    return changed(whole, struct.pack(">II", 64, 32), struct.pack(">II", side, side))


def large_profile() -> bytes:
    """Its colour profile is of 100 MB, packed."""
    packed = b"iCCPa\0\0" + zlib.compress(bytes(10**8))
    return changed(
        png(9, 9), b"\0\0\0\0IDAT", struct.pack(">I", len(packed) - 4) + packed + b"\0\0\0\0" * 2 + b"IDAT"
    )


def zipped(depth: int) -> bytes:
    content = bytes(10_000_000)
    for _ in range(depth):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner.zip", content)
        content = buffer.getvalue()
    return content


def changed(content: bytes, before: bytes, after: bytes) -> bytes:
    assert before in content
    return content.replace(before, after)


def laughs() -> bytes:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    return svg("<text>&e9;</text>", before=f'<!DOCTYPE svg [<!ENTITY e0 "ha">{entities}]>')


def nested_uses(depth: int) -> bytes:
    groups = "".join(
        f'<g id="g{n}">' + f'<use xlink:href="#g{n - 1}"/>' * 10 + "</g>" for n in range(1, depth)
    )
    return svg(f'<g id="g0"><rect width="1" height="1"/></g>{groups}')


def endless_video() -> bytes:
    """Its tables claim that it lasts for years."""
    whole = bytearray(video(seconds=1))
    for name in (b"mvhd", b"tkhd", b"mdhd"):
        at = whole.index(name) + (24 if name == b"tkhd" else 20)
        whole[at : at + 4] = b"\x7f\xff\xff\xff"
    at = whole.index(b"stts") + 12
    whole[at : at + 4] = b"\x7f\xff\xff\xff"
    return bytes(whole)


def nested_forms() -> bytes:
    return changed(pdf("(x) Tj " * 10), b"BT /F1", b"/F1 Do BT /F1")


WIDTH = struct.pack("<HHI", 256, 4, 1)  # an entry of a TIFF
ONE_ENTITY = '<!DOCTYPE svg [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
SCRIPTS = '<script>alert(1)</script><a href="javascript:alert(1)" onclick="alert(1)"><text>x</text></a>'
BLUR = '<filter id="f"><feGaussianBlur stdDeviation="5000"/></filter>'
BLUR += '<rect filter="url(#f)" width="99" height="99"/>'
OUTSIDE = ("file:///etc/hostname", "http://127.0.0.1:9/x.png", "../../x.png")
EXTERNAL = '<image width="99" height="99" xlink:href="{}"/>'
CRAFTED: dict[str, Callable[[], bytes]] = {
    "empty.jpg": lambda: b"",
    "one byte.png": lambda: b"\x89",
    "ten gigapixels.png": lambda: png(100_000, 100_000),
    "ten gigapixels.tif": lambda: grey_tiff(100_000, 100_000),
    "four gigapixels.jpg": lambda: jpeg_of(65_000, 65_000),
    "four gigapixels.gif": lambda: b"GIF89a" + struct.pack("<HH", 65535, 65535) + good()["a.gif"][10:],
    "ten gigapixels.psd": lambda: large_psd(99_999),
    "many pixels and no data.png": lambda: png(30_000, 30_000),
    "many pixels and no data.tif": lambda: grey_tiff(30_000, 30_000),
    "many pixels and no data.bmp": lambda: large_bmp(25_000),
    "many pixels and no data.jpg": lambda: jpeg_of(30_000, 30_000),
    "many pixels and no data.psd": lambda: large_psd(20_000),
    "many pixels and no data.dng": lambda: changed(dng(), WIDTH + b"\x40\0", WIDTH + b"\x48\x71"),
    "many pixels and no data.heic": lambda: large_heic(30_000),
    "a loop of pages.tif": lambda: grey_tiff(8, 8, following=8),
    "a loop of inner pages.tif": lambda: tiff({256: (4, [8]), 257: (4, [8]), 330: (4, [8, 8, 8])}, b"", 8),
    "a profile of 100 MB.png": large_profile,
    "a page of nothing.tif": lambda: b"II*\0\x08\0\0\0\0\0",
    "zip.jpg": lambda: zipped(3),
    "gzip.svg": lambda: gzip.compress(svg()),
    "program.png": lambda: b"\x7fELF" + bytes(200),
    "page.jpg": lambda: b"<!doctype html><svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "script and picture.gif": lambda: b"GIF89a/*" + good()["a.gif"][8:] + b"*/=1;alert(1)",
    "picture and document.jpg": lambda: good()["a.jpeg"] + pdf("behind"),
    "document and archive.pdf": lambda: pdf("before") + zipped(1),
    "entities.svg": laughs,
    "one entity.svg": lambda: svg("<text>&f;</text>", before=ONE_ENTITY),
    "outside.svg": lambda: svg("".join(map(EXTERNAL.format, OUTSIDE))),
    "scripts.svg": lambda: svg(SCRIPTS),
    "huge.svg": lambda: svg(attributes='width="1e9" height="1e9"'),
    "flat.svg": lambda: svg(attributes='width="1e9" height="1"'),
    "no size.svg": lambda: svg(attributes='width="0" viewBox="0 0 0 0"'),
    "deep.svg": lambda: svg("<g>" * 50_000 + "</g>" * 50_000),
    "itself.svg": lambda: svg('<g id="a"><use xlink:href="#a"/><use xlink:href="#a"/></g>'),
    "a million pages.pdf": lambda: pdf("one", "two", claims=1_000_000),
    "no pages.pdf": lambda: pdf("one", claims=-5),
    "a huge page.pdf": lambda: pdf("one", size=(10**9, 10**9)),
    "a page without size.pdf": lambda: pdf("one", size=(0, 0)),
    "inside itself.pdf": nested_forms,
    "secret.pdf": lambda: pdf("one", password=True),
    "only a beginning.pdf": lambda: b"%PDF-1.7\n",
    "for years.mp4": endless_video,
    "only a beginning.mp4": lambda: b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
    "playlist.mp4": lambda: b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
    "playlist behind a box.mp4": lambda: b"\0\0\0\x10ftypmp42\0\0\0\0\n#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/\n",
    "only a beginning.heic": lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "only a beginning.mkv": lambda: b"\x1aE\xdf\xa3" + bytes(99),
}  # fmt: skip
SLOW: dict[str, Callable[[], bytes]] = {
    "a gigapixel of nothing.png": lambda: png(31_000, 31_000, packed_zeros(31_000 * 3876), 1, 0),
    "a gigapixel of nothing.tif": lambda: grey_tiff(31_000, 31_000, packed_zeros(961_000_000), 0, 8),
    "uses of uses.svg": lambda: nested_uses(12),
    "a wide blur.svg": lambda: svg(BLUR * 20),
    "zip in zip in zip.tif": lambda: zipped(12),
    "a thousand thousand pages.tif": lambda: many_pages(300_000),
    "a long document.pdf": lambda: pdf(*(f"page {n}" for n in range(3000))),
}  # fmt: skip


def many_pages(count: int) -> bytes:
    """Directories without end, one behind the other, each of one entry."""
    start = len(grey_tiff(8, 8))
    page = struct.pack("<HHHII", 1, 254, 4, 1, 0)
    step = len(page) + 4
    places = range(start + step, start + step * (count + 1), step)
    return grey_tiff(8, 8, following=start) + b"".join(page + struct.pack("<I", place) for place in places)
