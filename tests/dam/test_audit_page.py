"""The page of the audit log, for administrators."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

import audit
from accounts.models import User
from audit.models import Entry
from dam.audit_page import PER_PAGE
from tests.factories import asset
from tests.search.pages import text

pytestmark = pytest.mark.django_db
PAGE, CSV = "/admin/audit/", "/admin/audit.csv"


@pytest.fixture
def desk(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def write(number: int = 1, who: User | None = None, label: str = "List", **details: Any) -> None:
    for n in range(number):
        audit.record(audit.Event.EXPORTED, who, audit.About("list", f"of-a-test-{n}", label), **details)


def table(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


def test_entries_are_found_by_each_filter(desk: Client, viewer: User) -> None:
    write(who=viewer, label="Night watch")
    write(label="Sunday")
    audit.record(audit.Event.TOKEN_MADE, viewer, label="x")
    Entry.objects.create(event="exported", label="Long ago", at=datetime(2020, 5, 6, 12, tzinfo=UTC))
    for asked, found, not_found in (
        ({"who": "Viewer"}, "Night watch", "Sunday"),
        ({"event": "exported", "who": "viewer"}, "Night watch", "API token made –"),
        ({"about": "sund"}, "Sunday", "Night watch"),
        ({"about": "of-a-test-0"}, "Sunday", "API token made –"),
        ({"since": "2020-05-06", "until": "2020-05-06"}, "Long ago", "Sunday"),
        ({"since": "2020-05-07"}, "Sunday", "Long ago"),
    ):
        said = text(desk.get(PAGE, asked))
        assert found in said and not_found not in said, asked
    assert "No entry is like this." in text(desk.get(PAGE, {"who": "nobody at all"}))
    assert "The first day is after the last one." in text(
        desk.get(PAGE, {"since": "2020-05-07", "until": "2020-05-06"})
    )
    assert "it is a superuser" in text(desk.get(PAGE))  # the role of the tests is


def test_pages_go_on_from_an_entry(desk: Client, django_assert_max_num_queries: Any) -> None:
    write(2 * PER_PAGE + 1, label="Of a long list")
    asked = {"about": "Of a long list"}
    seen = 0
    while asked:
        with django_assert_max_num_queries(8):
            answer = desk.get(PAGE, asked)
        seen += len(answer.context["rows"])
        older = answer.context["older"]
        asked = dict(pair.split("=") for pair in older.replace("+", " ").split("&")) if older else {}
    assert seen == 2 * PER_PAGE + 1
    for strange in ("x", "-1", "9" * 30):
        assert desk.get(PAGE, {"before": strange}).status_code == 200


def test_the_csv_is_harmless_whole_and_recorded(desk: Client) -> None:
    write(label="=1+1", what=["a", "ü"])
    rows = table(desk.post(CSV, {"event": "exported"}))
    mine, taken = rows[-2:]
    assert mine[9:] == ["'=1+1", '{"what": ["a", "ü"]}']
    assert (taken[3], taken[5], taken[9]) == ("exported", "curator", "Audit log")
    assert '"event": "exported"' in taken[10]
    assert desk.get(CSV).status_code == 405
    assert desk.post(CSV, {"since": "2020-05-07", "until": "2020-05-06"}).status_code == 400


def test_it_is_for_administrators_and_whom_they_allow(client: Client, viewer: User) -> None:
    assert client.get(PAGE).status_code == 302
    viewer.is_staff = True
    viewer.save()
    client.force_login(viewer)
    assert client.get(PAGE).status_code == client.post(CSV).status_code == 403
    assert PAGE not in client.get("/admin/").content.decode()
    viewer.user_permissions.add(
        Permission.objects.get(codename="view_entry", content_type__app_label="audit")
    )
    client.force_login(User.objects.get(pk=viewer.pk))
    assert client.get(PAGE).status_code == 200 and PAGE in client.get("/admin/").content.decode()


@pytest.mark.usefixtures("space")
def test_downloads_and_what_is_deleted_for_good(desk: Client, admin: User) -> None:
    from assets import changes, purging

    found = asset(done=True, accession="7", title="Night")
    for place, address in (("original/", "192.0.2.9"), ("download/", "192.0.2.9"), ("metadata.xmp", "::1")):
        answer: Any = desk.get(f"{found.get_absolute_url()}{place}", REMOTE_ADDR=address)
        assert answer.status_code == 200 and answer.getvalue()
    entries = Entry.objects.filter(event=audit.Event.DOWNLOADED, uid=str(found.uid)).order_by("pk")
    assert [entry.details["what"] for entry in entries] == ["original", "original", "words"]
    assert (entries[0].user_name, entries[0].address) == ("curator", "192.0.2.0/24")
    changes.trash([found], admin)
    purging.purge([found.pk], admin)
    gone = Entry.objects.get(event=audit.Event.DELETED, uid=str(found.uid))
    assert (gone.label, gone.details["number"]) == ("Night", "7")
