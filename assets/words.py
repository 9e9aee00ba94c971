"""What a delivery says about a file, as in one line of a CSV, and how it reaches the catalogue."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from assets import changes
from assets.changes import collections
from assets.models import Asset, Change, Collection, Operation, Record
from assets.text import accession_key

PLAIN_WORDS = (
    "title",
    "date",
    "medium",
    "description",
    "rights",
    "rights_holder",
    "credit_line",
    "usage_terms",
)
LABEL_WORDS = {"tags": "tags", "creator": "creators", "places": "places", "subjects": "subjects"}  # by word
WORD_KEYS = {*PLAIN_WORDS, *LABEL_WORDS, "accession", "collection"}
Patch = dict[str, Any]
TermIds = Callable[[Mapping[str, Sequence[str]]], dict[str, list[int]]]


@dataclass(frozen=True)
class Words:
    """Cleaned words: plain columns, labels of terms by vocabulary, and values of own fields."""

    plain: dict[str, str]
    accession: str
    collection: str
    tags: list[str]
    terms: dict[str, list[str]]
    """Of the object, by vocabulary: creators, places, subjects."""
    fields: dict[str, Patch] = field(default_factory=dict)
    """Own fields, of the `record` and of the `asset`: {field: {language: value}}."""

    @classmethod
    def of(cls, words: Mapping[str, Any], tags: Sequence[str] = ()) -> "Words":
        """From a line of a table, with any of WORD_KEYS and `fields`.

        Tags, creators, places and subjects are lists, or texts that are separated by semicolons.
        """
        plain = {
            key: _text(words[key]) for key in (*PLAIN_WORDS, "accession", "collection") if words.get(key)
        }
        labels = {slug: split_labels(words.get(key) or "") for key, slug in LABEL_WORDS.items()}
        own_tags = labels.pop("tags")
        return cls(
            plain={key: plain[key] for key in PLAIN_WORDS if plain.get(key)},
            accession=plain.get("accession", ""),
            collection=plain.get("collection", ""),
            tags=[*tags, *own_tags],
            terms={slug: found for slug, found in labels.items() if found},
            fields=dict(words.get("fields") or {}),
        )

    @property
    def empty(self) -> bool:
        """Whether nothing is said at all."""
        return self == Words.of({})

    @property
    def labels(self) -> dict[str, list[str]]:
        """All labels by vocabulary."""
        return self.terms | {"tags": self.tags}

    def make_terms(self) -> None:
        """Make the terms before any transaction, so that two deliveries cannot wait for each other's."""
        changes.make_terms(self.labels)

    def apply(self, op: Operation, asset: Asset) -> bool:
        """Write what differs from the present and from what an import wrote before; whether anything did.

        A value that an earlier import wrote already is left alone: somebody may have corrected it since.
        Raises ChangeRefused.
        """
        home = collections.home(op.user, self.collection) if self.collection else None
        changed = _apply_new(op, asset, self.of_asset(home))
        subject: Asset | Record = asset
        if self.accession:
            subject, linked = _record(op, asset, self.accession)
            changed = changed or linked
        return _apply_new(op, subject, self.of_object()) or changed

    def of_asset(self, home: Collection | None) -> Patch:
        """What is said of the picture's place; `home` is the collection that is named, if one is."""
        own: Patch = {"collection": home} if home else {}
        own |= {"fields": self.fields["asset"]} if self.fields.get("asset") else {}
        return own | ({"add_terms": {"tags": self.tags}} if self.tags else {})

    def of_object(self) -> Patch:
        """What is said of the object, or of the picture where it shows none."""
        own: Patch = {"fields": self.fields["record"]} if self.fields.get("record") else {}
        return self.plain | own | ({"terms": self.terms} if self.terms else {})


def split_labels(text: str | Sequence[str]) -> list[str]:
    labels = text.split(";") if isinstance(text, str) else text
    return [label for label in map(_text, labels) if label]


def _text(value: str) -> str:
    return value.replace("\x00", "").strip()


def new_words(patch: Patch, imported: Patch, term_ids: TermIds = changes.make_terms) -> Patch:
    """What of a patch no import has written before: the rest may have been corrected since.

    Of `fields` only those are left that are new: see `besides`.
    """
    found = {key: value for key, value in patch.items() if not _known(imported, key, value, term_ids)}
    if "fields" in found:
        written = imported.get("fields") or {}
        found["fields"] = {slug: v for slug, v in found["fields"].items() if not _written(written, slug, v)}
    return found


def besides(patch: Patch) -> Patch:
    """For changes.apply: the own fields of an object that the patch does not name stay."""
    rest = {name: value for name, value in patch.items() if name != "fields"}
    return rest | ({"field_values": patch["fields"]} if "fields" in patch else {})


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
        for pk, name, before, after in values if these else ():
            _note(these[pk], name, before, after)
    return found


def _note(written: Patch, name: str, before: Any, after: Any) -> None:
    if name == "terms":
        written["terms"] |= set(after or []) - set(before or [])
    elif name == "created":  # with all that it was made with: see changes.create_many
        made = dict(after or {})
        written["terms"] |= set(made.pop("terms", ()))
        written.update(made)
    else:
        written[name] = after


def _apply_new(op: Operation, subject: Asset | Record, patch: Patch) -> bool:
    new = new_words(patch, imported_to([subject])[subject]) if patch else {}
    return bool(new) and changes.apply(op, [subject], besides(new)) > 0


def _known(imported: Patch, key: str, value: Any, term_ids: TermIds) -> bool:
    if key in ("terms", "add_terms"):
        ids = {pk for found in term_ids(value).values() for pk in found}
        return bool(ids <= imported["terms"])
    if key == "fields":
        written = imported.get("fields") or {}
        return all(_written(written, slug, said) for slug, said in value.items())
    written = value.pk if isinstance(value, Collection) else value
    return bool(key in imported and imported[key] == written)


def _written(written: Patch, slug: str, said: Patch) -> bool:
    """Whether the value of an own field was written before, in each language that is named."""
    before = written.get(slug) or {}
    return all(before.get(language) == value for language, value in said.items())


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
