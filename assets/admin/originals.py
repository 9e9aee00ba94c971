"""The bytes that pictures came as, what happened to them, and what was deleted for good."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from assets.admin.common import ReadOnly, column, number_of
from assets.models import Asset, AssetVersion, Blob, StorageEvent, Tombstone
from assets.views.requests import person

SHOWN = 5
WHAT_TO_DO = {
    Blob.Fixity.MISSING: gettext_lazy(
        "Find the file in a backup and put it back: manage.py fixity --restore FOLDER."
    ),
    Blob.Fixity.CHANGED: gettext_lazy(
        "The file is no longer what was uploaded. Put a right copy back from a backup: "
        "manage.py fixity --restore FOLDER. Look after the disk: others may follow."
    ),
    Blob.Fixity.UNREADABLE: gettext_lazy(
        "Look after the disk, or the rights of the folder. Where the file cannot be read "
        "again, put a copy back from a backup: manage.py fixity --restore FOLDER."
    ),
}


class BadFilter(admin.SimpleListFilter):
    """`bad` is where the health page leads to."""

    title, parameter_name = gettext_lazy("last reading"), "reading"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("bad", gettext("missing, changed or unreadable")),
            *((str(v), str(n)) for v, n in Blob.Fixity.choices),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Blob]) -> QuerySet[Blob]:
        if self.value() == "bad":
            return queryset.filter(fixity__in=Blob.BAD)
        return queryset.filter(fixity=self.value()) if self.value() else queryset


@admin.register(Blob)
class BlobAdmin(ReadOnly[Blob]):
    list_display = [
        "short",
        "pictures",
        "fixity",
        "todo",
        "checked_at",
        "size",
        "media_type",
        "state",
        "uses",
    ]
    list_filter = [BadFilter, "state", "media_type"]
    list_per_page = 50
    search_fields = ["sha256__startswith", "versions__original_filename"]
    search_help_text = gettext_lazy("The beginning of the SHA-256, or a file name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Blob]:
        """With the pictures that this person may see."""
        seen = Asset.objects.visible_to(request.user)
        versions = AssetVersion.objects.filter(asset__in=seen).select_related("asset").order_by("pk")
        blobs = super().get_queryset(request).annotate(uses=number_of(AssetVersion, "blob", asset__in=seen))
        if not person(request).is_superuser:
            used = AssetVersion.objects.filter(blob=OuterRef("pk"))
            blobs = blobs.filter(Exists(used.filter(asset__in=seen)) | ~Exists(used))
        return blobs.prefetch_related(Prefetch("versions", versions))

    @column("SHA-256", "sha256")
    def short(self, blob: Blob) -> str:
        return str(blob)

    @column("pictures")
    def pictures(self, blob: Blob) -> SafeString:
        versions = list(blob.versions.all())[:SHOWN]
        links = ((version.asset.get_absolute_url(), version.original_filename) for version in versions)
        return format_html_join(", ", '<a href="{}">{}</a>', links)

    @column("what was found, and what to do")
    def todo(self, blob: Blob) -> SafeString | str:
        if blob.fixity not in Blob.BAD:
            return ""
        return format_html("{} {}", blob.fixity_detail, WHAT_TO_DO[Blob.Fixity(blob.fixity)])

    @column("used by versions", "uses")
    def uses(self, blob: Any) -> int:
        return int(blob.uses)


@admin.register(StorageEvent)
class StorageEventAdmin(ReadOnly[StorageEvent]):
    list_display = ["at", "kind", "outcome", "sha256", "detail"]
    list_filter = ["kind", "outcome", "at"]
    search_fields = ["sha256__startswith"]
    search_help_text = gettext_lazy("The beginning of the SHA-256")


@admin.register(Tombstone)
class TombstoneAdmin(ReadOnly[Tombstone]):
    """What was deleted for good."""

    list_display = ["__str__", "kind", "accession_number", "filename", "deleted_at", "deleted_by", "uid"]
    list_filter = ["kind", "deleted_at", ("deleted_by", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["deleted_by"]
    search_fields = ["title", "accession_number", "filename", "uid"]
    search_help_text = gettext_lazy("Title, accession number, file name, or the identifier in the address")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tombstone]:
        return Tombstone.objects.visible_to(request.user)
