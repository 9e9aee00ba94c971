"""Settings of signing in that do not fit together."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from accounts import second_factor
from accounts.saml import idp
from accounts.single_sign_on import mapping, providers


@register()
def accounts(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.SECOND_FACTOR_FOR not in second_factor.KINDS:
        hint = f"Write one of: {', '.join(second_factor.KINDS)}."
        found.append(Error("SECOND_FACTOR_FOR names nobody that is known.", hint=hint, id="accounts.E001"))
    names = [one["provider_id"] for _, one in providers()]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        hint = "Its people could be taken for others: give one of them another name."
        found.append(Error(f"Two providers are called {', '.join(twice)}.", hint=hint, id="accounts.E005"))
    if "saml" in [way for way, _ in providers()] and not idp.is_installed():
        hint = f"Run: {idp.COMMAND}"
        found.append(Error("SAML_PROVIDERS needs packages that are missing.", hint=hint, id="accounts.E006"))
        return found
    for way, one in providers():
        kind, check = ("SAML", _saml) if way == "saml" else ("OIDC", _oidc)
        prefix = f"{kind}_{one['provider_id'].upper().replace('-', '_')}"
        found += check(prefix, one) + _groups(prefix, one)
    return found


def _oidc(prefix: str, one: dict[str, Any]) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    address = urlsplit(one["settings"]["server_url"])
    if not address.hostname or not one["client_id"]:
        hint = f"Set {prefix}_ISSUER and {prefix}_CLIENT_ID, or take it out of OIDC_PROVIDERS."
        found.append(Error("A provider of single sign-on is incomplete.", hint=hint, id="accounts.E002"))
    elif address.scheme != "https" and address.hostname not in idp.LOOPBACK:
        hint = "Without https anybody on the way could say who signs in."
        found.append(Error(f"{prefix}_ISSUER must begin with https.", hint=hint, id="accounts.E003"))
    return found


def _saml(prefix: str, one: dict[str, Any]) -> list[CheckMessage]:
    try:
        described = idp.described(one["settings"])
    except idp.Incomplete as missing:
        return [Error(f"What {prefix}_… say is not enough.", hint=str(missing), id="accounts.E002")]
    if ends := idp.expiring(described):
        hint = f"Add its next one to {prefix}_CERTIFICATES, or take its new metadata."
        said = f"The certificate of {prefix} ends on {', '.join(ends)}."
        return [Warning(said, hint=hint, id="accounts.W001")]
    return []


def _groups(prefix: str, one: dict[str, Any]) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    groups = one["settings"]["groups"]
    if groups and len(mapping(groups)) != len([part for part in groups.split(";") if part.strip()]):
        hint = "Write their name=our name; their name=our name."
        found.append(Error(f"{prefix}_GROUPS cannot be read.", hint=hint, id="accounts.E004"))
    return found
