"""Moving pictures to the trash, back, and deleting them for good."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from assets import changes, purging
from assets.models import Asset, Depiction
from assets.scopes import Action
from assets.views.allowed import need, need_somewhere
from assets.views.cards import cards_of
from assets.views.gone import or_gone
from assets.views.requests import offer_undo, person, way_back
from assets.views.visible import trashed_records_for

PER_PAGE = 60


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    places = Depiction.objects.exclude(record__trashed_at=None).filter(asset__current_version=None)
    trashed = (
        Asset.objects.allowing(request.user, Action.MANAGE)
        .exclude(trashed_at=None)
        .exclude(pk__in=places.values("asset"))  # they went, and come back, with their objects
        .for_grid()
        .order_by("-trashed_at", "-pk")
    )
    found = Paginator(trashed, PER_PAGE).get_page(request.GET.get("page"))
    rows = [(card, purging.days_left(card.asset)) for card in cards_of(found.object_list)]
    context = {"page": found, "rows": rows, "days": settings.TRASH_DAYS}
    objects = trashed_records_for(person(request))[:PER_PAGE]
    context["objects"] = [(record, purging.days_left(record) if record.goes else None) for record in objects]
    return render(
        request, "assets/trashed.html", context | {"may_delete": purging.may_delete(person(request))}
    )


@login_required
@require_POST
def trash_one(request: HttpRequest, uid: UUID) -> HttpResponse:
    asset = get_object_or_404(Asset.objects.live().visible_to(request.user), uid=uid)
    offer_undo(request, changes.trash([asset], person(request)))
    return redirect("search:library")


@login_required
@require_POST
@or_gone
def restore_one(request: HttpRequest, uid: UUID) -> HttpResponse:
    asset = get_object_or_404(Asset.objects.visible_to(request.user), uid=uid)
    need(request, Action.MANAGE, asset)
    try:
        offer_undo(request, changes.restore([asset], person(request)))
    except changes.NotAllowed:
        raise
    except changes.ChangeRefused as refused:
        messages.error(request, str(refused))
        return redirect("assets:trashed")
    return redirect(way_back(request, asset.get_absolute_url()))


@login_required
@or_gone
def delete_one(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The question, with all that would go; the answer deletes at once, and nothing brings it back."""
    trashed = Asset.objects.visible_to(request.user).exclude(trashed_at=None)
    asset = get_object_or_404(trashed.for_grid(), uid=uid)
    need(request, Action.MANAGE, asset)
    if not purging.may_delete(person(request)):
        raise PermissionDenied
    if request.method != "POST":
        context = {"asset": asset, "card": cards_of([asset])[0], "going": purging.going_with(asset)}
        return render(request, "assets/delete.html", context)
    if purging.purge([asset.pk], person(request)):
        messages.success(request, _("Deleted for good: %(title)s") % {"title": asset.display_title})
    else:
        messages.info(
            request,
            _("%(title)s was restored meanwhile, so it was not deleted.") % {"title": asset.display_title},
        )
    return redirect("assets:trashed")


@login_required
def demo_remove(request: HttpRequest) -> HttpResponse:
    """One click and a question; undo brings them back."""
    need_somewhere(request, Action.MANAGE)
    demo = Asset.objects.live().allowing(request.user, Action.MANAGE).filter(is_demo=True)
    if request.method != "POST":
        return render(request, "assets/demo_remove.html", {"count": demo.count()})
    if assets := list(demo.prefetch_related("depictions__record")):
        offer_undo(request, changes.trash(assets, person(request)))
    else:
        messages.info(request, _("There are no demonstration pictures any more."))
    return redirect("search:library")
