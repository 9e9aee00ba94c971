"""Downloads as far as the rights in a picture allow: refused with a reason, asked what for, and noted."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

import audit
from assets import licensing
from assets.consents import Consent, consents_of
from assets.copies import Copy
from assets.licensing import Purpose, Verdict
from assets.models import Asset, Download
from assets.statements import Statement
from assets.views.ranges import is_new
from assets.views.requests import person

V = TypeVar("V", bound=Callable[..., HttpResponseBase])
PURPOSE = "purpose"
"""In the session: what this person's downloads are for."""


@dataclass(frozen=True)
class Link:
    """A download that a page offers; without `file` it leads to the question what for."""

    label: str
    address: str
    file: bool


def licensed(view: V) -> V:
    """A view that sends the file of one asset: asks assets.licensing before, and notes it behind.

    With `format` and `longest` it is a copy, else the original. What is not there the view says itself.
    """

    @wraps(view)
    def inner(request: HttpRequest, uid: UUID, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if hasattr(request, "verdict"):  # one download may hand over to another
            return view(request, uid, *args, **kwargs)
        asset = _asset(request, uid)
        if asset is None:
            return view(request, uid, *args, **kwargs)
        verdict = licensing.verdict_of(asset, person(request))
        request.verdict = verdict  # type: ignore[attr-defined]
        wanted = Copy(str(kwargs["format"]).upper(), kwargs["longest"]) if "longest" in kwargs else None
        if stopped := _stopped(request, asset, verdict, wanted):
            return stopped
        response = view(request, uid, *args, **kwargs)
        sent = is_new(request, response, noted(request, asset))
        if sent and (wanted is None or response.status_code == 200):  # a copy that cannot be made leads back
            size = f"{wanted.format} {wanted.longest}" if wanted else "original"
            marked = bool(wanted and verdict.mark)
            through = Download.Through.SHOWN if "show" in request.GET else Download.Through.PAGE
            purpose = purpose_of(request)
            licensing.record(asset, person(request), size, purpose, marked=marked, through=through)
        return response

    return inner  # type: ignore[return-value]


def noted(request: HttpRequest, asset: Asset) -> "QuerySet[Download]":
    """Downloads of the original by this person."""
    return Download.objects.filter(asset=asset, user=person(request), size="original")


def record_download(request: HttpRequest, asset: Asset, what: str, **details: Any) -> None:
    """In the audit log, with what it is for, if that was asked."""
    audit.record(audit.Event.DOWNLOADED, request, asset, what=what, **said_purpose(request), **details)


def said_purpose(request: HttpRequest) -> dict[str, str]:
    purpose = purpose_of(request) or Purpose()
    found = {"use": purpose.use, "purpose": purpose.words}
    return {name: said for name, said in found.items() if said}


def verdict_on(request: HttpRequest) -> Verdict:
    """What `licensed` has found out for this request; nothing may be taken where it was not asked."""
    found: Verdict = getattr(request, "verdict", Verdict(0))
    return found


def _asset(request: HttpRequest, uid: UUID) -> Asset | None:
    seen = Asset.objects.visible_to(request.user).exclude(current_version=None)
    whole = seen.select_related("current_version").defer(
        "current_version__embedded_metadata", "current_version__sidecar"
    )
    return whole.prefetch_related("depictions__record").filter(uid=uid).first()


def _stopped(
    request: HttpRequest, asset: Asset, verdict: Verdict, wanted: Copy | None
) -> HttpResponseBase | None:
    purpose = purpose_of(request)
    refusal = verdict.refusal(purpose)
    if not refusal and wanted is None and not verdict.original:
        refusal = " ".join(verdict.reasons)
    if refusal:
        context = {"asset": asset, "refusal": refusal, "copies": links(request, asset, verdict)}
        context["again"] = _ask(asset) if purpose and purpose.use in verdict.not_for else ""
        return render(request, "assets/refused.html", context, status=403)
    if verdict.asks and purpose is None:
        return redirect(_ask(asset))
    return None


def links(request: HttpRequest, asset: Asset, verdict: Verdict, *, made: bool = True) -> list[Link]:
    """The downloads of a picture that this person may have for the purpose named so far, the best first.

    Without `made` no copies, where none can be made.
    """
    purpose = purpose_of(request)
    if verdict.refusal(purpose) or asset.current_version is None:
        return []
    asks = verdict.asks and purpose is None
    found = [(_("Download"), reverse("assets:download", args=[asset.uid]))] if verdict.original else []
    for copy in verdict.offered(asset.current_version) if made else []:
        label = _("%(format)s, %(shown)s pixels") % {"format": copy.format, "shown": intcomma(copy.longest)}
        place = {"uid": asset.uid, "format": copy.format.lower(), "longest": copy.longest}
        found.append((label, reverse("assets:copy", kwargs=place)))
    return [Link(label, _ask(asset) if asks else address, not asks) for label, address in found]


def _ask(asset: Asset) -> str:
    return f"{reverse('assets:purpose')}?{urlencode({'next': asset.get_absolute_url()})}"


def purpose_of(request: HttpRequest) -> Purpose | None:
    """What this person has said in this session that downloads are for."""
    said = request.session.get(PURPOSE)
    return Purpose(said["use"], said["words"]) if said else None


@dataclass(frozen=True)
class Terms:
    """What the page of a picture says of its use."""

    statements: tuple[Statement, ...]
    verdict: Verdict
    purpose: Purpose | None
    ask: str
    """Where the purpose is said, or changed."""
    consents: tuple[Consent, ...]
    """For those alone who manage the picture."""
    refusal: str

    @property
    def says_something(self) -> bool:
        verdict = self.verdict
        return bool(self.statements or verdict.reasons or verdict.asks or self.refusal or verdict.manages)


def terms_of(request: HttpRequest, asset: Asset) -> Terms:
    verdict, purpose = licensing.verdict_of(asset, request.user), purpose_of(request)
    consents = tuple(consents_of(asset.consents)) if verdict.manages else ()
    refusal = verdict.refusal(purpose) if verdict.longest else ""
    statements = licensing.facts_of(asset).statements
    return Terms(statements, verdict, purpose, _ask(asset), consents, refusal)
