"""The addresses of SAML: to the provider, its answer, back in our own site, and what we are.

The answer is a form that another site sends: our cookies, which are Lax, are not with it. So it is judged
there, as that needs nobody's session, and what it says is put aside under a key that is good once. The
browser is led on to a page of our own by GET, where its cookies are with it again: only the one that put the
question signs in.
"""

import re
import secrets
from collections.abc import Callable
from typing import Any

from allauth.decorators import rate_limit
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import complete_social_login, render_authentication_error
from allauth.socialaccount.models import SocialApp
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from accounts.saml import idp
from accounts.saml.provider import ASKED, Provider, claims
from accounts.saml.xml import LARGEST, Refused

KEPT = "saml:kept:{}"  # in the cache, by a key for one browser: what a believed answer says
USED = "saml:used:{}:{}"  # in the cache, by provider and assertion: that it was here already
SECONDS = 120  # for the way from one page to the next
KEY = re.compile(r"[A-Za-z0-9_-]{32}")
LARGEST_FORM = 2 * LARGEST  # bytes
View = Callable[..., HttpResponse]
limited: Callable[[View], View] = rate_limit(action="login")  # of one address, by POST


class SeeOther(HttpResponseRedirect):
    """Asked for by GET, whatever came before."""

    status_code = 303


@require_GET
@never_cache
def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    """To the provider, by a redirection."""
    provider = _provider(request, provider_id)
    try:
        answer: HttpResponse = provider.redirect_from_request(request)
    except Refused as error:
        answer = render_authentication_error(request, provider, exception=error)
    return answer


@csrf_exempt  # the question that it answers, and later the session, are what another site cannot forge
@require_POST
@never_cache
@limited
def acs(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Judge an answer, and lead to where its browser can be known. Touches neither session nor cookies."""
    provider, key = _provider(request, provider_id), ""
    try:
        key = _put_aside(request, provider)
    except Refused as error:
        get_adapter().on_authentication_error(request, provider, exception=error)
    return SeeOther(f"{provider.path('finish')}?{urlencode({'answer': key})}")


def _put_aside(request: HttpRequest, provider: Provider) -> str:
    """The key to what a believable answer says. Raises Refused."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length.isdecimal() or int(length) > LARGEST_FORM:
        raise Refused("The answer is too long.")
    relay = request.POST.get("RelayState", "")
    asked = _taken(ASKED, relay)
    if asked is None or asked["provider"] != provider.sub_id:
        raise Refused("Nobody put a question that this is an answer to.")
    from accounts.saml import answer  # its packages need not be there where nobody asks

    rules = provider.app.settings
    question = answer.Question(asked["question"], provider.recipient, provider.audience, idp.described(rules))
    now = timezone.now()
    told = answer.believed(request.POST.get("SAMLResponse", ""), question, now)
    seconds = int((told.until - now).total_seconds()) + 1
    if not cache.add(USED.format(provider.sub_id, told.id), True, seconds):
        raise Refused("The assertion was used before.")
    about = claims(told.name, told.name_format, told.attributes, rules)
    key = secrets.token_urlsafe(24)
    cache.set(KEPT.format(key), {"provider": provider.sub_id, "relay": relay, "claims": about}, SECONDS)
    return key


@require_GET
@never_cache
def finish(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Sign in, if it was this browser that put the question."""
    provider = _provider(request, provider_id)
    kept = _taken(KEPT, request.GET.get("answer", ""))
    try:
        if kept is None or kept["provider"] != provider.sub_id:
            raise Refused("There is no answer of the provider to go on with.")
        state = _state(request, provider, kept["relay"])
    except Refused as error:
        refusal: HttpResponse = render_authentication_error(request, provider, exception=error)
        return refusal
    login = provider.sociallogin_from_response(request, kept["claims"])
    login.state = state
    answer: HttpResponse = complete_social_login(request, login)
    return answer


def _state(request: HttpRequest, provider: Provider, relay: str) -> Any:
    """What the session has kept for a question; once. Raises Refused if it is that of another browser."""
    try:
        return provider.unstash_redirect_state(request, relay)
    except PermissionDenied as error:
        raise Refused("This browser did not put the question, or too long ago.") from error


@require_GET
def metadata(request: HttpRequest, provider_id: str) -> HttpResponse:
    """What the provider has to know of us."""
    provider = _provider(request, provider_id)
    told = {"audience": provider.audience, "recipient": provider.recipient}
    return render(request, "saml/metadata.xml", told, content_type="application/samlmetadata+xml")


def _provider(request: HttpRequest, provider_id: str) -> Provider:
    try:
        provider = get_adapter().get_provider(request, provider_id)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    if not isinstance(provider, Provider):
        raise Http404
    return provider


def _taken(place: str, key: str) -> dict[str, Any] | None:
    """What lies there under a key, which is good for one: of two who come at once, only one gets it."""
    if not KEY.fullmatch(key):
        return None
    found: dict[str, Any] | None = cache.get(place.format(key))
    return found if cache.delete(place.format(key)) else None
