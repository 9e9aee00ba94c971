"""What was handed in, and what the workers made of it."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import truncatechars
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assets import again, stages
from assets.admin.common import ReadOnly, column, counted, ids, number_of
from assets.models import Asset, Batch, BatchItem, StageRun
from assets.scopes import Action
from assets.stored import shown
from assets.views.requests import person

REASON_SHOWN = 160


class StageFilter(admin.SimpleListFilter):
    """The names are known: to ask for those that occur would read every run."""

    title, parameter_name = gettext_lazy("step"), "stage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, _(stage.label)) for name, stage in stages.pipeline().items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StageRun]) -> QuerySet[StageRun]:
        return queryset.filter(stage=self.value()) if self.value() else queryset


@admin.register(StageRun)
class StageRunAdmin(ReadOnly[StageRun]):
    list_display = ["file", "stage", "state", "attempts", "lost_workers", "why", "worker", "changed_at"]
    list_filter = ["state", StageFilter]
    search_fields = ["version__original_filename__istartswith", "reason"]
    search_help_text = gettext_lazy("The beginning of a file name, or words of the reason")
    list_select_related = ["version__asset"]
    actions = ["retry", "cancel"]
    ordering = ["-pk"]  # by the time of the last change, every run would be read and sorted

    def get_queryset(self, request: HttpRequest) -> QuerySet[StageRun]:
        """Of pictures that this person may see."""
        seen = Asset.objects.visible_to(request.user)
        found = (
            super().get_queryset(request).defer("detail", "version__embedded_metadata", "version__sidecar")
        )
        return found if person(request).is_superuser else found.filter(version__asset__in=seen)

    @column("file")
    def file(self, run: StageRun) -> str:
        address = run.version.asset.get_absolute_url()
        return format_html('<a href="{}">{}</a>', address, run.version.original_filename)

    @column("reason")
    def why(self, run: StageRun) -> str:
        return truncatechars(shown(run.reason), REASON_SHOWN)

    @admin.action(description=gettext_lazy("Retry those that failed"), permissions=["act"])
    def retry(self, request: HttpRequest, runs: QuerySet[StageRun]) -> None:
        count = 0
        for stage in stages.pipeline():
            versions = runs.filter(stage=stage, state=StageRun.State.FAILED).values("version")
            assets = Asset.objects.allowing(request.user, Action.DESCRIBE)
            count += again.retry(assets.filter(current_version__in=versions), [stage])
        self.message_user(request, _("Trying again: %(what)s.") % {"what": counted(count, "step")})

    @admin.action(description=gettext_lazy("Cancel those that wait"), permissions=["act"])
    def cancel(self, request: HttpRequest, runs: QuerySet[StageRun]) -> None:
        """They count as failed then, and can be tried again."""
        found = StageRun.objects.filter(pk__in=ids(runs))
        if not person(request).is_superuser:
            found = found.filter(version__asset__in=Asset.objects.allowing(request.user, Action.DESCRIBE))
        count = again.cancel(found, person(request).get_username())
        self.message_user(request, _("Steps cancelled: %(what)s.") % {"what": counted(count, "picture")})


@admin.register(Batch)
class BatchAdmin(ReadOnly[Batch]):
    list_display = ["source", "user", "created_at", "accepted", "duplicates", "rejected", "summary", "files"]
    list_filter = ["created_at", ("user", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["user"]
    date_hierarchy = "created_at"
    search_fields = ["source", "user__username"]
    search_help_text = gettext_lazy("Where it came from, or who brought it")
    ordering = ["-pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        numbers = {
            f"number_{outcome}": number_of(BatchItem, "batch", outcome=outcome)
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
        return format_html('<a href="{}?batch__id__exact={}">{}</a>', address, batch.pk, _("Its files"))


@admin.register(BatchItem)
class BatchItemAdmin(ReadOnly[BatchItem]):
    list_display = ["file", "outcome", "reason", "asset", "batch", "created_at"]
    list_filter = ["outcome", "created_at"]
    search_fields = ["file", "reason"]
    search_help_text = gettext_lazy("File name, or words of the reason")
    ordering = ["-pk"]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup == "batch__id__exact" or super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    def get_queryset(self, request: HttpRequest) -> QuerySet[BatchItem]:
        related = super().get_queryset(request).select_related("batch", "asset__current_version")
        if not person(request).is_superuser:
            related = related.filter(Q(asset=None) | Q(asset__in=Asset.objects.visible_to(request.user)))
        return related.prefetch_related("asset__depictions__record")
