"""Vocabularies from files and back: every format says the same, twice is once, and all can be taken back."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rdflib import Graph

from assets.changes import ChangeRefused
from assets.models import Term, TermWork, Vocabulary
from assets.terms import csvs, editing, exporting, importing, skos, work
from assets.terms.concepts import Concept, FileRefused, Languages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_a_clock")]

TURTLE = """
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix ex: <http://example.org/> .
ex:animal a skos:Concept ; skos:prefLabel "animal"@en, "Tier"@de ; skos:narrower ex:dog .
ex:dog a skos:Concept ; skos:prefLabel "dog"@en, "Hund"@de, "chien"@fr ;
  skos:altLabel "K\\u00F6ter"@de, "hound"@en ;
  skos:scopeNote "Barks.\\n\\"Woof\\""@en .
ex:beagle skos:prefLabel "beagle"@en ; skos:broader ex:dog .
"""
TABLE = (
    "uri,label:en,synonyms:en,label:de,synonyms:de,label:fr,broader,note\n"
    "http://example.org/animal,animal,,Tier,,,,\n"
    'http://example.org/dog,dog,hound,Hund,Köter,chien,http://example.org/animal,"Barks.\n""Woof"""\n'
    "http://example.org/beagle,beagle,,,,,http://example.org/dog,\n"
)


def file(folder: Path, format: str) -> Path:
    path = folder / f"terms.{format}"
    if format == "csv":
        path.write_text(TABLE)
    else:
        names = {"ttl": "turtle", "nt": "nt", "rdf": "xml", "jsonld": "json-ld"}
        Graph().parse(data=TURTLE, format="turtle").serialize(str(path), format=names[format])
    return path


def said(concepts: Any) -> dict[str, Concept]:
    found = {concept.uri: concept for concept in concepts}
    return {uri.rpartition("/")[2]: found[uri] for uri in sorted(found)}


@pytest.mark.parametrize("format", ["ttl", "nt", "rdf", "jsonld", "csv"])
def test_every_format_says_the_same(tmp_path: Path, format: str) -> None:
    read = csvs.read if format == "csv" else skos.read
    found = said(read(file(tmp_path, format), Languages(("en", "de"))))
    assert list(found) == ["animal", "beagle", "dog"]
    dog = found["dog"]
    assert dog.label == "dog" and dog.labels == {"en": ["dog", "hound"], "de": ["Hund", "Köter"]}
    assert dog.broader == ["http://example.org/animal"] and dog.note == 'Barks.\n"Woof"'
    assert found["beagle"].broader == ["http://example.org/dog"]


def imported(path: Path, *languages: str, go: bool = True) -> TermWork:
    tags = Vocabulary.objects.get(slug="tags")
    copy = path.with_name(f"copy{path.suffix}")
    copy.write_bytes(path.read_bytes())
    found = work.briefly(importing.begin(tags, copy, path.name, languages, None))
    return importing.go(found) if go else found


def test_a_second_import_changes_nothing_and_both_are_taken_back(tmp_path: Path) -> None:
    first = imported(file(tmp_path, "ttl"))
    assert first.state == "done", first.problem
    dog = Term.objects.get(label="dog")
    assert dog.uri == "http://example.org/dog" and [t.label for t in dog.parents.all()] == ["animal"]
    second = imported(file(tmp_path, "nt"))
    assert (second.report["new"], second.report["changed"], second.report["unchanged"]) == (0, 0, 3)
    assert second.operations == [] and second.report["placed"] == 0
    work.undo(first, None)
    assert not Term.objects.exists()


def test_what_a_person_has_changed_stays_and_their_own_words_too(tmp_path: Path) -> None:
    own = Term.objects.labelled("tags", "Dog")
    imported(file(tmp_path, "ttl"))
    own.refresh_from_db()
    assert (own.label, own.uri) == ("dog", "http://example.org/dog")  # joined by its label
    editing.edit(own, {"label": "our dog", "labels": {**own.labels, "nl": ["hond"]}}, [], None)
    third = imported(file(tmp_path, "ttl"))
    own.refresh_from_db()
    assert own.label == "our dog" and own.labels["nl"] == ["hond"] and not own.parents.exists()
    assert third.report["changed"] == 0


