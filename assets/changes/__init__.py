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

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from assets.changes import _allowed
from assets.changes._allowed import NotAllowed, check_home
from assets.changes._bulk import NewObject, create_many, new_object
from assets.changes._depicting import arrange, depict, depict_only, undepict
from assets.changes._moments import Gone, NoMoment, between, moment, since, unsaved, until
from assets.changes._notify import colors_changed, facts_changed, notify, together
from assets.changes._patches import Patch, TermIds, Wanted, refused_among, steps_of
from assets.changes._relations import SAID, relation
from assets.changes._states import changes_between, changes_to_state, restore_state, state_steps
from assets.changes._steps import (
    DELETED,
    ChangeRefused,
    Step,
    Subject,
    asset_ids_of,
    commit,
    kind_of,
    lock,
    raw,
    terms_of,
)
from assets.changes._terms import Labels, Terms, Went, ids_among, known_terms, make_terms, terms_by_key, went
from assets.changes._undo import edited_by_people, undo, undo_keeping, with_pictures
from assets.changes._vocabulary import change_terms, clean_label, create_terms, delete_terms, parents_of
from assets.models import Asset, Batch, BulkJob, Change, Operation, Record, Relation
from assets.scopes import Action

__all__ = [
    "DELETED",
    "ChangeRefused",
    "Foreseen",
    "Gone",
    "Labels",
    "NewObject",
    "NoMoment",
    "NotAllowed",
    "Patch",
    "Step",
    "Subject",
    "Terms",
    "Wanted",
    "Went",
    "apply",
    "apply_many",
    "arrange",
    "asset_ids_of",
    "between",
    "change_terms",
    "changes_between",
    "check_home",
    "changes_to_state",
    "clean_label",
    "create_many",
    "create_terms",
    "created",
    "delete_terms",
    "depict",
    "depict_only",
    "edited_by_people",
    "colors_changed",
    "facts_changed",
    "foreseen",
    "foreseen_many",
    "history_of",
    "ids_among",
    "kind_of",
    "known_terms",
    "lock",
    "make_terms",
    "moment",
    "new_object",
    "notify",
    "operation",
    "parents_of",
    "raw",
    "relate",
    "replace_terms",
    "restore",
    "restore_state",
    "since",
    "state_steps",
    "terms_by_key",
    "together",
    "trash",
    "undepict",
    "undo",
    "undo_keeping",
    "unsaved",
    "until",
    "value_before",
    "went",
    "with_pictures",
]


class Foreseen(NamedTuple):
    """What became of patches, or would."""

    steps: list[Step]
    refused: dict[Subject, str]
    """The objects that cannot be stored so, and why, in words for people."""


def operation(
    kind: str,
    label: str,
    *,
    user: User | None = None,
    batch: Batch | None = None,
    bulk: BulkJob | None = None,
) -> Operation:
    return Operation.objects.create(kind=kind, label=label[:300], user=user, batch=batch, bulk=bulk)


def apply(op: Operation, objects: Iterable[Subject], patch: Mapping[str, Any]) -> int:
    """Apply one patch to many objects; returns how many of them changed. Raises ChangeRefused."""
    with transaction.atomic():
        steps = steps_of([Wanted(subject, patch) for subject in lock(objects)], make_terms)
        return commit(op, steps)


def replace_terms(op: Operation, objects: Iterable[Subject], terms: Mapping[int, int]) -> int:
    """Put other terms, by id, in the places of some; returns how many objects changed."""
    with transaction.atomic():
        _allowed.check_terms(op.user, Action.MANAGE)  # whoever may merge terms does so on all that has them
        steps = []
        for subject in lock(objects):
            before = terms_of(subject)
            after = list(dict.fromkeys(terms.get(pk, pk) for pk in before))
            steps += [Step(subject, "terms", after)] if after != before else []
        return commit(op, steps, checked=True)


def apply_many(op: Operation, wanted: Sequence[Wanted]) -> Foreseen:
    """Apply a patch to each of many objects; what cannot be stored is left out, and why is said.

    The caller holds the transaction, and has got the objects from `lock`.
    """
    done = foreseen_many(wanted, make_terms, op.user)
    commit(op, done.steps, checked=True)
    return done


def foreseen_many(wanted: Sequence[Wanted], ids: TermIds, user: User | None) -> Foreseen:
    """What `apply_many` would do. Nothing is written but by `ids`, which stands for make_terms."""
    steps = steps_of(wanted, ids)
    refused = refused_among(steps) | _allowed.refused(user, steps)
    return Foreseen([step for step in steps if step.subject not in refused], refused)


def foreseen(subject: Subject, patch: Mapping[str, Any], ids: TermIds) -> list[tuple[str, Any, Any]]:
    """What `apply` would change: (field, before, after). Nothing is written; `ids` stands for make_terms."""
    return [(step.field, value_before(step), step.value) for step in steps_of([Wanted(subject, patch)], ids)]


def value_before(step: Step) -> Any:
    """The value in whose place a step would put another; for `terms` the ids in their order."""
    return terms_of(step.subject) if step.field == "terms" else getattr(step.subject, step.field)


def created(op: Operation, subject: Subject) -> None:
    """Note that an operation made this object; undoing it moves the object to the trash.

    Raises NotAllowed.
    """
    if isinstance(subject, Asset):
        check_home(op.user, subject.collection)
    else:
        _allowed.check(op.user, [(subject, "created", None)])
    Change.objects.create(operation=op, object_kind=kind_of(subject), object_id=subject.pk, field="created")
    notify(asset_ids_of([subject]), new=isinstance(subject, Asset))


def relate(asset: Asset, other: Asset, kind: Relation.Kind, user: User | None) -> Operation:
    """Say what the first picture is of the second, in place of what was said of the two before.

    The label names neither: whoever sees the one may not see the other. Raises ChangeRefused.
    """
    if asset == other:
        raise ChangeRefused(_("A picture cannot be compared with itself."))
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


def _trash_or_restore(assets: list[Asset], user: User | None, at: datetime | None) -> Operation:
    what = assets[0].display_title if len(assets) == 1 else f"{len(assets)} pictures"
    kind, label = ("trash", f"Moved to the trash: {what}") if at else ("restore", f"Restored: {what}")
    with transaction.atomic():
        op = operation(kind, label, user=user)
        apply(op, assets, {"trashed_at": at})
        if assets and not Asset.objects.filter(pk__in=[asset.pk for asset in assets]).exists():
            raise ChangeRefused(_("It was deleted for good meanwhile. A backup may still have it."))
        if at is None:
            _restore_records(op, assets)
    return op


def _restore_records(op: Operation, assets: list[Asset]) -> None:
    """The records that went to the trash with these pictures, unless their numbers were given away since."""
    for record in Record.objects.trashed().filter(depictions__asset__in=assets).distinct():
        with suppress(ChangeRefused):
            apply(op, [record], {"trashed_at": None})
