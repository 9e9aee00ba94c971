"""Files and tables that are made to do harm: what goes in, and what comes out again."""

import csv
import io
import stat
import zipfile
from pathlib import Path

import pytest
from django.test import Client

from assets import sources
from assets.decoders import Refused, svg
from assets.metadata import xmp
from assets.metadata.blocks import Damaged
from assets.models import Vocabulary
from assets.tables import opened
from assets.tables.formulas import RISKY, as_was, safe
from assets.terms import editing, exporting, skos
from assets.terms.concepts import FileRefused, Languages
from tests.factories import take_in

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
SVG = "http://www.w3.org/2000/svg"
TERMS = f"""<rdf:RDF xmlns:rdf="{RDF}" xmlns:skos="http://www.w3.org/2004/02/skos/core#">
<skos:Concept rdf:about="http://x/1"><skos:prefLabel>%s</skos:prefLabel></skos:Concept></rdf:RDF>"""
LAUGHS = '<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
HARMFUL = [LAUGHS, '<!ENTITY i SYSTEM "file:///etc/passwd">', '<!ENTITY % p SYSTEM "http://127.0.0.1:1/">%p;']


def terms(folder: Path, declared: str, label: str) -> list[str]:
    path = folder / "terms.rdf"
    path.write_text(f'<?xml version="1.0"?><!DOCTYPE rdf:RDF [{declared}]>{TERMS % label}')
    return [found.label for found in skos.read(path, Languages(("en",)))]


@pytest.mark.parametrize("declared", [*HARMFUL, f'<!ENTITY i "{"a" * 400}">'])
def test_terms_with_entities_of_entities_are_refused(tmp_path: Path, declared: str) -> None:
    with pytest.raises(FileRefused, match="declares entities"):
        terms(tmp_path, declared, "&i;")


def test_short_names_for_addresses_are_read_in_terms(tmp_path: Path) -> None:
    assert terms(tmp_path, '<!ENTITY owl "http://www.w3.org/2002/07/owl#">', "boats") == ["boats"]


@pytest.mark.parametrize("declared", HARMFUL)
def test_drawings_and_metadata_with_entities_are_refused(declared: str) -> None:
    with pytest.raises(Refused):
        svg.cleaned(f'<!DOCTYPE svg [{declared}]><svg xmlns="{SVG}"><text>&i;</text></svg>'.encode())
    packet = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}">&i;</rdf:RDF></x:xmpmeta>'
    with pytest.raises(Damaged, match="entities"):
        xmp.parse(f"<!DOCTYPE x [{declared}]>{packet}".encode())


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["drawing.svg", "drawing.jpg", "page.html.svg"])
def test_a_drawing_with_a_script_is_only_ever_a_download(browser: Client, name: str) -> None:
    content = f'<svg xmlns="{SVG}" width="9" height="9"><script>alert(1)</script></svg>'.encode()
    found = take_in(content, name).asset
    assert found is not None
    for path in ("original/", "original/?show", "download/", "download/?metadata=0"):
        answer = browser.get(f"/assets/{found.uid}/{path}")
        assert answer.status_code == 200 and answer["Content-Type"] == "application/octet-stream"
        assert answer["Content-Disposition"].startswith("attachment")
        assert (
            answer["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer["Content-Security-Policy"]
        )


@pytest.mark.django_db
@pytest.mark.parametrize("head", [b"GIF89a/*", b"\xff\xd8\xff\xe0*/", b"%PDF-1.4\n", b"PK\x03\x04", b""])
def test_a_page_that_begins_like_a_picture_is_never_shown_as_a_page(browser: Client, head: bytes) -> None:
    outcome = take_in(head + b"<html><script>alert(1)</script></html>", "a.gif")
    if outcome.asset is not None:  # else it was refused, which is as good
        answer = browser.get(f"/assets/{outcome.asset.uid}/original/?show")
        assert not answer["Content-Type"].startswith(("text/", "application/xhtml"))
        assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_link_in_an_archive_and_an_archive_in_it_are_not_opened(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as made:
        made.writestr("deep.jpg", b"x")
    link = zipfile.ZipInfo("link.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr(link, "/etc/passwd")
        made.writestr("inner.zip", inner.getvalue())
        made.writestr("../../outside.jpg", b"x")
    found = list(sources.opened(str(tmp_path / "a.zip")).items())
    taken = [one.path for one in found if isinstance(one, sources.Item)]
    assert "link.jpg" not in taken and "deep.jpg" not in taken
    assert not [path for path in taken if ".." in path or path.startswith("/")]


@pytest.mark.parametrize("sign", RISKY)
def test_a_cell_is_no_formula_and_comes_back_as_it_was(sign: str) -> None:
    assert safe(f"{sign}1") == f"'{sign}1" and as_was(safe(f"{sign}1")) == f"{sign}1"
    assert safe("'s-Hertogenbosch") == as_was("'s-Hertogenbosch") == "'s-Hertogenbosch"


@pytest.mark.django_db
def test_a_vocabulary_with_formulas_comes_back_from_its_table(tmp_path: Path, vocabulary: Vocabulary) -> None:
    labels = {"=1+1", "-marked-", "@home", "'s-Hertogenbosch", "plain"}
    for label in labels:
        editing.create(vocabulary, {"label": label, "note": f"={label}"}, [], None)
    (tmp_path / "terms.csv").write_text("".join(exporting.table(vocabulary)))
    with (tmp_path / "terms.csv").open(newline="") as file:
        assert not [cell for row in csv.reader(file) for cell in row if cell.startswith(("=", "-", "@"))]
    with opened(tmp_path / "terms.csv") as table:
        assert {row.cells[0] for row in table.rows} == labels


@pytest.fixture
def vocabulary(db: None) -> Vocabulary:
    return Vocabulary.objects.create(slug="own", name="Own")
