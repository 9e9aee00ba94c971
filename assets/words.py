"""What a delivery says about a file, as in one line of a CSV, and how it reaches the catalogue."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assets import changes
from assets.models import Asset, Change, Collection, Operation, Record
from assets.text import accession_key

PLAIN_WORDS = ("title", "date", "medium", "description", "rights", "rights_holder", "credit_line")
WORD_KEYS = {*PLAIN_WORDS, "accession", "creator", "collection", "tags"}
Patch = dict[str, Any]
TermIds = Callable[[Mapping[str, Sequence[str]]], dict[str, list[int]]]


@dataclass(frozen=True)
class Words:
    """Cleaned words: plain columns, and labels of terms."""

    plain: dict[str, str]
    accession: str
    collection: str
    tags: list[str]
    creators: list[str]

    @classmethod
    def of(cls, words: Mapping[str, str], tags: Sequence[str] = ()) -> "Words":
        """From a line of a CSV, with any of WORD_KEYS; tags and creators are separated by semicolons."""
        given = {key: words[key].replace("\x00", "").strip() for key in WORD_KEYS if words.get(key)}
        return cls(
            plain={key: given[key] for key in PLAIN_WORDS if given.get(key)},
            accession=given.get("accession", ""),
            collection=given.get("collection", ""),
            tags=[*tags, *split_labels(given.get("tags", ""))],
            creators=split_labels(given.get("creator", "")),
        )

    def make_terms(self) -> None:
        """Make the terms before any transaction, so that two deliveries cannot wait for each other's."""
        changes.make_terms({"creators": self.creators, "tags": self.tags})

    def apply(self, op: Operation, asset: Asset) -> bool:
        """Write what differs from the present and from what an import wrote before; whether anything did.

        A value that an earlier import wrote already is left alone: somebody may have corrected it since.
        Raises ChangeRefused.
        """
        home = Collection.objects.named(self.collection) if self.collection else None
        changed = _apply_new(op, asset, self.of_asset(home))
        subject: Asset | Record = asset
        if self.accession:
            subject, linked = _record(op, asset, self.accession)
            changed = changed or linked
        return _apply_new(op, subject, self.of_object()) or changed

    def of_asset(self, home: Collection | None) -> Patch:
        """What is said of the picture's place; `home` is the collection that is named, if one is."""
        own: Patch = {"collection": home} if home else {}
        return own | ({"add_terms": {"tags": self.tags}} if self.tags else {})

    def of_object(self) -> Patch:
        """What is said of the object, or of the picture where it shows none."""
        return self.plain | ({"terms": {"creators": self.creators}} if self.creators else {})


def split_labels(text: str) -> list[str]:
    return [label.strip() for label in text.split(";") if label.strip()]


def new_words(patch: Patch, imported: Patch, term_ids: TermIds = changes.make_terms) -> Patch:
    """What of a patch no import has written before: the rest may have been corrected since."""
    return {key: value for key, value in patch.items() if not _known(imported, key, value, term_ids)}


def imported_to(subjects: Iterable[Asset | Record]) -> dict[Asset | Record, Patch]:
    """What uploads and imports wrote last, by field; for `terms` all ids that they ever added."""
    subjects = list(subjects)
    found: dict[Asset | Record, Patch] = {subject: {"terms": set()} for subject in subjects}
    for kind, model in ((Change.Kind.ASSET, Asset), (Change.Kind.RECORD, Record)):
        these = {subject.pk: found[subject] for subject in subjects if isinstance(subject, model)}
        written = Change.objects.filter(
            object_kind=kind, object_id__in=these, operation__kind__in=("upload", "import")
        )
        values = written.order_by("pk").values_list("object_id", "field", "before", "after")
        for pk, field, before, after in values if these else ():
            _note(these[pk], field, before, after)
    return found


def _note(written: Patch, field: str, before: Any, after: Any) -> None:
    if field == "terms":
        written["terms"] |= set(after or []) - set(before or [])
    elif field == "created":  # with all that it was made with: see changes.create_many
        made = dict(after or {})
        written["terms"] |= set(made.pop("terms", ()))
        written.update(made)
    else:
        written[field] = after


def _apply_new(op: Operation, subject: Asset | Record, patch: Patch) -> bool:
    new = new_words(patch, imported_to([subject])[subject]) if patch else {}
    return bool(new) and changes.apply(op, [subject], new) > 0


def _known(imported: Patch, key: str, value: Any, term_ids: TermIds) -> bool:
    if key in ("terms", "add_terms"):
        ids = {pk for found in term_ids(value).values() for pk in found}
        return bool(ids <= imported["terms"])
    written = value.pk if isinstance(value, Collection) else value
    return bool(key in imported and imported[key] == written)


def _record(op: Operation, asset: Asset, accession: str) -> tuple[Record, bool]:
    """The record of this accession number, made when missing, and whether the picture was newly linked."""
    key = accession_key(accession)
    if not key or max(len(accession), len(key)) > 100:
        raise changes.ChangeRefused(f"{accession[:100]!r} cannot be an accession number.")
    record, new = Record.objects.get_or_create(
        accession_key=key, trashed_at=None, defaults={"accession_number": accession}
    )
    if new:
        changes.created(op, record)
    return record, changes.depict_only(op, asset, record)
