"""Every parameter of the Image API 3 with real pixels: the published features of level 2, and more."""

import io
from pathlib import Path

import pytest
from PIL import Image

from iiif import pixels
from iiif.parameters import NotImplementedHere, Wrong, parse
from tests.iiif.conftest import FULL

WIDE, HIGH = FULL
LONGEST = 2000
NEAR = 8  # of 255: JPEG, and half a pixel


def cut(pyramid: Path, region: str, size: str, rotation: str = "0", last: str = "default.png") -> Image.Image:
    content = pixels.made(pyramid, parse(FULL, LONGEST, region, size, rotation, last))
    return Image.open(io.BytesIO(content))


def place(image: Image.Image, across: float, down: float) -> tuple[float, float]:
    """Where in the whole picture this point of a part lies, in pixels."""
    x, y = int(across * (image.width - 1)), int(down * (image.height - 1))
    red, green, blue = image.convert("RGB").getpixel((x, y))  # type: ignore[misc]
    assert abs(blue - 128) <= NEAR
    return red / 255 * (WIDE - 1), green / 255 * (HIGH - 1)


def shows(image: Image.Image, left: float, top: float, width: float, height: float) -> bool:
    """Whether the corners of the part are those of this box."""
    corners = {(0, 0): (left, top), (1, 1): (left + width, top + height), (1, 0): (left + width, top)}
    near = (NEAR / 255 * WIDE, NEAR / 255 * HIGH)
    found = {at: place(image, *at) for at in corners}
    return all(
        abs(across - x) <= near[0] and abs(down - y) <= near[1]
        for (across, down), (x, y) in ((found[at], corner) for at, corner in corners.items())
    )


