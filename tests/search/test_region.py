"""A detail of a picture to search by: its writing, what is cut out, what it finds, and its page."""

import uuid
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from hypothesis import HealthCheck, example, given
from hypothesis import settings as rules
from hypothesis import strategies as st
from PIL import Image

from accounts.models import User
from assets.models import Asset, AssetVersion
from search import region
from search.hybrid import HybridQuery
from search.models import EmbeddingSpace
from search.query import run
from search.region import Region, RegionError, cut, version_of
from tests.encoder import ColourEncoder
from tests.factories import asset, encoded, process, take_in
from tests.often import often

UID = uuid.UUID("00000000-0000-4000-8000-000000000001")
TOO_SMALL = "0,0,0.01,0.01"


def halves(size: tuple[int, int] = (400, 200), **save: Any) -> Asset:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (size[0] // 2, 0, *size))
    outcome = take_in(encoded(image, "PNG", **save), "halves.png", words={"title": "Halves"})
    assert outcome.asset is not None
    process(outcome.asset)
    return Asset.objects.get(pk=outcome.asset.pk)


def colour(image: Image.Image) -> list[int]:
    """The mean colour, each part rounded to 0, 128 or 255."""
    mean = np.asarray(image.resize((1, 1), Image.Resampling.BOX))[0, 0]
    return [int(round(value / 128) * 128) for value in mean.astype(int)]


# --- how it is written ------------------------------------------------------------------------------------


def test_a_region_is_read_and_written_back() -> None:
    found = Region.of(f"{UID}:0.25,.5,0.12345,0.5")
    assert str(found) == f"{UID}:0.25,0.5,0.1235,0.5" and Region.of(str(found)) == found
    whole = Region.of(f"{UID}:0,0,1,1.0")
    assert whole.box == "0,0,1,1"
    assert Region.at(UID, 1 / 3, 0, 2 / 3, 1).box == "0.3333,0,0.6667,1"


@pytest.mark.parametrize(
    "text",
    ["", "x", str(UID), f"{UID}:", f"{UID}:0,0,1", f"{UID}:0,0,1,1,1", f"{UID}:nan,0,1,1", f"{UID}:0,0,1e0,1"]
    + [f"{UID}:-0.1,0,1,1", f"{UID}:0,0,2,1", f"{UID}:0.5,0,0.6,1", f"{UID}:0,0,0,1", f"{UID}:0,0,0.00001,1"]
    + [f"{UID}:1.5,0,0.5,0.5", f"{UID}:٠,0,1,1", "-" * 36 + ":0,0,1,1"],
)
def test_what_is_no_box_in_a_picture_is_refused(text: str) -> None:
    with pytest.raises(RegionError):
        Region.of(text)


@rules(max_examples=often(10), suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(text=f"{UID}:0,0,1,1\x00")
@given(text=st.one_of(st.text(), st.from_regex(region.WRITTEN), st.builds(lambda t: f"{UID}:{t}", st.text())))
@pytest.mark.django_db
def test_no_region_is_an_error_of_the_server(
    text: str, browser: Client, token: Client, space: EmbeddingSpace
) -> None:
    assert browser.get("/", {"region": text}).status_code == 200
    assert token.get("/api/v1/search", {"region": text}).status_code in ({200} if not text else {404, 422})
    side = text.partition(":")[2]
    assert browser.get(f"/assets/{UID}/detail/", {"left": side, "search": text}).status_code == 404


# --- what is cut out --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_small_detail_comes_from_the_original(
    space: EmbeddingSpace, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = halves((3200, 1600))
    box = Region.at(one.uid, 0, 0, 0.15, 0.15)
    version = version_of(box, viewer)
    assert min(cut(box, version, 32).size) in range(32, 70)  # a small rendition is enough
    assert cut(box, version, 200).size[1] in range(200, 260)  # the largest has 120, the original 240
    monkeypatch.setattr(region, "MAX_PIXELS", 1_000_000)
    assert cut(box, version, 200).size == (240, 120)


@pytest.mark.django_db
def test_a_detail_is_cut_from_a_rendition_where_the_original_is_gone(
    space: EmbeddingSpace, viewer: User
) -> None:
    from assets import storage

    one = halves((3200, 1600))
    storage.originals().delete(one.current_version.blob.storage_name)  # type: ignore[union-attr]
    box = Region.at(one.uid, 0.5, 0, 0.15, 0.15)
    image = cut(box, version_of(box, viewer), 200)
    assert image.size == (240, 120) and colour(image) == [0, 0, 256]


@pytest.mark.django_db
def test_what_is_decoded_apart_is_never_opened_for_a_detail(space: EmbeddingSpace, viewer: User) -> None:
    """A raw file may be a TIFF too, with another picture at its beginning."""
    one = halves((3200, 1600))
    AssetVersion.objects.filter(asset=one).update(format="RAW")
    box = Region.at(one.uid, 0.5, 0, 0.15, 0.15)
    assert cut(box, version_of(box, viewer), 200).size == (240, 120)


@pytest.mark.django_db
def test_the_box_is_in_the_upright_picture(space: EmbeddingSpace, viewer: User) -> None:
    """Stored on its side, as cameras do: what is on the left in the file is at the top for people."""
    exif = Image.Exif()
    exif[0x0112] = 6
    one = halves((1000, 500), exif=exif)
    assert (one.current_version.width, one.current_version.height) == (500, 1000)  # type: ignore[union-attr]
    upper, lower = Region.at(one.uid, 0, 0, 1, 0.4), Region.at(one.uid, 0, 0.6, 1, 0.4)
    for pixels in (32, 5000):  # a rendition, and the original
        assert colour(cut(upper, version_of(upper, viewer), pixels)) == [256, 0, 0]
        assert colour(cut(lower, version_of(lower, viewer), pixels)) == [0, 0, 256]


@pytest.mark.django_db
def test_without_a_rendition_it_says_so(space: EmbeddingSpace, viewer: User) -> None:
    one = asset("red")
    box = Region.at(one.uid, 0, 0, 1, 0.5)
    results = run(HybridQuery(viewer, region=box))
    assert "still being prepared" in " ".join(results.notices)


@pytest.mark.django_db
def test_too_small_is_a_matter_of_share_and_of_pixels(space: EmbeddingSpace, viewer: User) -> None:
    one = asset("red", done=True)
    with pytest.raises(RegionError, match="too small"):
        version_of(Region.at(one.uid, 0, 0, 0.09, 0.09), viewer)  # 28 x 21 pixels
    version_of(Region.at(one.uid, 0, 0, 0.1, 0.21), viewer)  # a fiftieth
    AssetVersion.objects.update(width=3200, height=2400)
    version_of(Region.at(one.uid, 0, 0, 0.02, 0.02), viewer)  # 64 x 48


# --- what it finds ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_detail_finds_what_has_it(space: EmbeddingSpace, viewer: User, encoder: ColourEncoder) -> None:
    one = halves()
    for color in ("green", "red", "blue", "black"):
        asset(color, f"{color}.jpg", done=True, title=color)

    def found(left: float, **more: Any) -> list[str]:
        query = HybridQuery(viewer, region=Region.at(one.uid, left, 0, 0.5, 1), **more)
        return [a.title for a in run(query).assets]

    assert found(0)[0] == "red" and found(0.5)[0] == "blue"
    assert "Halves" not in found(0)
    assert set(found(0, text="green", mode="visual")[:2]) == {"red", "green"}
    green = Asset.objects.get(title="green")
    assert set(found(0, liked=(green.pk,))[:2]) >= {"red"}
    asked = encoder.asked
    found(0, limit=3)
    found(0, offset=1)
    assert encoder.asked == asked  # remembered for a day


@pytest.mark.django_db
def test_the_original_cannot_be_searched_by_once_it_is_hidden(space: EmbeddingSpace, viewer: User) -> None:
    """Neither by what was remembered of its detail, nor by a list that was stored."""
    one = halves()
    asset("red", done=True, title="red")
    query = HybridQuery(viewer, region=Region.at(one.uid, 0, 0, 0.5, 1), limit=1)
    assert run(query).hits[0].signals == {"visual": 1}
    Asset.objects.filter(pk=one.pk).update(access="restricted")
    results = run(query)
    assert "or you may not see it" in results.notices[0]
    assert all(hit.signals == {} for hit in results.hits)


@pytest.mark.django_db
def test_another_file_of_the_same_picture_is_looked_at_anew(space: EmbeddingSpace, viewer: User) -> None:
    one = halves()
    asset("red", done=True, title="red")
    asset("blue", done=True, title="blue")
    box = Region.at(one.uid, 0, 0, 0.5, 1)
    assert run(HybridQuery(viewer, region=box)).assets[0].title == "red"
    other = asset("blue", done=True).current_version
    Asset.objects.filter(current_version=other).update(current_version=None)
    Asset.objects.filter(pk=one.pk).update(current_version=other)
    assert run(HybridQuery(viewer, region=box, sort="title")).assets[0].title == "blue"


@pytest.mark.django_db
def test_without_the_encoder_it_goes_by_the_rest_and_says_so(
    space: EmbeddingSpace, viewer: User, encoder: ColourEncoder
) -> None:
    one, red = halves(), asset("red", done=True, title="Ember")
    asset("red", done=True, title="Fire")
    encoder.away = True
    box = Region.at(one.uid, 0, 0, 0.5, 1)
    words = run(HybridQuery(viewer, "ember", region=box))
    assert [a.title for a in words.assets] == ["Ember"] and "by words only" in words.notices[0]
    liked = run(HybridQuery(viewer, liked=(red.pk,), region=box))
    assert liked.assets[0].title == "Fire" and "that you like" in liked.notices[0]
    alone = run(HybridQuery(viewer, region=box))
    assert alone.assets == [] and "not possible just now." in alone.notices[0]


# --- page, API, command -----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_page_api_and_command_find_the_same(
    space: EmbeddingSpace, browser: Client, token: Client, capsys: Any
) -> None:
    one, red = halves(), asset("red", "red.jpg", done=True, title="Fire")
    asset("blue", done=True, title="Sea")
    written = f"{one.uid}:0,0,0.5,1"
    page = browser.get("/", {"region": written})
    assert [card.title for card in page.context["cards"]] == ["Fire", "Sea"]
    text = page.content.decode()
    assert "Like a detail of" in text and 'viewBox="0.0 0.0 200.0 200.0"' in text and "style=" not in text
    assert f'name="region" value="{written}"' in text
    answer = token.get("/api/v1/search", {"region": written, "limit": 1}).json()
    assert answer["results"][0]["id"] == str(red.uid)
    call_command("search", "--region", written)
    assert "Fire" in capsys.readouterr().out.splitlines()[0]


@pytest.mark.django_db
def test_boxes_that_cannot_be_used_are_told_in_words(
    space: EmbeddingSpace, browser: Client, token: Client
) -> None:
    one = asset("red", done=True)
    for box, said in ((TOO_SMALL, "too small"), ("0,0,2,2", "A detail"), ("1,2", "A detail is written")):
        written = f"{one.uid}:{box}"
        assert said in browser.get("/", {"region": written}).content.decode()
        answer = token.get("/api/v1/search", {"region": written})
        assert answer.status_code == 422 and said in answer.json()["detail"]
        with pytest.raises(CommandError, match=said):
            call_command("search", "--region", written)


@pytest.mark.django_db
def test_the_form_leads_to_the_search_and_back(space: EmbeddingSpace, browser: Client) -> None:
    one = halves()
    address = f"/assets/{one.uid}/detail/"
    assert f'action="{address}"' in browser.get(f"/assets/{one.uid}/").content.decode()
    box = {"left": "10", "top": "0", "width": "30.5", "height": "100"}
    answer = browser.get(address, box | {"search": "q=night&tag=oil&mode=keywords"})
    assert answer["Location"] == f"/?q=night&tag=oil&region={one.uid}%3A0.1%2C0%2C0.305%2C1"
    page = browser.get(answer["Location"])
    back = page.context["examples"][0].change
    form = browser.get(back.partition("#")[0]).content.decode()
    assert 'name="left" min="0" max="100" step="any" required value="10"' in form and "30.5" in form
    assert 'id="detail" open' in form and 'name="search" value="q=night&amp;tag=oil"' in form


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", [{}, {"left": "x"}, {"left": "nan"}, {"width": "0"}, {"left": "90"}])
def test_a_wrong_box_comes_back_to_the_form(
    wrong: dict[str, str], space: EmbeddingSpace, browser: Client
) -> None:
    one = halves()
    box = {"left": "10", "top": "0", "width": "30", "height": "100"} | wrong if wrong else {}
    page = browser.get(f"/assets/{one.uid}/detail/", box, follow=True)
    assert page.redirect_chain[0][0].startswith(f"/assets/{one.uid}/?") and "etail" in page.content.decode()
    assert "A detail" in page.content.decode() or "The detail" in page.content.decode()


@pytest.mark.django_db
def test_the_form_of_a_hidden_picture_is_not_found(space: EmbeddingSpace, browser: Client) -> None:
    one = halves()
    Asset.objects.update(access="restricted")
    assert browser.get(f"/assets/{one.uid}/detail/", {"left": "0"}).status_code == 404


def test_an_encoder_gets_at_least_one_pixel() -> None:
    assert Region.at(UID, 0.9999, 0.9999, 0.0001, 0.0001).corners(4, 4) == (3, 3, 4, 4)
