"""Bulk changes on pages: the list, one with its preview and progress, and what can be done with it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRefresh

import audit
from accounts.models import User
from assets.bulk import report, running, selecting
from assets.bulk.showing import shown
from assets.dates import parse_years
from assets.models import TAGS, Asset, BulkJob, Term
from assets.views.bulk_forms import ACTIONS, ActionForm, DateForm
from assets.views.cards import cards_of
from assets.views.requests import Request, person
from assets.views.visible import collections_for, tags_for

OTHER = gettext_lazy(
    "Nothing was changed: another change to these pictures was looked at meanwhile. It is shown here."
)
LISTED, STRIP, REASONS, TAGS_OFFERED = 25, 12, 20, 200
State = BulkJob.State


def jobs_of(user: User) -> "QuerySet[BulkJob]":
    """Their own; administrators look after all that changed something."""
    found = BulkJob.objects.defer("asset_ids").select_related("owner")
    own = Q(owner=user)
    return found.filter(own | ~Q(state__in=BulkJob.OPEN) if user.is_superuser else own)


def mine(request: HttpRequest, uid: UUID) -> BulkJob:
    return get_object_or_404(jobs_of(person(request)), uid=uid)


def own(request: HttpRequest, uid: UUID) -> BulkJob:
    """What is done in the name of a person is begun by that person alone."""
    return get_object_or_404(jobs_of(person(request)), uid=uid, owner=person(request))


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    begun = jobs_of(person(request)).exclude(state__in=BulkJob.OPEN)
    page = Paginator(begun.exclude(started_at=None), LISTED).get_page(request.GET.get("page"))
    return render(request, "assets/bulk_jobs.html", {"page": page, "jobs": page.object_list})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def page(request: Request, uid: UUID) -> HttpResponse:
    """The selection with what can be done, then the preview, then the progress and the outcome."""
    job = own(request, uid) if request.method == "POST" else mine(request, uid)
    name = request.GET.get("do", "")
    form = ACTIONS[name][1](request.POST or None) if name in ACTIONS else None
    if request.method == "POST":
        if form is not None and form.is_valid():
            return _planned(request, job, form)
        if form is None:
            return redirect(job)
    if job.state == State.SELECTED or (name and job.state in BulkJob.OPEN):
        return render(request, "assets/bulk_choose.html", _choosing(request, job, form, name))
    return redirect(job) if name else render(request, "assets/bulk_job.html", _outcome(request, job))


def _planned(request: HttpRequest, job: BulkJob, form: ActionForm) -> HttpResponse:
    if not running.plan(job, form.action()):
        messages.info(request, _("This selection has been changed already. Select the pictures once more."))
    return redirect(job)


def _choosing(request: HttpRequest, job: BulkJob, form: ActionForm | None, name: str) -> dict[str, Any]:
    seen = selecting.changeable(person(request))
    first = seen.for_grid().in_bulk(_first_ids(job, STRIP))
    user = person(request)
    return {
        "job": job,
        "actions": [(key, label, key == name) for key, (label, _form) in ACTIONS.items()],
        "cards": cards_of([first[pk] for pk in _first_ids(job, STRIP) if pk in first]),
        "rest": job.total - min(job.total, STRIP),
        "form": form,
        "name": name,
        "title": ACTIONS[name][0] if name in ACTIONS else "",
        "tag_labels": _tags(user, job, name),
        "collection_paths": [path for _c, path in collections_for(user)] if name == "collection" else [],
    }


def _first_ids(job: BulkJob, number: int) -> list[int]:
    found: list[int] = BulkJob.objects.filter(pk=job.pk).values_list(f"asset_ids__0_{number}", flat=True)[0]
    return found


def _tags(user: User, job: BulkJob, name: str) -> list[str]:
    """What can be taken away is what the pictures have; what can be added, what is in use."""
    if name == "remove-tags":
        used = Term.objects.in_vocabulary(TAGS).filter(assets__in=_some_of(user, job))
        return list(used.distinct().order_by("key").values_list("label", flat=True)[:TAGS_OFFERED])
    tags = tags_for(user).order_by("key").values_list("label", flat=True)
    return list(tags[:TAGS_OFFERED]) if name == "add-tags" else []


def _some_of(user: User, job: BulkJob) -> "QuerySet[Asset]":
    return selecting.changeable(user).filter(pk__in=_first_ids(job, 1000))


def _outcome(request: HttpRequest, job: BulkJob) -> dict[str, Any]:
    ids = [pk for pk, _d in job.examples]
    seen = selecting.changeable(person(request)).for_grid().in_bulk(ids) if job.state == State.PLANNED else {}
    cards = {card.asset.pk: card for card in cards_of(seen.values())}
    rows = [(cards[pk], [shown(d) for d in found]) for pk, found in job.examples if pk in cards]
    refusals = job.refusals.order_by().values_list("reason").annotate(number=Count("pk"))
    return {
        "job": job,
        **progress_of(job),
        "rows": rows,
        "more": max(job.changed - len(rows), 0),
        "refusals": list(refusals.order_by("-number")[:REASONS]),
        "undated": _has_no_year(job),
        "chosen": next((key for key, (_l, form) in ACTIONS.items() if _makes(form, job)), ""),
    }


def _makes(form: type[ActionForm], job: BulkJob) -> bool:
    """Whether an action of this job came from this form."""
    dated = job.action.get("field") == "date"
    return form.name == job.action.get("name") and (form.name != "text" or dated == (form is DateForm))


def _has_no_year(job: BulkJob) -> bool:
    action = job.action
    dated = action.get("field") == "date" and bool(action.get("value")) and action.get("mode") != "clear"
    return dated and parse_years(action["value"]) == (None, None)


def progress_of(job: BulkJob) -> dict[str, Any]:
    """How far it is, in pictures; of undoing in hundredths."""
    if job.state != State.UNDOING:
        return {"done": job.position, "of": job.total}
    left = running.left_to_undo(job).count()
    every = job.operations.count() or 1
    return {"done": 100 * (every - left) // every, "of": 100}


@login_required
@require_safe
def progress(request: Request, uid: UUID) -> HttpResponse:
    """The part that htmx asks for while there is work; when the work ends, the page is loaded anew."""
    job = mine(request, uid)
    if job.state not in BulkJob.WORKING:
        return HttpResponseClientRefresh()
    return render(request, "assets/partials/bulk_progress.html", {"job": job, **progress_of(job)})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, uid: UUID, what: str) -> HttpResponse:
    """One of the buttons on the page. Whoever had to sign in first comes with GET, and sees the page."""
    job = mine(request, uid) if what in ("cancel", "undo") or request.method != "POST" else own(request, uid)
    if request.method != "POST":
        return redirect(job)
    if what == "again":
        return _again(request, job)
    if what == "start" and request.POST.get("mark") != job.mark:
        messages.error(request, OTHER)
        return redirect(job)
    acts = {"start": running.start, "continue": running.go_on, "cancel": running.cancel}
    if not (running.undo(job, person(request)) if what == "undo" else acts[what](job)):
        messages.info(request, _("Nothing was to be done: it has gone on meanwhile."))
    return redirect(job)


def _again(request: HttpRequest, job: BulkJob) -> HttpResponse:
    try:
        return redirect(selecting.again(job))
    except selecting.NothingSelected as nothing:
        messages.error(request, str(nothing))
        return redirect(job)


@login_required
@require_safe
def report_csv(request: HttpRequest, uid: UUID) -> StreamingHttpResponse:
    job = mine(request, uid)
    audit.record(audit.Event.EXPORTED, request, audit.About("bulkjob", str(job.uid), job.label), format="csv")
    lines = report.lines(job, person(request), request.build_absolute_uri)
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = content_disposition_header(True, "report.csv") or "attachment"
    return answer
