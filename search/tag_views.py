"""Suggested tags: chips on the page of a picture, and a page of pictures that have no tags yet."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.models import User
from assets import changes
from assets.models import TAGS, Asset, Operation, TagAnswer, Term
from assets.scopes import Action
from assets.views.allowed import need
from assets.views.cards import Card, cards_of
from assets.views.requests import Request, offer_undo, person, way_back
from search import spaces, sql
from search.tag_suggestions import Suggestion, suggest

Answer = TagAnswer.Answer
PER_PAGE = 12
FURTHEST = 10_000  # pages


@dataclass(frozen=True)
class Untagged:
    card: Card
    suggestions: list[Suggestion]


@login_required
@require_safe
@vary_on_headers("HX-Request")
def suggestions(request: Request, uid: UUID) -> HttpResponse:
    """The chips of one picture; without a script a page of their own."""
    return _show(request, _load(request, uid))


@login_required
@require_POST
def answer(request: Request, uid: UUID, term: UUID) -> HttpResponse:
    """Accept or refuse a suggested tag, or take a refusal back: what is said stands in `answer`."""
    asset = _load(request, uid)
    need(request, Action.DESCRIBE, asset)
    said = request.POST.get("answer", "")
    terms = Term.objects.in_vocabulary(TAGS).filter(uid=term)
    if said == "forget":
        TagAnswer.objects.filter(asset=asset, term__in=terms, answer=Answer.REFUSED).delete()
        messages.success(request, _("It may be suggested again."))
    else:
        offered = {one.term_id: one for one in suggest(asset.pk, person(request))}
        chosen = [offered[found.pk] for found in terms if found.pk in offered]
        if not chosen:
            messages.info(request, _("This is not suggested any more."))
        elif said == "accept":
            if operation := accept(person(request), asset, chosen):
                offer_undo(request, operation)
        elif said == "refuse":
            remember(person(request), asset, chosen, Answer.REFUSED)
    if request.htmx:
        return _show(request, _load(request, uid), changed=said == "accept")
    return redirect(way_back(request, asset.get_absolute_url()))


def accept(user: User, asset: Asset, chosen: list[Suggestion]) -> Operation | None:
    """Add these tags, in one operation that can be undone; None where it had them already."""
    labels = [one.label for one in chosen]
    noun = "tag" if len(labels) == 1 else "tags"
    with changes.together():
        operation = changes.operation(
            "suggested", f"Added the suggested {noun} {'; '.join(labels)}", user=user
        )
        if changes.apply(operation, [asset], {"add_terms": {TAGS: labels}}):
            remember(user, asset, chosen, Answer.ACCEPTED, operation)
            return operation
        operation.delete()
    return None


def remember(
    user: User, asset: Asset, chosen: list[Suggestion], said: Answer, operation: Operation | None = None
) -> None:
    """Who has said what, when, of which suggestion: with its score, and what it came from."""
    space = spaces.active()
    for one in chosen:
        values = {"answer": said, "score": one.score, "space": space.slug if space else ""}
        values |= {"head": one.head, "user": user, "operation": operation}
        TagAnswer.objects.update_or_create(asset=asset, term_id=one.term_id, defaults=values)


def _show(request: Request, asset: Asset, changed: bool = False) -> HttpResponse:
    refused = TagAnswer.objects.filter(asset=asset, answer=Answer.REFUSED).select_related("term")
    context = {
        "asset": asset,
        "suggestions": suggest(asset.pk, person(request)) if asset.trashed_at is None else [],
        "refused": [one.term for one in refused.order_by("term__key")],
        "changed": changed,
        "answered": request.method == "POST",
        "reviewing": "reviewing" in request.POST,
    }
    template = "search/partials/suggested_tags.html" if request.htmx else "search/suggested_tags.html"
    return render(request, template, context)


def _load(request: HttpRequest, uid: UUID) -> Asset:
    return get_object_or_404(Asset.objects.live().visible_to(request.user), uid=uid)


@login_required
@require_safe
def review(request: HttpRequest) -> HttpResponse:
    """Pictures without tags, newest first, each with what is suggested for it."""
    user = person(request)
    where = sql.visible_to(sql.Where(), user).add(sql.PICTURED)
    where = where.add("NOT r.has @> ARRAY['tag']::varchar[]")
    total = sql.count(where)
    sent = request.GET.get("page", "")
    number = min(int(sent), FURTHEST) if sent.isascii() and sent.isdigit() else 1
    last = max(1, -(-total // PER_PAGE))
    number = min(max(number, 1), last)
    ids = sql.listed(where, "added", PER_PAGE, (number - 1) * PER_PAGE)
    assets = Asset.objects.for_grid().in_bulk(ids)
    cards = cards_of(assets[pk] for pk in ids if pk in assets)
    rows = [Untagged(card, suggest(card.asset.pk, user)) for card in cards]
    context = {
        "rows": rows,
        "total": total,
        "number": number,
        "last": last,
        "previous": number - 1,
        "next": number + 1 if number < last else 0,
    }
    return render(request, "search/suggested.html", context)
