"""A few hundred pictures of a bulk change: what would become of them, or what did."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy, ngettext

from assets import changes
from assets.bulk import actions, homes
from assets.bulk.selecting import changeable
from assets.bulk.showing import Difference, Names, differences
from assets.changes import Foreseen, Step, Subject, Wanted
from assets.models import Asset, BulkJob, BulkRefusal, Change, Depiction, Record
from assets.models import Collection as Home

EXAMPLES = 50
GONE = gettext_lazy("It is not in the library any more, or you may not see it any more.")


@dataclass
class Portion:
    """What became of some pictures, or would."""

    changed: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    examples: list[tuple[int, list[Difference]]] = field(default_factory=list)


def look_at(job: BulkJob, ids: Sequence[int]) -> Portion:
    """What the change would do to these pictures. Nothing is written of them; the refused are noted."""
    names = Names(actions.labels_in(job.action))
    shown = _shown(job, ids)
    subjects = _Subjects(shown, [*_stored(Asset, shown), *_stored(Record, filter(None, shown.values()))])
    foreseen = changes.foreseen_many(_wanted(job, subjects, homes.known, ()), names.ids, job.owner)
    portion = _judged(ids, subjects, foreseen, ())
    portion.examples = _examples(foreseen.steps, subjects, names, EXAMPLES - len(job.examples))
    _note_refused(job, portion)
    return portion


def change(job: BulkJob, ids: Sequence[int]) -> Portion:
    """Change these pictures, in the transaction of the caller."""
    shown = _shown(job, ids)
    stubs: list[Subject] = [Asset(pk=pk) for pk in shown]
    locked = changes.lock([*stubs, *(Record(pk=pk) for pk in filter(None, shown.values()))])
    again = changeable(job.owner).filter(pk__in=shown)  # nobody moves or hides them from here on
    still = set(again.values_list("pk", flat=True))
    subjects = _Subjects({pk: record for pk, record in shown.items() if pk in still}, locked)
    before = _done_before(job, locked)
    said = ngettext("%(what)s (%(number)s picture)", "%(what)s (%(number)s pictures)", job.total)
    label = said % {"what": job.label[:250], "number": f"{job.total:,}"}
    operation = changes.operation("bulk", label, user=job.owner, bulk=job)
    done = changes.apply_many(operation, _wanted(job, subjects, homes.made_by(job.owner), before))
    if not done.steps:
        operation.delete()
    portion = _judged(ids, subjects, done, before)
    _note_refused(job, portion)
    return portion


class _Subjects:
    """The pictures of a portion, each with the object that its words are said of."""

    def __init__(self, shown: Mapping[int, int | None], stored: Iterable[Subject]) -> None:
        found = {(type(subject), subject.pk): subject for subject in stored}
        self.by_id: dict[int, tuple[Asset, Subject]] = {}
        for pk, record in shown.items():
            picture = found.get((Asset, pk))
            if isinstance(picture, Asset):
                self.by_id[pk] = picture, found.get((Record, record or 0), picture)

    def all(self) -> list[Subject]:
        return list(dict.fromkeys(subject for both in self.by_id.values() for subject in both))


def _shown(job: BulkJob, ids: Sequence[int]) -> dict[int, int | None]:
    """Those that may be changed, in the order of `ids`, each with the first live record that it shows."""
    visible = set(changeable(job.owner).filter(pk__in=ids).values_list("pk", flat=True))
    depictions = Depiction.objects.filter(asset__in=visible, record__trashed_at=None)
    first: dict[int, int] = {}
    for asset, record in depictions.order_by("position", "pk").values_list("asset", "record"):
        first.setdefault(asset, record)
    return {pk: first.get(pk) for pk in ids if pk in visible}


def _stored(model: type[Subject], ids: Iterable[int]) -> Iterable[Subject]:
    """As changes.lock gives them, without locks."""
    return model._default_manager.filter(pk__in=list(ids)).prefetch_related("term_uses")


def _done_before(job: BulkJob, subjects: Collection[Subject]) -> set[int]:
    """The objects among these that this change has reached already, by another picture of them."""
    records = [subject.pk for subject in subjects if isinstance(subject, Record)]
    done = Change.objects.filter(operation__bulk=job, object_kind=Change.Kind.RECORD, object_id__in=records)
    return set(done.values_list("object_id", flat=True)) if records else set()


def _wanted(
    job: BulkJob, subjects: _Subjects, home: Callable[[str], Home], done: Collection[int]
) -> list[Wanted]:
    """The patches of these pictures and objects, each object once."""
    recipe = actions.recipe(job.action, home)
    for model in (Asset, Record):
        actions.prepare(job.action, [s for s in subjects.all() if isinstance(s, model)])
    found: dict[Subject, Wanted] = {}
    for asset, subject in subjects.by_id.values():
        for wanted in recipe(asset, subject):
            if not (isinstance(wanted.subject, Record) and wanted.subject.pk in done):
                found.setdefault(wanted.subject, wanted)
    return list(found.values())


def _judged(ids: Sequence[int], subjects: _Subjects, result: Foreseen, done: Collection[int]) -> Portion:
    """By picture: it changes when it, or the object that it shows, does."""
    touched = {step.subject for step in result.steps}
    portion = Portion()
    for pk in ids:
        if pk not in subjects.by_id:
            portion.refused[pk] = str(GONE)
            continue
        both = subjects.by_id[pk]
        if any(s in touched or (isinstance(s, Record) and s.pk in done) for s in both):
            portion.changed.append(pk)
        elif reasons := [result.refused[s] for s in both if s in result.refused]:
            portion.refused[pk] = reasons[0]
    return portion


def _examples(
    steps: Sequence[Step], subjects: _Subjects, names: Names, most: int
) -> list[tuple[int, list[Difference]]]:
    """(id, differences) of the first that would change, each object with the first of its pictures."""
    by_subject: dict[Subject, list[Step]] = defaultdict(list)
    for step in steps:
        by_subject[step.subject].append(step)
    chosen: list[tuple[int, list[Step]]] = []
    for pk, both in subjects.by_id.items():
        own = [step for s in dict.fromkeys(both) for step in by_subject.pop(s, ())]
        if own and len(chosen) < most:
            chosen.append((pk, own))
    names.load([step for _, own in chosen for step in own])
    return [(pk, differences(own, names)) for pk, own in chosen]


def _note_refused(job: BulkJob, portion: Portion) -> None:
    BulkRefusal.objects.bulk_create(
        [BulkRefusal(job=job, asset_id=pk, reason=reason) for pk, reason in portion.refused.items()],
        ignore_conflicts=True,
    )
