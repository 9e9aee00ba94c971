"""What a delivery says about a file, as in one line of a CSV, and how it reaches the catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assets import changes
from assets.models import Asset, Change, Collection, Operation, Record
from assets.text import accession_key

PLAIN_WORDS = ("title", "date", "medium", "description", "rights", "rights_holder", "credit_line")
WORD_KEYS = {*PLAIN_WORDS, "accession", "creator", "collection", "tags"}


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
        own: dict[str, Any] = {}
        if self.collection:
            own["collection"] = Collection.objects.named(self.collection)
        if self.tags:
            own["add_terms"] = {"tags": self.tags}
        changed = _apply_new(op, asset, own)
        subject: Asset | Record = asset
        if self.accession:
            subject, linked = _record(op, asset, self.accession)
            changed = changed or linked
        said: dict[str, Any] = dict(self.plain)
        if self.creators:
            said["terms"] = {"creators": self.creators}
        return _apply_new(op, subject, said) or changed


def split_labels(text: str) -> list[str]:
    return [label.strip() for label in text.split(";") if label.strip()]


def _apply_new(op: Operation, subject: Asset | Record, patch: dict[str, Any]) -> bool:
    imported = _imported(subject) if patch else {}
    new = {key: value for key, value in patch.items() if not _known(imported, key, value)}
    return bool(new) and changes.apply(op, [subject], new) > 0


def _imported(subject: Asset | Record) -> dict[str, Any]:
    """What uploads and imports wrote last, by field; for `terms` all ids that they ever added."""
    kind = Change.Kind.ASSET if isinstance(subject, Asset) else Change.Kind.RECORD
    written = Change.objects.filter(
        object_kind=kind, object_id=subject.pk, operation__kind__in=("upload", "import")
    )
    found: dict[str, Any] = {"terms": set()}
    for field, before, after in written.order_by("pk").values_list("field", "before", "after"):
        if field == "terms":
            found["terms"] |= set(after or []) - set(before or [])
        else:
            found[field] = after
    return found


def _known(imported: dict[str, Any], key: str, value: Any) -> bool:
    if key in ("terms", "add_terms"):
        ids = {pk for found in changes.make_terms(value).values() for pk in found}
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
