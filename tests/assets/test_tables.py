"""Tables as people save them: encodings, delimiters, what spreadsheets do to numbers, and what is refused."""

import io
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from assets import tables
from assets.imports.targets import TARGETS, guessed
from assets.tables import Row, TableRefused, rows

TEXT = "Nr;Künstler, Maler;Größe\n1;Müller, Jörg;groß\n\n2;René Étienne;„x“\n"
CELLS = [["1", "Müller, Jörg", "groß"], ["2", "René Étienne", "„x“"]]


def read(path: Path) -> tuple[list[str], list[Row], list[str]]:
    with tables.opened(path) as table:
        return table.headers, list(table.rows), table.notes


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", ""),
        ("utf-16-le", ""),
        ("utf-16-be", ""),
        ("cp1252", "Windows-1252"),
        ("mac_roman", "Mac Roman"),
    ],
)
def test_the_encoding_is_found(tmp_path: Path, encoding: str, note: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(TEXT.encode(encoding))
    headers, found, notes = read(path)
    assert headers == ["Nr", "Künstler, Maler", "Größe"]
    assert [row.cells for row in found] == CELLS and [row.number for row in found] == [2, 4]
    assert note in "".join(notes) and bool(notes) == bool(note)


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("a,b\n1;2,3\n", ["1;2", "3"]),
        ("a;b\n1,5;2,5\n", ["1,5", "2,5"]),
        ("a\tb\n1,2\t3;4\n", ["1,2", "3;4"]),
        ("a|b\n1|2\n", ["1", "2"]),
        ("sep=|\na|b\n1|2\n", ["1", "2"]),
        ('a,b\n"x, y\nz",2\n', ["x, y\nz", "2"]),
        ("a,b\n1\n", ["1", ""]),
        ("a,b\n1,2,3\n", ["1", "2"]),
        ("title\nOnly, one; column\n", ["Only, one; column"]),
        ("\n\na;b\n1;2\n", ["1", "2"]),
    ],
)
def test_the_delimiter_is_found_by_counting(tmp_path: Path, text: str, cells: list[str]) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    assert [row.cells for row in read(path)[1]] == [cells]


def workbook(path: Path, *lines: list[Any], formats: dict[str, str] | None = None) -> Path:
    book = Workbook()
    sheet: Any = book.active
    for line in lines:
        sheet.append(line)
    for cell, form in (formats or {}).items():
        sheet[cell].number_format = form
    book.save(path)
    return path


def test_a_workbook_reads_as_it_was_shown(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "t.xlsx",
        ["Nr", "Date", "Count", "Year", "Seen"],
        [1923.1, datetime(1923, 10, 4), 7, datetime(1950, 1, 1), True],
        [None] * 5,
        ["1923.10", None, 1.5, 1000000, "=1+1"],
        formats={"A2": "0.00", "C2": "000", "D2": "yyyy"},
    )
    headers, found, _ = read(path)
    assert headers == ["Nr", "Date", "Count", "Year", "Seen"] and [row.number for row in found] == [2, 4]
    assert found[0].cells == ["1923.10", "1923-10-04", "007", "1950", "yes"]
    assert found[0].odd[0] == ("number", "1923.1") and found[0].odd[1].kind == "date"
    assert found[1].cells == ["1923.10", "", "1.5", "1000000", ""] and 0 not in found[1].odd


def test_only_the_first_sheet_is_read_and_that_is_said(tmp_path: Path) -> None:
    book = Workbook()
    sheet: Any = book.active
    sheet.append(["title"])
    book.create_sheet("More")
    book.save(tmp_path / "t.xlsx")
    assert "Only the sheet" in read(tmp_path / "t.xlsx")[2][0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"PK\x03\x04 no archive", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old", "old or protected"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "no table"),
        (b",".join(b"c%d" % n for n in range(501)), "501 columns"),
    ],
)
def test_what_is_no_table_is_refused_with_a_sentence(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(TableRefused, match=reason):
        read(tmp_path / "t.csv")


def test_an_archive_or_a_bomb_is_no_workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        archive.writestr("a.jpg", b"x")
    with pytest.raises(TableRefused, match="archive, not a workbook"):
        read(tmp_path / "pictures.zip")
    path = workbook(tmp_path / "t.xlsx", ["a"], ["x" * 1000])
    monkeypatch.setattr("assets.tables.xlsx.MAX_UNPACKED", 1000)
    with pytest.raises(TableRefused, match="too large when it is unpacked"):
        read(path)


def test_entities_of_a_workbook_are_not_expanded(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", ["a"], ["x"])
    bomb = (
        '<!DOCTYPE z [<!ENTITY a "aaaaaaaaaa">]><worksheet xmlns="x"><sheetData>&a;</sheetData></worksheet>'
    )
    changed = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for info in old.infolist():
            sheet = info.filename.endswith("sheet1.xml")
            new.writestr(info.filename, bomb if sheet else old.read(info))
    path.write_bytes(changed.getvalue())
    with pytest.raises(TableRefused, match="damaged"):
        read(path)


def test_too_many_rows_and_too_long_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a\n" + "x\n" * 4)
    monkeypatch.setattr(rows, "MAX_ROWS", 3)
    with pytest.raises(TableRefused, match="more than 3 rows"):
        read(path)
    monkeypatch.setattr(rows, "MAX_CELL", 5)
    path.write_text("a\nxxxxxx\n")
    with pytest.raises(TableRefused, match="row 2 has more than 5 characters"):
        read(path)


@pytest.mark.parametrize(
    ("headers", "keys"),
    [
        ("Filename, Object Number, Title, Artist/Maker, Keywords", "file accession title creator tags"),
        ("Dateiname, Inventar-Nr., Titel, Künstler/in, Datierung", "file accession title creator date"),
        ("Fichier, N° d'inventaire, Titre, Auteur, Mots-clés", "file accession title creator tags"),
        ("Bestandsnaam, Inventarisnummer, Titel, Vervaardiger", "file accession title creator"),
        ("dc:identifier, dc:title, dcterms:created, dc:rights", "accession title date rights"),
        ("ObjObjectNumberTxt, ObjObjectTitleVrt, ObjDateTxt", "accession title date"),
        ("Original filename, Title, Credit, Named person(s)", "file title credit_line creator"),
        ("Title, Titel, Shelf, ", "title   "),
    ],
)
def test_headers_are_understood(headers: str, keys: str) -> None:
    assert " ".join(guessed(headers.split(", "), TARGETS)) == keys
