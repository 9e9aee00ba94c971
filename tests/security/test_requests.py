"""Who asks, how much at a time, and how often."""

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from accounts.models import User
from dam.security import limits, proxies, rates
from search.models import EmbeddingSpace

PROXY, PERSON = "10.0.0.5", "203.0.113.9"


@pytest.mark.parametrize(
    ("peer", "told", "address"),
    [
        (PERSON, "198.51.100.1", PERSON),  # nobody's proxy
        (PROXY, PERSON, PERSON),
        (f"{PROXY}:4711", f"{PERSON}:80", PERSON),
        (f"::ffff:{PROXY}", PERSON, PERSON),
        (PROXY, f"198.51.100.1, {PERSON}", PERSON),  # what the person said stands before it
        (PROXY, f"198.51.100.1, {PERSON}, 10.0.0.7", PERSON),
        (PROXY, "", PROXY),
        (PROXY, "nonsense", PROXY),
        (PROXY, "[2001:db8::1]:443", "2001:db8::1"),
        ("", PERSON, ""),
    ],
)
def test_a_proxy_that_is_named_says_who_asks(settings: Any, peer: str, told: str, address: str) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/24"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    request = RequestFactory().get(
        "/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=told, HTTP_X_FORWARDED_PROTO="https"
    )
    proxies.proxies(lambda request: HttpResponse())(request)
    assert request.META["REMOTE_ADDR"] == address
    assert request.is_secure() == (PROXY in peer)


@pytest.mark.parametrize(
    ("path", "more", "status"),
    [
        ("/" + "a" * 20_000, {}, 414),
        ("/?q=" + "a" * 20_000, {}, 414),
        ("/?" + "&".join(["a=1"] * 1500), {}, 414),
        ("/", {"HTTP_X_LONG": "a" * 40_000}, 431),
        ("/", {"HTTP_COOKIE": "a=" + "b" * 40_000}, 431),
        ("/", {"CONTENT_LENGTH": str(10**12)}, 413),
        ("/", {"CONTENT_LENGTH": "١٢"}, 200),
        ("/?q=" + "a" * 10_000, {}, 200),
    ],
)
def test_a_request_that_is_too_large_is_refused_unread(path: str, more: Any, status: int) -> None:
    passed = limits.limits(lambda request: HttpResponse())
    assert passed(RequestFactory().get(path, **more)).status_code == status


def test_a_form_has_so_many_fields_and_bytes(browser: Client, settings: Any, db: None) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS, settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20, 1000
    login = "/accounts/login/"
    assert browser.post(login, {f"f{n}": "" for n in range(30)}).status_code == 400
    assert browser.post(login, {"username": "a" * 2000}).status_code == 400  # multipart
    plain = "application/x-www-form-urlencoded"
    assert browser.post(login, "a" * 2000, content_type=plain).status_code == 400


@pytest.mark.parametrize(
    "body",
    ["[" * 200_000, '{"fields":' * 50_000, '{"fields": {"a": ' + "9" * 5000 + "}}", '"\\ud800"', "{", ""],
)
def test_json_that_is_deep_or_broken_is_refused(token: Client, space: EmbeddingSpace, body: str) -> None:
    address = "/api/v1/records/7f1c1d0e-0000-4000-8000-000000000000/fields"
    assert token.patch(address, body, content_type="application/json").status_code in (400, 404, 422)


def test_a_statement_that_takes_too_long_is_said_in_words(rf: RequestFactory, db: None) -> None:
    def slow(request: HttpRequest) -> HttpResponse:
        with connection.cursor() as cursor:
            cursor.execute("set local statement_timeout = 20")
            cursor.execute("select pg_sleep(5)")
        return HttpResponse()

    request = rf.get("/api/v1/search")
    with pytest.raises(Exception, match="statement timeout") as raised:
        slow(request)
    said = limits.Statements(slow).process_exception(request, raised.value)
    assert said is not None and said.status_code == 503 and said["Retry-After"] == "10"
    assert limits.Statements(slow).process_exception(request, ValueError()) is None


@pytest.fixture
def few(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.API_PER_MINUTE, settings.API_WRONG_PER_MINUTE = 3, 2
    monkeypatch.setattr(rates.time, "time", lambda: 600_010.0)


def test_a_token_may_ask_so_often_in_a_minute(token: Client, few: None, space: EmbeddingSpace) -> None:
    answers = [token.get("/api/v1/search/suggest?q=a") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3]["Retry-After"] == "50" and json.loads(answers[3].content)["detail"]
    assert token.get("/healthz").status_code == 200


def test_tokens_cannot_be_tried_out(client: Client, token: Client, few: None, space: EmbeddingSpace) -> None:
    def tried(number: int) -> int:
        return client.get("/api/v1/search", headers={"authorization": f"Bearer pm_{number}"}).status_code

    assert [tried(number) for number in range(4)] == [401, 401, 429, 429]
    assert token.get("/api/v1/search/suggest?q=a").status_code == 429  # of that address, in this minute
    cache.clear()
    assert token.get("/api/v1/search/suggest?q=a").status_code == 200


def test_nobody_is_refused_while_the_cache_is_away(
    token: Client, few: None, settings: Any, space: EmbeddingSpace
) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1"}}
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.db"
    assert [token.get("/api/v1/search/suggest?q=a").status_code for _ in range(4)] == [200] * 4


def test_the_name_of_a_file_puts_nothing_into_a_header(browser: Client, viewer: User) -> None:
    from tests.factories import asset

    found = asset(name='a"; x=\r\nSet-Cookie: b=c\r\n\r\n.jpg')
    answer = browser.get(f"/assets/{found.uid}/original/")
    assert answer.status_code == 200 and not answer.cookies
    assert "\n" not in answer["Content-Disposition"]
