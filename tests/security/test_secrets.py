"""No secret in a log, whatever goes wrong."""

import io
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import ApiToken, User
from dam.security.redacting import Formatter, known_secrets, redacted
from search.models import EmbeddingSpace

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "line",
    [
        "GET /x?token=SEKRET123&a=1",
        "Authorization: Bearer SEKRET123",
        "headers={'authorization': 'Bearer SEKRET123', 'x': 1}",
        "{'Ocp-Apim-Subscription-Key': 'SEKRET123'}",
        "{'x-api-key': 'SEKRET123'}",
        "api-key=SEKRET123",
        "redis://:SEKRET123@cache:6379/0",
        "postgres://dam:SEKRET123@db/dam",
        "https://user:SEKRET123@example.org/a.jpg",
        "/a?X-Amz-Signature=SEKRET123&X-Amz-Credential=SEKRET123%2Fx",
        "/share/x?signature=SEKRET123",
        '{"password": "SEKRET123"}',
        "password='SEKRET123'",
        "Cookie: sessionid=SEKRET123; csrftoken=SEKRET123",
        "pm_SEKRET123_and_more",
        "client_secret=SEKRET123",
        "Internal Server Error: /s/SEKRET123_and_so_on_for_43_letters/",
        "GET https://media.museum.org/media/SEKRET123WyJsaW5rIiwxLCJh:1vO_x-y",
        "/iiif/3/shared/SEKRET123WyJsaW5rIiwxLCJh:1vO_x-y/info.json",
    ],
)
def test_what_looks_like_a_secret_is_hidden(line: str) -> None:
    assert "SEKRET" not in redacted(line), redacted(line)


@pytest.mark.parametrize(
    "line",
    [
        "Not Found: /assets/1/",
        "The encoder builtin is paused for 30 s: it does not answer",
        "12 tokens were taken back; 3 sessions ended: no reason",
        "https://example.org:8443/a@b",
        "a key in a table",
    ],
)
def test_what_is_none_is_left_alone(line: str) -> None:
    assert redacted(line) == line


def test_what_the_settings_keep_secret_is_known(settings: Any) -> None:
    settings.ENCODERS = {"x": {"prefix": "ENCODER_X", "key": "the key of x", "token": ""}}
    settings.S3 = {**settings.S3, "secret_key": "the key of the bucket"}
    provider = {"provider_id": "museum", "secret": "the secret of the provider"}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [provider]}}
    settings.OWNER_URL, settings.SECRET_KEY_FALLBACKS = "postgres://dam:of-the-owner@db/dam", ["a former key"]
    known = {*known_secrets()}
    assert {"the secret of the provider", "of-the-owner", "a former key"} <= known
    assert {settings.SECRET_KEY, "the key of x", "the key of the bucket"} <= known
    assert redacted(f"at {settings.SECRET_KEY}!", tuple(known)) == "at [hidden]!"


@pytest.fixture
def log(settings: Any) -> Iterator[io.StringIO]:
    """All that is written, from the level of INFO on, as the settings format it."""
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(Formatter(**{"fmt": "{levelname} {name}: {message}", "style": "{"}))
    root = logging.getLogger()
    root.addHandler(handler)
    yield lines
    root.removeHandler(handler)


def test_a_text_from_elsewhere_is_no_line_of_its_own(log: io.StringIO) -> None:
    forged = "a.jpg\r\nINFO audit: The head of the audit log is 5b6e\x1b[2K\u2028x"
    try:
        raise ValueError(forged)
    except ValueError:
        logging.getLogger("t").exception("%s could not be read", forged)
    lines = log.getvalue().splitlines()
    assert lines[0] == "ERROR t: a.jpg" and len(lines) > 5 and "\x1b" not in log.getvalue()
    assert all(line.startswith("    ") for line in lines[1:]), lines


def test_errors_along_the_way_tell_no_secret(
    log: io.StringIO, viewer: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong passwords and tokens, broken requests, an exception in a view, an address with a password."""
    token = ApiToken.objects.issue(viewer, "test")
    secrets = [token, "pm_a-wrong-token", "hunter2hunter2", "S3KR3TSIGNATURE"]
    program = Client(headers={"authorization": f"Bearer {token}"}, raise_request_exception=False)
    program.get(f"/no/such/page?signature=S3KR3TSIGNATURE&token={token}")
    program.patch("/api/v1/records/x/fields", "{", content_type="application/json")
    Client(headers={"authorization": "Bearer pm_a-wrong-token"}).get("/api/v1/search")
    Client().post("/accounts/login/", {"login": "viewer", "password": "hunter2hunter2"})
    Client(enforce_csrf_checks=True).post("/accounts/login/", {"password": "hunter2hunter2"})
    monkeypatch.setattr("search.api.suggest", lambda q, user: 1 / 0)
    assert program.get(f"/api/v1/search/suggest?q=a&token={token}").status_code == 500
    with pytest.raises(CommandError):
        call_command("ingest", "https://user:hunter2hunter2@127.0.0.1:1/a.jpg")
    try:
        raise httpx.ConnectError("https://x/?sig=S3KR3TSIGNATURE", request=None)
    except httpx.ConnectError:
        logging.getLogger("test").exception("It failed: %s", {"Authorization": f"Bearer {token}"})
    written = log.getvalue()
    assert "ZeroDivisionError" in written and "Not Found" in written and "It failed" in written
    assert not [secret for secret in secrets if secret in written]
