"""The only way to write what people see: one transaction for the change, its history and the search row.

    op = operation("edit", "Corrected the title", user=user)
    apply(op, [asset], {"title": "Sunday", "add_terms": {"tags": ["river"]}})
    undo(op, user)

A patch names columns of Described and of the model (`collection`, `access`, `accession_number` …), and
terms by vocabulary: `terms` sets exactly these labels, `add_terms` and `remove_terms` change the rest not.
Setting `date` also sets the years it covers, unless the patch names them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.module_loading import import_string

from accounts.models import User
from assets.dates import parse_years
from assets.models import (
    Asset,
    AssetTerm,
    Batch,
    Change,
    Collection,
    Depiction,
    Operation,
    Record,
    RecordTerm,
    Term,
)
from assets.text import accession_key

Subject = Asset | Record
TERM_PATCHES = ("terms", "add_terms", "remove_terms")
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
_COMMON |= {"credit_line", "fields", "trashed_at"}
COLUMNS: dict[type[Subject], set[str]] = {
    Asset: _COMMON | {"collection", "access", "embargo_until", "rights_expire_at", "alt_text"},
    Record: _COMMON | {"accession_number"},
}
KINDS: dict[str, type[Subject]] = {Change.Kind.ASSET: Asset, Change.Kind.RECORD: Record}
_collected: ContextVar[set[int] | None] = ContextVar("collected", default=None)
USES: dict[type[Subject], type[AssetTerm] | type[RecordTerm]] = {Asset: AssetTerm, Record: RecordTerm}


class ChangeRefused(ValueError):
    """The change cannot be made; the message is for people."""


class Step(NamedTuple):
    """One field of one object gets a new value. For `terms` the value is the ordered list of term ids."""

    subject: Subject
    field: str
    value: Any


def operation(kind: str, label: str, *, user: User | None = None, batch: Batch | None = None) -> Operation:
    return Operation.objects.create(kind=kind, label=label[:300], user=user, batch=batch)


def apply(op: Operation, objects: Iterable[Subject], patch: Mapping[str, Any]) -> int:
    """Apply one patch to many objects; returns how many of them changed. Raises ChangeRefused."""
    with transaction.atomic():
        locked = _lock(objects)
        terms = {key: _term_ids(patch[key]) for key in TERM_PATCHES if key in patch}
        steps = [step for subject in locked for step in _steps(subject, patch, terms)]
        return _commit(op, steps)


def undo(op: Operation, user: User | None) -> Operation:
    """Take back what `op` did. What was changed again since then stays as it is, and the label says so."""
    with transaction.atomic():
        op = Operation.objects.select_for_update().get(pk=op.pk)
        if Operation.objects.filter(undoes=op).exists():
            raise ChangeRefused("This has been undone already.")
        changes = list(op.changes.order_by("-pk"))
        subjects = {
            kind: {s.pk: s for s in _lock_pks(model, [c.object_id for c in changes if c.object_kind == kind])}
            for kind, model in KINDS.items()
        }
        found = [
            (c, subjects[c.object_kind][c.object_id])
            for c in changes
            if c.object_id in subjects[c.object_kind]
        ]
        steps = [step for change, subject in found for step in _reverse(change, subject)]
        kept = len(changes) - len(steps)
        label = f"Undone: {op.label}" + (f" ({kept} later changes kept)" if kept else "")
        reversal = operation("undo", label, user=user)
        reversal.undoes = op
        reversal.save(update_fields=["undoes"])
        _commit(reversal, steps)
    return reversal


def created(op: Operation, subject: Subject) -> None:
    """Note that an operation made this object; undoing it moves the object to the trash."""
    Change.objects.create(operation=op, object_kind=_kind(subject), object_id=subject.pk, field="created")
    notify(asset_ids_of([subject]))


def depict(op: Operation, asset: Asset, record: Record, view: str = Depiction.View.RECTO) -> bool:
    """Say that this picture shows this object; False when that was known."""
    with transaction.atomic():
        position = record.depictions.count()
        _, new = Depiction.objects.get_or_create(
            record=record, asset=asset, defaults={"view": view, "position": position}
        )
        if new:
            Change.objects.create(
                operation=op, object_kind="asset", object_id=asset.pk, field="depicts", after=record.pk
            )
            notify([asset.pk])
    return new


def trash(assets: Iterable[Asset], user: User | None) -> Operation:
    return _trash_or_restore(list(assets), user, timezone.now())


def restore(assets: Iterable[Asset], user: User | None) -> Operation:
    return _trash_or_restore(list(assets), user, None)


def history_of(subject: Subject) -> "models.QuerySet[Operation]":
    """The operations that touched this object, newest first, with their changes."""
    touched = Change.objects.filter(object_kind=_kind(subject), object_id=subject.pk).values("operation")
    history = Operation.objects.filter(pk__in=touched).order_by("-created_at", "-pk")
    return history.select_related("user", "undone_by").prefetch_related("changes")


@contextmanager
def together() -> Iterator[None]:
    """One transaction for several changes, whose search rows are written once, at its end."""
    collected: set[int] = set()
    with transaction.atomic():
        outer = _collected.set(collected)
        try:
            yield
        finally:
            _collected.reset(outer)
        notify(sorted(collected))


def notify(asset_ids: Sequence[int]) -> None:
    """Tell the other apps (settings.ASSET_CHANGED) inside the running transaction."""
    waiting = _collected.get()
    if waiting is not None:
        waiting.update(asset_ids)
    elif asset_ids:
        for path in settings.ASSET_CHANGED:
            import_string(path)(list(asset_ids))


def asset_ids_of(subjects: Iterable[Subject]) -> list[int]:
    """The assets whose words these objects carry: assets themselves, and the pictures of records."""
    subjects = list(subjects)
    records = [s.pk for s in subjects if isinstance(s, Record)]
    ids = [s.pk for s in subjects if isinstance(s, Asset)]
    return ids + list(Depiction.objects.filter(record__in=records).values_list("asset_id", flat=True))


# --- from a patch or a history to steps -----------------------------------------------------------


def _steps(
    subject: Subject, patch: Mapping[str, Any], terms: Mapping[str, dict[str, list[int]]]
) -> list[Step]:
    unknown = set(patch) - COLUMNS[type(subject)] - set(TERM_PATCHES)
    if unknown:
        raise ChangeRefused(f"These cannot be changed here: {', '.join(sorted(unknown))}.")
    values = {name: _storable(value) for name, value in patch.items() if name not in TERM_PATCHES}
    if "date" in values:
        years = parse_years(values["date"])
        values.setdefault("year_earliest", years.earliest)
        values.setdefault("year_latest", years.latest)
    steps = [Step(subject, name, value) for name, value in values.items() if getattr(subject, name) != value]
    if terms:
        before = _terms_of(subject)
        after = _new_terms(before, terms)
        steps += [Step(subject, "terms", after)] if after != before else []
    return steps


def _new_terms(before: list[int], terms: Mapping[str, dict[str, list[int]]]) -> list[int]:
    after = list(before)
    if "terms" in terms:
        replaced = Term.objects.filter(pk__in=before, vocabulary__slug__in=terms["terms"])
        gone = set(replaced.values_list("pk", flat=True))
        after = [pk for pk in after if pk not in gone] + [pk for ids in terms["terms"].values() for pk in ids]
    removed = {pk for ids in terms.get("remove_terms", {}).values() for pk in ids}
    added = [pk for ids in terms.get("add_terms", {}).values() for pk in ids]
    return [pk for pk in dict.fromkeys(after + added) if pk not in removed]


def _reverse(change: Change, subject: Subject) -> list[Step]:
    """The step that takes a change back; empty where somebody has changed the field since."""
    if change.field == "created":
        return [Step(subject, "trashed_at", timezone.now())] if subject.trashed_at is None else []
    if change.field == "depicts":
        return [Step(subject, "depicts", change.after)]
    if change.field == "terms":
        before, after = change.before or [], change.after or []
        now = _terms_of(subject)
        wanted = [pk for pk in now if pk in before or pk not in after] + [
            pk for pk in before if pk not in after
        ]
        return [Step(subject, "terms", list(dict.fromkeys(wanted)))]
    if _to_json(getattr(subject, change.field)) != change.after:
        return []
    return [Step(subject, change.field, _from_json(subject, change.field, change.before))]


# --- writing --------------------------------------------------------------------------------------


def _commit(op: Operation, steps: Sequence[Step]) -> int:
    """Write the steps, their history and the search rows; the caller holds the transaction and the locks."""
    changes = [_write(op, step) for step in steps]
    by_model: dict[type[Subject], dict[int, Subject]] = defaultdict(dict)
    fields: dict[type[Subject], set[str]] = defaultdict(set)
    for subject, field, _ in steps:
        by_model[type(subject)][subject.pk] = subject
        fields[type(subject)] |= {field} & COLUMNS[type(subject)]
    for model, subjects in by_model.items():
        touched = list(subjects.values())
        _validate(model, touched, fields[model])
        for subject in touched:
            subject.changed_at = timezone.now()
        derived = {"accession_key"} if "accession_number" in fields[model] else set()
        manager: Any = model._default_manager
        manager.bulk_update(touched, [*fields[model], *derived, "changed_at"], batch_size=500)
    Change.objects.bulk_create(changes, batch_size=1000)
    changed = [subject for subjects in by_model.values() for subject in subjects.values()]
    notify(list(dict.fromkeys(asset_ids_of(changed))))
    return len(changed)


def _write(op: Operation, step: Step) -> Change:
    subject, field, value = step
    change = Change(operation=op, object_kind=_kind(subject), object_id=subject.pk, field=field)
    if field == "terms":
        change.before, change.after = _terms_of(subject), value
        _set_terms(subject, value)
    elif field == "depicts":
        change.before = value
        Depiction.objects.filter(asset=subject.pk, record=value).delete()
    else:
        change.before, change.after = _to_json(getattr(subject, field)), _to_json(value)
        setattr(subject, field, value)
    return change


def _validate(model: type[Subject], subjects: Sequence[Subject], fields: set[str]) -> None:
    others = {f.name for f in model._meta.fields} - fields
    for subject in subjects:
        try:
            subject.clean_fields(exclude=others)
        except ValidationError as error:
            said = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
            raise ChangeRefused(said) from error
        if isinstance(subject, Record) and fields & {"accession_number", "trashed_at"}:
            _accession_is_free(subject)


def _accession_is_free(record: Record) -> None:
    key = accession_key(record.accession_number)
    others = Record.objects.live().filter(accession_key=key).exclude(pk=record.pk)
    if key and record.trashed_at is None and others.exists():
        raise ChangeRefused(f"Another record has the accession number {record.accession_number}.")


def _set_terms(subject: Subject, term_ids: list[int]) -> None:
    owner = _kind(subject)
    uses: Any = USES[type(subject)]
    uses._default_manager.filter(**{owner: subject}).exclude(term__in=term_ids).delete()
    uses._default_manager.bulk_create(
        [uses(**{owner: subject}, term_id=pk, position=n) for n, pk in enumerate(term_ids)],
        update_conflicts=True,
        unique_fields=[owner, "term"],
        update_fields=["position"],
    )


def _trash_or_restore(assets: list[Asset], user: User | None, at: datetime | None) -> Operation:
    what = assets[0].display_title if len(assets) == 1 else f"{len(assets)} pictures"
    kind, label = ("trash", f"Moved to the trash: {what}") if at else ("restore", f"Restored: {what}")
    with transaction.atomic():
        op = operation(kind, label, user=user)
        apply(op, assets, {"trashed_at": at})
    return op


# --- small conversions ----------------------------------------------------------------------------


def _kind(subject: Subject) -> str:
    return Change.Kind.ASSET if isinstance(subject, Asset) else Change.Kind.RECORD


def _lock(objects: Iterable[Subject]) -> list[Subject]:
    objects = list(objects)
    return [s for m in KINDS.values() for s in _lock_pks(m, [o.pk for o in objects if isinstance(o, m)])]


def _lock_pks(model: type[Subject], pks: Sequence[int]) -> list[Subject]:
    """Locked in the order of their ids, so that two operations cannot wait for each other for ever."""
    rows = model._default_manager.filter(pk__in=pks).order_by("pk")
    return list(rows.select_for_update().prefetch_related("term_uses"))


def _term_ids(by_vocabulary: Mapping[str, Sequence[str]]) -> dict[str, list[int]]:
    return {
        slug: [Term.objects.labelled(slug, label).pk for label in labels if label.strip()]
        for slug, labels in by_vocabulary.items()
    }


def _terms_of(subject: Subject) -> list[int]:
    return [use.term_id for use in subject.term_uses.all()]


def _storable(value: Any) -> Any:
    """PostgreSQL stores no null characters in text."""
    return value.replace("\x00", "") if isinstance(value, str) else value


def _to_json(value: Any) -> Any:
    if isinstance(value, models.Model):
        return value.pk
    return value.isoformat() if isinstance(value, datetime) else value


def _from_json(subject: Subject, field: str, value: Any) -> Any:
    if field == "collection":
        return Collection.objects.get(pk=value)
    column = subject._meta.get_field(field)
    return parse_datetime(value) if isinstance(column, models.DateTimeField) and value else value
