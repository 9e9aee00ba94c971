from contextlib import suppress
from typing import Any

import pytest
from PIL import Image

from assets.metadata import extract_metadata
from assets.models import Asset, Operation
from assets.stages import PermanentFailure
from tests.factories import encoded, take_in

pytestmark = pytest.mark.django_db
XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Grote Markt</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>Anna Bloem</rdf:li><rdf:li>Jan Prins</rdf:li></rdf:Seq></dc:creator>
<dc:subject><rdf:Bag><rdf:li>markt</rdf:li><rdf:li>café</rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


def read(exif: dict[int, Any] | None = None, camera: dict[int, Any] | None = None, **save: Any) -> Asset:
    block = Image.Exif()
    for tag, value in (exif or {}).items():
        block[tag] = value
    for tag, value in (camera or {}).items():
        block.get_ifd(0x8769)[tag] = value
    words = save.pop("words", {})
    found = take_in(encoded(Image.new("RGB", (50, 40), "red"), "JPEG", exif=block, **save), words=words).asset
    assert found is not None and found.current_version is not None
    extract_metadata(found.current_version)()
    return Asset.objects.get(pk=found.pk)


def test_exif() -> None:
    found = read(
        {
            0x010E: "The harbour",
            0x013B: "Anna Bloem",
            0x8298: "City Archive",
            0x9C9B: "Hafen".encode("utf-16-le"),
            0x9C9E: "Schiff;Wasser".encode("utf-16-le"),
        },
        {0x9003: "1996:08:24 18:10:05"},
    )
    assert (found.title, found.description, found.rights) == ("Hafen", "The harbour", "City Archive")
    assert (found.creators, found.tags) == (["Anna Bloem"], ["Schiff", "Wasser"])
    assert (found.date, found.year_earliest) == ("1996-08-24", 1996)
    assert found.current_version is not None
    assert found.current_version.embedded_metadata["EXIF"]["Artist"] == "Anna Bloem"
    assert Operation.objects.filter(kind="embedded metadata").count() == 1


def test_xmp_comes_before_exif() -> None:
    found = read({0x013B: "Camera owner"}, xmp=XMP.encode())
    assert (found.title, found.creators, found.tags) == (
        "Grote Markt",
        ["Anna Bloem", "Jan Prins"],
        ["markt", "café"],
    )


def test_words_that_a_person_wrote_are_never_replaced() -> None:
    words = {"accession": "12", "title": "Written by hand", "creator": "A person"}
    found = read({0x010E: "The harbour"}, xmp=XMP.encode(), words=words)
    assert (found.title, found.creators) == ("", []) and found.description == "The harbour"
    assert found.display_title == "Written by hand"


@pytest.mark.parametrize("boilerplate", ["OLYMPUS DIGITAL CAMERA", "SONY DSC"])
def test_what_a_camera_writes_by_itself_is_no_description(boilerplate: str) -> None:
    assert read({0x010E: boilerplate}).description == ""


def test_text_of_another_time_and_character_set() -> None:
    from assets.metadata.reading import _date, _decoded

    assert _decoded("Düsseldorf".encode("cp1252")) == "Düsseldorf"
    assert _decoded("Düsseldorf".encode()) == "Düsseldorf"
    assert [_date(d) for d in ("20040506", "0000:00:00 00:00:00", "1889")] == ["2004-05-06", "", "1889"]


def test_null_characters_and_long_texts_do_no_harm() -> None:
    found = read({0x010E: "a\x00b" + "x" * 9000})
    assert found.description.startswith("a") and len(found.description) <= 5000


@pytest.mark.parametrize("xmp", [b"<not closed", b"", b"\xff\xfe\x00", b"<a/>"])
def test_a_damaged_packet_does_not_stop_the_rest(xmp: bytes) -> None:
    found = take_in(encoded(Image.new("RGB", (50, 40)), "JPEG", xmp=xmp)).asset
    assert found is not None and found.current_version is not None
    with suppress(PermanentFailure):  # said as such, or read without it; any other error fails this test
        extract_metadata(found.current_version)()
