"""/admin/audit/: who did what, and when; newest first, with filters, and as CSV."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

import audit
from audit.guarding import loopholes
from audit.listing import Wanted, entries, lines, said
from audit.models import Entry

PER_PAGE = 50


class Day(forms.DateField):
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class FilterForm(forms.Form):
    who = forms.CharField(label=gettext_lazy("Who (user name)"), required=False, max_length=150)
    event = forms.ChoiceField(
        label=gettext_lazy("What"),
        required=False,
        choices=[("", gettext_lazy("Everything")), *audit.Event.choices],
    )
    about = forms.CharField(label=gettext_lazy("About (title or id)"), required=False, max_length=200)
    since = Day(label=gettext_lazy("From"), required=False)
    until = Day(label=gettext_lazy("Until"), required=False)

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = self.cleaned_data
        if found.get("since") and found.get("until") and found["since"] > found["until"]:
            raise forms.ValidationError(_("The first day is after the last one."))
        return found

    def wanted(self) -> Wanted:
        return Wanted(**{name: self.cleaned_data.get(name) or empty for name, empty in EMPTY.items()})


EMPTY: dict[str, Any] = Wanted()._asdict()


@never_cache
@require_safe
def audit_page(request: HttpRequest) -> HttpResponse:
    """Pages go on from an id: the log may be long."""
    _may_look(request)
    form = FilterForm(request.GET)
    found = entries(form.wanted()) if form.is_valid() else Entry.objects.none()
    page, older = _portion(found, request.GET.get("before", ""))
    asked = {name: request.GET[name] for name in EMPTY if request.GET.get(name)}
    context = {
        "title": _("Audit log"),
        "form": form,
        "rows": [(entry, list(said(entry))) for entry in page],
        "filtered": bool(asked),
        "asked": asked,
        "older": urlencode(asked | {"before": older}) if older else "",
        "from_start": urlencode(asked),
        "loopholes": loopholes(),
        "paged": "before" in request.GET,
    }
    return TemplateResponse(request, "audit.html", {**admin.site.each_context(request), **context})


@require_POST
def audit_csv(request: HttpRequest) -> HttpResponseBase:
    """What the filters leave; that it was taken is recorded first, and so stands in it."""
    _may_look(request)
    form = FilterForm(request.POST)
    if not form.is_valid():
        return HttpResponse(_("The first day is after the last one."), status=400, content_type="text/plain")
    wanted = form.wanted()
    asked = {name: value for name, value in wanted._asdict().items() if value}
    audit.record(
        audit.Event.EXPORTED, request, audit.About("audit", label="Audit log"), format="csv", **asked
    )
    answer = StreamingHttpResponse(lines(entries(wanted)), content_type="text/csv; charset=utf-8")
    name = f"audit {timezone.localtime():%Y-%m-%d}.csv"
    answer["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    answer["Cache-Control"] = "private, no-store"
    return answer


def _portion(found: QuerySet[Entry], before: str) -> tuple[list[Entry], int | None]:
    """The entries of one page, and where the next one begins, if there is one."""
    if before.isdecimal() and len(before) < 19:
        found = found.filter(pk__lt=int(before))
    page = list(found[: PER_PAGE + 1])
    return page[:PER_PAGE], page[PER_PAGE - 1].pk if len(page) > PER_PAGE else None


def _may_look(request: HttpRequest) -> None:
    """Administrators, and whom they have allowed it: titles of hidden pictures stand in it."""
    if not request.user.has_perm("audit.view_entry"):
        raise PermissionDenied
