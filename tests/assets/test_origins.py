"""Repeating an import: what is known is not read again, what has changed is said. And watched folders."""

import json
import os
import threading
import time
import zipfile
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from accounts.models import User
from assets import changes, purging, sources, storage, watching
from assets.ingest import Outcome
from assets.models import Asset, Batch, BatchItem, Blob, Operation, Origin, Record, WatchedFolder
from assets.origins import Order, take
from assets.sources import Item, Source, SourceError
from assets.watching import Watch
from tests.assets.test_importing import folder, ingest, table
from tests.assets.web import serving
from tests.factories import picture

pytestmark = pytest.mark.django_db


def take_all(source: Source, **options: Any) -> list[Outcome]:
    order = Order(Batch.objects.create(source=source.label), **options)
    return [take(source.identity, item, order) for item in source.items()]


def opened(root: Path) -> Source:
    return sources.opened(str(root))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the files that were read from end to end."""
    found: list[int] = []
    really = storage.spooled

    def spooled(source: Any) -> Any:
        context = really(source)

        class Noted:
            def __enter__(self) -> storage.Spooled:
                spool = context.__enter__()
                found.append(spool.size)
                return spool

            def __exit__(self, *error: Any) -> Any:
                return context.__exit__(*error)

        return Noted()

    monkeypatch.setattr(storage, "spooled", spooled)
    return found


def test_a_known_file_is_not_read_again_and_is_still_described(tmp_path: Path, reads: list[int]) -> None:
    root = folder(tmp_path, "a.jpg", "b.jpg")
    assert [o.outcome for o in take_all(opened(root))] == ["accepted", "accepted"] and len(reads) == 2
    again = take_all(opened(root), tags=["new"])
    assert [(o.outcome, o.changed) for o in again] == [("duplicate", True)] * 2 and len(reads) == 2
    assert Asset.objects.count() == 2 and all(a.tags == ["new"] for a in Asset.objects.all())
    os.utime(root / "a.jpg", (1, 1))
    assert [o.outcome for o in take_all(opened(root))] == ["duplicate"] * 2 and len(reads) == 3
    take_all(opened(root))
    assert len(reads) == 3 and Origin.objects.count() == 2


def test_other_bytes_in_the_same_place(tmp_path: Path) -> None:
    root = folder(tmp_path, "a.jpg")
    (first,) = take_all(opened(root))
    (root / "a.jpg").write_bytes(picture("blue", (400, 300)))
    (second,) = take_all(opened(root))
    assert second.outcome == "accepted" and second.asset != first.asset and "beside it" in second.reason
    assert BatchItem.objects.last().reason == second.reason  # type: ignore[union-attr]
    (root / "a.jpg").write_bytes(picture("green", (500, 300)))
    (third,) = take_all(opened(root), replace=True)
    assert third.outcome == "accepted" and third.asset == second.asset and third.reason == ""
    found = Asset.objects.get(pk=third.asset.pk)  # type: ignore[union-attr]
    assert found.current_version is not None and found.current_version.width == 500
    assert [v.number for v in found.versions.order_by("number")] == [1, 2]
    changes.undo(Operation.objects.order_by("pk").last(), None)  # type: ignore[arg-type]
    found.refresh_from_db()
    assert found.current_version.number == 1


def test_the_same_bytes_elsewhere_are_a_duplicate_and_known_from_there(
    tmp_path: Path, reads: list[int]
) -> None:
    root = folder(tmp_path, "a.jpg")
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.write(root / "a.jpg", "deep/other.jpg")
        made.writestr("letter.jpg", "Dear Sir")
    take_all(opened(root))
    letter = {o.file: o for o in take_all(opened(path))}
    assert letter["other.jpg"].outcome == "duplicate" and letter["letter.jpg"].outcome == "rejected"
    take_all(opened(path))
    assert len(reads) == 4  # the letter twice: somebody may have allowed its kind
    assert Asset.objects.count() == 1 and Origin.objects.filter(asset=Asset.objects.get()).count() == 2


def test_what_was_trashed_or_cannot_be_seen_comes_anew_when_somebody_asks(
    tmp_path: Path, viewer: User, admin: User
) -> None:
    root = folder(tmp_path, "a.jpg")
    (first,) = take_all(opened(root), user=admin)
    Asset.objects.update(access="restricted")
    (mine,) = take_all(opened(root), user=viewer)
    assert mine.outcome == "accepted" and mine.asset != first.asset and mine.reason == ""
    changes.trash([mine.asset], viewer)  # type: ignore[list-item]
    (again,) = take_all(opened(root), user=viewer)
    assert again.outcome == "accepted" and Blob.objects.count() == 1


def test_a_server_that_cannot_say_whether_a_file_changed_is_not_asked_again(
    settings: Any, reads: list[int]
) -> None:
    settings.IMPORT_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    with serving() as web:
        web.pages |= {"/plain.jpg": picture(), "/tagged.jpg": lambda r: r.answer(200, tagged, ETag='"1"')}
        tagged = picture()
        for path, asked in (("/plain.jpg", 1), ("/tagged.jpg", 2)):
            for outcome in ("accepted", "duplicate"):
                assert [o.outcome for o in take_all(sources.opened(web.url(path)))] == [outcome]
            assert sum(p == path for p, _ in web.asked) == asked
        assert len(reads) == 2
        take_all(sources.opened(web.url("/plain.jpg")), replace=True)
        assert len(reads) == 3


def test_the_words_of_a_manifest_and_of_a_table(settings: Any, tmp_path: Path) -> None:
    """The accession number links both pages to one record; the table goes before the manifest."""
    settings.IMPORT_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    with serving() as web:
        pages = [
            {"@type": "sc:Canvas", "label": side, "images": [
                {"resource": {"@type": "dctypes:Image", "@id": web.url(f"/{side}.jpg")}}
            ]}
            for side in ("recto", "verso")
        ]  # fmt: skip
        found = {"@type": "sc:Manifest", "label": "Boats", "sequences": [{"canvases": pages}]}
        found["metadata"] = [{"label": "Inventory number", "value": "1942.51"}]
        web.pages |= {
            "/manifest.json": json.dumps(found).encode(),
            "/recto.jpg": picture(),
            "/verso.jpg": picture(),
        }
        csv = table(tmp_path / "t.csv", "file,title,medium", "recto.jpg,Ships,oil")
        report = ingest(web.url("/manifest.json"), "--csv", csv)
    assert (report["accepted"], report["rejected"]) == (2, [])
    record = Record.objects.get()
    assert (record.accession_number, record.medium, record.depictions.count()) == ("1942.51", "oil", 2)


def test_a_table_may_name_addresses(settings: Any, tmp_path: Path) -> None:
    settings.IMPORT_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    root = folder(tmp_path, "b.jpg")
    with serving() as web:
        web.pages["/a.jpg?x=1"] = picture()
        lines = [
            f"{web.url('/a.jpg?x=1')},A",
            "b.jpg,B",
            f"{web.url('/gone.jpg')},C",
            "http://me:pw@x/y.jpg,D",
        ]
        report = ingest("--csv", table(root / "t.csv", "file,title", *lines))
    assert report["accepted"] == 2 and {a.title for a in Asset.objects.all()} == {"A", "B"}
    assert sorted(row["file"].rpartition("/")[2] for row in report["rejected"]) == ["gone.jpg", "y.jpg"]
    assert "pw" not in str(report)


def test_the_command_takes_archives_and_lists_and_says_what_cannot_be_had(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("浮世絵.jpg", picture())
        made.writestr("../../etc/passwd", picture())
    first, again = ingest(path), ingest(path)
    assert (first["accepted"], again["accepted"], again["duplicates"]) == (1, 0, 1)
    assert "leads out" in first["rejected"][0]["reason"]
    (tmp_path / "broken.zip").write_bytes(b"PK")
    with pytest.raises(Exception, match="no zip archive"):
        ingest(tmp_path / "broken.zip")


def test_ctrl_c_ends_between_files_and_a_repetition_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = folder(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    really, left = storage.store, [2]

    def store(*arguments: Any) -> Blob:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return really(*arguments)

    monkeypatch.setattr(storage, "store", store)
    said = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("ingest", str(root), stderr=said)
    assert stopped.value.code == 130 and "Stopped after 2 accepted" in said.getvalue()
    monkeypatch.setattr(storage, "store", really)
    report = ingest(root)
    assert (report["accepted"], report["duplicates"]) == (1, 2) and Asset.objects.count() == 3


def settled(root: Path, **options: Any) -> Watch:
    return Watch(str(root), settle=0, **options)


def test_a_watched_folder_takes_in_what_is_new_and_says_bad_files_once(tmp_path: Path) -> None:
    root = folder(tmp_path, "a.jpg")
    (root / "letter.jpg").write_text("Dear Sir")
    (root / "out.jpg").symlink_to("/etc/passwd")
    files = sorted(path.name for path in root.iterdir())
    assert watching.look(settled(root, collection="Scans / New", tags=("scan",))) == 3
    assert watching.look(settled(root)) == 0 and Batch.objects.count() == 1
    found = Asset.objects.get()
    assert (found.collection.name, found.tags) == ("New", ["scan"])
    assert sorted(BatchItem.objects.values_list("outcome", flat=True)) == ["accepted", "rejected", "rejected"]
    changes.trash([found], None)
    assert watching.look(settled(root)) == 0
    assert purging.purge([found.pk], None) == 1 and watching.look(settled(root)) == 0
    (root / "letter.jpg").write_bytes(picture("blue"))
    assert watching.look(settled(root)) == 1 and Asset.objects.live().count() == 1
    assert sorted(path.name for path in root.iterdir()) == files


def test_the_command_watches_until_ctrl_c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folder(tmp_path, "a.jpg")

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupt)
    said = StringIO()
    call_command("ingest", "--watch", str(root), "--settle", "0", "--tag", "scan", stdout=said)
    assert "a.jpg: accepted" in said.getvalue() and said.getvalue().endswith("Stopped.\n")
    assert Asset.objects.get().tags == ["scan"]
    with pytest.raises(CommandError, match="no file or folder"):
        call_command("ingest", "--watch", str(tmp_path / "gone"))
    with pytest.raises(CommandError, match="stands by itself"):
        call_command("ingest", str(root), "--watch", str(root))


def test_a_file_that_is_still_written_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folder(tmp_path, "a.jpg")
    os.utime(root / "a.jpg", (1, 1))  # as copying with the old times does
    assert watching.look(Watch(str(root), settle=30)) == 0
    really = time.time
    monkeypatch.setattr(time, "time", lambda: really() + 31)
    assert watching.look(Watch(str(root), settle=30)) == 1


def test_one_look_is_bounded_and_the_next_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folder(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    monkeypatch.setattr(watching, "AT_ONCE", 2)
    assert [watching.look(settled(root)) for _ in range(3)] == [2, 1, 0]


def test_one_bad_file_keeps_no_other_from_coming_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{name}.jpg" for name in "abcdefg"]
    root, really, tried = folder(tmp_path, *names), watching.take, []

    def some_fail(source: str, item: Item, order: Order) -> Outcome:
        tried.append(item.path)
        if item.path in bad:
            return Outcome(BatchItem.Outcome.REJECTED, item.path, reason="It broke.", passing=True)
        return really(source, item, order)

    monkeypatch.setattr(watching, "take", some_fail)
    bad = {"a.jpg", "c.jpg", "d.jpg", "e.jpg"}
    with pytest.raises(SourceError, match=r"a.jpg: It broke."):
        watching.look(settled(root))
    assert tried == names[:5] and Asset.objects.count() == 1
    bad = {"d.jpg"}
    with pytest.raises(SourceError, match=r"d.jpg: It broke."):
        watching.look(settled(root))
    assert Asset.objects.count() == 6


def test_trouble_is_kept_with_the_folder_which_waits_ever_longer(tmp_path: Path) -> None:
    row = WatchedFolder.objects.create(folder=str(tmp_path / "gone"), settle_seconds=0)
    WatchedFolder.objects.create(folder=str(folder(tmp_path, "a.jpg")), settle_seconds=0, tags="one; two")
    assert watching.look_at_all() == 1 and Asset.objects.get().tags == ["one", "two"]
    pauses = []
    for _ in range(3):
        row.refresh_from_db()
        assert "no file or folder" in row.trouble
        pauses.append((row.pause_until - row.looked_at).total_seconds())  # type: ignore[operator]
        watching.look_at_all()  # does nothing before the pause is over
        row.refresh_from_db()
        past = row.pause_until - row.looked_at  # type: ignore[operator]
        WatchedFolder.objects.filter(pk=row.pk).update(
            looked_at=row.looked_at - 2 * past,
            pause_until=row.pause_until - 2 * past,  # type: ignore[operator]
        )
        watching.look_at_all()
    assert pauses == pytest.approx([60, 120, 240], abs=5)


def test_a_folder_waits_while_its_person_may_put_nothing_there(tmp_path: Path) -> None:
    left = User.objects.create_user("left", is_active=False)
    row = WatchedFolder.objects.create(folder=str(folder(tmp_path, "a.jpg")), settle_seconds=0, user=left)
    assert watching.look_at_all() == 0 and not BatchItem.objects.exists()
    row.refresh_from_db()
    assert "left: You may not" in row.trouble
    User.objects.update(is_active=True)
    WatchedFolder.objects.update(pause_until=None)
    assert watching.look_at_all() == 1 and Asset.objects.get().uploaded_by == left


def test_only_administrators_name_folders_of_the_server(client: Client, admin: User, tmp_path: Path) -> None:
    staff = User.objects.create_user("staff", password="a long pass phrase", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(content_type__app_label="assets"))
    address = "/admin/assets/watchedfolder/add/"
    client.force_login(staff)
    assert client.get(address).status_code == 403
    client.force_login(admin)
    (tmp_path / "a.txt").write_text("a")
    for folder_, said in (
        ("relative", "no file or folder"),
        (str(tmp_path / "a.txt"), "whole path of a folder"),
    ):
        page = client.post(address, {"folder": folder_, "settle_seconds": "30", "is_active": "on"})
        assert said in page.content.decode()
    client.post(address, {"folder": f"{tmp_path}/./", "settle_seconds": "30", "is_active": "on"})
    assert WatchedFolder.objects.get().folder == str(tmp_path)
    assert "Not looked at yet." in client.get("/admin/assets/watchedfolder/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_only_one_process_looks_at_a_time(tmp_path: Path, vocabularies: None) -> None:
    root = folder(tmp_path, "a.jpg")
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with watching._alone() as mine:
            assert mine
            held.set()
            done.wait(20)
        connection.close()

    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(20)
    assert watching.look(settled(root)) == 0
    done.set()
    other.join()
    assert watching.look(settled(root)) == 1
