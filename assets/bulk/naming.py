"""Names of files in an archive: safe on every system, telling, and each once."""

import unicodedata
from pathlib import PurePath

from assets.models import Asset, AssetVersion, Record

FORBIDDEN = '/\\:*?"<>|'
RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    "conin$",
    "conout$",
    *(f"{name}{n}" for name in ("com", "lpt") for n in "123456789¹²³"),
}
SIDECAR = ".xmp"
LONGEST = 180  # bytes, without the ending: some systems stop at 255 with it


class Names:
    """The names that are taken; capitals and the way accents are encoded make no difference."""

    def __init__(self, *taken: str) -> None:
        self._taken = {_key(name) for name in taken}
        self._numbers: dict[str, int] = {}

    def unique(self, stem: str, ending: str) -> str:
        """`stem` with a number where it is taken, whatever the ending: programs read `A.xmp` with any `A`.

        `ending` begins with its dot, or is empty.
        """
        found, number = stem, self._numbers.get(_key(stem), 1)
        while not self._taken.isdisjoint(names := {_key(f"{found}{end}") for end in ("", ending, SIDECAR)}):
            number += 1
            found = f"{stem} ({number})"
        self._taken |= names
        self._numbers[_key(stem)] = number
        return f"{found}{ending}"


def beside(name: str, ending: str) -> str:
    """The XMP file that belongs to this one, and to no other."""
    return name.removesuffix(ending) + SIDECAR


def stem_of(asset: Asset) -> str:
    """`1923.10 Sea at night`: accession number and title, else one of them, else the name of the file."""
    record = asset.record
    number = record.accession_number if isinstance(record, Record) else ""
    title = (record.title if isinstance(record, Record) else "") or asset.title
    named = " ".join(filter(None, [number, title])) or PurePath(asset.filename).stem
    return safe(named)


def ending_of(version: AssetVersion) -> str:
    """As the file came in, in small letters."""
    suffix = PurePath(version.original_filename).suffix.casefold()
    return suffix if suffix[1:].isalnum() and suffix.isascii() and len(suffix) <= 10 else ""


def safe(text: str) -> str:
    """Without what some system refuses in the name of a file; never empty, at most LONGEST bytes."""
    plain = "".join(map(_harmless, unicodedata.normalize("NFC", text)))
    short = " ".join(plain.split()).encode()[:LONGEST].decode("utf-8", "ignore").strip(". ")
    if short.partition(".")[0].strip().casefold() in RESERVED:
        short = f"_{short}"
    return short or "picture"


def _harmless(character: str) -> str:
    if character in FORBIDDEN:
        return "-"
    return " " if unicodedata.category(character)[0] == "C" else character


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
