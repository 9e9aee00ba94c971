from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from assets import storage
from assets.metadata import extract_metadata, reading
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


@pytest.mark.parametrize("block", ["EXIF", "IPTC", "XMP"])
def test_a_block_that_cannot_be_read_is_named_and_the_others_count(
    block: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(image: Image.Image) -> Any:
        raise RuntimeError("bad block in /srv/originals/ab")

    monkeypatch.setitem(reading.READERS, block, damaged)
    found = read({0x010E: "The harbour"}, xmp=XMP.encode())
    assert found.description == ("" if block == "EXIF" else "The harbour")
    assert found.title == ("" if block == "XMP" else "Grote Markt")
    assert found.current_version is not None
    raw = found.current_version.embedded_metadata
    assert raw[block] == {"unreadable": "bad block in the file"}


NAMES = [
    "xmpmeta",
    "RDF",
    "Description",
    "Alt",
    "Bag",
    "Seq",
    "li",
    "text",
    "title",
    "subject",
    "DateCreated",
]
structures = st.recursive(
    st.none() | st.text(max_size=5) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=15,
)


@given(
    structures,
    st.sampled_from([("xmpmeta",), ("RDF",), ("xmpmeta", "RDF"), ("xmpmeta", "RDF", "Description")]),
)
def test_any_structure_of_xmp_is_words_or_nothing(value: Any, around: tuple[str, ...]) -> None:
    for name in reversed(around):
        value = {name: value}
    found = reading._xmp(SimpleNamespace(getxmp=lambda: value))  # type: ignore[arg-type]
    for name, words in found.items():
        assert isinstance(words, list if name in {"creator", "subject"} else str)


@given(st.text(st.sampled_from("aﷺ…ßİΐ½Ω ;\n"), max_size=400))
def test_a_keyword_keeps_to_the_limit_also_when_it_is_compared(text: str) -> None:
    for word in reading._split(text):
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
