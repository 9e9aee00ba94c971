"""A selection as a zip: what it will be, and the archive itself."""

import threading
from typing import NamedTuple
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Count, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

import audit
from assets.bulk.archive import ORIGINAL, Archive
from assets.bulk.selecting import downloadable
from assets.copies import LIMITED
from assets.models import BulkJob
from assets.scopes import Action, scope_of
from assets.views.licensed import purpose_of, said_purpose
from assets.views.requests import person

JPEG = gettext_lazy("JPEG, at most %(size)s pixels wide or high")
_turns: dict[int, threading.BoundedSemaphore] = {}
BUSY = gettext_lazy("Others are downloading many pictures just now. Try again in a few minutes.")


class SizeForm(forms.Form):
    size = forms.TypedChoiceField(
        label=gettext_lazy("Size"),
        coerce=int,
        choices=[
            (ORIGINAL, gettext_lazy("Originals, as they were handed in")),
            *((size, JPEG % {"size": size}) for size in LIMITED),
        ],
        initial=ORIGINAL,
        widget=forms.RadioSelect,
    )


class Offer(NamedTuple):
    """What can be downloaded of a selection."""

    pictures: int
    waiting: int
    """Of them those whose picture has still to come."""
    size: int
    """Bytes of the originals."""
    refusal: str
    """Why the originals are too many or too large; empty where they are not."""
    jpegs_refusal: str


def offer_of(job: BulkJob) -> Offer:
    if job.total > settings.DOWNLOAD_PICTURES:
        said = _("At most %(most)s pictures go into one download, and these are %(number)s. Select fewer.")
        said %= {"most": intcomma(settings.DOWNLOAD_PICTURES), "number": intcomma(job.total)}
        return Offer(job.total, 0, 0, said, said)
    seen = downloadable(job.owner, Action.DOWNLOAD).filter(pk__in=job.asset_ids)
    whole = scope_of(job.owner).of(Action.ORIGINAL).q()
    files = {"number": Count("current_version"), "originals": Count("current_version", filter=whole)}
    size_of = Sum("current_version__blob__size", filter=whole)
    counted = seen.aggregate(all=Count("pk"), size=size_of, **files)
    number, size = counted["number"], counted["size"] or 0
    refusal = "" if number else _("None of these pictures is there any more, or you may not download them.")
    if number and not counted["originals"]:
        refusal = _("You may download copies of these pictures, but not the originals.")
    if size > settings.DOWNLOAD_GB * 1024**3:
        refusal = _("Together they have %(size)s; at most %(most)s GB go into one download. Select fewer.")
        refusal %= {"size": filesizeformat(size), "most": settings.DOWNLOAD_GB}
    jpegs = "" if number else refusal
    if number > settings.DOWNLOAD_JPEGS:
        jpegs = _("JPEGs are made while you wait: at most %(most)s of them in one download.")
        jpegs %= {"most": intcomma(settings.DOWNLOAD_JPEGS)}
    return Offer(number, counted["all"] - number, size, refusal, jpegs)


def a_turn() -> threading.BoundedSemaphore:
    """For as many downloads of many pictures as may go on at the same time in this process."""
    number = settings.DOWNLOADS_AT_ONCE
    return _turns.setdefault(number, threading.BoundedSemaphore(number))


def _own(request: HttpRequest, uid: UUID) -> BulkJob:
    return get_object_or_404(BulkJob.objects.filter(owner=person(request)), uid=uid)


@login_required
@require_safe
def page(request: HttpRequest, uid: UUID) -> HttpResponse:
    job = _own(request, uid)
    form = SizeForm(initial={"size": ORIGINAL})
    return render(request, "assets/bulk_download.html", {"job": job, "form": form, "offer": offer_of(job)})


@login_required
@require_safe
def archive(request: HttpRequest, uid: UUID) -> HttpResponseBase:
    """The zip. What is refused is said on the page of it."""
    job = _own(request, uid)
    form = SizeForm(request.GET)
    if not form.is_valid():
        raise Http404
    longest, offer = form.cleaned_data["size"], offer_of(job)
    refusal = offer.refusal if longest == ORIGINAL else offer.jpegs_refusal
    turn = a_turn()
    if not refusal and not turn.acquire(blocking=False):
        refusal = str(BUSY)
    if refusal:
        status = 503 if refusal == str(BUSY) else 400
        context = {"job": job, "form": form, "offer": offer, "refusal": refusal}
        return render(request, "assets/bulk_download.html", context, status=status)
    try:
        _record(request, job, longest, offer)
    except Exception:
        turn.release()
        raise
    made = Archive(
        person(request), job.asset_ids, longest, request.build_absolute_uri, turn.release, purpose_of(request)
    )
    answer = StreamingHttpResponse(made, content_type="application/zip")
    name = f"{settings.SITE_NAME} {timezone.localtime():%Y-%m-%d}.zip"
    answer["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _record(request: HttpRequest, job: BulkJob, longest: int, offer: Offer) -> None:
    """Which pictures were taken away; by their ids in the database, as they may be thousands."""
    about = audit.About("bulkjob", str(job.uid), str(job))
    details = {"longest": longest or "original", "pictures": offer.pictures, "assets": job.asset_ids}
    audit.record(audit.Event.DOWNLOADED, request, about, what="zip", **said_purpose(request), **details)
