"""The pages of imports: four steps, progress, correcting, report, undo; and who may see what."""

import csv
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from assets.imports import running
from assets.models import Asset, Batch, Import, Record
from assets.text import accession_key
from tests.factories import picture, take_in

NEW = "/imports/new/"
TABLE = "Datei;Inv.-Nr.;Titel\na.jpg;1;Sea\nb.jpg;2;Town\n"


def archive(**files: bytes | str) -> SimpleUploadedFile:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content in files.items():
            made.writestr(name, content)
    return SimpleUploadedFile("delivery.zip", buffer.getvalue(), "application/zip")


def work() -> None:
    delivery = Import.objects.latest("pk")
    while running.step(delivery.pk):
        pass


@pytest.fixture
def planned(browser: Client) -> Import:
    """An import of one picture and one row whose file is missing, ready to go."""
    files = {"a.jpg": picture(), "list.csv": TABLE}
    answer = browser.post(NEW, {"pictures": archive(**files), "tags": "new"})
    delivery = Import.objects.get()
    columns = reverse("assets:import_columns", args=[delivery.uid])
    assert answer["Location"] == delivery.get_absolute_url()
    page = browser.get(answer["Location"], follow=True).content.decode()
    assert "Inv.-Nr." in page and "Sea" in page
    chosen = {"target-0": "file", "target-1": "accession", "target-2": "title"}
    answer = browser.post(columns, chosen | {f"split-{n}": ";" for n in range(3)})
    assert answer.status_code == 302, answer.content.decode()
    work()
    delivery.refresh_from_db()
    return delivery


@pytest.mark.django_db
def test_from_the_archive_to_the_report_and_back(browser: Client, planned: Import) -> None:
    address = planned.get_absolute_url()
    page = browser.get(address).content.decode()
    assert "Import now" in page and "The file b.jpg is not there." in page and not Asset.objects.exists()
    page = browser.get(f"{address}?show=refused").content.decode()
    assert "Town" in page and "Sea" not in page
    browser.post(f"{address}start/")
    assert "hx-get" in browser.get(f"{address}progress/", headers={"HX-Request": "true"}).content.decode()
    work()
    answer = browser.get(f"{address}progress/", headers={"HX-Request": "true"})
    assert answer["HX-Refresh"] == "true"
    asset = Asset.objects.get()
    assert (asset.display_title, asset.tags) == ("Sea", ["new"])
    answer = browser.get(f"{address}report.csv")
    lines = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
    assert [line["result"] for line in lines] == ["new picture", "refused"]
    assert lines[0]["address"].endswith(asset.get_absolute_url()) and "not there" in lines[1]["reason"]
    page = browser.get(f"{address}undo/").content.decode()
    assert "1 picture goes to the trash" in " ".join(page.split())
    browser.post(f"{address}undo/")
    work()
    assert not Asset.objects.live().exists() and "Undone" in browser.get(address).content.decode()
    assert browser.post(f"{address}repeat/").status_code == 302 and Import.objects.count() == 2


@pytest.mark.django_db
def test_pictures_without_a_table_have_a_preview(browser: Client) -> None:
    answer = browser.post(NEW, {"pictures": archive(**{"a.jpg": picture(), "b.jpg": b"Dear museum,"})})
    work()
    page = browser.get(answer["Location"]).content.decode()
    assert "Import now" in page and "a.jpg" in page and "b.jpg" in page


@pytest.mark.django_db
def test_a_problem_is_corrected_in_place(browser: Client, planned: Import) -> None:
    address = planned.get_absolute_url()
    browser.post(f"{address}start/")
    work()
    row = f"{address}rows/3/"
    assert "The file b.jpg is not there." in browser.get(row).content.decode()
    browser.post(row, {"file": "", "accession": "2", "title": "Corrected"})
    work()
    planned.refresh_from_db()
    assert planned.state == "done" and planned.rows.get(number=3).outcome == "object"
    assert Record.objects.get(accession_key="2").title == "Corrected"


@pytest.mark.django_db
def test_trying_again_lets_nothing_go_on_that_was_stopped(browser: Client, planned: Import) -> None:
    address = planned.get_absolute_url()
    row = {"file": "", "accession": "2", "title": "Corrected"}
    Import.objects.update(state="paused")
    planned.rows.filter(number=3).update(outcome="refused")
    assert "Try the problems again" in browser.get(address).content.decode()
    browser.post(f"{address}retry/")
    browser.post(f"{address}rows/3/", row)
    planned.refresh_from_db()
    again = planned.rows.get(number=3)
    assert planned.state == "paused" and (again.outcome, again.words["title"]) == ("", "Corrected")
    for state in ("cancelled", "undone"):
        Import.objects.update(state=state)
        planned.rows.filter(number=3).update(outcome="refused")
        page = browser.get(address).content.decode()
        assert "Try the problems again" not in page and "rows/3/" not in page
        browser.post(f"{address}retry/")
        browser.post(f"{address}rows/3/", row | {"title": "Other"})
        planned.refresh_from_db()
        again = planned.rows.get(number=3)
        assert (planned.state, again.outcome, again.words["title"]) == (state, "refused", "Corrected")


