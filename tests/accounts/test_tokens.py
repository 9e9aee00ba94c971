"""Tokens: what each may be used for and how long; and that nobody raises themselves in the administration."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, Scope, User
from dam.api import api, scope_of

pytestmark = pytest.mark.django_db

PASSWORD = "a long pass phrase"
NOBODY = "00000000-0000-0000-0000-000000000000"
TUS = {"Tus-Resumable": "1.0.0", "Upload-Length": "3", "Upload-Metadata": "filename YS5qcGc="}


def with_token(user: User, *scopes: str, **more: Any) -> Client:
    text = ApiToken.objects.issue(user, "a program", scopes, **more)
    return Client(headers={"authorization": f"Bearer {text}"})


# --- what for -------------------------------------------------------------------------------------------


def test_every_address_of_the_api_has_a_scope_that_was_thought_of() -> None:
    """A new address that changes something wants `write`, unless it stands in dam.api.OTHERWISE and here."""
    wanted = {}
    for address, item in api.get_openapi_schema()["paths"].items():
        for method in item:
            wanted[f"{method.upper()} {address}"] = scope_of(method.upper(), address)
    reading = {name for name, scope in wanted.items() if scope == Scope.READ}
    assert {name for name in reading if not name.startswith("GET ")} == {"POST /api/v1/search"}
    assert {name for name, scope in wanted.items() if scope == Scope.UPLOAD} == {"POST /api/v1/assets"}
    writing = {name for name, scope in wanted.items() if scope == Scope.WRITE}
    assert writing and writing == set(wanted) - reading - {"POST /api/v1/assets"}


def test_a_token_does_what_it_was_made_for_and_nothing_else(viewer: User) -> None:
    calls = {
        "read": lambda client: client.get(f"/api/v1/assets/{NOBODY}"),
        "write": lambda client: client.patch(f"/api/v1/assets/{NOBODY}/fields", {}, "application/json"),
        "upload": lambda client: client.post("/api/v1/assets"),
    }
    for scope in calls:
        client = with_token(viewer, scope)
        for other, call in calls.items():
            answer = call(client)
            assert (answer.status_code == 403) == (other != scope), (scope, other, answer.content)
            if other != scope:
                assert f"it lacks '{other}'" in answer.json()["detail"]
    assert with_token(viewer, "read").post("/uploads/", headers=TUS).status_code == 403
    assert with_token(viewer, "upload").post("/uploads/", headers=TUS).status_code == 201


def test_a_token_that_has_expired_says_so(viewer: User) -> None:
    soon = timezone.now() + timedelta(hours=1)
    client = with_token(viewer, *Scope.values, expires_at=soon)
    assert client.get("/api/v1/search/suggest", {"q": "a"}).status_code == 200
    ApiToken.objects.update(expires_at=timezone.now())
    answers = [client.get("/api/v1/search/suggest", {"q": "a"}), client.post("/uploads/", headers=TUS)]
    for answer in answers:
        assert answer.status_code == 401 and "has expired" in answer.json()["detail"]


def test_tokens_from_before_keep_working() -> None:
    before, after = [("accounts", "0002_language")], MigrationExecutor(connection).loader.graph.leaf_nodes()
    executor = MigrationExecutor(connection)
    executor.migrate(before)
    apps = executor.loader.project_state(before).apps
    user = apps.get_model("accounts", "User").objects.create(username="old", is_active=True)
    digest = ApiToken.digest_of("pm_old")
    apps.get_model("accounts", "ApiToken").objects.create(user=user, name="old", digest=digest)
    connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
    MigrationExecutor(connection).migrate(after)
    token = ApiToken.objects.get()
    assert (token.scopes, token.expires_at) == (Scope.values, None)
    assert ApiToken.objects.admit("pm_old", Scope.UPLOAD).username == "old"


# --- whose ----------------------------------------------------------------------------------------------


def test_people_make_and_revoke_their_own(browser: Client, viewer: User) -> None:
    assert "You have no token." in browser.get("/accounts/").content.decode()
    asked = browser.post("/accounts/tokens/new/", {"name": "the website", "scopes": ["read"], "days": "90"})
    assert asked["Location"].startswith("/accounts/confirm/") and not ApiToken.objects.exists()
    assert browser.post(asked["Location"], {"password": "not it"}).status_code == 200
    assert not ApiToken.objects.exists()
    page = browser.post(asked["Location"], {"password": PASSWORD})
    assert "no-store" in page["Cache-Control"]
    text = page.context["text"]
    assert text in page.content.decode() and text not in str(ApiToken.objects.values())
    token = ApiToken.objects.get()
    assert timedelta(days=89) < token.expires_at - timezone.now() <= timedelta(days=90)
    assert ApiToken.objects.admit(text, "read") == viewer
    listed = browser.get("/accounts/").content.decode()
    assert "the website" in listed and "Look and search" in listed and text not in listed
    assert "will be refused" in browser.get(f"/accounts/tokens/{token.pk}/revoke/").content.decode()
    browser.post(f"/accounts/tokens/{token.pk}/revoke/")
    assert not ApiToken.objects.exists()


def test_nobody_revokes_those_of_others(browser: Client, admin: User) -> None:
    ApiToken.objects.issue(admin, "theirs")
    token = ApiToken.objects.get()
    assert browser.post(f"/accounts/tokens/{token.pk}/revoke/").status_code == 404
    assert ApiToken.objects.exists()


def test_for_ever_is_for_administrators(browser: Client, admin: User) -> None:
    form = {"name": "x", "scopes": ["read"], "days": "0"}
    browser.post("/accounts/confirm/", {"password": PASSWORD})
    assert browser.post("/accounts/tokens/new/", form).context["form"].errors["days"]
    with pytest.raises(CommandError, match="administrator"):
        call_command("token", "viewer", days=0)
    assert not ApiToken.objects.exists()
    other = Client()
    other.force_login(admin)
    other.post("/accounts/confirm/", {"password": PASSWORD})
    other.post("/accounts/tokens/new/", form)
    assert ApiToken.objects.get().expires_at is None


def test_the_command_says_what_there_is(viewer: User, capsys: Any) -> None:
    call_command("token", "viewer", name="nightly", scope=["read", "upload"], days=30)
    assert ApiToken.objects.admit(capsys.readouterr().out.strip(), "upload") == viewer
    call_command("token", "viewer", list=True)
    until = timezone.now() + timedelta(days=30)
    assert f"nightly: read, upload; until {until:%Y-%m-%d}; last used" in capsys.readouterr().out


# --- staff that are no administrators -------------------------------------------------------------------


@pytest.fixture
def staff(viewer: User) -> User:
    """Somebody who looks after accounts, and is in one group."""
    viewer.is_staff = True
    viewer.save()
    names = ["view_user", "change_user", "add_user", "delete_user", "view_apitoken", "delete_apitoken"]
    viewer.user_permissions.set(
        Permission.objects.filter(codename__in=[*names, "change_group", "view_group"])
    )
    viewer.groups.add(Group.objects.create(name="Own"))
    return User.objects.get(pk=viewer.pk)


@pytest.fixture
def desk(client: Client, staff: User) -> Client:
    client.force_login(staff)
    return client


def change(desk: Client, user: User, **more: Any) -> Any:
    joined = timezone.localtime(user.date_joined)
    form = {
        "username": user.username,
        "date_joined_0": joined.date().isoformat(),
        "date_joined_1": joined.time().isoformat("seconds"),
        "is_active": "on",
        "groups": [group.pk for group in user.groups.all()],
        "user_permissions": [one.pk for one in user.user_permissions.all()],
        **more,
    }
    return desk.post(f"/admin/accounts/user/{user.pk}/change/", form)


def test_staff_change_accounts_below_them(desk: Client) -> None:
    other = User.objects.create_user("other")
    own = Group.objects.get(name="Own")
    answer = change(desk, other, first_name="Else", groups=[own.pk])
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    other.refresh_from_db()
    assert other.first_name == "Else" and list(other.groups.all()) == [own]


def test_staff_cannot_raise_anybody(desk: Client, staff: User) -> None:
    above = Group.objects.create(name="Above")
    other = User.objects.create_user("other")
    beyond = Permission.objects.get(codename="delete_group")
    for user in (staff, other):
        assert change(desk, user, is_staff="on", is_superuser="on").status_code == 302
        assert change(desk, user, groups=[above.pk]).status_code == 200
        assert change(desk, user, user_permissions=[beyond.pk]).status_code == 200
        user = User.objects.get(pk=user.pk)
        assert not user.is_superuser and not user.has_perm("auth.delete_group")
        assert not user.groups.filter(name="Above").exists()
    group = Group.objects.get(name="Own")
    assert desk.post(f"/admin/auth/group/{group.pk}/change/", {"name": "Own"}).status_code == 403


def test_staff_cannot_touch_who_is_above_them(desk: Client, admin: User) -> None:
    richer = User.objects.create_user("richer", is_active=False)  # while switched off, too
    richer.user_permissions.add(Permission.objects.get(codename="delete_group"))
    member = User.objects.create_user("member")
    member.groups.add(Group.objects.create(name="Above"))
    for user in (admin, richer, member):
        before = User.objects.get(pk=user.pk).password
        assert change(desk, user, first_name="Taken").status_code == 403
        new = {"password1": "quite another phrase", "password2": "quite another phrase"}
        assert desk.post(f"/admin/accounts/user/{user.pk}/password/", new).status_code == 403
        assert desk.post(f"/admin/accounts/user/{user.pk}/delete/", {"post": "yes"}).status_code == 403
        ApiToken.objects.issue(user, "theirs")
        for action in ("take_tokens", "switch_on", "switch_off"):
            desk.post("/admin/accounts/user/", {"action": action, "_selected_action": [user.pk]})
        token = ApiToken.objects.get(user=user)
        assert desk.post(f"/admin/accounts/apitoken/{token.pk}/delete/", {"post": "yes"}).status_code == 403
        deleting = {"action": "delete_selected", "_selected_action": [token.pk], "post": "yes"}
        desk.post("/admin/accounts/apitoken/", deleting)
        assert ApiToken.objects.filter(user=user).exists()
        now = User.objects.get(pk=user.pk)
        assert (now.password, now.first_name, now.is_active) == (before, "", user.is_active)


def test_what_would_let_in_as_anybody_is_not_in_the_administration(client: Client, admin: User) -> None:
    client.force_login(admin)
    for page in ("mfa/authenticator", "socialaccount/socialapp", "socialaccount/socialaccount"):
        assert client.get(f"/admin/{page}/").status_code == 404
