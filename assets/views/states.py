"""What something was at a moment of its history: looked at, compared, restored; and a history as CSV."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

import audit
from assets import changes
from assets.models import Operation, TermWork
from assets.stored import shown
from assets.tables.formulas import safe
from assets.views import facts, past
from assets.views.changed import Line
from assets.views.desk import desk_of
from assets.views.entries import Entry
from assets.views.requests import offer_undo, person
from assets.views.terms import load
from assets.views.vocabulary import editors_only

MOST = 5000  # operations in one file
WHOLE = 1_000_000  # characters of a value
OFFERED = 100  # moments to compare with


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def state(
    request: HttpRequest, operation: UUID, uid: UUID | None = None, kind: str = "asset"
) -> HttpResponse:
    """What would change if it were as it was then, or how that differs from another moment, which `with`
    names; a POST makes it so, and can be undone."""
    found = _past(request, kind, uid)
    entries = {entry.of.uid: entry for entry in found.entries()}
    moment = _among(entries, operation)
    if request.method == "POST":
        return _restore(request, found, moment)
    other = _among(entries, request.GET["with"]) if request.GET.get("with") else None
    context = {
        "past": found,
        "moment": moment,
        "other": other,
        "compared": [other, moment],
        "others": [entry for entry in entries.values() if entry != moment][:OFFERED],
        **_told(found, moment, other),
    }
    return render(request, "assets/state_then.html", context)


def _past(request: HttpRequest, kind: str, uid: UUID | None) -> past.Past:
    """Raises Http404, or PermissionDenied for what one sees, but not its past."""
    if uid is None:
        if not person(request).is_superuser:
            raise PermissionDenied(_("Only administrators decide about the whole library."))
        return past.of_library(request)
    if kind == "collection":
        return past.of_collection(request, uid)
    if kind == "term":
        editors_only(request)
        return past.of_term(request, load(request, uid))
    return past.of_described(request, desk_of(request, kind, uid))


def _among(entries: Mapping[UUID, Entry], uid: UUID | str) -> Entry:
    """The moment of this uid, if this history has it, or 404."""
    found = next((entry for known, entry in entries.items() if str(known) == str(uid)), None)
    if found is None:
        raise Http404
    return found


def _told(found: past.Past, moment: Entry, other: Entry | None) -> dict[str, Any]:
    """What differs, or why that cannot be said."""
    try:
        if other:
            return {"lines": found.between(other, moment)}
        then = found.then(moment)
    except changes.ChangeRefused as refused:
        return {"refused": str(refused)}
    return {"lines": then.lines, "stays": then.stays, "locked_out": then.locked_out}


def _restore(request: HttpRequest, found: past.Past, moment: Entry) -> HttpResponse:
    if not found.may:
        raise PermissionDenied(_("You may look back here, but not restore what was."))
    label = found.label(date_format(localtime(moment.of.created_at), "DATETIME_FORMAT"))
    try:
        done = found.restore(moment, label)
    except changes.NotAllowed:
        raise
    except changes.ChangeRefused as refused:
        messages.error(request, str(refused))
        return redirect(found.url)
    if done is None:
        messages.info(request, _("It is like this already. Nothing was changed."))
    elif isinstance(done, Operation):
        offer_undo(request, done, _("The earlier state is back."))
    elif done.state != TermWork.State.DONE:
        return redirect(done)
    else:
        first = Operation.objects.get(pk=done.operations[0])
        offer_undo(request, first, _("The earlier state is back."))
    return redirect(found.url_after())


@login_required
@require_safe
def history_csv(request: HttpRequest, uid: UUID, kind: str = "asset") -> StreamingHttpResponse:
    """All that is known of who changed what, when, from and to, the newest first."""
    desk = desk_of(request, kind, uid)
    audit.record(audit.Event.EXPORTED, request, desk.of, format="csv", what="history")
    entries = facts.history(past.subjects(desk), request.user, most=MOST, longest=WHOLE)
    answer = StreamingHttpResponse(_csv(entries), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="history {desk.of.uid}.csv"'
    answer["Cache-Control"] = "private, no-store"
    return answer


class _Echo:
    """A file for csv.writer that hands back what is written."""

    def write(self, text: str) -> str:
        return text


def _csv(entries: Sequence[Entry]) -> Iterator[str]:
    writer: Any = csv.writer(_Echo())
    headers = [_("when"), _("who"), _("what was done"), _("field"), _("from"), _("to"), _("undone since")]
    yield "\ufeff" + writer.writerow(headers)
    for entry in entries:
        operation = entry.of
        who = operation.user.get_username() if operation.user else ""
        said = [operation.created_at.isoformat(), safe(who), safe(shown(operation.label))]
        undone = _("yes") if entry.undone else ""
        for line in entry.lines or [Line("", "", "")]:
            words = [line.field, line.before, line.after]
            yield writer.writerow([*said, *map(safe, words), undone])
