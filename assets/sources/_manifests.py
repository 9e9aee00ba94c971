"""What a IIIF manifest says, of Presentation API 2 or 3: its pictures, where they are, and its words.

https://iiif.io/api/presentation/2.1/ and /3.0/. Nothing is fetched here; whatever is not as it should be is
passed over.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

Json = Any
TAG = re.compile(r"<[^>]*>")
LANGUAGES = ("en", "none", "@none", "")
LABELS = {
    "accession": (
        "accession number",
        "accession no",
        "inventory number",
        "object number",
        "identifier",
        "shelfmark",
    ),
    "creator": ("creator", "artist", "author", "maker", "photographer", "painter", "artist/maker"),
    "date": ("date", "created", "date created", "date of creation", "dating", "date made"),
    "medium": (
        "medium",
        "material",
        "materials",
        "technique",
        "materials and techniques",
        "physical description",
    ),
    "tags": ("subject", "subjects", "keyword", "keywords", "tags"),
    "title": ("title",),
    "description": ("description", "abstract"),
    "rights_holder": ("rights holder", "copyright holder"),
    "credit_line": ("credit line", "credit"),
}
"""The labels of its metadata that mean one of our words, in small letters."""
WORDS = {label: word for word, labels in LABELS.items() for label in labels}


@dataclass(frozen=True)
class Picture:
    """One picture of a canvas."""

    canvas: int
    """Its place in the manifest, from 1."""
    addresses: tuple[str, ...]
    """Where its file may be had, the best first: at the image service in full size, or as it is named."""
    facts: Mapping[str, str]
    """By the keys of assets.words."""


def is_collection(found: Json) -> bool:
    return _type(found) in ("Collection", "sc:Collection")


def members(collection: Json) -> Iterator[tuple[str, bool]]:
    """The addresses of the manifests and collections in a collection, and whether each is a collection."""
    for key in ("manifests", "collections", "members", "items"):
        for member in _each(collection, key):
            if isinstance(member, dict) and (address := _id(member)):
                yield address, is_collection(member) or key == "collections"


def pictures(manifest: Json) -> Iterator[Picture]:
    """In the order of the canvases."""
    facts = facts_of(manifest)
    canvases = list(_canvases(manifest))
    for number, canvas in enumerate(canvases, 1):
        own = facts | _of_canvas(canvas, facts, len(canvases) > 1)
        for body in _bodies(canvas):
            if addresses := tuple(_addresses(body)):
                yield Picture(number, addresses, own)


def _of_canvas(canvas: Json, facts: Mapping[str, str], one_of_many: bool) -> dict[str, str]:
    """What a canvas says besides its manifest: nothing else of the same object, so that its rows agree."""
    own = facts_of(canvas)
    number = facts.get("accession", "")
    if number and own.get("accession", number) == number:
        said = (word for word in own if word == "tags" or word not in facts and not one_of_many)
        return {word: own[word] for word in said}
    if (label := _text(canvas.get("label"))) and one_of_many and facts.get("title"):
        own["title"] = f"{facts['title']}, {label}"
    return own


def facts_of(found: Json) -> dict[str, str]:
    """The words of a manifest or a canvas, by the keys of assets.words."""
    required = found.get("requiredStatement")
    credit = required.get("value") if isinstance(required, dict) else found.get("attribution")
    given = {
        "title": _text(found.get("label")),
        "description": _text(found.get("summary") or found.get("description")),
        "rights": _text(found.get("rights") or found.get("license")),
        "credit_line": _text(credit),
    }
    for pair in _each(found, "metadata"):
        word = WORDS.get(_text(pair.get("label")).casefold().rstrip(":.")) if isinstance(pair, dict) else None
        if word and not given.get(word):
            given[word] = _text(pair.get("value"), "; " if word in ("creator", "tags") else ", ")
    return {word: text for word, text in given.items() if text}


def _canvases(manifest: Json) -> Iterator[dict[str, Json]]:
    for sequence in _each(manifest, "sequences")[:1]:
        yield from (c for c in _each(sequence, "canvases") if isinstance(c, dict))
    yield from (c for c in _each(manifest, "items") if _type(c) == "Canvas")


def _bodies(canvas: Json) -> Iterator[dict[str, Json]]:
    """The pictures that are painted on a canvas; of several to choose from, the first."""
    for annotation in _each(canvas, "images"):
        yield from _chosen(annotation.get("resource") if isinstance(annotation, dict) else None, "default")
    for page in _each(canvas, "items"):
        for annotation in _each(page, "items"):
            if isinstance(annotation, dict) and "painting" in str(annotation.get("motivation")):
                yield from _chosen(annotation.get("body"), "items")


def _chosen(body: Json, key: str) -> Iterator[dict[str, Json]]:
    body = body[0] if isinstance(body, list) and body else body
    if _type(body) in ("Choice", "oa:Choice"):
        inner = body.get(key)
        body = inner[0] if isinstance(inner, list) and inner else inner
    if _type(body) in ("Image", "dctypes:Image"):
        yield body


def _addresses(body: dict[str, Json]) -> Iterator[str]:
    services = body.get("service")
    for service in services if isinstance(services, list) else [services]:
        if isinstance(service, dict) and (base := _id(service).rstrip("/")):
            said = " ".join(str(service.get(key)) for key in ("@context", "type", "@type", "profile"))
            if re.search(r"image/3|ImageService3", said):
                yield f"{base}/full/max/0/default.jpg"
            elif re.search(r"image/2|ImageService2", said):
                yield from (f"{base}/full/{size}/0/default.jpg" for size in ("full", "max"))
            elif re.search(r"image|ImageService1", said):
                yield f"{base}/full/full/0/native.jpg"
    if address := _id(body):
        yield address


def _id(found: Mapping[str, Json]) -> str:
    address = found.get("id") or found.get("@id")
    return address if isinstance(address, str) else ""


def _type(found: Json) -> str:
    return str(found.get("type") or found.get("@type") or "") if isinstance(found, dict) else ""


def _each(found: Json, key: str) -> list[Json]:
    values = found.get(key) if isinstance(found, dict) else None
    return values if isinstance(values, list) else []


def _text(value: Json, between: str = ", ") -> str:
    """A label or value in any of the forms that there are, in one language, without HTML."""
    if isinstance(value, dict):
        if "@value" in value:
            return _text(value["@value"])
        languages = [key for key in LANGUAGES if key in value] or sorted(value)
        return _text(value[languages[0]], between) if languages else ""
    if isinstance(value, list):
        return between.join(filter(None, (_text(part) for part in _in_one_language(value))))
    return (
        " ".join(unescape(TAG.sub(" ", str(value))).split()) if isinstance(value, (str, int, float)) else ""
    )


def _in_one_language(values: list[Json]) -> list[Json]:
    """Of values that name their language (version 2), those of the first one that is wanted."""
    said = [value.get("@language", "") for value in values if isinstance(value, dict) and "@value" in value]
    if len(said) < len(values):
        return values
    wanted = next((language for language in LANGUAGES if language in said), said[0] if said else "")
    return [value for value in values if value.get("@language", "") == wanted]
