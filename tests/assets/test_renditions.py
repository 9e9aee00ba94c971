from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from assets import renditions, storage
from assets.models import Asset, Rendition
from assets.progress import progress_of
from assets.renditions import SIZES, make_renditions
from assets.stages import PermanentFailure
from tests.factories import encoded, picture, take_in

pytestmark = pytest.mark.django_db
# Where the red top left corner of the upright picture is stored, for each EXIF orientation.
TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def made(content: bytes, name: str = "a.jpg") -> Asset:
    found = take_in(content, name).asset
    assert found is not None and found.current_version is not None
    make_renditions(found.current_version)()
    return Asset.objects.for_grid().get(pk=found.pk)


def opened(found: Asset, name: str = "small") -> Image.Image:
    rendition = found.rendition(name)
    assert rendition is not None
    with storage.renditions().open(rendition.storage_name) as file:
        image = Image.open(file)
        image.load()
    assert (image.width, image.height) == (rendition.width, rendition.height)
    return image


def near(image: Image.Image, at: tuple[int, int], color: tuple[int, int, int]) -> bool:
    pixel = np.array(image.convert("RGB").getpixel(at))
    return bool(np.abs(pixel - np.array(color)).max() < 40)


def test_all_sizes_are_made_and_never_enlarged() -> None:
    large, little = made(picture(size=(2400, 1200))), made(picture(size=(300, 100)))
    assert {r.name: (r.width, r.height) for r in large.current_version.renditions.all()} == {  # type: ignore[union-attr]
        "large": (1600, 800),
        "medium": (640, 320),
        "small": (256, 128),
    }
    assert opened(little, "large").size == (300, 100)
    assert large.current_version is not None and large.current_version.color == "#fe0000"


@pytest.mark.parametrize(
    ("image", "format", "color"),
    [
        (Image.new("RGBA", (60, 40), (255, 0, 0, 0)), "PNG", (255, 255, 255)),
        (Image.new("CMYK", (60, 40), (0, 255, 255, 0)), "TIFF", (255, 0, 0)),
        (Image.new("L", (60, 40), 128), "PNG", (128, 128, 128)),
        (Image.new("1", (60, 40), 1), "TIFF", (255, 255, 255)),
        (Image.new("I;16", (60, 40), 32768), "TIFF", (128, 128, 128)),
        (Image.new("I;16", (60, 40), 32768), "JPEG2000", (128, 128, 128)),
        (Image.new("I;16", (60, 40), 32768), "PNG", (128, 128, 128)),
        (Image.new("P", (60, 40), 0), "GIF", (0, 0, 0)),
        (Image.new("LAB", (60, 40), (138, 209, 198)), "TIFF", (255, 0, 0)),
    ],
)
def test_unusual_pixels_become_what_a_person_expects(
    image: Image.Image, format: str, color: tuple[int, int, int]
) -> None:
    assert near(opened(made(encoded(image, format))), (30, 20), color)


