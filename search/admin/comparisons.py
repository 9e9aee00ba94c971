"""Comparing two spaces: with known questions by a worker, or with any question, side by side."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import F, Func, IntegerField, QuerySet
from django.db.models.fields.json import KeyTransform
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.html import format_html
from django.utils.translation import gettext as _

from assets.admin.common import column
from assets.views.requests import Request, person
from search import comparing, spaces
from search.admin.figures import figures_of
from search.admin.forms import ComparisonForm, SideForm
from search.admin.pages import OwnPages, View, acting, address, asked_or_done, looking
from search.admin.sides import sides_of
from search.evaluation import GoldenError
from search.models import Comparison, EmbeddingSpace

State = Comparison.State
OFFERED = 500  # golden questions that the page of two lists proposes


@admin.register(Comparison)
class ComparisonAdmin(OwnPages[Comparison]):
    list_display = ["pair", "status", "mode", "number", "in_first", "in_second", "created_at", "user"]
    list_select_related = ["first", "second", "user"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_act_permission(request)

    def own_views(self) -> Mapping[str, tuple[str, View]]:
        return {
            "side": ("side/", self.side_view),
            "progress": ("<int:pk>/progress/", self.progress_view),
        }

    # --- the list ---------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Comparison]:
        found = super().get_queryset(request).defer("questions", "result")
        counted = Func(F("questions"), function="jsonb_array_length", output_field=IntegerField())
        both = {
            f"of_{name}": KeyTransform("recall@10", KeyTransform(name, "result"))
            for name in ("first", "second")
        }
        return found.annotate(number_asked=counted, **both)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": _("Comparisons"), **(extra_context or {})})

    @column("spaces")
    def pair(self, comparison: Comparison) -> str:
        return format_html("{}<br>{}", comparison.first, comparison.second)

    @column("state", "state")
    def status(self, comparison: Comparison) -> str:
        return comparison.get_state_display()

    @column("questions", "number_asked")
    def number(self, comparison: Any) -> int:
        return int(comparison.number_asked)

    @column("recall@10 of the first")
    def in_first(self, comparison: Any) -> str:
        return "–" if comparison.of_first is None else f"{comparison.of_first:.1%}"

    @column("recall@10 of the second")
    def in_second(self, comparison: Any) -> str:
        return "–" if comparison.of_second is None else f"{comparison.of_second:.1%}"

    # --- one comparison ---------------------------------------------------------------------------

    @asked_or_done
    @acting
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if request.method == "POST":
            form = ComparisonForm(request.POST, request.FILES)
            if form.is_valid() and (started := self._start(request, form)):
                return redirect(address("comparison", "change", started.pk))
        else:
            form = ComparisonForm(initial=self._proposed(request))
        several = EmbeddingSpace.objects.count() > 1
        return self.page(request, "compare", _("Compare two spaces"), form=form, several=several)

    def _start(self, request: HttpRequest, form: ComparisonForm) -> Comparison | None:
        given = form.cleaned_data
        try:
            started = comparing.start(
                given["first"], given["second"], given["golden"], given["mode"], person(request)
            )
        except (GoldenError, spaces.SpaceError) as error:
            form.add_error("golden" if isinstance(error, GoldenError) else None, str(error))
            return None
        self.log_addition(request, started, f"Asked for, with {len(given['golden'])} questions.")
        return started

    def _proposed(self, request: HttpRequest) -> dict[str, Any]:
        """The spaces of the address, else the one in use and the newest other one."""
        named = {name: request.GET.get(name, "") for name in ("first", "second")}
        found = {name: int(pk) for name, pk in named.items() if pk.isdecimal()}
        in_use = spaces.active()
        first = found.get("first") or (in_use.pk if in_use else 0)
        other = EmbeddingSpace.objects.exclude(pk=first).order_by("state", "-created_at").first()
        return {"first": first, "second": found.get("second") or (other.pk if other else 0), "mode": "visual"}

    @looking
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        comparison = self._one(object_id)
        title = _("%(first)s and %(second)s") % {"first": comparison.first, "second": comparison.second}
        return self.page(request, "comparison", title, **shown(comparison))

    @looking
    def progress_view(self, request: Request, pk: int) -> HttpResponse:
        if not request.htmx:
            return redirect(address("comparison", "change", pk))
        return render(request, "search/admin/partials/comparison.html", shown(self._one(str(pk))))

    def _one(self, pk: str) -> Comparison:
        found = Comparison.objects.select_related("first", "second", "user")
        return get_object_or_404(found, pk=pk if pk.isdecimal() else 0)

    # --- side by side -----------------------------------------------------------------------------

    @looking
    def side_view(self, request: HttpRequest) -> HttpResponse:
        """One question, and what each of two spaces finds; all of it stands in the address."""
        proposed = {**self._proposed(request), **request.GET.dict()}
        form = SideForm({name: value for name, value in proposed.items() if value})
        if not form.is_valid():
            return self.page(request, "side", _("Side by side"), form=form, sides=[])
        given = form.cleaned_data
        asked = Comparison.objects.filter(pk=given["comparison"]).values_list("questions", flat=True).first()
        sides = sides_of(
            person(request), given["q"], given["mode"] or "visual", given["first"], given["second"]
        )
        golden = [pair[0] for pair in (asked or [])[:OFFERED]]
        return self.page(
            request, "side", _("Side by side"), form=form, sides=sides, golden=golden, given=given
        )


def shown(comparison: Comparison) -> dict[str, Any]:
    done = comparison.state == State.DONE
    return {
        "comparison": comparison,
        "number": len(comparison.questions),
        "figures": figures_of(comparison.result) if done else None,
        "under_way": comparison.state in (State.WAITING, State.RUNNING),
    }
