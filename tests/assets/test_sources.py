"""Folders and archives, with the names and the traps that they come with."""

import io
import os
import resource
import stat
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assets import sources
from assets.sources import Item, Refused, SourceError, names

ZEROS = bytes(1024**2)


def taken(source: sources.Source) -> dict[str, bytes | str]:
    """By path: the bytes, or why there are none."""
    found: dict[str, bytes | str] = {}
    for item in source.items():
        if isinstance(item, Refused):
            found[item.path] = item.reason
            continue
        try:
            with item.open() as stream:
                found[item.path] = stream.read()
        except SourceError as error:
            found[item.path] = str(error)
    return found


def archive(path: Path, *members: tuple[zipfile.ZipInfo | str, bytes], **options: Any) -> Path:
    with zipfile.ZipFile(path, "w", **options) as made:
        for name, content in members:
            made.writestr(name, content)
    return path


def test_a_folder_with_links_pipes_and_old_names(tmp_path: Path) -> None:
    root = tmp_path / "scans"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (root / "a.jpg").write_bytes(b"a")
    (root / "e\u0301.jpg").write_bytes(b"accent")
    Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9.jpg")).write_bytes(b"latin")
    (root / "sub" / "inside.jpg").symlink_to(root / "a.jpg")
    (root / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    (root / "up").symlink_to(tmp_path)
    (root / "nowhere.jpg").symlink_to(tmp_path / "gone.jpg")
    os.mkfifo(root / "pipe.jpg")
    found = taken(sources.opened(str(root)))
    assert {path for path, content in found.items() if isinstance(content, bytes)} == {
        "a.jpg", "é.jpg", "café.jpg", "sub/inside.jpg"
    }  # fmt: skip
    assert "outside of the folder" in str(found["out.jpg"]) and "outside of the folder" in str(found["up"])
    assert "cannot be read" in str(found["nowhere.jpg"]) and found["sub/inside.jpg"] == b"a"


def test_a_file_that_becomes_a_link_between_listing_and_reading_is_not_read(tmp_path: Path) -> None:
    root = tmp_path / "scans"
    root.mkdir()
    (root / "a.jpg").write_bytes(b"a")
    (item,) = sources.opened(str(root)).items()
    (root / "a.jpg").unlink()
    (root / "a.jpg").symlink_to("/etc/passwd")
    with pytest.raises(SourceError, match="outside"), item.open():  # type: ignore[union-attr]
        pass


def test_a_single_file_is_the_same_item_as_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a")
    alone, folder = sources.opened(str(tmp_path / "a.jpg")), sources.opened(str(tmp_path))
    assert alone.identity == folder.identity and list(alone.items()) == list(folder.items())


def test_paths_may_be_kept_within_folders(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert sources.opened(str(tmp_path / "in"), within=[tmp_path]).identity
    (tmp_path / "in" / "out").symlink_to("/etc")
    for where in ("/etc", str(tmp_path / "in" / ".." / ".."), str(tmp_path / "in" / "out")):
        with pytest.raises(SourceError, match="may not read"):
            sources.opened(where, within=[tmp_path / "in"])


def test_sidecars_go_with_their_pictures(tmp_path: Path) -> None:
    for name in ("boat.jpg", "Boat.XMP", "lone.xmp"):
        (tmp_path / name).write_bytes(name.encode())
    boat, lone = sources.opened(str(tmp_path)).items()
    assert isinstance(boat, Item) and boat.sidecar is not None and boat.sidecar.path == "Boat.XMP"
    assert isinstance(lone, Refused)
    before = boat.fingerprint
    (tmp_path / "Boat.XMP").write_bytes(b"other words")
    changed = next(iter(sources.opened(str(tmp_path)).items()))
    assert isinstance(changed, Item) and changed.fingerprint != before


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("cp437", ["Köln, Dom.jpg", "Séurat/été.jpg"]),
        ("cp850", ["Ærø.jpg", "Ærøskøbing.jpg"]),
        ("cp1252", ["Renoir – Été.jpg", "Straße.jpg"]),
        ("cp866", ["Репин/Бурлаки.jpg"]),
        ("cp932", ["浮世絵/北斎01.jpg", "ゴッホ ひまわり.tif"]),
        ("utf-8", ["浮世絵.jpg", "Été.jpg"]),
    ],
)
def test_names_in_old_encodings(tmp_path: Path, encoding: str, written: list[str]) -> None:
    """Archives without the flag that says UTF-8, as older programs write them."""
    path = archive(
        tmp_path / "a.zip", *((f"{n}{'x' * len(w.encode(encoding))}", b"1") for n, w in enumerate(written))
    )
    content = path.read_bytes()
    for number, name in enumerate(written):
        raw = name.encode(encoding)
        content = content.replace(f"{number}{'x' * len(raw)}".encode(), raw + b"_")
    path.write_bytes(content)
    assert [i.path for i in sources.opened(str(path)).items()] == [f"{name}_" for name in written]


