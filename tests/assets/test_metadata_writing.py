"""What is written is read back, by us and by others; nothing else in the file changes."""

import hashlib
import io
import json
import shutil
import struct
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest
import pyvips
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms, IptcImagePlugin

from assets.metadata import photoshop, writing
from assets.metadata.blocks import Span
from assets.metadata.present import Place, Statement
from assets.metadata.reading import read
from assets.metadata.texts import clean, cut
from tests.assets.test_metadata_reading import alt, exif, extended, iptc, jpeg, packet, segment, xmp
from tests.factories import encoded
from tests.often import often

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP")
SAYS = Statement(
    title="Grote Markt – наш café 😀",
    description="Two lines,\nwith <marks> & more",
    date="1889-05",
    medium="oil on canvas",
    rights="http://rightsstatements.org/vocab/InC/1.0/",
    rights_holder="City Archive",
    credit_line="Gift of the heirs",
    usage_terms="Ask first",
    alt_text="A square full of people",
    accession="1923.9",
    creators=("Anna Bloem", "Jan Prins"),
    tags=("market", "café, large"),
    places=(Place("Haarlem"), Place("Netherlands", "http://sws.geonames.org/2750405/")),
)


def noise(format: str, **save: Any) -> bytes:
    return encoded(Image.effect_noise((64, 48), 60).convert("RGB"), format, **save)


def written(content: bytes, format: str, says: Statement = SAYS, sidecar: str = "") -> bytes:
    pieces = writing.pieces_of(io.BytesIO(content), format, says, sidecar)
    made = b"".join(writing.stream(io.BytesIO(content), pieces))
    assert len(made) == writing.length_of(pieces)
    return made


def pixels(content: bytes) -> list[bytes]:
    with Image.open(io.BytesIO(content)) as image:
        frames = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            frames.append(image.convert("RGBA").tobytes())
        return frames


