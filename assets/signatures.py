"""What a file is by its first bytes: pictures that Pillow does not know, and what is no picture."""

import re
from pathlib import Path
from typing import NamedTuple

from assets import counting

HEAD = 4096  # bytes that are looked at
AVIF = {b"avif", b"avis"}
HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
SOUND = {b"M4A ", b"M4B ", b"M4P "}
RAW = re.compile(
    rb"II\*\0.{4}CR|II(?:RO|RS|U\0)|MMOR|FUJIFILMCCD-RAW|FOVb|\0MRM", re.DOTALL
)  # Canon, Olympus, Panasonic, Olympus, Fujifilm, Sigma, Minolta
VIDEO = re.compile(
    rb"....(?:moov|mdat|wide|free|skip|pnot)|\x1aE\xdf\xa3|RIFF....AVI |\x00\x00\x01[\xba\xb3]"
    rb"|FLV\x01|0&\xb2u|G.{187}G.{187}G",
    re.DOTALL,
)  # QuickTime, Matroska and WebM, AVI, MPEG, Flash, Windows Media, transport streams
SVG = re.compile(rb"<(?:[\w-]+:)?svg[\s>/]")
WEB_PAGE = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.I)

# How pictures begin that Pillow decodes, to tell a damaged one from something else.
PICTURES = re.compile(
    rb"\xff\xd8\xff|\x89PNG|GIF8|RIFF....WEBP|II[*+]\x00|MM\x00[*+]|BM"
    rb"|\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51|....ftypavi[fs]",
    re.DOTALL,
)


class Other(NamedTuple):
    said: str
    media_type: str
    harmful: bool = False
    """Kept only if its own media type is allowed: a name alone is not enough."""


# How some common other files begin, to be able to say what it is instead.
OTHERS = {
    b"PK\x03\x04": Other("a zip archive or an Office document", "application/zip"),
    b"\x1f\x8b": Other("a gzip archive", "application/gzip"),
    b"7z\xbc\xaf\x27\x1c": Other("a 7-Zip archive", "application/x-7z-compressed"),
    b"Rar!": Other("a RAR archive", "application/vnd.rar"),
    b"\xd0\xcf\x11\xe0": Other("an old Office document", "application/x-ole-storage"),
    b"\x7fELF": Other("a program", "application/x-executable", True),
    b"MZ": Other("a program", "application/x-executable", True),
    b"#!": Other("a program", "text/x-script", True),
    b"<?xml": Other("an XML document", "application/xml"),
    b"{\\rtf": Other("a text document", "application/rtf"),
    b"RIFF": Other("a sound recording", "audio/x-riff"),
    b"ID3": Other("a sound recording", "audio/mpeg"),
    b"\xff\xfb": Other("a sound recording", "audio/mpeg"),
    b"OggS": Other("a sound recording", "audio/ogg"),
    b"fLaC": Other("a sound recording", "audio/flac"),
    b"glTF": Other("a 3D model", "model/gltf-binary"),
}
PAGE = Other("a web page", "text/html", True)
TEXT = Other("a text file", "text/plain")
UNKNOWN = Other("an unknown kind of file", "application/octet-stream")


def head_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def kind_of(head: bytes, path: Path) -> str:
    """The format of a picture that is decoded apart, by its first bytes; empty for all else."""
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    if RAW.match(head) or (head[:4] in (b"II*\0", b"MM\0*") and counting.is_raw(path)):
        return "RAW"
    if head.startswith(b"8BPS"):
        return "PSD"
    if head.startswith(b"%PDF"):
        return "PDF"
    if VIDEO.match(head):
        return "VIDEO"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<") and SVG.search(text) and not WEB_PAGE.match(text):
        return "SVG"
    return ""


def _by_brand(head: bytes) -> str:
    """Of the family of files that begin with a box of brands."""
    end = min(int.from_bytes(head[:4]), 256)
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))}
    if brands & AVIF or head[8:12] in SOUND:
        return ""
    if head[8:12] == b"crx ":
        return "RAW"
    return "HEIC" if brands & HEIC else "VIDEO"


def other_of(head: bytes) -> Other:
    """What a file is that is no picture."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if WEB_PAGE.match(text):
        return PAGE
    if head[4:8] == b"ftyp":
        return Other("a sound recording", "audio/mp4")
    for signature, found in OTHERS.items():
        if head.startswith(signature) or (signature.isascii() and text.startswith(signature)):
            return found
    try:
        head.decode("utf-8", errors="strict" if len(head) < 1000 else "ignore")
    except UnicodeDecodeError:
        return UNKNOWN
    return UNKNOWN if b"\x00" in head else TEXT
