"""Blocks as other programs write them, put into files by hand."""

import hashlib
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from assets.metadata import photoshop
from assets.metadata.iim import DataSet, packed
from assets.metadata.reading import Reading, read
from tests.factories import encoded

SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
    "my": "http://example.org/ours/",
}
XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\x00"


def packet(inner: str = "", **attributes: str) -> str:
    declared = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in SPACES.items())
    written = " ".join(f'{name.replace("__", ":")}="{value}"' for name, value in attributes.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {declared} {written}>{inner}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    )


def alt(name: str, **texts: str) -> str:
    items = "".join(
        f'<rdf:li xml:lang="{lang.replace("_", "-")}">{text}</rdf:li>' for lang, text in texts.items()
    )
    return f"<{name}><rdf:Alt>{items}</rdf:Alt></{name}>"


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


def jpeg(*segments: bytes, **save: Any) -> bytes:
    plain = encoded(Image.new("RGB", (40, 30), "red"), "JPEG", **save)
    return plain[:2] + b"".join(segments) + plain[2:]


def xmp(text: str, encoding: str = "utf-8") -> bytes:
    return segment(0xE1, XMP_HEAD + text.encode(encoding))


def iptc(*values: tuple[int, bytes], charset: bytes = b"", digest: bytes | None = None) -> bytes:
    found = [DataSet(1, 90, charset)] if charset else []
    block = packed([*found, *(DataSet(2, number, data) for number, data in values)])
    resources = [photoshop.Resource(b"8BIM", photoshop.IIM, b"\x00\x00", block)]
    if digest is not None:
        digest = digest or hashlib.md5(block, usedforsecurity=False).digest()
        resources.append(photoshop.Resource(b"8BIM", photoshop.DIGEST, b"\x00\x00", digest))
    return segment(0xED, b"Photoshop 3.0\x00" + photoshop.packed(resources))


@pytest.fixture
def look(tmp_path: Path) -> Any:
    def reading(content: bytes, sidecar: str = "") -> Reading:
        path = tmp_path / "file"
        path.write_bytes(content)
        return read(path, sidecar)

    return reading


# --- IPTC IIM -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "charset", "title"),
    [
        ("Café 夜".encode(), b"\x1b%G", "Café 夜"),
        ("Café 夜".encode(), b"", "Café 夜"),
        ("Café".encode("cp1252"), b"", "Café"),
        ("Café".encode("cp1252"), b"\x1b.A", "Café"),
        ("“Café”".encode("cp1252"), b"\x1b%G", "“Café”"),  # declared, and not true
        (b"a\x81b", b"", "ab"),
    ],
)
def test_iim_in_any_character_set(look: Any, data: bytes, charset: bytes, title: str) -> None:
    found = look(jpeg(iptc((5, data), (25, b"one"), (25, b"two"), (55, b"19040000"), charset=charset)))
    assert (found.words.title, found.words.keywords, found.words.date) == (title, ["one", "two"], "1904")
    assert found.raw["IPTC IIM"]["Keywords"] == ["one", "two"]


@pytest.mark.parametrize(
    ("digest", "title"), [(None, "XMP"), (b"", "XMP"), (b"\x00" * 16, "IIM"), (b"x" * 16, "IIM")]
)
def test_iim_that_was_changed_after_xmp_comes_first(look: Any, digest: bytes | None, title: str) -> None:
    found = look(jpeg(xmp(packet(alt("dc:title", x_default="XMP"))), iptc((5, b"IIM"), digest=digest)))
    assert found.words.title == title


def test_iim_that_only_ends_earlier_does_not_come_first(look: Any) -> None:
    whole = "A market " * 20
    content = jpeg(
        xmp(packet(alt("dc:title", x_default=whole))), iptc((5, whole.encode()[:64]), digest=b"x" * 16)
    )
    assert look(content).words.title == whole.strip()


def test_photoshop_blocks_that_are_cut_into_segments_are_one(look: Any) -> None:
    whole = iptc((120, b"A long caption " * 100))[4:].removeprefix(b"Photoshop 3.0\x00")
    parts = [segment(0xED, b"Photoshop 3.0\x00" + part) for part in (whole[:700], whole[700:])]
    assert look(jpeg(*parts)).words.description.startswith("A long caption A long")


# --- XMP ------------------------------------------------------------------------------------------------


def test_the_default_language_is_read_and_all_are_kept(look: Any) -> None:
    found = look(jpeg(xmp(packet(alt("dc:title", nl="Haven", x_default="Harbour", ja="港")))))
    assert found.words.title == "Harbour"
    assert found.raw["XMP"]["dc:title"] == {"x-default": "Harbour", "nl": "Haven", "ja": "港"}


