"""What a library has decided about the use of its pictures, and what was downloaded."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from assets.admin.common import ReadOnly
from assets.models import Asset, Download, LicenceRules, Record, Use
from assets.statements import STATEMENTS
from assets.views.requests import person

STATEMENT_CHOICES = [(one.code, f"{one.code}: {one.name}") for one in STATEMENTS]


class RulesForm(forms.ModelForm):  # type: ignore[type-arg]
    asks_for = forms.MultipleChoiceField(
        required=False,
        choices=STATEMENT_CHOICES,
        widget=forms.CheckboxSelectMultiple,
        label=LicenceRules._meta.get_field("asks_for").verbose_name,
        help_text=LicenceRules._meta.get_field("asks_for").help_text,
    )


@admin.register(LicenceRules)
class LicenceRulesAdmin(admin.ModelAdmin[LicenceRules]):
    """One row, which is made when it is first saved."""

    form = RulesForm

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not LicenceRules.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: LicenceRules | None = None) -> bool:
        return False


@admin.register(Use)
class UseAdmin(admin.ModelAdmin[Use]):
    list_display = ["name", "slug", "asks", "position"]
    list_editable = ["asks", "position"]
    prepopulated_fields = {"slug": ["name"]}

    def get_readonly_fields(self, request: HttpRequest, obj: Use | None = None) -> list[str]:
        return ["slug"] if obj else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Use | None = None) -> dict[str, Any]:
        return {} if obj else {"slug": ["name"]}

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A use that pictures are not for is not deleted: they would be allowed for it from then on."""
        deleted, counts, needed, protected = super().get_deleted_objects(objs, request)
        for use in objs:
            said = {"not_for__contains": [use.slug]}
            if Asset.objects.filter(**said).exists() or Record.objects.filter(**said).exists():
                protected.append(f"{use}: some pictures are not for it.")
        return deleted, counts, needed, protected


@admin.register(Download)
class DownloadAdmin(ReadOnly[Download]):
    list_display = ["at", "username", "title", "size", "use", "purpose", "through"]
    list_filter = ["use", "through", "at"]
    search_fields = ["username", "title", "purpose"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Download]:
        """Of pictures that this person sees; of what is gone only administrators are told."""
        found = super().get_queryset(request)
        seen = Asset.objects.visible_to(request.user)
        return found if person(request).is_superuser else found.filter(asset__in=seen)
