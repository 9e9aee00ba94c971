"""Reading EXIF, IPTC IIM and XMP with Pillow, into the few fields that people search by."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PIL import ExifTags, Image, IptcImagePlugin

from assets.decode import DAMAGED, reason
from assets.identify import exif_of
from assets.text import label_key

Base = ExifTags.Base
# What cameras and scanners write when nobody has written anything.
BOILERPLATE = {"olympus digital camera", "sony dsc", "samsung camera pictures", "dcim", "default", "untitled"}
BOILERPLATE |= {"picasa", "exif_jpeg_picture", "digital camera", "kodak digital still camera", "image"}
MAX_KEYWORDS, MAX_KEYWORD, MAX_TEXT = 100, 200, 5000
GROWTH = 18  # characters that one may become when it is normalised
RAW_TAGS = (
    Base.ImageDescription,
    Base.Make,
    Base.Model,
    Base.Software,
    Base.DateTime,
    Base.Artist,
    Base.Copyright,
    Base.Orientation,
    Base.XPTitle,
    Base.XPComment,
    Base.XPAuthor,
    Base.XPKeywords,
    Base.XPSubject,
)
RAW_CAMERA_TAGS = (
    Base.DateTimeOriginal,
    Base.LensModel,
    Base.ExposureTime,
    Base.FNumber,
    Base.ISOSpeedRatings,
)
# IPTC IIM datasets (record 2), by the names of the IPTC standard.
IPTC = {
    (2, 5): "ObjectName",
    (2, 25): "Keywords",
    (2, 55): "DateCreated",
    (2, 80): "By-line",
    (2, 105): "Headline",
    (2, 110): "Credit",
    (2, 116): "CopyrightNotice",
    (2, 120): "Caption-Abstract",
}
XMP = ("title", "description", "rights", "creator", "subject", "DateCreated", "Credit", "Headline")


@dataclass
class Words:
    title: str = ""
    description: str = ""
    date: str = ""
    creators: list[str] = field(default_factory=list)
    keywords: list[str] = field(default_factory=list)
    rights: str = ""
    credit_line: str = ""


def read(image: Image.Image) -> tuple[Words, dict[str, Any]]:
    """The words for people, XMP before IPTC before EXIF, and the raw values by standard."""
    raw = {standard: _guarded(standard, image) for standard in READERS}
    exif, iptc, xmp = raw["EXIF"], raw["IPTC"], raw["XMP"]
    words = Words(
        title=_first(xmp.get("title"), iptc.get("ObjectName"), iptc.get("Headline"), exif.get("XPTitle")),
        description=_first(
            xmp.get("description"), iptc.get("Caption-Abstract"), exif.get("ImageDescription")
        ),
        date=_date(_first(xmp.get("DateCreated"), iptc.get("DateCreated"), exif.get("DateTimeOriginal"))),
        creators=_list(xmp.get("creator")) or _list(iptc.get("By-line")) or _split(exif.get("Artist")),
        keywords=_list(xmp.get("subject")) or _list(iptc.get("Keywords")) or _split(exif.get("XPKeywords")),
        rights=_first(xmp.get("rights"), iptc.get("CopyrightNotice"), exif.get("Copyright")),
        credit_line=_first(xmp.get("Credit"), iptc.get("Credit")),
    )
    return words, {standard: values for standard, values in raw.items() if values}


def _guarded(standard: str, image: Image.Image) -> dict[str, Any]:
    """One block; where it cannot be read, the reason in its place, so that the others are kept."""
    try:
        return READERS[standard](image)
    except DAMAGED as error:
        return {"unreadable": reason(error)[:MAX_TEXT]}


def _exif(image: Image.Image) -> dict[str, Any]:
    exif = exif_of(image)
    found = {tag.name: exif.get(tag) for tag in RAW_TAGS}
    camera = exif.get_ifd(ExifTags.IFD.Exif)
    found |= {tag.name: camera.get(tag) for tag in RAW_CAMERA_TAGS}
    return {name: text for name, value in found.items() if (text := _plain(value, name.startswith("XP")))}


def _plain(value: Any, utf16: bool = False) -> str:
    """A tag's value as text. The XP… tags of Windows are UTF-16 bytes."""
    if isinstance(value, tuple) and utf16:
        value = bytes(value)
    if isinstance(value, bytes):
        value = value.decode("utf-16-le" if utf16 else "utf-8", errors="replace")
    return _clean(str(value)) if value is not None else ""


