"""Going along the results from picture to picture: where an asset stands in the answer to a question."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from assets.models import Asset
from search.examples import Given
from search.forms import PER_PAGE, Wish
from search.hybrid import HybridQuery
from search.query import recall_image, run
from search.views import query_of

NEARBY = 24  # places in both directions in which an asset is looked for, where the list has changed
FURTHEST = 1_000_000


@dataclass(frozen=True)
class Place:
    """`number` counts from 1; the neighbours are those that this person may see."""

    number: int
    total: int
    previous: Asset | None
    next: Asset | None


def place_of(query: HybridQuery, uid: UUID, at: int) -> Place | None:
    """Where an asset stands, looked for around the place `at`, from 0; None where it is not there any more.

    The list is the one that the search has stored, and permission is applied to it again.
    """
    for reach in (1, NEARBY):
        begin = max(0, at - reach)
        results = run(replace(query, offset=begin, limit=at + reach + 1 - begin))
        found = results.assets
        here = next((n for n, asset in enumerate(found) if asset.uid == uid), None)
        if here is None:
            continue
        before = found[here - 1] if here else None
        behind = found[here + 1] if here + 1 < len(found) else None
        number, total = begin + here + 1, results.reachable
        if reach == NEARBY or (before or number == 1) and (behind or number >= total):
            return Place(number, total, before, behind)
    return None


@login_required
@require_safe
def along(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The links to the neighbours, for the page of an asset; with `go`, and no script, to one of them.

    `in` is the question as the library's address has it, `at` the place in its answer, from 0.
    """
    asset = get_object_or_404(Asset.objects.live().visible_to(request.user), uid=uid)
    asked, at = request.GET.get("in", ""), number(request.GET.get("at", ""))
    wish = Wish.of(QueryDict(asked))
    image = recall_image(wish.picture) if wish.picture else None
    query = query_of(request, wish, Given.asked(wish, request.user), image, wish.page)
    place = place_of(query, uid, at)
    if go := request.GET.get("go"):
        other = place and (place.previous if go == "previous" else place.next)
        return redirect(address(other, asked, at + (-1 if go == "previous" else 1)) if other else asset)
    context: dict[str, Any] = {"place": place, "asset": asset}
    context["back"] = wish.address(page=at // PER_PAGE + 1)
    if place:
        context["previous"] = address(place.previous, asked, place.number - 2)
        context["next"] = address(place.next, asked, place.number)
        context["ahead"] = place.next.rendition("large") if place.next else None
    return render(request, "search/partials/along.html", context)


def address(asset: Asset | None, asked: str, at: int) -> str:
    """An asset's page as one of the results of a question."""
    return f"{asset.get_absolute_url()}?{urlencode({'in': asked, 'at': at})}" if asset else ""


def number(text: str) -> int:
    return min(int(text), FURTHEST) if text.isascii() and text.isdigit() else 0
