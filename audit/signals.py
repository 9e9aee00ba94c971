"""What Django itself tells of: sign-ins, and what was done in the administration."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest

from audit.events import Event
from audit.recording import About, record

EVENTS = {
    ("user", ""): Event.ACCOUNT_CHANGED,
    ("group", ""): Event.GROUP_CHANGED,
    ("grant", ""): Event.GRANT_CHANGED,
    ("apitoken", ""): Event.TOKEN_MADE,
    ("apitoken", "deleted"): Event.TOKEN_REVOKED,
    ("embeddingspace", ""): Event.SPACE_CHANGED,
}
NOT_OF_ADMIN = {"asset", "record", "collection", "term", "assetset"}
"""What has a history of its own."""
_at_hand: ContextVar[tuple[HttpRequest, dict[str, list[str]] | None] | None] = ContextVar(
    "at_hand", default=None
)


@receiver(user_logged_in)
def signed_in(sender: Any, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    if request is not None and request.META:  # not the client of a test that only pretends
        request.user = user
        record(Event.SIGNED_IN, request, user)


@receiver(user_logged_out)
def signed_out(sender: Any, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    if user is not None and request is not None and request.META:
        record(Event.SIGNED_OUT, request, user)


@receiver(user_login_failed)
def sign_in_failed(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """The name is kept where there is such an account: else it may be a password in the wrong field."""
    if request is None:
        return
    name = get_user_model().USERNAME_FIELD
    known = (
        get_user_model()._default_manager.filter(**{name: str(credentials.get("username", ""))[:150]}).first()
    )
    record(Event.SIGN_IN_FAILED, request, known or About("user", label="?"))


@receiver(post_save, sender=LogEntry)
def done_in_admin(sender: Any, instance: LogEntry, created: bool, **kwargs: Any) -> None:
    """One entry for each line in the log of the administration, which has none of these for deletions."""
    if created and instance.content_type:
        about = About(instance.content_type.model, str(instance.object_id or ""), instance.object_repr)
        action = "made" if instance.action_flag == ADDITION else "changed"
        record_done(instance.user, about.kind, about, action, str(instance.get_change_message()))


def record_done(person: Any, kind: str, about: About, action: str, said: str) -> None:
    """Accounts, groups, tokens and settings."""
    if kind in NOT_OF_ADMIN:
        return
    request, changes = _at_hand.get() or (None, None)
    event = EVENTS.get((kind, action)) or EVENTS.get((kind, "")) or Event.SETTINGS_CHANGED
    details = {"action": action, "said": said[:500], "changes": changes}
    record(event, request or person, about, **{name: value for name, value in details.items() if value})


@contextmanager
def at_hand(request: HttpRequest, changes: dict[str, list[str]] | None = None) -> Iterator[None]:
    """What is recorded meanwhile came by this request, and changed this: {field: [before, after]}."""
    token = _at_hand.set((request, changes))
    try:
        yield
    finally:
        _at_hand.reset(token)
