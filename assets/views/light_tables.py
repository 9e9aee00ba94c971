"""Light tables: the list of them, one of them, its print, and what is done to it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from assets import changes, light_tables
from assets.changes import tables
from assets.descriptions import subject_of
from assets.light_tables import items_for, may_delete
from assets.models import Asset, AssetSet, Record, SetItem
from assets.views.cards import Card, cards_of
from assets.views.collection_forms import TableForm, as_shown
from assets.views.requests import offer_undo, person

TABLES_OFFERED = 50


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """One's own and shared ones; with a name, a new one."""
    form = TableForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        made = light_tables.make(person(request), said["name"], said["description"], shared=said["shared"])
        return redirect(made)
    found = _listed(person(request))
    mine = [one for one in found if one[0].owner_id == request.user.pk]
    context = {"mine": mine, "shared": [one for one in found if one not in mine], "form": form}
    return render(request, "assets/tables.html", context)


def _listed(user: User) -> list[tuple[Any, Card | None]]:
    """Each table with the `number` of pictures that this person may see, and its cover; in six queries."""
    live = Asset.objects.live().visible_to(user)
    lying = SetItem.objects.filter(set=OuterRef("pk"), asset__in=live).order_by("position", "pk")
    counted = Count("items", filter=Q(items__asset__in=live))
    visible = AssetSet.objects.visible_to(user).select_related("owner")
    found: list[Any] = list(visible.annotate(number=counted, first=Subquery(lying.values("asset")[:1])))
    wanted = {pk for one in found for pk in (one.cover_id, one.first) if pk}
    cards = {card.asset.pk: card for card in cards_of(live.filter(pk__in=wanted).for_grid())}
    return [(one, cards.get(one.cover_id) or cards.get(one.first)) for one in found]


@login_required
@require_safe
def page(request: HttpRequest, uid: UUID) -> HttpResponse:
    table = found(request, uid)
    return render(request, "assets/table.html", of_table(person(request), table))


@login_required
@require_safe
def contact_sheet(request: HttpRequest, uid: UUID) -> HttpResponse:
    """To be printed: the pictures with what stands below them in a catalogue."""
    return render(request, "assets/table_print.html", of_table(person(request), found(request, uid)))


def of_table(user: User, table: AssetSet) -> dict[str, Any]:
    items = list(items_for(user, table))
    assets = Asset.objects.for_grid().prefetch_related("depictions__record__term_uses__term__vocabulary")
    found = assets.prefetch_related("term_uses__term__vocabulary").in_bulk([item.asset_id for item in items])
    cards = cards_of(found[item.asset_id] for item in items)
    rows = [(item, card, _caption(card.asset)) for item, card in zip(items, cards, strict=True)]
    return {"table": table, "rows": rows, "may_delete": may_delete(user, table)}


def _caption(asset: Asset) -> dict[str, str]:
    """Maker, date and number: what a label says besides the title."""
    subject = subject_of(asset)
    number = subject.accession_number if isinstance(subject, Record) else ""
    return {"creators": "; ".join(subject.creators), "date": subject.date, "number": number}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, uid: UUID) -> HttpResponse:
    table = found(request, uid)
    initial = {"name": table.name, "description": table.description, "shared": table.shared}
    form = TableForm(request.POST or None, initial=initial)
    as_shown(form, "name", "description")
    own = may_delete(person(request), table)
    if not own:
        del form.fields["shared"]
    if request.method == "POST" and form.is_valid():
        AssetSet.objects.filter(pk=table.pk).update(
            **{name: form.cleaned_data[name] for name in form.changed_data}
        )
        messages.success(request, _("Saved."))
        return redirect(table)
    return render(request, "assets/table_edit.html", {"table": table, "form": form, "may_delete": own})


@login_required
@require_POST
def delete(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The table, never its pictures; undo brings it back."""
    table = found(request, uid)
    if not may_delete(person(request), table):
        raise PermissionDenied
    label = _("Deleted the light table %(name)s") % {"name": table.name}
    op = changes.operation("light table", label, user=person(request))
    tables.delete(op, table)
    offer_undo(request, op)
    return redirect("assets:light_tables")


def offered(user: User, asset: Asset) -> dict[str, list[AssetSet]]:
    """For the page of a picture: the tables that it lies on, and others that it can be put on."""
    lies = list(light_tables.tables_of(user, asset))
    others = AssetSet.objects.visible_to(user).exclude(pk__in=[table.pk for table in lies])
    return {"on_tables": lies, "other_tables": list(others.order_by("-changed_at")[:TABLES_OFFERED])}


def found(request: HttpRequest, uid: UUID) -> AssetSet:
    """The table of this uid, or 404."""
    table: AssetSet = get_object_or_404(AssetSet.objects.visible_to(request.user), uid=uid)
    return table
