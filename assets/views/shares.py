"""Sharing by staff: a link is made, looked after and ended."""

from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from assets.models import Asset, AssetSet, BulkJob, ShareLink
from assets.sharing import links, looking
from assets.views.requests import person
from assets.views.share_forms import ExtendForm, ShareForm, usual_end
from assets.views.visible import collections_for

LISTED, LOGGED = 25, 100
Kind = ShareLink.Kind


class Target(NamedTuple):
    """What is to be shared, as a link that is not stored yet."""

    link: ShareLink
    back: str


def links_of(user: User) -> "QuerySet[ShareLink]":
    """Their own; administrators look after all."""
    found = ShareLink.objects.select_related("maker").defer("asset_ids")
    return found if user.is_superuser else found.filter(maker=user)


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    page = Paginator(links_of(person(request)), LISTED).get_page(request.GET.get("page"))
    return render(request, "assets/shares.html", {"page": page, "links": page.object_list})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """With ?asset, ?collection, ?table or ?selection and a uid; the answer shows the address, once."""
    link, back = _target(request)
    counts = looking.counted(link)
    refusal = _refusal(counts)
    initial = {"uid": uuid4(), "label": link.label, "expires_at": usual_end(), "sizes": ShareLink.Sizes.LOOK}
    form = ShareForm(request.POST or None, initial=initial)
    if request.method == "POST" and not refusal and form.is_valid():
        return _make(request, link, form.cleaned_data)
    unseen = counts.seen - counts.refused - counts.shown
    context = {"form": form, "link": link, "back": back, "counts": counts, "refusal": refusal}
    status = 403 if counts.refused else 200
    return render(request, "assets/share_new.html", context | {"unseen": unseen}, status=status)


def _make(request: HttpRequest, link: ShareLink, said: dict[str, Any]) -> HttpResponse:
    """The new link with its address; of a form that was sent twice, the link that it has made."""
    for name in ("uid", "label", "message", "sizes", "expires_at", "uses_allowed"):
        setattr(link, name, said[name])
    try:
        with transaction.atomic():
            token = links.make(link, said["password"], request)
    except IntegrityError:
        made = get_object_or_404(links_of(person(request)), uid=said["uid"])
        messages.info(request, _("This link is there already. Make a new address if you have not copied it."))
        return redirect(made)
    return show(request, link, token=token)


def _refusal(counts: looking.Counts) -> str:
    if counts.refused:
        said = ngettext(
            "You may not share %(number)d of these pictures.",
            "You may not share %(number)d of these pictures.",
            counts.refused,
        )
        return said % {"number": counts.refused} + " " + _("Choose only pictures that you may share.")
    if not counts.shown:
        return _("There is no picture here that a link could show.")
    if counts.seen > looking.MOST:
        said = _("A link shows at most %(most)s pictures, and these are %(number)s. Share fewer.")
        return said % {"most": intcomma(looking.MOST), "number": intcomma(counts.seen)}
    return ""


def _target(request: HttpRequest) -> Target:
    """What the address names, if this person sees it; or 404."""
    kind = next((kind for kind in Kind.values if kind in request.GET), "")
    try:
        uid = UUID(request.GET.get(kind, ""))
    except ValueError as error:
        raise Http404 from error
    return _found(person(request), kind, uid)


def _found(user: User, kind: str, uid: UUID) -> Target:
    link = ShareLink(maker=user, kind=kind)
    if kind == Kind.ASSET:
        asset = get_object_or_404(Asset.objects.live().visible_to(user), uid=uid)
        link.asset_ids, link.label = [asset.pk], asset.display_title[:200]
        return Target(link, asset.get_absolute_url())
    if kind == Kind.SELECTION:
        job = get_object_or_404(BulkJob, owner=user, uid=uid)
        link.asset_ids, link.label = job.asset_ids, _("Selected pictures")
        return Target(link, job.get_absolute_url())
    if kind == Kind.TABLE:
        place: Any = get_object_or_404(AssetSet.objects.visible_to(user), uid=uid)
    else:
        place = next((one for one, _path in collections_for(user) if one.uid == uid), None)
        if place is None:
            raise Http404
    link.target, link.label = place.pk, place.name
    return Target(link, place.get_absolute_url())


@login_required
@require_safe
def page(request: HttpRequest, uid: UUID) -> HttpResponse:
    return show(request, get_object_or_404(links_of(person(request)), uid=uid))


def show(
    request: HttpRequest, link: ShareLink, token: str = "", form: ExtendForm | None = None
) -> HttpResponse:
    """The page of a link; with its token, the only time that its address can be seen."""
    ends = timezone.localtime(link.expires_at)
    context = {
        "link": link,
        "own": link.maker_id == request.user.pk,
        "may_reopen": link.may_be_reopened_by(request.user),
        "address": request.build_absolute_uri(reverse("assets:shared", args=[token])) if token else "",
        "number": looking.pictures(link).count(),
        "log": _log(link, person(request)),
        "form": form or ExtendForm(initial={"expires_at": ends if link.state != "expired" else usual_end()}),
    }
    response = render(request, "assets/share.html", context)
    response["Cache-Control"] = "private, no-store"
    return response


def _log(link: ShareLink, user: User) -> list[tuple[Any, Asset | None]]:
    """The last things that were done, each with its picture where this person still sees it."""
    uses = list(link.log.all()[:LOGGED])
    wanted = {use.asset_id for use in uses if use.asset_id}
    seen = Asset.objects.visible_to(user).for_grid().in_bulk(wanted)
    return [(use, seen.get(use.asset_id or 0)) for use in uses]


@login_required
@require_POST
def act(request: HttpRequest, uid: UUID, what: str) -> HttpResponse:
    """revoke, reopen, extend, or renew: another address, which its maker alone may make."""
    link = get_object_or_404(links_of(person(request)), uid=uid)
    if what == "renew":
        if link.maker_id != request.user.pk:
            raise PermissionDenied
        return show(request, link, token=links.renew(link, request))
    if what == "extend":
        form = ExtendForm(request.POST)
        if not form.is_valid():
            return show(request, link, form=form)
        links.change(link, request, what, expires_at=form.cleaned_data["expires_at"])
        said = _("The link ends at another time now.")
    elif what == "revoke":
        links.revoke(link, request, person(request))
        said = _("The link has ended: nobody sees anything by it any more. It can be opened again.")
    else:
        links.reopen(link, request, person(request))
        said = _("The link is open again, at the address that it had.")
    messages.success(request, said)
    return redirect(link)
