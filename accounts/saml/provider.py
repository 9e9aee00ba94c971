"""How a question is put to a provider, and its answer in the words of OpenID Connect: claims."""

import base64
import secrets
import zlib
from typing import Any
from urllib.parse import urlencode, urlsplit

from allauth.socialaccount import app_settings
from allauth.socialaccount.internal import statekit
from allauth.socialaccount.providers.base import Provider as AllauthProvider
from allauth.socialaccount.providers.base import ProviderAccount
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.saml.idp import described
from accounts.saml.xml import Refused

ASKED = "saml:asked:{}"  # in the cache, by RelayState: the question of which we await an answer
SECONDS = statekit.STATE_TTL  # for which it is awaited: as long as the session knows of it
CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
MICROSOFT = "http://schemas.microsoft.com"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
LONGEST = 150  # characters of a name in an account
TOO_MANY = f"{MICROSOFT}/claims/groups.link"  # instead of more groups than an answer may have
ATTRIBUTES = {
    "id": (),
    "email": (
        "urn:oid:0.9.2342.19200300.100.1.3",
        "urn:oid:1.2.840.113549.1.9.1",
        f"{CLAIMS}/emailaddress",
        "mail",
        "email",
    ),
    "username": ("urn:oid:0.9.2342.19200300.100.1.1", "uid", "username"),
    "name": ("urn:oid:2.16.840.1.113730.3.1.241", f"{MICROSOFT}/identity/claims/displayname", "displayName"),
    "given_name": ("urn:oid:2.5.4.42", f"{CLAIMS}/givenname", "givenName"),
    "family_name": ("urn:oid:2.5.4.4", f"{CLAIMS}/surname", "sn"),
    "groups": ("groups", f"{MICROSOFT}/ws/2008/06/identity/claims/groups", "memberOf"),
}
"""Where to look, the first that is there, unless the settings name others."""


class Provider(AllauthProvider):
    """A provider of the settings. Only `next` is taken from the address that starts the way."""

    id, name = "saml", "SAML"
    supports_redirect = True
    account_class = ProviderAccount

    def __init__(self, request: HttpRequest, app: Any = None) -> None:
        super().__init__(request, app=app)
        self.name = app.name

    def get_login_url(self, request: HttpRequest, **kwargs: Any) -> str:
        return self.path("login") + (f"?{urlencode(kwargs)}" if kwargs else "")

    @property
    def recipient(self) -> str:
        """Our address for answers."""
        return str(self.request.build_absolute_uri(self.path("acs")))

    @property
    def audience(self) -> str:
        """Our entity id: by default the address of our metadata."""
        own: str = self.app.settings["own_entity_id"]
        return own or str(self.request.build_absolute_uri(self.path("metadata")))

    def path(self, what: str) -> str:
        return reverse(f"saml_{what}", kwargs={"provider_id": self.app.provider_id})

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        asked = super().get_redirect_from_request_kwargs(request)
        kept = {"next_url": asked["next_url"]} if "next_url" in asked else {}
        return {**kept, "process": "login"}

    def redirect(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """To the provider. Raises Refused if the settings do not say where.

        Where to go on is in the session, which only this browser has; which question it was is in the cache,
        as the answer comes from another site and without our cookies.
        """
        idp = described(self.app.settings)
        relay, question = secrets.token_urlsafe(24), f"_{secrets.token_hex(20)}"
        cache.set(ASKED.format(relay), {"provider": self.sub_id, "question": question}, SECONDS)
        self.stash_redirect_state(request, *args, state_id=relay, **kwargs)
        now = f"{timezone.now():%Y-%m-%dT%H:%M:%SZ}"
        told = {"id": question, "now": now, "destination": idp.address}
        told |= {"recipient": self.recipient, "audience": self.audience}
        packed = base64.b64encode(_deflated(render_to_string("saml/request.xml", told).strip().encode()))
        query = urlencode({"SAMLRequest": packed.decode(), "RelayState": relay})
        return HttpResponseRedirect(f"{idp.address}{'&' if urlsplit(idp.address).query else '?'}{query}")

    def extract_uid(self, data: dict[str, Any]) -> str:
        return str(data["sub"])

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"attributes": data}

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        names = {"username": "preferred_username", "first_name": "given_name", "last_name": "family_name"}
        same = {name: data.get(name) for name in ("email", "email_verified", "name")}
        return {**same, **{ours: data.get(theirs) for ours, theirs in names.items()}}


def claims(
    name: str, name_format: str, attributes: dict[str, list[str]], rules: dict[str, Any]
) -> dict[str, Any]:
    """What an answer says of a person, as claims of OpenID Connect. Raises Refused if it does not say who.

    Whether its email addresses are to be believed is said by MATCH_EMAIL, and by nothing in an answer.
    """

    def first(what: str) -> list[str]:
        wanted = rules["attributes"].get(what) or ATTRIBUTES[what]
        return next((attributes[one] for one in wanted if attributes.get(one)), [])

    if rules["attributes"].get("id"):
        found = first("id")
        who = found[0] if len(found) == 1 else ""
    else:
        who = "" if name_format == TRANSIENT else name  # that is another one each time
    if not who or len(who) > app_settings.UID_MAX_LENGTH:
        raise Refused("The answer does not say in a lasting way who the person is.")
    email = next(iter(first("email")), name if name_format == EMAIL else "")
    told: dict[str, Any] = {"sub": who, "groups": first("groups")}
    told |= {"email": email, "email_verified": bool(rules["match_email"])} if email else {}
    told |= {what: first(what)[0][:LONGEST] for what in ("name", "given_name", "family_name") if first(what)}
    told |= {"preferred_username": first("username")[0]} if first("username") else {}
    return {**told, "_claim_names": {"groups": TOO_MANY}} if TOO_MANY in attributes else told


def _deflated(data: bytes) -> bytes:
    """Without head and checksum, as the binding by a redirection has it."""
    packing = zlib.compressobj(wbits=-15)
    return packing.compress(data) + packing.flush()
