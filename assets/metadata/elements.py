"""The elements of XMP: what they say, how they are made, and how they are written."""

import io
from collections.abc import Iterable
from typing import Any
from xml.etree.ElementTree import Element  # noqa: S405 (nothing is parsed here)

from assets.metadata.names import RDF, XML
from assets.metadata.texts import MAX_DEPTH, clean, unfit

DEFAULT = "x-default"
LANG = f"{{{XML}}}lang"
LI, DESCRIPTION, ABOUT, RESOURCE = (f"{{{RDF}}}{n}" for n in ("li", "Description", "about", "resource"))
CONTAINERS = {f"{{{RDF}}}{name}": name for name in ("Alt", "Bag", "Seq")}
STRUCT = (f"{{{RDF}}}parseType", "Resource")
Struct = dict[str, Element]


# --- values -----------------------------------------------------------------------------------------


def value_of(element: Element, depth: int = 0) -> Any:
    """A text, a list, a structure as {qualified name: value}, or languages as {language: text}."""
    if depth > MAX_DEPTH:
        return ""
    for child in element:
        if child.tag in CONTAINERS:
            return _items(child, depth)
    if fields := fields_in(element if _is_struct(element) else element.find(DESCRIPTION)):
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


def fields_in(block: Element | None) -> list[tuple[str, Element]]:
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
    return dict(fields_in(inner if inner is not None else item))


def items_of(element: Element | None) -> list[Element]:
    """The items of a list, or the property itself where it is no list."""
    if element is None:
        return []
    lists = [child for child in element if child.tag in CONTAINERS]
    return lists[0].findall(LI) if lists else [element]


def texts_of(value: Any) -> list[str]:
    """The texts of a value, of several languages the default one."""
    if isinstance(value, list):
        return [text for item in value for text in texts_of(item)]
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


def names_in(element: Element) -> Iterable[str]:
    """The qualified names of an element, its attributes and all that is in it."""
    for one in element.iter():
        yield from (str(one.tag), *one.attrib)


def write(out: io.StringIO, element: Element, prefix: dict[str, str], indent: str) -> None:
    """As XML, with a prefix for each namespace; `indent` begins with a line feed."""
    tag = _name(str(element.tag), prefix)
    attributes = "".join(f' {_name(n, prefix)}="{quoted(v)}"' for n, v in element.attrib.items())
    children = [child for child in element if isinstance(child.tag, str)]
    out.write(f"{indent}<{tag}{attributes}>")
    if not children:
        out.write(_escaped(element.text or ""))
    for child in children:
        write(out, child, prefix, indent + " ")
    out.write(f"{indent if children else ''}</{tag}>")


def _name(name: str, prefix: dict[str, str]) -> str:
    namespace, _, local = name[1:].partition("}")
    return f"{prefix[namespace]}:{local}" if name[:1] == "{" else name


def _escaped(text: str) -> str:
    fit = "".join(c for c in text if c in "\t\n\r" or not unfit(c))
    return fit.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def quoted(text: str) -> str:
    """For an attribute."""
    return _escaped(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")


def size_of(element: Element) -> int:
    """About how many characters a property takes."""
    texts = (
        len(one.tag) + len(one.text or "") + sum(map(len, one.attrib.values())) for one in element.iter()
    )
    return sum(texts)
