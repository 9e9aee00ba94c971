"""A HEIC picture, made by code: blocks of HEVC may be plain samples, which needs no real encoder.

Source: ITU-T H.265, sections 7.3 (syntax) and 9.3.4 (arithmetic coding); ISO/IEC 23008-12 (the file around).
"""

import struct

import numpy as np
from PIL import Image

BLOCK = 32  # luma samples a side; the largest that may be plain
LEAST_PROBABLE = (240, 227, 216, 205)  # table 9-52: the first states, for the upper quarter of the range
MOST_BLOCKS = len(LEAST_PROBABLE)


class Bits:
    """Numbers, written bit by bit."""

    def __init__(self) -> None:
        self.bits: list[int] = []

    def put(self, value: int, size: int) -> "Bits":
        self.bits += [value >> at & 1 for at in reversed(range(size))]
        return self

    def ue(self, *values: int) -> "Bits":
        """Exponential Golomb codes."""
        for value in values:
            size = (value + 1).bit_length()
            self.put(value + 1, 2 * size - 1)
        return self

    def whole(self, stop: bool = True) -> bytes:
        if stop:
            self.bits.append(1)
        self.bits += [0] * (-len(self.bits) % 8)
        return np.packbits(self.bits).tobytes()


class Arithmetic:
    """As much of the coder as is needed: every decision takes its more probable way, or ends."""

    def __init__(self, bits: Bits) -> None:
        self.bits, self.state = bits, 0
        self.begin()

    def begin(self) -> None:
        self.low, self.range, self.first, self.outstanding = 0, 510, True, 0

    def probable(self) -> None:
        self.range -= LEAST_PROBABLE[self.state]
        self.state += 1
        self.renormalise()

    def end(self, here: bool) -> None:
        self.range -= 2
        if not here:
            self.renormalise()
            return
        self.low += self.range
        self.range = 2
        self.renormalise()
        self.out(self.low >> 9 & 1)
        self.bits.put(self.low >> 7 & 3 | 1, 2)

    def renormalise(self) -> None:
        while self.range < 256:
            if self.low < 256:
                self.out(0)
            elif self.low >= 512:
                self.low -= 512
                self.out(1)
            else:
                self.low -= 256
                self.outstanding += 1
            self.range, self.low = self.range << 1, self.low << 1

    def out(self, bit: int) -> None:
        if self.first:
            self.first = False
        else:
            self.bits.put(bit, 1)
        self.bits.bits += [1 - bit] * self.outstanding
        self.outstanding = 0


def heic(image: Image.Image, turns: int = 0, profile: bytes = b"") -> bytes:
    """At most MOST_BLOCKS blocks of BLOCK; `turns` quarters to the left bring it upright."""
    assert image.width % BLOCK == image.height % BLOCK == 0
    contents = {32: _vps(), 33: _sps(*image.size), 34: _pps()}
    units = {kind: _nal(kind, content) for kind, content in contents.items()}
    coded = _nal(19, _slice(image))
    record = b"\1\3" + struct.pack(">I", 0x60000000) + bytes(6) + b"\x5a\xf0\0\xfc\xfd\xf8\xf8\0\0\x0f\x03"
    for kind, unit in units.items():
        record += struct.pack(">BHH", 0x80 | kind, 1, len(unit)) + unit
    color = _box("colr", b"prof" + profile if profile else b"nclx" + struct.pack(">HHHB", 1, 13, 6, 0x80))
    nclx = _box("colr", b"nclx" + struct.pack(">HHHB", 1, 13, 6, 0x80))
    shape = _full("ispe", struct.pack(">II", *image.size))
    properties = [_box("hvcC", record), shape, color, nclx, _box("irot", bytes([turns]))]
    used = bytes([0x81, 2, 3, 4, 0x85])
    associations = _full("ipma", struct.pack(">IHB", 1, 1, len(used)) + used)
    prepared = _box("iprp", _box("ipco", b"".join(properties)) + associations)
    entry = _full("infe", struct.pack(">HH4sB", 1, 0, b"hvc1", 0), 2)
    payload = struct.pack(">I", len(coded)) + coded
    brands = _box("ftyp", b"heic\0\0\0\0mif1heic")

    def meta(offset: int) -> bytes:
        place = struct.pack(">BBHHHHII", 0x44, 0, 1, 1, 0, 1, offset, len(payload))
        handler = _full("hdlr", struct.pack(">I4s12sB", 0, b"pict", bytes(12), 0))
        main, listed = _full("pitm", b"\0\1"), _full("iinf", b"\0\1" + entry)
        return _full("meta", handler + main + listed + prepared + _full("iloc", place))

    offset = len(brands) + len(meta(0)) + 8
    return brands + meta(offset) + _box("mdat", payload)


def _box(kind: str, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind.encode()) + content


def _full(kind: str, content: bytes, version: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", version << 24) + content)


def _nal(kind: int, content: bytes) -> bytes:
    """With a 3 wherever a start code would appear."""
    safe = bytearray()
    for byte in content:
        if byte <= 3 and safe[-2:] == b"\0\0":
            safe.append(3)
        safe.append(byte)
    return bytes([kind << 1, 1]) + bytes(safe)


def _profile(bits: Bits) -> Bits:
    """Main Still Picture, level 3."""
    return bits.put(3, 8).put(0x70000000, 32).put(0b1001, 4).put(0, 44).put(90, 8)


def _vps() -> bytes:
    bits = _profile(Bits().put(0b0000_11, 6).put(0, 6).put(0, 3).put(1, 1).put(0xFFFF, 16))
    return bits.put(1, 1).ue(0, 0, 0).put(0, 6).ue(0).put(0, 2).whole()


def _sps(width: int, height: int) -> bytes:
    bits = _profile(Bits().put(0, 4).put(0, 3).put(1, 1))
    bits.ue(0, 1, width, height).put(0, 1).ue(0, 0, 0).put(1, 1).ue(0, 0, 0)
    bits.ue(2, 0)  # blocks of 32 and no others
    bits.ue(0, 3, 0, 0).put(0, 3)  # transforms from 4 to 32; no lists, no asymmetry, no offsets
    bits.put(1, 1).put(7, 4).put(7, 4).ue(2, 0).put(1, 1)  # plain samples of 8 bits in blocks of 32
    return bits.ue(0).put(0, 5).whole()


def _pps() -> bytes:
    bits = Bits().ue(0, 0).put(0, 7).ue(0, 0, 0).put(0, 3).ue(0, 0).put(0, 7)
    return bits.put(0b101, 3).put(0, 2).ue(0).put(0, 2).whole()


def _slice(image: Image.Image) -> bytes:
    bits = Bits().put(0b10, 2).ue(0, 2, 0)
    bits.whole()
    luma, *chroma = (np.asarray(band) for band in image.convert("YCbCr").split())
    corners = [(y, x) for y in range(0, image.height, BLOCK) for x in range(0, image.width, BLOCK)]
    assert len(corners) <= MOST_BLOCKS
    coder = Arithmetic(bits)
    for number, (y, x) in enumerate(corners, 1):
        coder.probable()  # one part
        coder.end(here=True)  # of plain samples
        bits.whole(stop=False)
        colors = [band[y : y + BLOCK : 2, x : x + BLOCK : 2] for band in chroma]
        for samples in (luma[y : y + BLOCK, x : x + BLOCK], *colors):
            bits.bits += np.unpackbits(np.ascontiguousarray(samples)).tolist()
        coder.begin()
        coder.end(here=number == len(corners))
    return bits.whole(stop=False)
