"""Records, where pictures live, and the museum's own fields."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from assets import changes
from assets.admin.common import RIGHTS, WORDS, DescribedAdmin, column, ids
from assets.admin.pictures import TrashFilter
from assets.models import Asset, AssetSet, Collection, Depiction, FieldDefinition, Record, SetItem


class PicturesInline(admin.TabularInline[Depiction, Record]):
    model = Depiction
    extra = 0
    can_delete = False
    fields = ["asset", "view", "position"]
    readonly_fields = ["asset", "view", "position"]
    verbose_name_plural = "its pictures"

    def has_add_permission(self, request: HttpRequest, obj: Record | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Depiction]:
        related = super().get_queryset(request).select_related("asset__current_version")
        return related.prefetch_related("asset__depictions__record")


@admin.register(Record)
class RecordAdmin(DescribedAdmin[Record]):
    list_display = ["accession_number", "title", "date", "creators", "pictures", "changed_at"]
    list_display_links = ["accession_number", "title"]
    list_filter = [TrashFilter]
    search_fields = ["accession_number", "title", "terms__label"]
    search_help_text = "Accession number, title, creator or tag"
    inlines = [PicturesInline]
    readonly_fields = ["uid", "created_at", "changed_at", "trashed_at"]
    fieldsets = [
        (None, {"fields": ["accession_number", *WORDS, "creators", "tags"]}),
        ("Rights", {"fields": RIGHTS}),
        ("History", {"fields": ["uid", "created_at", "changed_at", "trashed_at"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Record]:
        shown = Q(depictions__asset__current_version__isnull=False)
        counted = super().get_queryset(request).annotate(number=Count("depictions", filter=shown))
        return counted.prefetch_related("term_uses__term__vocabulary")

    @column("pictures", "number")
    def pictures(self, record: Any) -> int:
        return int(record.number)

    @column("creators")
    def creators(self, record: Record) -> str:
        return "; ".join(record.creators)


class CollectionForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean_parent(self) -> Collection | None:
        parent: Collection | None = self.cleaned_data["parent"]
        if parent and self.instance.pk and parent.pk in self.instance.with_descendants():
            raise forms.ValidationError("A collection cannot lie inside itself.")
        return parent


@admin.register(Collection)
class CollectionAdmin(admin.ModelAdmin[Collection]):
    form = CollectionForm
    list_display = ["name", "parent", "pictures"]
    search_fields = ["name"]
    autocomplete_fields = ["parent"]
    list_select_related = ["parent"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Collection]:
        shown = Q(assets__current_version__isnull=False)
        return super().get_queryset(request).annotate(number=Count("assets", filter=shown))

    @column("pictures", "number")
    def pictures(self, collection: Any) -> int:
        return int(collection.number)

    def save_model(self, request: HttpRequest, obj: Collection, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and {"name", "parent"} & set(form.changed_data):
            changes.notify(ids(Asset.objects.in_collection(obj).only("pk")))


class SetItemInline(admin.TabularInline[SetItem, AssetSet]):
    model = SetItem
    extra = 0
    raw_id_fields = ["asset"]


@admin.register(AssetSet)
class AssetSetAdmin(admin.ModelAdmin[AssetSet]):
    list_display = ["name", "owner", "created_at"]
    list_select_related = ["owner"]
    search_fields = ["name"]
    inlines = [SetItemInline]


@admin.register(FieldDefinition)
class FieldDefinitionAdmin(admin.ModelAdmin[FieldDefinition]):
    list_display = ["name", "slug", "type", "applies_to", "vocabulary", "required", "facet", "position"]
    list_editable = ["position"]
    list_filter = ["applies_to", "type"]
    list_select_related = ["vocabulary"]
    prepopulated_fields = {"slug": ["name"]}
