"""Whose words they are, and what they weigh in a search."""

import re
from collections.abc import Mapping

from assets import own
from assets.models import CREATORS, PLACES, SUBJECTS, TAGS, Asset, Record


def subject_of(asset: Asset) -> Asset | Record:
    """The object that the words of this picture describe: its record when it has one, else itself."""
    record = asset.record
    return record if isinstance(record, Record) else asset


def weighted_text(
    record: Record | None, asset: Asset, weights: Mapping[str, str] | None = None
) -> list[tuple[str, str]]:
    """All words of a picture as (weight, text), A heaviest: feeds the keyword index.

    `weights` are those of the museum's own fields, by slug; C for the others.
    """
    parts = _described(record, asset, weights or {})
    for subject in _subjects(record, asset):
        parts += [("D", text) for text in (subject.credit_line, subject.rights_holder)]
        parts += [("C", label) for label in subject.other_labels()]
    if record:
        parts.append(("B", record.accession_number))
    parts.append(("B", asset.collection.name))
    parts.append(("D", _document_text(asset)))
    parts += [("D", asset.filename), ("D", " ".join(re.split(r"[\W_]+", asset.filename)))]
    return [(weight, text) for weight, text in parts if text.strip()]


def sentence(asset: Asset) -> str:
    """What a model reads of a picture's words, the most telling first: feeds the vector of the words.

    Title, date, tags, creators, places, subjects, medium, description, own fields, alternative text: those of
    the record, then the picture's own. Not what says nothing of it: numbers, owners, file and collection.
    """
    subject = subject_of(asset)
    parts = _described(subject if isinstance(subject, Record) else None, asset)
    return ". ".join(" ".join(text.split()).rstrip(".") for _, text in parts if text.strip())


def _document_text(asset: Asset) -> str:
    """What is written in a document."""
    found = getattr(asset.current_version, "document_text", None)
    return str(found.text) if found else ""


def _subjects(record: Record | None, asset: Asset) -> list[Asset | Record]:
    return [record, asset] if record else [asset]


def _described(
    record: Record | None, asset: Asset, weights: Mapping[str, str] | None = None
) -> list[tuple[str, str]]:
    """What describes the picture itself."""
    parts: list[tuple[str, str]] = []
    for subject in _subjects(record, asset):
        parts += [("A", subject.title), *_in_others(subject, "A", "title"), ("A", subject.date)]
        parts += [("A", label) for label in subject.labels(TAGS)]
        parts += [("B", label) for label in subject.labels(CREATORS)]  # (1812-1867) is not the date
        parts += [("B", label) for label in subject.labels(PLACES) + subject.labels(SUBJECTS)]
        parts += [("C", subject.medium), ("C", subject.description)]
        parts += _in_others(subject, "C", "description")
        parts += [
            ((weights or {}).get(slug, "C"), text)
            for slug, said in subject.fields.items()
            for text in own.texts(said)
        ]
    return [*parts, ("C", asset.alt_text), *_in_others(asset, "C", "alt_text")]


def _in_others(subject: Asset | Record, weight: str, column: str) -> list[tuple[str, str]]:
    """What a column says in the other languages."""
    return [(weight, text) for text in own.texts(subject.translations.get(column, {}))]
