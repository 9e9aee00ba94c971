"""From the names of the standards to our fields, and which is believed: docs/metadata.md has the table."""

import re
from dataclasses import dataclass, field
from typing import Any

from assets.metadata import exif as exif_values
from assets.metadata.elements import DEFAULT
from assets.metadata.iim import KINDS, NUMBERS
from assets.metadata.names import qualified
from assets.metadata.texts import clean, first, labels, split
from assets.metadata.xmp import Packet
from assets.text import label_key

ISO = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")
LOCATION = ("Sublocation", "City", "ProvinceState", "CountryName")
PLACES = {
    "Iptc4xmpCore:Location": "Sublocation",
    "photoshop:City": "City",
    "photoshop:State": "Province/State",
    "photoshop:Country": "Country Name",
}


@dataclass
class Words:
    """What a file says, by our own names."""

    title: str = ""
    description: str = ""
    date: str = ""
    creators: list[str] = field(default_factory=list)
    keywords: list[str] = field(default_factory=list)
    rights: str = ""
    rights_holder: str = ""
    credit_line: str = ""
    usage_terms: str = ""
    alt_text: str = ""
    places: list[str] = field(default_factory=list)
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True)
class Sources:
    """The values of each standard; `iim_first` where IIM was changed after XMP."""

    xmp: Packet
    iim: dict[str, Any]
    exif: dict[str, Any]
    texts: dict[str, str]
    iim_first: bool = False

    def pick(self, xmp: str, iim: str, *others: Any) -> Any:
        """XMP before IIM before the others, as a list of texts; IIM first where it is newer."""
        ours = [clean(text) for text in self.xmp.texts(xmp)] if xmp else []
        theirs = self.iim.get(iim) or []
        theirs = theirs if isinstance(theirs, list) else [theirs]
        pair = [theirs, ours] if self.iim_first and not _cut_off(theirs, ours, iim) else [ours, theirs]
        return next((values for values in (*pair, *others) if first(values)), [])


def _cut_off(short: list[str], long: list[str], name: str) -> bool:
    """Whether IIM says the same as XMP as far as its limit goes."""
    limit = KINDS[NUMBERS[name]].limit if name else 0
    same = len(short) == len(long) and all(o.startswith(s) for s, o in zip(short, long, strict=True))
    return same and any(len(text.encode()) > limit - 4 for text in short)


def words_of(s: Sources) -> Words:
    """Our fields, each from the first place that has something a person wrote."""
    e, t = s.exif, s.texts
    rights = first(s.pick("dc:rights", "Copyright Notice"), e.get("Copyright"), t.get("Copyright"))
    return Words(
        title=first(s.pick("dc:title", "Object Name"), s.pick("photoshop:Headline", "Headline"),
                    e.get("XPTitle"), t.get("Title")),
        description=first(s.pick("dc:description", "Caption/Abstract"), e.get("ImageDescription"),
                          t.get("Description")),
        date=_date(s),
        creators=labels(s.pick("dc:creator", "By-line")) or split(e.get("Artist")) or split(t.get("Author")),
        keywords=labels(s.pick("dc:subject", "Keywords")) or split(e.get("XPKeywords")),
        rights=rights or s.xmp.text("xmpRights:WebStatement"),
        rights_holder="; ".join(s.xmp.texts("xmpRights:Owner")) or _owners(s.xmp),
        credit_line=first(s.pick("photoshop:Credit", "Credit")),
        usage_terms=s.xmp.text("xmpRights:UsageTerms"),
        alt_text=s.xmp.text("Iptc4xmpCore:AltTextAccessibility"),
        places=_places(s),
        latitude=_degrees(s, "GPSLatitude"),
        longitude=_degrees(s, "GPSLongitude"),
    )  # fmt: skip


def _owners(xmp: Packet) -> str:
    name = qualified("plus:CopyrightOwnerName")
    return "; ".join(str(owner[name]) for owner in xmp.structs("plus:CopyrightOwner") if owner.get(name))


def _places(s: Sources) -> list[str]:
    """From the narrowest to the widest, each once; where the picture was made only if nothing says what it
    shows."""
    found = [first(s.pick(xmp, iim)) for xmp, iim in PLACES.items()]
    found += _locations(s.xmp, "Iptc4xmpExt:LocationShown")
    found = list(filter(None, found)) or _locations(s.xmp, "Iptc4xmpExt:LocationCreated")
    once: dict[str, str] = {}
    for place in labels(found):
        once.setdefault(label_key(place), place)
    return list(once.values())


def _locations(xmp: Packet, name: str) -> list[str]:
    found: list[str] = []
    for place in xmp.structs(name):
        called = place.get(qualified("Iptc4xmpExt:LocationName"), "")
        found.append(str(called.get(DEFAULT, "")) if isinstance(called, dict) else str(called or ""))
        found += [str(place.get(qualified(f"Iptc4xmpExt:{part}"), "")) for part in LOCATION]
    return [text for text in found if text]


def _date(s: Sources) -> str:
    """The day when what is shown was made. A time of day tells nothing here, and a scan's date neither."""
    circa = qualified("Iptc4xmpExt:AOCircaDateCreated")
    of_object = [str(one[circa]) for one in s.xmp.structs("Iptc4xmpExt:ArtworkOrObject") if one.get(circa)]
    taken = (s.exif.get("DateTimeOriginal"), s.xmp.text("exif:DateTimeOriginal"))
    for text in (first(s.pick("photoshop:DateCreated", "Date Created")), *of_object, *taken):
        if found := day(str(text or "")):
            return found
    return ""


def day(text: str) -> str:
    """EXIF's `2004:05:06 10:00:00` and IIM's `20040506` as `2004-05-06`; others as they are."""
    found = text[:10].replace(":", "-") if text[4:5] == ":" else text.split("T")[0]
    if len(found) == 8 and found.isdigit():
        found = f"{found[:4]}-{found[4:6]}-{found[6:]}"
    while found.endswith("-00") and ISO.fullmatch(found):
        found = found[:-3]
    return "" if found.startswith("0000") or not found.strip(" -:") else found


def _degrees(s: Sources, axis: str) -> float | None:
    """Of XMP, which may come from a map that somebody clicked on, before that of the camera."""
    written = re.fullmatch(r"(\d+),(\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?([NSEW])", s.xmp.text(f"exif:{axis}"))
    if written is None:
        return exif_values.degrees(s.exif, axis)
    whole, minutes, seconds, side = written.groups()
    value = int(whole) + float(minutes) / 60 + float(seconds or 0) / 3600
    return exif_values.in_range(-value if side in "SW" else value, axis)
