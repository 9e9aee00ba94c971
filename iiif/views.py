"""The addresses of the Image API. Permission is asked for at each of them, as for every rendition."""

import hashlib
import logging
from collections.abc import Callable
from functools import wraps
from threading import BoundedSemaphore
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_vary_headers

from assets import licensing
from assets.descriptions import subject_of
from assets.models import Asset, AssetVersion, Download, Rendition
from assets.scopes import Action, scope_of
from assets.sharing import links, media
from assets.views.files import FOR_EVER
from assets.views.licensed import purpose_of, record_download
from assets.views.media import KEPT as FOR_A_WHILE
from assets.views.requests import network, person
from iiif import description, parameters, pyramids
from iiif.files import kept
from iiif.parameters import FORMATS, Cut

AT_ONCE, PATIENCE = 2, 20  # parts that this process cuts at a time; seconds that one waits for its turn
LINKED_DATA = f'application/ld+json;profile="{description.CONTEXT}"'
LOOKING = 3000
"""Pixels of the longer side of what is cut for looking; more at once is a download."""
ALLOWED = "GET, HEAD, OPTIONS"
log = logging.getLogger(__name__)
_free = BoundedSemaphore(AT_ONCE)
View = Callable[..., HttpResponseBase]


class NotFound(Exception):
    """Not there, or not for this person: which of the two is not said."""


