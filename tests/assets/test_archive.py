"""Many pictures as one zip: read by others while it is sent, never whole in memory, and never broken."""

import csv
import io
import os
import struct
import subprocess
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.test import Client
from PIL import Image

from accounts.models import User
from assets import changes
from assets.bulk import selecting
from assets.bulk.archive import ORIGINAL, Archive
from assets.bulk.naming import Names, beside, safe
from assets.bulk.selecting import select
from assets.models import Asset, Collection, Depiction, Record
from assets.views import bulk_download
from tests.factories import asset, picture, take_in

pytestmark = pytest.mark.django_db


def front_to_back(pieces: Iterator[bytes]) -> Iterator[tuple[str, bytes]]:
    """Names and contents as a program reads them that has only the beginning so far: no directory."""
    data = bytearray()

    def need(size: int) -> None:
        while len(data) < size:
            data.extend(next(pieces))

    while True:
        need(4)
        if data[:4] != b"PK\x03\x04":
            return
        need(30)
        flags, method = struct.unpack_from("<HH", data, 6)
        length, extra = struct.unpack_from("<HH", data, 26)
        need(30 + length + extra)
        name = bytes(data[30 : 30 + length]).decode()
        zip64 = data[30 + length : 32 + length] == b"\x01\x00"
        assert flags & 8 and method == zipfile.ZIP_DEFLATED
        del data[: 30 + length + extra]
        inflate, content = zlib.decompressobj(-15), b""
        while not inflate.eof:
            need(1)
            content += inflate.decompress(bytes(data))
            data[:] = inflate.unused_data
        need(24 if zip64 else 16)
        assert data[:4] == b"PK\x07\x08" and struct.unpack_from("<I", data, 4)[0] == zlib.crc32(content)
        del data[: 24 if zip64 else 16]
        yield name, content


def archive(user: User, *assets: Asset, longest: int = ORIGINAL) -> Archive:
    return Archive(user, [a.pk for a in assets], longest, lambda path: f"http://museum{path}")


def opened(made: Archive) -> zipfile.ZipFile:
    found = zipfile.ZipFile(io.BytesIO(b"".join(made)))
    assert found.testzip() is None
    return found


def listed(made: zipfile.ZipFile) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(made.read("list.csv").decode("utf-8-sig"))))


def test_it_is_read_front_to_back_and_by_other_programs(viewer: User, tmp_path: Path) -> None:
    one, two, three = asset("red", title="Sea: at/night"), asset("blue"), asset("green", "日本.png")
    record = Record.objects.create(accession_number="1923/10", title="Sea", credit_line="=1+1")
    Depiction.objects.create(record=record, asset=one)
    Depiction.objects.create(record=record, asset=two)
    files = dict(front_to_back(iter(archive(viewer, one, two, three))))
    assert list(files) == ["1923-10 Sea.jpg", "1923-10 Sea (2).jpg", "日本.png", "list.csv"]
    assert b"1923/10" in files["1923-10 Sea.jpg"]  # the words are inside
    whole = b"".join(archive(viewer, one, two, three))
    assert {n: len(c) for n, c in files.items()} == {
        info.filename: info.file_size for info in zipfile.ZipFile(io.BytesIO(whole)).infolist()
    }
    (tmp_path / "made.zip").write_bytes(whole)
    if Path("/usr/bin/unzip").exists():
        told = subprocess.run(["unzip", "-t", tmp_path / "made.zip"], capture_output=True, text=True)
        assert told.returncode == 0 and "No errors detected" in told.stdout
    rows = listed(zipfile.ZipFile(io.BytesIO(whole)))
    assert [row["file"] for row in rows] == list(files)[:3]
    assert rows[0]["credit line"] == "'=1+1" and rows[0]["address"].startswith("http://museum/assets/")


def test_what_is_missing_is_told_and_breaks_nothing(viewer: User) -> None:
    gone, hidden, good = (
        asset("red", title="Gone"),
        asset("blue", title="Secret"),
        asset("green", title="Good"),
    )
    waiting = Asset.objects.create(collection=Collection.objects.named("x"), title="Waiting")
    made = archive(viewer, gone, hidden, waiting, good)
    assert gone.current_version is not None
    storages["originals"].delete(gone.current_version.blob.storage_name)
    pieces = iter(made)
    first = next(pieces)
    changes.apply(changes.operation("edit", ""), [hidden], {"access": "restricted"})  # while it is sent
    found = zipfile.ZipFile(io.BytesIO(first + b"".join(pieces)))
    assert found.namelist() == ["Gone MISSING.txt", "Good.jpg", "list.csv"]
    assert "not in storage" in found.read("Gone MISSING.txt").decode()
    notes = [row["note"] for row in listed(found)]
    assert "not in storage" in notes[0] and "may not download it" in notes[1] and "still waits" in notes[2]
    assert "Secret" not in found.read("list.csv").decode()


