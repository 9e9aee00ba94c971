"""Files by signed addresses: no session is asked, but what the signature is for."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from assets import copies, licensing
from assets.models import Asset, AssetVersion
from assets.sharing import links, media
from assets.sharing.media import Granted, Wrong
from assets.views.downloads import send_copy, send_with_words
from assets.views.files import send_original, send_rendition
from assets.views.ranges import is_new
from assets.views.requests import network

KEPT = "private, max-age=900"


@require_safe
def file(request: HttpRequest, signed: str) -> HttpResponseBase:
    """A rendition, a copy or an original; 404 for all that is not allowed (any more), without saying why."""
    try:
        found = media.granted(signed)
        if found.size == media.TILES:
            raise Wrong
        response = _file(request, found)
    except (Wrong, Http404):
        response = _said("This address of a file has ended. Open the page again.", 404)
    except copies.NoCopy as error:
        response = _said(str(error), 503)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


def _said(text: str, status: int) -> HttpResponse:
    response = HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "private, no-store"
    response._has_been_logged = True  # type: ignore[attr-defined]  # the address would be in the log
    return response


def _file(request: HttpRequest, found: Granted) -> HttpResponseBase:
    version, size = found.version, found.size
    if size in media.RENDITIONS:
        rendition = next((one for one in version.renditions.all() if one.name == size), None)
        if rendition is None:
            raise Wrong
        response = send_rendition(request, rendition)
        response["Cache-Control"] = KEPT
        return response
    if size in (media.ORIGINAL, media.SHOWN):
        response = send_original(request, version, show=size == media.SHOWN)
    elif size == media.WORDED:
        response = send_with_words(request, _described(version), version)
    else:
        format, longest = size.split("-")
        asset = _described(version)
        mark = licensing.for_guest(asset, original=False).mark if found.link else ""
        response = send_copy(asset, version, copies.Copy(format.upper(), int(longest)), mark)
    if found.link:
        taken = {"asset_id": version.asset_id, "size": size}
        noted = found.link.log.filter(what=links.What.DOWNLOADED, network=network(request), **taken)
        if is_new(request, response, noted):
            links.note(found.link, links.What.DOWNLOADED, network(request), request, **taken)
    return response


def _described(version: AssetVersion) -> Asset:
    asset: Asset = Asset.objects.with_words().defer(None).get(pk=version.asset_id)
    return asset