def answered(view: View) -> View:
    """Errors as the specification has them, in plain words; and other sites may read the answer."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "OPTIONS":
            response: HttpResponseBase = HttpResponse(status=204)
        elif request.method not in ("GET", "HEAD"):
            response = _said("Only reading is possible.", 405)
        elif "signed" not in kwargs and not request.user.is_authenticated:
            response = _said("Sign in to see pictures.", 401)
        else:
            response = _tried(view, request, *args, **kwargs)
        response["Access-Control-Allow-Origin"] = "*"  # without cookies: a browser sends none to this
        response["Access-Control-Expose-Headers"] = "Link, Retry-After"
        if request.method == "OPTIONS" or response.status_code == 405:
            response["Allow"] = response["Access-Control-Allow-Methods"] = ALLOWED
        return response

    return wrapper


def _tried(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    try:
        return view(request, *args, **kwargs)
    except parameters.Wrong as wrong:
        return _said(str(wrong), wrong.status)
    except (NotFound, FileNotFoundError, media.Wrong):
        return _said("There is no such picture.", 404)
    except pyramids.NoPicture as none:
        return _said(str(none), 404)
    except pyramids.NotYet as waits:
        response = _said(str(waits), 503)
        response["Retry-After"] = str(waits.seconds)
        response._has_been_logged = True  # type: ignore[attr-defined]  # nothing is wrong with this server
        return response


def _said(text: str, status: int) -> HttpResponse:
    response = HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "no-store"
    return response


@answered
def base(request: HttpRequest, uid: UUID, number: int | None = None, signed: str = "") -> HttpResponseBase:
    """The identifier alone leads to its description."""
    response = HttpResponse(status=303)
    response["Location"] = f"{_address(request, uid, number, signed)}/info.json"
    return response


@answered
def info(request: HttpRequest, uid: UUID, number: int | None = None, signed: str = "") -> HttpResponseBase:
    version, source = _source(request, uid, number, signed)
    rights = description.rights_of(subject_of(version.asset))
    longest = _longest(request, version, signed)
    said = description.info(
        _address(request, uid, number, signed), (source.width, source.height), longest, rights
    )
    linked = "application/ld+json" in request.headers.get("Accept", "")
    response = JsonResponse(said, content_type=LINKED_DATA if linked else "application/json")
    patch_vary_headers(response, ["Accept"])
    response["Cache-Control"] = "private, no-cache"
    response["Link"] = f'<{description.PROFILE}>;rel="profile"'
    return response


@answered
def ready(request: HttpRequest, uid: UUID, number: int | None = None, signed: str = "") -> HttpResponseBase:
    """For our own pages, where waiting is no error: {"ready", "seconds" until one should ask again, "said"}.

    Asking has a missing pyramid made.
    """
    try:
        _source(request, uid, number, signed)
    except pyramids.NotYet as waits:
        return JsonResponse({"ready": False, "seconds": waits.seconds, "said": str(waits)})
    return JsonResponse({"ready": True, "seconds": 0, "said": ""})


@answered
def image(
    request: HttpRequest,
    uid: UUID,
    region: str,
    size: str,
    rotation: str,
    last: str,
    number: int | None = None,
    signed: str = "",
) -> HttpResponseBase:
    version, source = _source(request, uid, number, signed)
    full = (source.width, source.height)
    cut = parameters.parse(full, settings.IIIF_LONGEST, region, size, rotation, last)
    home = version.asset.collection_id
    large = max(cut.size) > LOOKING and not signed  # what is signed says itself how large it may be
    if large and not scope_of(request.user).may(Action.DOWNLOAD, home):
        return _said("This size is for those who may download the picture.", 403)
    if max(cut.size) > licensing.SEEN:  # never a tile
        cut = parameters.parse(full, _longest(request, version, signed), region, size, rotation, last)
    name = hashlib.sha256(f"{source.pk} {source.size} {cut.canonical}".encode()).hexdigest()
    etag = f'"{name[:32]}"'
    response: HttpResponseBase | None = get_conditional_response(request, etag=etag)
    response = response or _cut(source, cut, name)
    response["ETag"] = etag
    response["Cache-Control"] = FOR_A_WHILE if signed else "private, no-cache" if number is None else FOR_EVER
    canonical = f"{_address(request, uid, number, signed)}/{cut.canonical}"
    response["Link"] = f'<{canonical}>;rel="canonical", <{description.PROFILE}>;rel="profile"'
    response["X-Content-Type-Options"] = "nosniff"
    if max(cut.size) > licensing.SEEN and request.method == "GET" and response.status_code == 200:
        _note(request, version.asset, cut, signed)
    return response


def _note(request: HttpRequest, asset: Asset, cut: Cut, signed: str) -> None:
    """What is larger than a page shows it is a download. Never a tile."""
    longest, format = max(cut.size), {"jpg": "jpeg"}.get(cut.format, cut.format)
    if signed:
        if link := media.granted(signed).link:
            taken = {"asset_id": asset.pk, "size": f"{format}-{longest}"}
            links.note(link, links.What.DOWNLOADED, network(request), request, **taken)
        return
    through, size = Download.Through.IIIF, f"{format.upper()} {longest}"
    licensing.record(asset, person(request), size, purpose_of(request), through=through)
    record_download(request, asset, "copy", format=format, longest=longest, through=through)


def _source(
    request: HttpRequest, uid: UUID, number: int | None, signed: str
) -> tuple[AssetVersion, Rendition]:
    """A version of an asset that this person may see, and where its pixels are."""
    if signed:
        return _by_signature(uid, number, signed)
    visible = Asset.objects.visible_to(request.user).filter(uid=uid)
    versions = AssetVersion.objects.filter(asset__in=visible).select_related("asset")
    versions = versions.defer("embedded_metadata", "sidecar").prefetch_related("renditions")
    wanted = versions.filter(current_of__isnull=False) if number is None else versions.filter(number=number)
    version = wanted.first()
    if version is None:
        raise NotFound
    return version, pyramids.source_of(version)


def _by_signature(uid: UUID, number: int | None, signed: str) -> tuple[AssetVersion, Rendition]:
    """Raises media.Wrong."""
    version, size, _ = media.granted(signed)
    if size != media.TILES or (version.asset.uid, version.number) != (uid, number):
        raise media.Wrong
    return version, pyramids.source_of(version)


def _longest(request: HttpRequest, version: AssetVersion, signed: str) -> int:
    """The pixels of the longer side of one answer; signed are tiles only where originals are given out."""
    if signed:
        return settings.IIIF_LONGEST
    return min(settings.IIIF_LONGEST, licensing.most_pixels(version.asset, request.user, purpose_of(request)))


def _cut(source: Rendition, cut: Cut, name: str) -> HttpResponseBase:
    """The part from the folder of parts, or made now. Raises FileNotFoundError, pyramids.NotYet."""
    tiles = kept(settings.IIIF_CACHE_DIR / "tiles", settings.IIIF_CACHE_BYTES)
    place = f"{name[:2]}/{name}.{cut.format}"
    path = tiles.find(place)
    if path is None:
        from iiif import pixels  # libvips takes memory: not before somebody looks

        if not _free.acquire(timeout=PATIENCE):
            raise pyramids.NotYet("Many parts are being cut just now.", pyramids.SOON)
        try:
            content = pixels.made(pyramids.local(source), cut)
        except pixels.ERRORS as error:
            log.warning("%s of %s cannot be cut: %s", cut.canonical, source.storage_name, error)
            raise NotFound from error
        finally:
            _free.release()
        path = tiles.keep(place, lambda file: file.write(content))
    return FileResponse(path.open("rb"), content_type=FORMATS[cut.format])


def _address(request: HttpRequest, uid: UUID, number: int | None, signed: str) -> str:
    """The identifier as others know it: scheme, host, and all up to the first slash behind it."""
    if signed:
        return request.build_absolute_uri(reverse("iiif:shared:base", args=[signed, uid, number]))
    bare = reverse("iiif:base", args=[uid])
    return request.build_absolute_uri(bare if number is None else f"{bare}:{number}")
