"""Who changed what, and taking it back."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assets import changes
from assets.admin.common import ReadOnly, column, number_of
from assets.models import Change, Operation
from assets.stored import shown
from assets.views.requests import person
from assets.views.visible import hidden_changes

SHOWN = 200


@admin.register(Operation)
class OperationAdmin(ReadOnly[Operation]):
    list_display = ["label", "kind", "user", "created_at", "number", "undone", "details"]
    list_filter = ["kind", "created_at", ("user", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["user", "undone_by"]
    search_fields = ["label"]
    date_hierarchy = "created_at"
    actions = ["undo"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Operation]:
        found = super().get_queryset(request).annotate(number=number_of(Change, "operation"))
        if person(request).is_superuser:
            return found
        return found.exclude(Exists(hidden_changes(person(request)).filter(operation=OuterRef("pk"))))

    @column("changes", "number")
    def number(self, operation: Any) -> int:
        return int(operation.number)

    @admin.display(description="undone", boolean=True)
    def undone(self, operation: Operation) -> bool:
        return getattr(operation, "undone_by", None) is not None

    @column("")
    def details(self, operation: Operation) -> str:
        address = reverse("admin:assets_change_changelist")
        return format_html(
            '<a href="{}?operation__id__exact={}">{}</a>', address, operation.pk, _("Its changes")
        )

    @admin.action(description=gettext_lazy("Undo"), permissions=["act"])
    def undo(self, request: HttpRequest, operations: QuerySet[Operation]) -> None:
        for operation in operations.order_by("-created_at", "-pk"):
            try:
                self.message_user(request, shown(changes.undo(operation, person(request)).label))
            except changes.ChangeRefused as refused:
                self.message_user(request, f"{shown(operation.label)}: {refused}", messages.ERROR)


@admin.register(Change)
class ChangeAdmin(ReadOnly[Change]):
    list_display = ["operation", "object_kind", "object_id", "field", "before", "after"]
    list_filter = ["object_kind"]
    list_select_related = ["operation"]
    search_fields = ["=field", "operation__label"]
    search_help_text = gettext_lazy("The whole name of a field, or words of what was done")
    list_per_page = SHOWN
    ordering = ["-pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Change]:
        found = super().get_queryset(request)
        if person(request).is_superuser:
            return found
        hidden = hidden_changes(person(request)).filter(operation=OuterRef("operation"))
        return found.exclude(Exists(hidden))

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup == "operation__id__exact" or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]
