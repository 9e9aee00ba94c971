"""Addresses that stay: /id/<uid> leads to a picture or an object, and asking for JSON to the API."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from assets.models import Asset, Record
from assets.views.gone import or_gone
from assets.views.requests import person
from assets.views.visible import records_for

V = TypeVar("V", bound=Callable[..., HttpResponseBase])
JSON = "application/json"


@login_required
@require_safe
@or_gone
def by_uid(request: HttpRequest, uid: UUID) -> HttpResponse:
    """To the picture or the object of this id; 410 where it was deleted for good."""
    found: Asset | Record | None = Asset.objects.visible_to(request.user).filter(uid=uid).first()
    found = found or records_for(person(request)).filter(uid=uid).first()
    if found is None:
        raise Http404("There is nothing with this id.")
    return redirect(found)


def or_json(name: str) -> Callable[[V], V]:
    """A page that sends those who would rather have JSON to the API, at the address of this name (303).

    It comes before the sign-in, since programs show the API a token.
    """

    def decorator(view: V) -> V:
        @wraps(view)
        def inner(request: HttpRequest, uid: UUID, *args: Any, **kwargs: Any) -> HttpResponseBase:
            response: HttpResponseBase
            if request.get_preferred_type(["text/html", JSON]) == JSON:
                response = HttpResponse(
                    status=303, headers={"Location": reverse(f"api-1:{name}", args=[uid])}
                )
            else:
                response = view(request, uid, *args, **kwargs)
            patch_vary_headers(response, ["Accept"])
            return response

        return inner  # type: ignore[return-value]

    return decorator
