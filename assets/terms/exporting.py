"""A vocabulary as a file: SKOS in Turtle, or a table, both of which can be imported again."""

import csv
import io
import re
from collections.abc import Iterable, Iterator

from assets.models import Term, Vocabulary
from assets.tables.formulas import safe

AT_ONCE = 1000
HEADER = ["label", "broader", "synonyms", "uri", "note"]
PREFIXES = """@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix dct: <http://purl.org/dc/terms/> .

"""
TAG = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")


def turtle(vocabulary: Vocabulary, base: str) -> Iterator[str]:
    """`base` is the address of this library: terms without one of their own are called by it."""
    scheme = f"<{_iri(base + vocabulary.get_absolute_url())}>"
    yield f"{PREFIXES}{scheme} a skos:ConceptScheme ; dct:title {_text(vocabulary.name)} .\n"
    for term in _terms(vocabulary):
        lines = [f"\n<{_address(term, base)}> a skos:Concept ; skos:inScheme {scheme}"]
        lines += [f"skos:{kind} {_text(label, language)}" for kind, label, language in _labels(term)]
        lines += [f"skos:broader <{_address(above, base)}>" for above in term.parents.all()]
        lines += [f"skos:scopeNote {_text(term.note)}"] if term.note else []
        yield " ;\n  ".join(lines) + " .\n"


def table(vocabulary: Vocabulary) -> Iterator[str]:
    """With a column `label:de` and `synonyms:de` for every language that there is."""
    found = Term.objects.filter(vocabulary=vocabulary).exclude(labels={})
    languages = sorted({code for labels in found.values_list("labels", flat=True) for code in labels} - {""})
    more = [f"{column}:{code}" for code in languages for column in ("label", "synonyms")]
    yield _line([*HEADER, *more])
    for term in _terms(vocabulary):
        row = [
            term.label,
            "; ".join(above.uri or above.label for above in term.parents.all()),
            "; ".join(term.labels.get("", [])),
            term.uri,
            term.note,
        ]
        for code in languages:
            said = term.labels.get(code, [])
            row += ["; ".join(said[:1]), "; ".join(said[1:])]
        yield _line(row)


def _terms(vocabulary: Vocabulary) -> Iterator[Term]:
    terms = Term.objects.filter(vocabulary=vocabulary).prefetch_related("parents")
    yield from terms.iterator(chunk_size=AT_ONCE)


def _labels(term: Term) -> Iterator[tuple[str, str, str]]:
    """(prefLabel or altLabel, the label, its language): one preferred label for each language at most."""
    if not any(term.label in said[:1] for said in term.labels.values()):
        yield "prefLabel", term.label, ""
    for language, said in term.labels.items():
        for place, label in enumerate(said):
            yield ("prefLabel" if place == 0 and language else "altLabel"), label, language


def _line(cells: Iterable[str]) -> str:
    target = io.StringIO()
    csv.writer(target).writerow(map(safe, cells))
    return target.getvalue()


def _address(term: Term, base: str) -> str:
    return _iri(term.uri or base + term.get_absolute_url())


def _iri(text: str) -> str:
    return re.sub(r'[\x00-\x20<>"{}|\\^`]', lambda found: f"%{ord(found[0]):02X}", text)


def _text(text: str, language: str = "") -> str:
    escaped = text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n").replace("\r", r"\r")
    return f'"{escaped}"' + (f"@{language}" if TAG.fullmatch(language) else "")
