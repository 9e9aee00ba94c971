"""Steps: one field of one object gets a new value. Locking, writing, history and conversions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from assets.changes import _allowed
from assets.changes._allowed import ChangeRefused as ChangeRefused
from assets.changes._notify import notify, picture_changed
from assets.changes._relations import mirrored, relate
from assets.models import Asset, AssetTerm, Change, Depiction, Operation, Record, RecordTerm
from assets.text import accession_key

Subject = Asset | Record
DELETED = "deleted"  # the kind of operation, and the field, of what is gone for good: assets.purging
_COMMON = {
    "title",
    "description",
    "date",
    "year_earliest",
    "year_latest",
    "medium",
    "rights",
    "rights_holder",
}
_COMMON |= {"credit_line", "usage_terms", "not_for", "fields", "translations", "trashed_at"}
COLUMNS: dict[type[Subject], set[str]] = {
    Asset: _COMMON
    | {"collection", "access", "embargo_until", "rights_expire_at", "alt_text", "latitude", "longitude"}
    | {"consents"}
    | {"current_version", "created_at", "uploaded_by"},
    Record: _COMMON | {"accession_number"},
}
DERIVED = {"accession_number": "accession_key", "consents": "consent_ends_at"}
"""Columns that `clean_fields` makes of others, and that are stored with them."""
SHOWN_BY = "shown_by"  # the field of a record's history that says which picture came or went
MERGED = {"field_values": "fields", "translated": "translations"}
"""Patches that change some values of a JSON column, by key and language, and leave the others."""
KINDS: dict[str, type[Subject]] = {Change.Kind.ASSET: Asset, Change.Kind.RECORD: Record}
USES: dict[type[Subject], type[AssetTerm] | type[RecordTerm]] = {Asset: AssetTerm, Record: RecordTerm}


class Step(NamedTuple):
    """For `terms` the value is the ordered list of term ids; for `depicts` see `depiction`, for `related`
    `_relations.relation`."""

    subject: Subject
    field: str
    value: Any


def depiction(record_id: int, view: str = "", position: int = 0, *, linked: bool) -> dict[str, Any]:
    """The value of a `depicts` step: whether this picture shows this record, and how."""
    return {"record": record_id, "view": view, "position": position, "linked": linked}


def shown_by(change: Change) -> Change:
    """The same change in the history of the object; an undo goes by that of the picture alone."""
    before, after = (dict(said or {}, asset=change.object_id) for said in (change.before, change.after))
    record = after.pop("record")
    before.pop("record", None)
    return Change(
        operation=change.operation,
        object_kind=Change.Kind.RECORD,
        object_id=record,
        field=SHOWN_BY,
        before=before,
        after=after,
    )


def commit(op: Operation, steps: Sequence[Step], *, checked: bool = False) -> int:
    """Write the steps, their history and the search rows; returns how many objects changed.

    The caller holds the transaction and the locks, and has perhaps `checked` that the person of the operation
    may do this. Raises ChangeRefused.
    """
    if not checked:
        _allowed.check(op.user, steps)
    affected = asset_ids_of(step.subject for step in steps)
    changes = [_write(op, step) for step in steps]
    _store_terms([step for step in steps if step.field == "terms"])
    by_model: dict[type[Subject], dict[int, Subject]] = defaultdict(dict)
    fields: dict[type[Subject], set[str]] = defaultdict(set)
    for subject, field, _value in steps:
        by_model[type(subject)][subject.pk] = subject
        fields[type(subject)] |= {field} & COLUMNS[type(subject)]
    for model, subjects in by_model.items():
        touched = list(subjects.values())
        _validate(model, touched, fields[model])
        derived = {DERIVED[name] for name in fields[model] & DERIVED.keys()}
        _store(model, touched, fields[model] | derived)
    changes += [mirrored(change) for change in changes if change.field == "related"]
    changes += [shown_by(change) for change in changes if change.field == "depicts"]
    Change.objects.bulk_create(changes, batch_size=1000)
    picture_changed([step.subject.pk for step in steps if step.field == "current_version"])
    notify(affected)
    return sum(len(subjects) for subjects in by_model.values())


def _write(op: Operation, step: Step) -> Change:
    subject, field, value = step
    change = Change(operation=op, object_kind=kind_of(subject), object_id=subject.pk, field=field)
    if field == "terms":
        change.before, change.after = terms_of(subject), value
    elif field == "depicts":
        change.before, change.after = _link(subject, value), value
    elif field == "related":
        change.before, change.after = relate(op, value), value
    else:
        _in_every_time_zone(value)
        change.before, change.after = to_json(raw(subject, field)), to_json(value)
        setattr(subject, field, value)
    return change


def _link(subject: Subject, wanted: dict[str, Any]) -> dict[str, Any]:
    """Make or remove a depiction; returns how it was before."""
    record = wanted["record"]
    found = Depiction.objects.filter(asset=subject.pk, record=record).first()
    before = depicted(subject, record)
    if found and not wanted["linked"]:
        found.delete()
    elif found and (found.view, found.position) != (wanted["view"], wanted["position"]):
        found.view, found.position = wanted["view"], wanted["position"]
        found.save(update_fields=["view", "position"])
    elif wanted["linked"] and not found and Record.objects.filter(pk=record).exists():
        Depiction.objects.create(
            asset_id=subject.pk, record_id=record, view=wanted["view"], position=wanted["position"]
        )
    return before


def depicted(subject: Subject, record_id: int) -> dict[str, Any]:
    """Whether this picture shows this record at present, and how."""
    found = Depiction.objects.filter(asset=subject.pk, record=record_id).first()
    if found is None:
        return depiction(record_id, linked=False)
    return depiction(record_id, found.view, found.position, linked=True)


def _validate(model: type[Subject], subjects: Sequence[Subject], fields: set[str]) -> None:
    for subject in subjects:
        check_columns(subject, fields)
        if isinstance(subject, Record) and fields & {"accession_number", "trashed_at"}:
            _accession_is_free(subject)


def check_columns(subject: Subject, fields: set[str]) -> None:
    """Whether these columns can be stored as they are. Raises ChangeRefused.

    What a column refers to was loaded by whoever names it: to look for it again would be a query each.
    """
    known = {f.name for f in subject._meta.fields if f.is_relation and raw(subject, f.name) is not None}
    try:
        subject.clean_fields(exclude={f.name for f in subject._meta.fields} - (fields - known))
    except ValidationError as error:
        said = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
        raise ChangeRefused(said) from error


def _in_every_time_zone(value: Any) -> None:
    """Hours before the year 1 or after 9999 cannot be read again, or not by people elsewhere."""
    if isinstance(value, datetime) and not MINYEAR < value.year < MAXYEAR:
        raise ChangeRefused(f"The year {value.year} is too far away.")


def _accession_is_free(record: Record) -> None:
    key = accession_key(record.accession_number)
    others = Record.objects.live().filter(accession_key=key).exclude(pk=record.pk)
    if len(key) > 100:
        raise ChangeRefused(
            _("“%(text)s” is too long for an accession number.") % {"text": record.accession_number}
        )
    if key and record.trashed_at is None and others.exists():
        raise ChangeRefused(
            _("Another record has the accession number %(text)s.") % {"text": record.accession_number}
        )


def _store(model: type[Subject], touched: Sequence[Subject], names: set[str]) -> None:
    """What is the same for all is one short statement: bulk_update has a case for each row and column."""
    now, first = timezone.now(), touched[0]
    manager: Any = model._default_manager
    same = {name for name in names if all(raw(one, name) == raw(first, name) for one in touched)}
    for subject in touched:
        subject.changed_at = now
    values: dict[str, Any] = {name: raw(first, name) for name in same}
    manager.filter(pk__in=[subject.pk for subject in touched]).update(**values, changed_at=now)
    if names - same:
        manager.bulk_update(touched, sorted(names - same), batch_size=500)


def _store_terms(steps: Sequence[Step]) -> None:
    """The terms of many objects, as their steps say, by few statements."""
    for model, uses in USES.items():
        owner = kind_of_model(model)
        gone: list[int] = []
        kept: list[Any] = []
        for subject, _field, value in steps:
            if isinstance(subject, model):
                stored = {use.term_id: use for use in subject.term_uses.all()}
                gone += [use.pk for pk, use in stored.items() if pk not in value]
                kept += [
                    uses(**{f"{owner}_id": subject.pk}, term_id=pk, position=n)
                    for n, pk in enumerate(value)
                    if pk not in stored or stored[pk].position != n
                ]
        manager: Any = uses._default_manager
        if gone:
            manager.filter(pk__in=gone).delete()
        manager.bulk_create(
            kept,
            update_conflicts=True,
            unique_fields=[owner, "term"],
            update_fields=["position"],
            batch_size=1000,
        )


# --- small conversions ------------------------------------------------------------------------------


def asset_ids_of(subjects: Iterable[Subject]) -> list[int]:
    """The assets whose words these objects carry: assets themselves, and the pictures of records."""
    subjects = list(subjects)
    records = {s.pk for s in subjects if isinstance(s, Record)}
    ids = [s.pk for s in subjects if isinstance(s, Asset)]
    if records:
        ids += Depiction.objects.filter(record__in=records).values_list("asset_id", flat=True)
    return list(dict.fromkeys(ids))


def kind_of(subject: Subject) -> str:
    return kind_of_model(type(subject))


def kind_of_model(model: type[Subject]) -> str:
    return Change.Kind.ASSET if issubclass(model, Asset) else Change.Kind.RECORD


def lock(objects: Iterable[Subject]) -> list[Subject]:
    objects = list(objects)
    return [s for m in KINDS.values() for s in lock_pks(m, [o.pk for o in objects if isinstance(o, m)])]


def lock_pks(model: type[Subject], pks: Sequence[int]) -> list[Subject]:
    """Locked assets before records, in the order of their ids, so that no two wait for each other."""
    rows = model._default_manager.filter(pk__in=pks).order_by("pk")
    return list(rows.select_for_update(no_key=True).prefetch_related("term_uses"))


def merged(present: Mapping[str, Any], new: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """{key: {language: value}} with some values replaced; what is empty is taken out."""
    found = {key: dict(by_language) for key, by_language in present.items()}
    for key, by_language in new.items():
        said = {**found.get(key, {}), **by_language}
        found[key] = {language: value for language, value in said.items() if value not in (None, "", [])}
    return {key: by_language for key, by_language in found.items() if by_language}


def terms_of(subject: Subject) -> list[int]:
    return [use.term_id for use in subject.term_uses.all()]


def raw(subject: Subject, field: str) -> Any:
    """The value of a column; of a relation the id, for which the other object is not loaded."""
    column: Any = subject._meta.get_field(field)
    return getattr(subject, column.attname)


def to_json(value: Any) -> Any:
    """A moment in UTC, as the database gives it back: an undo compares the two."""
    if isinstance(value, models.Model):
        return value.pk
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def from_json(subject: Subject, field: str, value: Any) -> Any:
    """A value as it stood in the history. Raises ObjectDoesNotExist."""
    column: Any = subject._meta.get_field(field)
    if column.many_to_one or column.one_to_one:
        return None if value is None else column.related_model._default_manager.get(pk=value)
    return parse_datetime(value) if isinstance(column, models.DateTimeField) and value else value
