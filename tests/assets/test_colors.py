import pytest
from PIL import Image, ImageDraw

from assets import colors
from assets.models import AssetVersion, Rendition
from search.models import SearchRow
from tests.factories import asset

NAMED = {
    "red": ["#ff0000", "#b22222", "#8b0000", "#dc143c"],
    "orange": ["#ffa500", "#ff8c00"],
    "yellow": ["#ffff00", "#ffd700", "#f0e68c"],
    "green": ["#00ff00", "#006400", "#2e8b57", "#90ee90"],
    "cyan": ["#00ffff", "#008080", "#40e0d0"],
    "blue": ["#0000ff", "#000080", "#4169e1", "#87ceeb", "#4682b4"],
    "purple": ["#800080", "#4b0082"],
    "pink": ["#ffc0cb", "#ff69b4", "#ff1493"],
    "brown": ["#8b4513", "#704214", "#d2b48c"],
    "black": ["#000000", "#1a1815"],
    "grey": ["#808080", "#c0c0c0", "#696969"],
    "white": ["#ffffff", "#fffafa", "#f3ead6"],
}


@pytest.mark.parametrize(("name", "color"), [(name, color) for name, many in NAMED.items() for color in many])
def test_plain_colours_have_their_plain_names(name: str, color: str) -> None:
    assert colors.colors_of(Image.new("RGB", (30, 20), color)) == [name]


def test_the_names_are_all_there_are() -> None:
    assert tuple(NAMED) == colors.COLORS


def test_what_stands_out_comes_first_by_its_share() -> None:
    image = Image.new("RGB", (100, 100), "#87ceeb")
    ImageDraw.Draw(image).rectangle((0, 60, 99, 99), fill="#006400")
    ImageDraw.Draw(image).rectangle((0, 0, 29, 29), fill="#dc143c")
    ImageDraw.Draw(image).rectangle((80, 0, 85, 5), fill="#ffff00")
    assert colors.colors_of(image) == ["blue", "green", "red"]


@pytest.mark.django_db
def test_a_picture_is_found_by_its_colours_when_its_renditions_are_made() -> None:
    one = asset("blue")
    assert SearchRow.objects.get(asset=one).colors == []
    one = asset("blue", done=True)
    assert SearchRow.objects.get(asset=one).colors == ["blue"]
    assert AssetVersion.objects.get(pk=one.current_version_id).colors == ["blue"]


@pytest.mark.django_db
def test_pictures_from_before_are_looked_at_in_portions() -> None:
    made = [asset(color, done=True) for color in ("red", "green", "blue")]
    asset()  # without renditions yet
    AssetVersion.objects.update(colors=None)
    Rendition.objects.filter(version=made[2].current_version, name="small").update(storage_name="gone.webp")
    assert [colors.look_at_missing(2), colors.look_at_missing(2), colors.look_at_missing(2)] == [2, 1, 0]
    found = [SearchRow.objects.get(asset=one).colors for one in made]
    assert found == [["red"], ["green"], []]
