"""What was handed in, and what the workers made of it."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from assets import pipeline, stages
from assets.admin.common import ReadOnly, column, counted
from assets.models import Asset, Batch, BatchItem, StageRun

REASON_SHOWN = 160


@admin.register(StageRun)
class StageRunAdmin(ReadOnly[StageRun]):
    list_display = ["file", "stage", "state", "attempts", "lost_workers", "why", "changed_at"]
    list_filter = ["state", "stage"]
    search_fields = ["version__original_filename"]
    search_help_text = "File name"
    list_select_related = ["version__asset"]
    actions = ["retry"]
    ordering = ["-changed_at"]

    @column("file")
    def file(self, run: StageRun) -> str:
        return run.version.original_filename

    @column("reason")
    def why(self, run: StageRun) -> str:
        return run.reason if len(run.reason) <= REASON_SHOWN else f"{run.reason[:REASON_SHOWN]}…"

    @admin.action(description="Retry those that failed", permissions=["act"])
    def retry(self, request: HttpRequest, runs: QuerySet[StageRun]) -> None:
        count = 0
        for stage in stages.pipeline():
            versions = runs.filter(stage=stage, state=StageRun.State.FAILED).values("version")
            count += pipeline.retry(Asset.objects.filter(current_version__in=versions), [stage])
        self.message_user(request, f"Trying again: {counted(count, 'step')}.")


@admin.register(Batch)
class BatchAdmin(ReadOnly[Batch]):
    list_display = ["source", "user", "created_at", "accepted", "duplicates", "rejected", "summary", "files"]
    list_filter = ["created_at", "user"]
    list_select_related = ["user"]
    date_hierarchy = "created_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        numbers = {
            f"number_{outcome}": Count("items", filter=Q(items__outcome=outcome))
            for outcome in BatchItem.Outcome.values
        }
        return super().get_queryset(request).annotate(**numbers)

    @column("accepted")
    def accepted(self, batch: Any) -> int:
        return int(batch.number_accepted)

    @column("already here")
    def duplicates(self, batch: Any) -> int:
        return int(batch.number_duplicate)

    @column("rejected")
    def rejected(self, batch: Any) -> int:
        return int(batch.number_rejected)

    @column("")
    def files(self, batch: Batch) -> str:
        address = reverse("admin:assets_batchitem_changelist")
        return format_html('<a href="{}?batch__id__exact={}">Its files</a>', address, batch.pk)


@admin.register(BatchItem)
class BatchItemAdmin(ReadOnly[BatchItem]):
    list_display = ["file", "outcome", "reason", "asset", "batch", "created_at"]
    list_filter = ["outcome", "created_at"]
    search_fields = ["file"]
    ordering = ["-pk"]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup == "batch__id__exact" or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    def get_queryset(self, request: HttpRequest) -> QuerySet[BatchItem]:
        related = super().get_queryset(request).select_related("batch", "asset__current_version")
        return related.prefetch_related("asset__depictions__record")
