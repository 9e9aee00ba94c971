"""A host of its own for pictures (MEDIA_ORIGIN): uploads never share an origin with the pages."""

from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import resolve

Next = Callable[[HttpRequest], HttpResponseBase]


def media(get_response: Next) -> Next:
    """That host answers for files alone (MEDIA_VIEWS). It takes no cookie and no token, and sets none.

    What is asked for there is allowed by its signed address or not at all.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not is_media_host(request):
            return get_response(request)
        if not _is_file(request.path_info):
            return HttpResponse("Pictures alone come from here.", status=404, content_type="text/plain")
        request.COOKIES.clear()
        for name in ("HTTP_COOKIE", "HTTP_AUTHORIZATION"):
            request.META.pop(name, None)
        response = get_response(request)
        response.cookies.clear()
        return response

    return middleware


def is_media_host(request: HttpRequest) -> bool:
    host = settings.MEDIA_ORIGIN.partition("://")[2]
    return bool(host) and request.META.get("HTTP_HOST", "").lower() == host


def _is_file(path: str) -> bool:
    try:
        return resolve(path).view_name in settings.MEDIA_VIEWS
    except Http404:
        return False
