"""Moving pictures to the trash and back."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from assets import changes
from assets.models import Asset
from assets.views.cards import cards_of
from assets.views.requests import offer_undo, person, way_back

PER_PAGE = 60


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    trashed = (
        Asset.objects.visible_to(request.user)
        .exclude(trashed_at=None)
        .for_grid()
        .order_by("-trashed_at", "-pk")
    )
    found = Paginator(trashed, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "assets/trashed.html", {"page": found, "cards": cards_of(found.object_list)})


@login_required
@require_POST
def trash_one(request: HttpRequest, uid: UUID) -> HttpResponse:
    asset = get_object_or_404(Asset.objects.live().visible_to(request.user), uid=uid)
    offer_undo(request, changes.trash([asset], person(request)))
    return redirect("search:library")


@login_required
@require_POST
def restore_one(request: HttpRequest, uid: UUID) -> HttpResponse:
    asset = get_object_or_404(Asset.objects.visible_to(request.user), uid=uid)
    offer_undo(request, changes.restore([asset], person(request)))
    return redirect(way_back(request, asset.get_absolute_url()))


@login_required
def demo_remove(request: HttpRequest) -> HttpResponse:
    """One click and a question; undo brings them back."""
    demo = Asset.objects.live().visible_to(request.user).filter(is_demo=True)
    if request.method != "POST":
        return render(request, "assets/demo_remove.html", {"count": demo.count()})
    if assets := list(demo.prefetch_related("depictions__record")):
        offer_undo(request, changes.trash(assets, person(request)))
    else:
        messages.info(request, "There are no demonstration pictures any more.")
    return redirect("search:library")