def saved(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / hashlib.md5(content, usedforsecurity=False).hexdigest()
    path.write_bytes(content)
    return path


# --- what comes back ------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_everything_comes_back_and_no_pixel_has_changed(format: str, tmp_path: Path) -> None:
    before = noise(format)
    after = written(before, format)
    words, raw, damage = read(saved(tmp_path, after))
    assert (words.title, words.description, words.date) == (SAYS.title, SAYS.description, SAYS.date)
    assert (words.creators, words.keywords) == (list(SAYS.creators), list(SAYS.tags))
    assert (words.rights, words.rights_holder) == (SAYS.rights, SAYS.rights_holder)
    assert (words.credit_line, words.usage_terms) == (SAYS.credit_line, SAYS.usage_terms)
    assert (words.alt_text, words.places) == (SAYS.alt_text, ["Haarlem", "Netherlands"])
    assert raw["XMP"]["dc:identifier"] == "1923.9" and damage == ""
    assert raw["EXIF"]["Artist"] == "Anna Bloem; Jan Prins"
    assert pixels(after) == pixels(before)
    pyvips.Image.new_from_buffer(after, "", fail_on="error").avg()
    assert written(after, format) == after  # once is enough


@pytest.mark.parametrize("format", FORMATS)
def test_pillow_reads_the_same(format: str) -> None:
    with Image.open(io.BytesIO(written(noise(format), format))) as image:
        found = image.getxmp()["xmpmeta"]["RDF"]["Description"]
        assert found["title"]["Alt"]["li"]["text"] == SAYS.title
        assert found["subject"]["Bag"]["li"] == list(SAYS.tags)
        assert found["creator"]["Seq"]["li"] == list(SAYS.creators)
        artist = image.getexif()[ExifTags.Base.Artist]
        assert artist == "Anna Bloem; Jan Prins"
        if format in ("JPEG", "TIFF"):
            iim: Any = IptcImagePlugin.getiptcinfo(image)  # type: ignore[arg-type]
            assert iim[(2, 5)].decode() == SAYS.title and iim[(2, 25)] == [t.encode() for t in SAYS.tags]
            assert iim[(1, 90)] == b"\x1b%G"


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not on this machine")
def test_exiftool_reads_the_same(tmp_path: Path) -> None:
    plain = [saved(tmp_path, written(noise(format), format)) for format in FORMATS]
    long = Statement(title="Long", description="€" * 60_000, tags=tuple(f"tag {n}" for n in range(100)))
    paths = [*plain, saved(tmp_path, written(noise("JPEG"), "JPEG", long))]
    command = ["exiftool", "-j", "-G0", "-a", "-struct", "-warning", "-error", "-charset", "iptc=UTF8"]
    command += ["-XMP:all", "-IPTC:all", "-EXIF:Artist", "-Photoshop:IPTCDigest", "-CurrentIPTCDigest"]
    done = subprocess.run([*command, *map(str, paths)], capture_output=True, check=True, text=True)
    *found, large = json.loads(done.stdout)
    for format, values in zip(FORMATS, found, strict=True):
        assert not {"ExifTool:Warning", "ExifTool:Error"} & set(values), values
        assert (values["XMP:Title"], values["XMP:Subject"]) == (SAYS.title, list(SAYS.tags))
        assert values["XMP:Description"] == SAYS.description
        assert values["XMP:ArtworkOrObject"][0]["AOSourceInvNo"] == 1923.9  # exiftool prints numbers so
        assert [place["LocationName"] for place in values["XMP:LocationShown"]] == ["Haarlem", "Netherlands"]
        assert (values["XMP:AltTextAccessibility"], values["EXIF:Artist"]) == (
            SAYS.alt_text,
            "Anna Bloem; Jan Prins",
        )
        if format in ("JPEG", "TIFF"):
            assert (values["IPTC:ObjectName"], values["IPTC:By-line"]) == (SAYS.title, list(SAYS.creators))
            assert values["Photoshop:IPTCDigest"] == values["File:CurrentIPTCDigest"]
    assert large["XMP:Description"] == "€" * 20_000 and len(large["XMP:Subject"]) == 100


any_text = st.text(st.characters(), max_size=300) | st.sampled_from(
    ["", "é" * 10_000, "👩‍👩‍👧" * 60, "\x00\x1b\r\n", "]]>&amp;"]
)


@settings(max_examples=often(15), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(any_text, any_text, st.lists(any_text, max_size=4), st.sampled_from(FORMATS))
@example("a" * 63 + "é", "e\u0301" * 1001, ["x" * 70, "x" * 71], "JPEG")
def test_any_text_survives(tmp_path: Path, title: str, text: str, tags: list[str], format: str) -> None:
    says = Statement(title=title, description=text, tags=tuple(tags))
    words, raw, _ = read(saved(tmp_path, written(PLAIN[format], format, says)))
    with_letters = {clean(tag) for tag in tags}
    assert (words.title, words.description) == (readable(title), readable(text))
    assert set(raw.get("XMP", {}).get("dc:subject", [])) == {tag[:5000] for tag in with_letters if tag}
    for name, limit in (("Object Name", 64), ("Caption/Abstract", 2000)):
        assert len(raw.get("IPTC IIM", {}).get(name, "").encode()) <= limit


def readable(text: str) -> str:
    return "" if clean(text).casefold() in {"default", "image", "untitled"} else clean(text)


PLAIN = {format: noise(format) for format in FORMATS}


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("abc", 3, "abc"),
        ("abé", 3, "ab"),
        ("夜夜", 5, "夜"),
        ("ae\u0301", 3, "a"),
        ("a👩‍👧", 9, "a"),
        ("a👍🏽", 6, "a"),
    ],
)
def test_texts_are_cut_at_whole_characters(text: str, limit: int, kept: str) -> None:
    assert cut(text, limit).decode() == kept


# --- what stays -----------------------------------------------------------------------------------------


