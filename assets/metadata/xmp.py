"""XMP packets: read into properties, changed by property, written out again with all that is not ours."""

import io
import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError  # noqa: S405 (the parser is defusedxml's)

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from assets.metadata.blocks import Damaged
from assets.metadata.elements import (
    ABOUT,
    DEFAULT,
    DESCRIPTION,
    alternatives,
    fields_in,
    names_in,
    quoted,
    texts_of,
    value_of,
    write,
)
from assets.metadata.names import NAMESPACES, PREFIXES, RDF, XML, qualified
from assets.metadata.texts import MAX_DEPTH, MAX_VALUES, clean

MAX_ELEMENTS = 100_000


class Packet:
    """The properties of a packet by their qualified names, `{namespace}name`."""

    def __init__(self) -> None:
        self.properties: dict[str, Element] = {}
        self.prefixes: dict[str, str] = {}
        """By namespace, as the file has them."""
        self.about = ""

    # --- reading ---

    def text(self, name: str) -> str:
        """A property as one text: the default of its languages, the first of several; `dc:title`."""
        found = self.texts(name)
        return found[0] if found else ""

    def texts(self, name: str) -> list[str]:
        """A property as texts; of several languages only the default one."""
        element = self.properties.get(qualified(name))
        return texts_of(value_of(element)) if element is not None else []

    def structs(self, name: str) -> list[dict[str, Any]]:
        """A property that is one structure or several, each with its values by qualified name."""
        element = self.properties.get(qualified(name))
        value = value_of(element) if element is not None else None
        return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]

    def raw(self) -> dict[str, Any]:
        """All values by their names with prefixes, bounded."""
        left = [MAX_VALUES]
        named = {self.prefixed(name): value_of(element) for name, element in self.properties.items()}
        return {name: self._shown(value, left) for name, value in list(named.items())[:MAX_VALUES] if value}

    def prefixed(self, name: str) -> str:
        namespace, _, local = name[1:].partition("}")
        prefix = PREFIXES.get(namespace) or self.prefixes.get(namespace)
        return f"{prefix}:{local}" if prefix else clean(name)

    def _shown(self, value: Any, left: list[int]) -> Any:
        left[0] -= 1
        if isinstance(value, dict):
            inside = list(value.items())[: max(left[0], 0)]
            return {self.prefixed(k) if k[:1] == "{" else k: self._shown(v, left) for k, v in inside}
        if isinstance(value, list):
            return [self._shown(item, left) for item in value[: max(left[0], 0)]]
        return value

    # --- changing ---

    def take_missing(self, other: "Packet") -> None:
        """What the other packet has and this one has not."""
        self.properties = {**other.properties, **self.properties}
        self.prefixes = {**other.prefixes, **self.prefixes}
        self.about = self.about or other.about

    def remove(self, *names: str) -> None:
        for name in names:
            self.properties.pop(qualified(name), None)

    def put(self, name: str, made: Element) -> None:
        made.tag = qualified(name)
        self.properties[made.tag] = made

    def put_default(self, name: str, text: str, more: Mapping[str, str] | None = None) -> None:
        """The default language, and `more` in others; those of the file stay where they belong to it."""
        before = self.properties.get(qualified(name))
        value = value_of(before) if before is not None else None
        others = value if isinstance(value, dict) and value.get(DEFAULT) == text else {}
        said = {language: clean(other) for language, other in (more or {}).items() if clean(other)}
        self.put(name, alternatives({**others, **said, DEFAULT: text}))

    # --- writing ---

    def serialised(self) -> bytes:
        """The packet as UTF-8, ready to be embedded or to be a file of its own."""
        names = {name for element in self.properties.values() for name in names_in(element)}
        spaces = {name[1:].partition("}")[0] for name in names if name[:1] == "{"} - {RDF, XML}
        prefix = self._prefixes(spaces)
        about = f' rdf:about="{quoted(self.about)}"'
        declared = "".join(f'\n    xmlns:{prefix[space]}="{quoted(space)}"' for space in sorted(spaces))
        out = io.StringIO()
        for _, element in sorted(self.properties.items()):
            write(out, element, prefix, "\n   ")
        return (
            '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
            f' <rdf:RDF xmlns:rdf="{RDF}">\n  <rdf:Description{about}{declared}>{out.getvalue()}\n'
            '  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="w"?>'
        ).encode()

    def _prefixes(self, spaces: set[str]) -> dict[str, str]:
        """A prefix for each namespace: the usual one, else the file's own, else a new one."""
        found, taken = {RDF: "rdf", XML: "xml"}, {"rdf", "xml", "x"}
        for space in sorted(spaces):
            wanted = PREFIXES.get(space) or self.prefixes.get(space, "")
            usable = re.fullmatch(r"[A-Za-z_][\w.-]*", wanted, re.ASCII)
            if not usable or wanted in taken or NAMESPACES.get(wanted, space) != space:
                free = (f"ns{n}" for n in itertools.count(1))
                wanted = next(prefix for prefix in free if prefix not in taken)
            found[space] = wanted
            taken.add(wanted)
        return found


def parse(data: bytes) -> Packet:
    """Raises Damaged: not well-formed, with entities, or no RDF in it."""
    packet, root, depth, count = Packet(), None, 0, 0
    try:
        events = iterparse(io.StringIO(_decoded(data)), events=("start-ns", "start", "end"), forbid_dtd=True)
        for event, found in events:
            if event == "start-ns":
                packet.prefixes.setdefault(found[1], found[0])
                continue
            depth, count = depth + (1 if event == "start" else -1), count + 1
            root = found if root is None else root
            if depth > MAX_DEPTH * 3 or count > MAX_ELEMENTS * 2:
                raise Damaged("The XMP in it is deeper or longer than can be right.")
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        said = "it declares entities" if isinstance(error, DefusedXmlException) else str(error)
        raise Damaged(f"The XMP in it is damaged ({said}).") from error
    rdf = next(root.iter(f"{{{RDF}}}RDF"), None) if root is not None else None
    if rdf is None:
        raise Damaged("The XMP in it has no RDF.")
    for block in rdf.findall(DESCRIPTION):
        packet.about = packet.about or block.get(ABOUT, "")
        for name, element in fields_in(block):
            packet.properties.setdefault(name, element)
    return packet


def merged(packets: Iterable[Packet]) -> Packet:
    """One packet with the properties of all, the first of each name."""
    whole = Packet()
    for packet in packets:
        whole.take_missing(packet)
    return whole


def _decoded(data: bytes) -> str:
    """The text from the first bracket to the last: UTF-8 or UTF-16, with or without a mark."""
    sample = data[:200]
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
    elif b"<\x00" in sample:
        text = data.decode("utf-16-le" if sample.find(b"<\x00") % 2 == 0 else "utf-16-be", "replace")
    elif b"\x00<" in sample:
        text = data.decode("utf-16-be", "replace")
    else:
        text = data.decode("utf-8", "replace")
    end = text.rfind(">") + 1
    return re.sub(r"^<\?xml[^>]*\?>", "", text[text.find("<") if "<" in text else 0 : end])
