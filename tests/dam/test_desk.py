"""Our own pages of the administration, and what its lists do with accounts, steps and imports."""

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, User
from assets import fixity, storage
from assets.models import Batch, Blob, Import, StageRun
from assets.orphans import surveyed
from assets.tasks import check_fixity_of_all, find_orphans
from search.models import EmbeddingSpace
from tests.factories import asset
from tests.search.pages import text

STORAGE, ENCODERS = "/admin/storage/", "/admin/encoders/"


@pytest.fixture
def desk(client: Client, admin: User, space: EmbeddingSpace) -> Client:
    client.force_login(admin)
    return client


@pytest.fixture
def looker(viewer: User, space: EmbeddingSpace) -> Client:
    """Staff who may see everything and change nothing."""
    User.objects.filter(pk=viewer.pk).update(is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    looking = Client()
    looking.force_login(viewer)
    return looking


def act(desk: Client, model: str, action: str, *rows: Any) -> str:
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return text(desk.post(reverse(f"admin:{model}_changelist"), data, follow=True))


# --- storage --------------------------------------------------------------------------------------------


def test_the_storage_page_says_where_what_and_how_much(desk: Client) -> None:
    asset("red", done=True)
    with CaptureQueriesContext(connection) as captured:
        said = text(desk.get(STORAGE))
    assert len(captured) <= 12
    assert "image/jpeg 1" in said and "previews: medium 1" in said and "1 original" in said
    assert "all that were read are as they were stored" in said and "Nobody has looked" in said


def test_all_originals_are_read_because_somebody_asked(desk: Client, settings: Any) -> None:
    settings.FIXITY_DAYS = 0  # the clock reads none
    good, bad = asset("red"), asset("blue")
    blob = bad.current_version.blob
    place = Path(storage.originals().path(blob.storage_name))
    place.chmod(0o644)
    place.write_bytes(b"damaged")
    Blob.objects.update(checked_at=timezone.now() - timedelta(days=1), fixity="ok")
    assert "is being read again in the background" in text(
        desk.post(STORAGE, {"check": "originals"}, follow=True)
    )
    assert "0 of 2 were read since" in text(desk.get(STORAGE))
    check_fixity_of_all()
    assert dict(Blob.objects.values_list("pk", "fixity")) == {
        good.current_version.blob.pk: "ok",
        blob.pk: "changed",
    }
    said = text(desk.get(STORAGE))
    assert "That is done." in said and "1 is not as stored" in said
    assert fixity.left() == 0 and fixity.work_on() is False


def test_only_one_worker_reads_what_somebody_asked_for(space: EmbeddingSpace) -> None:
    asset("red")
    fixity.ask_for_all()
    cache.set(fixity.AT_WORK, 1, 60)
    assert fixity.work_on() is False and fixity.left() == 1
    cache.delete(fixity.AT_WORK)
    assert fixity.work_on(sleep=lambda _: None) is False and fixity.left() == 0


def test_files_that_belong_to_no_picture_are_counted(desk: Client) -> None:
    asset("red")
    left_over = Path(storage.originals().path("ab/cd/" + "abcd" * 16))
    left_over.parent.mkdir(parents=True)
    for path in (left_over, left_over.with_name("notes.txt")):
        path.write_bytes(b"12345")
        os.utime(path, (time.time() - 3 * 86_400,) * 2)
    assert "A worker is looking" in text(desk.post(STORAGE, {"check": "orphans"}, follow=True))
    find_orphans()
    found = surveyed()
    assert found is not None and (found.number, found.foreign, found.bytes) == (1, 1, 10)
    said = text(desk.get(STORAGE))
    assert "1 file of ours is left over" in said and "1 file has a name that we do not give" in said
    assert left_over.exists()


def test_who_may_only_look_begins_nothing(looker: Client) -> None:
    asset("red")
    assert "Read all originals now" not in text(looker.get(STORAGE))
    assert "begin nothing" in text(looker.post(STORAGE, {"check": "originals"}, follow=True))
    assert fixity.asked() is None
    assert looker.post(ENCODERS, {"encoder": "test"}).status_code == 403
    assert "Test it" not in text(looker.get(ENCODERS))


def test_it_is_for_staff(browser: Client) -> None:
    for address in (STORAGE, ENCODERS):
        assert "/admin/login/" in browser.get(address)["Location"]


# --- encoders -------------------------------------------------------------------------------------------


def test_encoders_are_listed_and_tested(desk: Client) -> None:
    said = text(desk.get(ENCODERS))
    assert "test ready" in said and "in use" in said and "next ready" in said
    said = text(desk.post(ENCODERS, {"encoder": "test"}, follow=True))
    assert "Test answers: a sentence took" in said and "numbers" in said
    assert "There is no encoder “magic”" in text(desk.post(ENCODERS, {"encoder": "magic"}, follow=True))


def test_an_encoder_without_its_settings_says_what_is_missing(desk: Client, settings: Any) -> None:
    settings.ENCODERS = {**settings.ENCODERS, "azure": {"kind": "azure", "url": "", "key": ""}}
    said = text(desk.get(ENCODERS))
    assert "azure not usable yet" in said
    assert "Azure does not answer" in text(desk.post(ENCODERS, {"encoder": "azure"}, follow=True))


# --- people ---------------------------------------------------------------------------------------------


def test_accounts_are_switched_off_and_on_and_not_deleted(desk: Client, admin: User, viewer: User) -> None:
    users = "accounts_user"
    User.objects.filter(pk=viewer.pk).update(last_login=timezone.now())
    said = act(desk, users, "switch_off", admin, viewer)
    assert "1 account was changed." in said and "cannot switch off your own account" in said
    assert set(User.objects.filter(is_active=False)) == {viewer}
    act(desk, users, "switch_on", viewer)
    assert not User.objects.filter(is_active=False).exists()
    page = reverse("admin:accounts_user_delete", args=[viewer.pk])
    assert desk.post(page, {"post": "yes"}).status_code == 403
    never = User.objects.create_user("mistyped")
    assert (
        desk.post(reverse("admin:accounts_user_delete", args=[never.pk]), {"post": "yes"}).status_code == 302
    )


def test_who_is_no_administrator_changes_no_administrator(viewer: User, admin: User, client: Client) -> None:
    User.objects.filter(pk=viewer.pk).update(is_staff=True)
    codenames = ["view_user", "change_user"]
    viewer.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(viewer)
    assert "0 accounts were changed." in act(client, "accounts_user", "switch_off", admin)
    assert User.objects.get(pk=admin.pk).is_active


def test_people_are_listed_in_a_fixed_number_of_queries(desk: Client, viewer: User) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(reverse("admin:accounts_user_changelist"), {"q": "e"}).status_code == 200
        return len(captured)

    group = Group.objects.create(name="Volunteers")
    viewer.groups.add(group)
    before = count()
    for name in ("eva", "emil", "else"):
        User.objects.create_user(name).groups.add(group)
    assert count() <= before + 1
    ApiToken.objects.issue(viewer, "a script")
    assert "1 token was taken back." in act(desk, "accounts_user", "take_tokens", viewer)
    assert not ApiToken.objects.exists()


# --- work -----------------------------------------------------------------------------------------------


def test_waiting_steps_are_cancelled(desk: Client) -> None:
    asset("red")
    waiting = StageRun.objects.get(stage="make_renditions")
    assert "Steps cancelled: 1 picture." in act(desk, "assets_stagerun", "cancel", waiting)
    waiting.refresh_from_db()
    assert waiting.state == "failed" and "Cancelled by curator" in waiting.reason


def test_imports_are_paused_continued_and_cancelled(desk: Client) -> None:
    running, done = (
        Import.objects.create(batch=Batch.objects.create(source=f"{state}.csv"), state=state)
        for state in ("running", "done")
    )
    said = act(desk, "assets_import", "pause", running, done)
    assert "1 import: paused." in said and "1 import could not be" in said
    assert [Import.objects.get(pk=one.pk).state for one in (running, done)] == ["paused", "done"]
    act(desk, "assets_import", "go_on", running)
    assert Import.objects.get(pk=running.pk).state == "running"
    act(desk, "assets_import", "cancel", running)
    assert Import.objects.get(pk=running.pk).state == "cancelled"
    assert running.get_absolute_url() in desk.get(reverse("admin:assets_import_changelist")).content.decode()


def test_the_first_page_leads_to_all_of_it(desk: Client, looker: Client) -> None:
    for ours in (desk, looker):
        page = ours.get("/admin/").content.decode()
        for address in (
            STORAGE,
            ENCODERS,
            "/admin/health/",
            "/admin/assets/import/",
            "/admin/accounts/user/",
        ):
            assert f'href="{address}"' in page
