"""SVG drawings: cleaned of all that is no drawing, then drawn by librsvg inside libvips from memory.

From memory there is no folder to look beside, so that nothing outside the drawing is ever read.
"""

import re
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, register_namespace, tostring

import pyvips
from defusedxml import DefusedXmlException, EntitiesForbidden
from defusedxml.ElementTree import ParseError, fromstring

from assets.decoders import Look, Refused
from assets.decoders.pictures import finished

LONGEST = 2000  # pixels of the size that a drawing is said to have
MAX_BYTES = 50 * 1024**2
MAX_RATIO, MAX_DEPTH = 200, 500
SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
TAKEN_OUT = {"script", "foreignObject", "iframe", "audio", "video", "embed", "object", "handler", "listener"}
INSIDE = re.compile(r"\s*(?:#|data:image/(?:png|jpe?g|gif|webp)[;,])", re.I)
OUTSIDE = re.compile(r"url\(\s*['\"]?(?!\s*['\"]?#)[^)]*\)|@import[^;]*;?", re.I)
LENGTH = re.compile(r"\s*([0-9.]+(?:e[+-]?\d+)?)\s*(px|pt|pc|mm|cm|in)?\s*", re.I)
NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.I)
UNITS = {"": 1, "px": 1, "pt": 4 / 3, "pc": 16, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96}
ENTITIES = (
    "The drawing defines XML entities of its own, which can be used to do harm. "
    "Open it in a drawing program and save it as plain SVG."
)
ERRORS = (pyvips.Error,)
register_namespace("", SVG[1:-1])
register_namespace("xlink", XLINK[1:-1])


def look(path: str) -> Look:
    width, height = _size(cleaned(Path(path).read_bytes()))
    scale = LONGEST / max(width, height)
    return Look(max(1, round(width * scale)), max(1, round(height * scale)), 1, None, "image/svg+xml")


def show(path: str, longest: int) -> Any:
    root = cleaned(Path(path).read_bytes())
    width, height = _size(root)
    scale = longest / max(width, height)
    root.attrib.setdefault("viewBox", f"0 0 {width} {height}")
    root.set("width", str(max(1, round(width * scale))))
    root.set("height", str(max(1, round(height * scale))))
    return finished(pyvips.Image.svgload_buffer(tostring(root)))


def cleaned(content: bytes) -> Element:
    """The drawing without scripts, handlers and references to the outside. Raises Refused."""
    if len(content) > MAX_BYTES:
        raise Refused(
            f"The drawing is larger than {MAX_BYTES // 1024**2} MB. Simplify it, or export it as TIFF."
        )
    try:
        root: Element = fromstring(content)
    except EntitiesForbidden as error:
        raise Refused(ENTITIES) from error
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise Refused(f"The drawing is no correct XML ({error}). Export it again.") from error
    if root.tag not in (f"{SVG}svg", "svg"):
        raise Refused("This is an XML document, not a drawing.")
    if root.tag == "svg":
        root.set("xmlns", SVG[1:-1])
    _clean(root)
    return root


def _clean(element: Element) -> None:
    ahead = [(element, 0)]
    while ahead:
        one, depth = ahead.pop()
        if depth > MAX_DEPTH:
            raise Refused("The drawing has too many groups inside groups. Simplify it, or export it as TIFF.")
        for name, value in list(one.attrib.items()):
            bare = name.rpartition("}")[2].casefold()
            if bare.startswith("on") or (bare in ("href", "src") and not INSIDE.match(value)):
                del one.attrib[name]
            elif OUTSIDE.search(value):
                one.set(name, OUTSIDE.sub("none", value))
        if one.text and str(one.tag).endswith("style"):
            one.text = OUTSIDE.sub("", one.text)
        for child in list(one):
            if str(child.tag).rpartition("}")[2] in TAKEN_OUT:
                one.remove(child)
            else:
                ahead.append((child, depth + 1))


def _size(root: Element) -> tuple[float, float]:
    """Width and height of the drawing, in its own units. Raises Refused where they cannot be."""
    width, height = _length(root.get("width")), _length(root.get("height"))
    box = [float(number) for number in NUMBER.findall(root.get("viewBox", ""))[:4]]
    if len(box) == 4 and box[2] > 0 and box[3] > 0:
        width, height = (width, height) if width and height else (box[2], box[3])
    if not (width and height):
        drawn = pyvips.Image.svgload_buffer(tostring(root))
        width, height = drawn.width, drawn.height
    if not 1 / MAX_RATIO <= width / height <= MAX_RATIO:
        raise Refused(f"The drawing is {width:g} wide and {height:g} high, which cannot be shown.")
    return width, height


def _length(text: str | None) -> float:
    """Pixels; 0 where it is not said, or in parts of a page."""
    found = LENGTH.fullmatch(text or "")
    try:
        return float(found[1]) * UNITS[(found[2] or "").lower()] if found else 0.0
    except ValueError:
        return 0.0
