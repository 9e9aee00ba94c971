"""Single sign-on against a provider on loopback that follows the written contract, and breaks it."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Group
from django.test import Client

from accounts import checks
from accounts.models import User
from accounts.single_sign_on import claim, mapping
from tests.accounts.provider import CLIENT, OTHER_KEY, SECRET, Provider, running

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def server() -> Iterator[Provider]:
    with running() as provider:
        yield provider


@pytest.fixture
def rules() -> dict[str, Any]:
    return {"create": True, "match_email": False, "groups_claim": "groups", "groups": ""}


@pytest.fixture
def provider(server: Provider, settings: Any, rules: dict[str, Any]) -> Iterator[Provider]:
    fresh = Provider()
    for name in ("person", "token", "told", "key"):
        setattr(server, name, getattr(fresh, name))
    how = {"server_url": server.issuer, "scope": ["openid"], "oauth_pkce_enabled": True}
    app = {"provider_id": "museum", "name": "Museum", "client_id": CLIENT, "secret": SECRET}
    rules.update(how)
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "provider_class": "accounts.oidc.Provider",
            "APPS": [{**app, "settings": rules}],
        }
    }
    yield server


def sent_there(client: Client, onward: str = "") -> dict[str, str]:
    """What the browser takes to the provider."""
    answer = client.get("/accounts/oidc/museum/login/", {"next": onward} if onward else {})
    assert answer.status_code == 302, answer.content
    return dict(parse_qsl(urlsplit(answer["Location"]).query))


def there_and_back(client: Client, provider: Provider, onward: str = "", **changed: str) -> Any:
    back = urlsplit(provider.authorize(sent_there(client, onward)))
    query = {**dict(parse_qsl(back.query)), **changed}
    return client.get(back.path, query)


def signed_in(client: Client) -> bool:
    return client.get("/accounts/").status_code == 200


def test_the_page_for_signing_in_offers_the_provider(client: Client, provider: Provider) -> None:
    page = client.get("/accounts/login/", {"next": "/trash/"}).content.decode()
    assert 'href="/accounts/oidc/museum/login/?next=%2Ftrash%2F"' in page and "Continue with Museum" in page
    assert client.get("/accounts/oidc/other/login/").status_code == 404


def test_somebody_new_gets_an_account_where_the_setting_says_so(client: Client, provider: Provider) -> None:
    answer = there_and_back(client, provider, "/trash/")
    assert (answer.status_code, answer["Location"]) == (302, "/trash/")
    user = User.objects.get()
    assert (user.username, user.first_name, user.has_usable_password()) == ("anna", "Anna", False)
    assert not user.is_staff and not user.is_superuser and signed_in(client)
    there_and_back(Client(), provider)
    assert User.objects.count() == 1


def test_without_the_setting_nobody_new_comes_in(
    client: Client, provider: Provider, rules: dict[str, Any]
) -> None:
    rules["create"] = False
    assert "You have no account here" in there_and_back(client, provider).content.decode()
    assert not User.objects.exists() and not signed_in(client)


WRONG = {
    "nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "audience": {"aud": "another program"},
    "several": {"aud": [CLIENT, "another program"]},
    "made for another": {"aud": [CLIENT, "another program"], "azp": "another program"},
    "issuer": {"iss": "http://127.0.0.1:1"},
    "expired": {"exp": int(time.time()) - 120},
    "no end": {"exp": None},
    "not yet": {"iat": int(time.time()) + 3600},
    "nobody": {"sub": None},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_token_that_does_not_fit_is_refused(client: Client, provider: Provider, wrong: str) -> None:
    provider.token = WRONG[wrong]
    answer = there_and_back(client, provider)
    assert answer.status_code == 401 and "Signing in did not work" in answer.content.decode()
    assert not User.objects.exists() and not signed_in(client)


def test_a_token_with_another_signature_is_refused(client: Client, provider: Provider) -> None:
    provider.key = OTHER_KEY
    assert there_and_back(client, provider).status_code == 401
    assert not User.objects.exists()


def test_what_is_told_has_to_be_about_the_person_of_the_token(client: Client, provider: Provider) -> None:
    provider.told = {"sub": "p-2"}
    assert there_and_back(client, provider).status_code == 401
    assert not User.objects.exists()


def test_an_answer_to_a_question_that_this_browser_did_not_ask_is_refused(
    client: Client, provider: Provider
) -> None:
    assert there_and_back(client, provider, state="another").status_code == 401
    asked = sent_there(client)
    back = urlsplit(provider.authorize(asked))
    assert Client().get(back.path, dict(parse_qsl(back.query))).status_code == 401
    assert client.get(back.path, dict(parse_qsl(back.query))).status_code == 302
    assert client.get(back.path, dict(parse_qsl(back.query))).status_code == 401  # once is enough
    assert User.objects.count() == 1


def test_the_address_cannot_choose_what_is_sent_there(client: Client, provider: Provider) -> None:
    query = {"auth_params": "nonce=mine", "scope": "more", "process": "connect"}
    answer = client.get("/accounts/oidc/museum/login/", query)
    asked = dict(parse_qsl(urlsplit(answer["Location"]).query))
    assert asked["nonce"] != "mine" and asked["scope"] == "openid"


def test_who_turns_back_and_a_provider_that_is_away(
    client: Client, provider: Provider, rules: dict[str, Any]
) -> None:
    state = sent_there(client)["state"]
    answer = client.get(
        "/accounts/oidc/museum/login/callback/", {"error": "access_denied", "state": state}, follow=True
    )
    assert "You did not sign in." in answer.content.decode()
    rules["server_url"] = "http://127.0.0.1:1"
    assert client.get("/accounts/oidc/museum/login/").status_code == 401


def test_only_a_verified_address_is_matched_and_only_where_the_setting_says_so(
    provider: Provider, viewer: User, rules: dict[str, Any]
) -> None:
    User.objects.update(email="Anna@museum.example")
    rules["create"] = False
    for match, verified, found in ((False, True, 0), (True, None, 0), (True, False, 0), (True, True, 1)):
        rules["match_email"] = match
        provider.person = {"sub": "p-1", "email": "anna@museum.example", "email_verified": verified}
        there_and_back(Client(), provider)
        assert SocialAccount.objects.filter(user=viewer).count() == found, (match, verified)
    assert User.objects.get().check_password("a long pass phrase")
    provider.person = {"sub": "p-1"}  # known by now, without an address
    client = Client()
    assert there_and_back(client, provider).status_code == 302 and signed_in(client)


def test_an_address_of_two_accounts_matches_neither(provider: Provider, rules: dict[str, Any]) -> None:
    for name in ("one", "two"):
        User.objects.create_user(name, email="anna@museum.example")
    rules.update(match_email=True, create=False)
    provider.person = {"sub": "p-1", "email": "anna@museum.example", "email_verified": True}
    assert "You have no account here" in there_and_back(Client(), provider).content.decode()


def test_groups_follow_the_provider_at_each_sign_in(provider: Provider, rules: dict[str, Any]) -> None:
    for name in ("Curators", "Registrars", "Volunteers"):
        Group.objects.get_or_create(name=name)
    rules["groups"] = "cn=cur=Curators; reg=Registrars; typing=Misspelt"
    provider.person |= {"groups": ["cn=cur", "typing", "other"]}

    def groups() -> set[str]:
        there_and_back(Client(), provider)
        return set(User.objects.get().groups.values_list("name", flat=True))

    assert groups() == {"Curators"}
    User.objects.get().groups.add(Group.objects.get(name="Volunteers"))
    provider.person |= {"groups": "reg"}
    assert groups() == {"Registrars", "Volunteers"}
    provider.person |= {"groups": None, "_claim_names": {"groups": "too many"}}
    assert groups() == {"Registrars", "Volunteers"}
    del provider.person["groups"], provider.person["_claim_names"]
    assert groups() == {"Volunteers"}


def test_who_was_switched_off_does_not_come_in_this_way_either(client: Client, provider: Provider) -> None:
    there_and_back(Client(), provider)
    User.objects.update(is_active=False)
    assert there_and_back(client, provider)["Location"] == "/accounts/login/"
    assert not signed_in(client)


def test_claims_and_mappings_are_read() -> None:
    assert mapping("a=b; cn=x,dc=y=Our group ;; =z; w=") == {"a": "b", "cn=x,dc=y": "Our group"}
    assert claim({"realm_access": {"roles": ["a", 1]}}, "realm_access.roles") == {"a", "1"}
    assert claim({"https://x.y/groups": ["a"]}, "https://x.y/groups") == {"a"}
    assert claim({"groups": {"a": 1}}, "groups.b.c") == set()


def test_settings_that_do_not_fit_are_told(provider: Provider, settings: Any, rules: dict[str, Any]) -> None:
    assert checks.accounts(None) == []
    settings.SECOND_FACTOR_FOR = "admins"
    rules.update(server_url="http://idp.example", groups="a=b; c")
    assert [one.id for one in checks.accounts(None)] == ["accounts.E001", "accounts.E003", "accounts.E004"]
    rules.update(server_url="", groups="")
    assert [one.id for one in checks.accounts(None)] == ["accounts.E001", "accounts.E002"]
