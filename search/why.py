"""Why one result is there, for a page that is asked for it."""

from dataclasses import replace
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from search.along import NEARBY, number
from search.examples import Given
from search.forms import Wish
from search.hybrid import HybridQuery
from search.query import recall_image, run
from search.ranking import Hit
from search.reasons import reasons
from search.views import query_of


@login_required
@require_safe
def why(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The reasons of one result; the question and the place are in the address, as search.along has them.

    Permission is that of the search itself: what it would not show to this person is not found.
    """
    at = number(request.GET.get("at", ""))
    wish = Wish.of(QueryDict(request.GET.get("in", "")))
    image = recall_image(wish.picture) if wish.picture else None
    hit = _hit(query_of(request, wish, Given.asked(wish, request.user), image, 1), uid, at)
    if hit is None:
        raise Http404
    found = reasons(wish.q, [hit])[hit.asset_id]
    return render(request, "search/partials/why.html", {"why": found, "alone": True})


def _hit(query: HybridQuery, uid: UUID, at: int) -> Hit | None:
    """Looked for around its place, from 0, in the list that the search has stored."""
    for reach in (0, NEARBY):
        begin = max(0, at - reach)
        results = run(replace(query, offset=begin, limit=at + reach + 1 - begin))
        for hit, asset in zip(results.hits, results.assets, strict=True):
            if asset.uid == uid:
                return hit
    return None