@pytest.mark.parametrize(
    ("region", "box"),
    [
        ("full", (0, 0, WIDE, HIGH)),
        ("square", ((WIDE - HIGH) // 2, 0, HIGH, HIGH)),
        ("600,300,800,500", (600, 300, 800, 500)),
        ("2000,1500,900,900", (2000, 1500, 400, 200)),  # beyond the edges: cut off there
        ("pct:25,50,50,10", (600, 850, 1200, 170)),
        ("pct:41.6,7.5,100,100", (998, 128, 1402, 1572)),
    ],
)
def test_regions(pyramid: Path, region: str, box: tuple[int, int, int, int]) -> None:
    image = cut(pyramid, region, "!500,500")
    assert max(image.size) == min(500, max(box[2:]))
    assert image.width / image.height == pytest.approx(box[2] / box[3], rel=0.02)
    assert shows(image, *box)


@pytest.mark.parametrize(
    ("region", "size", "wanted"),
    [
        ("full", "max", (2000, 1417)),  # as far as the server allows
        ("0,0,700,300", "max", (700, 300)),
        ("0,0,700,300", "^max", (2000, 857)),
        ("full", "600,", (600, 425)),
        ("full", ",425", (600, 425)),
        ("full", "pct:25", (600, 425)),
        ("full", "600,600", (600, 600)),
        ("full", "!600,600", (600, 425)),
        ("full", "!1200,170", (240, 170)),
        ("0,0,100,50", "!600,600", (100, 50)),  # no larger than the region
        ("0,0,100,50", "^!600,600", (600, 300)),
        ("0,0,100,50", "^300,", (300, 150)),
        ("0,0,100,50", "^,300", (600, 300)),
        ("0,0,100,50", "^300,300", (300, 300)),
        ("0,0,100,50", "^pct:150", (150, 75)),
        ("0,0,100,50", "100,50", (100, 50)),
        ("0,0,2400,1", "24,", (24, 1)),
    ],
)
def test_sizes(pyramid: Path, region: str, size: str, wanted: tuple[int, int]) -> None:
    assert cut(pyramid, region, size).size == wanted


@pytest.mark.parametrize(
    ("rotation", "corner"),
    [
        ("0", (0, 0)),
        ("90", (0, 1)),  # the lower left corner comes to the upper left
        ("180", (1, 1)),
        ("270", (1, 0)),
        ("360", (0, 0)),
        ("!0", (1, 0)),
        ("!90", (1, 1)),
        ("!180", (0, 1)),
    ],
)
def test_rotations(pyramid: Path, rotation: str, corner: tuple[int, int]) -> None:
    image = cut(pyramid, "full", "600,425", rotation)
    assert image.size == ((425, 600) if rotation.endswith("90") or rotation == "270" else (600, 425))
    x, y = place(image, 0, 0)
    assert (round(x / WIDE), round(y / HIGH)) == corner


def test_other_angles_leave_corners_that_are_transparent_or_white(pyramid: Path) -> None:
    turned = cut(pyramid, "square", "200,", "45")
    assert turned.mode == "RGBA" and turned.width == pytest.approx(283, abs=2)
    assert turned.getpixel((1, 1))[3] == 0  # type: ignore[index]
    assert turned.getpixel((141, 141))[3] == 255  # type: ignore[index]
    white = cut(pyramid, "square", "200,", "22.5", "default.jpg").getpixel((1, 1))
    assert min(white) > 250  # type: ignore[type-var, arg-type]


@pytest.mark.parametrize(("format", "kind"), [("jpg", "JPEG"), ("png", "PNG"), ("webp", "WEBP")])
@pytest.mark.parametrize("quality", ["default", "color", "gray", "bitonal"])
def test_qualities_and_formats(pyramid: Path, quality: str, format: str, kind: str) -> None:
    image = cut(pyramid, "full", "300,", last=f"{quality}.{format}")
    assert (image.format, image.size) == (kind, (300, 212))
    red, green, blue = image.convert("RGB").getpixel((280, 10))  # type: ignore[misc]
    assert (red - green > 100) == (quality in ("default", "color"))
    if quality == "bitonal" and format == "png":
        assert sorted({value for _, value in image.convert("L").getcolors() or []}) == [0, 255]
    if quality == "gray":
        assert abs(red - green) <= 2 and abs(green - blue) <= 2


def test_every_tile_of_every_scale_shows_its_place(pyramid: Path) -> None:
    for factor in (1, 2, 4, 8):
        side = 512 * factor
        for left in range(0, WIDE, side):
            for top in range(0, HIGH, side):
                width, height = min(side, WIDE - left), min(side, HIGH - top)
                size = f"{-(-width // factor)},{-(-height // factor)}"
                image = cut(pyramid, f"{left},{top},{width},{height}", size, last="default.jpg")
                assert f"{image.width},{image.height}" == size
                assert shows(image, left, top, width, height), (factor, left, top)


@pytest.mark.parametrize(
    "address",
    [
        "fulll/max/0/default.jpg",
        "1,2,3/max/0/default.jpg",
        "-1,0,10,10/max/0/default.jpg",
        "0,0,0,10/max/0/default.jpg",
        "2400,0,10,10/max/0/default.jpg",
        "pct:0,0,1e1,10/max/0/default.jpg",
        "pct:101,0,10,10/max/0/default.jpg",
        "full/full/0/default.jpg",
        "full/,/0/default.jpg",
        "full/0,/0/default.jpg",
        "full/2500,/0/default.jpg",
        "full/2001,/0/default.jpg",  # more than the server allows
        "full/^2001,/0/default.jpg",
        "full/pct:0/0/default.jpg",
        "full/pct:120/0/default.jpg",
        "full/!100,/0/default.jpg",
        "0,0,10,10/20,20/0/default.jpg",
        "full/max/361/default.jpg",
        "full/max/-90/default.jpg",
        "full/max/!/default.jpg",
        "full/max/0/colour.jpg",
        "full/max/0/default.bmp",
        "full/max/0/default",
        "full/max/0/.jpg",
    ],
)
def test_what_cannot_be_understood(address: str) -> None:
    with pytest.raises(Wrong) as wrong:
        parse(FULL, LONGEST, *address.split("/"))
    assert wrong.value.status == 400


def test_what_is_right_and_not_offered() -> None:
    with pytest.raises(NotImplementedHere) as wrong:
        parse(FULL, LONGEST, "full", "max", "0", "default.tif")
    assert wrong.value.status == 501


@pytest.mark.parametrize(
    ("address", "canonical"),
    [
        ("full/max/0/default.jpg", "full/max/0/default.jpg"),
        ("0,0,2400,1700/2000,/360/color.jpg", "full/max/0/default.jpg"),
        ("pct:0,0,50,50/pct:50/90.0/gray.png", "0,0,1200,850/600,425/90/gray.png"),
        ("square/500,/!22.50/default.webp", "350,0,1700,1700/500,500/!22.5/default.webp"),
        ("0,0,100,50/^200,/0/default.jpg", "0,0,100,50/^200,100/0/default.jpg"),
        ("0,0,100,50/^!9000,9000/0/default.jpg", "0,0,100,50/^max/0/default.jpg"),
        ("0,0,100,50/^50,/0/default.jpg", "0,0,100,50/50,25/0/default.jpg"),
    ],
)
def test_the_canonical_address(address: str, canonical: str) -> None:
    cut = parse(FULL, LONGEST, *address.split("/"))
    assert cut.canonical == canonical
    assert parse(FULL, LONGEST, *canonical.split("/")) == cut
