"""The museum's words as IPTC IIM: in UTF-8, cut to the lengths of the standard. Other datasets stay."""

import re

from assets.metadata.blocks import Damaged
from assets.metadata.iim import KINDS, NUMBERS, UTF_8, DataSet, datasets, declared, decoded, packed
from assets.metadata.mapping import ISO
from assets.metadata.present import Statement
from assets.metadata.texts import clean, cut
from assets.text import label_key

NAMES = {
    "title": "Object Name",
    "description": "Caption/Abstract",
    "rights": "Copyright Notice",
    "credit_line": "Credit",
    "creators": "By-line",
    "tags": "Keywords",
}
PLACES = ("Sublocation", "City", "Province/State", "Country Name")
MAX_BLOCK = 1024**2


def update(block: bytes, says: Statement) -> bytes:
    """The block with what the museum says. Raises Damaged where what is there cannot be kept."""
    found, rest = datasets(block)
    if rest:
        raise Damaged("The IPTC in the file is damaged.")
    charset = declared(found)
    gone = {NUMBERS[name] for field, name in NAMES.items() if says.touches(field)}
    gone |= {NUMBERS["Date Created"], NUMBERS["Time Created"]} if says.touches("date") else set()
    kept = [_in_utf8(one, charset) for one in found if one[:2] not in ((1, 90), (2, 0))]
    if says.touches("places"):
        gone |= _other_places(kept, says)
    kept = [one for one in kept if one.record != 2 or one.number not in gone]
    added = [DataSet(2, number, data) for number, data in _said(says)]
    if not kept and not added:
        return b""
    head = [DataSet(1, 90, UTF_8), DataSet(2, 0, b"\x00\x04")]
    whole = sorted([*head, *kept, *added], key=lambda one: (one.record, one.number))
    return packed(whole)


def _in_utf8(one: DataSet, charset: bytes) -> DataSet:
    """Texts of other character sets as UTF-8, which is declared for all from now on."""
    text = one.record == 2 and one.number in KINDS and not one.data.isascii()
    return one._replace(data=decoded(one.data, charset).encode()) if text else one


def _other_places(kept: list[DataSet], says: Statement) -> set[int]:
    """The places in the block that the museum does not name."""
    named = {label_key(place.label) for place in says.places}
    numbers = {NUMBERS[name] for name in PLACES}
    gone = {
        one.number
        for one in kept
        if one.record == 2 and one.number in numbers and label_key(decoded(one.data)) not in named
    }
    return gone | ({NUMBERS["Country Code"]} if NUMBERS["Country Name"] in gone else set())


def _said(says: Statement) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    for field, name in NAMES.items():
        value, number = getattr(says, field), NUMBERS[name]
        texts = value if isinstance(value, tuple) else (value,)
        cuts = (cut(clean(text), KINDS[number].limit) for text in texts)
        found += [(number, data) for data in dict.fromkeys(cuts) if data]
    if ISO.fullmatch(says.date):
        digits = re.sub(r"\D", "", says.date).ljust(8, "0")
        found.append((NUMBERS["Date Created"], digits.encode()))
    return found
