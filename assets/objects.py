"""A catalogue as a list: each line is an object, whose asset waits for the picture (docs/decisions/0012).

Some hundred lines are one transaction and one operation, so that an import which was stopped goes on where
it was when it is repeated, and a part of it can be taken back. What is unchanged is only looked at.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from django.db import IntegrityError, transaction

from accounts.models import User
from assets import changes, ingest
from assets.changes import collections
from assets.importing import Line, locate, table_lines
from assets.ingest import UNSORTED, Delivery, Outcome, Outcomes
from assets.models import Asset, BatchItem, Collection, Operation, Record
from assets.seen import NOT_HERE, assets_for, hidden_records
from assets.text import accession_key
from assets.words import Patch, Words, besides, imported_to, new_words

AT_ONCE = 500  # lines in one transaction
MOST_TOLD = 1000  # bad lines that are kept to be told at the end; the batch has all of them
Said = tuple[Line, Words]


@dataclass
class Tally:
    """What became of the lines so far."""

    lines: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)
    """(line, reason) of the first MOST_TOLD that were refused."""
    pictures: list[Outcome] = field(default_factory=list)
    """Of the lines that name a file which is there."""

    @property
    def summary(self) -> str:
        parts = {"new": self.new, "updated": self.updated, "unchanged": self.unchanged}
        parts |= {"with pictures": len(self.pictures), "refused": self.refused}
        said = ", ".join(f"{number:,} {word}" for word, number in parts.items() if number)
        return f"{self.lines:,} lines" + (f": {said}" if said else "")


def import_objects(path: Path, delivery: Delivery, show: Callable[[Tally], None]) -> Tally:
    """Take in the list; calls `show` after each portion. Raises ImportRefused where it is no such list.

    The tally so far is kept with the batch, also where something stops it.
    """
    work = _Import(path, delivery)
    try:
        with closing(table_lines(path, "accession")) as lines:
            while portion := list(islice(lines, AT_ONCE)):
                work.take(portion)
                show(work.tally)
    finally:
        delivery.batch.summary = work.tally.summary
        delivery.batch.save(update_fields=["summary"])
    return work.tally


def count_lines(path: Path) -> int:
    """How many lines there are, read once from end to end. Raises ImportRefused."""
    return sum(1 for _ in table_lines(path, "accession"))


class _Import:
    def __init__(self, path: Path, delivery: Delivery) -> None:
        self.path, self.delivery, self.tally = path, delivery, Tally()
        self.seen: dict[str, tuple[int, int]] = {}
        """By accession key: the line that had it first, and a hash of what it said."""

    def take(self, portion: Sequence[Line]) -> None:
        said, refused = [], []
        for line in portion:
            words = Words.of(line.words, self.delivery.tags)
            file = locate(line, self.path.parent) if line.file else None
            if file is not None:
                self.tally.pictures.append(self._picture(file, line))
            elif reason := self._refusal(line, words):
                refused.append((line, reason))
            elif not self._repeated(line, words):
                said.append((line, words))
        refused += self._store(said)
        self._refuse(refused)
        self.tally.lines += len(portion)

    def _picture(self, file: Path, line: Line) -> Outcome:
        d = self.delivery
        try:
            with file.open("rb") as source:
                return ingest.accept(
                    source,
                    line.file,
                    batch=d.batch,
                    user=d.user,
                    collection=d.collection,
                    tags=d.tags,
                    words=line.words,
                    priority=d.priority,
                )
        except OSError as error:
            return ingest.reject(d.batch, line.file, f"The file cannot be read: {error.strerror or error}.")

    def _refusal(self, line: Line, words: Words) -> str:
        """Why a line is no object, in a sentence; empty where it is one."""
        key = accession_key(words.accession)
        if not words.accession:
            return "It has no accession number, so that nobody could tell which object it is."
        if not key:
            return f"{words.accession[:100]!r} cannot be an accession number."
        number, said = self.seen.get(key, (0, 0))
        if number and said != hash(repr(words)):
            return f"Line {number} has the accession number {words.accession} too, and says something else."
        return ""

    def _repeated(self, line: Line, words: Words) -> bool:
        """Whether a line before it says the very same; else it is noted."""
        key = accession_key(words.accession)
        if key in self.seen:
            self.tally.unchanged += 1
            return True
        self.seen[key] = (line.number, hash(repr(words)))
        return False

    def _refuse(self, refused: Iterable[tuple[Line, str]]) -> None:
        named = [(f"{self.path.name}, line {line.number}", reason) for line, reason in refused]
        BatchItem.objects.bulk_create(
            BatchItem(
                batch=self.delivery.batch, file=ingest.readable(where), outcome=Outcomes.REJECTED, reason=why
            )
            for where, why in named
        )
        self.tally.refused += len(named)
        self.tally.problems += named[: MOST_TOLD - len(self.tally.problems)]

    def _store(self, said: Sequence[Said]) -> list[tuple[Line, str]]:
        """One portion in one transaction; returns what was refused."""
        if not said:
            return []
        portion = store_lines(self.delivery, self.path.name, said)
        self.tally.new += len(portion.new)
        self.tally.updated += len(portion.updated)
        self.tally.unchanged += len(said) - len(portion.new) - len(portion.updated) - len(portion.refused)
        return portion.refused


@dataclass
class Portion:
    """What becomes of some hundred lines; `homes` are the collections that they name."""

    delivery: Delivery
    op: Operation
    terms: changes.Terms
    homes: dict[str, Collection] = field(default_factory=dict)
    new: dict[int, Record] = field(default_factory=dict)
    """By the number of the line."""
    updated: dict[int, Record] = field(default_factory=dict)
    known: dict[int, Record] = field(default_factory=dict)
    """All that were here already, whether they have changed or not."""
    refused: list[tuple[Line, str]] = field(default_factory=list)

    def home(self, path: str) -> Collection:
        if path not in self.homes:
            self.homes[path] = collections.home(self.delivery.user, path)
        return self.homes[path]

    def ids(self, labels: changes.Labels) -> dict[str, list[int]]:
        return changes.ids_among(labels, self.terms)


def store_lines(delivery: Delivery, source: str, said: Sequence[Said]) -> Portion:
    """Some hundred lines, each of an object of its own, in one transaction and one operation."""
    labels: dict[str, list[str]] = {}
    for _, words in said:
        for slug, found in words.labels.items():
            labels.setdefault(slug, []).extend(found)
    terms = changes.terms_by_key(labels)
    first, last = said[0][0].number, said[-1][0].number
    label = f"Imported the objects of {source}, lines {first} to {last}"
    try:
        return _store(delivery, label, said, terms)
    except IntegrityError:  # somebody has made one of these objects meanwhile: now it is found
        return _store(delivery, label, said, terms)


def _store(delivery: Delivery, label: str, said: Sequence[Said], terms: changes.Terms) -> Portion:
    with changes.together():
        op = changes.operation("import", label, user=delivery.user, batch=delivery.batch)
        portion = Portion(delivery, op, terms)
        keys = {accession_key(words.accession): (line, words) for line, words in said}
        for key in hidden_records(delivery.user, keys):
            portion.refused.append((keys.pop(key)[0], NOT_HERE))
        records = Record.objects.live().filter(accession_key__in=keys).prefetch_related("depictions__asset")
        known = {record.accession_key: record for record in records}
        _create(portion, [one for key, one in keys.items() if key not in known])
        _update(portion, [(known[key], *one) for key, one in keys.items() if key in known])
        if not op.changes.exists():
            op.delete()
    return portion


def _create(portion: Portion, said: Sequence[Said]) -> None:
    made = []
    for line, words in said:
        ids = portion.ids(words.labels)
        tags = ids.pop("tags")
        plain = words.plain | {"fields": words.fields.get("record", {})}
        user, terms = portion.delivery.user, [pk for found in ids.values() for pk in found]
        try:
            home = portion.home(words.collection or portion.delivery.collection or UNSORTED)
            new = changes.new_object(words.accession, plain, home, user, terms, tags)
        except changes.ChangeRefused as refused:
            portion.refused.append((line, str(refused)))
            continue
        new.asset.fields = words.fields.get("asset", {})
        made.append(new)
        portion.new[line.number] = new.record
    changes.create_many(portion.op, made)


def _update(portion: Portion, said: Sequence[tuple[Record, Line, Words]]) -> None:
    """What the lines say anew about objects that are here; one that never had an asset gets one."""
    places = places_of((record for record, _, _ in said), portion.delivery.user)
    imported = imported_to([*(record for record, _, _ in said), *places.values()])
    patches = []
    for record, line, words in said:
        try:
            own = words.of_asset(portion.home(words.collection) if words.collection else None)
        except changes.NotAllowed as refused:
            portion.refused.append((line, str(refused)))
            continue
        place = places.get(record)
        of_place = new_words(own, imported[place], portion.ids) if place else {}
        of_record = new_words(words.of_object(), imported[record], portion.ids)
        if of_place or of_record or not record.depictions.all():
            patches.append((record, line, place, of_place if place else own, of_record))
    changes.lock([subject for record, _, place, *_ in patches for subject in (place, record) if subject])
    portion.known = {line.number: record for record, line, _ in said}
    for record, line, place, of_place, of_record in patches:
        try:
            with transaction.atomic():
                if _apply(portion, record, place, of_place, of_record):
                    portion.updated[line.number] = record
        except changes.ChangeRefused as refused:
            portion.refused.append((line, str(refused)))


def _apply(portion: Portion, record: Record, place: Asset | None, of_place: Patch, of_record: Patch) -> bool:
    changed = 0
    if place is None and not record.depictions.all():
        place = _new_place(portion, record)
        changed = 1
    if place is not None and of_place:
        changed += changes.apply(portion.op, [place], besides(of_place))
    if of_record:
        changed += changes.apply(portion.op, [record], besides(of_record))
    return changed > 0


def places_of(records: Iterable[Record], user: User | None) -> dict[Record, Asset]:
    """What a list speaks of, by record: its first asset that is not in the trash and that `user` may see."""
    records = list(records)
    seen = set(assets_for(user).filter(depictions__record__in=records).values_list("pk", flat=True))
    found: dict[Record, Asset] = {}
    for record in records:
        for depiction in record.depictions.all():
            if depiction.asset_id in seen:
                found.setdefault(record, depiction.asset)
    return found


def _new_place(portion: Portion, record: Record) -> Asset:
    home = portion.home(portion.delivery.collection or UNSORTED)
    asset = Asset.objects.create(collection=home, uploaded_by=portion.delivery.user)
    changes.created(portion.op, asset)
    changes.depict(portion.op, asset, record)
    return asset
