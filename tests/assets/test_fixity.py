"""Reading originals again: what is found, when it is done, and how it is put right."""

import io
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from assets import backends, fixity, orphans, storage
from assets.models import Asset, Blob, Rendition, StageRun, StorageEvent
from tests.factories import asset, picture, process, take_in

pytestmark = pytest.mark.django_db


def file_of(blob: Blob) -> Path:
    return Path(storage.originals().path(blob.storage_name))


def three() -> list[Blob]:
    """Originals that nobody has read for a year."""
    for color in ("red", "green", "blue"):
        take_in(picture(color), f"{color}.jpg")
    Blob.objects.update(checked_at=timezone.now() - timedelta(days=365))
    return list(Blob.objects.order_by("pk"))


def fixity_command(*options: str) -> tuple[dict[str, Any], str]:
    """The report, and why the command failed."""
    out = io.StringIO()
    try:
        call_command("fixity", "--json", *options, stdout=out, stderr=io.StringIO())
    except CommandError as error:
        return json.loads(out.getvalue() or "{}"), str(error)
    return json.loads(out.getvalue()), ""


def test_what_is_missing_changed_or_unreadable_is_found_and_put_back(tmp_path: Path) -> None:
    blobs = three()
    backup = tmp_path / "backup"
    backup.mkdir()
    for number, blob in enumerate(blobs):
        (backup / f"some name {number}.jpg").write_bytes(file_of(blob).read_bytes())
    (backup / "of the same size.jpg").write_bytes(bytes(blobs[0].size))
    missing, changed, unreadable = blobs
    file_of(missing).unlink()
    rot(file_of(changed))
    file_of(unreadable).unlink()
    file_of(unreadable).mkdir()

    report, failed = fixity_command()
    assert report["checked"] == 3 and "--restore" in failed
    assert {p["sha256"]: p["state"] for p in report["problems"]} == {
        missing.sha256: "missing",
        changed.sha256: "changed",
        unreadable.sha256: "unreadable",
    }
    assert report["problems"][0]["files"] == ["red.jpg"]
    assert (report["missing"], report["changed"], report["unreadable"]) == (1, 1, 1)
    assert fixity_command()[0]["checked"] == 0  # all have been read just now
    assert StorageEvent.objects.filter(kind="fixity check").count() == 3
    assert fixity_command("--all")[0]["checked"] == 3
    assert StorageEvent.objects.count() == 3  # nothing new

    file_of(unreadable).rmdir()
    report, failed = fixity_command("--restore", str(backup))
    assert len(report["restored"]) == 3 and report["still_bad"] == 0 and not failed
    assert fixity_command("--all") == (
        {"checked": 3, "missing": 0, "changed": 0, "unreadable": 0, "problems": []},
        "",
    )
    assert StorageEvent.objects.filter(kind="recovery").count() == 3


