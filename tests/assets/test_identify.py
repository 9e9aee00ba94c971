import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from assets.decode import reason
from assets.identify import NotAPicture, identify
from assets.ingest import clean_filename
from tests.factories import encoded, picture


def put(tmp_path: Path, content: bytes, name: str = "file") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def png_header(width: int, height: int) -> bytes:
    """The beginning of a PNG that claims a size, without any pixel."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + body
        + struct.pack(">I", zlib.crc32(body))
        + b"\0\0\0\1IDAT"
    )


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "JPEG2000", "AVIF"])
def test_formats_are_known_by_their_content(tmp_path: Path, format: str) -> None:
    found = identify(put(tmp_path, picture(size=(40, 30), format=format), "wrong.txt"))
    assert (found.format, found.width, found.height) == (format, 40, 30)
    assert found.media_type.startswith("image/")


def test_the_size_is_that_of_the_upright_picture(tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 30))
    exif = Image.Exif()
    exif[0x0112] = 6
    found = identify(put(tmp_path, encoded(image, "JPEG", exif=exif)))
    assert (found.width, found.height) == (30, 40)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"Dear Sir or Madam", "text file"),
        ("日本語の手紙".encode(), "text file"),
        (b"%PDF-1.7\n...", "PDF"),
        (b"PK\x03\x04....", "zip"),
        (b"\x00\x00\x00\x18ftypheic....", "HEIC"),
        (b"\x00\x01\x02\xff\xfe" * 50, "unknown"),
        (b"\xff\xd8\xff\xe0", "."),
    ],
)
def test_what_is_no_picture_says_what_it_is(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(NotAPicture, match=said):
        identify(put(tmp_path, content, "photo.jpg"))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP", "JPEG2000", "AVIF"])
def test_a_picture_that_ends_early_is_called_damaged_and_nothing_else(tmp_path: Path, format: str) -> None:
    whole = picture(size=(64, 48), format=format)
    for length in (20, 40, 100, 200, len(whole) // 2, len(whole) - 5):
        path = put(tmp_path, whole[:length])
        try:
            identify(path)
        except NotAPicture as error:
            assert "damaged" in str(error) and str(tmp_path) not in str(error)


def test_a_damaged_avif_is_a_damaged_picture(tmp_path: Path) -> None:
    """Its decoder raises a RuntimeError where others raise an OSError."""
    whole = bytearray(picture(size=(64, 48), format="AVIF"))
    at = whole.index(b"pitm")
    whole[at + 8 : at + 10] = b"\x00\x63"  # the main picture is one that is not there
    with pytest.raises(NotAPicture, match="damaged"):
        identify(put(tmp_path, bytes(whole)))


def test_an_error_is_told_in_one_line_without_paths_and_control_characters() -> None:
    told = reason(OSError("bad\x00 tile\nin '/srv/my data/ab/cd' and /srv/x/y.tif: \"/a b/c\", 3/4"))
    assert told == "bad tile in the file and the file: the file, 3/4"
    assert reason(FileNotFoundError(2, "No such file or directory", "/srv/x")) == "No such file or directory"
    assert reason(MemoryError()) == "MemoryError"


def test_a_picture_over_the_limit_names_its_size_and_the_limit(tmp_path: Path) -> None:
    with pytest.raises(NotAPicture, match="100,000 x 100,000 pixels; the limit is 1,000 megapixels"):
        identify(put(tmp_path, png_header(100_000, 100_000)))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\a.jpg", "a.jpg"),
        ("浮世絵.jpg", "浮世絵.jpg"),
        ("a\x00b\r\n.jpg", "ab.jpg"),
        ("holiday-\u202egpj.exe", "holiday-gpj.exe"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("x" * 300 + ".tiff", "x" * 250 + ".tiff"),
        ("e\u0301.jpg", "é.jpg"),
    ],
)
def test_file_names(given: str, kept: str) -> None:
    assert clean_filename(given) == kept
