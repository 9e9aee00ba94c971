"""What browsers may keep of pages for people who are signed in: nothing, so that "back" shows none later."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

Next = Callable[[HttpRequest], HttpResponseBase]
KEPT = '"cache"'
"""Previews and parts of pictures, whose addresses browsers else need not ask about for a year."""


def keeping(get_response: Next) -> Next:
    """Stands behind the middleware that knows the person. A view that says something itself is left alone.

    Browsers clear what they have kept by encrypted connections alone.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        was_in = request.user.is_authenticated
        response = get_response(request)
        if was_in or request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "private, no-store")
        if was_in and not request.user.is_authenticated and request.is_secure():
            response.headers["Clear-Site-Data"] = KEPT
        return response

    return middleware