def rot(path: Path) -> None:
    """One bit of it turns over."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


def test_the_command_goes_on_where_it_stopped_and_takes_a_limit() -> None:
    three()
    assert fixity_command("--limit", "2")[0]["checked"] == 2
    assert fixity_command()[0]["checked"] == 1
    began = timezone.now()
    assert fixity_command("--since", began.isoformat(), "--limit", "1")[0]["checked"] == 1
    assert fixity_command("--since", began.isoformat())[0]["checked"] == 2
    assert fixity_command("--since", "2020-01-01")[0]["checked"] == 0
    assert "no day" in fixity_command("--since", "soon")[1]


def test_a_storage_that_is_away_is_no_damage(tmp_path: Path, client: Client, admin: User) -> None:
    three()
    (tmp_path / "originals").rename(tmp_path / "unmounted")
    (tmp_path / "originals").mkdir()
    assert "Is its disk mounted?" in fixity_command()[1]
    assert fixity.work(lambda seconds: None) == 0 and "disk mounted" in fixity.away()
    client.force_login(admin)
    cache.set("health:workers", {"one": ["fill"]}, 60)
    assert "Is its disk mounted?" in client.get(reverse("health")).content.decode()
    assert not fixity.bad().exists() and not StorageEvent.objects.exists()


def test_the_schedule_reads_what_is_due_within_bounds(settings: Any) -> None:
    naps: list[float] = []
    settings.FIXITY_DAYS, settings.FIXITY_HOURS = 90, list(range(24))
    blobs = three()
    for blob, days in zip(blobs, (10, 60, 100), strict=True):
        Blob.objects.filter(pk=blob.pk).update(checked_at=timezone.now() - timedelta(days=days))
    settings.FIXITY_HOURS = []  # at no hour: only what is overdue
    assert fixity.work(naps.append) == 1 and len(naps) == 1
    settings.FIXITY_HOURS = list(range(24))
    assert fixity.work(naps.append) == 1
    assert fixity.work(naps.append) == 0
    assert not Blob.objects.filter(checked_at__lt=timezone.now() - timedelta(days=20)).exists()
    settings.FIXITY_DAYS = 0
    Blob.objects.update(checked_at=None)
    assert fixity.work(naps.append) == 0


def test_a_portion_is_bounded_and_the_oldest_come_first(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FIXITY_DAYS, settings.FIXITY_HOURS = 90, list(range(24))
    blobs = three()
    Blob.objects.filter(pk=blobs[1].pk).update(checked_at=None)
    monkeypatch.setattr(fixity, "LEAST_BYTES", 1)
    assert fixity.work(lambda seconds: None) == 1
    assert Blob.objects.exclude(checked_at=None).filter(pk=blobs[1].pk).exists()
    Blob.objects.filter(pk=blobs[1].pk).update(fixity="changed", checked_at=timezone.now() - timedelta(2))
    assert fixity.work(lambda seconds: None) == 1  # what is bad is looked at every day
    assert Blob.objects.get(pk=blobs[1].pk).fixity == "ok"


# --- previews -------------------------------------------------------------------------------------------


def test_a_preview_that_is_gone_is_made_again_when_somebody_looks(browser: Client) -> None:
    found = asset(done=True)
    names = list(Rendition.objects.values_list("storage_name", flat=True))
    for name in names:
        storage.renditions().delete(name)
    assert browser.get(found.get_absolute_url()).status_code == 200
    assert browser.get(f"{found.get_absolute_url()}v1/small/").status_code == 404
    assert StageRun.objects.get(stage="make_renditions").state != "done"
    process(found)
    assert browser.get(f"{found.get_absolute_url()}v1/small/").status_code == 200
    assert all(storage.renditions().exists(name) for name in names)


def test_a_preview_of_a_missing_original_is_tried_once(browser: Client) -> None:
    found = asset(done=True)
    storage.originals().delete(Blob.objects.get().storage_name)
    for name in Rendition.objects.values_list("storage_name", flat=True):
        storage.renditions().delete(name)
    for _ in range(2):
        assert browser.get(f"{found.get_absolute_url()}v1/small/").status_code == 404
        process(found)
    run = StageRun.objects.get(stage="make_renditions")
    assert run.state == "failed" and "missing from storage" in run.reason and run.attempts == 1


def test_missing_previews_are_found_by_the_command() -> None:
    broken, _ = asset("red", done=True), asset("blue", done=True)
    gone = Rendition.objects.filter(version__asset=broken, name="medium").get()
    storage.renditions().delete(gone.storage_name)
    assert fixity_command("--renditions")[0] == {"missing": 1, "remade": 1}
    process(broken)
    assert fixity_command("--renditions")[0] == {"missing": 0, "remade": 0}


# --- orphans --------------------------------------------------------------------------------------------


def test_files_that_belong_to_no_picture_are_listed_and_removed_when_old(tmp_path: Path) -> None:
    asset(done=True)
    before = {found.name for found in backends.contents(storage.originals())}
    sha256 = "ab" * 32
    lost = [
        ("originals", f"ab/ab/{sha256}"),
        ("originals", "README.txt"),
        ("renditions", "00/00000000-0000-0000-0000-000000000000/v1/small.webp"),
    ]
    for kind, name in lost:
        place = storage.originals() if kind == "originals" else storage.renditions()
        place.save(name, ContentFile(b"12345"))
    assert fixity_command("--orphans")[0]["orphans"] == []  # they may be on their way in
    for kind, name in lost:
        os.utime(tmp_path / kind / name, (0, 0))
    listed = fixity_command("--orphans")[0]
    assert {(one["kind"], one["name"]) for one in listed["orphans"]} == set(lost) and not listed["removed"]
    assert "--yes" in fixity_command("--sweep")[1]
    assert fixity_command("--sweep", "--yes")[0]["removed"] == 2
    assert {found.name for found in backends.contents(storage.originals())} == {*before, "README.txt"}


def test_an_orphan_that_was_claimed_meanwhile_stays() -> None:
    content = picture()
    take_in(content)
    blob = Blob.objects.get()
    assert not orphans.remove(orphans.Orphan("originals", blob.storage_name, blob.size, True))
    assert storage.originals().exists(blob.storage_name)


# --- for administrators ---------------------------------------------------------------------------------


def test_administrators_see_what_is_damaged_and_what_to_do(client: Client, admin: User) -> None:
    blobs = three()
    file_of(blobs[1]).unlink()
    fixity_command()
    client.force_login(admin)
    cache.set("health:workers", {"one": ["fill"]}, 60)  # asking for workers takes a second
    page = client.get(reverse("health")).content.decode()
    assert "1 original is not as stored." in page and "reading=bad" in page
    listed = client.get(f"{reverse('admin:assets_blob_changelist')}?reading=bad").content.decode()
    damaged = Asset.objects.get(current_version__blob=blobs[1])
    assert damaged.get_absolute_url() in listed and "fixity --restore FOLDER" in listed
    assert "red.jpg" not in listed
    events = client.get(reverse("admin:assets_storageevent_changelist")).content.decode()
    assert "There is no file under its name." in events


def test_staff_see_no_names_of_pictures_that_they_may_not_see(client: Client, admin: User) -> None:
    three()
    User.objects.filter(pk=admin.pk).update(is_superuser=False)
    admin.user_permissions.set(Permission.objects.filter(codename="view_blob"))
    Asset.objects.filter(current_version__original_filename="red.jpg").update(access="restricted")
    User.objects.give_role(User.objects.get(pk=admin.pk))
    client.force_login(User.objects.get(pk=admin.pk))
    listed = client.get(reverse("admin:assets_blob_changelist")).content.decode()
    assert "green.jpg" in listed and "red.jpg" not in listed
