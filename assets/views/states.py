"""A picture or an object as it was described at a moment of its history: looked at, restored; and as CSV."""

import csv
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

import audit
from assets import changes
from assets.models import Operation
from assets.stored import shown
from assets.tables.formulas import safe
from assets.views import facts
from assets.views.allowed import may_describe, need_to_describe
from assets.views.changed import Line, Names, lines_of
from assets.views.desk import Desk, desk_of
from assets.views.facts import DERIVED
from assets.views.requests import offer_undo, person

MOST = 5000  # operations in one file
WHOLE = 1_000_000  # characters of a value


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def state(request: HttpRequest, uid: UUID, operation: UUID, kind: str = "asset") -> HttpResponse:
    """What would change if it were described as it was then; a POST does it, and can be undone."""
    desk = desk_of(request, kind, uid)
    then = get_object_or_404(Operation, uid=operation)
    if request.method == "POST":
        return _restore(request, desk, then)
    try:
        steps = changes.state_steps(_subjects(desk), then)
    except changes.ChangeRefused as refused:
        raise Http404(str(refused)) from refused
    may = may_describe(person(request), desk.of)
    context = {"desk": desk, "operation": then, "lines": _lines(request, steps), "may": may}
    return render(request, "assets/state_then.html", context)


@login_required
@require_safe
def history_csv(request: HttpRequest, uid: UUID, kind: str = "asset") -> StreamingHttpResponse:
    """All that is known of who changed what, when, from and to, the newest first."""
    desk = desk_of(request, kind, uid)
    audit.record(audit.Event.EXPORTED, request, desk.of, format="csv", what="history")
    entries = facts.history(_subjects(desk), request.user, most=MOST, longest=WHOLE)
    answer = StreamingHttpResponse(_csv(entries), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="history {desk.of.uid}.csv"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def _subjects(desk: Desk) -> list[changes.Subject]:
    return list(dict.fromkeys([desk.of, desk.subject]))


def _lines(request: HttpRequest, steps: Sequence[changes.Step]) -> list[Line]:
    would = [change for change in changes.changes_to_state(steps) if change.field not in DERIVED]
    names = Names.of(would, request.user)
    return [line for change in would for line in lines_of(change, names)]


def _restore(request: HttpRequest, desk: Desk, then: Operation) -> HttpResponse:
    need_to_describe(request, desk.of)
    moment = date_format(localtime(then.created_at), "DATETIME_FORMAT")
    label = _("Described again as on %(moment)s: %(title)s") % {"moment": moment, "title": desk.heading}
    try:
        done = changes.restore_state(_subjects(desk), then, person(request), label)
    except changes.NotAllowed:
        raise
    except changes.ChangeRefused as refused:
        messages.error(request, str(refused))
        return redirect(desk.of)
    if done is None:
        messages.info(request, _("It is described like this already. Nothing was changed."))
    else:
        offer_undo(request, done, _("The earlier description is back."))
    return redirect(desk.of)


class _Echo:
    """A file for csv.writer that hands back what is written."""

    def write(self, text: str) -> str:
        return text


def _csv(entries: Sequence[facts.Entry]) -> Iterator[str]:
    writer: Any = csv.writer(_Echo())
    headers = [_("when"), _("who"), _("what was done"), _("field"), _("from"), _("to"), _("undone since")]
    yield "\ufeff" + writer.writerow(headers)
    for entry in entries:
        operation = entry.operation
        who = operation.user.get_username() if operation.user else ""
        said = [operation.created_at.isoformat(), safe(who), safe(shown(operation.label))]
        undone = _("yes") if entry.undone else ""
        for line in entry.lines or [Line("", "", "")]:
            words = [_(line.field) if line.field else "", line.before, line.after]
            yield writer.writerow([*said, *map(safe, words), undone])
