"""Rights that end, for those who manage the pictures; and the consents of the people in one picture."""

from dataclasses import replace
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from assets import changes, ending
from assets.consents import Consent, consents_of, end_of
from assets.forms.rights import ConsentForm
from assets.models import Asset
from assets.scopes import Action
from assets.views.allowed import need
from assets.views.cards import cards_of
from assets.views.requests import offer_undo, person

SHOWN = 60


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Pictures by how soon their rights end; looking at it is what makes the news old."""
    user = person(request)
    windows = ending.windows(user)
    days = request.GET.get("days", "")
    open_ = next((w for w in windows if str(w.days) == days), None)
    open_ = open_ or next((w for w in windows if w.count), windows[0])
    found = ending.within(user, open_.days, timezone.now())
    shown = Paginator(found.for_grid(), SHOWN).get_page(request.GET.get("page"))
    rows = [(card, card.asset.closes_at) for card in cards_of(shown)]
    if request.method == "GET":
        ending.looked(user)
    context = {"windows": windows, "open": open_, "rows": rows, "page": shown}
    return render(request, "assets/rights.html", context)


@login_required
@require_safe
def count(request: HttpRequest) -> HttpResponse:
    """The number of news, for the menu; empty where there is none."""
    return HttpResponse(ending.news(person(request)) or "", content_type="text/plain; charset=utf-8")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def consents(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Who of the people in a picture has agreed to what; each step can be undone."""
    asset = get_object_or_404(Asset.objects.visible_to(request.user).live().for_grid(), uid=uid)
    need(request, Action.MANAGE, asset)
    form = ConsentForm(request.POST if request.POST.get("act") == "add" else None)
    if request.method == "POST" and (request.POST.get("act") != "add" or form.is_valid()):
        _change(request, asset, form)
        return redirect("assets:consents", uid=uid)
    known = consents_of(asset.consents)
    now = timezone.now()
    rows = [(one, bool(one.ends_at and one.ends_at <= now)) for one in known]
    context = {
        "asset": asset,
        "card": cards_of([asset])[0],
        "rows": rows,
        "form": form,
        "ends": end_of(known),
    }
    return render(request, "assets/consents.html", context)


def _change(request: HttpRequest, asset: Asset, form: ConsentForm) -> None:
    """Write one consent, or what became of one, as one operation. Raises Http404 where there is none such."""
    act, key = request.POST.get("act", ""), request.POST.get("consent", "")
    with changes.together():
        asset = next(one for one in changes.lock([asset]) if isinstance(one, Asset))
        before = consents_of(asset.consents)
        one = form.consent() if act == "add" else next((c for c in before if c.key == key), None)
        if one is None or act not in LABELS:
            raise Http404("There is no such consent.")
        after = _after(act, before, one)
        operation = changes.operation("edit", LABELS[act], user=person(request))
        changed = changes.apply(operation, [asset], {"consents": [c.plain() for c in after]})
        if not changed:
            operation.delete()
    if changed:
        offer_undo(request, operation)


LABELS = {
    "add": "Noted a consent",
    "withdraw": "Noted that a consent was withdrawn",
    "remove": "Removed the note of a consent",
}
"""As other operations are called in the history: not translated, and without the name of the person."""


def _after(act: str, before: list[Consent], one: Consent) -> list[Consent]:
    if act == "add":
        return [*before, one]
    if act == "remove":
        return [consent for consent in before if consent.key != one.key]
    now = timezone.now().isoformat(timespec="seconds")
    ended = replace(one, withdrawn_at=one.withdrawn_at or now)
    return [ended if consent.key == one.key else consent for consent in before]
