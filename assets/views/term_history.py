"""What was done to a term: who, when, from what to what. No HTML here."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.utils.translation import gettext as _

from assets import own
from assets.changes import went
from assets.models import Change, Term, TermWork
from assets.views.changed import Line
from assets.views.entries import Entry

SHOWN, MOST_CHANGES = 20, 200


def entries(term: Term, most: int = SHOWN) -> list[Entry]:
    """The newest first, in three queries. For those who look after the vocabulary: all terms are named."""
    of_it = Change.objects.filter(object_kind=Change.Kind.TERM, object_id=term.pk).order_by("-pk")
    said = list(of_it[:MOST_CHANGES])
    found = TermWork.objects.filter(operations__overlap=[one.operation_id for one in said])
    works = list(found.select_related("user", "undone_by")[:most])
    names = _names(said)
    lines = [(one.operation_id, line) for one in reversed(said) for line in _lines(one, names)]
    return [Entry.of_work(work, [line for pk, line in lines if pk in work.operations]) for work in works]


def lines_of(changes: Iterable[Change]) -> list[Line]:
    """What some changes of one term did, or would do."""
    changes = list(changes)
    names = _names(changes)
    return [line for one in changes for line in _lines(one, names)]


def _names(changes: Iterable[Change]) -> dict[int, str]:
    """What broader terms are called, or were."""
    said = [one for one in changes if one.field == "parents"]
    ids = {pk for one in said for pk in [*(one.before or ()), *(one.after or ())]}
    names = dict(Term.objects.filter(pk__in=ids).values_list("pk", "label"))
    gone = ids - set(names)
    return names | ({pk: one.label for pk, one in went(gone).items() if pk in gone} if gone else {})


def _lines(change: Change, names: dict[int, str]) -> Iterator[Line]:
    before: Any = change.before
    after: Any = change.after
    if change.field == "label":
        yield Line(_("Name"), before, after)
    elif change.field == "note":
        yield Line(_("Note"), before, after)
    elif change.field == "uri":
        yield Line(_("Web address of the concept"), before, after)
    elif change.field == "parents":
        texts = [_joined(names.get(pk, "?") for pk in ids) for ids in (before, after)]
        yield Line(_("Broader terms"), *texts)
    elif change.field == "labels":
        for language in {**before, **after}:
            texts = [_joined(some.get(language, ())) for some in (before, after)]
            if texts[0] != texts[1]:
                said = f"{_('Other names')} ({own.language_name(language)})" if language else _("Other names")
                yield Line(said, *texts)


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(texts)
