"""What downloads are for: the question, and the list of what was taken, with its table."""

import csv
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header, url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

import audit
from assets.forms.rights import PurposeForm
from assets.models import Asset, Download, Use
from assets.tables.formulas import safe
from assets.views.licensed import PURPOSE, purpose_of
from assets.views.requests import person

SHOWN = 50


class _Echo:
    """A file for csv.writer that hands back what is written."""

    def write(self, text: str) -> str:
        return text


class DownloadsFilter(forms.Form):
    q = forms.CharField(
        label=gettext_lazy("Person, picture or purpose"), required=False, max_length=200, empty_value=""
    )
    use = forms.ChoiceField(label=gettext_lazy("What for"), required=False)
    since = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label=gettext_lazy("To"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        uses = [(use.slug, str(use)) for use in Use.objects.all()]
        self.fields["use"].choices = [("", _("Anything")), *uses]  # type: ignore[attr-defined]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def purpose(request: HttpRequest) -> HttpResponse:
    """Asked once in a session, before the first picture that asks; it can be changed at any time."""
    back = request.POST.get("next") or request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = ""
    known = purpose_of(request)
    initial = {"use": known.use or PurposeForm.OTHER, "words": known.words} if known else {}
    form = PurposeForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        use = form.cleaned_data["use"]
        said = {"use": "" if use == PurposeForm.OTHER else use, "words": form.cleaned_data["words"]}
        request.session[PURPOSE] = said
        messages.success(request, _("Thank you. It is noted with your downloads until you sign out."))
        return redirect(back or reverse("search:library"))
    return render(request, "assets/purpose.html", {"form": form, "next": back})


@login_required
@require_safe
def downloads(request: HttpRequest) -> HttpResponse:
    form = DownloadsFilter(request.GET)
    page = Paginator(taken(request, form).select_related("asset"), SHOWN).get_page(request.GET.get("page"))
    uses = {use.slug: str(use) for use in Use.objects.all()}
    rows = [(one, uses.get(one.use, one.use)) for one in page]
    filtered = any(request.GET.get(name) for name in form.fields)
    context = {"form": form, "page": page, "rows": rows, "filtered": filtered}
    return render(request, "assets/downloads.html", context)


@login_required
@require_safe
def downloads_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The same list as a table, all of it."""
    found = taken(request, DownloadsFilter(request.GET)).select_related("asset")
    about = audit.About("downloads", label="Downloads")
    audit.record(audit.Event.EXPORTED, request, about, format="csv", pictures=found.count())
    answer = StreamingHttpResponse(_lines(found, request), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = content_disposition_header(True, "downloads.csv") or "attachment"
    answer["Cache-Control"] = "private, no-store"
    return answer


def taken(request: HttpRequest, form: DownloadsFilter) -> QuerySet[Download]:
    """What was taken of the pictures that this person manages; of what is gone only administrators are told.

    A filter that cannot be read finds nothing.
    """
    user = person(request)
    found = Download.objects.all()
    if not user.is_superuser:
        found = found.filter(asset__in=Asset.objects.allowing(user, "manage"))
    if not form.is_valid():
        return found.none()
    said = form.cleaned_data
    if text := said["q"].replace("\x00", ""):
        words = Q(username__icontains=text) | Q(title__icontains=text) | Q(purpose__icontains=text)
        found = found.filter(words)
    if said["use"]:
        found = found.filter(use=said["use"])
    if said["since"]:
        found = found.filter(at__date__gte=said["since"])
    if said["until"]:
        found = found.filter(at__date__lte=said["until"])
    return found


def _lines(found: QuerySet[Download], request: HttpRequest) -> Iterator[str]:
    writer: Any = csv.writer(_Echo())
    uses = {use.slug: str(use) for use in Use.objects.all()}
    headers = [_("when"), _("person"), _("picture"), _("size"), _("watermark"), _("what for")]
    yield "\ufeff" + writer.writerow([*headers, _("in their words"), _("through"), _("address")])
    for one in found.iterator(chunk_size=1000):
        link = request.build_absolute_uri(one.asset.get_absolute_url()) if one.asset else ""
        at = timezone.localtime(one.at).isoformat(timespec="seconds")
        words = [one.username, one.title, one.size, _("yes") if one.marked else ""]
        words += [uses.get(one.use, one.use), one.purpose, str(one.get_through_display()), link]
        yield writer.writerow([at, *map(safe, words)])
