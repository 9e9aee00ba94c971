"""What is here already of the objects and pictures of some rows, and what their words would change of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from accounts.models import User
from assets import changes
from assets.imports.targets import OWN
from assets.models import Asset, Collection, FieldDefinition, Record, Term
from assets.objects import places_of
from assets.querysets import path_parts
from assets.seen import assets_for
from assets.text import label_key
from assets.words import Patch, Words, besides, imported_to, new_words

Parts = dict[str, tuple[str, str, str]]
"""By a word, a vocabulary or an own field: its name for people, and how it reads before and after."""
LABELS = {"creators": "Maker", "places": "Places", "subjects": "Subjects", "tags": "Tags"}
QUIET = {"year_earliest", "year_latest"}  # follow from the date


@dataclass
class Present:
    """Read once for a portion of rows, by a fixed number of statements."""

    user: User | None
    records: dict[str, Record] = field(default_factory=dict)
    """Live ones by the key of the accession number."""
    places: dict[Record, Asset] = field(default_factory=dict)
    """What a row without a file speaks of: see places_of."""
    assets: dict[str, Asset] = field(default_factory=dict)
    """By the checksum of the file; only what the person may see."""
    waiting: dict[str, int] = field(default_factory=dict)
    """How many places wait for a picture, by the key of the accession number."""
    imported: dict[Asset | Record, Patch] = field(default_factory=dict)
    terms: dict[tuple[str, str], int] = field(default_factory=dict)
    labels: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Vocabulary and label of a term by its id; ids of terms that are still to be made are negative."""
    homes: dict[str, Collection] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.own = dict(FieldDefinition.objects.values_list("slug", "name"))

    @classmethod
    def of(cls, user: User | None, said: Sequence[tuple[str, str, Words]]) -> "Present":
        """`said`: for each row the key of its number, the checksum of its file, and its words."""
        found = cls(user)
        keys, sums = {key for key, _, _ in said} - {""}, {sha for _, sha, _ in said} - {""}
        records = Record.objects.live().filter(accession_key__in=keys)
        records = records.prefetch_related("term_uses", "depictions__asset__term_uses")
        found.records = {record.accession_key: record for record in records}
        here = assets_for(user).filter(current_version__blob__sha256__in=sums).order_by("-pk")
        here = here.select_related("current_version__blob", "collection")
        for asset in here.prefetch_related("term_uses", "depictions__record"):
            if asset.current_version:
                found.assets[asset.current_version.blob.sha256] = asset
        found._count_waiting(keys)
        found.places = places_of(found.records.values(), user)
        assets = {*found.assets.values(), *found.places.values()}
        found.imported = imported_to([*found.records.values(), *assets])
        found._load_terms(words.labels for _, _, words in said)
        return found

    def _count_waiting(self, keys: set[str]) -> None:
        waiting = assets_for(self.user).awaited()
        waiting = waiting.filter(depictions__record__accession_key__in=keys)
        waiting = waiting.filter(depictions__record__trashed_at=None)
        for key in waiting.values_list("depictions__record__accession_key", flat=True):
            self.waiting[key] = self.waiting.get(key, 0) + 1

    def _load_terms(self, said: Iterable[Mapping[str, Sequence[str]]]) -> None:
        wanted = {
            (slug, label_key(one)[:200]): one for by in said for slug, many in by.items() for one in many
        }
        self.terms = changes.known_terms(wanted)
        missing = [pair for pair in wanted if pair not in self.terms]
        self.terms |= {pair: -at for at, pair in enumerate(missing, start=1)}
        self.labels = {pk: (slug, wanted[slug, key]) for (slug, key), pk in self.terms.items() if pk}

    def ids(self, labels: changes.Labels) -> dict[str, list[int]]:
        return changes.ids_among(labels, self.terms)

    def home(self, path: str) -> Collection:
        """The collection of this path; one that is still to be made has no id."""
        if path not in self.homes:
            found: Collection | None = None
            for part in path_parts(path):
                keys = {"parent": found, "key": label_key(part)[:200]}
                found = Collection.objects.filter(**keys).first()
                if found is None:
                    break
            self.homes[path] = found or Collection(name=path)
        return self.homes[path]

    def of_words(self, subject: Asset | Record | None, words: Words) -> Parts:
        """What the words would change of an object, or of a picture that shows none; None: of a new one."""
        if subject is not None:
            return self._between(subject, words.of_object())
        found = {key: (self._name(key), "", value) for key, value in words.plain.items()}
        found |= {slug: (LABELS[slug], "", "; ".join(labels)) for slug, labels in words.terms.items()}
        return found | self._new_fields(words.fields.get("record", {}))

    def of_place(self, asset: Asset | None, words: Words) -> Parts:
        """What they would change of where a picture lives and of its tags; None: of a new one."""
        if asset is not None:
            home = self.home(words.collection) if words.collection else None
            return self._between(asset, words.of_asset(home))
        found: Parts = {"tags": ("Tags", "", "; ".join(words.tags))} if words.tags else {}
        found |= {"collection": ("Collection", "", words.collection)} if words.collection else {}
        return found | self._new_fields(words.fields.get("asset", {}))

    def _new_fields(self, values: Mapping[str, Any]) -> Parts:
        return {OWN + slug: (self.own.get(slug, slug), "", _shown(value)) for slug, value in values.items()}

    def _between(self, subject: Asset | Record, patch: Patch) -> Parts:
        new = new_words(patch, self.imported.get(subject, {"terms": set()}), self.ids)
        found: Parts = {}
        for name, before, after in changes.foreseen(subject, besides(new), self.ids):
            if name == "terms":
                found |= self._of_terms(before, after)
            elif name == "fields":
                changed = [slug for slug in after if after[slug] != before.get(slug)]
                found |= {
                    OWN + slug: (self.own.get(slug, slug), _shown(before.get(slug)), _shown(after[slug]))
                    for slug in changed
                }
            elif name not in QUIET:
                found[name] = (self._name(name), str(before), str(after))
        return found

    def _of_terms(self, before: list[int], after: list[int]) -> Parts:
        unknown = {*before, *after} - set(self.labels)
        loaded = Term.objects.filter(pk__in=unknown).values_list("pk", "vocabulary__slug", "label")
        self.labels |= {pk: (slug, label) for pk, slug, label in loaded}
        old, new = ([self.labels[pk] for pk in ids if pk in self.labels] for ids in (before, after))
        found: Parts = {}
        for slug in dict.fromkeys(slug for slug, _ in [*old, *new]):
            was, becomes = ("; ".join(label for s, label in terms if s == slug) for terms in (old, new))
            if was != becomes:
                found[slug] = (LABELS.get(slug, slug), was, becomes)
        return found

    @staticmethod
    def _name(column: str) -> str:
        return column.replace("_", " ").capitalize()


def _shown(value: Any) -> str:
    """A value of an own field as text."""
    values = value.values() if isinstance(value, dict) else [value]
    texts = (str(one) for v in values for one in (v if isinstance(v, list) else [v]) if one is not None)
    return "; ".join(texts)
