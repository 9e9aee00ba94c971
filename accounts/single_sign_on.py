"""Whose account a person of a provider gets, and which of our groups their groups there mean."""

import logging
from typing import Any

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.contrib.auth.models import Group
from django.http import HttpRequest

import audit
from accounts.models import User

log = logging.getLogger(__name__)


class Adapter(DefaultSocialAccountAdapter):
    """New accounts, and matching by email address, only where the provider's settings say so."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """The person was recognised by the provider; a second factor of ours may still be asked for."""
        rules = sociallogin.provider.app.settings
        claims = claims_of(sociallogin)
        if not sociallogin.is_existing and rules["match_email"]:
            user = of_verified_address(claims)
            if user is not None:
                sociallogin.connect(request, user)
        if sociallogin.is_existing:
            set_groups(sociallogin.user, claims, rules)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return bool(sociallogin.provider.app.settings["create"])

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        user: User = super().save_user(request, sociallogin, form)
        set_groups(user, claims_of(sociallogin), sociallogin.provider.app.settings)
        if not user.groups.exists():
            User.objects.give_role(user)
        return user

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, **more: Any
    ) -> None:
        name = getattr(getattr(provider, "app", None), "provider_id", provider)
        log.warning("Signing in by %s failed: %s", name, exception or error)


def claims_of(login: SocialLogin) -> dict[str, Any]:
    """All that the provider told about the person: by OpenID Connect, or by SAML in the same words."""
    data = login.account.extra_data
    claims: dict[str, Any] = data.get("userinfo") or data.get("id_token") or data.get("attributes") or {}
    return claims


def providers() -> list[tuple[str, dict[str, Any]]]:
    """Those of the settings, each with its way: `openid_connect` or `saml`."""
    ways = settings.SOCIALACCOUNT_PROVIDERS.items()
    return [(way, one) for way, of_it in ways for one in of_it["APPS"]]


def of_verified_address(claims: dict[str, Any]) -> User | None:
    """The one account with the email address of these claims, if the provider has verified it."""
    address = str(claims.get("email") or "").strip()
    if not address or claims.get("email_verified") is not True:
        return None
    found = list(User.objects.filter(email__iexact=address, is_active=True)[:2])
    return found[0] if len(found) == 1 else None


def mapping(text: str) -> dict[str, str]:
    """`theirs=ours; others=ours` as a dictionary from their names to ours."""
    pairs = (pair.rpartition("=") for pair in text.split(";"))
    return {theirs.strip(): ours.strip() for theirs, _, ours in pairs if theirs.strip() and ours.strip()}


def set_groups(user: User, claims: dict[str, Any], rules: dict[str, Any]) -> None:
    """Put somebody into the mapped groups that the provider tells, and out of the mapped others."""
    known = mapping(rules["groups"])
    overflow = claims.get("_claim_names")  # too many groups for a token: it names an address instead
    if not known or (isinstance(overflow, dict) and rules["groups_claim"] in overflow):
        return
    theirs = claim(claims, rules["groups_claim"])
    wanted = {known[name] for name in theirs if name in known}
    ours = {group.name: group for group in Group.objects.filter(name__in=known.values())}
    for name in set(known.values()) - set(ours):
        log.warning("The mapping …_GROUPS names the group %r, which does not exist.", name)
    before = set(user.groups.values_list("name", flat=True))
    user.groups.add(*(group for name, group in ours.items() if name in wanted))
    user.groups.remove(*(group for name, group in ours.items() if name not in wanted))
    if (after := set(user.groups.values_list("name", flat=True))) != before:
        both = ["; ".join(sorted(names)) for names in (before, after)]
        audit.record(audit.Event.ACCOUNT_CHANGED, None, user, way="provider", changes={"groups": both})


def claim(claims: dict[str, Any], name: str) -> set[str]:
    """The words of one claim; dots lead into it, such as `realm_access.roles`."""
    value: Any = claims.get(name)
    if value is None:
        value = claims
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, str):
        return {value}
    return {str(one) for one in value} if isinstance(value, list) else set()
