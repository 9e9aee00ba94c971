"""From a question to the pictures that it means, as a selection for bulk work."""

from dataclasses import replace
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from assets.bulk import selecting
from assets.bulk.selecting import MOST, NothingSelected
from assets.views import bulk
from assets.views.requests import person
from search import sql
from search.examples import Given
from search.forms import Wish
from search.hybrid import HybridQuery
from search.query import DEPTH, passing, recall_image, run
from search.views import query_of


def whole(query: HybridQuery) -> list[int]:
    """The ids of all that a question shows, in its order: every page of a list, and of a ranking what can be
    paged to, which are its strong matches unless the weak ones are shown.

    Where words alone decide, all that have them, even those beyond the end of the ranking.
    """
    if query.asks and query.mode != "keywords":
        return [hit.asset_id for hit in run(replace(query, limit=DEPTH, offset=0)).hits]
    order = "added" if query.sort == "relevance" else query.sort
    return sql.listed(passing(query), order, MOST + 1, 0)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def select(request: HttpRequest) -> HttpResponse:
    """POST `asset` for each picture, or `whole=1` for all results of `question` (the query of the library's
    address), and make a selection of them; without POST the list of bulk changes."""
    if request.method != "POST":
        return bulk.index(request)
    user, wish = person(request), Wish.of(QueryDict(request.POST.get("question", "")))
    try:
        if "whole" in request.POST:
            image = recall_image(wish.picture) if wish.picture else None
            ids = whole(query_of(request, wish, Given.asked(wish, user), image, 1))
        else:
            uids = _uuids(request.POST.getlist("asset"))
            ids = selecting.of_uids(user, uids)
            if uids and not ids:
                raise NothingSelected(_("None of the selected pictures is in the library any more."))
        return redirect(selecting.select(user, ids, wish.address(weak=wish.weak, why=wish.why)))
    except NothingSelected as nothing:
        messages.error(request, str(nothing))
        return redirect(wish.address())


def _uuids(texts: list[str]) -> list[UUID]:
    """What is no id is left out: nothing is selected by it."""
    found: list[UUID] = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
