"""Bytes: renditions for screens, and originals."""

from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.files.storage import storages
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from assets import backends, fixity
from assets.models import Asset, AssetVersion, Rendition
from assets.scopes import Action
from assets.sharing import media
from assets.views import ranges
from assets.views.allowed import need
from assets.views.gone import or_gone
from assets.views.licensed import licensed, noted, record_download
from assets.views.ranges import is_new
from assets.views.requests import person

FOR_EVER = "private, max-age=31536000, immutable"
AWAITED = "This object still waits for its picture, so there is no file."
SHOWN_BY_BROWSERS = {"image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"}


@login_required
@require_safe
def rendition(request: HttpRequest, uid: UUID, number: int, name: str) -> HttpResponseBase:
    """A derived picture; its address changes with the version, so browsers may keep it.

    One that is gone from storage is made again by the workers, unless that has failed before.
    """
    visible = Asset.objects.visible_to(request.user).filter(uid=uid)
    found = get_object_or_404(Rendition, version__asset__in=visible, version__number=number, name=name)
    return send_rendition(request, found)


def elsewhere(request: HttpRequest, version: AssetVersion, size: str) -> HttpResponseBase | None:
    """The way to the origin for files, where there is one: a signed address, of minutes, for this person.

    Renditions are ours and harmless: they stay here, where browsers keep them.
    """
    if not settings.MEDIA_ORIGIN:
        return None
    response = redirect(media.address(media.for_person(person(request), version, size)))
    response["Cache-Control"] = "private, no-store"
    return response


def send_rendition(request: HttpRequest, found: Rendition) -> HttpResponseBase:
    """Of which somebody has asked whether it may be seen. Raises Http404."""
    etag = f'"{found.pk}-{found.size}"'
    response: HttpResponseBase | None = get_conditional_response(request, etag=etag)
    try:
        response = response or _send("renditions", found.storage_name, found.media_type)
    except Http404:
        fixity.remake([found.version_id], priority=1)
        raise
    response["ETag"] = etag
    response["Cache-Control"] = FOR_EVER
    return response


@login_required
@require_safe
@or_gone
@licensed
def original(request: HttpRequest, uid: UUID) -> HttpResponseBase:
    """The file as it was handed in: a download, or with ?show in the browser where that is harmless."""
    if Asset.objects.visible_to(request.user).awaited().filter(uid=uid).exists():
        return render(request, "404.html", {"said": AWAITED}, status=404)
    version = _current(request, uid)
    need(request, Action.ORIGINAL, version.asset)
    show = "show" in request.GET and version.blob.media_type in SHOWN_BY_BROWSERS
    size = media.SHOWN if show else media.ORIGINAL
    response = elsewhere(request, version, size) or send_original(request, version, show)
    if is_new(request, response, noted(request, version.asset)):
        record_download(request, version.asset, "original", shown=show)
    return response


def send_original(request: HttpRequest, version: AssetVersion, show: bool = False) -> HttpResponseBase:
    """Of which somebody has asked whether it may be given out; whole or in part. Raises Http404.

    With S3_PRESIGNED the bucket sends what lies in it, by an address of minutes.
    """
    blob = version.blob
    headers = {
        "Content-Type": blob.media_type if show else "application/octet-stream",
        "Content-Disposition": content_disposition_header(not show, version.original_filename) or "inline",
    }
    place = storages["originals"]
    seconds = settings.S3_PRESIGNED_SECONDS
    if seconds and (url := backends.presigned(place, blob.storage_name, seconds, headers)):
        response: HttpResponseBase = HttpResponseRedirect(url)
        response["Cache-Control"] = "private, no-store"
        return response
    try:
        response = ranges.sent(request, place, blob.storage_name, blob.size, f'"{blob.sha256}"')
    except FileNotFoundError as error:
        raise Http404("The file is not in storage.") from error
    for name, value in headers.items():
        response[name] = value
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _current(request: HttpRequest, uid: UUID) -> AssetVersion:
    """The version that is shown, of an asset that this person may see, or 404."""
    visible = Asset.objects.visible_to(request.user)
    versions = AssetVersion.objects.select_related("blob", "asset")
    version: AssetVersion = get_object_or_404(versions, current_of__in=visible, asset__uid=uid)
    return version


def _send(storage: str, name: str, media_type: str) -> FileResponse:
    try:
        content = storages[storage].open(name)
    except FileNotFoundError as error:
        raise Http404("The file is not in storage.") from error
    response = FileResponse(content, content_type=media_type)
    response["X-Content-Type-Options"] = "nosniff"
    return response
