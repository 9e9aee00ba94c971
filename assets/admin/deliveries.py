"""Imports of everybody: how far each is, and what can be done with it. Its own page has the rows."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assets.admin.common import ReadOnly, column, counted, number_of
from assets.imports import running
from assets.models import Import, ImportRow

State = Import.State


@admin.register(Import)
class ImportAdmin(ReadOnly[Import]):
    list_display = [
        "source",
        "brought_by",
        "state",
        "number",
        "refused",
        "problem",
        "started_at",
        "finished_at",
    ]
    list_filter = ["state", ("batch__user", admin.RelatedOnlyFieldListFilter), "started_at"]
    list_select_related = ["batch__user"]
    search_fields = ["batch__source", "batch__user__username", "problem"]
    search_help_text = gettext_lazy("Where it came from, or who brought it")
    ordering = ["-pk"]
    actions = ["pause", "go_on", "cancel"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Import]:
        refused = number_of(ImportRow, "delivery", outcome=ImportRow.Result.REFUSED)
        found = super().get_queryset(request).defer("mapping", "options", "notes")
        return found.annotate(lines=number_of(ImportRow, "delivery"), bad=refused)

    @column("import", "batch__source")
    def source(self, delivery: Import) -> SafeString:
        return format_html('<a href="{}">{}</a>', delivery.get_absolute_url(), delivery.name)

    @column("brought by", "batch__user__username")
    def brought_by(self, delivery: Import) -> str:
        return str(delivery.user or "")

    @column("rows")
    def number(self, delivery: Any) -> int:
        return int(delivery.lines)

    @column("refused")
    def refused(self, delivery: Any) -> int:
        return int(delivery.bad)

    @admin.action(description=gettext_lazy("Pause"), permissions=["act"])
    def pause(self, request: HttpRequest, imports: QuerySet[Import]) -> None:
        going = [one.state == State.RUNNING and running.stop(one, State.PAUSED) for one in imports]
        self._say(request, _("paused"), going)

    @admin.action(description=gettext_lazy("Continue those that are paused"), permissions=["act"])
    def go_on(self, request: HttpRequest, imports: QuerySet[Import]) -> None:
        done = [running.begin(one, State.RUNNING, [State.PAUSED]) for one in imports]
        self._say(request, _("going on"), done)

    @admin.action(description=gettext_lazy("Cancel: what was taken in stays"), permissions=["act"])
    def cancel(self, request: HttpRequest, imports: QuerySet[Import]) -> None:
        self._say(request, _("cancelled"), [running.stop(one, State.CANCELLED) for one in imports])

    def _say(self, request: HttpRequest, what: str, done: list[bool]) -> None:
        if number := sum(done):
            self.message_user(request, f"{counted(number, 'import')}: {what}.", messages.SUCCESS)
        if left := len(done) - number:
            text = _("%(what)s could not be changed: what is over stays as it is.")
            text %= {"what": counted(left, "import")}
            self.message_user(request, text, messages.WARNING)