def test_colours_are_managed_to_srgb() -> None:
    """A profile in which the same numbers mean another colour must change the numbers."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = made(encoded(Image.new("RGB", (60, 40), (200, 30, 30)), "PNG", icc_profile=lab))
    assert near(opened(plain), (30, 20), (200, 30, 30))
    broken = made(encoded(Image.new("RGB", (60, 40), (0, 200, 30)), "PNG", icc_profile=b"no profile"))
    assert near(opened(broken), (30, 20), (0, 200, 30))


def test_a_large_picture_is_decoded_apart(settings: Any) -> None:
    found = made(encoded(Image.new("RGB", (6000, 4000), (0, 0, 255)), "PNG", compress_level=1), "large.png")
    assert opened(found, "large").size == (1600, 1067) and near(opened(found), (9, 9), (0, 0, 255))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_truncated_file_fails_with_a_reason(format: str) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    content = encoded(Image.fromarray(noise), format)
    found = take_in(content[: len(content) // 2], "half." + format.lower())
    if found.asset is None:  # some formats keep their directory at the end
        assert "damaged" in found.reason
        return
    assert found.asset.current_version is not None
    with pytest.raises(PermanentFailure, match="truncated|cannot be decoded"):
        make_renditions(found.asset.current_version)
    assert not Rendition.objects.exists()


def ramp(kind: str) -> Image.Image:
    """From dark at the left to bright at the right, in the numbers of a kind."""
    top = {"uint16": 65535, "int32": 2_000_000_000, "float32": 0.7, "uint8": 255}[kind]
    return Image.fromarray(np.tile(np.linspace(0, top, 300), (200, 1)).astype(kind))


@pytest.fixture(params=["here", "apart"])
def where(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "apart":
        monkeypatch.setattr(renditions, "IN_PROCESS_PIXELS", {})
        monkeypatch.setattr(renditions, "OTHER_IN_PROCESS_PIXELS", 0)
    return str(request.param)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_orientations_are_shown_upright(where: str, orientation: int) -> None:
    upright = Image.new("RGB", (120, 80), "white")
    upright.paste((255, 0, 0), (0, 0, 40, 30))
    stored = upright.transpose(TURNED[orientation]) if orientation in TURNED else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    for format in ("JPEG", "PNG", "WEBP", "TIFF") if where == "here" else ("TIFF",):
        found = made(encoded(stored, format, exif=exif, quality=95))
        image = opened(found)
        assert image.size == (120, 80) and near(image, (10, 10), (255, 0, 0)), format
        assert not near(image, (110, 10), (255, 0, 0)) and not near(image, (10, 70), (255, 0, 0)), format
        assert found.current_version is not None
        assert (found.current_version.width, found.current_version.height) == (120, 80), format


@pytest.mark.parametrize(
    ("kind", "format"),
    [
        ("uint8", "BMP"),
        ("uint8", "JPEG2000"),
        ("uint16", "JPEG2000"),
        ("uint16", "PNG"),
        ("uint16", "TIFF"),
        ("int32", "TIFF"),
        ("float32", "TIFF"),
    ],
)
def test_every_depth_of_pixels_goes_from_dark_to_bright(where: str, kind: str, format: str) -> None:
    image = opened(made(encoded(ramp(kind), format)))
    assert near(image, (2, 80), (0, 0, 0)) and near(image, (253, 80), (255, 255, 255))
    assert near(image, (128, 80), (128, 128, 128))


def test_numbers_that_are_none_and_a_plain_depth_do_no_harm(where: str) -> None:
    pixels = np.full((40, 60), 0.5, dtype=np.float32)
    made(encoded(Image.fromarray(pixels), "TIFF"))
    pixels[:20] = np.nan
    pixels[0, 0] = np.inf
    made(encoded(Image.fromarray(pixels), "TIFF"))


@pytest.mark.parametrize("format", ["BMP", "JPEG2000", "TIFF", "AVIF"])
def test_no_reason_names_a_path_of_the_server(where: str, format: str, settings: Any) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    content = encoded(Image.fromarray(noise), format)
    found = take_in(content[: len(content) - 2000], "half").asset
    if found is None:
        return
    assert found.current_version is not None
    with pytest.raises(PermanentFailure, match="truncated|cannot be decoded|stopped") as caught:
        make_renditions(found.current_version)
    assert str(settings.INCOMING_DIR.parent) not in str(caught.value) and "/" not in str(caught.value)


def test_a_damaged_avif_fails_with_a_reason() -> None:
    """Its decoder raises a RuntimeError where others raise an OSError."""
    content = bytearray(encoded(Image.effect_noise((300, 200), 80).convert("RGB"), "AVIF"))
    at = content.index(b"mdat") + 4
    content[at : at + 8] = bytes(8)
    found = take_in(bytes(content), "damaged.avif").asset
    assert found is not None and found.current_version is not None
    with pytest.raises(PermanentFailure, match="cannot be decoded"):
        make_renditions(found.current_version)


def test_a_large_truncated_file_fails_in_its_own_process() -> None:
    content = encoded(Image.effect_noise((5000, 4500), 90).convert("RGB"), "PNG", compress_level=1)
    found = take_in(content[: len(content) // 2], "half.png").asset
    assert found is not None and found.current_version is not None
    with pytest.raises(PermanentFailure, match="cannot be decoded completely"):
        make_renditions(found.current_version)


def test_making_them_again_changes_nothing(space: Any) -> None:
    found = made(picture())
    before = list(Rendition.objects.order_by("pk").values())
    assert found.current_version is not None
    make_renditions(found.current_version)()
    assert list(Rendition.objects.order_by("pk").values()) == before and len(before) == len(SIZES)
    assert progress_of(found).state == "processing"
