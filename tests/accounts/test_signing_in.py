"""Signing in by password, with a second factor, and what ends it again."""

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from audit.models import Entry

pytestmark = pytest.mark.django_db

PASSWORD = "a long pass phrase"
IN = "/accounts/login/"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time by which attempts are counted and codes are made; a test moves it on."""
    now = [float(int(time.time()) // 30 * 30)]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


def sign_in(client: Client, name: str = "viewer", password: str = PASSWORD, **more: str) -> Any:
    return client.post(IN, {"login": name, "password": password, **more})


def signed_in(client: Client) -> bool:
    return client.get("/accounts/").status_code == 200


def with_app(user: User, client: Client) -> str:
    """Adds an app with codes on the pages, and returns its secret."""
    page = client.get("/accounts/second-factor/app/add/")
    if page.status_code == 302:  # is it you?
        client.post(page["Location"], {"password": PASSWORD})
        page = client.get("/accounts/second-factor/app/add/")
    secret = str(page.context["form"].secret)
    made = client.post("/accounts/second-factor/app/add/", {"code": code_of(secret)})
    assert made["Location"] == "/accounts/second-factor/codes/", made.context["form"].errors
    return secret


def code_of(secret: str) -> str:
    return totp.format_hotp_value(totp.hotp_value(secret, next(totp.yield_hotp_counters_from_time())))


# --- by password ----------------------------------------------------------------------------------------


def test_one_signs_in_and_goes_where_one_wanted(client: Client, viewer: User) -> None:
    page = client.get(IN, {"next": "/trash/"}).content.decode()
    assert 'name="next" value="/trash/"' in page and ">Username<" in page and ">Password<" in page
    assert sign_in(client, next="/trash/")["Location"] == "/trash/"
    assert signed_in(client)
    assert sign_in(Client(), next="https://elsewhere.example/")["Location"] == "/"


def test_wrong_answers_do_not_tell_whether_there_is_an_account(client: Client, viewer: User) -> None:
    User.objects.create_user("gone", password=PASSWORD, is_active=False)
    texts = []
    for name, password in (("viewer", "wrong"), ("nobody", "wrong"), ("gone", "wrong"), ("gone", PASSWORD)):
        answer = sign_in(client, name, password)
        assert answer.status_code == 200
        texts.append(answer.context["form"].non_field_errors())
    assert texts == [["The user name or the password is not right."]] * 4
    assert not signed_in(client)


def test_after_too_many_attempts_it_is_said_when_to_try_again(
    client: Client, viewer: User, clock: list[float]
) -> None:
    for _ in range(10):
        sign_in(client, password="wrong")
    clock[0] += 300
    said = ["Too many attempts. Please try again in 10 minutes."]
    assert sign_in(client).context["form"].non_field_errors() == said
    assert not signed_in(client)
    assert sign_in(Client(REMOTE_ADDR="192.0.2.7")).context["form"].non_field_errors() == said
    for _ in range(11):  # for somebody whom there is not it is the same
        answer = sign_in(client, "nobody", "wrong")
    assert "Too many attempts" in answer.content.decode()
    clock[0] += 601
    assert sign_in(client).status_code == 302


def test_attempts_of_one_address_are_counted_whatever_the_name(
    client: Client, viewer: User, clock: list[float], settings: Any
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "4/15m/ip,10/15m/key"}
    for number in range(4):
        sign_in(client, f"nobody-{number}", "wrong")
    assert "try again in 15 minutes" in sign_in(client).content.decode()
    assert sign_in(Client(REMOTE_ADDR="192.0.2.7")).status_code == 302


def test_without_the_cache_nothing_can_be_tried(client: Client, viewer: User, settings: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1"}}
    assert client.get(IN).status_code == 200
    answer = sign_in(client)
    assert answer.status_code == 503 and "try again in a minute" in answer.content.decode()
    assert not signed_in(client)


def test_the_administration_has_no_other_way_in(client: Client, admin: User, viewer: User) -> None:
    assert client.get("/admin/")["Location"] == "/admin/login/?next=/admin/"
    answer = client.get("/admin/login/?next=/admin/")
    assert answer["Location"] == "/accounts/login/?next=%2Fadmin%2F"
    tried = client.post("/admin/login/", {"username": "curator", "password": PASSWORD})
    assert tried["Location"].startswith("/accounts/login/") and not signed_in(client)
    sign_in(client)
    assert client.get("/admin/login/?next=/admin/").status_code == 403


# --- a second factor ------------------------------------------------------------------------------------


def test_a_code_is_asked_for_and_is_good_once(client: Client, viewer: User, clock: list[float]) -> None:
    sign_in(client)
    secret = with_app(viewer, client)
    assert secret not in str(Authenticator.objects.values())  # encrypted
    other = Client()
    assert sign_in(other, next="/trash/")["Location"] == "/accounts/second-factor/code/"
    assert not signed_in(other)
    assert other.post("/accounts/second-factor/code/", {"code": "000000"}).status_code == 200
    clock[0] += 30
    code = code_of(secret)
    assert other.post("/accounts/second-factor/code/", {"code": code})["Location"] == "/trash/"
    third = Client()
    sign_in(third)
    again = third.post("/accounts/second-factor/code/", {"code": code})
    assert again.context["form"].errors["code"] and not signed_in(third)
    clock[0] += 30
    assert third.post("/accounts/second-factor/code/", {"code": code}).status_code == 200  # too late
    assert third.post("/accounts/second-factor/code/", {"code": code_of(secret)}).status_code == 302
    assert signed_in(third)


def test_a_recovery_code_lets_in_once_and_is_shown_once(
    client: Client, viewer: User, clock: list[float]
) -> None:
    sign_in(client)
    with_app(viewer, client)
    shown = client.get("/accounts/second-factor/codes/").context["unused_codes"]
    assert len(shown) == 10 and "*" not in shown[0]
    assert client.get("/accounts/second-factor/codes/").context["unused_codes"][0] == "****"
    assert client.get("/accounts/second-factor/codes/download/").status_code == 403
    for expected in (302, 200):
        other = Client()
        sign_in(other)
        assert other.post("/accounts/second-factor/code/", {"code": shown[0]}).status_code == expected
    assert "9 codes are left" in client.get("/accounts/").content.decode()


def test_codes_are_counted_as_passwords_are(client: Client, viewer: User, clock: list[float]) -> None:
    sign_in(client)
    secret = with_app(viewer, client)
    other = Client()
    sign_in(other)
    for _ in range(10):
        other.post("/accounts/second-factor/code/", {"code": "000000"})
    clock[0] += 60
    answer = other.post("/accounts/second-factor/code/", {"code": code_of(secret)})
    assert "Too many attempts" in answer.content.decode() and not signed_in(other)
    failed = Entry.objects.filter(event="sign_in_failed", label="viewer")
    assert [entry.details for entry in failed] == [{"what": "totp"}] * 10


def test_changes_to_how_one_signs_in_ask_for_the_password_again(
    client: Client, viewer: User, clock: list[float]
) -> None:
    sign_in(client)
    for page in ("second-factor/app/add/", "passkeys/add/"):
        assert client.get(f"/accounts/{page}")["Location"].startswith("/accounts/confirm/?next=")
    wrong = client.post("/accounts/confirm/", {"password": "wrong"})
    assert "This is not your password." in wrong.content.decode()
    with_app(viewer, client)
    assert client.post("/accounts/second-factor/app/remove/").status_code == 302
    assert not Authenticator.objects.exists()  # the recovery codes went with it


def test_without_the_key_of_the_installation_no_code_is_right(
    client: Client, viewer: User, clock: list[float], settings: Any
) -> None:
    sign_in(client)
    secret = with_app(viewer, client)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key"
    clock[0] += 30
    for fallbacks, expected in ((settings.SECRET_KEY_FALLBACKS, 302), ([], 200)):
        settings.SECRET_KEY_FALLBACKS = fallbacks
        other = Client()
        sign_in(other)
        answer = other.post("/accounts/second-factor/code/", {"code": code_of(secret)})
        assert answer.status_code == expected
        clock[0] += 30


def test_who_must_have_a_second_factor_does_nothing_before(
    client: Client, admin: User, viewer: User, settings: Any, clock: list[float]
) -> None:
    settings.SECOND_FACTOR_FOR = "administrators"
    sign_in(client, "curator")
    for page in ("/", "/admin/", "/trash/", "/accounts/tokens/new/"):
        assert client.get(page)["Location"] == "/accounts/", page
    assert client.get("/", headers={"HX-Request": "true"}).status_code == 403
    assert "Please set one up below" in client.get("/accounts/").content.decode()
    with_app(admin, client)
    assert client.get("/trash/").status_code == 200
    kept = client.post("/accounts/second-factor/app/remove/")
    assert "has to have a second factor" in kept.content.decode() and Authenticator.objects.exists()
    other = Client()
    other.force_login(viewer)
    assert other.get("/trash/").status_code == 200
    settings.SECOND_FACTOR_FOR = "everybody"
    assert other.get("/trash/")["Location"] == "/accounts/"


def test_the_command_tells_and_removes_what_was_lost(
    client: Client, viewer: User, clock: list[float], capsys: Any, django_capture_on_commit_callbacks: Any
) -> None:
    sign_in(client)
    with django_capture_on_commit_callbacks(execute=True):  # what is told of it waits for the end
        with_app(viewer, client)
    call_command("second_factor", "viewer")
    assert capsys.readouterr().out.splitlines()[0].startswith("TOTP Authenticator: added 20")
    call_command("second_factor", "viewer", "--remove")
    told = Entry.objects.filter(event="second_step_changed", uid=viewer.pk).order_by("pk")
    assert [one.details["action"] for one in told] == ["added", "added", "removed"]
    assert "2 removed" in capsys.readouterr().err
    assert sign_in(Client())["Location"] == "/"


# --- sessions -------------------------------------------------------------------------------------------


def test_one_session_is_ended_from_another(viewer: User) -> None:
    here, there = Client(HTTP_USER_AGENT="Firefox/140 Windows"), Client(HTTP_USER_AGENT="iPhone Safari/1")
    sign_in(here)
    sign_in(there)
    page = here.get("/accounts/")
    assert [one.browser for one in page.context["sessions"]] == ["Safari, iPhone", "Firefox, Windows"]
    other, own = page.context["sessions"]
    here.post("/accounts/sessions/end/", {"session": own.pk})  # one's own stays
    here.post("/accounts/sessions/end/", {"session": other.pk})
    assert signed_in(here) and not signed_in(there)
    assert Entry.objects.get(event="session_ended").details == {"what": "Safari, iPhone"}
    stranger = Client()
    stranger.force_login(User.objects.create_user("stranger"))
    assert stranger.post("/accounts/sessions/end/", {"session": own.pk}).status_code == 404
    assert signed_in(here)


def test_everywhere_is_also_where_no_list_knows_of(viewer: User) -> None:
    here, listed, unlisted = Client(), Client(), Client()
    sign_in(here)
    sign_in(listed)
    unlisted.force_login(viewer)  # as a session from before there was a list
    assert signed_in(listed) and signed_in(unlisted)  # all are in the cache of sessions now
    assert here.post("/accounts/sessions/end-all/").status_code == 302
    assert not signed_in(listed) and not signed_in(unlisted)
    assert len(here.get("/accounts/").context["sessions"]) == 1


def test_another_password_ends_all_other_sessions(viewer: User) -> None:
    here, there = Client(), Client()
    sign_in(here)
    sign_in(there)
    new = "quite another phrase"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post("/accounts/password/", form).status_code == 302
    assert not signed_in(there)
    page = here.get("/accounts/")
    assert len(page.context["sessions"]) == 1 and "This browser" in page.content.decode()


def test_nobody_makes_an_account_for_themselves(client: Client) -> None:
    for page in ("signup", "email", "password/reset", "password/set", "3rdparty"):
        assert client.get(f"/accounts/{page}/").status_code == 404
