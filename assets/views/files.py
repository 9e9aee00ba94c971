"""Bytes: renditions for screens, and originals."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.files.storage import storages
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from assets import fixity
from assets.models import Asset, AssetVersion, Rendition
from assets.views.gone import or_gone

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
def original(request: HttpRequest, uid: UUID) -> HttpResponseBase:
    """The file as it was handed in: a download, or with ?show in the browser where that is harmless."""
    if Asset.objects.visible_to(request.user).awaited().filter(uid=uid).exists():
        return render(request, "404.html", {"said": AWAITED}, status=404)
    version = _current(request, uid)
    show = "show" in request.GET and version.blob.media_type in SHOWN_BY_BROWSERS
    media_type = version.blob.media_type if show else "application/octet-stream"
    response = _send("originals", version.blob.storage_name, media_type, version.original_filename, not show)
    response["Content-Length"] = str(version.blob.size)
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-cache"
    return response


def _current(request: HttpRequest, uid: UUID) -> AssetVersion:
    """The version that is shown, of an asset that this person may see, or 404."""
    visible = Asset.objects.visible_to(request.user)
    versions = AssetVersion.objects.select_related("blob", "asset")
    version: AssetVersion = get_object_or_404(versions, current_of__in=visible, asset__uid=uid)
    return version


def _send(
    storage: str, name: str, media_type: str, filename: str = "", attachment: bool = False
) -> FileResponse:
    try:
        content = storages[storage].open(name)
    except FileNotFoundError as error:
        raise Http404("The file is not in storage.") from error
    response = FileResponse(content, as_attachment=attachment, filename=filename, content_type=media_type)
    response["X-Content-Type-Options"] = "nosniff"
    return response