def test_what_is_not_ours_stays_in_a_jpeg(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    notes = bytes(range(256)) * 4
    block = exif(
        "<",
        (0x0112, 3, struct.pack("<H", 6)),
        (0x010F, 2, b"Canon\x00"),
        (0x927C, 7, notes),
        (0x9C9B, 1, "Old".encode("utf-16-le")),
    )
    foreign = packet(
        alt("dc:title", x_default="Old", nl="Oud"),
        my__field="kept",
        photoshop__City="Haarlem",
        photoshop__Country="Peru",
    )
    resource = photoshop.Resource(b"8BIM", 0x0BB7, b"\x00\x00", b"anything at all!")
    other = segment(0xED, b"Photoshop 3.0\x00" + photoshop.packed([resource]))
    words = iptc((5, b"Old"), (40, "Größe".encode("cp1252")), (90, b"Haarlem"))
    before = jpeg(
        segment(0xE1, b"Exif\x00\x00" + block),
        xmp(foreign),
        words,
        other,
        segment(0xFE, b"a comment"),
        icc_profile=profile,
    )
    after = written(before, "JPEG")
    _, raw, _ = read(saved(tmp_path, after))
    assert raw["XMP"]["my:field"] == "kept" and raw["XMP"]["dc:title"] == {"x-default": SAYS.title}
    assert raw["XMP"]["photoshop:City"] == "Haarlem" and "photoshop:Country" not in raw["XMP"]
    assert raw["IPTC IIM"]["Special Instructions"] == "Größe" and raw["IPTC IIM"]["City"] == "Haarlem"
    assert (raw["EXIF"]["Orientation"], raw["EXIF"]["Make"], raw["EXIF"]["XPTitle"]) == (
        6,
        "Canon",
        SAYS.title,
    )
    with Image.open(io.BytesIO(after)) as image:
        assert image.info["icc_profile"] == profile and image.info["comment"] == b"a comment"
        assert image.info["photoshop"][0x0BB7] == resource.data
    at = block.index(notes)
    assert after[after.index(b"Exif\x00\x00") + 6 :][at : at + len(notes)] == notes  # at the same offset
    assert pixels(after) == pixels(before)


@pytest.mark.parametrize(("size", "artist"), [(60_000, "Anna Bloem; Jan Prins"), (65_400, "Old maker")])
def test_exif_that_fills_its_segment_stays_and_the_rest_is_written(
    size: int, artist: str, tmp_path: Path
) -> None:
    block = exif("<", (0x013B, 2, b"Old maker\x00"), (0x927C, 7, bytes(size)))
    says = Statement(title="Harbour", description="x" * 9000, creators=SAYS.creators)
    before = jpeg(segment(0xE1, b"Exif\x00\x00" + block))
    words, raw, _ = read(saved(tmp_path, written(before, "JPEG", says)))
    assert (words.title, len(words.description)) == ("Harbour", 9000)
    assert raw["EXIF"]["Artist"] == artist


def test_what_somebody_emptied_is_taken_out_and_the_rest_stays(tmp_path: Path) -> None:
    old = packet(alt("dc:title", x_default="Wrong") + alt("dc:rights", x_default="The maker"))
    before = jpeg(xmp(old), iptc((5, b"Wrong"), (116, b"The maker")))
    says = Statement(description="New", emptied=frozenset({"title", "tags"}))
    words, raw, _ = read(saved(tmp_path, written(before, "JPEG", says)))
    assert (words.title, words.rights, words.description) == ("", "The maker", "New")
    assert "Object Name" not in raw["IPTC IIM"]


def test_long_packets_are_written_in_several_segments(tmp_path: Path) -> None:
    before = jpeg(*extended(packet(alt("dc:description", x_default="x" * 150_000), my__field="k" * 70_000)))
    words, raw, damage = read(saved(tmp_path, written(before, "JPEG", Statement(title="Harbour"))))
    assert (words.title, len(words.description), damage) == ("Harbour", 20_000, "")
    assert raw["XMP"]["my:field"] == "k" * 5000


def test_a_date_in_words_goes_where_words_may_stand(tmp_path: Path) -> None:
    before = jpeg(xmp(packet(photoshop__DateCreated="2004-05-06")), iptc((55, b"20040506")))
    words, raw, _ = read(saved(tmp_path, written(before, "JPEG", Statement(date="c. 1710"))))
    assert words.date == "c. 1710" and "Date Created" not in raw.get("IPTC IIM", {})


def test_all_pages_of_a_tiff_stay(tmp_path: Path) -> None:
    pages = [Image.new("RGB", (20, 10), color) for color in ("red", "green", "blue")]
    for options in ({}, {"big_tiff": True}, {"compression": "tiff_lzw"}):
        before = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:], **options)
        after = written(before, "TIFF")
        assert pixels(after) == pixels(before) and len(pixels(after)) == 3
        assert read(saved(tmp_path, after)).words.title == SAYS.title


