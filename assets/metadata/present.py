"""What the museum says of a picture now, for a download: the record's words before the picture's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from assets.models import CREATORS, PLACES, TAGS, Asset, Change, Record, Term
from assets.text import label_key

TEXTS = ("title", "description", "date", "medium", "rights", "rights_holder", "credit_line", "usage_terms")
TERMS = {"creators": CREATORS, "tags": TAGS, "places": PLACES}


class Place(NamedTuple):
    label: str
    uri: str = ""


@dataclass(frozen=True)
class Statement:
    """Empty where nothing is known. `emptied`: names of fields that somebody here has taken the words out of;
    what a file says of the other empty ones is left in it."""

    title: str = ""
    description: str = ""
    date: str = ""
    medium: str = ""
    rights: str = ""
    rights_holder: str = ""
    credit_line: str = ""
    usage_terms: str = ""
    alt_text: str = ""
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What these fields say in other languages: {field: {language: text}}."""
    accession: str = ""
    creators: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    changed_at: datetime | None = None
    emptied: frozenset[str] = frozenset()

    def touches(self, *names: str) -> bool:
        """Whether any of these fields is to be written or taken out."""
        return any(getattr(self, name) or name in self.emptied for name in names)

    @property
    def says_something(self) -> bool:
        return self.touches(*TEXTS, *TERMS, "alt_text", "accession")


def present(asset: Asset) -> Statement:
    """The statement about an asset, in a few queries where its words were prefetched, in more otherwise."""
    record = asset.record
    subjects: list[Asset | Record] = [record, asset] if isinstance(record, Record) else [asset]
    texts = {name: next((v for s in subjects if (v := getattr(s, name))), "") for name in TEXTS}
    terms = {name: _terms(subjects, slug) for name, slug in TERMS.items()}
    values: dict[str, Any] = {**texts, "alt_text": asset.alt_text}
    values["creators"] = tuple(term.label for term in _creators(subjects))
    values["tags"] = tuple(term.label for term in terms["tags"])
    values["places"] = tuple(Place(term.label, term.uri) for term in terms["places"])
    empty = [name for name, value in values.items() if not value]
    return Statement(
        **values,
        translations=_translations(record if isinstance(record, Record) else asset, asset),
        accession=record.accession_number if isinstance(record, Record) else "",
        changed_at=max(subject.changed_at for subject in subjects),
        emptied=_emptied(subjects, empty),
    )


def _translations(subject: Asset | Record, asset: Asset) -> dict[str, dict[str, str]]:
    """Of the words of the object, and of what belongs to the picture alone."""
    of_picture = {name: said for name, said in asset.translations.items() if name == "alt_text"}
    return {**subject.translations, **of_picture}


def _terms(subjects: Sequence[Asset | Record], slug: str) -> list[Term]:
    """The terms of all subjects in one vocabulary, each once."""
    uses = (use.term for subject in subjects for use in subject.term_uses.all())
    found: dict[str, Term] = {}
    for term in uses:
        if term.vocabulary.slug == slug:
            found.setdefault(label_key(term.label), term)
    return list(found.values())


def _creators(subjects: Sequence[Asset | Record]) -> list[Term]:
    """Those of the object, else those of the picture: who photographed a painting did not paint it."""
    return next((terms for subject in subjects if (terms := _terms([subject], CREATORS))), [])


def _emptied(subjects: Sequence[Asset | Record], empty: Sequence[str]) -> frozenset[str]:
    """Which of these empty fields had words once, as the history says."""
    if not empty:
        return frozenset()
    fields = [name for name in empty if name not in TERMS] + ["terms"]
    kinds = {Change.Kind.RECORD if isinstance(s, Record) else Change.Kind.ASSET: s.pk for s in subjects}
    before: dict[str, set[Any]] = {}
    for kind, pk in kinds.items():
        changes = Change.objects.filter(object_kind=kind, object_id=pk, field__in=fields)
        for name, value in changes.values_list("field", "before"):
            before.setdefault(name, set()).update(value if isinstance(value, list) else [value])
    had = {name for name in empty if name not in TERMS and any(before.get(name, ()))}
    slugs = Term.objects.filter(pk__in=before.get("terms", ())).values_list("vocabulary__slug", flat=True)
    return frozenset(had | {name for name in empty if TERMS.get(name) in set(slugs)})