@pytest.mark.django_db
def test_correcting_a_row_whose_file_is_elsewhere_changes_its_number(
    browser: Client, planned: Import
) -> None:
    Import.objects.update(place="https://example.org/list.txt")
    row = planned.rows.get(number=3)
    browser.post(f"{planned.get_absolute_url()}rows/3/", {"file": row.file, "accession": "2-B", "title": "T"})
    row.refresh_from_db()
    assert (row.accession_key, row.missing) == (accession_key("2-B"), "The file b.jpg is not there.")


@pytest.mark.django_db
def test_a_report_runs_nothing_in_a_spreadsheet(browser: Client, planned: Import) -> None:
    planned.rows.filter(number=3).update(file="=cmd()", words={"title": "@x"})
    answer: Any = browser.get(f"{planned.get_absolute_url()}report.csv")
    assert "'=cmd()" in b"".join(answer.streaming_content).decode()


@pytest.mark.django_db
def test_an_import_is_its_persons_and_administrators(client: Client, planned: Import, admin: User) -> None:
    other = User.objects.create_user("other", password="x")
    address = planned.get_absolute_url()
    client.force_login(other)
    for end in ("", "columns/", "progress/", "report.csv", "rows/2/", "undo/"):
        assert client.get(address + end).status_code == 404, end
    for end in ("start/", "pause/", "cancel/", "retry/", "repeat/", "undo/"):
        assert client.post(address + end).status_code == 404, end
    assert "delivery.zip" not in client.get("/imports/").content.decode()
    client.force_login(admin)
    assert client.get(address).status_code == 200
    assert "delivery.zip" in client.get("/imports/").content.decode()
    client.logout()
    assert client.get(address).status_code == 302


@pytest.mark.django_db
def test_places_on_the_server_are_for_administrators_below_the_roots(
    client: Client, viewer: User, admin: User, tmp_path: Path, settings: Any
) -> None:
    root = tmp_path / "scans"
    root.mkdir()
    (root / "a.jpg").write_bytes(picture())
    client.force_login(viewer)
    assert "Choose an archive" in client.post(NEW, {"server": str(root)}).content.decode()
    client.force_login(admin)
    assert "may not read" in client.post(NEW, {"server": str(root)}).content.decode()
    settings.IMPORT_ROOTS = [root]
    assert "may not read" in client.post(NEW, {"server": f"{root}/.."}).content.decode()
    assert not Import.objects.exists()
    client.post(NEW, {"server": str(root)})
    work()
    assert [row.plan for row in Import.objects.get().rows.all()] == ["new"]


@pytest.mark.django_db
def test_what_is_no_table_or_archive_says_so(browser: Client) -> None:
    nothing = browser.post(NEW, {}).content.decode()
    assert "Choose an archive with pictures, a table, or both." in nothing
    empty = SimpleUploadedFile("list.csv", b"\n")
    assert "This is a table" in browser.post(NEW, {"pictures": empty}).content.decode()
    binary = SimpleUploadedFile("list.csv", b"\x89PNG\0\0\0\0")
    assert "no table" in browser.post(NEW, {"table": binary}).content.decode()
    assert not Import.objects.exists() and not Batch.objects.exists()


@pytest.mark.django_db
def test_the_list_costs_the_same_for_any_number(browser: Client, planned: Import) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert "1 problem" in browser.get("/imports/").content.decode()
        return len(captured)

    one = queries()
    for _ in range(3):
        browser.post(f"{planned.get_absolute_url()}repeat/")
    assert queries() == one


@pytest.mark.django_db
def test_an_upload_can_be_taken_back_from_the_list(browser: Client, viewer: User) -> None:
    batch = Batch.objects.create(source="upload page", user=viewer)
    take_in(picture(), batch=batch, user=viewer)
    assert "Recent uploads" in browser.get("/imports/").content.decode()
    answer = browser.post(f"/imports/uploads/{batch.uid}/undo/", follow=True)
    assert "Undo this import?" in answer.content.decode()
    browser.post(answer.redirect_chain[-1][0])
    work()
    assert not Asset.objects.live().exists()
