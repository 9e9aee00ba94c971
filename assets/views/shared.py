"""What recipients of a link see. No account; a cookie only for a password or a limited number of visits.

Nothing here says why a link does not open: whether it ended or never was looks the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.paginator import Paginator
from django.core.signing import BadSignature, TimestampSigner
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from assets import licensing
from assets.copies import Copy
from assets.descriptions import subject_of
from assets.models import Asset, Record, ShareLink
from assets.sharing import links, looking, media
from assets.views.asset import zooms
from assets.views.cards import Card, cards_of
from assets.views.requests import network
from assets.views.script_words import PICTURE, translated

ON_A_PAGE = 60
VISIT_HOURS = 12
SALT = "assets.sharing.visit"
WORDS = ("depictions__record__term_uses__term__vocabulary", "term_uses__term__vocabulary")
View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Shown:
    """A picture as recipients see it, with the words that belong to it."""

    asset: Asset
    card: Card
    src: str
    creators: str
    date: str
    number: str
    credit: str
    rights: str
    terms: str


def for_recipients(view: View) -> View:
    """A view of an open link, behind its door. Search engines keep nothing, other sites are told nothing."""

    @csrf_exempt  # without a cookie there is nothing that another site could use
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def wrapper(request: HttpRequest, token: str, **kwargs: Any) -> HttpResponseBase:
        link = ShareLink.objects.of_token(token)
        try:
            if link is None:
                raise Http404
            response = _behind_the_door(request, link, token) or view(request, link, token, **kwargs)
        except Http404:
            response = ended(request)
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex, nofollow"
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return wrapper


def ended(request: HttpRequest) -> HttpResponse:
    response = render(request, "assets/shared_ended.html", status=404)
    response._has_been_logged = True  # type: ignore[attr-defined]  # the address would be in the log
    return response


def _behind_the_door(request: HttpRequest, link: ShareLink, token: str) -> HttpResponse | None:
    """The page before the pictures, or the way to them; None for those who are inside."""
    if not link.has_door or _is_inside(request, link):
        return redirect("assets:shared", token) if request.method == "POST" else None
    if link.state == "used":
        raise Http404
    refusal = _let_in(request, link) if request.method == "POST" else ""
    if request.method == "POST" and not refusal:
        if not links.enter(link, network(request), request):
            raise Http404
        return _with_visit(redirect("assets:shared", token), link, token)
    status = 403 if refusal else 200
    response = render(request, "assets/shared_door.html", {"link": link, "refusal": refusal}, status=status)
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _let_in(request: HttpRequest, link: ShareLink) -> str:
    """Why not; empty where the password is right, or none is asked for."""
    try:
        if not link.password or links.right_password(
            link, request.POST.get("password", "")[:200], network(request), request
        ):
            return ""
    except links.TooManyTries:
        return _("Too many wrong passwords. Wait a quarter of an hour, then try again.")
    return _("This is not the password. Look at it once more: capitals count.")


def _cookie(link: ShareLink) -> str:
    return f"visit_{link.uid.hex[:12]}"


def _is_inside(request: HttpRequest, link: ShareLink) -> bool:
    try:
        said = request.COOKIES.get(_cookie(link), "")
        return TimestampSigner(salt=SALT).unsign(said, max_age=VISIT_HOURS * 3600) == link.mark
    except BadSignature:
        return False


def _with_visit(response: HttpResponse, link: ShareLink, token: str) -> HttpResponse:
    response.set_cookie(
        _cookie(link),
        TimestampSigner(salt=SALT).sign(link.mark),
        path=reverse("assets:shared", args=[token]),
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


@for_recipients
def page(request: HttpRequest, link: ShareLink, token: str) -> HttpResponse:
    """All pictures of a link, in pages; of one alone, that one."""
    if request.method == "GET" and not link.has_door:
        links.seen(link, network(request), request)
    ids = looking.in_order(link)
    if len(ids) == 1 and link.kind == ShareLink.Kind.ASSET:
        return _one(request, link, token, ids, ids[0])
    page = Paginator(ids, ON_A_PAGE).get_page(request.GET.get("page"))
    found = _shown(link, list(page.object_list), "medium")
    context = {"link": link, "token": token, "pictures": found, "page": page, "number": len(ids)}
    return render(request, "assets/shared.html", context | {"whole": downloads(link, len(ids))})


@for_recipients
def picture(request: HttpRequest, link: ShareLink, token: str, uid: UUID) -> HttpResponse:
    ids = looking.in_order(link)
    pk = Asset.objects.filter(uid=uid, pk__in=ids).values_list("pk", flat=True).first()
    if pk is None:
        return _gone(request, link, token)
    return _one(request, link, token, ids, pk)


def _gone(request: HttpRequest, link: ShareLink, token: str) -> HttpResponse:
    """The link is good, but does not show this picture, or not any more."""
    response = render(request, "assets/shared_gone.html", {"link": link, "token": token}, status=404)
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _one(request: HttpRequest, link: ShareLink, token: str, ids: list[int], pk: int) -> HttpResponse:
    (shown,) = _shown(link, [pk], "large")
    place = ids.index(pk)
    beside = Asset.objects.in_bulk(ids[max(place - 1, 0) : place + 2])
    version = shown.asset.current_version
    assert version is not None  # noqa: S101 - said by the query
    closer = looking.gives_originals(link) and looking.pictures(link, "original").filter(pk=pk).exists()
    context = {
        "link": link,
        "token": token,
        "shown": shown,
        "version": version,
        "place": place + 1,
        "number": len(ids),
        "previous": beside[ids[place - 1]] if place else None,
        "next": beside[ids[place + 1]] if place + 1 < len(ids) else None,
        "copies": _copies(link, shown.asset),
        "original": media.address(media.for_link(link, version, media.ORIGINAL)) if closer else "",
        "tiles": media.for_link(link, version, media.TILES) if closer and zooms(version) else "",
        "script_words": translated(PICTURE),
    }
    return render(request, "assets/shared_picture.html", context)


def _copies(link: ShareLink, asset: Asset) -> list[tuple[Copy, str]]:
    """The sizes that may be downloaded, each with its address."""
    version = asset.current_version
    if version is None or not looking.pictures(link, "download").filter(pk=asset.pk).exists():
        return []
    offered = looking.copies_of(link, version, licensing.for_guest(asset, original=False))
    return [(one, media.address(media.for_link(link, version, media.size_of(one)))) for one in offered]


def _shown(link: ShareLink, ids: list[int], size: str) -> list[Shown]:
    """These pictures, in this order; in a fixed number of queries."""
    found = Asset.objects.for_grid().prefetch_related(*WORDS).in_bulk(ids)
    return [_with_words(link, card, size) for card in cards_of(found[pk] for pk in ids if pk in found)]


def _with_words(link: ShareLink, card: Card, size: str) -> Shown:
    asset, subject = card.asset, subject_of(card.asset)
    version = asset.current_version
    there = asset.rendition(size) or asset.rendition("small")
    signed = media.for_link(link, version, there.name) if there and version else ""
    return Shown(
        asset,
        card,
        media.address(signed) if signed else "",
        "; ".join(subject.creators),
        subject.date,
        subject.accession_number if isinstance(subject, Record) else "",
        subject.credit_line or asset.credit_line,
        " · ".join(filter(None, [subject.rights or asset.rights, subject.rights_holder])),
        subject.usage_terms,
    )


def downloads(link: ShareLink, number: int) -> list[tuple[str, str]]:
    """The ways to download all at once: the name of each in the address, and what it is in words."""
    if number > settings.DOWNLOAD_PICTURES or not link.longest or number < 2:
        return []
    if looking.gives_originals(link):
        said = _("JPEGs of the full size")
    else:
        said = _("JPEGs, up to %(size)s pixels") % {"size": link.longest}
    jpegs = [("jpeg", said)] if number <= settings.DOWNLOAD_JPEGS else []
    whole = [("original", _("Files as they were handed in"))] if looking.gives_originals(link) else []
    return jpegs + whole
