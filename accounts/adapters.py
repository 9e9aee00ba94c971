"""What django-allauth asks its adapters: our rules and our words for signing in and second factors."""

import base64
import hashlib
import secrets
import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal import ratelimit
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.encoding import force_bytes
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts import second_factor
from accounts.models import User

WRONG = _("The user name or the password is not right.")
NOT_SIGNED_IN = _("Signing in did not work. Please ask an administrator whether your account is in use.")
SAID = {
    "mfa/messages/totp_activated.txt": _("From now on signing in asks for a code of your app."),
    "mfa/messages/totp_deactivated.txt": _("Signing in asks for no code of an app any more."),
    "mfa/messages/webauthn_added.txt": _("The passkey was added."),
    "mfa/messages/webauthn_removed.txt": _("The passkey was removed."),
    "mfa/messages/recovery_codes_generated.txt": _("These are your new recovery codes."),
}
"""What is said after something was done; other messages of django-allauth are not for us."""


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by administrators; attempts are counted by user name and by address."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": WRONG,
        "invalid_login": WRONG,
        "account_inactive": WRONG,
        "incorrect_password": _("This is not your password."),
        "incorrect_code": _("This code is not right. Each code is good for one time and for half a minute."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        key = self._get_login_attempts_cache_key(request, **credentials)
        self.take_an_attempt(request, key)

    def take_an_attempt(self, request: HttpRequest, key: str) -> None:
        """Raises ValidationError that says when to try again."""
        how = {"app": "allauth.account", "action": "login_failed", "key": key}
        self._login_failed_rl_usage = ratelimit.consume(request, **how)
        if not self._login_failed_rl_usage:
            raise too_many(seconds_to_wait(request, **how))

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        if code == "too_many_login_attempts" or code == "rate_limited":
            return too_many(settings.SIGN_IN_MINUTES * 60)
        error: ValidationError = super().validation_error(code, *args)
        return error

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """None also for an account that is switched off: the answer is that of a wrong password."""
        found = super().authenticate(request, **credentials)
        return found if found is not None and found.is_active else None

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        messages.error(request, NOT_SIGNED_IN)
        return redirect("login")

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        said = message or SAID.get(message_template or "")
        if said:
            messages.add_message(request, level, said)


def seconds_to_wait(request: HttpRequest, *, app: str, action: str, key: str) -> float:
    """Until each of the limits that are reached has room again; 0 if none is."""
    waits = [0.0]
    for rate in ratelimit.get_rates(app=app, action=action):
        times = cache.get(ratelimit.get_cache_key(request, app=app, action=action, rate=rate, key=key)) or []
        if len(times) >= rate.amount:
            waits.append(times[rate.amount - 1] + rate.duration - time.time())
    return max(waits)


def too_many(seconds: float) -> ValidationError:
    minutes = max(1, -int(-seconds // 60))
    text = ngettext(
        "Too many attempts. Please try again in a minute.",
        "Too many attempts. Please try again in %(minutes)d minutes.",
        minutes,
    )
    return ValidationError(text % {"minutes": minutes}, code="too_many")


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets are encrypted with a key that derives from SECRET_KEY, which is not in the database."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"],
        "cannot_delete_authenticator": _("Your account has to have a second factor: add another one first."),
    }

    def _get_site_name(self) -> str:
        return str(settings.SITE_NAME)

    def get_totp_label(self, user: User) -> str:
        return user.get_username()

    def generate_authenticator_name(self, user: User, type: Any) -> str:
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return gettext("Passkey %(number)d") % {"number": number}

    def build_totp_svg(self, url: str) -> str:
        """Elements for a page, as no address that begins with `data:` may be needed."""
        import qrcode
        from qrcode.image.svg import SvgPathImage

        made = qrcode.make(url, image_factory=SvgPathImage, box_size=12)
        return str(made.to_string(encoding="unicode"))

    def can_delete_authenticator(self, authenticator: Any) -> bool:
        """Not the last one of somebody who has to have one."""
        if not second_factor.is_required(authenticator.user):
            return True
        others = Authenticator.objects.filter(user=authenticator.user, type__in=second_factor.TYPES)
        return bool(others.exclude(pk=authenticator.pk).exists())

    def encrypt(self, text: str) -> str:
        return _ciphers().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Without the key that it was encrypted with, a secret that nobody has: no code will be right."""
        try:
            return _ciphers().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            return base64.b32encode(secrets.token_bytes(20)).decode()


def _ciphers() -> MultiFernet:
    keys = map(force_bytes, [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])
    digests = [hashlib.sha256(b"accounts.second_factor:" + key).digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