def test_a_chosen_size_and_formats_that_take_no_words(viewer: User) -> None:
    bmp = take_in(picture("blue", format="BMP"), "plain.bmp").asset
    big = take_in(picture("red", (1500, 900)), "big.jpg").asset
    assert bmp and big
    found = opened(archive(viewer, bmp, longest=ORIGINAL))
    assert found.namelist() == ["plain.bmp", "plain.xmp", "list.csv"] and found.read("plain.bmp")[:2] == b"BM"
    found = opened(archive(viewer, big, longest=1024))
    assert Image.open(io.BytesIO(found.read("big.jpg"))).size == (1024, 614)


def test_memory_holds_a_piece_of_a_file_and_never_the_archive(viewer: User) -> None:
    one = asset("red")
    version = one.current_version
    assert version is not None
    path = Path(storages["originals"].path(version.blob.storage_name))
    path.chmod(0o600)
    os.truncate(path, 10 * 1024**2)
    made = Archive(viewer, [one.pk] * 3, ORIGINAL, str)
    tracemalloc.start()
    total = sum(map(len, made))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total > 30 * 1024**2 and peak < 8 * 1024**2


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a/b\\c:d*e?f", "a-b-c-d-e-f"),
        ("../../etc/passwd", "-..-etc-passwd"),
        ("CON", "_CON"),
        ("com¹", "_com¹"),
        ("nul.txt", "_nul.txt"),
        (" . ", "picture"),
        ("x\x00\u202ey\n", "x y"),
        ("é" * 200, "é" * 90),
    ],
)
def test_names_are_safe_everywhere(text: str, name: str) -> None:
    assert safe(text) == name


def test_each_name_stands_once_whatever_the_capitals() -> None:
    names = Names("list.csv")
    assert [names.unique(stem, ".jpg") for stem in ("Sea", "sea", "SEA")] == [
        "Sea.jpg",
        "sea (2).jpg",
        "SEA (3).jpg",
    ]
    assert names.unique("List", ".csv") == "List (2).csv"


def test_an_xmp_file_lies_beside_its_own_picture_alone() -> None:
    names = Names()
    found = [names.unique("Sea", ending) for ending in (".tif", ".bmp", "")]
    assert found == ["Sea.tif", "Sea (2).bmp", "Sea (3)"]
    assert [beside(found[1], ".bmp"), beside("No. 5", "")] == ["Sea (2).xmp", "No. 5.xmp"]
    assert names.unique("Sea (2)", ".gif") == "Sea (2) (2).gif"
    assert names.unique("Sea.xmp", "") == "Sea.xmp (2)"


def test_the_page_says_what_is_too_much(browser: Client, viewer: User, settings: Any) -> None:
    one, two = asset("red"), asset("blue")
    job = select(viewer, selecting.of_uids(viewer, [one.uid, two.uid]))
    address = job.get_absolute_url()
    assert "Download 2 pictures" in browser.get(f"{address}download/").content.decode()
    answer: Any = browser.get(f"{address}pictures.zip?size=0")
    assert answer["Content-Type"] == "application/zip" and ".zip" in answer["Content-Disposition"]
    assert len(zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))).namelist()) == 3
    settings.DOWNLOAD_JPEGS = 1
    page = browser.get(f"{address}pictures.zip?size=1024")
    assert page.status_code == 400 and "at most 1 of them" in page.content.decode()
    settings.DOWNLOAD_PICTURES = 1
    assert "At most 1 pictures go into one" in browser.get(f"{address}download/").content.decode()


def test_a_download_that_is_broken_off_makes_room_for_the_next(
    browser: Client, viewer: User, settings: Any
) -> None:
    settings.DOWNLOADS_AT_ONCE = 1
    bulk_download._turns.clear()
    job = select(viewer, [asset("red").pk])
    address = f"{job.get_absolute_url()}pictures.zip?size=0"
    for begun in (True, False):
        answer: Any = browser.get(address)
        assert answer.status_code == 200 and browser.get(address).status_code == 503
        if begun:
            next(iter(answer.streaming_content))
        for closes in answer._resource_closers:  # as the server does when the other side has gone
            closes()
