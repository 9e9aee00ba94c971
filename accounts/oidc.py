"""Single sign-on by OpenID Connect: django-allauth's flow, with every answer of the provider verified.

django-allauth trusts an ID token that came by a direct connection and sends no nonce. Here the token's
signature, issuer, audience, times and nonce are checked in each case (OpenID Connect Core 1.0, 3.1.3.7), and
what the provider tells about a person has to be about the person of the token (5.3.2).
"""

import hmac
import secrets
from typing import Any

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialApp, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import Http404, HttpRequest, HttpResponse
from requests import RequestException

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
NEEDED = ["iss", "sub", "aud", "exp", "iat"]
LEEWAY = 60  # seconds by which the clocks of two machines may differ


class Flow(OpenIDConnectOAuth2Adapter):
    """One way to the provider and back."""

    nonce = ""  # that was sent with the question; set by the view that receives the answer

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> Any:
        """The person, as the provider tells. Raises OAuth2Error if the answer cannot be believed."""
        claims = self._verified(app, kwargs["response"].get("id_token"))
        data = {"id_token": claims}
        if self.openid_config.get("userinfo_endpoint"):
            told = self._fetch_user_info(token.token)
            if told.get("sub") != claims["sub"]:
                raise OAuth2Error("The provider told about somebody else.")
            data["userinfo"] = {**claims, **told}
        return self.get_provider().sociallogin_from_response(request, data)

    def _verified(self, app: SocialApp, token: Any) -> dict[str, Any]:
        issuer = str(app.settings["server_url"]).rstrip("/")
        if str(self.openid_config.get("issuer", "")).rstrip("/") != issuer:
            raise OAuth2Error("The provider calls itself by another name than OIDC_…_ISSUER.")
        try:
            key = self._key(jwt.get_unverified_header(token))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=app.client_id,
                issuer=self.openid_config["issuer"],
                leeway=LEEWAY,
                options={"require": NEEDED},
            )
        except (jwt.PyJWTError, TypeError, ValueError, KeyError) as error:
            raise OAuth2Error(f"The ID token is not valid: {error}") from error
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and "azp" not in claims:
            raise OAuth2Error("The ID token is for several, and does not say for whom it was made.")
        if claims.get("azp", app.client_id) != app.client_id:
            raise OAuth2Error("The ID token was made for somebody else.")
        if not self.nonce or not hmac.compare_digest(str(claims.get("nonce", "")), self.nonce):
            raise OAuth2Error("The ID token answers another question.")
        return claims

    def _key(self, header: dict[str, Any]) -> Any:
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
        keys = [key for key in jwt.PyJWKSet.from_dict(answer.json()).keys if key.public_key_use != "enc"]
        wanted = [key for key in keys if key.key_id == header.get("kid")] if "kid" in header else keys
        if len(wanted) != 1:
            raise jwt.InvalidKeyError("the provider has no such key")
        return wanted[0]


class Provider(OpenIDConnectProvider):
    """A provider of the settings; only `next` is taken from the address that starts the way."""

    oauth2_adapter_class = Flow

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        asked = super().get_redirect_from_request_kwargs(request)
        nonce = secrets.token_urlsafe(24)
        kept = {"next_url": asked["next_url"]} if "next_url" in asked else {}
        return {**kept, "process": "login", "auth_params": {"nonce": nonce}, "nonce": nonce}


class Callback(OAuth2CallbackView):
    def _get_state(self, request: HttpRequest, provider: Provider) -> Any:
        state, answer = super()._get_state(request, provider)
        self.adapter.nonce = (state or {}).get("nonce", "")
        return state, answer


def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    return _seen(OAuth2LoginView, request, provider_id)


def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    return _seen(Callback, request, provider_id)


def _seen(view: Any, request: HttpRequest, provider_id: str) -> HttpResponse:
    try:
        flow = Flow(request, provider_id)
        provider = flow.get_provider()
    except SocialApp.DoesNotExist:
        raise Http404 from None
    if not isinstance(provider, Provider):  # one of SAML
        raise Http404
    try:
        answer: HttpResponse = view.adapter_view(flow)(request)
    except (RequestException, KeyError) as error:  # it is away, or describes itself in another way
        answer = render_authentication_error(request, provider, exception=error)
    return answer