def test_circles_and_what_cannot_be_are_told_by_line(tmp_path: Path) -> None:
    path = tmp_path / "terms.csv"
    path.write_text(
        "label,broader,uri\na,b,\nb,c,\nc,a,\n,x,\nsame,,http://example.org/1\nsame,,http://example.org/2\n"
        "d,http://example.org/9,\n"
    )
    planned = imported(path, go=False)
    assert planned.state == "planned" and not Term.objects.exists()
    problems = dict(planned.report["problems"])
    assert "above itself by way of “a”" in problems["line 4"]
    assert "no label" in problems["line 5"] and "“same (2)”" in problems["line 7"]
    assert "no term “http://example.org/9”" in problems["line 8"]
    importing.go(planned)
    assert Term.objects.get(label="b").parents.get().label == "c"
    assert not Term.objects.get(label="c").parents.exists()
    again = imported(path)
    assert (again.report["new"], again.report["changed"]) == (0, 0)


def test_broader_terms_without_a_line_are_made_and_a_circle_with_what_is_here_is_none(tmp_path: Path) -> None:
    tags = Vocabulary.objects.get(slug="tags")
    top = editing.create(tags, {"label": "top"}, [], None)
    editing.create(tags, {"label": "low"}, [top], None)
    path = tmp_path / "terms.csv"
    path.write_text("label,broader\ntop,low\nbeagle,dog;animal\n")
    found = imported(path)
    assert "above itself" in found.report["problems"][0][1] and not top.parents.exists()
    assert {t.label for t in Term.objects.get(label="beagle").parents.all()} == {"dog", "animal"}


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("terms.ttl", b"this is no turtle", "cannot be read as turtle"),
        ("terms.nt", b"nonsense\n", "Line 1 is no statement"),
        ("terms.rdf", b"<a>", "cannot be read as xml"),
        ("terms.csv", b"a,b\n1,2\n", "needs a column"),
        ("terms.jsonld", b'{"@context": "http://example.org/c", "@id": "x"}', "context at another address"),
        ("terms.rdf", b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>', "No terms"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    found = imported(path, go=False)
    assert found.state == "failed" and problem in found.problem
    with pytest.raises(ChangeRefused, match="nothing to take back"):
        work.undo(found, None)


def test_what_is_exported_comes_back_as_it_was(tmp_path: Path) -> None:
    imported(file(tmp_path, "ttl"))
    tags = Vocabulary.objects.get(slug="tags")
    own = editing.create(tags, {"label": 'the "own" one', "labels": {"": ["other"]}}, [], None)
    for name, lines in (
        ("out.ttl", exporting.turtle(tags, "http://museum.example.org")),
        ("out.csv", exporting.table(tags)),
    ):
        (tmp_path / name).write_text("".join(lines), newline="")
    found = said(skos.read(tmp_path / "out.ttl", Languages()))
    assert found["dog"].labels["de"] == ["Hund", "Köter"] and found["beagle"].broader == [found["dog"].uri]
    again = imported(tmp_path / "out.csv", go=False)
    assert (again.report["new"], again.report["changed"], again.report["unchanged"]) == (0, 0, 4)
    assert own.label in (tmp_path / "out.csv").read_text().replace('""', '"')


def test_the_command_says_what_would_happen_and_does_it(tmp_path: Path) -> None:
    path = str(file(tmp_path, "rdf"))

    def run(*options: str) -> Any:
        output = io.StringIO()
        call_command("import_vocabulary", path, "--vocabulary", "tags", *options, stdout=output)
        return output.getvalue()

    assert "3 terms would be new" in run("--dry-run") and not Term.objects.exists()
    assert json.loads(run("--json", "--language", "fr", "--language", "en"))["new"] == 3
    assert Term.objects.get(uri="http://example.org/dog").label == "chien"
    with pytest.raises(CommandError, match="no vocabulary 'tagz'"):
        call_command("import_vocabulary", path, "--vocabulary", "tagz")


def test_a_refused_ending() -> None:
    with pytest.raises(FileRefused, match="endings are known"):
        importing.begin(Vocabulary.objects.get(slug="tags"), Path("terms.doc"), "terms.doc", [], None)
