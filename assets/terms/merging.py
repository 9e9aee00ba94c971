"""Several terms become one, and everything that had one of them has that one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from assets import changes
from assets.hierarchy import with_broader
from assets.models import Asset, Record, TagAnswer, Term, TermWork
from assets.terms import work

AT_ONCE = 200  # pictures or objects that change in one transaction


@dataclass(frozen=True)
class Preview:
    """What merging would do."""

    pictures: int
    """That have one of the terms themselves."""
    objects: int
    labels: dict[str, list[str]]
    """All further labels that the one term will have, by language."""
    uri: str
    lost_uris: list[str]
    narrower: list[Term]
    """Terms that move below the one."""
    broader: list[Term]
    """All broader terms that it will have."""


def preview(target: Term, sources: Sequence[Term]) -> Preview:
    """Raises ChangeRefused where these cannot be merged."""
    check(target, sources)
    ids = [source.pk for source in sources]
    pictures, objects = work.uses(ids)
    narrower = Term.objects.filter(parents__in=ids).exclude(pk__in=[target.pk, *ids]).distinct()
    uri, lost = _uris(target, sources)
    broader = Term.objects.filter(pk__in=_broader(target, ids))
    labels = _labels(target, sources)
    return Preview(pictures, objects, labels, uri, lost, list(narrower), list(broader))


def merge(target: Term, sources: Sequence[Term], user: User | None) -> TermWork:
    """Begin it, and do the first second of it. Raises ChangeRefused."""
    check(target, sources)
    names = ", ".join(source.label for source in sources)
    label = f"Merged {names} into {target.label}"
    ids = [source.pk for source in sources]
    plan = {
        "target": target.pk,
        "sources": ids,
        "renamed": {source.label: target.label for source in sources},
    }
    total = sum(work.uses(ids))
    found = work.begin(TermWork.Kind.MERGE, label, user, target.vocabulary, plan=plan, total=total)
    return work.briefly(found)


def check(target: Term, sources: Sequence[Term]) -> None:
    if not sources:
        raise changes.ChangeRefused(_("Choose at least one term to merge."))
    if target in sources:
        raise changes.ChangeRefused(_("A term cannot be merged into itself."))
    if any(source.vocabulary_id != target.vocabulary_id for source in sources):
        raise changes.ChangeRefused(_("Only terms of the same vocabulary can be merged."))
    ids = [source.pk for source in sources]
    open_work = TermWork.objects.filter(kind=TermWork.Kind.MERGE, state=TermWork.State.WORKING)
    busy = {
        pk for plan in open_work.values_list("plan", flat=True) for pk in [plan["target"], *plan["sources"]]
    }
    if busy & {target.pk, *ids}:
        raise changes.ChangeRefused(_("One of these is being merged at this moment. Try again in a while."))


def move_uses(found: TermWork) -> bool:
    """Give the next pictures, then objects, the one term; True when none is left."""
    ids: list[int] = found.plan["sources"]
    _alive(found)
    subjects: list[Any] = list(
        Asset.objects.filter(term_uses__term__in=ids).distinct().order_by("pk")[:AT_ONCE]
    )
    subjects += list(Record.objects.filter(term_uses__term__in=ids).distinct().order_by("pk")[:AT_ONCE])
    if not subjects:
        return True
    with transaction.atomic():
        op = changes.operation("vocabulary", found.label, user=found.user)
        found.done += changes.replace_terms(op, subjects, dict.fromkeys(ids, found.plan["target"]))
        found.operations.append(op.pk)
        TermWork.objects.filter(pk=found.pk).update(operations=found.operations, done=found.done)
    return False


def finish(found: TermWork) -> bool:
    """Labels, hierarchy and addresses, in one transaction; False where a picture got a term meanwhile."""
    ids: list[int] = found.plan["sources"]
    with transaction.atomic():
        target, sources = _alive(found)
        list(Term.objects.filter(pk__in=ids).order_by("pk").select_for_update())  # now nothing gets them
        if any(work.uses(ids)):
            found.phase = TermWork.Phase.USES
            return False
        op = changes.operation("vocabulary", found.label, user=found.user)
        below = Term.objects.filter(parents__in=ids).exclude(pk__in=[target.pk, *ids]).distinct()
        parents = changes.parents_of(below.values_list("pk", flat=True))
        moved = {pk: {"parents": {target.pk, *above} - set(ids)} for pk, above in parents.items()}
        uri, _lost = _uris(target, sources)
        note = target.note or next((source.note for source in sources if source.note), "")
        patch = {"labels": _labels(target, sources), "uri": uri, "note": note}
        changes.change_terms(op, {**moved, target.pk: {**patch, "parents": _broader(target, ids)}})
        _move_answers(target, ids)
        changes.delete_terms(op, ids, into=target.pk)
        found.operations.append(op.pk)
        TermWork.objects.filter(pk=found.pk).update(operations=found.operations)
    return True


def _move_answers(target: Term, ids: Sequence[int]) -> None:
    """What somebody said of suggesting one of these is said of the one term, unless something was before."""
    answers = TagAnswer.objects.filter(term__in=ids).order_by("asset_id", "-answered_at")
    known = TagAnswer.objects.filter(term=target).values("asset")
    answers = answers.exclude(asset__in=known).distinct("asset_id")
    newest = list(answers.values_list("pk", flat=True))
    TagAnswer.objects.filter(pk__in=newest).update(term=target)


def _alive(found: TermWork) -> tuple[Term, list[Term]]:
    terms = Term.objects.in_bulk([found.plan["target"], *found.plan["sources"]])
    if len(terms) <= len(found.plan["sources"]):
        raise changes.ChangeRefused(_("One of these terms was deleted meanwhile."))
    return terms.pop(found.plan["target"]), list(terms.values())


def _labels(target: Term, sources: Sequence[Term]) -> dict[str, list[str]]:
    """The labels of the target, then those of the others; their first ones without a language.

    A label keeps the language in which one of them has it.
    """
    joined = {language: list(labels) for language, labels in target.labels.items()}
    for source in sources:
        for language, labels in source.labels.items():
            joined.setdefault(language, []).extend(labels)
    said = {label for labels in joined.values() for label in labels} | {target.label}
    joined.setdefault("", []).extend(source.label for source in sources if source.label not in said)
    return {language: list(dict.fromkeys(labels)) for language, labels in joined.items() if labels}


def _uris(target: Term, sources: Sequence[Term]) -> tuple[str, list[str]]:
    uris = list(dict.fromkeys(term.uri for term in [target, *sources] if term.uri))
    return (uris[0], uris[1:]) if uris else ("", [])


def _broader(target: Term, ids: Sequence[int]) -> set[int]:
    """The broader terms of all of them, without themselves and without those that would be below the target.

    Narrower terms of the others come below the target, so nothing that is below any of them can be above.
    """
    every = changes.parents_of([target.pk, *ids])
    own = {target.pk, *ids}
    above = {pk for parents in every.values() for pk in parents} - own
    return {pk for pk in above if not own & with_broader([pk])}
