"""The addresses of the Image API: who may see what, headers, statuses, and what is kept."""

import io
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from django.test import Client
from django.utils import timezone
from PIL import Image
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from assets import changes, storage
from assets.models import Asset, Rendition
from iiif import pyramids
from iiif.files import Kept
from tests import factories
from tests.iiif.conftest import FULL

TILE = "/512,0,512,512/512,512/0/default.jpg"


class WithoutPaths(Storage):
    """As a bucket is: bytes by name."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def _open(self, name: str, mode: str) -> ContentFile[bytes]:
        if name not in self.kept:
            raise FileNotFoundError(name)
        return ContentFile(self.kept[name])

    def _save(self, name: str, content: File[bytes]) -> str:
        self.kept[name] = content.read()
        return name

    def exists(self, name: str) -> bool:
        return name in self.kept

    def delete(self, name: str) -> None:
        del self.kept[name]


def address(asset: Asset, rest: str = "") -> str:
    return f"/iiif/3/{asset.uid}{rest}"


def test_info(large: Asset, browser: Client) -> None:
    response = browser.get(address(large, "/info.json"))
    said = response.json()
    assert said["id"] == f"http://testserver/iiif/3/{large.uid}"
    assert said["@context"] == "http://iiif.io/api/image/3/context.json"
    assert (said["type"], said["protocol"]) == ("ImageService3", "http://iiif.io/api/image")
    assert (said["profile"], said["width"], said["height"]) == ("level2", *FULL)
    assert said["tiles"] == [{"width": 512, "height": 512, "scaleFactors": [1, 2, 4, 8]}]
    assert said["sizes"][-1] == {"width": 2400, "height": 1700}
    assert {"color", "gray", "bitonal"} == set(said["extraQualities"])
    assert response["Content-Type"] == "application/json"
    assert response["Link"] == '<http://iiif.io/api/image/3/level2.json>;rel="profile"'
    assert "rights" not in said


def test_info_as_linked_data_with_rights_that_a_machine_understands(
    large: Asset, browser: Client, viewer: User
) -> None:
    stated = {"rights": "https://rightsstatements.org/vocab/InC/1.0/"}
    changes.apply(changes.operation("edit", "Rights", user=viewer), [large], stated)
    response = browser.get(address(large, "/info.json"), HTTP_ACCEPT="application/ld+json")
    linked = 'application/ld+json;profile="http://iiif.io/api/image/3/context.json"'
    assert response["Content-Type"] == linked and "Accept" in response["Vary"]
    assert response.json()["rights"] == "http://rightsstatements.org/vocab/InC/1.0/"


def test_the_bare_identifier_leads_to_the_description(large: Asset, browser: Client) -> None:
    for rest in ("", "/", ":1"):
        response = browser.get(address(large, rest))
        expected = address(large, ":1" if rest == ":1" else "")
        assert response.status_code == 303
        assert response["Location"] == f"http://testserver{expected}/info.json"


def test_every_size_that_is_listed_can_be_had(large: Asset, browser: Client) -> None:
    for size in browser.get(address(large, "/info.json")).json()["sizes"]:
        response = browser.get(address(large, f"/full/{size['width']},{size['height']}/0/default.jpg"))
        with Image.open(io.BytesIO(b"".join(response.streaming_content))) as image:  # type: ignore[attr-defined]
            assert image.size == (size["width"], size["height"])


def test_headers_of_a_part(
    large: Asset, browser: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser.get(address(large, TILE))
    with django_assert_num_queries(
        3
    ):  # person with what they may do, version, renditions; the session is cached
        response = browser.get(address(large, TILE))
    assert (response.status_code, response["Content-Type"]) == (200, "image/jpeg")
    canonical = f"http://testserver/iiif/3/{large.uid}/512,0,512,512/max/0/default.jpg"
    assert response["Link"].startswith(f'<{canonical}>;rel="canonical"')
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cache-Control"] == "private, no-cache"
    again = browser.get(address(large, TILE), HTTP_IF_NONE_MATCH=response["ETag"])
    assert (again.status_code, again["ETag"]) == (304, response["ETag"])
    of_version = browser.get(address(large, f":1{TILE}"))
    assert of_version["Cache-Control"].endswith("immutable")
    asked = browser.options(address(large, "/info.json"))
    assert asked.status_code == 204 and "GET" in asked["Access-Control-Allow-Methods"]


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        ("/full/max/0/default.bmp", 400),
        ("/full/max/0/default.tif", 501),
        ("/9999,0,1,1/max/0/default.jpg", 400),
        ("/0,0,90,90/%5E180,/0/default.webp", 200),
        ("/pct:10,10,20,20/!90,90/!0/gray.png", 200),
        (":2/info.json", 404),
        (":1/info.json", 200),
    ],
)
def test_statuses(large: Asset, browser: Client, rest: str, status: int) -> None:
    response = browser.get(address(large, rest))
    assert response.status_code == status
    assert response["Access-Control-Allow-Origin"] == "*"
    assert browser.post(address(large, rest)).status_code == 405


@pytest.mark.parametrize("hidden", [{"access": "restricted"}, {"embargo": True}])
def test_what_is_hidden_is_not_there_however_often_it_was_seen(
    large: Asset, browser: Client, client: Client, admin: User, hidden: dict[str, Any]
) -> None:
    etag = browser.get(address(large, TILE))["ETag"]
    patch = {"embargo_until": timezone.now() + timedelta(days=1)} if "embargo" in hidden else hidden
    changes.apply(changes.operation("edit", "Hide", user=admin), [large], patch)
    for rest in ("/info.json", TILE, f":1{TILE}"):
        assert browser.get(address(large, rest), HTTP_IF_NONE_MATCH=etag).status_code == 404
    client.logout()
    assert client.get(address(large, TILE)).status_code == 401
    client.force_login(admin)
    assert client.get(address(large, TILE)).status_code == 200


def test_a_part_is_cut_once(large: Asset, browser: Client, settings: Any) -> None:
    first = b"".join(browser.get(address(large, TILE)).streaming_content)  # type: ignore[attr-defined]
    Path(settings.STORAGES["renditions"]["OPTIONS"]["location"], "pyramid.tif").unlink()
    same = browser.get(address(large, "/512,0,512,512/max/360/color.jpg"))
    assert b"".join(same.streaming_content) == first  # type: ignore[attr-defined]
    assert browser.get(address(large, "/0,0,512,512/max/0/default.jpg")).status_code == 503
    assert not Rendition.objects.filter(name="pyramid").exists()  # it is lost, and will be made again


def test_a_pyramid_in_a_storage_without_paths_is_copied_once(
    large: Asset, browser: Client, settings: Any, pyramid: Path
) -> None:
    apart = {"BACKEND": f"{__name__}.WithoutPaths"}
    settings.STORAGES = {**settings.STORAGES, "renditions": apart}
    with pyramid.open("rb") as file:
        storage.renditions().save("pyramid.tif", File(file))
    assert browser.get(address(large, TILE)).status_code == 200
    storage.renditions().delete("pyramid.tif")
    assert browser.get(address(large, "/0,0,512,512/max/0/default.jpg")).status_code == 200
    copies = list(settings.IIIF_CACHE_DIR.glob("pyramids/*.tif"))
    assert [copy.stat().st_size for copy in copies] == [pyramid.stat().st_size]


def test_a_small_picture_needs_no_pyramid(browser: Client) -> None:
    asset = factories.asset("red", done=True)
    said = browser.get(address(asset, "/info.json")).json()
    assert (said["width"], said["height"]) == (320, 240)
    response = browser.get(address(asset, "/100,100,50,50/max/0/default.png"))
    with Image.open(io.BytesIO(b"".join(response.streaming_content))) as image:  # type: ignore[attr-defined]
        assert image.size == (50, 50) and image.convert("RGB").getpixel((25, 25))[0] > 200  # type: ignore[index]
    assert not Rendition.objects.filter(name="pyramid").exists()


def test_a_large_picture_is_prepared_once(browser: Client, original: Path) -> None:
    content = original.read_bytes()
    asset = factories.take_in(content, "placed.png").asset
    assert asset is not None and asset.current_version is not None
    response = browser.get(address(asset, "/info.json"))
    assert (response.status_code, response["Retry-After"]) == (503, "60")  # not even looked at
    factories.process(asset)
    response = browser.get(address(asset, TILE))
    assert (response.status_code, response["Retry-After"]) == (503, "2")
    waits = {"ready": False, "seconds": 2, "said": "The picture is being prepared."}
    assert browser.get(address(asset, ":1/ready")).json() == waits
    assert cache.get(pyramids._asked(asset.current_version.pk))
    made = pyramids.make(asset.current_version)
    assert made is not None and (made.width, made.height) == FULL
    assert not cache.get(pyramids._asked(asset.current_version.pk))
    assert pyramids.make(asset.current_version) == made
    assert browser.get(address(asset, TILE)).status_code == 200
    assert browser.get(address(asset, ":1/ready")).json()["ready"] is True


def test_why_a_picture_cannot_be_prepared_is_said_and_not_tried_at_every_request(
    browser: Client, original: Path
) -> None:
    asset = factories.take_in(original.read_bytes(), "placed.png").asset
    assert asset is not None and asset.current_version is not None
    factories.process(asset)
    asset.current_version.blob.sha256 = "0" * 64  # which is not in storage
    assert pyramids.make(asset.current_version) is None
    response = browser.get(address(asset, "/info.json"))
    assert (response.status_code, response["Retry-After"]) == (503, "60")
    assert "missing from storage" in response.content.decode()
    assert not cache.get(pyramids._asked(asset.current_version.pk))


def test_the_folder_forgets_what_was_not_used_for_longest(tmp_path: Path) -> None:
    kept = Kept(tmp_path, 1000)
    for number in range(8):
        path = kept.keep(f"{number}/part.jpg", lambda file: file.write(b"x" * 120))
        os.utime(path, (number, number))
    assert kept.find("0/part.jpg")  # used, so that it is the newest now
    kept.keep("9/part.jpg", lambda file: file.write(b"x" * 300))
    left = {path.parent.name for path in tmp_path.rglob("*.jpg")}
    assert left == {"0", "9", "4", "5", "6", "7"} - ({"4"} if len(left) == 5 else set())
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.jpg")) <= 1000


def test_a_file_that_could_not_be_written_leaves_nothing(tmp_path: Path) -> None:
    def fails(file: Any) -> None:
        file.write(b"half")
        raise OSError("The disk is full.")

    with pytest.raises(OSError, match="full"):
        Kept(tmp_path, 1000).keep("a/part.jpg", fails)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