def test_a_tiff_of_the_other_byte_order(tmp_path: Path) -> None:
    pyvips.Image.black(30, 20).write_to_file(str(tmp_path / "a.tif"))
    entries = [
        (256, 4, 2),
        (257, 4, 1),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, 1),
        (279, 4, 2),
    ]
    body = b"".join(
        struct.pack(">HHI", t, k, 1) + struct.pack(">H" if k == 3 else ">I", v).ljust(4, b"\x00")
        for t, k, v in entries
    )
    before = (
        b"MM\x00*" + struct.pack(">I", 10) + b"\x10\x20" + struct.pack(">H", len(entries)) + body + bytes(4)
    )
    after = written(before, "TIFF")
    assert pixels(after) == pixels(before) and read(saved(tmp_path, after)).words.creators == list(
        SAYS.creators
    )


def test_the_data_of_a_program_in_a_tiff_is_no_description() -> None:
    before = noise("TIFF", tiffinfo={270: "ImageJ=1.53\nimages=1"})
    with Image.open(io.BytesIO(written(before, "TIFF"))) as image:
        assert image.tag_v2[270] == "ImageJ=1.53\nimages=1"  # type: ignore[attr-defined]


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 50}, {"lossless": True, "mode": "RGBA"}])
def test_a_plain_webp_gets_room_for_metadata(options: dict[str, Any]) -> None:
    image = Image.effect_noise((33, 21), 60).convert(options.pop("mode", "RGB"))
    if image.mode == "RGBA":
        image.putalpha(120)
    before = encoded(image, "WEBP", **options)
    after = written(before, "WEBP")
    assert b"VP8X" not in before and pixels(after) == pixels(before)
    assert written(after, "WEBP", Statement(title="Again")).count(b"XMP ") == 1


def test_moving_pictures_stay(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (20, 10), color) for color in ("red", "green")]
    for format in ("WEBP", "PNG"):
        before = encoded(frames[0], format, save_all=True, append_images=frames[1:], duration=100)
        assert pixels(written(before, format)) == pixels(before) and len(pixels(before)) == 2


def test_the_index_of_a_file_with_several_pictures_stays_right() -> None:
    frames = [Image.effect_noise((40, 30), 50) for _ in range(3)]
    before = encoded(frames[0], "MPO", save_all=True, append_images=frames[1:])
    after = written(before, "JPEG", SAYS) if before[:2] == b"\xff\xd8" else b""
    assert len(pixels(before)) == 3 and pixels(after) == pixels(before)
    with Image.open(io.BytesIO(after)) as image:
        size = image.mpinfo[0xB002][0]["Size"]  # type: ignore[attr-defined]
    assert after[size - 2 : size + 2] == b"\xff\xd9\xff\xd8"


def test_the_rest_of_a_large_file_is_a_range_and_never_read() -> None:
    class Counting(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1) -> bytes:
            found = super().read(size)
            self.taken += len(found)
            return found

    for format in FORMATS:
        file = Counting(
            encoded(
                Image.effect_noise((500, 400), 90),
                format,
                **({"lossless": True} if format == "WEBP" else {}),
            )
        )
        pieces = writing.pieces_of(file, format, SAYS)
        assert file.taken < 2000 < sum(piece.length for piece in pieces if isinstance(piece, Span))
        assert sum(len(piece) for piece in pieces if isinstance(piece, bytes)) < 20_000


def test_nothing_to_say_is_nothing_to_write() -> None:
    for format, content in PLAIN.items():
        assert written(content, format, Statement()) == content


# --- what cannot be written -----------------------------------------------------------------------------


def crc_broken(content: bytes) -> bytes:
    return content[:29] + bytes([content[29] ^ 1]) + content[30:]


def text_chunk(keyword: bytes) -> bytes:
    chunk = b"tEXt" + keyword + b"\x00x"
    return (
        PLAIN["PNG"][:33]
        + struct.pack(">I", len(chunk) - 4)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk) ^ 1)
        + PLAIN["PNG"][33:]
    )


