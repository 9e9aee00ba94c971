"""Whose words they are, and what they weigh in a search."""

import re

from assets.models import CREATORS, PLACES, SUBJECTS, TAGS, Asset, Record


def subject_of(asset: Asset) -> Asset | Record:
    """The object that the words of this picture describe: its record when it has one, else itself."""
    record = asset.record
    return record if isinstance(record, Record) else asset


def weighted_text(record: Record | None, asset: Asset) -> list[tuple[str, str]]:
    """All words of a picture as (weight, text), A heaviest: feeds the keyword index and the words' vector."""
    parts: list[tuple[str, str]] = []
    subjects: list[Asset | Record] = [record, asset] if record else [asset]
    for subject in subjects:
        parts += [
            ("A", subject.title),
            ("C", subject.description),
            ("A", subject.date),
            ("C", subject.medium),
        ]
        parts += [("A", label) for label in subject.labels(TAGS)]
        parts += [("B", label) for label in subject.labels(CREATORS)]  # (1812-1867) is not the date
        parts += [("B", label) for label in subject.labels(PLACES) + subject.labels(SUBJECTS)]
        parts += [("D", text) for text in (subject.credit_line, subject.rights_holder)]
        parts += [("C", text) for text in _own_fields(subject)]
    if record:
        parts.append(("B", record.accession_number))
    parts += [("B", asset.collection.name), ("C", asset.alt_text)]
    parts += [("D", asset.filename), ("D", " ".join(re.split(r"[\W_]+", asset.filename)))]
    return [(weight, text) for weight, text in parts if text.strip()]


def sentence(asset: Asset) -> str:
    """The words of a picture as a model reads them: title, date and tags; creators, places, subjects and
    collection; then medium, description and the rest. Credit lines and file names say nothing of it.
    """
    parts = weighted_text(subject if isinstance(subject := subject_of(asset), Record) else None, asset)
    return ". ".join(" ".join(text.split()) for wanted in "ABC" for weight, text in parts if weight == wanted)


def _own_fields(subject: Asset | Record) -> list[str]:
    values = [value for by_language in subject.fields.values() for value in by_language.values()]
    return [str(text) for value in values for text in (value if isinstance(value, list) else [value])]
