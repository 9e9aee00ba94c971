"""Asking an address as somebody, without a trace."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client

from accounts.models import ApiToken, User

TUS = {"Tus-Resumable": "1.0.0"}  # without it, uploads do not look at who asks
TO_SIGN_IN = ("/accounts/login/?next=", "/admin/login/?next=")
BODIES = dict.fromkeys(("api-1:fill_asset", "api-1:fill_record"), '{"fields": {}}')
"""By the name of the address, where an empty one is refused unread."""


def signed_in(user: User) -> Client:
    """With a session and, for the API, a token of every scope."""
    client = Client(raise_request_exception=False, headers=TUS)
    client.force_login(user)
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {ApiToken.objects.issue(user, 'test')}"
    return client


@contextmanager
def undone() -> Iterator[None]:
    """What is written meanwhile is taken back."""
    with transaction.atomic():
        mark = transaction.savepoint()
        yield
        transaction.savepoint_rollback(mark)


def is_refused(answer: HttpResponseBase) -> bool:
    return answer.status_code in (401, 403, 404) or answer.get("Location", "").startswith(TO_SIGN_IN)


def asked(client: Client, method: str, path: str, name: str = "") -> Any:
    """The answer of the address of this name; the client stays signed in whatever it asks for."""
    kept = client.cookies.copy()
    body = {"data": BODIES[name], "content_type": "application/json"} if name in BODIES else {}
    with undone():
        answer: Any = client.generic(method, path, **body)
        if answer.streaming:  # read to its end, a download of many gives back its turn
            answer.streaming_content = [b"".join(answer.streaming_content)]
    client.cookies = kept
    return answer
