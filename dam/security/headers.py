"""What every answer tells the browser: where things may come from, and who may use them."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from dam.security.media import is_media_host

Next = Callable[[HttpRequest], HttpResponseBase]

SWITCHED_OFF: Final = ("camera", "display-capture", "geolocation", "microphone", "midi", "payment", "usb")
PERMISSIONS: Final = ", ".join(f"{name}=()" for name in SWITCHED_OFF)
FILES: Final = "default-src 'none'; sandbox"


def policy() -> str:
    """The Content Security Policy of pages: no inline script, no inline style, nothing from elsewhere.

    MEDIA_ORIGIN may send pictures; SIGN_IN_ORIGINS may be led to by a form, as single sign-on does.
    """
    media = (settings.MEDIA_ORIGIN,)
    rules = {
        "default-src": ("'none'",),
        "script-src": ("'self'",),
        "style-src": ("'self'",),
        "font-src": ("'self'",),
        "img-src": ("'self'", "data:", "blob:", *media),
        "media-src": ("'self'", *media),
        "connect-src": ("'self'", *media),
        "manifest-src": ("'self'",),
        "form-action": ("'self'", *settings.SIGN_IN_ORIGINS),
        "base-uri": ("'none'",),
        "frame-ancestors": ("'none'",),
    }
    return "; ".join(f"{name} {' '.join(filter(None, sources))}" for name, sources in rules.items())


def headers(get_response: Next) -> Next:
    """Stands before all others, so that redirections and refusals have them too.

    What is no page has no need of anything: a picture or a file that is opened by itself runs nothing.

    A view that has said something stricter, as those of originals do, is left alone. What may be shown on the
    pages of others, as answers of the IIIF Image API may, says so by Access-Control-Allow-Origin.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        shared = response.get("Access-Control-Allow-Origin") == "*"
        for name, value in (
            ("Content-Security-Policy", policy() if _is_page(request, response) else FILES),
            ("Permissions-Policy", PERMISSIONS),
            ("Cross-Origin-Resource-Policy", _readers(request, shared)),
            ("X-Content-Type-Options", "nosniff"),
        ):
            response.headers.setdefault(name, value)
        return response

    return middleware


def _is_page(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Static files are ours, and an icon of them may have styles of its own."""
    page = response.get("Content-Type", "").startswith("text/html")
    return page or request.path.startswith(settings.STATIC_URL)


def _readers(request: HttpRequest, shared: bool) -> str:
    """A host of its own for pictures is another site to the pages that show them."""
    if shared:
        return "cross-origin"
    return "cross-origin" if is_media_host(request) else "same-origin"
