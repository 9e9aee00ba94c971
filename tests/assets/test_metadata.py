from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from assets import storage
from assets.metadata import extract_metadata, iim, texts
from assets.metadata.mapping import day
from assets.models import Asset, Operation
from assets.stages import PermanentFailure
from assets.text import label_key
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
    return read_bytes(encoded(Image.new("RGB", (50, 40), "red"), "JPEG", exif=block, **save), words)


def read_bytes(content: bytes, words: dict[str, str] | None = None, sidecar: bytes = b"") -> Asset:
    found = take_in(content, words=words or {}, sidecar=sidecar).asset
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
    for data in ("Düsseldorf".encode("cp1252"), "Düsseldorf".encode()):
        assert iim.decoded(data) == "Düsseldorf"
    assert iim.decoded("é".encode(), charset=b"\x1b.A") == "Ã©"  # declared as Latin-1
    dates = ("20040506", "20040000", "0000:00:00 00:00:00", "1889", "    :  :     :  :  ")
    assert [day(d) for d in dates] == ["2004-05-06", "2004", "", "1889", ""]


def test_null_characters_and_long_texts_do_no_harm() -> None:
    found = read({0x010E: "a\x00b" + "x" * 9000})
    assert found.description.startswith("a") and len(found.description) == 9003
    assert found.current_version is not None
    assert len(found.current_version.embedded_metadata["EXIF"]["ImageDescription"]) == 5000


RDF = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
ODD = [b"<not closed", b"", b"\xff\xfe\x00", b"<a/>", b"<x:xmpmeta xmlns:x='a'>text</x:xmpmeta>"]
ODD += [
    RDF + b"/></x:xmpmeta>",
    RDF + b">text</rdf:RDF></x:xmpmeta>",
    b"<x:xmpmeta xmlns:x='a'><RDF/><RDF/></x:xmpmeta>",
]
ODD += [RDF + b"><rdf:Description>t</rdf:Description><rdf:Description/></rdf:RDF></x:xmpmeta>"]
ODD += [b"<a>" * 3000 + b"</a>" * 3000]


@pytest.mark.parametrize("xmp", ODD)
def test_an_odd_packet_does_not_stop_the_rest(xmp: bytes) -> None:
    assert read({0x010E: "The harbour"}, xmp=xmp).description == "The harbour"


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_block_that_cannot_be_read_is_named_and_the_others_count() -> None:
    found = read({0x010E: "The harbour"}, xmp=XMP.encode()[:-40])
    assert (found.description, found.title) == ("The harbour", "")
    assert found.current_version is not None
    assert "is damaged" in found.current_version.embedded_metadata["XMP"]["unreadable"]
    broken = encoded(
        Image.new("RGB", (50, 40)), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\x00", xmp=XMP.encode()
    )
    found = read_bytes(broken)
    assert found.title == "Grote Markt" and found.current_version is not None
    assert found.current_version.embedded_metadata["EXIF"]["unreadable"] == "The file ends too early."


@given(st.text(st.sampled_from("aﷺ…ßİΐ½Ω ;\n"), max_size=400))
def test_a_keyword_keeps_to_the_limit_also_when_it_is_compared(text: str) -> None:
    for word in texts.split(text):
        assert 0 < len(word) <= 200 and 0 < len(label_key(word)) <= 200


def test_a_keyword_that_grows_when_it_is_compared_is_cut() -> None:
    found = read({0x9C9E: ("x" * 199 + "…;river").encode("utf-16-le"), 0x010E: "The harbour"})
    assert sorted(found.tags) == ["river", "x" * 199] and found.description == "The harbour"


def test_a_file_that_cannot_be_opened_fails_in_words_without_paths() -> None:
    content = bytearray(encoded(Image.new("RGB", (50, 40)), "AVIF"))
    found = take_in(bytes(content)).asset
    assert found is not None and found.current_version is not None
    with storage.local_copy(found.current_version.blob) as original:
        original.write_bytes(b"something else")
    with pytest.raises(PermanentFailure, match="cannot be read") as caught:
        extract_metadata(found.current_version)
    assert "/" not in str(caught.value)
