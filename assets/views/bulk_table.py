"""A selection is put on a light table: one that is there, or a new one."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from accounts.models import User
from assets import light_tables
from assets.light_tables import Added, TableError
from assets.models import AssetSet, BulkJob
from assets.views.bulk import own
from assets.views.requests import offer_undo, person


class TableForm(forms.Form):
    table = forms.ModelChoiceField(
        label=gettext_lazy("Light table"),
        queryset=AssetSet.objects.none(),
        to_field_name="uid",
        required=False,
        empty_label=gettext_lazy("A new one"),
    )
    name = forms.CharField(label=gettext_lazy("Name of the new one"), required=False, max_length=200)

    def __init__(self, *args: Any, user: User) -> None:
        super().__init__(*args)
        field: Any = self.fields["table"]
        field.queryset = AssetSet.objects.visible_to(user)

    def clean(self) -> dict[str, Any]:
        found = self.cleaned_data
        if not found.get("table") and not found.get("name") and not self.errors:
            self.add_error("name", _("Choose a light table, or name a new one."))
        return found


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, uid: UUID) -> HttpResponse:
    job, user = own(request, uid), person(request)
    form = TableForm(request.POST if request.method == "POST" else None, user=user)
    if form.is_valid():
        try:
            table, added = _put(user, job, form)
        except TableError as refused:
            form.add_error(None, str(refused))
        else:
            _say(request, table, added)
            return redirect(table)
    return render(request, "assets/bulk_table.html", {"job": job, "form": form})


def _put(user: User, job: BulkJob, form: TableForm) -> tuple[AssetSet, Added]:
    """Raises TableError; then no table is made either."""
    if job.total > light_tables.MOST:
        raise TableError(_("A light table holds at most %(most)d pictures.") % {"most": light_tables.MOST})
    table = form.cleaned_data["table"] or light_tables.make(user, form.cleaned_data["name"])
    return table, light_tables.add(user, table, job.asset_ids)


def _say(request: HttpRequest, table: AssetSet, added: Added) -> None:
    if added.operation:
        offer_undo(request, added.operation)
        return
    said = ngettext(
        "%(number)d picture lies here already.", "%(number)d pictures lie here already.", added.known
    )
    messages.info(request, said % {"number": added.known})
