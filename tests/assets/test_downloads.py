"""Downloads with the museum's words, sidecars that come and go, and the page that offers them."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from PIL import Image

from accounts.models import ApiToken, User
from assets import changes, sidecars
from assets.metadata import extract_metadata
from assets.metadata.present import present
from assets.metadata.reading import read
from assets.models import Asset, Record
from assets.models.work import BatchItem
from assets.stages import Postponed
from tests.assets.test_metadata_reading import alt, jpeg, packet, xmp
from tests.factories import encoded, picture, process, take_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("space")]
WORDS = {
    "accession": "1923.9",
    "title": "Grote Markt",
    "creator": "Anna Bloem; Jan Prins",
    "tags": "market; café",
}


def taken(content: bytes, name: str = "boat.jpg", **options: Any) -> Asset:
    found = take_in(content, name, **options).asset
    assert found is not None and found.current_version is not None
    extract_metadata(found.current_version)()
    return Asset.objects.get(pk=found.pk)


def address(found: Asset, page: str) -> str:
    return f"/assets/{found.uid}/{page}"


def read_back(content: bytes, tmp_path: Path) -> Any:
    (tmp_path / "download").write_bytes(content)
    return read(tmp_path / "download")


# --- downloads ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_download_carries_the_words_of_the_object(browser: Client, tmp_path: Path, format: str) -> None:
    content = picture(format=format)
    found = taken(content, f"boat.{format.lower()}", words=WORDS)
    answer = browser.get(address(found, "download/"))
    sent = answer.getvalue()
    assert browser.head(address(found, "download/"))["Content-Length"] == str(len(sent))
    assert int(answer["Content-Length"]) == len(sent) and answer["X-Content-Type-Options"] == "nosniff"
    assert f'filename="boat.{format.lower()}"' in answer["Content-Disposition"]
    words, raw, _ = read_back(sent, tmp_path)
    assert (words.title, words.creators) == ("Grote Markt", ["Anna Bloem", "Jan Prins"])
    assert words.keywords == ["market", "café"] and raw["XMP"]["dc:identifier"] == "1923.9"
    for exact in ("original/", "download/?metadata=0"):
        assert browser.get(address(found, exact)).getvalue() == content


def test_the_words_of_now_and_the_records_first(browser: Client, tmp_path: Path) -> None:
    old = packet(alt("dc:title", x_default="In the file") + alt("dc:rights", x_default="The maker"))
    found = taken(jpeg(xmp(old)), words={"accession": "1923.9"})
    record = Record.objects.get()
    changes.apply(changes.operation("edit", ""), [record], {"title": "Of the object", "date": "1889"})
    changes.apply(changes.operation("edit", ""), [found], {"rights": "", "alt_text": "A boat"})
    says = present(Asset.objects.get(pk=found.pk))
    assert (says.title, says.date, says.alt_text) == ("Of the object", "1889", "A boat")
    assert says.emptied == {"rights"}
    words = read_back(browser.get(address(found, "download/")).getvalue(), tmp_path).words
    assert (words.title, words.rights, words.date) == ("Of the object", "", "1889")


def test_removed_tags_are_gone_from_the_next_download(browser: Client, tmp_path: Path) -> None:
    found = taken(jpeg(xmp(packet("<dc:subject><rdf:Bag><rdf:li>boat</rdf:li></rdf:Bag></dc:subject>"))))
    assert found.tags == ["boat"]
    changes.apply(changes.operation("edit", ""), [found], {"remove_terms": {"tags": ["boat"]}})
    assert read_back(browser.get(address(found, "download/")).getvalue(), tmp_path).words.keywords == []


def test_a_damaged_file_is_sent_as_it_came_and_the_page_says_why(browser: Client, tmp_path: Path) -> None:
    content = jpeg(xmp(packet()[:-60]))
    found = taken(content, words={"title": "Boat"})
    answer = browser.get(address(found, "download/"))
    assert answer.getvalue() == content and f"{found.uid}/metadata.xmp" in answer["Link"]
    page = browser.get(address(found, "")).content.decode()
    assert "Metadata cannot be written into this file. The XMP in it is damaged" in page
    assert "Download original" in page and "XMP sidecar" in page


@pytest.mark.parametrize("format", ["GIF", "BMP", "AVIF"])
def test_other_formats_have_their_words_beside_them(browser: Client, tmp_path: Path, format: str) -> None:
    content = picture(format=format)
    found = taken(content, f"a.b.{format.lower()}", words=WORDS)
    assert browser.get(address(found, "download/")).getvalue() == content
    answer = browser.get(address(found, "metadata.xmp"))
    assert (
        answer["Content-Type"] == "application/rdf+xml"
        and 'filename="a.b.xmp"' in answer["Content-Disposition"]
    )
    (tmp_path / "picture").write_bytes(content)
    assert read(tmp_path / "picture", answer.content.decode()).words.title == "Grote Markt"
    assert (
        "Metadata is not written into files of this format."
        in browser.get(address(found, "")).content.decode()
    )


@pytest.mark.parametrize("page", ["download/", "download/?metadata=0", "metadata.xmp"])
def test_hidden_and_lost_files_are_not_there(browser: Client, client: Client, page: str) -> None:
    found = taken(picture(), words=WORDS)
    assert browser.get(address(found, page)).status_code == 200
    assert browser.post(address(found, page)).status_code == 405
    assert Client().get(address(found, page)).status_code == 302
    storages["originals"].delete(found.current_version.blob.storage_name)  # type: ignore[union-attr]
    assert browser.get(address(found, page)).status_code == 404
    Asset.objects.update(access="restricted")
    assert browser.get(address(found, page)).status_code == 404


def test_the_api_has_the_sidecar(client: Client, viewer: User) -> None:
    found = taken(picture(), words=WORDS)
    api = Client(headers={"authorization": f"Bearer {ApiToken.objects.issue(viewer, 'test')}"})
    answer = api.get(f"/api/v1/assets/{found.uid}/metadata.xmp")
    assert answer.status_code == 200 and b"Grote Markt" in answer.content
    Asset.objects.update(access="restricted")
    assert api.get(f"/api/v1/assets/{found.uid}/metadata.xmp").status_code == 404


def test_the_api_takes_a_sidecar(viewer: User) -> None:
    api = Client(headers={"authorization": f"Bearer {ApiToken.objects.issue(viewer, 'test')}"})
    beside = packet(alt("dc:title", x_default="Beside")).encode()
    form = {
        "file": SimpleUploadedFile("boat.jpg", picture()),
        "sidecar": SimpleUploadedFile("boat.xmp", beside),
    }
    assert api.post("/api/v1/assets", form).status_code == 201
    process(Asset.objects.get())
    assert Asset.objects.get().title == "Beside"


def test_the_page_shows_what_is_in_the_file_by_standard(browser: Client) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Canon", "Canon EOS 5D"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (52.0, 22.0, 30.0), "W", (4.0, 30.0, 0.0)
    inner = alt("dc:title", x_default="Harbour", nl="Haven &lt;1&gt;") + alt(
        "xmpRights:UsageTerms", x_default="Ask"
    )
    found = taken(
        jpeg(xmp(packet(inner, photoshop__City="Haarlem", photoshop__Country="Netherlands")), exif=exif)
    )
    page = browser.get(address(found, "")).content.decode()
    for said in ("Embedded metadata", "XMP: Dublin Core", "dc:title", "nl: Haven &lt;1&gt;", "Canon EOS 5D"):
        assert said in page
    assert "52.37500° N, 4.50000° W" in page and "Haarlem</a>; <a" in page and found.usage_terms == "Ask"


# --- sidecars that come -----------------------------------------------------------------------------------


def test_which_sidecar_belongs_to_which_picture() -> None:
    names = ["a/Boat.JPG", "a/boat.tif", "a/boat.xmp", "a/boat.jpg.xmp", "b/boat.jpg", "b/other.XMP"]
    assert sidecars.pairs(names) == ({0: 3, 1: 2}, {5})


def test_a_folder_with_sidecars(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "boat.jpg").write_bytes(picture())
    (tmp_path / "boat.xmp").write_text(packet(alt("dc:title", x_default="Beside")))
    (tmp_path / "alone.xmp").write_text(packet())
    call_command("ingest", str(tmp_path))
    said = capsys.readouterr().out
    assert "1 accepted" in said and "describes a picture that did not come with it" in said
    found = Asset.objects.get()
    process(found)
    assert Asset.objects.get().title == "Beside"


def test_a_sidecar_that_comes_later_is_read_where_nobody_has_written(tmp_path: Path) -> None:
    content = picture()
    found = taken(content, words={"title": "By hand"})
    beside = packet(alt("dc:title", x_default="Beside") + alt("dc:description", x_default="A boat"))
    outcome = take_in(content, sidecar=beside.encode())
    assert outcome.outcome == BatchItem.Outcome.DUPLICATE
    process(found)
    again = Asset.objects.get()
    assert (again.title, again.description) == ("By hand", "A boat")


@pytest.mark.parametrize("bad", [b"<x>", b"not XML", b"x" * (sidecars.MAX_BYTES + 1)])
def test_a_bad_sidecar_is_left_out_and_the_picture_is_here(bad: bytes) -> None:
    outcome = take_in(picture(), sidecar=bad)
    assert outcome.asset is not None and outcome.reason.startswith("The XMP file beside it")
    assert outcome.asset.current_version.sidecar == ""  # type: ignore[union-attr]


def test_a_sidecar_that_comes_while_the_file_is_read_is_not_lost() -> None:
    found = take_in(content := picture()).asset
    assert found is not None and found.current_version is not None
    write = extract_metadata(found.current_version)
    take_in(content, sidecar=packet(alt("dc:title", x_default="Beside")).encode())
    with pytest.raises(Postponed, match="while the file was read"):
        write()
    process(found)
    assert Asset.objects.get().title == "Beside"


def test_pictures_and_sidecars_in_one_upload(browser: Client) -> None:
    beside = packet(alt("dc:title", x_default="Beside")).encode()
    files = [
        ("boat.jpg", picture()),
        ("boat.tif", picture(format="TIFF")),
        ("boat.xmp", beside),
        ("x.xmp", beside),
    ]
    form = {
        "batch": "7d2d6c2e-6b9e-4bd6-8f3c-2b5f2f0a8f10",
        "pictures": [SimpleUploadedFile(n, c) for n, c in files],
    }
    page = browser.post("/upload/", form).content.decode()
    assert page.count('data-outcome="accepted"') == 2 and "did not come with it" in page
    process(*Asset.objects.all())
    assert [found.title for found in Asset.objects.all()] == ["Beside", "Beside"]


def test_what_came_in_a_sidecar_goes_out_again(browser: Client, tmp_path: Path) -> None:
    found = taken(picture(), sidecar=packet(alt("dc:title", x_default="Beside"), my__field="kept").encode())
    changes.apply(changes.operation("edit", ""), [found], {"title": "Now"})
    for page in ("download/", "metadata.xmp"):
        sent = browser.get(address(found, page)).getvalue()
        whole = read_back(sent, tmp_path) if page == "download/" else None
        raw = whole.raw["XMP"] if whole else {}
        assert b"kept" in sent and b"Now" in sent and b"Beside" not in sent
        assert not whole or raw["my:field"] == "kept"


def test_a_jpeg_made_for_download_carries_the_words(browser: Client) -> None:
    content = encoded(Image.new("RGB", (1500, 40), "teal"), "PNG")
    asset = take_in(content, "sea.png", words={"title": "Sea", "creator": "Hokusai"}).asset
    assert asset is not None
    answer = browser.get(f"/assets/{asset.uid}/jpeg/1024/")
    got = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert answer["Content-Length"] == str(len(got))
    with Image.open(io.BytesIO(got)) as image:
        image.load()
        assert image.size == (1024, 27)
        said = image.getxmp()  # type: ignore[no-untyped-call]
    assert "Sea" in str(said) and "Hokusai" in str(said)
