"""What could not be done, why, and doing it again."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from assets import pipeline
from assets.models import Asset, BatchItem, StageRun
from assets.progress import progress_of
from assets.querysets import AssetQuerySet
from assets.views.asset import load, show_state
from assets.views.cards import cards_of
from assets.views.requests import Request, person, way_back

PER_PAGE, RECENT = 60, 100


def failed_assets(request: HttpRequest) -> AssetQuerySet:
    failed = StageRun.objects.filter(state=StageRun.State.FAILED).values("version")
    return Asset.objects.live().visible_to(request.user).filter(current_version__in=failed)


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    assets = failed_assets(request).for_grid().prefetch_related("current_version__stage_runs")
    found = Paginator(assets, PER_PAGE).get_page(request.GET.get("page"))
    rows = [(card, progress_of(card.asset)) for card in cards_of(found.object_list)]
    rejected = BatchItem.objects.filter(outcome=BatchItem.Outcome.REJECTED).select_related("batch__user")
    if not person(request).is_staff:
        rejected = rejected.filter(batch__user=person(request))
    context = {"page": found, "rows": rows, "rejected": rejected.order_by("-pk")[:RECENT]}
    return render(request, "assets/problems.html", context)


@login_required
@require_POST
def retry_one(request: Request, uid: UUID) -> HttpResponse:
    asset = get_object_or_404(Asset.objects.live().visible_to(request.user), uid=uid)
    pipeline.retry([asset])
    if request.htmx:
        return show_state(request, load(request, uid))
    messages.info(request, f"Trying again: {asset.display_title}.")
    return redirect(way_back(request, asset.get_absolute_url()))


@login_required
@require_POST
def retry_all(request: HttpRequest) -> HttpResponse:
    count = pipeline.retry(failed_assets(request))
    messages.info(request, f"Trying again: {count} step{'' if count == 1 else 's'}.")
    return redirect("assets:problems")
