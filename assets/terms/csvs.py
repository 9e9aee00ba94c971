"""Vocabularies as tables: label, broader, synonyms, language, uri, note; also label:de and synonyms:de."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from django.utils.translation import gettext as _

from assets.tables import Row, TableRefused, opened
from assets.terms.concepts import Concept, FileRefused, Languages
from assets.text import label_key

COLUMNS = {
    "label": "label",
    "term": "label",
    "name": "label",
    "preflabel": "label",
    "broader": "broader",
    "parent": "broader",
    "synonyms": "synonyms",
    "altlabel": "synonyms",
    "language": "language",
    "uri": "uri",
    "id": "uri",
    "note": "note",
    "definition": "note",
}
Columns = Sequence[tuple[str, str]]
"""By place: what a column is, and its language."""


def read(path: Path, languages: Languages) -> Iterator[Concept]:
    """The lines of a table; those of one address, or of one label, in several languages are one concept.

    Raises FileRefused.
    """
    try:
        with opened(path) as table:
            columns = [_column(header) for header in table.headers]
            if "label" not in [name for name, _language in columns]:
                raise FileRefused(_("The table needs a column “label”."))
            found: dict[str, Concept] = {}
            for row in table.rows:
                concept = _concept(row, columns, languages)
                _join(found, concept)
    except TableRefused as refused:
        raise FileRefused(str(refused)) from refused
    if not found:
        raise FileRefused(_("There are no lines in this table."))
    return iter([*_above(found), *found.values()])


def _above(found: dict[str, Concept]) -> list[Concept]:
    """Broader terms that have no line of their own, so that they are made too."""
    known = {label_key(concept.label) for concept in found.values()} | {c.uri for c in found.values()}
    above: dict[str, Concept] = {}
    for concept in found.values():
        for one in concept.broader:
            if one not in known and label_key(one) not in known and "://" not in one:
                above.setdefault(label_key(one), Concept(where=concept.where, label=one))
    return list(above.values())


def _column(header: str) -> tuple[str, str]:
    """`Synonyms:de` is ("synonyms", "de"); what is not known is ("", "")."""
    name, _colon, language = header.casefold().replace(" ", "").partition(":")
    return COLUMNS.get(name, ""), language


def _concept(row: Row, columns: Columns, languages: Languages) -> Concept:
    concept = Concept(where=_("line %(number)d") % {"number": row.number})
    cells = [
        (name, language, cell) for (name, language), cell in zip(columns, row.cells, strict=True) if cell
    ]
    own = next((cell.lower() for name, _language, cell in cells if name == "language"), "")
    for name, language, cell in cells:
        language = language or own
        if name == "label" and not concept.label and languages.takes(language):
            concept.label = cell
        if name in ("label", "synonyms") and languages.takes(language):
            said = [cell] if name == "label" else split(cell)
            labels = concept.labels.setdefault(language, [])
            labels[:] = [*said, *labels] if name == "label" else [*labels, *said]
        elif name == "broader":
            concept.broader = split(cell)
        elif name in ("uri", "note"):
            setattr(concept, name, cell)
    if plain := [label for label in concept.labels.pop("", []) if label != concept.label]:
        concept.labels[""] = plain
    return concept


def _join(found: dict[str, Concept], concept: Concept) -> None:
    """The first line that names a term says what it is called."""
    known = found.setdefault(concept.uri or f" {label_key(concept.label)}", concept)
    if known is concept:
        return
    for language, labels in concept.labels.items():
        known.labels[language] = list(dict.fromkeys([*known.labels.get(language, []), *labels]))
    known.broader = list(dict.fromkeys([*known.broader, *concept.broader]))
    known.note = known.note or concept.note


def split(text: str) -> list[str]:
    return [part for part in (one.strip() for one in text.replace("|", ";").split(";")) if part]
