"""Pictures."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assets import again, changes, stages
from assets.admin.common import RIGHTS, WORDS, DescribedAdmin, column, counted, thumbnail
from assets.models import Asset, Depiction, StageRun
from assets.progress import progress_of
from assets.scopes import Action
from assets.stored import shown
from assets.views.cards import Card
from assets.views.requests import person

OWN_WORDS = gettext_lazy(
    "If the picture shows an object of the catalogue, its title, creator and date belong to that record."
)
WAITS = gettext_lazy("waiting for its picture")
OPEN = [StageRun.State.WAITING, StageRun.State.QUEUED, StageRun.State.RUNNING]


class StateFilter(admin.SimpleListFilter):
    """As assets.progress.progress_of says it, in SQL."""

    title, parameter_name = gettext_lazy("state of processing"), "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        states = {"failed": _("failed"), "processing": _("processing"), "done": _("searchable")}
        return [*states.items(), ("awaited", str(WAITS))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Asset]) -> QuerySet[Asset]:
        essential = [stage.name for stage in stages.pipeline().values() if stage.essential]
        runs = StageRun.objects.filter(state=StageRun.State.FAILED, stage__in=essential)
        failed, open_ = (Q(current_version__in=found.values("version")) for found in (runs, open_runs()))
        if self.value() == "failed":
            return queryset.filter(failed & ~open_)
        if self.value() == "processing":
            return queryset.filter(open_)
        if self.value() == "done":
            return queryset.exclude(current_version=None).exclude(failed).exclude(open_)
        if self.value() == "awaited":
            return queryset.filter(current_version=None)
        return queryset


def open_runs() -> QuerySet[StageRun]:
    """Those that will still run: not the ones whose needs have failed."""
    failed = StageRun.objects.filter(version=OuterRef("version"), state=StageRun.State.FAILED)
    blocked = Q(pk__in=[])
    shown = [stage for stage in stages.pipeline().values() if not stage.quiet]
    for stage in shown:
        blocked |= Q(Exists(failed.filter(stage__in=stage.needs)), stage=stage.name)
    return StageRun.objects.filter(~blocked, state__in=OPEN, stage__in=[stage.name for stage in shown])


def described(request: HttpRequest, assets: QuerySet[Asset]) -> QuerySet[Asset]:
    """Those of these pictures that this person may describe."""
    return assets.filter(pk__in=Asset.objects.allowing(request.user, Action.DESCRIBE))


class TrashFilter(admin.SimpleListFilter):
    title, parameter_name = "trash", "trash"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("live", "in the library"), ("trashed", "in the trash")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("live", "trashed"):
            return queryset
        return queryset.filter(trashed_at__isnull=self.value() == "live")


class DepictionInline(admin.TabularInline[Depiction, Asset]):
    model = Depiction
    extra = 0
    can_delete = False
    fields = ["record", "view", "position"]
    readonly_fields = ["record", "view", "position"]
    verbose_name_plural = "shows these objects"

    def has_add_permission(self, request: HttpRequest, obj: Asset | None = None) -> bool:
        return False


@admin.register(Asset)
class AssetAdmin(DescribedAdmin[Asset]):
    list_display = ["picture", "__str__", "accession", "collection", "state", "access", "added"]
    list_display_links = ["picture", "__str__"]
    list_filter = [
        StateFilter,
        TrashFilter,
        "access",
        "is_demo",
        ("collection", admin.RelatedOnlyFieldListFilter),
    ]
    list_per_page = 50
    search_fields = [
        "title",
        "current_version__original_filename",
        "depictions__record__title",
        "depictions__record__accession_number",
    ]
    search_help_text = gettext_lazy("Title, file name or accession number")
    date_hierarchy = "created_at"
    actions = ["retry_failed", "vectorise_again", "render_again", "to_trash", "restore"]
    autocomplete_fields = ["collection"]
    inlines = [DepictionInline]
    readonly_fields = [
        "picture",
        "state",
        "problems",
        "uid",
        "file",
        "uploaded_by",
        "created_at",
        "changed_at",
        "trashed_at",
    ]
    fieldsets = [
        (None, {"fields": ["picture", "state", "problems"]}),
        ("Description of the picture", {"description": OWN_WORDS, "fields": [*WORDS, "creators", "tags"]}),
        ("Rights", {"fields": RIGHTS}),
        (
            "Place and access",
            {
                "fields": [
                    "collection",
                    "access",
                    "embargo_until",
                    "rights_expire_at",
                    "alt_text",
                    ("latitude", "longitude"),
                ]
            },
        ),
        ("File", {"fields": ["file", "uid", "uploaded_by", "created_at", "changed_at", "trashed_at"]}),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a picture comes by the upload page, the API or `manage.py ingest`

    def get_queryset(self, request: HttpRequest) -> QuerySet[Asset]:
        related = ("current_version__stage_runs", "term_uses__term__vocabulary")
        return Asset.objects.visible_to(request.user).for_grid().prefetch_related(*related)

    @column("picture")
    def picture(self, asset: Asset) -> Any:
        return thumbnail(Card(asset, "", asset.rendition("small"), asset.rendition("medium")))

    @column("accession number", "depictions__record__accession_key")
    def accession(self, asset: Asset) -> str:
        return getattr(asset.record, "accession_number", "")

    @column("state")
    def state(self, asset: Asset) -> str:
        progress = progress_of(asset)
        said = [_("in the trash")] if asset.trashed_at else []
        state = str(WAITS) if asset.is_awaited else _(progress.state)
        return ", ".join([*said, state, *(_(stage.label) for stage in progress.problems)])

    @column("problems")
    def problems(self, asset: Asset) -> str:
        found = progress_of(asset).problems
        return "\n".join(f"{_(stage.label)}: {shown(stage.reason)}" for stage in found) or _("none")

    @column("added", "created_at")
    def added(self, asset: Asset) -> str:
        return date_format(localtime(asset.created_at), "j M Y")

    @column("file")
    def file(self, asset: Asset) -> str:
        return str(asset.current_version or "")

    @admin.action(description=gettext_lazy("Retry failed steps"), permissions=["change"])
    def retry_failed(self, request: HttpRequest, assets: QuerySet[Asset]) -> None:
        count = again.retry(described(request, assets))
        self.message_user(request, _("Trying again: %(what)s.") % {"what": counted(count, "step")})

    @admin.action(description=gettext_lazy("Re-vectorise"), permissions=["change"])
    def vectorise_again(self, request: HttpRequest, assets: QuerySet[Asset]) -> None:
        count = again.retry(described(request, assets), ["vectorise_picture"], force=True)
        self.message_user(
            request, _("%(what)s: likeness will be made again.") % {"what": counted(count, "picture")}
        )

    @admin.action(description=gettext_lazy("Make renditions again"), permissions=["change"])
    def render_again(self, request: HttpRequest, assets: QuerySet[Asset]) -> None:
        count = again.retry(described(request, assets), ["make_renditions"], force=True)
        self.message_user(
            request, _("%(what)s: previews will be made again.") % {"what": counted(count, "picture")}
        )

    @admin.action(description=gettext_lazy("Move to the trash"), permissions=["change"])
    def to_trash(self, request: HttpRequest, assets: QuerySet[Asset]) -> None:
        self._say(request, [a for a in assets if a.trashed_at is None], changes.trash)

    @admin.action(description=gettext_lazy("Restore from the trash"), permissions=["change"])
    def restore(self, request: HttpRequest, assets: QuerySet[Asset]) -> None:
        self._say(request, [a for a in assets if a.trashed_at is not None], changes.restore)

    def _say(self, request: HttpRequest, assets: list[Asset], change: Any) -> None:
        text = f"{shown(change(assets, person(request)).label)}." if assets else _("There was nothing to do.")
        self.message_user(request, text)
