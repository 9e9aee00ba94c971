"""Settings of signing in that do not fit together."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from accounts import second_factor
from accounts.single_sign_on import mapping

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@register()
def accounts(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.SECOND_FACTOR_FOR not in second_factor.KINDS:
        hint = f"Write one of: {', '.join(second_factor.KINDS)}."
        found.append(Error("SECOND_FACTOR_FOR names nobody that is known.", hint=hint, id="accounts.E001"))
    for one in settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]:
        found += _provider(one)
    return found


def _provider(one: dict[str, Any]) -> list[CheckMessage]:
    prefix = f"OIDC_{one['provider_id'].upper().replace('-', '_')}"
    found: list[CheckMessage] = []
    address = urlsplit(one["settings"]["server_url"])
    if not address.hostname or not one["client_id"]:
        hint = f"Set {prefix}_ISSUER and {prefix}_CLIENT_ID, or take it out of OIDC_PROVIDERS."
        found.append(Error("A provider of single sign-on is incomplete.", hint=hint, id="accounts.E002"))
    elif address.scheme != "https" and address.hostname not in LOOPBACK:
        hint = "Without https anybody on the way could say who signs in."
        found.append(Error(f"{prefix}_ISSUER must begin with https.", hint=hint, id="accounts.E003"))
    groups = one["settings"]["groups"]
    if groups and len(mapping(groups)) != len([part for part in groups.split(";") if part.strip()]):
        hint = "Write their name=our name; their name=our name."
        found.append(Error(f"{prefix}_GROUPS cannot be read.", hint=hint, id="accounts.E004"))
    return found
