"""The fields of the language: what each is called, how its values are read, and how to use it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_noop as _

from assets.colors import COLORS
from assets.kinds import KINDS
from search.language import values
from search.language.nodes import Meaning

Reader = Callable[[str, bool, date], Meaning]


@dataclass(frozen=True)
class Kind:
    """One field. `example` is a whole value; `does` says what it finds, to be translated."""

    read: Reader
    example: str
    does: str
    aliases: tuple[str, ...] = ()


FORMATS = tuple(name.casefold() for name in KINDS)
FORMAT_ALIASES = {"jpg": "jpeg", "jpe": "jpeg", "tif": "tiff", "jp2": "jpeg2000", "jpeg 2000": "jpeg2000"}
FORMAT_ALIASES |= {
    "heif": "heic",
    "photoshop": "psd",
    "psb": "psd",
    "camera raw": "raw",
    "videos": "video",
    "film": "video",
}
ORIENTATIONS = ("landscape", "portrait", "square", "panorama")
COLOR_ALIASES = {"gray": "grey", "teal": "cyan", "turquoise": "cyan", "violet": "purple", "magenta": "purple"}
FLAGS = (
    "title",
    "description",
    "date",
    "creator",
    "tag",
    "place",
    "subject",
    "medium",
    "rights",
    "record",
    "accession",
    "alt",
    "picture",
)
VECTOR = "vector"
FLAG_ALIASES = {
    "location": "place",
    "tags": "tag",
    "creators": "creator",
    "places": "place",
    "subjects": "subject",
    "number": "accession",
    "alt text": "alt",
    "alternative text": "alt",
    "alttext": "alt",
    "pictures": "picture",
    "image": "picture",
    "vectors": VECTOR,
}
RIGHTS_STATES = ("expired", "expiring", "none", "embargo")

OWN_FLAG = "field."
"""Before the slug of a field that the museum added: `missing:field.provenance`."""

_fact = values.choice(
    (*FLAGS, VECTOR), FLAG_ALIASES, gettext_lazy("“%(text)s” is no fact that a picture can have.")
)


def _flag(text: str, quoted: bool, today: date) -> Meaning:
    """Of an own field nobody knows here whether there is one; what is not there, no picture has."""
    slug = text.strip()[len(OWN_FLAG) :]
    return OWN_FLAG + slug if slug and text.strip().startswith(OWN_FLAG) else _fact(text, quoted, today)


FIELDS: dict[str, Kind] = {
    "tag": Kind(values.name, "oil", _("pictures with this tag, or a narrower one"), ("tags",)),
    "collection": Kind(
        values.name,
        '"Prints / Japan"',
        _("pictures in this collection and those inside it"),
        ("collections",),
    ),
    "creator": Kind(
        values.name, "hopper", _("the maker, by any part of the name"), ("artist", "maker", "creators")
    ),
    "place": Kind(values.name, "paris", _("the place, by any part of its name"), ("location", "places")),
    "area": Kind(
        values.area, "48..49/2..3", _("where it was made, in degrees of latitude and longitude; or none")
    ),
    "subject": Kind(values.name, "angel", _("the subject, by any part of its name"), ("subjects",)),
    "title": Kind(values.name, "boat", _("words of the title")),
    "accession": Kind(
        values.name, "1942.51", _("the accession number, and the numbers below it"), ("number", "inventory")
    ),
    "date": Kind(values.years, "1880..1900", _("when the object was made"), ("dated", "year")),
    "added": Kind(values.days, "2026-11", _("when the picture came into the library"), ("uploaded",)),
    "rights": Kind(values.name, "cc0", _("words of the rights; or expired, expiring, embargo, none")),
    "type": Kind(
        values.choice(FORMATS, FORMAT_ALIASES, gettext_lazy("“%(text)s” is no type of file.")),
        "tiff",
        _("the type of the file"),
        ("format",),
    ),
    "orientation": Kind(
        values.choice(ORIENTATIONS, {"upright": "portrait"}, gettext_lazy("“%(text)s” is no orientation.")),
        "portrait",
        _("landscape, portrait, square or panorama"),
    ),
    "size": Kind(values.size, ">4000px", _("the size in pixels, megapixels or bytes")),
    "colour": Kind(
        values.choice(COLORS, COLOR_ALIASES, gettext_lazy("“%(text)s” is no colour that is told apart.")),
        "blue",
        _("a colour that stands out in the picture"),
        ("color", "colours", "colors"),
    ),
    "has": Kind(_flag, "description", _("pictures of which this is known")),
    "missing": Kind(_flag, "date", _("pictures of which this is not known yet")),
    "id": Kind(values.uid, "6f1c…", _("one picture, by the id in its address"), ("uid",)),
}
NAMES = {alias: name for name, kind in FIELDS.items() for alias in (name, *kind.aliases)}


def nearest(written: str) -> str:
    """The field that somebody may have meant; empty where none is near."""
    close = get_close_matches(written.casefold(), NAMES, 1, 0.65)
    return NAMES[close[0]] if close else ""
