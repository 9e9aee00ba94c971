"""The audit log: its chain, who may write to it, and what is recorded."""

import threading
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.test import Client, RequestFactory
from psycopg import sql

import audit
from accounts.models import ApiToken, User
from audit import guarding, verifying
from audit.models import Entry
from audit.recording import address_of
from dam.services import dump, roles

pytestmark = pytest.mark.django_db
WRITERS, EACH = 8, 5
WEB, PASSWORD = "dam_web_of_a_test", "a password"


def chained() -> None:
    """As at the end of a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate; set constraints all deferred")


def written(number: int) -> list[Entry]:
    before = Entry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    for n in range(number):
        audit.record(audit.Event.EXPORTED, None, audit.About("list", str(n), f"No. {n}"), format="csv")
    chained()
    return list(Entry.objects.filter(pk__gt=before).order_by("pk"))


def tamper(statement: str, *values: object) -> None:
    """As somebody could who owns the tables."""
    with connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(statement, values)
        cursor.execute("set local session_replication_role = origin")


def verify(head: str = "") -> str:
    out = StringIO()
    call_command("audit", "verify", *(["--head", head] if head else []), stdout=out)
    return out.getvalue()


def test_a_chain_that_was_left_alone_holds() -> None:
    before, _ = verifying.head()
    written(3)
    number, head = verifying.head()
    assert number == before + 3
    assert f"{number:,} entries, the chain holds. Head: {head}" in verify()
    written(2)
    assert "holds" in verify(head)  # a head of earlier is in it still


def test_portions_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    written(5)
    monkeypatch.setattr(verifying, "AT_ONCE", 2)
    assert [state.count for state in verifying.verify()][-1] == verifying.head()[0]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("update audit_entry set label = 'another' where id = {middle}", "is not as it was written"),
        ("update audit_entry set details = '{{}}' where id = {middle}", "is not as it was written"),
        (
            "update audit_entry set at = at + interval '1 microsecond' where id = {middle}",
            "not as it was written",
        ),
        ("delete from audit_entry where id = {middle}", "Entry {middle} .* is missing"),
        ("delete from audit_link where entry_id = {middle}", "Link .* is missing"),
        ("delete from audit_link where entry_id = {last}", "Entry {last} is not in the chain"),
        (
            "update audit_link set entry_id = case entry_id when {first} then {middle} else {first} end"
            " where entry_id in ({first}, {middle})",
            "is not as it was written",
        ),
        (
            "update audit_link set number = -number where entry_id in ({first}, {middle});"
            " update audit_link set number = case entry_id when {first} then 1 - number else -1 - number end"
            " where entry_id in ({first}, {middle})",
            "does not follow the one before",
        ),
        ("update audit_link set hash = repeat('a', 64) where entry_id = {middle}", "not as it was written"),
    ],
)
def test_each_break_is_found(statement: str, said: str) -> None:
    first, middle, last = (entry.pk for entry in written(3))
    ids = {"first": first, "middle": middle, "last": last}
    with connection.cursor() as cursor:
        cursor.execute("alter table audit_link drop constraint audit_link_entry_id_key")
    tamper(statement.format(**ids))
    with pytest.raises(CommandError, match=said.format(**ids)):
        verify()


def test_a_cut_end_is_found_by_a_head_that_was_noted() -> None:
    last = written(3)[-1]
    _, head = verifying.head()
    tamper("delete from audit_link where entry_id = %s", last.pk)
    tamper("delete from audit_entry where id = %s", last.pk)
    assert "holds" in verify()  # the chain alone cannot know
    with pytest.raises(CommandError, match="head that was noted is not in the chain"):
        verify(head)


@pytest.mark.parametrize("table", ["audit_entry", "audit_link"])
@pytest.mark.parametrize("statement", ["update {} set {} = {}", "delete from {}", "truncate {} cascade"])
def test_even_the_owner_changes_nothing_by_mistake(table: str, statement: str) -> None:
    written(1)
    column = "event" if table == "audit_entry" else "hash"
    with (
        pytest.raises(Exception, match="only ever added to"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table, column, column))


@pytest.mark.django_db(transaction=True)
def test_many_writers_keep_one_chain() -> None:
    def write(number: int) -> None:
        try:
            for n in range(EACH):
                with transaction.atomic():
                    about = audit.About("list", f"{number}-{n}", "Together")
                    audit.record(audit.Event.EXPORTED, None, about, format="csv")
        finally:
            connections.close_all()

    before, _ = verifying.head()
    threads = [threading.Thread(target=write, args=[number]) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verifying.head()[0] == before + WRITERS * EACH
    assert "holds" in verify()


def test_what_is_taken_back_leaves_no_entry() -> None:
    number, head = verifying.head()
    with pytest.raises(RuntimeError), transaction.atomic():
        written(1)
        raise RuntimeError
    assert verifying.head() == (number, head)


# --- the role that the library works as -----------------------------------------------------------------


@pytest.fixture
def web_role() -> Iterator[Callable[[str], Any]]:
    """A connection of that role, as `prepare` makes it; gone again with all that it got."""
    name, password = WEB, PASSWORD
    place = connection.settings_dict
    assert roles.settle(connection, {"USER": name, "PASSWORD": password})
    with psycopg.connect(
        host=place["HOST"],
        port=place["PORT"],
        dbname=place["NAME"],
        user=name,
        password=password,
        autocommit=True,
    ) as web:
        yield web.execute
    with connection.cursor() as cursor:
        owner, role = sql.Identifier(place["USER"]), sql.Identifier(name)
        for statement in ("reassign owned by {role} to {owner}", "drop owned by {role}", "drop role {role}"):
            cursor.execute(sql.SQL(statement).format(role=role, owner=owner).as_string())


@pytest.mark.django_db(transaction=True)
def test_the_role_of_the_library_adds_and_reads_and_no_more(
    web_role: Callable[[str], Any], tmp_path: Path
) -> None:
    before, _ = verifying.head()
    web_role(
        "insert into audit_entry (at, event, user_name, address, kind, uid, label, details)"
        " values (now(), 'exported', '', '', '', '', '', '{}')"
    )
    assert web_role("select max(number) from audit_link").fetchone() == (before + 1,)
    for forbidden in (
        "update audit_entry set label = ''",
        "delete from audit_entry",
        "truncate audit_entry cascade",
        "insert into audit_link values (0, 0, '', '')",
        "update audit_link set hash = ''",
        "delete from audit_link",
        "alter table audit_entry disable trigger audit_entry_grows",
        "alter table audit_entry disable trigger all",
        "alter table audit_entry owner to current_user",
        "drop table audit_link",
        "create trigger mine before insert on audit_entry for each row execute function search_row_written()",
        "create rule mine as on insert to audit_entry do instead nothing",
        "create or replace function audit_refuse() returns trigger language sql as ''",
        "drop function audit_chain() cascade",
        "set session_replication_role = replica",
        "alter role current_user superuser",
        "drop schema public cascade",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            web_role(forbidden)
    assert guarding.loopholes(WEB) == []
    dump.save({**connection.settings_dict, "USER": WEB, "PASSWORD": PASSWORD}, tmp_path / "museum.dump")
    web_role("create index of_a_test on accounts_user (email)")  # all else is its own
    web_role("drop index of_a_test")
    assert not roles.settle(connection, connection.settings_dict)
    assert "it is a superuser" in guarding.loopholes()
    assert "holds" in verify()


# --- what is recorded --------------------------------------------------------------------------------------


def latest(event: audit.Event) -> Entry:
    found = Entry.objects.filter(event=event).first()
    assert found is not None
    return found


def test_signing_in_and_out(client: Client, viewer: User) -> None:
    form = {"login": "viewer", "password": "wrong"}
    client.post("/accounts/login/", form, REMOTE_ADDR="192.0.2.77")
    failed = latest(audit.Event.SIGN_IN_FAILED)
    assert (failed.label, failed.user_id, failed.address) == ("viewer", None, "192.0.2.0/24")
    client.post("/accounts/login/", {"login": "my secret words", "password": "x"})
    assert latest(audit.Event.SIGN_IN_FAILED).label == "?"
    client.post("/accounts/login/", {**form, "password": "a long pass phrase"})
    assert latest(audit.Event.SIGNED_IN).user_name == "viewer"
    client.post("/accounts/logout/")
    assert latest(audit.Event.SIGNED_OUT).user_id == viewer.pk
    assert not Entry.objects.filter(details__icontains="phrase").exists()


@pytest.mark.parametrize(
    ("said", "kept", "address"),
    [
        ("203.0.113.9", "short", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "short", "2001:db8:1::/48"),
        ("::ffff:203.0.113.9", "full", "203.0.113.9"),
        ("203.0.113.9", "none", ""),
        ("nonsense", "full", ""),
    ],
)
def test_addresses_are_kept_as_the_setting_says(said: str, kept: str, address: str, settings: Any) -> None:
    settings.AUDIT_ADDRESSES = kept
    assert address_of(RequestFactory().get("/", REMOTE_ADDR=said)) == address


def test_accounts_and_tokens(client: Client, admin: User, viewer: User) -> None:
    client.force_login(admin)
    text = StringIO()
    call_command("token", "viewer", "--name", "website", stdout=text)
    made = latest(audit.Event.TOKEN_MADE)
    assert made.label == "website (viewer)" and text.getvalue().strip() not in str(made.details)
    token = ApiToken.objects.get()
    client.post(f"/admin/accounts/apitoken/{token.pk}/delete/", {"post": "yes"})
    gone = latest(audit.Event.TOKEN_REVOKED)
    assert (gone.user_name, gone.label, gone.kind) == ("curator", "website (viewer)", "apitoken")
    chosen = {"action": "switch_off", "_selected_action": [viewer.pk]}
    client.post("/admin/accounts/user/", chosen)
    off = latest(audit.Event.ACCOUNT_CHANGED)
    assert (off.label, off.details["said"]) == ("viewer", "Switched off.")
    group = Group.objects.create(name="Restorers")
    page = client.get(f"/admin/accounts/user/{viewer.pk}/change/")
    form = page.context["adminform"].form
    values = {name: value for name, value in form.initial.items() if value and name in form.fields}
    values |= {"groups": [group.pk], "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    client.post(f"/admin/accounts/user/{viewer.pk}/change/", values, REMOTE_ADDR="192.0.2.7")
    joined = latest(audit.Event.ACCOUNT_CHANGED)
    assert joined.details["changes"] == {"groups": ["Curators", "Restorers"]}
    assert joined.address == "192.0.2.0/24"
