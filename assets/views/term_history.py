"""What was done to a term: who, when, from what to what. No HTML here."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from assets import own
from assets.models import Change, Term, TermWork
from assets.views.changed import Line

SHOWN, MOST_CHANGES = 20, 200


class Entry(NamedTuple):
    """A change with all that belongs to it, and what it did to the term itself."""

    work: TermWork
    lines: list[Line]


def entries(term: Term) -> list[Entry]:
    """The newest first, in three queries. For those who look after the vocabulary: all terms are named."""
    of_it = Change.objects.filter(object_kind=Change.Kind.TERM, object_id=term.pk).order_by("-pk")
    said = list(of_it[:MOST_CHANGES])
    found = TermWork.objects.filter(operations__overlap=[one.operation_id for one in said])
    works = list(found.select_related("user", "undone_by")[:SHOWN])
    broader = {
        pk for one in said if one.field == "parents" for pk in [*(one.before or ()), *(one.after or ())]
    }
    names = dict(Term.objects.filter(pk__in=broader).values_list("pk", "label"))
    lines = [(one.operation_id, line) for one in reversed(said) for line in _lines(one, names)]
    return [Entry(work, [line for pk, line in lines if pk in work.operations]) for work in works]


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
