"""Embedding spaces: how far each has got, and all that `manage.py spaces` can do with them."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db import OperationalError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import filesizeformat
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import retarget

from accounts.models import User
from assets.admin.common import counted
from assets.models import Asset, AssetVersion, StageRun
from assets.views.requests import Request, person
from audit.admin import Recorded
from search import encoders, filling, partitions, spaces
from search.admin.offers import offers
from search.admin.pages import OwnPages, View, acting, address, all_spaces, asked_or_done, looking
from search.admin.rows import row_of, rows_of
from search.models import Comparison, EmbeddingSpace
from search.spaces import SpaceError

FAILURES = 50
State = EmbeddingSpace.State


def this_space(space: EmbeddingSpace) -> str:
    return address("embeddingspace", "change", space.pk)


@admin.register(EmbeddingSpace)
class EmbeddingSpaceAdmin(Recorded, OwnPages[EmbeddingSpace]):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_act_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: EmbeddingSpace | None = None) -> bool:
        return self.has_act_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: EmbeddingSpace | None = None) -> bool:
        return self.has_act_permission(request)

    def own_views(self) -> Mapping[str, tuple[str, View]]:
        return {
            "progress": ("<int:pk>/progress/", self.progress_view),
            "activate": ("<int:pk>/activate/", self.activate_view),
            "retry": ("<int:pk>/retry/", self.retry_view),
            "resume": ("<int:pk>/resume/", self.resume_view),
            "rollback": ("rollback/", self.rollback_view),
        }

    # --- looking ----------------------------------------------------------------------------------

    @looking
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        rows = rows_of(EmbeddingSpace.objects.all())
        return self.page(request, "spaces", _("Embedding spaces"), rows=rows, earlier=spaces.earlier())

    @looking
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        space = get_object_or_404(EmbeddingSpace, pk=object_id if object_id.isdecimal() else 0)
        failures = Paginator(failed_runs(space, person(request)), FAILURES).get_page(request.GET.get("page"))
        return self.page(
            request,
            "space",
            space.slug,
            row=row_of(space),
            failures=failures,
            compared=Comparison.objects.filter(first=space).count()
            + Comparison.objects.filter(second=space).count(),
        )

    @looking
    def progress_view(self, request: Request, pk: int) -> HttpResponse:
        """The moving part of a space; all of it, with its buttons, where they are others than `key` says."""
        space = EmbeddingSpace.objects.filter(pk=pk).first()
        if space is None:
            return HttpResponse(f"<p>{_('This space was dropped.')}</p>")
        if not request.htmx:
            return redirect(this_space(space))
        row = row_of(space)
        context = {"row": row, "may_act": self.has_act_permission(request)}
        if request.GET.get("key") == row.key:
            return render(request, "search/admin/partials/progress.html", context)
        answer = render(request, "search/admin/partials/space.html", {**context, "changed": True})
        return retarget(answer, f"#space-{space.pk}")

    # --- making and using one ---------------------------------------------------------------------

    @asked_or_done
    @acting
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if request.method != "POST":
            return self.page(request, "new_space", _("New embedding space"), offers=offers())
        space = spaces.create(request.POST.get("encoder", ""))
        self.log_addition(request, space, "Made, to be filled by the workers.")
        text = _(
            "The space %(space)s is being filled in the background. Compare and activate it when it is ready."
        )
        self.message_user(request, text % {"space": space}, messages.SUCCESS)
        return redirect(this_space(space))

    @asked_or_done
    @acting
    def activate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        space = get_object_or_404(EmbeddingSpace, pk=pk)
        if request.method != "POST":
            return self._ask_to_use(request, space, going_back=False)
        return self._used(request, spaces.activate(space))

    @asked_or_done
    @acting
    def rollback_view(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST":
            return self._used(request, spaces.rollback())
        if space := spaces.earlier():
            return self._ask_to_use(request, space, going_back=True)
        raise SpaceError(_("There is no earlier space to go back to."))

    def _ask_to_use(self, request: HttpRequest, space: EmbeddingSpace, going_back: bool) -> HttpResponse:
        row, title = row_of(space), _("Go back to %(space)s?") if going_back else _("Activate %(space)s?")
        current = AssetVersion.objects.filter(current_of__isnull=False).count()
        return self.page(
            request,
            "activate",
            title % {"space": space},
            row=row,
            current=spaces.active(),
            going_back=going_back,
            missing=max(current - row.progress.done - row.progress.failed, 0),
            trouble=trouble_of(space),
        )

    def _used(self, request: HttpRequest, space: EmbeddingSpace) -> HttpResponse:
        self.log_change(request, space, "Activated.")
        self.message_user(
            request, _("The space %(space)s is in use from now on.") % {"space": space}, messages.SUCCESS
        )
        return redirect(all_spaces())

    # --- what went wrong --------------------------------------------------------------------------

    @method_decorator(require_POST)
    @acting
    def retry_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        space = get_object_or_404(EmbeddingSpace, pk=pk)
        if space.state not in spaces.KEPT:
            said = _("%(space)s is %(state)s; activate it to fill it.")
            raise SpaceError(said % {"space": space, "state": space.get_state_display()})
        count = filling.try_again(space)
        self.log_change(request, space, f"Failed ones tried again: {count}.")
        self.message_user(
            request, _("Trying again: %(what)s.") % {"what": counted(count, "vector")}, messages.SUCCESS
        )
        return redirect(this_space(space))

    @method_decorator(require_POST)
    @acting
    def resume_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        space = get_object_or_404(EmbeddingSpace, pk=pk)
        encoders.resume(space.asks)
        text = _("The encoder %(name)s is asked again now.") % {"name": space.asks}
        if still := filling.progress_of(space).paused:
            self.message_user(
                request, _("It is still paused: %(why)s") % {"why": still.reason}, messages.WARNING
            )
        else:
            self.message_user(request, text, messages.SUCCESS)
        return redirect(this_space(space))

    # --- dropping one -----------------------------------------------------------------------------

    @asked_or_done
    @acting
    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        space = get_object_or_404(EmbeddingSpace, pk=object_id if object_id.isdecimal() else 0)
        typed = request.POST.get("slug", "").strip()
        if request.method == "POST" and typed == space.slug:
            return self._drop(request, space)
        return self.page(
            request,
            "drop",
            _("Drop %(space)s?") % {"space": space},
            space=space,
            in_use=space.state == State.ACTIVE,
            bytes=partitions.size(space),
            vectors=partitions.rows_in(space),
            comes_back=space.encoder == settings.ENCODER,
            wrong=typed if request.method == "POST" else None,
        )

    def _drop(self, request: HttpRequest, space: EmbeddingSpace) -> HttpResponse:
        name = space.slug
        try:
            freed = spaces.drop(space)
        except OperationalError:
            said = _(
                "The table of %(name)s was in use for too long, so it is still there. Try again in a minute."
            )
            raise SpaceError(said % {"name": name}) from None
        self.log_deletions(request, [space])
        text = _("The space %(name)s was dropped; %(size)s are free.")
        text %= {"name": name, "size": filesizeformat(freed)}
        self.message_user(request, text, messages.SUCCESS)
        return redirect(all_spaces())


def failed_runs(space: EmbeddingSpace, user: User) -> QuerySet[StageRun]:
    """Of pictures that this person sees."""
    failed = StageRun.every.filter(variant=space.pk, state=StageRun.State.FAILED, stage__in=filling.STAGES)
    if not user.is_superuser:
        failed = failed.filter(version__asset__in=Asset.objects.visible_to(user))
    return (
        failed.select_related("version__asset").defer("detail", "version__embedded_metadata").order_by("-pk")
    )


def trouble_of(space: EmbeddingSpace) -> str:
    """Why sentences cannot be searched in it now; empty where they can."""
    try:
        spaces.encoder_of(space)
    except encoders.EncoderError as error:
        return str(error)
    return ""
