"""Who has to have a second factor, and what they are shown until they have one."""

from collections.abc import Callable

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.models import User

KINDS = ("nobody", "administrators", "staff", "everybody")
TYPES = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]  # recovery codes only stand in for these
SEEN = "second_factor_seen"  # in the session: that this account had one when it was last looked for
OPEN = frozenset({"account", "login", "account_login", "logout", "account_logout", "preferences", "favicon"})
OPEN_PATHS = ("/i18n/", "/static/", "/api/", "/healthz", "/readyz")


def is_required(user: User) -> bool:
    """Whether SECOND_FACTOR_FOR names somebody like this."""
    kind = settings.SECOND_FACTOR_FOR
    if kind == "everybody":
        return True
    return bool(
        (user.is_superuser and kind in ("administrators", "staff")) or (user.is_staff and kind == "staff")
    )


def has_one(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, type__in=TYPES).exists())


def middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Who must have a second factor and has none sees the page of the account, and nothing else.

    A token is no session: it was made by somebody who had one, or by the command line.
    """

    def answered(request: HttpRequest) -> HttpResponse:
        if settings.SECOND_FACTOR_FOR == "nobody" or not request.user.is_authenticated:
            return get_response(request)
        if not is_required(request.user) or request.session.get(SEEN) == request.user.pk:
            return get_response(request)
        if has_one(request.user):
            request.session[SEEN] = request.user.pk
            return get_response(request)
        return _sent_to_the_account(request) or get_response(request)

    return answered


def _sent_to_the_account(request: HttpRequest) -> HttpResponse | None:
    """None where setting one up needs the page."""
    from django.urls import Resolver404, resolve  # the addresses are not there yet at the start

    try:
        name = resolve(request.path_info).url_name or ""
    except Resolver404:
        return None
    if name in OPEN or name.startswith(("mfa_", "account_")) or request.path_info.startswith(OPEN_PATHS):
        return None
    if request.headers.get("HX-Request"):  # a part of the page of the account: sent there, it would ask again
        return HttpResponse(status=403)
    messages.warning(request, _("Your account needs a second factor. Please set one up below."))
    return redirect("account")
