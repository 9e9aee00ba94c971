"""XMP packets: read into properties, changed by property, written out again with all that is not ours."""

import io
import itertools
import re
from collections.abc import Iterable
from typing import Any
from xml.etree.ElementTree import Element, ParseError  # noqa: S405 (the parser is defusedxml's)

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from assets.metadata.blocks import Damaged
from assets.metadata.names import NAMESPACES, PREFIXES, RDF, XML, qualified
from assets.metadata.texts import MAX_DEPTH, MAX_VALUES, clean, unfit

DEFAULT = "x-default"
LANG = f"{{{XML}}}lang"
LI, DESCRIPTION, ABOUT, RESOURCE = (f"{{{RDF}}}{n}" for n in ("li", "Description", "about", "resource"))
CONTAINERS = {f"{{{RDF}}}{name}": name for name in ("Alt", "Bag", "Seq")}
STRUCT = (f"{{{RDF}}}parseType", "Resource")
MAX_ELEMENTS = 100_000
Struct = dict[str, Element]


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
        return _texts(value_of(element)) if element is not None else []

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

    def put_default(self, name: str, text: str) -> None:
        """The default language; the others stay as long as they belong to the same text."""
        before = self.properties.get(qualified(name))
        value = value_of(before) if before is not None else None
        others = value if isinstance(value, dict) and value.get(DEFAULT) == text else {}
        self.put(name, alternatives({**others, DEFAULT: text}))

    # --- writing ---

    def serialised(self) -> bytes:
        """The packet as UTF-8, ready to be embedded or to be a file of its own."""
        names = {name for element in self.properties.values() for name in _names(element)}
        spaces = {name[1:].partition("}")[0] for name in names if name[:1] == "{"} - {RDF, XML}
        prefix = self._prefixes(spaces)
        about = f' rdf:about="{_quoted(self.about)}"'
        declared = "".join(f'\n    xmlns:{prefix[space]}="{_quoted(space)}"' for space in sorted(spaces))
        out = io.StringIO()
        for _, element in sorted(self.properties.items()):
            _write(out, element, prefix, "\n   ")
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
        for name, element in _fields(block):
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


# --- values -----------------------------------------------------------------------------------------


def value_of(element: Element, depth: int = 0) -> Any:
    """A text, a list, a structure as {qualified name: value}, or languages as {language: text}."""
    if depth > MAX_DEPTH:
        return ""
    for child in element:
        if child.tag in CONTAINERS:
            return _items(child, depth)
    if fields := _fields(element if _is_struct(element) else element.find(DESCRIPTION)):
        return {name: value_of(field, depth + 1) for name, field in fields}
    return clean(element.get(RESOURCE) or element.text or "")


def _items(container: Element, depth: int) -> Any:
    items = container.findall(LI)
    if container.tag.endswith("}Alt") and any(LANG in item.attrib for item in items):
        texts = [(item.get(LANG, DEFAULT), clean(item.text or "")) for item in items]
        texts.sort(key=lambda pair: pair[0] != DEFAULT)
        return {language[:35]: text for language, text in texts if text}
    return [value for item in items if (value := value_of(item, depth + 1))]


def _is_struct(element: Element) -> bool:
    plain = {LANG, ABOUT, RESOURCE, STRUCT[0]}
    return element.get(STRUCT[0]) == STRUCT[1] or any(name not in plain for name in element.attrib)


def _fields(block: Element | None) -> list[tuple[str, Element]]:
    """The fields of a structure, those that are written as attributes too."""
    found: list[tuple[str, Element]] = []
    if block is None:
        return found
    for name, text in block.attrib.items():
        if name[:1] == "{" and not name.startswith((f"{{{RDF}}}", f"{{{XML}}}")):
            field = Element(name)
            field.text = text
            found.append((name, field))
    return found + [(child.tag, child) for child in block if isinstance(child.tag, str)]


def fields_of(item: Element) -> Struct:
    """The fields of an item of a list of structures."""
    inner = item.find(DESCRIPTION)
    return dict(_fields(inner if inner is not None else item))


def items_of(element: Element | None) -> list[Element]:
    """The items of a list, or the property itself where it is no list."""
    if element is None:
        return []
    lists = [child for child in element if child.tag in CONTAINERS]
    return lists[0].findall(LI) if lists else [element]


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    if isinstance(value, dict):
        languages = [text for name, text in value.items() if name[:1] != "{"]
        return [str(value.get(DEFAULT) or languages[0])] if languages else []
    return [value] if value else []


# --- making elements --------------------------------------------------------------------------------


def plain(text: str) -> Element:
    element = Element("")
    element.text = text
    return element


def listed(kind: str, items: Iterable[Element | str]) -> Element:
    """A property with a Bag, a Seq or an Alt of texts or elements."""
    element, container = Element(""), Element(f"{{{RDF}}}{kind}")
    for item in items:
        made = plain(item) if isinstance(item, str) else item
        made.tag = LI
        container.append(made)
    element.append(container)
    return element


def alternatives(texts: dict[str, str]) -> Element:
    """A text by language, the default first."""
    items = []
    for language, text in sorted(texts.items(), key=lambda pair: pair[0] != DEFAULT):
        items.append(plain(text))
        items[-1].set(LANG, language)
    return listed("Alt", items)


def structure(fields: Struct) -> Element:
    """A structure of these fields by qualified name, in the order of their names."""
    element = Element("", {STRUCT[0]: STRUCT[1]})
    for name, field in sorted(fields.items(), key=lambda pair: pair[0]):
        field.tag = name
        element.append(field)
    return element


# --- writing ----------------------------------------------------------------------------------------


def _names(element: Element) -> Iterable[str]:
    for one in element.iter():
        yield from (str(one.tag), *one.attrib)


def _write(out: io.StringIO, element: Element, prefix: dict[str, str], indent: str) -> None:
    tag = _name(str(element.tag), prefix)
    attributes = "".join(f' {_name(n, prefix)}="{_quoted(v)}"' for n, v in element.attrib.items())
    children = [child for child in element if isinstance(child.tag, str)]
    out.write(f"{indent}<{tag}{attributes}>")
    if not children:
        out.write(_escaped(element.text or ""))
    for child in children:
        _write(out, child, prefix, indent + " ")
    out.write(f"{indent if children else ''}</{tag}>")


def _name(name: str, prefix: dict[str, str]) -> str:
    namespace, _, local = name[1:].partition("}")
    return f"{prefix[namespace]}:{local}" if name[:1] == "{" else name


def _escaped(text: str) -> str:
    fit = "".join(c for c in text if c in "\t\n\r" or not unfit(c))
    return fit.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")


def size_of(element: Element) -> int:
    """About how many characters a property takes."""
    texts = (
        len(one.tag) + len(one.text or "") + sum(map(len, one.attrib.values())) for one in element.iter()
    )
    return sum(texts)
