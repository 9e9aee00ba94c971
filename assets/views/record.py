"""An object of the catalogue: its page, a new one, and its way into the trash and back."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from assets import changes, records
from assets.changes import collections
from assets.forms import DescriptionForm, NewRecordForm
from assets.ingest import UNSORTED
from assets.models import Asset, Depiction, Record
from assets.scopes import Action
from assets.seen import NOT_HERE, hidden_records
from assets.text import accession_key
from assets.views import facts
from assets.views.allowed import may_describe, need_somewhere, need_to_describe
from assets.views.cards import Card, cards_of
from assets.views.desk import Desk, load_record
from assets.views.gone import or_gone
from assets.views.permanent import or_json
from assets.views.requests import Request, offer_undo, person, way_back
from assets.views.visible import paths_to_fill


@dataclass(frozen=True)
class Shown:
    """A picture of an object, and where it stands among those of its view."""

    card: Card
    view: str
    first: bool
    last: bool

    @property
    def name(self) -> str:
        """By which it is told from the others."""
        return self.card.asset.filename or _("Waiting for its picture")


@or_json("record")
@login_required
@require_safe
@vary_on_headers("HX-Request")  # else "back" would show a part as the page
@or_gone
def page(request: Request, uid: UUID) -> HttpResponse:
    return show(request, load_record(request, uid))


def show(
    request: Request, record: Record, form: DescriptionForm | None = None, focus: str = ""
) -> HttpResponse:
    """The page, or to htmx the column of words; `form` shows the words being edited."""
    desk = Desk(None, record)
    context: dict[str, Any] = {
        "desk": desk,
        "may": {"describe": may_describe(person(request), record)},
        "record": record,
        "form": form,
        "focus": focus,
        "described": desk.words.described(),
        "history": facts.history([record], request.user),
        "permanent": request.build_absolute_uri(record.get_absolute_url()),
        "here": (request.htmx.current_url_abs_path or "") if request.htmx else "",
    }
    if request.htmx:
        return render(request, "assets/partials/record_words.html", context)
    return render(request, "assets/record.html", context | pictures(request, record))


def pictures(request: HttpRequest, record: Record) -> dict[str, Any]:
    """The pictures of an object that this person may see, by view, in their order; and the views."""
    seen = Asset.objects.live().visible_to(request.user)
    depictions = list(record.depictions.filter(asset__in=seen))
    assets = seen.for_grid().in_bulk([depiction.asset_id for depiction in depictions])
    cards = dict(zip(assets, cards_of(assets.values()), strict=True))
    groups: list[tuple[str, list[Shown]]] = []
    for view in Depiction.View:
        found = [cards[d.asset_id] for d in depictions if d.view == view and d.asset_id in cards]
        last = len(found) - 1
        shown = [Shown(card, view.value, n == 0, n == last) for n, card in enumerate(found)]
        groups += [(str(view.label), shown)] if shown else []
    return {"groups": groups, "views": Depiction.View.choices}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A form for a new object; with ?picture= the id of an asset that shows it."""
    need_somewhere(request, Action.DESCRIBE)
    live = Asset.objects.live().visible_to(request.user)
    picture = get_object_or_404(live.for_grid(), uid=uid) if (uid := _uid(request)) else None
    form = NewRecordForm(
        request.POST if request.method == "POST" else None,
        picture=picture,
        accession=request.GET.get("accession", "")[:100],
    )
    if request.method == "POST" and form.is_valid() and (made := _made(request, form, picture)):
        return redirect(made)
    context: dict[str, Any] = {"form": form, "picture": picture}
    context["card"] = cards_of([picture])[0] if picture else None
    context["collection_paths"] = paths_to_fill(person(request))
    return render(request, "assets/record_new.html", context)


def _uid(request: HttpRequest) -> UUID | None:
    try:
        return UUID(request.GET.get("picture", ""))
    except ValueError:
        return None


def _made(request: HttpRequest, form: NewRecordForm, picture: Asset | None) -> Record | None:
    """The new object, or None with what is wrong said in the form."""
    user = person(request)
    words, _place = form.patches(user)
    if hidden_records(user, {accession_key(words.get("accession_number", ""))} - {""}):
        form.add_error("accession_number", NOT_HERE)
        return None
    home = None if picture else collections.home(user, form.cleaned_data["home"] or UNSORTED)
    try:
        record, operation = records.make(words, user, picture, home)
    except changes.NotAllowed:
        raise
    except changes.ChangeRefused as refused:
        form.add_error(None, str(refused))
        return None
    offer_undo(request, operation)
    return record


@login_required
@require_POST
def trash(request: HttpRequest, uid: UUID) -> HttpResponse:
    record = load_record(request, uid)
    need_to_describe(request, record)
    if record.trashed_at is None:
        offer_undo(request, records.trash(record, person(request)))
    return redirect("search:library")


@login_required
@require_POST
@or_gone
def restore(request: HttpRequest, uid: UUID) -> HttpResponse:
    record = load_record(request, uid)
    need_to_describe(request, record)
    try:
        if record.trashed_at is not None:
            offer_undo(request, records.restore(record, person(request)))
    except changes.NotAllowed:
        raise
    except changes.ChangeRefused as refused:
        messages.error(request, _("It stays in the trash. %s") % refused)
    return redirect(way_back(request, record.get_absolute_url()))
