"""The pages of saved searches, and what is new for them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assets.models import Asset
from assets.views.cards import cards_of
from assets.views.collection_forms import NameField
from assets.views.requests import person
from search import saved
from search.forms import Wish
from search.models import SavedSearch
from search.saved import SavedError

SHOWN = 60


class SavedForm(forms.Form):
    name = NameField()
    alert = forms.BooleanField(required=False, label=gettext_lazy("Tell me when a new picture matches"))
    shared = forms.BooleanField(required=False, label=gettext_lazy("Shared: everybody here sees this search"))


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    user = person(request)
    numbers = saved.numbers_of_news(user)
    rows = [(one, saved.in_words(one), numbers.get(one.pk, 0)) for one in _visible(request)]
    mine = [row for row in rows if row[0].owner_id == user.pk]
    context = {"mine": mine, "shared": [row for row in rows if row not in mine]}
    return render(request, "search/saved.html", context)


@login_required
@require_POST
def new(request: HttpRequest) -> HttpResponse:
    """From the search page, whose whole question comes along as its address."""
    wish = Wish.of(QueryDict(request.POST.get("question", "").partition("?")[2]))
    form = SavedForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(text) for texts in form.errors.values() for text in texts))
        return redirect(wish.address())
    said = form.cleaned_data
    try:
        kept = saved.keep(person(request), said["name"], wish, shared=said["shared"], alert=said["alert"])
    except SavedError as error:
        messages.error(request, str(error))
        return redirect(wish.address())
    messages.success(request, _("Saved as “%(name)s”, under Saved searches.") % {"name": kept.name})
    return redirect(wish.address())


@login_required
@require_safe
def count(request: HttpRequest) -> HttpResponse:
    """Beside the link in the menu: how many pictures are new, or nothing."""
    number = saved.news(person(request)).count()
    said = ngettext("%(number)d new", "%(number)d new", number) % {"number": number} if number else ""
    return HttpResponse(said, content_type="text/plain")


@login_required
@require_safe
def smart(request: HttpRequest) -> HttpResponse:
    """A list for the page of collections."""
    return render(request, "search/partials/smart.html", {"found": _visible(request)})


@login_required
@require_safe
def page(request: HttpRequest, uid: UUID) -> HttpResponse:
    """What is new since its owner last looked, and its settings."""
    one = _found(request, uid)
    mine = one.owner_id == person(request).pk
    initial = {"name": one.name, "alert": one.alert_since is not None, "shared": one.shared}
    context = {"one": one, "words": saved.in_words(one), "mine": mine, "form": SavedForm(initial=initial)}
    return render(request, "search/saved_one.html", context | (_news(request, one) if mine else {}))


def _news(request: HttpRequest, one: SavedSearch) -> dict[str, Any]:
    found = list(saved.news(person(request)).filter(search=one).order_by("-found_at", "-pk")[: SHOWN + 1])
    ids = [match.asset_id for match in found[:SHOWN]]
    assets = Asset.objects.live().visible_to(request.user).for_grid().in_bulk(ids)
    return {
        "cards": cards_of(assets[pk] for pk in ids if pk in assets),
        "more": len(found) > SHOWN,
        "until": found[0].found_at.isoformat() if found else "",
    }


@login_required
@require_safe
def open_one(request: HttpRequest, uid: UUID) -> HttpResponse:
    return redirect(saved.address(_found(request, uid)))


@login_required
@require_POST
def edit(request: HttpRequest, uid: UUID) -> HttpResponse:
    one = _found(request, uid, own=True)
    form = SavedForm(request.POST)
    if not form.is_valid():
        return render(
            request,
            "search/saved_one.html",
            {"one": one, "words": saved.in_words(one), "mine": True, "form": form},
        )
    one.name, one.shared = form.cleaned_data["name"], form.cleaned_data["shared"]
    try:
        saved.set_alert(one, form.cleaned_data["alert"])
    except SavedError as error:
        messages.error(request, str(error))
        return redirect(one)
    one.save(update_fields=["name", "shared", "alert_since", "looked_at"])
    messages.success(request, _("Saved."))
    return redirect(one)


@login_required
@require_POST
def seen(request: HttpRequest, uid: UUID) -> HttpResponse:
    """What was found until the moment that the page showed is not new any more."""
    one = _found(request, uid, own=True)
    until: datetime | None = None
    try:
        until = parse_datetime(request.POST.get("until", ""))
    except ValueError:
        until = None
    if until is not None and until.tzinfo is not None and one.looked_at < until <= timezone.now():
        SavedSearch.objects.filter(pk=one.pk).update(looked_at=until)
    return redirect(one)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, uid: UUID) -> HttpResponse:
    one = _found(request, uid, own=True)
    if request.method != "POST":
        return render(request, "search/saved_delete.html", {"one": one, "words": saved.in_words(one)})
    one.delete()
    messages.success(request, _("Deleted the saved search %(name)s.") % {"name": one.name})
    return redirect("search:saved")


def _visible(request: HttpRequest) -> list[SavedSearch]:
    return list(saved.visible_to(person(request)).defer("picture"))


def _found(request: HttpRequest, uid: UUID, *, own: bool = False) -> SavedSearch:
    """One that this person may open; `own`: that is theirs. Or 404."""
    found = saved.visible_to(person(request))
    return get_object_or_404(found.filter(owner=person(request)) if own else found, uid=uid)
