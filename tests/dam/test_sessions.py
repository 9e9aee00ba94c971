"""Sessions are read from the cache, and work as well without one."""

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from redis.exceptions import RedisError

from accounts import sessions
from accounts.models import User

pytestmark = pytest.mark.django_db
PAGE = "/help/models/"


def test_a_page_does_not_ask_the_database_for_the_session(
    browser: Client, django_assert_num_queries: Any
) -> None:
    browser.get(PAGE)
    with django_assert_num_queries(1):  # the person, with what they may do
        assert browser.get(PAGE).status_code == 200
    stored: Any = cache
    name = cache.make_key(f"django.contrib.sessions.cached_db{browser.session.session_key}")
    assert 0 < stored._cache.get_client().ttl(name) <= sessions.SECONDS  # should an end not reach the cache
    cache.clear()
    assert browser.get(PAGE).status_code == 200
    key = browser.session.session_key
    browser.logout()
    assert browser.get(PAGE).status_code == 302 and not Session.objects.filter(pk=key).exists()


def test_without_a_cache_people_sign_in_and_out(
    client: Client, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise RedisError("refused")

    for name in ("get", "set", "delete", "has_key"):
        monkeypatch.setattr(cache, name, away)
    client.force_login(viewer)
    assert client.get(PAGE).status_code == 200
    client.logout()
    assert client.get(PAGE).status_code == 302