def test_a_name_in_the_field_of_its_own(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("plain.jpg")
    field = b"\1" + struct.pack("<I", zlib.crc32(b"plain.jpg")) + "浮世絵.jpg".encode()
    info.extra = struct.pack("<HH", 0x7075, len(field)) + field
    assert list(taken(sources.opened(str(archive(tmp_path / "a.zip", (info, b"1")))))) == ["浮世絵.jpg"]


def test_names_that_lead_out_of_an_archive(tmp_path: Path) -> None:
    bad = ["../../etc/passwd", "/etc/passwd", "C:/windows/a.jpg", "..\\up.jpg", "a/../../b.jpg"]
    good = ["a/b.jpg", "back\\slash.jpg", "./c.jpg"]
    path = archive(tmp_path / "a.zip", *((name, name.encode()) for name in [*bad, *good]))
    found = taken(sources.opened(str(path)))
    assert {p for p, content in found.items() if isinstance(content, bytes)} == {
        "a/b.jpg",
        "back/slash.jpg",
        "c.jpg",
    }
    assert all("leads out" in str(found[name]) for name in bad)


def test_members_that_are_refused_while_the_rest_goes_in(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    packed = zipfile.ZipInfo("bzip.jpg")
    packed.compress_type = zipfile.ZIP_BZIP2
    secret, broken = zipfile.ZipInfo("secret.jpg"), zipfile.ZipInfo("broken.jpg")
    path = archive(
        tmp_path / "a.zip",
        ("good.jpg", b"good"), (link, b"/etc/passwd"), (packed, b"x" * 50), (secret, b"SECRET"),
        (broken, b"BROKEN"), ("__MACOSX/._good.jpg", b"junk"), ("folder/", b""),
    )  # fmt: skip
    content = bytearray(path.read_bytes().replace(b"BROKEN", b"broken"))
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        content[made.getinfo("secret.jpg").header_offset + 6] |= 1
        entry = content.index(b"secret.jpg", made.start_dir) - 46
    content[entry + 8] |= 1
    path.write_bytes(content)
    found = taken(sources.opened(str(path)))
    assert found.pop("good.jpg") == b"good"
    assert {p: str(r).split()[-1] for p, r in found.items()} == {
        "link.jpg": "file.", "bzip.jpg": "archive.", "secret.jpg": "password.", "broken.jpg": "file."
    }  # fmt: skip


def test_the_same_name_twice_and_the_same_archive_twice(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        path = archive(tmp_path / "a.zip", ("a.jpg", b"1"), ("a.jpg", b"2"), ("sub/a.jpg", b"3"))
    source = sources.opened(str(path))
    assert taken(source) == {"a.jpg": b"1", "a (2).jpg": b"2", "sub/a.jpg": b"3"}
    other = tmp_path / "copy.zip"
    other.write_bytes(path.read_bytes())
    assert sources.opened(str(other)).identity == source.identity
    assert sources.opened(str(archive(tmp_path / "b.zip", ("a.jpg", b"9")))).identity != source.identity


def test_what_is_no_whole_archive(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", ("a.jpg", b"1" * 1000))
    path.write_bytes(path.read_bytes()[:-30])
    for content in (path.read_bytes(), b"", b"no archive at all"):
        path.write_bytes(content)
        with pytest.raises(SourceError, match="no zip archive"):
            sources.opened(str(path))


@pytest.fixture(scope="module")
def bomb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """10 GB of zeros in 10 MB, as one file and as many."""
    path = tmp_path_factory.mktemp("bomb") / "bomb.zip"
    packer = zlib.compressobj(1, wbits=-15)
    head = packer.compress(bytes(1)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = (packer.compress(ZEROS) + packer.flush(zlib.Z_FULL_FLUSH)) * 10 * 1024
    data = head + block + packer.flush()
    size, name = 10 * 1024**3 + 1, b"zeros.tif"
    wide = struct.pack("<HHQQ", 1, 16, size, len(data))
    fields = struct.pack("<HHHHHIII", 45, 0, 8, 0, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF)
    local = b"PK\3\4" + fields + struct.pack("<HH", len(name), len(wide)) + name + wide
    entry = b"PK\1\2" + struct.pack("<H", 45) + fields
    entry += struct.pack("<HHHHHII", len(name), len(wide), 0, 0, 0, 0, 0) + name + wide
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, len(entry), len(local) + len(data), 0)
    path.write_bytes(local + data + entry + end)
    yield path


def test_a_bomb_ends_by_its_ratio_its_total_or_its_number(bomb: Path, settings: Any, tmp_path: Path) -> None:
    began, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (refused,) = sources.opened(str(bomb)).items()
    assert isinstance(refused, Refused) and "so many times its size" in refused.reason
    settings.IMPORT_ZIP_GB = 5
    settings.IMPORT_ZIP_RATIO = 10_000
    (refused,) = sources.opened(str(bomb)).items()
    assert isinstance(refused, Refused) and "more than 5 GB" in refused.reason
    settings.IMPORT_ZIP_MEMBERS = 3
    many = archive(tmp_path / "many.zip", *((f"{n}.jpg", b"") for n in range(4)))
    with pytest.raises(SourceError, match="more than 3 files"):
        sources.opened(str(many))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    assert time.process_time() - began < 5 and grown < 50_000  # kilobytes


def test_a_bomb_that_lies_about_its_size_gives_no_more_than_it_says(bomb: Path, tmp_path: Path) -> None:
    content = bomb.read_bytes().replace(struct.pack("<Q", 10 * 1024**3 + 1), struct.pack("<Q", 1000))
    lying = tmp_path / "lying.zip"
    lying.write_bytes(content)
    assert taken(sources.opened(str(lying))) == {"zeros.tif": "The archive is damaged at this file."}


def test_a_directory_too_large_to_be_read_is_not_read(tmp_path: Path, settings: Any) -> None:
    settings.IMPORT_ZIP_MEMBERS = 10
    path = tmp_path / "a.zip"
    size = 3 * 1024**2
    path.write_bytes(bytes(size) + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 9, 9, size, 0, 0))
    with pytest.raises(SourceError, match="more than 10 files"):
        sources.opened(str(path))


def test_an_archive_beyond_4_gb_is_read_by_its_wide_fields(tmp_path: Path) -> None:
    """The second file lies behind a hole of 5 GB, which takes no room on the disk."""
    path = tmp_path / "wide.zip"
    with path.open("wb") as file, zipfile.ZipFile(file, "w") as made:
        made.writestr("first.jpg", b"1")
        made.fp.seek(5 * 1024**3)  # type: ignore[union-attr]
        made.start_dir = 5 * 1024**3
        made.writestr("last.jpg", b"2")
    assert taken(sources.opened(str(path))) == {"first.jpg": b"1", "last.jpg": b"2"}


def test_every_name_becomes_one_that_is_inside() -> None:
    assert names.inside("e\u0301/./b\\c.jpg") == "é/b/c.jpg"
    for bad in ("", "/", "..", "a/..", "D:x", "a\0b", "x" * 1001, "\\\\server\\share"):
        with pytest.raises(ValueError):
            names.inside(bad)
