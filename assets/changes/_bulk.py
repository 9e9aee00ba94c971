"""Many new objects at once, each with the asset that waits for its picture: for imports of a catalogue."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from assets.changes._allowed import check_home
from assets.changes._notify import notify
from assets.changes._steps import ChangeRefused, Subject, check_columns, kind_of, to_json
from assets.dates import parse_years
from assets.models import (
    Asset,
    AssetTerm,
    Change,
    Collection,
    Depiction,
    Operation,
    Record,
    RecordTerm,
)
from assets.models.described import Described
from assets.text import accession_key

AT_ONCE = 1000  # rows in one statement


class NewObject(NamedTuple):
    """A record and its asset before they are stored, with the ids of the terms of each."""

    record: Record
    record_terms: list[int]
    asset: Asset
    asset_terms: list[int]


def new_object(
    accession: str,
    words: dict[str, Any],
    home: Collection,
    uploaded_by: Any,
    terms: Iterable[int],
    tags: Iterable[int],
) -> NewObject:
    """An object of the catalogue with these words, not yet stored. Raises ChangeRefused.

    `words` are columns of the record, `terms` the ids of its terms, `tags` those of the picture.
    """
    record = Record(accession_number=accession, accession_key=accession_key(accession), **words)
    if "date" in words:
        record.year_earliest, record.year_latest = parse_years(words["date"])
    check_home(uploaded_by, home)
    check_columns(record, {*words, "year_earliest", "year_latest", "accession_number"})
    if not record.accession_key or len(record.accession_key) > 100:
        raise ChangeRefused(f"{accession[:100]!r} cannot be an accession number.")
    asset = Asset(collection=home, uploaded_by=uploaded_by)
    return NewObject(record, list(dict.fromkeys(terms)), asset, list(dict.fromkeys(tags)))


def create_many(op: Operation, objects: Sequence[NewObject]) -> None:
    """Store these objects, their words and their history by a handful of statements.

    The history has one line for each record and asset: `created`, with all that it was made with. The caller
    holds the transaction. Raises IntegrityError where an accession number has been taken meanwhile.
    """
    Record.objects.bulk_create([new.record for new in objects], batch_size=AT_ONCE)
    Asset.objects.bulk_create([new.asset for new in objects], batch_size=AT_ONCE)
    Depiction.objects.bulk_create(
        [Depiction(record=new.record, asset=new.asset) for new in objects], batch_size=AT_ONCE
    )
    RecordTerm.objects.bulk_create(
        [
            RecordTerm(record=new.record, term_id=pk, position=n)
            for new in objects
            for n, pk in enumerate(new.record_terms)
        ],
        batch_size=AT_ONCE,
    )
    AssetTerm.objects.bulk_create(
        [
            AssetTerm(asset=new.asset, term_id=pk, position=n)
            for new in objects
            for n, pk in enumerate(new.asset_terms)
        ],
        batch_size=AT_ONCE,
    )
    changes = [_born(op, new.record, new.record_terms) for new in objects]
    changes += [_born(op, new.asset, new.asset_terms) for new in objects]
    Change.objects.bulk_create(changes, batch_size=AT_ONCE)
    notify([new.asset.pk for new in objects])


def _born(op: Operation, subject: Subject, terms: list[int]) -> Change:
    """What an import wrote, as later imports compare with it: see assets.words."""
    columns = [field.name for field in Described._meta.fields if field.name not in _NOT_SAID]
    columns += ["accession_number"] if isinstance(subject, Record) else ["collection"]
    said = {
        name: to_json(value) for name in columns if (value := getattr(subject, name)) not in ("", None, {})
    }
    after = said | ({"terms": terms} if terms else {})
    return Change(
        operation=op, object_kind=kind_of(subject), object_id=subject.pk, field="created", after=after
    )


_NOT_SAID = {"uid", "created_at", "changed_at", "trashed_at"}
