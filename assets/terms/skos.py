"""SKOS in RDF/XML, Turtle, JSON-LD and N-Triples, statement by statement: only what is of use is kept."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.parsers import expat

from django.utils.translation import gettext as _

from assets.terms.concepts import Concept, FileRefused, Gathered, Languages

SKOS = "http://www.w3.org/2004/02/skos/core#"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
GETTY = "http://vocab.getty.edu/ontology#"
BROADER = {f"{SKOS}broader", *(f"{GETTY}broader{kind}" for kind in ("Preferred", "Generic", "Partitive"))}
NOTES = {f"{SKOS}{name}" for name in ("scopeNote", "definition")}
FORMATS = {
    ".nt": "nt",
    ".ttl": "turtle",
    ".turtle": "turtle",
    ".rdf": "xml",
    ".xml": "xml",
    ".owl": "xml",
    ".skos": "xml",
    ".jsonld": "json-ld",
    ".json": "json-ld",
}
MOST_BYTES = {"turtle": 300 * 1024**2, "json-ld": 100 * 1024**2}  # such files are read as a whole
LONGEST_ENTITY = 300  # characters: the address of a vocabulary
TRIPLE = re.compile(
    r"\s*(?:<([^>\s]*)>|(_:\S+))\s+<([^>\s]*)>\s+"
    r'(?:<([^>\s]*)>|(_:[^\s.]+)|"((?:[^"\\]|\\.)*)"(?:@([A-Za-z0-9-]+)|\^\^<[^>]*>)?)\s*\.\s*(?:#.*)?'
)
ESCAPE = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([tbnrf"\'\\]))')
PLAIN = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}


class Sink:
    """Takes statements in any order, and makes concepts of those that have a label."""

    def __init__(self, languages: Languages) -> None:
        self.languages = languages
        self.found: dict[str, Gathered] = {}
        self.narrower: list[tuple[str, str]] = []

    def text(self, subject: str, predicate: str, text: str, language: str) -> None:
        language = language.lower()
        if not self.languages.takes(language):
            return
        if predicate == f"{SKOS}prefLabel":
            found = self._of(subject)
            if language in found.preferred:
                found.others.setdefault(language, []).append(text)
            else:
                found.preferred[language] = text
        elif predicate in (f"{SKOS}altLabel", f"{SKOS}hiddenLabel"):
            self._of(subject).others.setdefault(language, []).append(text)
        elif predicate in NOTES:
            self._of(subject).notes.setdefault(language, text)

    def link(self, subject: str, predicate: str, other: str) -> None:
        if predicate in BROADER:
            self._of(subject).broader.append(other)
        elif predicate == f"{SKOS}narrower":
            self._of(other).broader.append(subject)
        elif predicate == TYPE and other == f"{SKOS}Concept":
            self._of(subject)

    def concepts(self) -> Iterator[Concept]:
        """Those of a language that nobody wants have no label, and are told of as a problem."""
        while self.found:
            uri = next(iter(self.found))
            yield self.found.pop(uri).concept(uri, self.languages)

    def _of(self, uri: str) -> Gathered:
        return self.found.setdefault(uri, Gathered())


def read(path: Path, languages: Languages) -> Iterator[Concept]:
    """The concepts of a file, whose ending names its format. Raises FileRefused."""
    sink, format = Sink(languages), FORMATS[path.suffix.lower()]
    if path.stat().st_size > MOST_BYTES.get(format, 1 << 62):
        raise FileRefused(_("A file of this size can only be read as N-Triples (.nt)."))
    if format == "nt":
        _read_lines(path, sink)
    else:
        _read_graph(path, format, sink)
    if not sink.found:
        raise FileRefused(_("No terms were found in this file. It should be SKOS, or a table."))
    return sink.concepts()


def _read_lines(path: Path, sink: Sink) -> None:
    with path.open(encoding="utf-8", errors="replace") as source:
        for number, line in enumerate(source, start=1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            found = TRIPLE.fullmatch(line.rstrip("\n"))
            if found is None:
                raise FileRefused(_("Line %(number)d is no statement of N-Triples.") % {"number": number})
            uri, blank, predicate, other, other_blank, text, language = found.groups()
            if text is None:
                sink.link(uri or blank, predicate, other or other_blank)
            else:
                sink.text(uri or blank, predicate, _unescaped(text), language or "")


def _unescaped(text: str) -> str:
    def one(found: re.Match[str]) -> str:
        code = found[1] or found[2]
        return chr(min(int(code, 16), 0x10FFFF)) if code else PLAIN.get(found[3], found[3])

    return ESCAPE.sub(one, text) if "\\" in text else text


def _read_graph(path: Path, format: str, sink: Sink) -> None:
    from rdflib import Graph, Literal

    def pass_on(triple: Any) -> None:
        subject, predicate, other = (str(part) for part in triple)
        if isinstance(triple[2], Literal):
            sink.text(subject, predicate, other, triple[2].language or "")
        else:
            sink.link(subject, predicate, other)

    class Passing(Graph):
        """Hands every statement on, and keeps none."""

        def add(self, triple: Any) -> Any:
            pass_on(triple)
            return self

    if format == "json-ld":
        _check_contexts(path)
    elif format == "xml":
        _check_entities(path)
    graph = Graph() if format == "json-ld" else Passing()
    try:
        graph.parse(str(path.resolve()), format=format, publicID="about:file")
    except Exception as error:  # noqa: BLE001 (the parsers raise whatever they meet)
        said = _("This file cannot be read as %(format)s: %(error)s")
        raise FileRefused(said % {"format": format, "error": f"{error}"[:300]}) from error
    if format == "json-ld":
        for triple in graph:
            pass_on(triple)


class _Begun(Exception):
    """The first element was reached, behind which nothing is declared."""


def _check_entities(path: Path) -> None:
    """Short names for addresses are usual in such files; entities of entities grow without end."""

    def declared(name: str, parameter: bool, value: str | None, *_where: Any) -> None:
        if parameter or value is None or "&" in value or "%" in value or len(value) > LONGEST_ENTITY:
            raise FileRefused(_("This file declares entities that can be used to do harm."))

    def begun(*_element: Any) -> None:
        raise _Begun

    parser = expat.ParserCreate()
    parser.EntityDeclHandler, parser.StartElementHandler = declared, begun
    with path.open("rb") as source, suppress(_Begun, expat.ExpatError):  # what is damaged, rdflib tells
        parser.ParseFile(source)


def _check_contexts(path: Path) -> None:
    """A context at another address would be fetched from there."""
    try:
        parts = [json.loads(path.read_bytes())]
    except (ValueError, RecursionError) as error:
        raise FileRefused(_("This file is no JSON.")) from error
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            if "@import" in part or any(isinstance(c, str) for c in _listed(part.get("@context"))):
                raise FileRefused(_("This file names a context at another address. Put the context into it."))
            parts.extend(part.values())
        elif isinstance(part, list):
            parts.extend(part)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
