"""Originals and copies with the museum's present words in them, and these words alone as an XMP file."""

from pathlib import PurePath
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from assets import copies, storage
from assets.metadata import writing
from assets.metadata.present import present
from assets.models import Asset, AssetVersion
from assets.scopes import Action
from assets.sharing import media
from assets.views.allowed import need
from assets.views.files import elsewhere, original, send_original
from assets.views.gone import or_gone
from assets.views.licensed import licensed, noted, record_download, verdict_on
from assets.views.ranges import is_new

XMP_TYPE = "application/rdf+xml"


@login_required
@require_safe
@or_gone
@licensed
def download(request: HttpRequest, uid: UUID) -> HttpResponseBase:
    """The original with the words in it; with ?metadata=0, or where that is not possible, as it came in."""
    if request.GET.get("metadata") == "0":
        return original(request, uid)
    asset, version = described(request, uid, Action.ORIGINAL)
    response = elsewhere(request, version, media.WORDED) or send_with_words(request, asset, version)
    if is_new(request, response, noted(request, asset)):
        record_download(request, asset, "original")
    return response


@login_required
@require_safe
@or_gone
def sidecar(request: HttpRequest, uid: UUID) -> HttpResponseBase:
    asset, version = described(request, uid)
    record_download(request, asset, "words")
    return sidecar_of(asset, version)


@login_required
@require_safe
@licensed
def copy(request: HttpRequest, uid: UUID, format: str, longest: int) -> HttpResponseBase:
    """The picture in one of the formats and sizes that its page offers, with the words in it."""
    asset, version = described(request, uid)
    wanted = copies.Copy(format.upper(), longest)
    verdict = verdict_on(request)
    if wanted not in verdict.offered(version):
        raise Http404("There is no copy of this format and size.")
    record_download(request, asset, "copy", format=format, longest=longest)
    try:
        return send_copy(asset, version, wanted, verdict.mark)
    except copies.NoCopy as error:
        messages.error(
            request, _("The %(format)s could not be made.") % {"format": wanted.format} + f" {error}"
        )
        return redirect(asset)


def send_with_words(request: HttpRequest, asset: Asset, version: AssetVersion) -> HttpResponseBase:
    """An original of which somebody has asked whether it may be given out, with the words of the asset; as it
    came in, where its format takes none. Raises Http404."""
    file = _opened(version)
    try:
        pieces = writing.pieces_of(file, version.format, present(asset), version.sidecar)
    except writing.Unwritable:
        file.close()
        response = send_original(request, version)
        sidecar = reverse("assets:sidecar", args=[asset.uid])
        response["Link"] = f'<{sidecar}>; rel="describedby"; type="{XMP_TYPE}"'
        return response
    content = writing.stream(file, pieces)
    response = StreamingHttpResponse(content, content_type="application/octet-stream")
    response["Content-Length"] = str(writing.length_of(pieces))
    return _as_attachment(response, version.original_filename)


def send_copy(asset: Asset, version: AssetVersion, wanted: copies.Copy, mark: str) -> HttpResponseBase:
    """Of an asset with its words, of which somebody has asked whether it may be given out. Raises NoCopy."""
    file = copies.made(version, wanted, mark)
    kind = copies.KINDS[wanted.format]
    pieces = writing.pieces_of(file, wanted.format, present(asset))
    response = StreamingHttpResponse(writing.stream(file, pieces), content_type=kind.media_type)
    response["Content-Length"] = str(writing.length_of(pieces))
    response["Cache-Control"] = "private, no-cache"
    return _as_attachment(response, f"{PurePath(version.original_filename).stem}.{kind.ending}")


def described(
    request: HttpRequest, uid: UUID, action: Action = Action.DOWNLOAD
) -> tuple[Asset, AssetVersion]:
    """The asset with its words and its version, or 404. Raises PermissionDenied."""
    visible = Asset.objects.visible_to(request.user).with_words().defer(None)
    asset: Asset = get_object_or_404(visible, uid=uid, current_version__isnull=False)
    need(request, action, asset)
    version = asset.current_version
    assert version is not None  # noqa: S101 - said by the query
    return asset, version


def sidecar_of(asset: Asset, version: AssetVersion) -> HttpResponseBase:
    """The XMP file: what the museum says, and what the file and its sidecar say besides."""
    _opened(version).close()
    with storage.local_copy(version.blob) as path:
        content = writing.sidecar_of(path, present(asset), version.sidecar)
    name = PurePath(version.original_filename).with_suffix(".xmp").name
    return _as_attachment(HttpResponse(content, content_type=XMP_TYPE), name)


def _opened(version: AssetVersion) -> Any:
    try:
        return storage.originals().open(version.blob.storage_name)
    except FileNotFoundError as error:
        raise Http404("The file is not in storage.") from error


def _as_attachment(response: HttpResponseBase, name: str) -> HttpResponseBase:
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-cache"
    return response
