"""Taking back what an operation did, field by field, where nobody has changed the field since."""

from collections import defaultdict
from typing import Any, NamedTuple

from django.core.exceptions import ObjectDoesNotExist
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from assets.changes import _allowed, collections, tables
from assets.changes._relations import known
from assets.changes._steps import (
    DELETED,
    KINDS,
    MERGED,
    SHOWN_BY,
    ChangeRefused,
    Step,
    Subject,
    commit,
    depicted,
    depiction,
    from_json,
    kind_of,
    lock_pks,
    raw,
    terms_of,
    to_json,
)
from assets.changes._vocabulary import undo_terms
from assets.models import Asset, BatchItem, Change, Depiction, Import, Operation, Record, Term
from assets.scopes import Action

DATE = ("date", "year_earliest", "year_latest")  # undone together or not at all
AUTOMATIC = ("upload", "import", "embedded metadata")  # kinds of operations that are no work of people


class Span(NamedTuple):
    """What one operation did to one field, its several changes taken as one."""

    subject: Subject
    field: str
    before: Any
    after: Any


def undo(op: Operation, user: User | None) -> Operation:
    """Take back what `op` did. What was changed again since then stays as it is, and the label says so.

    What the operation made goes to the trash with its words and links, so that restoring it brings all back;
    not what has got its picture since.
    """
    return _undo(op, user, keep_edited=False)[0]


def undo_keeping(op: Operation, user: User | None) -> tuple[Operation, int]:
    """As `undo`, but what `op` made and people have worked on since stays too; and how much was kept."""
    return _undo(op, user, keep_edited=True)


def edited_by_people(operations: "models.QuerySet[Operation]") -> set[tuple[str, int]]:
    """(kind, id) of what these operations made, and people have changed since or handed in as well."""
    born = Change.objects.filter(operation__in=operations, field="created")
    later = Change.objects.filter(object_kind=OuterRef("object_kind"), object_id=OuterRef("object_id"))
    later = later.filter(pk__gt=OuterRef("pk"), operation__undoes=None, operation__undone_by=None)
    later = later.exclude(operation__kind__in=AUTOMATIC).exclude(operation__user=None)
    others = Q(Exists(_handed_in_by_others()), object_kind=Change.Kind.ASSET, operation__batch__isnull=False)
    found = born.filter(Q(Exists(later)) | others)
    return set(found.values_list("object_kind", "object_id"))


def _handed_in_by_others() -> "models.QuerySet[BatchItem]":
    """Of a change to a picture: the files of other batches that are this picture, but of those taken back."""
    items = BatchItem.objects.filter(asset=OuterRef("object_id")).exclude(outcome=BatchItem.Outcome.REJECTED)
    taken_back = Import.objects.filter(batch=OuterRef("batch"), state=Import.State.UNDONE)
    return items.exclude(batch=OuterRef("operation__batch")).exclude(Exists(taken_back))


def with_pictures(edited: set[tuple[str, int]]) -> set[int]:
    """The ids of the assets among these, and of those that show the records among them."""
    records = [pk for kind, pk in edited if kind == Change.Kind.RECORD]
    assets = {pk for kind, pk in edited if kind == Change.Kind.ASSET}
    return assets | set(Depiction.objects.filter(record__in=records).values_list("asset_id", flat=True))


def _undo(op: Operation, user: User | None, *, keep_edited: bool) -> tuple[Operation, int]:
    with transaction.atomic():
        op = Operation.objects.select_for_update().get(pk=op.pk)
        if Operation.objects.filter(undoes=op).exists():
            raise ChangeRefused(_("This has been undone already."))
        if op.kind == DELETED:
            raise ChangeRefused(_("What was deleted for good cannot be brought back. A backup may have it."))
        spans = _spans(op)
        if not spans and op.changes.filter(object_kind__in=KINDS).exists():
            raise ChangeRefused(_("It was deleted for good meanwhile. A backup may still have it."))
        reversal = Operation.objects.create(kind="undo", user=user, undoes=op)
        others = op.changes.exclude(object_kind__in=KINDS).order_by("-pk")
        # A deleted collection is there again before its pictures return; a made one goes after they left it.
        stay = _others_back(reversal, others.filter(before__isnull=False)) + undo_terms(op, reversal)
        born = [span.subject for span in spans if span.field == "created"]
        spans = [span for span in spans if span.field == "created" or span.subject not in born]
        touched = {span.subject.pk for span in spans if isinstance(span.subject, Asset)}
        touched -= _filled_since(op, born)
        edited = edited_by_people(Operation.objects.filter(pk=op.pk)) if keep_edited else set()
        touched -= with_pictures(edited)
        context = _Context(spans, touched, edited)
        steps = [step for span in spans if (step := _reverse(span, context))]
        if op.kind == "vocabulary":
            _allowed.check_terms(user, Action.MANAGE)
        else:
            mine = user is not None and op.user_id == user.pk
            _allowed.check(user, steps, own=born if mine else (), undone=mine)
        commit(reversal, steps, checked=True)
        kept = len(spans) - len(steps) + stay + _others_back(reversal, others.filter(before__isnull=True))
        reversal.label = f"Undone: {op.label}"[:260] + (f" ({kept} later changes kept)" if kept else "")
        reversal.save(update_fields=["label"])
    return reversal, kept