def _iptc(image: Image.Image) -> dict[str, Any]:
    found = IptcImagePlugin.getiptcinfo(image) or {}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, name in IPTC.items():
        data = found.get(key)
        if data:
            texts = [_decoded(item) for item in (data if isinstance(data, list) else [data])]
            values[name] = texts if name in {"Keywords", "By-line"} else texts[0]
    return values


def _decoded(data: bytes) -> str:
    """IIM rarely declares its character set: UTF-8 where it is valid, else Windows-1252."""
    try:
        return _clean(data.decode("utf-8"))
    except UnicodeDecodeError:
        return _clean(data.decode("cp1252", errors="replace"))


def _xmp(image: Image.Image) -> dict[str, Any]:
    """The Dublin Core and Photoshop properties of the XMP packet, language alternatives reduced to one."""
    packet = image.getxmp()
    found: dict[str, Any] = {}
    for block in _inside(_inside(_inside([packet], "xmpmeta") or [packet], "RDF"), "Description"):
        for name in XMP:
            if texts := _xmp_texts(block.get(name)):
                found[name] = texts if name in {"creator", "subject"} else texts[0]
    return found


def _inside(blocks: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """The elements of a name: an element that is there once is no list, an empty or plain one no dict."""
    found: list[dict[str, Any]] = []
    for block in blocks:
        values = block.get(name)
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, dict):
                found.append(value)
    return found


def _xmp_texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for item in value for text in _xmp_texts(item)]
    if isinstance(value, dict):
        inner = [value[key] for key in ("Alt", "Bag", "Seq", "li", "text") if key in value]
        return [text for item in inner for text in _xmp_texts(item)]
    text = _clean(str(value)) if value is not None else ""
    return [text] if text else []


def _clean(text: str) -> str:
    text = "".join(c for c in text.replace("\r\n", "\n") if c >= " " or c in "\n\t").strip()
    return text[:MAX_TEXT]


def _first(*values: Any) -> str:
    for value in values:
        text = value[0] if isinstance(value, list) and value else value
        if text and str(text).casefold() not in BOILERPLATE:
            return str(text)
    return ""


def _list(values: Any) -> list[str]:
    texts = values if isinstance(values, list) else [values] if values else []
    keywords = (_keyword(text) for text in texts)
    return list(dict.fromkeys(keyword for keyword in keywords if label_key(keyword)))[:MAX_KEYWORDS]


def _keyword(text: str) -> str:
    """Cut, where it must be, so that it also fits as it is compared."""
    text = text.strip()[:MAX_KEYWORD]
    while (excess := len(label_key(text)) - MAX_KEYWORD) > 0:
        text = text[: -max(1, excess // GROWTH)]
    return text.strip()


def _split(text: Any) -> list[str]:
    return _list([part.strip() for part in str(text or "").split(";") if part.strip()])


def _date(text: str) -> str:
    """EXIF's `2004:05:06 10:00:00` and IPTC's `20040506` as `2004-05-06`; others as they are."""
    day = text[:10].replace(":", "-") if text[4:5] == ":" else text
    if len(day) == 8 and day.isdigit():
        day = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    return "" if day.startswith("0000") else day.split("T")[0]


READERS: dict[str, Callable[[Image.Image], dict[str, Any]]] = {"EXIF": _exif, "IPTC": _iptc, "XMP": _xmp}
