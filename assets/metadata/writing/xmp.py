"""The museum's words as XMP: IPTC Core and Extension, Dublin Core, rights. All else stays as it was."""

import re
from xml.etree.ElementTree import Element  # noqa: S405 (made here, not parsed)

from assets.metadata.elements import (
    RESOURCE,
    Struct,
    alternatives,
    fields_of,
    items_of,
    listed,
    plain,
    structure,
    value_of,
)
from assets.metadata.mapping import ISO
from assets.metadata.names import qualified
from assets.metadata.present import Place, Statement
from assets.metadata.texts import clean
from assets.metadata.xmp import Packet
from assets.statements import statement_of
from assets.text import label_key

URI = re.compile(r"https?://[^\s<>\"]+")
LANGUAGES = {
    "title": "dc:title",
    "description": "dc:description",
    "rights": "dc:rights",
    "usage_terms": "xmpRights:UsageTerms",
    "alt_text": "Iptc4xmpCore:AltTextAccessibility",
}
PLACES = ("Iptc4xmpCore:Location", "photoshop:City", "photoshop:State", "photoshop:Country")
SHOWN, OBJECT = "Iptc4xmpExt:LocationShown", "Iptc4xmpExt:ArtworkOrObject"


def update(packet: Packet, says: Statement) -> None:
    """Put what the museum says into the packet, and take out what it has emptied."""
    packet.remove("xmpNote:HasExtendedXMP")
    for field, name in LANGUAGES.items():
        if text := clean(getattr(says, field)):
            packet.put_default(name, text, says.translations.get(field, {}))
        elif field in says.emptied:
            packet.remove(name)
    _texts(packet, says)
    _lists(packet, says)
    if says.touches("places"):
        _places(packet, says.places)
    _object(packet, says)
    if says.changed_at:
        packet.put("xmp:MetadataDate", plain(says.changed_at.isoformat(timespec="seconds")))


def _texts(packet: Packet, says: Statement) -> None:
    if says.credit_line:
        packet.put("photoshop:Credit", plain(clean(says.credit_line)))
    elif says.touches("credit_line"):
        packet.remove("photoshop:Credit")
    if says.touches("date"):
        packet.remove("photoshop:DateCreated", "Iptc4xmpCore:DateCreated")
        if ISO.fullmatch(says.date):
            packet.put("photoshop:DateCreated", plain(says.date))
    _statement(packet, says)


def _statement(packet: Packet, says: Statement) -> None:
    """The statement of rights for machines: its address, the licence, whether there is a copyright."""
    known = statement_of(says.rights)
    if known or URI.fullmatch(says.rights):
        packet.put("xmpRights:WebStatement", plain(known.uri if known else says.rights))
    elif "rights" in says.emptied:
        packet.remove("xmpRights:WebStatement")
    if says.touches("rights"):
        packet.remove("cc:license", "xmpRights:Marked")
    if known and known.is_licence:
        packet.put("cc:license", Element("", {RESOURCE: known.uri}))
    if known and known.copyrighted is not None:
        packet.put("xmpRights:Marked", plain(str(known.copyrighted)))


def _lists(packet: Packet, says: Statement) -> None:
    if says.touches("creators"):
        _list(packet, "dc:creator", "Seq", says.creators)
    if says.touches("tags"):
        _list(packet, "dc:subject", "Bag", says.tags)
    if says.accession:
        _list(packet, "dc:identifier", "", (says.accession,))
    if says.touches("rights_holder"):
        holder = clean(says.rights_holder)
        _list(packet, "xmpRights:Owner", "Bag", (holder,))
        packet.remove("plus:CopyrightOwner")
        if holder:
            owner = structure({qualified("plus:CopyrightOwnerName"): plain(holder)})
            packet.put("plus:CopyrightOwner", listed("Seq", [owner]))


def _list(packet: Packet, name: str, kind: str, texts: tuple[str, ...]) -> None:
    """A list, or one text where there is no kind of list; no property where nothing is to be said."""
    items = [text for text in map(clean, texts) if text]
    if items:
        packet.put(name, listed(kind, items) if kind else plain(items[0]))
    else:
        packet.remove(name)


def _places(packet: Packet, places: tuple[Place, ...]) -> None:
    """City, country and so on stay where the museum says them too; all others become places shown."""
    left = {label_key(place.label): place for place in places}
    for name in PLACES:
        if left.pop(label_key(packet.text(name)), None) is None:
            packet.remove(name)
    if not packet.text("photoshop:Country"):
        packet.remove("Iptc4xmpCore:CountryCode")
    packet.remove(SHOWN)
    if left:
        packet.put(SHOWN, listed("Bag", [_place(place) for place in left.values()]))


def _place(place: Place) -> Element:
    fields: Struct = {qualified("Iptc4xmpExt:LocationName"): alternatives({"x-default": clean(place.label)})}
    if place.uri:
        fields[qualified("Iptc4xmpExt:LocationId")] = listed("Bag", [place.uri])
    return structure(fields)


def _object(packet: Packet, says: Statement) -> None:
    """The object that the picture shows: its number, and what IPTC has no place for elsewhere."""
    free = "" if ISO.fullmatch(says.date) else says.date
    ours: dict[str, str] = {"AOSourceInvNo": says.accession, "AOCircaDateCreated": free}
    if says.accession:
        ours |= {"AODateCreated": "" if free else says.date, "AOCopyrightNotice": says.rights}
    texts = {name: clean(text) for name, text in ours.items()}
    fields: Struct = {_ext(name): plain(text) for name, text in texts.items() if text}
    spoken = {"AOPhysicalDescription": says.medium}
    spoken |= {"AOTitle": says.title} if says.accession else {}
    for name, text in spoken.items():
        if text := clean(text):
            fields[_ext(name)] = alternatives({"x-default": text})
    if says.accession and says.creators:
        fields[_ext("AOCreator")] = listed("Seq", [clean(name) for name in says.creators])
    stale = [_ext(n) for n in ("AODateCreated", "AOCircaDateCreated")] if says.touches("date") else []
    if not fields and not stale:
        return
    objects = _with_object(packet, says, fields, stale)
    packet.put(OBJECT, listed("Bag", objects)) if objects else packet.remove(OBJECT)


def _with_object(packet: Packet, says: Statement, fields: Struct, stale: list[str]) -> list[Element]:
    """The objects of the file, the first of our number (or the first without one) with our words."""
    objects = [fields_of(item) for item in items_of(packet.properties.get(qualified(OBJECT)))]
    for number in (says.accession, ""):
        for known in objects:
            element = known.get(_ext("AOSourceInvNo"))
            if (value_of(element) if element is not None else "") == number:
                for name in stale:
                    known.pop(name, None)
                known.update(fields)
                return [structure(one) for one in objects if one]
    return [structure(one) for one in [fields, *objects] if one]


def _ext(name: str) -> str:
    return qualified(f"Iptc4xmpExt:{name}")