def _others_back(reversal: Operation, found: "models.QuerySet[Change]") -> int:
    """Collections and light tables as they were; returns how many changes of them had to stay."""
    return collections.reverse(reversal, found.filter(object_kind=Change.Kind.COLLECTION)) + tables.reverse(
        reversal, found.filter(object_kind=Change.Kind.TABLE)
    )


def _spans(op: Operation) -> list[Span]:
    """The operation's changes by object and field, first `before` and last `after`, the latest first."""
    changes = list(op.changes.order_by("pk"))
    subjects = {
        (kind, subject.pk): subject
        for kind, model in KINDS.items()
        for subject in lock_pks(model, [c.object_id for c in changes if c.object_kind == kind])
    }
    found: dict[tuple[Any, ...], Span] = {}
    for change in changes:
        if change.field == SHOWN_BY:
            continue
        subject = subjects.get((change.object_kind, change.object_id))
        if subject is None:
            continue
        record = change.after["record"] if change.field == "depicts" and change.after else None
        key: tuple[Any, ...] = (change.object_kind, change.object_id, change.field, record)
        if change.field == "related" and change.after:  # it stands on both pictures, and is one thing
            key = (change.field, *sorted((change.after["asset"], change.after["other"])))
        before = found[key].before if key in found else change.before
        found[key] = Span(subject, change.field, before, change.after)
    return list(reversed(found.values()))


class _Context:
    """What is known when the spans are taken back, read once for all of them."""

    def __init__(self, spans: list[Span], touched: set[int], edited: set[tuple[str, int]]) -> None:
        self.touched, self.edited = touched, edited
        self.dates: dict[Subject, list[Span]] = defaultdict(list)
        for span in spans:
            if span.field in DATE:
                self.dates[span.subject].append(span)
        ids = {pk for span in spans if span.field == "terms" for pk in span.before or ()}
        self.alive = set(Term.objects.filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()
        self._values: dict[tuple[type[Subject], str, Any], Any] = {}

    def value(self, subject: Subject, field: str, stored: Any) -> Any:
        """As from_json; what many objects refer to is loaded once. Raises ObjectDoesNotExist."""
        if not subject._meta.get_field(field).is_relation:
            return from_json(subject, field, stored)
        key = (type(subject), field, stored)
        if key not in self._values:
            self._values[key] = from_json(subject, field, stored)
        return self._values[key]


def _reverse(span: Span, context: _Context) -> Step | None:
    """The step that takes a span back; None where it has to stay."""
    subject, field, before, after = span
    if (kind_of(subject), subject.pk) in context.edited:
        return None
    if field == "created":
        shown = isinstance(subject, Record) and _shown_by_others(subject, context.touched)
        filled = isinstance(subject, Asset) and subject.pk not in context.touched
        stays = subject.trashed_at is not None or shown or filled
        return None if stays else Step(subject, "trashed_at", timezone.now())
    if field == "depicts":
        moved = bool(before and before["linked"] and after["linked"])  # another view, or another place
        if moved and depicted(subject, after["record"]) != after:
            return None
        return Step(subject, field, before or depiction(after["record"], linked=False))
    if field == "related":
        return Step(subject, field, before) if known(after) == after else None
    if field == "terms":
        return Step(subject, field, _without_additions(subject, before or [], after or [], context.alive))
    if field in MERGED.values():
        return _reverse_some(span)
    unit = context.dates[subject] if field in DATE else [span]
    if any(to_json(raw(subject, s.field)) != s.after for s in unit):
        return None
    try:
        return Step(subject, field, context.value(subject, field, before))
    except ObjectDoesNotExist:
        return None


def _reverse_some(span: Span) -> Step | None:
    """Of a JSON column only those values that nobody has changed since; None where there is none."""
    subject, field, before, after = span
    before, after, today = before or {}, after or {}, getattr(subject, field)
    changed = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    back = [key for key in changed if today.get(key) == after.get(key)]
    value = {key: said for key, said in today.items() if key not in back}
    value |= {key: before[key] for key in back if key in before}
    return Step(subject, field, value) if back else None


def _filled_since(op: Operation, born: list[Subject]) -> set[int]:
    """The assets among these which came without a picture, and to which another operation has brought one."""
    ids = [subject.pk for subject in born if isinstance(subject, Asset) and not subject.is_awaited]
    brought = Change.objects.filter(object_kind=Change.Kind.ASSET, object_id__in=ids, field="current_version")
    return set(brought.exclude(operation=op).values_list("object_id", flat=True))


def _without_additions(subject: Subject, before: list[int], after: list[int], alive: set[int]) -> list[int]:
    """Today's terms without what was added and with what was removed, as far as it is among the living."""
    today = terms_of(subject)
    if today == after and alive.issuperset(before):
        return before  # in their order
    wanted = [pk for pk in today if pk in before or pk not in after]
    wanted += [pk for pk in before if pk not in after and pk in alive]
    return list(dict.fromkeys(wanted))


def _shown_by_others(record: Record, touched: set[int]) -> bool:
    others = record.depictions.filter(asset__trashed_at=None).exclude(asset__in=touched)
    return others.exists()
