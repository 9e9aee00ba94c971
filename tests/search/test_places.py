"""The map of the library page, and `area:`, which its marks narrow by."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client

from accounts.models import User
from assets import changes
from assets.models import Asset
from search import land, places
from search.explained import said
from search.hybrid import HybridQuery
from search.land import WORLD
from search.language import parse
from search.language.nodes import Area
from search.models import EmbeddingSpace
from search.query import run
from tests.factories import asset

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("space")]
PARIS, ORLY, QUITO, FIJI = (48.85, 2.35), (48.72, 2.36), (-0.2, -78.5), (-17.7, 179.9)


@pytest.fixture
def some(space: EmbeddingSpace) -> list[Asset]:
    made = [asset(title=str(number), tags="sea") for number in range(5)]
    for one, place in zip(made, (PARIS, ORLY, QUITO, FIJI, (None, None)), strict=True):
        one.latitude, one.longitude = place
    Asset.objects.bulk_update(made, ["latitude", "longitude"])
    return made


def found(user: User, text: str) -> str:
    return "".join(sorted(one.title for one in run(HybridQuery(user=user, text=text)).assets))


# --- the filter -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("some")
def test_an_area_has_what_lies_in_it(viewer: User) -> None:
    asked = {
        "area:48..49/2..3": "01",
        "area:48.85..48.85/2.35..2.35": "0",
        "area:-1..0/-79..-78": "2",
        "area:-90..90/170..-70": "23",  # across 180°
        "area:-90..90/-180..180": "0123",
        "area:none": "4",
        "-area:48..49/2..3": "234",
        "-area:none": "0123",
        "area:48..49/2..3,none": "014",
        "tag:sea (area:none OR area:-1..0/-79..-78)": "24",
    }
    assert {text: found(viewer, text) for text in asked} == asked


@pytest.mark.parametrize(
    "text", ["paris", "48..49", "49..48/2..3", "48..91/2..3", "48..49/2..181", "nan..1/2..3", "1e9..2/2..3"]
)
def test_what_is_no_area_is_said(text: str) -> None:
    (mistake,) = parse(f"area:{text}").mistakes
    assert text in mistake.message and "48..49/-2..3" in mistake.message


def test_an_area_is_read_as_it_is_written() -> None:
    area = Area(-33.900000000000006, 48.85, 1e-05, 179.9)
    assert parse(f"area:{area}").mistakes == ()
    assert said(f"area:{area}") == "Around 7° N, 90° E" and said("area:none") == "Without coordinates"
    assert said("area:48.85..48.85/2.35..2.35") == "Around 48.8500° N, 2.3500° E"


# --- the map ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("some")
def test_each_mark_leads_to_as_many_pictures_as_it_says(browser: Client) -> None:
    page = browser.get("/?tag=sea&view=map")
    drawn = page.context["map"]
    assert [(place.count, place.label) for place in drawn.places] == [
        (2, "49° N, 2° E"),
        (1, "0° S, 78° W"),
        (1, "18° S, 180° E"),
    ]
    assert drawn.everywhere == "" and "1 picture has no coordinates" in page.content.decode()
    for place in drawn.places:
        assert browser.get(place.address).context["results"].total == place.count
    assert drawn.without[0] == browser.get(drawn.without[1]).context["results"].total == 1


@pytest.mark.usefixtures("some")
def test_what_was_one_mark_is_several_when_it_is_looked_at_closer(browser: Client) -> None:
    far = browser.get("/?view=map").context["map"].places[0]
    page = browser.get(far.address)
    near = page.context["map"]
    assert [place.count for place in near.places] == [1, 1] and near.everywhere == "/?view=map"
    assert "All places" in page.content.decode() and near.without[0] == 0
    last = browser.get(near.places[0].address).context["map"]
    assert [place.address for place in last.places] == [""]  # it cannot be narrowed further
    assert [address for _, address in last.path] == [far.address, near.places[0].address]


def test_what_is_hidden_is_on_no_map(browser: Client, admin: User, some: list[Asset]) -> None:
    changes.apply(changes.operation("edit", "Hide", user=admin), [some[2], some[4]], {"access": "restricted"})
    drawn = browser.get("/?view=map").context["map"]
    assert [place.count for place in drawn.places] == [2, 1] and drawn.without[0] == 0


def test_without_coordinates_the_page_says_so(browser: Client) -> None:
    asset()
    page = browser.get("/?view=map").content.decode()
    assert "None of these pictures has coordinates." in page and 'class="world"' not in page
    assert 'class="card ratio-' in page


# --- the outlines -----------------------------------------------------------------------------------------


def forget() -> None:
    land._rings.cache_clear()
    land.outlines.cache_clear()


@pytest.fixture
def unread() -> Iterator[None]:
    forget()
    yield
    forget()


def test_what_goes_across_the_edge_of_the_map_is_on_both_sides() -> None:
    west, east = land._flat(np.array([[170.0, 0], [180, 9], [-180, 9], [-170, 0], [170, 0]]))
    assert west[:, 0].tolist() == [-190, -180, -180, -170, -190]
    assert east[:, 0].tolist() == [170, 180, 180, 190, 170]
    pole = land._flat(np.array([[-180.0, -70], [-60, -70], [60, -70], [180, -70]]))
    assert pole[0].tolist() == [[-180, -70], [-60, -70], [60, -70], [180, -70], [180, -90], [-180, -90]]


@pytest.mark.usefixtures("unread")
def test_outlines_are_cut_where_the_view_ends(settings: Any, tmp_path: Path) -> None:
    square = [[0, 0], [10, 0], [0, 10], [-10, 0], [0, -10]]
    topology = {
        "transform": {"scale": [1, 1], "translate": [-5, -5]},
        "arcs": [square[:3], [[10, 10], *square[3:]]],
        "objects": {"countries": {"geometries": [{"type": "Polygon", "arcs": [[0, 1]]}]}},
    }
    folder = tmp_path / "world-atlas"
    folder.mkdir()
    for detail in ("50m", "110m"):
        (folder / f"countries-{detail}.json").write_text(json.dumps(topology))
    settings.JAVASCRIPT_DIR = tmp_path
    assert land.outlines(WORLD) == "M486 264L514 264L514 236L486 236L486 264Z"
    corner = places.view_of(Area(5, 15, 5, 25))
    assert land.outlines(corner) == "M121 505L121 442L-5 442L-5 505Z"
    assert land.outlines(places.view_of(Area(50, 51, 50, 51))) == ""
    forget()
    settings.JAVASCRIPT_DIR = tmp_path / "not brought"
    assert land.outlines(WORLD) == ""
