"""What the audit log is told of second factors."""

from typing import Any

from allauth.mfa import signals
from django.dispatch import receiver
from django.http import HttpRequest

import audit


@receiver([signals.authenticator_added, signals.authenticator_removed, signals.authenticator_reset])
def second_factor_changed(
    sender: Any, signal: Any, request: HttpRequest, user: Any, authenticator: Any, **kwargs: Any
) -> None:
    done = {signals.authenticator_added: "added", signals.authenticator_removed: "removed"}
    action = done.get(signal, "made anew")
    audit.record(audit.Event.SECOND_STEP_CHANGED, request, user, action=action, what=authenticator.type)


@receiver(signals.authentication_failed)
def wrong_code(sender: Any, request: HttpRequest, user: Any, authenticator: Any, **kwargs: Any) -> None:
    """The password was right already, so this is worth a look: attempts are limited before it comes here."""
    audit.record(audit.Event.SIGN_IN_FAILED, request, user, what=authenticator.type)
