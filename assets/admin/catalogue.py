"""Records, and where pictures live."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect

from assets import changes
from assets.admin.common import RIGHTS, WORDS, AmongSeen, DescribedAdmin, column, number_of
from assets.admin.pictures import TrashFilter
from assets.changes import collections
from assets.models import Asset, AssetSet, Collection, Depiction, Record, SetItem
from assets.scopes import Action, scope_of
from assets.views.requests import person
from assets.views.visible import collections_for, records_for


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
        seen = Asset.objects.visible_to(request.user)
        related = (
            super().get_queryset(request).filter(asset__in=seen).select_related("asset__current_version")
        )
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
        seen = Asset.objects.visible_to(request.user)
        number = number_of(Depiction, "record", asset__in=seen, asset__current_version__isnull=False)
        counted = super().get_queryset(request).annotate(number=number)
        if not person(request).is_superuser:
            counted = counted.filter(pk__in=records_for(person(request)))
        return counted.prefetch_related("term_uses__term__vocabulary")

    @column("pictures", "number")
    def pictures(self, record: Any) -> int:
        return int(record.number)

    @column("creators")
    def creators(self, record: Record) -> str:
        return "; ".join(record.creators)


class CollectionForm(forms.ModelForm):  # type: ignore[type-arg]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "parent" in self.fields and self.instance.parent_id:
            offered: Any = self.fields["parent"]
            offered.queryset |= Collection.objects.filter(pk=self.instance.parent_id)

    def clean_parent(self) -> Collection | None:
        parent: Collection | None = self.cleaned_data["parent"]
        if parent and self.instance.pk and parent.pk in self.instance.with_descendants():
            raise forms.ValidationError("A collection cannot lie inside itself.")
        return parent


@admin.register(Collection)
class CollectionAdmin(AmongSeen[Collection]):
    """Every change goes through assets.changes.collections, so that it has a history and the search knows."""

    form = CollectionForm
    list_display = ["name", "parent", "pictures"]
    search_fields = ["name"]
    fields = ["name", "parent", "description"]
    autocomplete_fields = ["parent"]
    list_select_related = ["parent"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Collection]:
        seen = Asset.objects.visible_to(request.user).filter(current_version__isnull=False, trashed_at=None)
        number = number_of(Asset, "collection", pk__in=seen)
        counted = super().get_queryset(request).annotate(number=number)
        if person(request).is_superuser:
            return counted
        return counted.filter(pk__in=[one.pk for one, _path in collections_for(person(request))])

    @column("pictures", "number")
    def pictures(self, collection: Any) -> int:
        return int(collection.number)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except changes.ChangeRefused as refused:  # nothing was written: the view is one transaction
            self.message_user(request, str(refused), messages.ERROR)
            return redirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Collection, form: Any, change: bool) -> None:
        verb = "Edited" if change else "Made"
        op = changes.operation("collection", f"{verb} the collection {obj}", user=person(request))
        if not change:
            made = collections.make(op, obj.name, obj.parent, obj.description)
            obj.pk, obj.uid = made.pk, made.uid
        elif not collections.change(op, obj, {name: form.cleaned_data[name] for name in form.changed_data}):
            op.delete()

    def has_change_permission(self, request: HttpRequest, obj: Collection | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._managed(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Collection | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self._managed(request, obj)

    @staticmethod
    def _managed(request: HttpRequest, obj: Collection | None) -> bool:
        return obj is None or scope_of(request.user).may(Action.MANAGE, obj.pk)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Only empty ones are deleted; what is in the others is not named, as some of it may be hidden."""
        full = [str(one) for one in objs if one.assets.exists() or one.children.exists()]
        return [str(one) for one in objs], {}, set(), [f"{name}: something is in it." for name in full]

    def delete_model(self, request: HttpRequest, obj: Collection) -> None:
        op = changes.operation("collection", f"Deleted the collection {obj}", user=person(request))
        collections.delete(op, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Collection]) -> None:
        for collection in queryset:
            self.delete_model(request, collection)


class SetItemInline(admin.TabularInline[SetItem, AssetSet]):
    model = SetItem
    extra = 0
    fields = ["asset", "note"]
    readonly_fields = ["asset", "note"]
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: AssetSet | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[SetItem]:
        return (
            super()
            .get_queryset(request)
            .filter(asset__in=Asset.objects.visible_to(request.user))
            .select_related("asset__current_version")
            .prefetch_related("asset__depictions__record")
        )


@admin.register(AssetSet)
class AssetSetAdmin(admin.ModelAdmin[AssetSet]):
    list_display = ["name", "owner", "shared", "created_at"]
    list_filter = ["shared"]
    list_select_related = ["owner"]
    search_fields = ["name"]
    exclude = ["cover"]  # chosen on the page of the table, among what somebody sees
    inlines = [SetItemInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AssetSet]:
        found = super().get_queryset(request)
        seen = AssetSet.objects.visible_to(request.user)
        return found if person(request).is_superuser else found.filter(pk__in=seen)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """No picture is, and the names of those that lie there are not for everybody."""
        return [str(one) for one in objs], {}, set(), []