def test_properties_may_be_attributes_and_structures(look: Any) -> None:
    shown = (
        '<Iptc4xmpExt:LocationShown><rdf:Bag><rdf:li rdf:parseType="Resource"><Iptc4xmpExt:City>Haarlem'
        "</Iptc4xmpExt:City></rdf:li></rdf:Bag></Iptc4xmpExt:LocationShown><plus:CopyrightOwner><rdf:Seq>"
        '<rdf:li plus:CopyrightOwnerName="City Archive"/></rdf:Seq></plus:CopyrightOwner>'
    )
    attributes = {"photoshop__Country": "Netherlands", "photoshop__Credit": "Gift", "my__field": "kept"}
    found = look(jpeg(xmp(packet(shown, **attributes))))
    assert found.words.places == ["Netherlands", "Haarlem"]
    assert (found.words.rights_holder, found.words.credit_line) == ("City Archive", "Gift")
    assert found.raw["XMP"]["my:field"] == "kept"
    assert found.raw["XMP"]["Iptc4xmpExt:LocationShown"] == [{"Iptc4xmpExt:City": "Haarlem"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
def test_packets_in_any_encoding(look: Any, encoding: str) -> None:
    text = packet(alt("dc:title", x_default="Grote Markt 夜"))
    assert look(jpeg(xmp(text.replace("\ufeff", ""), encoding))).words.title == "Grote Markt 夜"


def test_two_packets_are_one_and_the_first_counts(look: Any) -> None:
    first, second = alt("dc:title", x_default="First"), alt("dc:title", x_default="Second")
    found = look(jpeg(xmp(packet(first)), xmp(packet(second, photoshop__Credit="Gift"))))
    assert (found.words.title, found.words.credit_line) == ("First", "Gift")


def extended(text: str) -> list[bytes]:
    data = text.encode()
    guid = hashlib.md5(data, usedforsecurity=False).hexdigest().upper().encode()
    main = xmp(packet(xmpNote__HasExtendedXMP=guid.decode()))
    head = b"http://ns.adobe.com/xmp/extension/\x00" + guid + len(data).to_bytes(4, "big")
    parts = range(0, len(data), 60_000)
    return [main, *(segment(0xE1, head + at.to_bytes(4, "big") + data[at : at + 60_000]) for at in parts)]


def test_a_packet_of_several_segments_is_put_together(look: Any) -> None:
    long = packet(alt("dc:title", x_default="Harbour") + alt("dc:description", x_default="x" * 150_000))
    whole = extended(long)
    found = look(jpeg(whole[0], *whole[:0:-1]))  # in any order
    assert found.words.title == "Harbour" and len(found.words.description) == 20_000
    incomplete = look(jpeg(*whole[:-1]))
    assert incomplete.words.title == "" and "part of the XMP is missing" in incomplete.damage


@pytest.mark.parametrize(
    "bad",
    [
        packet(alt("dc:title", x_default="Harbour"))[:-120],
        '<!DOCTYPE x [<!ENTITY a "aaaa">]>' + packet(alt("dc:title", x_default="&a;")),
        '<!DOCTYPE x SYSTEM "file:///etc/passwd">' + packet(),
        "<a>" * 500 + "</a>" * 500,
        "no markup at all",
    ],
)
def test_a_packet_that_cannot_be_read_says_so_and_the_rest_counts(look: Any, bad: str) -> None:
    found = look(jpeg(xmp(bad), iptc((5, b"Harbour"))))
    assert found.words.title == "Harbour" and found.raw["XMP"]["unreadable"].startswith("The XMP")


def test_a_sidecar_comes_before_what_is_in_the_file(look: Any) -> None:
    beside = packet(
        alt("dc:title", x_default="Beside"), exif__GPSLatitude="52,22.5N", exif__GPSLongitude="4,30,36W"
    )
    found = look(jpeg(xmp(packet(alt("dc:title", x_default="Inside")))), beside)
    assert found.words.title == "Beside"
    assert (found.words.latitude, found.words.longitude) == (52.375, -4.51)
    assert set(found.raw) == {"XMP", "XMP sidecar"}


# --- EXIF -----------------------------------------------------------------------------------------------


def exif(order: str, *entries: tuple[int, int, bytes]) -> bytes:
    """A structure with these entries (tag, type, data) in its first directory."""
    body, values, sizes = b"", b"", {2: 1, 7: 1, 1: 1, 3: 2, 4: 4, 5: 8}
    start = 8 + 2 + 12 * len(entries) + 4
    for tag, kind, data in entries:
        slot = data.ljust(4, b"\x00") if len(data) <= 4 else struct.pack(f"{order}I", start + len(values))
        values += data if len(data) > 4 else b""
        body += struct.pack(f"{order}HHI", tag, kind, len(data) // sizes[kind]) + slot
    magic = b"II*\x00" if order == "<" else b"MM\x00*"
    count = struct.pack(f"{order}H", len(entries))
    return magic + struct.pack(f"{order}I", 8) + count + body + bytes(4) + values


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_texts(look: Any, order: str) -> None:
    wide = "utf-16-le" if order == "<" else "utf-16-be"
    block = exif(
        order,
        (0x010E, 2, "Der Hafen – 夜\x00".encode()),
        (0x013B, 2, "Jürgen\x00".encode("cp1252")),
        (0x9286, 7, b"UNICODE\x00" + "Küste".encode(wide)),
    )
    found = look(jpeg(segment(0xE1, b"Exif\x00\x00" + block)))
    assert (found.words.description, found.words.creators) == ("Der Hafen – 夜", ["Jürgen"])
    assert found.raw["EXIF"]["UserComment"] == "Küste"


def test_the_camera_and_where_it_was(look: Any) -> None:
    block = Image.Exif()
    block[0x010F], block[0x0110] = "Canon", "EOS 5D"
    camera = block.get_ifd(0x8769)
    camera[0x829A], camera[0x829D], camera[0x8827] = IFDRational(1, 125), IFDRational(28, 10), 200
    gps = block.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "S", (33.0, 51.0, 24.48), "E", (151.0, 12.0, 54.0)
    found = look(jpeg(exif=block))
    assert (found.words.latitude, found.words.longitude) == (-33.8568, 151.215)
    shown = {
        name: found.raw["EXIF"][name] for name in ("Model", "ExposureTime", "FNumber", "ISOSpeedRatings")
    }
    assert shown == {"Model": "EOS 5D", "ExposureTime": "1/125", "FNumber": 2.8, "ISOSpeedRatings": 200}


@pytest.mark.parametrize("latitude", [(91.0, 0.0, 0.0), (0.0,) * 4])
def test_a_place_beyond_the_globe_is_none(look: Any, latitude: tuple[float, ...]) -> None:
    block = Image.Exif()
    gps = block.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", latitude, "E", (4.0, 0.0, 0.0)
    assert look(jpeg(exif=block)).words.latitude is None


# --- other formats --------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "AVIF", "GIF", "JPEG2000"])
def test_xmp_and_exif_in_any_format(look: Any, format: str) -> None:
    text, block = packet(alt("dc:title", x_default="Harbour")), Image.Exif()
    block[0x013B] = "Anna Bloem"
    image = Image.new("RGB", (40, 30), "red")
    if format == "PNG":
        plain = encoded(image, "PNG", exif=block)
        chunk = b"iTXtXML:com.adobe.xmp" + bytes(5) + text.encode()
        content = (
            plain[:33]
            + struct.pack(">I", len(chunk) - 4)
            + chunk
            + struct.pack(">I", zlib.crc32(chunk))
            + plain[33:]
        )
    elif format == "TIFF":
        content = encoded(image, "TIFF", tiffinfo={700: text.encode(), 0x013B: "Anna Bloem"})
    elif format in ("GIF", "JPEG2000"):
        content = encoded(image, format) + text.encode()
    else:
        content = encoded(image, format, exif=block.tobytes(), xmp=text.encode())
    found = look(content)
    assert found.words.title == "Harbour"
    assert found.words.creators == ([] if format in ("GIF", "JPEG2000") else ["Anna Bloem"])


def test_the_plain_texts_of_a_png_are_read_last(look: Any) -> None:
    from PIL.PngImagePlugin import PngInfo

    said = PngInfo()
    said.add_text("Title", "Café")
    said.add_text("Author", "Anna")
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "PNG", pnginfo=said)
    found = look(buffer.getvalue())
    assert (found.words.title, found.words.creators) == ("Café", ["Anna"])


def test_every_beginning_of_a_file_is_read_without_an_error(look: Any) -> None:
    whole = jpeg(
        xmp(packet(alt("dc:title", x_default="Harbour"))),
        iptc((5, b"Harbour"), digest=b""),
        exif=b"Exif\x00\x00" + exif("<", (0x010E, 2, b"x" * 20)),
    )
    for content in (
        whole,
        encoded(Image.new("RGB", (9, 9)), "PNG"),
        encoded(Image.new("RGB", (9, 9)), "WEBP"),
        encoded(Image.new("RGB", (9, 9)), "TIFF"),
    ):
        for length in range(0, len(content), 7):
            look(content[:length])
