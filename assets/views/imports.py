"""The imports of a person: the list, the page of one with its progress and problems, and what can be done."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRefresh

import audit
from assets.imports import report, running, starting, undoing
from assets.imports.files import Files, SourceError, is_remote
from assets.imports.layout import fill, key_of
from assets.imports.mapping import Columns
from assets.imports.progress import counts_of, progress_of
from assets.imports.targets import targets
from assets.ingest import clean_filename
from assets.models import Import, ImportRow
from assets.seen import may_import
from assets.stored import shown
from assets.tables import TableRefused
from assets.views.imports_forms import RowForm
from assets.views.imports_mine import STEPS, imports_of, mine, uploads_of
from assets.views.requests import Request, person

PER_PAGE, LISTED, UPLOADS = 50, 25, 10
State, Result = Import.State, ImportRow.Result
ALWAYS = {"file", "accession", "title"}
LOOK_AT = Q(note__gt="") | Q(reason__gt="")


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    user = person(request)
    may_import(user)
    found = Paginator(imports_of(user), LISTED).get_page(request.GET.get("page"))
    deliveries = list(found.object_list)
    counts = counts_of(deliveries)
    rows = [(delivery, counts[delivery.pk]) for delivery in deliveries]
    uploads = uploads_of(user).select_related("user").order_by("-pk")[:UPLOADS]
    return render(request, "assets/imports.html", {"page": found, "rows": rows, "uploads": uploads})


@login_required
@require_safe
@vary_on_headers("HX-Request")
def page(request: Request, uid: UUID) -> HttpResponse:
    """Steps 3 and 4, and all that follows."""
    delivery = mine(request, uid)
    if delivery.state == State.MAPPING and delivery.has_table and not delivery.problem:
        return redirect("assets:import_columns", uid)
    progress = progress_of(delivery)
    show = request.GET.get("show", "")
    found = Paginator(_shown(delivery, show), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "delivery": delivery,
        "progress": progress,
        "page": found,
        "show": show,
        "filters": _filters(delivery, progress.counts, progress.notes),
        "step": 3 if delivery.state in (State.MAPPING, State.CHECKING, State.PLANNED) else 4,
        "steps": STEPS,
    }
    return render(request, "assets/import.html", context)


def _shown(delivery: Import, show: str) -> "QuerySet[ImportRow]":
    rows = delivery.rows.select_related("asset").order_by("number")
    if show == "notes":
        refused = Q(outcome=Result.REFUSED) | Q(outcome="", plan=Result.REFUSED)
        return rows.filter(LOOK_AT).exclude(refused)
    if show in Result.values:
        planned = delivery.state in (State.CHECKING, State.PLANNED)
        return rows.filter(plan=show) if planned else rows.filter(outcome=show)
    return rows


def _filters(delivery: Import, counts: list[tuple[str, str, int]], notes: int) -> list[tuple[str, str, int]]:
    """(value of `show`, in words, how many)."""
    found = [("", _("all"), delivery.rows.count()), *counts]
    return [*found, ("notes", _("to look at"), notes)] if notes else found


@login_required
@require_safe
def progress(request: Request, uid: UUID) -> HttpResponse:
    """The part that htmx asks for while there is work; when the work ends, the page is loaded anew."""
    delivery = mine(request, uid)
    if delivery.state not in Import.WORKING:
        return HttpResponseClientRefresh()
    context = {"delivery": delivery, "progress": progress_of(delivery)}
    return render(request, "assets/partials/import_progress.html", context)


@login_required
@require_POST
def act(request: HttpRequest, uid: UUID, what: str) -> HttpResponse:
    """One of the buttons on the page."""
    delivery = mine(request, uid)
    if what == "repeat":
        return _repeat(request, delivery)
    if not _done(delivery, what):
        messages.info(request, _("Nothing was to be done: somebody was quicker."))
    return redirect(delivery)


def _done(delivery: Import, what: str) -> bool:
    match what:
        case "start":
            return running.begin(delivery, State.RUNNING, [State.CHECKING, State.PLANNED])
        case "continue":
            return running.begin(delivery, State.RUNNING, [State.PAUSED])
        case "check":
            return running.begin(delivery, State.CHECKING, [State.MAPPING])
        case "retry":
            return running.again(delivery, _refused(delivery)) > 0
        case _:
            return running.stop(delivery, State.PAUSED if what == "pause" else State.CANCELLED)


def _refused(delivery: Import) -> "QuerySet[ImportRow]":
    return delivery.rows.filter(Q(outcome=Result.REFUSED) | Q(outcome="", plan=Result.REFUSED))


def _repeat(request: HttpRequest, delivery: Import) -> HttpResponse:
    try:
        return redirect(starting.repeat(delivery, person(request)))
    except (SourceError, TableRefused) as refused:
        messages.error(request, shown(str(refused)) + " " + _("Hand it in once more."))
        return redirect(delivery)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def row(request: HttpRequest, uid: UUID, number: int) -> HttpResponse:
    """Correct what a row says, and try it once more."""
    delivery = mine(request, uid)
    line = get_object_or_404(delivery.rows, number=number)
    if delivery.state not in Import.CORRECTABLE:
        messages.info(request, _("Nothing is corrected any more: the import was cancelled or taken back."))
        return redirect(delivery)
    known = targets()
    used = {column.target for column in Columns.of(delivery.mapping).columns}
    form = RowForm(line, known, ALWAYS | used | set(line.words), _posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            _correct(delivery, line, form)
        except SourceError as refused:
            form.add_error(None, shown(str(refused)))
        else:
            messages.success(
                request, _("Row %(number)d was corrected and is tried again.") % {"number": number}
            )
            return redirect(f"{delivery.get_absolute_url()}?show=refused")
    return render(request, "assets/import_row.html", {"delivery": delivery, "row": line, "form": form})


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _correct(delivery: Import, line: ImportRow, form: RowForm) -> None:
    file, words = form.words()
    if is_remote(delivery.place) and file == line.file:
        path, missing = line.path, line.missing
        line.words = {key: value for key, value in words.items() if value}
        line.path, line.missing = path, missing
        line.accession_key = key_of(line.words)
    else:
        line.file = file[:1000]
        fill(line, words, Files(delivery))
    line.sha256 = line.fingerprint = line.note = ""
    line.save()
    running.again(delivery, delivery.rows.filter(pk=line.pk))


@login_required
@require_safe
def report_csv(request: HttpRequest, uid: UUID) -> StreamingHttpResponse:
    delivery = mine(request, uid)
    about = audit.About("import", str(delivery.uid), delivery.name)
    audit.record(audit.Event.EXPORTED, request, about, format="csv")
    answer = StreamingHttpResponse(
        report.lines(delivery, request.build_absolute_uri), content_type="text/csv; charset=utf-8"
    )
    name = clean_filename(f"report {delivery.name}"[:80].replace("/", " ").replace(".", " ")) + ".csv"
    answer["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return answer


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Says what taking an import back would do, and does it."""
    delivery = mine(request, uid)
    if request.method == "POST":
        if not running.undo(delivery, person(request)):
            messages.info(request, _("It cannot be undone while it is being worked on."))
        return redirect(delivery)
    context = {"delivery": delivery, "found": undoing.foreseen(delivery.batch, person(request))}
    return render(request, "assets/import_undo.html", context)


@login_required
@require_POST
def undo_upload(request: HttpRequest, uid: UUID) -> HttpResponse:
    """An ordinary upload becomes an import that can be taken back; the next page asks."""
    user = person(request)
    may_import(user)
    batch = get_object_or_404(uploads_of(user), uid=uid)
    return redirect(reverse("assets:import_undo", args=[undoing.of_batch(batch).uid]))
