"""Lists of addresses and IIIF manifests of both versions, from a real server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assets import sources
from assets.sources import Item, Refused, SourceError, Unchanged
from assets.sources._manifests import pictures
from tests.assets.test_sources import taken
from tests.assets.web import Request, Web, serving


@pytest.fixture(scope="module")
def server() -> Iterator[Web]:
    with serving() as made:
        yield made


@pytest.fixture
def web(server: Web, settings: Any) -> Web:
    server.pages.clear()
    server.asked.clear()
    settings.IMPORT_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    return server


def test_a_list_of_addresses(web: Web, tmp_path: Path) -> None:
    web.pages |= {"/a.jpg": b"a", "/%E6%B5%AE.jpg?size=2": b"b"}
    listed = tmp_path / "list.txt"
    lines = [web.url("/a.jpg"), "# a note", "", web.url("/%E6%B5%AE.jpg?size=2"), web.url("/a.jpg"),
             web.url("/gone.jpg"), "ftp://x/y", "http://169.254.169.254/latest"]  # fmt: skip
    listed.write_text("\n".join(lines), "utf-8-sig")
    source = sources.opened(str(listed))
    at = f"127.0.0.1:{web.port}"
    found = taken(source)
    assert (found[f"{at}/a.jpg"], found[f"{at}/%E6%B5%AE.jpg?size=2"]) == (b"a", b"b")
    assert "nothing at this address" in str(found[f"{at}/gone.jpg"]) and len(found) == 5
    assert "begin with http" in str(found["ftp://x/y"])
    assert "private network" in str(found["169.254.169.254/latest"])
    items = [item for item in source.items() if isinstance(item, Item)]
    assert [item.filename for item in items][:2] == ["a.jpg", "浮.jpg"]
    assert source.identity == sources.opened(web.url("/a.jpg")).identity


def test_a_text_file_without_addresses_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Sir")
    assert taken(sources.opened(str(tmp_path / "letter.txt"))) == {"letter.txt": b"Dear Sir"}


def test_a_server_is_asked_whether_a_file_is_still_the_same(web: Web) -> None:
    def page(request: Request) -> None:
        if request.headers["if-none-match"] == '"1"':
            return request.answer(304)
        request.answer(200, b"picture", ETag='"1"')

    web.pages |= {"/asked.jpg": page, "/told.jpg": lambda r: r.answer(200, b"x", ETag='"2"')}
    (item,) = sources.opened(web.url("/asked.jpg")).items()
    assert isinstance(item, Item)
    with item.open() as stream:
        known = stream.fingerprint
    with pytest.raises(Unchanged), item.open(known):
        pass
    (item,) = sources.opened(web.url("/told.jpg")).items()
    assert isinstance(item, Item)
    with pytest.raises(Unchanged), item.open('etag:"2"'):
        pass


def manifest_3(web: Web, **more: Any) -> dict[str, Any]:
    def canvas(number: int, service: str) -> dict[str, Any]:
        body = {"id": web.url(f"/files/{number}.jpg"), "type": "Image", "format": "image/jpeg"}
        body["service"] = [{"id": web.url(f"/iiif/page%2F{number}"), "type": service, "profile": "level1"}]
        annotation = {"type": "Annotation", "motivation": "painting", "body": body}
        page = {"type": "AnnotationPage", "items": [annotation]}
        return {"type": "Canvas", "label": {"none": [f"f. {number}"]}, "items": [page]}

    return {
        "@context": "http://iiif.io/api/presentation/3/context.json",
        "id": web.url("/manifest.json"),
        "type": "Manifest",
        "label": {"fr": ["Le livre"], "en": ["A book of <i>hours</i> &amp; days"]},
        "summary": {"en": ["Written in Paris."]},
        "metadata": [
            {"label": {"en": ["Artist"]}, "value": {"none": ["Master One", "Master Two"]}},
            {"label": {"en": ["Accession number:"]}, "value": {"none": ["MS 12"]}},
            {"label": {"en": ["Date"]}, "value": {"none": ["c. 1450"]}},
            {"label": {"en": ["Weight"]}, "value": {"none": ["1 kg"]}},
        ],
        "requiredStatement": {"label": {"en": ["Attribution"]}, "value": {"en": ["The Library"]}},
        "rights": "http://creativecommons.org/licenses/by/4.0/",
        "items": [canvas(1, "ImageService3"), canvas(2, "ImageService2")],
        **more,
    }


def serve(web: Web, path: str, found: Any) -> str:
    web.pages[path] = json.dumps(found).encode()
    return web.url(path)


def test_a_manifest_of_version_3(web: Web) -> None:
    url = serve(web, "/manifest.json", manifest_3(web))
    web.pages |= {
        "/iiif/page%2F1/full/max/0/default.jpg": b"one",
        "/iiif/page%2F2/full/full/0/default.jpg": lambda r: r.answer(400),
        "/iiif/page%2F2/full/max/0/default.jpg": lambda r: r.answer(501),
        "/files/2.jpg": b"two",
    }
    source = sources.opened(url)
    assert source.identity == f"iiif:{url}" and list(taken(source).values()) == [b"one", b"two"]
    first, second = source.items()
    assert isinstance(first, Item) and isinstance(second, Item)
    assert (first.filename, second.filename) == ("1.jpg", "2.jpg")
    assert first.facts == {
        "title": "A book of hours & days",
        "description": "Written in Paris.",
        "creator": "Master One; Master Two",
        "accession": "MS 12",
        "date": "c. 1450",
        "credit_line": "The Library",
        "rights": "http://creativecommons.org/licenses/by/4.0/",
    }


def test_the_canvases_of_one_object_say_the_same_of_it(web: Web) -> None:
    manifest = manifest_3(web)
    manifest["items"][1] |= {
        "summary": {"en": ["A page"]},
        "metadata": [{"label": "Keywords", "value": "gold"}],
    }
    first, second = (picture.facts for picture in pictures(manifest))
    assert second == first | {"tags": "gold"} and first["title"] == "A book of hours & days"
    manifest["items"][1]["metadata"] = [{"label": "Accession number", "value": "MS 12a"}]
    titles = [picture.facts["title"] for picture in pictures(manifest)]
    assert titles == ["A book of hours & days", "A book of hours & days, f. 2"]
    del manifest["metadata"]
    manifest["items"][1].pop("metadata")
    titles = [picture.facts["title"] for picture in pictures(manifest)]
    assert titles == [f"A book of hours & days, f. {n}" for n in (1, 2)]


def test_a_manifest_of_version_2(web: Web) -> None:
    resource = {"@id": web.url("/iiif/2/full/800,/0/default.jpg"), "@type": "dctypes:Image"}
    context = "http://iiif.io/api/image/2/context.json"
    resource["service"] = {"@context": context, "@id": web.url("/iiif/2"), "profile": "level2"}
    choice = {"@type": "oa:Choice", "default": resource, "item": []}
    canvas = {"@type": "sc:Canvas", "label": "recto", "images": [{"resource": choice}]}
    found = {
        "@type": "sc:Manifest",
        "label": [{"@value": "Ein Bild", "@language": "de"}, {"@value": "A picture", "@language": "en"}],
        "description": "On <b>wood</b>",
        "attribution": ["Museum", "City"],
        "license": "https://example.org/licence",
        "metadata": [
            {"label": "Creator", "value": "Anon."},
            "nonsense",
            {"label": "Materials", "value": ["oil", "oak"]},
        ],
        "sequences": [{"canvases": [canvas, "nonsense", {"images": [{"resource": None}]}]}],
    }
    web.pages["/iiif/2/full/full/0/default.jpg"] = b"full"
    (item,) = sources.opened(serve(web, "/m/manifest", found)).items()
    assert isinstance(item, Item) and item.filename == "2.jpg"
    assert item.facts["title"].startswith("A picture") and item.facts["credit_line"] == "Museum, City"
    assert (item.facts["medium"], item.facts["description"]) == ("oil, oak", "On wood")
    with item.open() as stream:
        assert stream.read() == b"full"


def test_collections_are_bounded_and_never_go_round(web: Web, settings: Any) -> None:
    serve(web, "/m1.json", manifest_3(web))
    members = [{"id": web.url(f"/{name}.json"), "type": kind} for name, kind in [
        ("m1", "Manifest"), ("gone", "Manifest"), ("top", "Collection"), ("deep", "Collection"),
        ("m2", "Manifest"),
    ]]  # fmt: skip
    url = serve(web, "/top.json", {"type": "Collection", "items": members})
    serve(
        web,
        "/deep.json",
        {"@type": "sc:Collection", "collections": [{"@id": url}], "manifests": [{"@id": url}]},
    )
    web.pages["/m2.json"] = b"<html>"
    found = list(sources.opened(url).items())
    assert sum(isinstance(item, Item) for item in found) == 2
    reasons = {i.path.rpartition("/")[2]: i.reason for i in found if isinstance(i, Refused)}
    assert "nothing at this address" in reasons["gone.json"] and "no IIIF manifest" in reasons["m2.json"]
    settings.IMPORT_IIIF_MANIFESTS = 1
    found = list(sources.opened(url).items())
    assert len(found) == 3 and "more than 1 manifests" in found[-1].reason  # type: ignore[union-attr]


def test_what_is_no_manifest(web: Web) -> None:
    web.pages |= {
        "/a.json": b"[1]",
        "/b.json": b"[" * 100_000,
        "/c.json": b'{"type": "Manifest", "items": 3}',
    }
    for path in ("/a.json", "/b.json", "/gone.json"):
        with pytest.raises(SourceError):
            list(sources.opened(web.url(path)).items())
    assert list(sources.opened(web.url("/c.json")).items()) == []
