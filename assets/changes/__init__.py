"""The only way to write what people see: one transaction for the change, its history and the search row.

    op = operation("edit", "Corrected the title", user=user)
    apply(op, [asset], {"title": "Sunday", "add_terms": {"tags": ["river"]}})
    undo(op, user)

A patch names columns of Described and of the model (`collection`, `access`, `accession_number` …), and
terms by vocabulary: `terms` sets exactly these labels, `add_terms` and `remove_terms` change the rest not.
`field_values` and `translated` are {field or column: {language: value}}: these values of `fields` and of
`translations` are set, or taken out where they are empty, and the others stay.
Setting `date` also sets the years it covers, unless the patch names them.

Several changes that belong together stand in `with together():`, assets before their records.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from accounts.models import User
from assets.changes._bulk import NewObject, create_many, new_object
from assets.changes._depicting import arrange, depict, depict_only, undepict
from assets.changes._notify import facts_changed, notify, together
from assets.changes._relations import SAID, relation
from assets.changes._steps import (
    COLUMNS,
    DELETED,
    MERGED,
    ChangeRefused,
    Step,
    Subject,
    asset_ids_of,
    commit,
    kind_of,
    lock,
    merged,
    terms_of,
)
from assets.changes._terms import Labels, Terms, ids_among, make_terms, terms_by_key
from assets.changes._undo import edited_by_people, undo, undo_keeping, with_pictures
from assets.dates import parse_years
from assets.models import Asset, Batch, Change, Operation, Record, Relation, Term
from assets.text import label_key

__all__ = [
    "DELETED",
    "ChangeRefused",
    "Labels",
    "NewObject",
    "Subject",
    "Terms",
    "apply",
    "arrange",
    "asset_ids_of",
    "create_many",
    "created",
    "depict",
    "depict_only",
    "edited_by_people",
    "facts_changed",
    "foreseen",
    "history_of",
    "ids_among",
    "kind_of",
    "lock",
    "make_terms",
    "new_object",
    "notify",
    "operation",
    "relate",
    "restore",
    "terms_by_key",
    "together",
    "trash",
    "undepict",
    "undo",
    "undo_keeping",
    "with_pictures",
]
TERM_PATCHES = ("terms", "add_terms", "remove_terms")


def operation(kind: str, label: str, *, user: User | None = None, batch: Batch | None = None) -> Operation:
    return Operation.objects.create(kind=kind, label=label[:300], user=user, batch=batch)


def apply(op: Operation, objects: Iterable[Subject], patch: Mapping[str, Any]) -> int:
    """Apply one patch to many objects; returns how many of them changed. Raises ChangeRefused."""
    with transaction.atomic():
        terms = {key: make_terms(patch[key]) for key in ("terms", "add_terms") if key in patch}
        if "remove_terms" in patch:
            terms["remove_terms"] = _known_terms(patch["remove_terms"])
        steps = [step for subject in lock(objects) for step in _steps(subject, patch, terms)]
        return commit(op, steps)


def foreseen(
    subject: Subject, patch: Mapping[str, Any], ids: Callable[[Labels], dict[str, list[int]]]
) -> list[tuple[str, Any, Any]]:
    """What `apply` would change: (field, before, after). Nothing is written; `ids` stands for make_terms."""
    terms = {key: ids(patch[key]) for key in ("terms", "add_terms") if key in patch}
    return [
        (step.field, terms_of(subject) if step.field == "terms" else getattr(subject, step.field), step.value)
        for step in _steps(subject, patch, terms)
    ]


def created(op: Operation, subject: Subject) -> None:
    """Note that an operation made this object; undoing it moves the object to the trash."""
    Change.objects.create(operation=op, object_kind=kind_of(subject), object_id=subject.pk, field="created")
    notify(asset_ids_of([subject]))


def relate(asset: Asset, other: Asset, kind: Relation.Kind, user: User | None) -> Operation:
    """Say what the first picture is of the second, in place of what was said of the two before.

    The label names neither: whoever sees the one may not see the other. Raises ChangeRefused.
    """
    if asset == other:
        raise ChangeRefused("A picture cannot be compared with itself.")
    with transaction.atomic():
        op = operation("relation", SAID[kind], user=user)
        subjects = {subject.pk: subject for subject in lock([asset, other])}
        commit(op, [Step(subjects[asset.pk], "related", relation(asset.pk, other.pk, kind))])
    return op


def trash(assets: Iterable[Asset], user: User | None) -> Operation:
    return _trash_or_restore(list(assets), user, timezone.now())


def restore(assets: Iterable[Asset], user: User | None) -> Operation:
    """Back from the trash. Raises ChangeRefused where they were deleted for good meanwhile."""
    return _trash_or_restore(list(assets), user, None)


def history_of(subject: Subject) -> "models.QuerySet[Operation]":
    """The operations that touched this object, newest first, with their changes."""
    touched = Change.objects.filter(object_kind=kind_of(subject), object_id=subject.pk).values("operation")
    history = Operation.objects.filter(pk__in=touched).order_by("-created_at", "-pk")
    return history.select_related("user", "undone_by").prefetch_related("changes")


def _known_terms(labels: Labels) -> dict[str, list[int]]:
    return {
        slug: list(
            Term.objects.in_vocabulary(slug)
            .filter(key__in=[label_key(label)[:200] for label in names])
            .values_list("pk", flat=True)
        )
        for slug, names in labels.items()
    }


def _steps(
    subject: Subject, patch: Mapping[str, Any], terms: Mapping[str, dict[str, list[int]]]
) -> list[Step]:
    unknown = set(patch) - COLUMNS[type(subject)] - set(TERM_PATCHES) - set(MERGED)
    if unknown:
        raise ChangeRefused(f"These cannot be changed here: {', '.join(sorted(unknown))}.")
    columns = COLUMNS[type(subject)]
    values = {name: _storable(value) for name, value in patch.items() if name in columns}
    for name, column in MERGED.items():
        if name in patch:
            values[column] = merged(values.get(column, getattr(subject, column)), patch[name])
    if "date" in values:
        years = parse_years(values["date"])
        values.setdefault("year_earliest", years.earliest)
        values.setdefault("year_latest", years.latest)
    steps = [Step(subject, name, value) for name, value in values.items() if getattr(subject, name) != value]
    if terms:
        before = terms_of(subject)
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


def _trash_or_restore(assets: list[Asset], user: User | None, at: datetime | None) -> Operation:
    what = assets[0].display_title if len(assets) == 1 else f"{len(assets)} pictures"
    kind, label = ("trash", f"Moved to the trash: {what}") if at else ("restore", f"Restored: {what}")
    with transaction.atomic():
        op = operation(kind, label, user=user)
        apply(op, assets, {"trashed_at": at})
        if assets and not Asset.objects.filter(pk__in=[asset.pk for asset in assets]).exists():
            raise ChangeRefused("It was deleted for good meanwhile. A backup may still have it.")
        if at is None:
            _restore_records(op, assets)
    return op


def _restore_records(op: Operation, assets: list[Asset]) -> None:
    """The records that went to the trash with these pictures, unless their numbers were given away since."""
    for record in Record.objects.trashed().filter(depictions__asset__in=assets).distinct():
        with suppress(ChangeRefused):
            apply(op, [record], {"trashed_at": None})


def _storable(value: Any) -> Any:
    """PostgreSQL stores no null characters in text."""
    return value.replace("\x00", "") if isinstance(value, str) else value
