"""The kinds of files that the library knows: what they are called, and where they may be decoded."""

from pathlib import PurePosixPath
from typing import NamedTuple

from django.conf import settings

OTHER = "OTHER"  # kept as it is, without a picture: see settings.OTHER_TYPES


class Kind(NamedTuple):
    label: str
    apart: bool = False
    """Its decoders are only ever run in a process of their own: see assets.apart."""
    counted: str = "Pages"
    """What `pages` counts."""


KINDS = {
    "JPEG": Kind("JPEG"),
    "PNG": Kind("PNG", counted="Frames"),
    "GIF": Kind("GIF", counted="Frames"),
    "WEBP": Kind("WebP", counted="Frames"),
    "TIFF": Kind("TIFF"),
    "BMP": Kind("BMP"),
    "JPEG2000": Kind("JPEG 2000"),
    "AVIF": Kind("AVIF", counted="Frames"),
    "HEIC": Kind("HEIC", apart=True, counted="Pictures"),
    "PSD": Kind("Photoshop", apart=True),
    "PDF": Kind("PDF", apart=True),
    "SVG": Kind("SVG", apart=True),
    "RAW": Kind("Camera raw", apart=True),
    "VIDEO": Kind("Video", apart=True),
    OTHER: Kind("Other"),
}
HERE = tuple(name for name, kind in KINDS.items() if not kind.apart and name != OTHER)  # as Pillow has them
DRAWN = {"PDF", "SVG"}  # without pixels of their own: width and height are those they are drawn with
ACCEPTED = "JPEG, PNG, GIF, WebP, TIFF, BMP, JPEG 2000, AVIF, HEIC, Photoshop, PDF, SVG, camera raw and video"

# Endings that no picture has, for a word before anything is sent; of all others the content decides.
NO_PICTURES = {
    "a text document": "doc docx odt rtf txt md pages tex log",
    "a table": "xls xlsx ods csv tsv numbers",
    "a presentation": "ppt pptx odp key",
    "an archive": "zip rar 7z tar gz tgz bz2 xz iso dmg",
    "a sound recording": "mp3 wav flac aac ogg m4a aiff wma",
    "a program": "exe msi bat cmd sh app jar py dll",
    "a web page or data": "html htm css js json xml sql db sqlite",
    "a font": "ttf otf woff woff2",
    "a 3D model": "stl obj glb gltf ply",
}


CONTAINERS = {
    "video/mp4": "MP4",
    "video/quicktime": "QuickTime",
    "video/webm": "WebM",
    "video/x-matroska": "Matroska",
    "video/x-msvideo": "AVI",
    "video/mpeg": "MPEG",
    "video/mp2t": "MPEG transport stream",
    "video/x-flv": "Flash",
    "video/x-ms-wmv": "Windows Media",
}
ICONS = {"audio": "sound", "text": "document", "model": "model"}  # of static/img/icons.svg
ARCHIVES = {"zip", "gzip", "x-7z-compressed", "vnd.rar", "x-tar"}


def label(format: str, media_type: str, filename: str) -> str:
    """What people call the kind of a file, by what is kept of it."""
    if format == OTHER:
        return PurePosixPath(filename).suffix[1:6].upper() or "File"
    name = KINDS[format].label if format in KINDS else format
    return f"{name} ({CONTAINERS[media_type]})" if media_type in CONTAINERS else name


def icon(media_type: str) -> str:
    """The symbol of static/img/icons.svg for what is no picture."""
    family, _, subtype = media_type.partition("/")
    return "archive" if subtype in ARCHIVES else ICONS.get(family, "document")


def no_pictures() -> dict[str, str]:
    """What files with an ending are (`txt`: a text document) that can be refused for their name alone."""
    if any("/" in one for one in settings.OTHER_TYPES):  # media types: then the content decides of all
        return {}
    allowed = {one.casefold().lstrip(".") for one in settings.OTHER_TYPES}
    return {end: said for said, ends in NO_PICTURES.items() for end in ends.split() if end not in allowed}