DAMAGED = {
    "cut off before the picture": ("JPEG", PLAIN["JPEG"][:100]),
    "a segment that is too long": ("JPEG", PLAIN["JPEG"][:4] + b"\xff\xff" + PLAIN["JPEG"][6:]),
    "no picture data": ("JPEG", b"\xff\xd8" + segment(0xFE, b"only words") + b"\xff\xd9"),
    "garbage for image resources": ("JPEG", jpeg(segment(0xED, b"Photoshop 3.0\x00garbage garbage"))),
    "garbage for IPTC": (
        "JPEG",
        jpeg(
            segment(
                0xED,
                b"Photoshop 3.0\x00"
                + photoshop.packed(
                    [photoshop.Resource(b"8BIM", 0x404, b"\x00\x00", b"\x1c\x02\x05\x7f\xffx")]
                ),
            )
        ),
    ),
    "an XMP packet that is cut off": ("JPEG", jpeg(xmp(packet()[:-100]))),
    "EXIF without a directory": ("JPEG", jpeg(segment(0xE1, b"Exif\x00\x00II*\x00\xff\xff\xff\x7f"))),
    "a wrong checksum of the header": ("PNG", crc_broken(PLAIN["PNG"])),
    "a wrong checksum of a text": ("PNG", text_chunk(b"Title")),
    "a PNG that is cut off": ("PNG", PLAIN["PNG"][:-20]),
    "a PNG without picture data": ("PNG", PLAIN["PNG"][:33] + PLAIN["PNG"][-12:]),
    "a WebP that is cut off": ("WEBP", PLAIN["WEBP"][:-20]),
    "a TIFF without a directory": ("TIFF", PLAIN["TIFF"][:4] + b"\xff\xff\xff\x0f" + PLAIN["TIFF"][8:]),
    "an empty TIFF": ("TIFF", b"II*\x00"),
    "a format without a place for words": ("GIF", b"GIF89a"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_what_would_be_lost_is_not_changed_and_says_why(case: str, tmp_path: Path) -> None:
    format, content = DAMAGED[case]
    with pytest.raises(writing.Unwritable, match=r"^Metadata .*[.]$"):
        writing.pieces_of(io.BytesIO(content), format, SAYS)
    path = saved(tmp_path, content)
    assert 20 < len(writing.why_not(path, format)) <= 300
    beside = writing.sidecar_of(path, SAYS).decode()
    assert read(saved(tmp_path, noise("BMP")), beside).words.title == SAYS.title


@settings(max_examples=often(50))
@given(st.data())
def test_flipped_bytes_are_refused_or_leave_the_pixels_alone(data: st.DataObject) -> None:
    """Whatever a byte in the first kilobyte becomes: no other error, and what is sent holds the same data."""
    format = data.draw(st.sampled_from(FORMATS))
    content = bytearray(FULL[format])
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, min(len(content), 1500) - 1))] = data.draw(st.integers(0, 255))
    try:
        pieces = writing.pieces_of(io.BytesIO(content), format, SAYS)
    except writing.Unwritable:
        return
    assert all(p.start >= 0 and p.start + p.length <= len(content) for p in pieces if isinstance(p, Span))
    assert sum(p.length for p in pieces if isinstance(p, Span)) > 200


FULL = {format: written(content, format) for format, content in PLAIN.items()}


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not on this machine")
@pytest.mark.parametrize("format", FORMATS)
def test_what_exiftool_writes_is_read(format: str, tmp_path: Path) -> None:
    path = saved(tmp_path, PLAIN[format])
    said = [
        "-XMP-dc:Title=Hafen 夜",
        "-XMP-dc:Title-nl=Haven",
        "-XMP-dc:Subject=a",
        "-XMP-dc:Subject=b",
        "-Artist=Jürgen",
    ]
    said += ["-GPSLatitude=52.375", "-GPSLatitudeRef=N", "-GPSLongitude=4.5", "-GPSLongitudeRef=W"]
    said += [
        "-XMP-iptcExt:LocationShown={City=Haarlem,CountryName=Netherlands}",
        "-XMP-iptcCore:AltTextAccessibility=A b",
    ]
    said += ["-IPTC:Caption-Abstract=Küste", "-IPTC:City=Haarlem"] if format in ("JPEG", "TIFF") else []
    subprocess.run(
        ["exiftool", "-q", "-overwrite_original", "-codedcharacterset=latin", *said, str(path)], check=True
    )
    words, raw, damage = read(path)
    assert (words.title, words.keywords, words.creators) == ("Hafen 夜", ["a", "b"], ["Jürgen"])
    assert (words.latitude, words.longitude, words.alt_text) == (52.375, -4.5, "A b")
    assert words.places == ["Haarlem", "Netherlands"] and damage == ""
    assert raw["XMP"]["dc:title"] == {"x-default": "Hafen 夜", "nl": "Haven"}
    assert words.description == ("Küste" if format in ("JPEG", "TIFF") else "")
    after = written(path.read_bytes(), format)
    assert pixels(after) == pixels(PLAIN[format]) and read(saved(tmp_path, after)).words.latitude == 52.375
