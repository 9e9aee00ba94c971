"""What is done to one picture on a light table: put there, moved, taken off, noted, made the cover."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from assets import light_tables
from assets.light_tables import TableError
from assets.models import Asset, AssetSet
from assets.views.collection_forms import AddToTableForm, ItemForm, MoveForm
from assets.views.light_tables import found, of_table
from assets.views.requests import Request, offer_undo, person, way_back


@login_required
@require_POST
def put(request: HttpRequest, uid: UUID) -> HttpResponse:
    """From a picture's page: on a table that is chosen, or on a new one that is named."""
    asset = _asset(request, uid)
    form = AddToTableForm(request.POST)
    if not form.is_valid() or not (form.cleaned_data["table"] or form.cleaned_data["name"]):
        messages.error(request, _("Choose a light table, or write the name of a new one."))
        return redirect(asset)
    user, name = person(request), form.cleaned_data["name"]
    if name:
        table = light_tables.make(user, name)
    else:
        table = get_object_or_404(AssetSet.objects.visible_to(user), uid=form.cleaned_data["table"])
    try:
        added = light_tables.add(user, table, [asset.pk])
    except TableError as error:
        messages.error(request, str(error))
        return redirect(asset)
    if added.operation:
        offer_undo(request, added.operation, _("It lies on %(name)s now.") % {"name": table.name})
    else:
        messages.info(request, _("It lies on %(name)s already.") % {"name": table.name})
    return redirect(asset)


@login_required
@require_POST
def move(request: Request, uid: UUID, asset_uid: UUID) -> HttpResponse:
    """One place earlier or later, or before another one; says so where somebody else was at it meanwhile."""
    table, asset, form = found(request, uid), _asset(request, asset_uid), MoveForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        before = _asset(request, said["before"]) if said["before"] else None
        _moved(request, table, asset, seen=said["seen"], by=said["by"] or 0, before=before)
    return _shown(request, table, asset)


@login_required
@require_POST
def change(request: Request, uid: UUID, asset_uid: UUID) -> HttpResponse:
    """The note of a picture, and the place where it should lie."""
    table, asset, form = found(request, uid), _asset(request, asset_uid), ItemForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(text) for texts in form.errors.values() for text in texts))
        return _shown(request, table, asset)
    try:
        if "note" in form.changed_data:  # else it may be older than what stands there
            light_tables.note(person(request), table, asset, form.cleaned_data["note"])
    except TableError as error:
        messages.error(request, str(error))
        return _shown(request, table, asset)
    if "place" in form.changed_data and form.cleaned_data["place"]:
        _moved(request, table, asset, place=form.cleaned_data["place"])
    return _shown(request, table, asset)


@login_required
@require_POST
def remove(request: Request, uid: UUID, asset_uid: UUID) -> HttpResponse:
    table, asset = found(request, uid), _asset(request, asset_uid)
    try:
        if op := light_tables.remove(person(request), table, [asset.pk]):
            text = _("Took %(title)s off the table.") % {"title": asset.display_title}
            offer_undo(request, op, text)
    except TableError as error:
        messages.error(request, str(error))
    return _shown(request, table, asset)


@login_required
@require_POST
def cover(request: Request, uid: UUID, asset_uid: UUID) -> HttpResponse:
    table, asset = found(request, uid), _asset(request, asset_uid)
    AssetSet.objects.filter(pk=table.pk).update(cover=asset)
    messages.success(request, _("%(title)s is the cover now.") % {"title": asset.display_title})
    return _shown(request, table, asset)


def _asset(request: HttpRequest, uid: UUID) -> Asset:
    asset: Asset = get_object_or_404(Asset.objects.live().visible_to(request.user), uid=uid)
    return asset


def _moved(
    request: Request,
    table: AssetSet,
    asset: Asset,
    *,
    seen: int | None = None,
    by: int = 0,
    place: int = 0,
    before: Asset | None = None,
) -> None:
    try:
        now = light_tables.move(person(request), table, asset, by=by, place=place, before=before)
    except TableError as error:
        messages.error(request, str(error))
        return
    if seen is not None and now.arrangement - seen > 1:
        messages.info(
            request,
            _("Somebody else has arranged this table since you opened it. Yours was done too; look again."),
        )


def _shown(request: Request, table: AssetSet, asset: Asset) -> HttpResponse:
    """The table as it is now: to htmx its pictures, else the whole page, at the picture."""
    table.refresh_from_db()
    if request.htmx:
        context = of_table(person(request), table)
        places = {
            card.asset.pk: place for place, (_item, card, _caption) in enumerate(context["rows"], start=1)
        }
        if asset.pk in places:
            said = {"title": asset.display_title, "place": places[asset.pk], "all": len(places)}
            context["said"] = _("%(title)s: place %(place)d of %(all)d") % said
        return render(request, "assets/partials/table_items.html", context)
    return redirect(way_back(request, f"{table.get_absolute_url()}#item-{asset.uid}"))
