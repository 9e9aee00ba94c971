"""What an address of the Image API asks for. No Django and no pixels here.

Source: https://iiif.io/api/image/3.0/, chapters 4 (parameters) and 4.7 (the canonical form).
"""

import re
from dataclasses import dataclass

NUMBER = r"\d{1,9}(?:\.\d{1,10})?"
WHOLE = re.compile(r"(\d{1,9}),(\d{1,9}),(\d{1,9}),(\d{1,9})")
SHARES = re.compile(rf"pct:({NUMBER}),({NUMBER}),({NUMBER}),({NUMBER})")
PERCENT = re.compile(rf"pct:({NUMBER})")
SIDES = re.compile(r"(!?)(\d{0,9}),(\d{0,9})")
TURN = re.compile(rf"(!?)({NUMBER})")
QUALITIES = ("color", "gray", "bitonal")  # the first one is the default
FORMATS = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
OTHER_FORMATS = ("tif", "gif", "jp2", "pdf")
Box = tuple[int, int, int, int]
Size = tuple[int, int]


class Wrong(ValueError):
    """Nothing can be made of this address; the message says why."""

    status = 400


class NotImplementedHere(Wrong):
    """The address is right, but asks for something that is not offered."""

    status = 501


@dataclass(frozen=True)
class Cut:
    """One picture that was asked for."""

    full: Size
    """Pixels of the whole picture."""
    box: Box
    """Left, top, width, height in the whole picture."""
    size: Size
    """Pixels, before it is turned."""
    upscaled: bool
    most: Size
    """What `max`, or `^max` of what is upscaled, would be."""
    mirrored: bool
    angle: float
    """Degrees, clockwise, at least 0 and less than 360."""
    quality: str
    format: str

    @property
    def canonical(self) -> str:
        """The one address, after the identifier, of all that give this picture."""
        whole = self.box == (0, 0, *self.full)
        region = "full" if whole else ",".join(map(str, self.box))
        size = "max" if self.size == self.most else ",".join(map(str, self.size))
        turn = ("!" if self.mirrored else "") + f"{self.angle:.10f}".rstrip("0").rstrip(".")
        quality = "default" if self.quality == QUALITIES[0] else self.quality
        return f"{region}/{'^' * self.upscaled}{size}/{turn}/{quality}.{self.format}"


def parse(full: Size, longest: int, region: str, size: str, rotation: str, last: str) -> Cut:
    """The parts of an address, of a picture of `full` pixels; no side is made longer than `longest` pixels.

    Raises Wrong.
    """
    box = _box(full, region)
    wide, high = box[2:]
    upscaling = size.startswith("^")
    made = _size(box[2:], longest, size.removeprefix("^"), upscaling)
    upscaled = made[0] > wide or made[1] > high
    if upscaled and not upscaling:
        raise Wrong("The size is larger than the region; ^ before it asks for that.")
    if min(made) < 1 or max(made) > longest:
        raise Wrong(f"A side of the picture would have less than 1 or more than {longest} pixels.")
    most = _fitted((wide, high), (longest, longest), upscaling=upscaled)
    turned = TURN.fullmatch(rotation)
    if not turned or float(turned[2]) > 360:
        raise Wrong("The rotation is a number of degrees from 0 to 360, with ! before it to mirror.")
    quality, _, format = last.rpartition(".")
    if quality not in (*QUALITIES, "default"):
        raise Wrong(f"The quality is default, {', '.join(QUALITIES)}.")
    if format in OTHER_FORMATS:
        raise NotImplementedHere(f"The formats offered are {', '.join(FORMATS)}.")
    if format not in FORMATS:
        raise Wrong(f"The format is one of {', '.join(FORMATS)}.")
    quality = QUALITIES[0] if quality == "default" else quality
    angle = float(turned[2]) % 360
    return Cut(full, box, made, upscaled, most, bool(turned[1]), angle, quality, format)


def _box(full: Size, region: str) -> Box:
    """Left, top, width and height, cut off at the edges of the picture. Raises Wrong."""
    wide, high = full
    if region == "full":
        return 0, 0, wide, high
    if region == "square":
        side = min(full)
        return (wide - side) // 2, (high - side) // 2, side, side
    if found := WHOLE.fullmatch(region):
        left, top, width, height = map(int, found.groups())
    elif found := SHARES.fullmatch(region):
        shares = [float(share) / 100 for share in found.groups()]
        sides = (wide, high, wide, high)
        left, top, width, height = (round(share * side) for share, side in zip(shares, sides, strict=True))
    else:
        raise Wrong("The region is full, square, x,y,w,h or pct:x,y,w,h.")
    width, height = min(width, wide - left), min(height, high - top)
    if width < 1 or height < 1:
        raise Wrong("The region is empty, or outside the picture.")
    return left, top, width, height


def _size(region: tuple[int, ...], longest: int, size: str, upscaling: bool) -> Size:
    """The pixels that a size without its ^ means for a region. Raises Wrong."""
    wide, high = region
    if size == "max":
        return _fitted((wide, high), (longest, longest), upscaling=upscaling)
    if found := PERCENT.fullmatch(size):
        share = float(found[1]) / 100
        if share > 1 and not upscaling:
            raise Wrong("More than 100 percent must have ^ before it.")
        return round(wide * share), round(high * share)
    found = SIDES.fullmatch(size)
    if not found or not (found[2] or found[3]):
        raise Wrong("The size is max, w,  ,h  pct:n  w,h or !w,h, with ^ before it to enlarge.")
    width, height = int(found[2] or 0), int(found[3] or 0)
    if found[1]:
        if not (width and height):
            raise Wrong("!w,h needs a width and a height.")
        return _fitted((wide, high), (min(width, longest), min(height, longest)), upscaling=upscaling)
    if not found[2]:
        width = max(1, round(wide * height / high))
    if not found[3]:
        height = max(1, round(high * width / wide))
    return width, height


def _fitted(region: Size, within: Size, *, upscaling: bool) -> Size:
    """As large as possible inside `within`, with the proportions of the region."""
    scale = min(within[0] / region[0], within[1] / region[1])
    if scale >= 1 and not upscaling:
        return region
    width, height = (max(1, round(side * scale)) for side in region)
    return min(width, within[0]), min(height, within[1])
