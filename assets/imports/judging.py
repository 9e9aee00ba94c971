"""Whether a row can be taken in at all: asked by the check and by the run, so that both say the same."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q

from assets.imports.own import FieldRefused, definitions, values
from assets.models import Import, ImportRow, Record
from assets.seen import NOT_HERE, hidden_records
from assets.words import Words

NO_OBJECT = "It has neither a file nor an accession number, so that nobody could tell what it is about."
Result = ImportRow.Result


@dataclass(frozen=True)
class Earlier:
    """What another row of the delivery says, that was taken in or will be before."""

    number: int
    path: str
    sha256: str
    accession_key: str
    words: Words
    result: str
    done: bool


@dataclass
class Judge:
    """Knows what the other rows say. One for each portion of rows, which are judged in their order."""

    delivery: Import
    earlier: list[Earlier] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    """Keys of accession numbers of objects that this person may not see."""

    def __post_init__(self) -> None:
        self.fields = definitions()
        self.tags: list[str] = self.delivery.options.get("tags", [])

    def words(self, row: ImportRow) -> tuple[Words | None, str]:
        """What a row says, or None and why that cannot be."""
        try:
            own = values(row.words, self.fields)
        except FieldRefused as refused:
            return None, str(refused)
        return Words.of({**row.words, "fields": own}, self.tags), ""

    def prepare(self, rows: Sequence[ImportRow]) -> None:
        """Load what the rows outside of this portion say about the same objects and files."""
        accessions, paths, sums = (
            {getattr(row, name) for row in rows} - {""} for name in ("accession_key", "path", "sha256")
        )
        same = Q(accession_key__in=accessions) | Q(path__in=paths) | Q(sha256__in=sums)
        before = Q(number__lt=rows[0].number, outcome="") & ~Q(plan="") | ~Q(outcome="")
        others = self.delivery.rows.filter(same & before).exclude(pk__in=[row.pk for row in rows])
        refused = Q(outcome=Result.REFUSED) | Q(outcome="", plan=Result.REFUSED)
        for row in others.exclude(refused).order_by("number"):
            words, _ = self.words(row)
            if words:
                self.note(row, words)
        self.hidden = hidden_records(self.delivery.user, accessions)

    def note(self, row: ImportRow, words: Words) -> None:
        """This row has been or will be taken in."""
        self.earlier.append(
            Earlier(row.number, row.path, row.sha256, row.accession_key, words, row.result, bool(row.outcome))
        )

    def refusal(self, row: ImportRow, words: Words) -> str:
        """Why a row is not taken in, in a sentence; empty where it is. Not what its file turns out to be."""
        waits = bool(self.delivery.options.get("objects")) and row.accession_key and not row.path
        if row.missing and not waits:
            return row.missing
        if not row.path and not words.accession:
            return NO_OBJECT
        if reason := cannot_be_stored(words, row.accession_key):
            return reason
        if row.accession_key in self.hidden:
            return NOT_HERE
        for other in self.earlier:
            if reason := _against(row, words, other):
                return reason
        return ""

    def twins(self, row: ImportRow) -> list[Earlier]:
        """The earlier rows with the same picture."""
        return [other for other in self.earlier if same_file(row, other)]

    def of_object(self, row: ImportRow) -> list[Earlier]:
        """The earlier rows about the same object."""
        key = row.accession_key
        return [other for other in self.earlier if key and other.accession_key == key]


def same_file(row: ImportRow, other: Earlier) -> bool:
    return bool(row.path) and (row.path == other.path or bool(row.sha256) and row.sha256 == other.sha256)


def _against(row: ImportRow, words: Words, other: Earlier) -> str:
    """Why a row cannot stand beside an earlier one, in a sentence; empty where it can."""
    if same_file(row, other):
        what = "names this file too" if row.path == other.path else "has the same picture"
        numbers = {row.accession_key, other.accession_key} - {""}
        if len(numbers) > 1:
            return f"Row {other.number} {what}, under another accession number."
        place = {words.collection, other.words.collection} - {""}
        if len(place) > 1 or _differ(words, other.words):
            return f"Row {other.number} {what}, and says something else."
    elif row.accession_key and row.accession_key == other.accession_key and _differ(words, other.words):
        return f"Row {other.number} has the accession number {words.accession} too, and says something else."
    return ""


def _differ(one: Words, other: Words) -> bool:
    """Whether both say something about the same thing, and not the same."""
    a, b = _said(one), _said(other)
    return any(a[key] != b[key] for key in a.keys() & b.keys())


def _said(words: Words) -> dict[str, Any]:
    own = {f"field {slug}": value for by in words.fields.values() for slug, value in by.items()}
    return {**words.plain, **words.terms, **own}


def cannot_be_stored(words: Words, key: str) -> str:
    """Why these words do not fit into a record, in a sentence; empty where they do."""
    if words.accession and not key:
        return f"“{words.accession[:100]}” cannot be an accession number."
    if max(len(words.accession), len(key)) > 100:
        return f"“{words.accession[:50]}…” is too long for an accession number."
    said = set(words.plain)
    record = Record(**words.plain)
    try:
        record.clean_fields(exclude={f.name for f in record._meta.fields} - said)
    except ValidationError as error:
        told = error.message_dict.items()
        return " ".join(f"{name.replace('_', ' ').capitalize()}: {' '.join(texts)}" for name, texts in told)
    return ""
