"""Imports: what a check foresees is what happens, a stopped one goes on, and all of it can be taken back."""

import io
import json
import time
import zipfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as with_settings
from hypothesis import strategies as st
from openpyxl import Workbook

from accounts.models import User
from assets import changes, storage
from assets.backends import FULL
from assets.claims import Claim
from assets.imports import mapping, running, starting, undoing
from assets.imports.files import Files
from assets.imports.mapping import Column, Columns
from assets.imports.progress import progress_of
from assets.imports.rehearsal import rehearse
from assets.models import (
    Asset,
    Batch,
    Collection,
    FieldDefinition,
    Import,
    ImportRow,
    Operation,
    Record,
    Term,
)
from tests.factories import picture, take_in
from tests.often import often

HEAD = "file,accession,title,creator,tags,collection"
State, Result = Import.State, ImportRow.Result


def zipped(path: Path, files: Mapping[str, bytes | str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def begun(files: Mapping[str, bytes | str], user: User | None, folder: Path, **options: Any) -> Import:
    """An import of an archive, checked, with the columns as they were guessed."""
    settings_folder = folder / "imports"
    place = zipped(settings_folder / "0 delivery.zip", files)
    delivery = starting.begin(user, "delivery.zip", place=str(place), options=options)
    if delivery.state == State.MAPPING:
        starting.choose(delivery, Columns.of(delivery.mapping), {})
    work(delivery)
    return delivery


def work(delivery: Import) -> None:
    while running.step(delivery.pk):
        pass
    delivery.refresh_from_db()


def go(delivery: Import) -> None:
    assert running.begin(delivery, State.RUNNING, [State.PLANNED]), delivery.problem
    work(delivery)


def plans(delivery: Import) -> list[str]:
    return list(delivery.rows.order_by("number").values_list("plan", flat=True))


def outcomes(delivery: Import) -> list[str]:
    return list(delivery.rows.order_by("number").values_list("outcome", flat=True))


def table(*lines: str, head: str = HEAD) -> str:
    return "\n".join([head, *lines]) + "\n"


# --- the check is what happens -----------------------------------------------------------------------


@pytest.mark.django_db
def test_a_row_says_what_will_happen_and_that_happens(tmp_path: Path, admin: User) -> None:
    here, again = picture(), picture()
    take_in(here, words={"accession": "5", "title": "Old"}, user=admin)
    take_in(again, user=admin)
    record = Record.objects.create(accession_number="7", accession_key="7")
    place = Asset.objects.create(collection=Collection.objects.named("Unsorted"))
    changes.depict(changes.operation("import", "place"), place, record)
    files = {
        "in/a.jpg": picture(),
        "in/b.jpg": here,
        "in/c.jpg": again,
        "in/d.jpg": picture(),
        "in/e.jpg": b"no picture",
        "in/unnamed.jpg": picture(),
        "in/list.csv": table(
            "a.jpg,1,First,Anna Ancher; P. S. Krøyer,sea,Skagen",
            "b.jpg,5,New,,,",
            "c.jpg,,,,,",
            "d.jpg,7,,,,",
            "e.jpg,8,,,,",
            "gone.jpg,9,,,,",
            ",10,An object,,,",
            ",,Nothing,,,",
            "a.jpg,1,Another,,,",
            ",1,Other words,,,",
        ),
    }
    delivery = begun(files, admin, tmp_path)
    assert delivery.state == State.PLANNED and Asset.objects.count() == 3  # nothing is written
    expected = ["new", "changed", "same", "filled"] + ["refused"] * 2 + ["object"] + ["refused"] * 3 + ["new"]
    assert plans(delivery) == expected
    rows = {row.number: row for row in delivery.rows.all()}
    assert rows[3].differences == [["Title", "Old", "New"]]
    reasons = {number: row.reason for number, row in rows.items() if row.plan == Result.REFUSED}
    assert "not recognised" in reasons[6] or "picture" in reasons[6]
    assert reasons[7] == "The file gone.jpg is not there."
    assert "neither a file nor an accession number" in reasons[9]
    assert reasons[10] == "Row 2 names this file too, and says something else."
    assert reasons[11] == "Row 2 has the accession number 1 too, and says something else."
    assert "No row" in rows[12].note
    go(delivery)
    assert delivery.state == State.DONE and outcomes(delivery) == expected
    first = Record.objects.get(accession_key="1")
    assert (first.title, first.creators) == ("First", ["Anna Ancher", "P. S. Krøyer"])
    assert rows[2].delivery.rows.get(number=2).asset.collection.name == "Skagen"
    progress = progress_of(delivery)
    assert (progress.total, progress.done, progress.problems) == (11, 11, 5)
    place.refresh_from_db()
    assert not place.is_awaited


@pytest.mark.django_db
def test_what_a_spreadsheet_did_is_said_and_dates_without_a_year(tmp_path: Path, admin: User) -> None:
    book = Workbook()
    sheet: Any = book.active
    for line in (["Inv. No.", "Title", "Dated"], [1923.1, "A", "unknown"], ["1923.10", "B", "c. 1900"]):
        sheet.append(line)
    path = tmp_path / "imports" / "0 list.xlsx"
    book.save(path)
    delivery = starting.begin(admin, "list.xlsx", table=str(path), options={"objects": True})
    starting.choose(delivery, Columns.of(delivery.mapping), {})
    work(delivery)
    first, second = delivery.rows.all()
    assert "keeps the accession number as the number 1923.1" in first.note and not second.note
    assert "No year is found in the date “unknown”" in first.reason
    assert (first.plan, second.plan, progress_of(delivery).notes) == ("object", "object", 1)


@pytest.mark.django_db
def test_own_fields_places_and_constants(tmp_path: Path, admin: User) -> None:
    FieldDefinition.objects.create(slug="height", name="Height in cm", type="number")
    text = table("1,Paris; Rome,12.5", "2,,high", head="accession,place,Height in cm")
    delivery = begun({"list.csv": text}, admin, tmp_path, objects=True)
    rows = delivery.rows.all()
    assert [row.plan for row in rows] == ["object", "refused"]
    assert rows[1].reason == "Height in cm: “high” is no number."
    go(delivery)
    record = Record.objects.get()
    assert record.fields == {"height": {"": 12.5}} and record.labels("places") == ["Paris", "Rome"]
    columns = Columns(Columns.of(delivery.mapping).columns, {"title": "All the same"})
    again = begun({"list.csv": text}, admin, tmp_path, objects=True)
    starting.choose(again, columns, {})
    work(again)
    assert again.rows.get(number=2).differences == [["Title", "", "All the same"]]
    go(again)
    record.refresh_from_db()
    assert (record.title, record.fields) == ("All the same", {"height": {"": 12.5}})


@pytest.mark.django_db
def test_the_columns_are_remembered_for_the_same_headers(tmp_path: Path, admin: User, viewer: User) -> None:
    text = table("1,Sea", head="Sig.,Was")
    place = str(zipped(tmp_path / "imports" / "a.zip", {"list.csv": text}))
    delivery = starting.begin(admin, "a", place=place)
    guessed = Columns.of(delivery.mapping)
    assert [column.target for column in guessed.columns] == ["", ""]
    with pytest.raises(mapping.MappingRefused, match="which file or which object"):
        starting.choose(delivery, guessed, {})
    chosen = Columns([Column("Sig.", "accession"), Column("Was", "tags", "/")])
    starting.choose(delivery, chosen, {})
    assert Columns.of(starting.begin(admin, "b", place=place).mapping) == chosen
    assert Columns.of(starting.begin(viewer, "c", place=place).mapping) == guessed
    twice = Columns([Column("Sig.", "accession"), Column("Was", "accession")])
    with pytest.raises(mapping.MappingRefused, match="both be the Accession number"):
        starting.choose(delivery, twice, {})


# --- nothing hidden is told --------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_check_tells_nothing_of_what_the_person_may_not_see(
    tmp_path: Path, admin: User, viewer: User
) -> None:
    content = picture()
    hidden = take_in(content, words={"accession": "5", "title": "Secret"}, user=admin).asset
    Asset.objects.filter(pk=hidden.pk if hidden else 0).update(access="restricted")
    files = {"a.jpg": content, "list.csv": table("a.jpg,,Mine,,,", ",5,Guess,,,")}
    delivery = begun(files, viewer, tmp_path)
    same, guess = delivery.rows.all()
    assert (same.plan, same.asset, same.differences) == ("new", None, [])
    assert (guess.plan, guess.record, guess.differences) == ("refused", None, [])
    assert "Secret" not in f"{same.reason} {guess.reason}"
    go(delivery)
    assert outcomes(delivery) == ["new", "refused"]
    assert Record.objects.get(accession_key="5").title == "Secret"
    told = begun(files, admin, tmp_path)
    assert told.rows.get(number=3).differences == [["Title", "Secret", "Guess"]]


@pytest.mark.django_db
def test_a_row_speaks_of_the_first_picture_that_the_person_may_see(
    tmp_path: Path, admin: User, viewer: User
) -> None:
    hidden, seen = (take_in(picture(), words={"accession": "5"}, user=admin).asset for _ in range(2))
    assert hidden is not None and seen is not None
    Asset.objects.filter(pk=hidden.pk).update(access="restricted")
    changes.apply(changes.operation("edit", "tag"), [hidden], {"add_terms": {"tags": ["secret"]}})
    delivery = begun({"list.csv": table(",5,,,mine,Prints")}, viewer, tmp_path)
    row = delivery.rows.get()
    assert row.asset == seen and "secret" not in str(row.differences) and len(row.differences) == 2
    go(delivery)
    row.refresh_from_db()
    assert row.outcome == "changed" and row.asset == seen
    homes = dict(Asset.objects.values_list("pk", "collection__name"))
    assert homes == {hidden.pk: "Unsorted", seen.pk: "Prints"}
    assert Asset.objects.get(pk=hidden.pk).tags == ["secret"] and Asset.objects.get(pk=seen.pk).tags == [
        "mine"
    ]


# --- stopping and going on ---------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_step_that_was_killed_is_done_again_and_nothing_twice(
    tmp_path: Path, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = begun({"a.jpg": picture(), "b.jpg": picture()}, admin, tmp_path)
    done = ImportRow.save

    class Killed(BaseException):
        """As a worker that is gone: nothing catches it, nothing is put in order."""

    def killed(self: ImportRow, **kwargs: Any) -> None:
        raise Killed

    running.begin(delivery, State.RUNNING, [State.PLANNED])
    monkeypatch.setattr(ImportRow, "save", killed)
    with pytest.raises(Killed):
        running.step(delivery.pk)
    monkeypatch.setattr(ImportRow, "save", done)
    assert Asset.objects.count() == 1 and outcomes(delivery) == ["", ""]
    assert not running.step(delivery.pk) and outcomes(delivery) == ["", ""]  # the lease still holds
    Import.objects.update(lease_until=timezone.now())
    work(delivery)
    assert outcomes(delivery) == ["new", "new"] and Asset.objects.count() == 2


@pytest.mark.django_db
def test_going_on_takes_nothing_from_the_worker_who_is_at_it(tmp_path: Path, admin: User) -> None:
    delivery = begun({"a.jpg": picture()}, admin, tmp_path)
    running.begin(delivery, State.RUNNING, [State.PLANNED])
    claim = Claim.of(Import.objects.all(), delivery.pk)
    assert claim is not None
    running.stop(delivery, State.PAUSED)
    assert running.begin(delivery, State.RUNNING, [State.PAUSED])
    assert Claim.of(Import.objects.all(), delivery.pk) is None and claim.renew()
    claim.release()
    work(delivery)
    assert delivery.state == State.DONE and outcomes(delivery) == ["new"]


@pytest.mark.django_db
def test_what_kills_every_worker_stops_in_the_end(tmp_path: Path, admin: User) -> None:
    delivery = begun({"a.jpg": picture()}, admin, tmp_path)
    running.begin(delivery, State.RUNNING, [State.PLANNED])
    Import.objects.update(attempts=running.MOST_ATTEMPTS)
    work(delivery)
    assert delivery.state == State.PAUSED and "died over this" in delivery.problem
    assert running.begin(delivery, State.RUNNING, [State.PAUSED])
    work(delivery)
    assert delivery.state == State.DONE


@pytest.mark.django_db
def test_pausing_cancelling_and_waiting_for_the_pictures_before(
    tmp_path: Path, admin: User, settings: Any
) -> None:
    delivery = begun({"a.jpg": picture(), "b.jpg": picture()}, admin, tmp_path)
    running.begin(delivery, State.RUNNING, [State.PLANNED])
    assert running.step(delivery.pk, seconds=0) and outcomes(delivery) == ["new", ""]
    settings.BACKLOG = 1
    assert not running.step(delivery.pk) and outcomes(delivery) == ["new", ""]
    assert progress_of(Import.objects.get(pk=delivery.pk)).held_back
    settings.BACKLOG = 1000
    assert running.stop(delivery, State.PAUSED) and not running.step(delivery.pk)
    assert running.begin(delivery, State.RUNNING, [State.PAUSED])
    running.stop(delivery, State.CANCELLED)
    work(delivery)
    assert delivery.state == State.CANCELLED and outcomes(delivery) == ["new", ""]


@pytest.mark.django_db
def test_a_place_that_is_gone_is_told_and_may_come_back(tmp_path: Path, admin: User) -> None:
    delivery = begun({"a.jpg": picture()}, admin, tmp_path)
    place = Path(delivery.place)
    content = place.read_bytes()
    place.unlink()
    running.begin(delivery, State.RUNNING, [State.PLANNED])
    work(delivery)
    assert delivery.state == State.PAUSED and "There is no file" in delivery.problem
    place.write_bytes(content)
    running.begin(delivery, State.RUNNING, [State.PAUSED])
    work(delivery)
    assert delivery.state == State.DONE and not delivery.problem


@pytest.mark.django_db
def test_a_full_disk_pauses_an_import_and_costs_no_row(
    tmp_path: Path, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = begun({f"{name}.jpg": picture() for name in "abc"}, admin, tmp_path)
    store, stored = storage.store, []

    def fill_up(*arguments: Any) -> Any:
        stored.append(arguments)
        if len(stored) > 1:
            raise storage.StorageFull(FULL)
        return store(*arguments)

    monkeypatch.setattr(storage, "store", fill_up)
    go(delivery)
    assert (delivery.state, delivery.problem) == (State.PAUSED, FULL) and len(stored) == 2
    assert outcomes(delivery) == ["new", "", ""] and delivery.token is None
    monkeypatch.setattr(storage, "store", store)
    assert running.begin(delivery, State.RUNNING, [State.PAUSED])
    work(delivery)
    assert delivery.state == State.DONE and outcomes(delivery) == ["new"] * 3


@pytest.mark.django_db
def test_a_long_listing_takes_no_time_from_the_rows(
    tmp_path: Path, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = begun({f"{name}.jpg": picture() for name in "abc"}, admin, tmp_path)
    assert running.begin(delivery, State.RUNNING, [State.PLANNED])
    really, late, leases = time.monotonic, [0.0], []

    class Slow(Files):
        def __init__(self, delivery: Import) -> None:
            super().__init__(delivery)
            late[0] += 1000
            Import.objects.update(lease_until=timezone.now(), attempts=2)

    def take_in(*arguments: Any) -> int:
        leases.append(Import.objects.values_list("lease_until", "attempts").get())
        return taken_in(*arguments)

    taken_in = running.writing.take_in
    monkeypatch.setattr(running, "Files", Slow)
    monkeypatch.setattr(running.writing, "take_in", take_in)
    monkeypatch.setattr(time, "monotonic", lambda: really() + late[0])
    assert not running.step(delivery.pk, seconds=500) and outcomes(delivery) == ["new"] * 3
    ((lease, attempts),) = leases
    assert lease > timezone.now() and attempts == 2  # nothing was finished yet


# --- taking it back ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_import_is_taken_back_but_not_what_people_have_done_since(tmp_path: Path, admin: User) -> None:
    before = take_in(picture(), words={"accession": "9", "title": "Before"}).asset
    files = {
        "a.jpg": picture(),
        "b.jpg": picture(),
        "list.csv": table("a.jpg,1,A,,,", "b.jpg,2,B,,,", ",3,C,,,", ",4,D,,,", ",9,After,Anna,,"),
    }
    delivery = begun(files, admin, tmp_path)
    go(delivery)
    for key, title in (("2", "By hand"), ("4", "By hand too")):
        edit = changes.operation("edit", "by hand", user=admin)
        changes.apply(edit, [Record.objects.get(accession_key=key)], {"title": title})
    found = undoing.foreseen(delivery.batch)
    assert (found.pictures, found.places, found.described) == (1, 1, 1)
    assert {asset.display_title for asset in found.edited} == {"By hand", "By hand too"}
    assert running.undo(delivery)
    work(delivery)
    assert delivery.state == State.UNDONE and delivery.options["kept"] >= 2
    live = {record.accession_number: record.title for record in Record.objects.live()}
    assert live == {"2": "By hand", "4": "By hand too", "9": "Before"}
    assert Record.objects.get(accession_key="9").creators == []
    assert Asset.objects.live().count() == 3 and before in Asset.objects.live()
    assert not running.undo(delivery)


@pytest.mark.django_db
def test_a_picture_that_somebody_else_handed_in_too_stays(tmp_path: Path, admin: User, viewer: User) -> None:
    both, own, repeated = picture(), picture(), picture()
    files = {"a.jpg": both, "b.jpg": own, "c.jpg": repeated, "list.csv": table("a.jpg,1,A,,,")}
    delivery = begun(files, admin, tmp_path)
    go(delivery)
    assert take_in(both, user=viewer).outcome == "duplicate"
    batch = Batch.objects.create(source="taken back")
    take_in(repeated, batch=batch)
    Import.objects.create(batch=batch, state=State.UNDONE)
    found = undoing.foreseen(delivery.batch, admin)
    assert (found.pictures, [asset.display_title for asset in found.edited]) == (2, ["A"])
    Asset.objects.filter(pk__in=[asset.pk for asset in found.edited]).update(access="restricted")
    assert undoing.foreseen(delivery.batch, viewer).edited == []  # what is hidden by now is not named
    assert running.undo(delivery, viewer)
    work(delivery)
    assert {op.user for op in Operation.objects.filter(kind="undo")} == {viewer}
    assert [asset.display_title for asset in Asset.objects.live()] == ["A"]
    assert Record.objects.live().get().title == "A"


@pytest.mark.django_db
def test_an_ordinary_upload_is_taken_back_as_a_whole(admin: User) -> None:
    batch = Batch.objects.create(source="upload page", user=admin)
    for _ in range(2):
        take_in(picture(), batch=batch, user=admin)
    other = take_in(picture()).asset
    delivery = undoing.of_batch(batch)
    assert undoing.foreseen(batch).pictures == 2 and running.undo(delivery)
    work(delivery)
    assert list(Asset.objects.live()) == [other]


@pytest.mark.django_db
def test_a_rehearsal_of_the_command_line_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(picture())
    path = tmp_path / "list.csv"
    (tmp_path / "unnamed.jpg").write_bytes(picture())
    path.write_text(table("a.jpg,1,Sea,,new,", "b.jpg,2,Town,,,"))
    lines, counts = rehearse(None, place=str(tmp_path), table=path, options={"tags": ["all"]})
    assert [(number, texts[0], texts[3]) for number, texts in lines][:2] == [
        (2, "a.jpg", "new picture"),
        (3, "b.jpg", "refused"),
    ]
    assert ("new", "new pictures", 2) in counts
    output = io.StringIO()
    call_command("ingest", csv=path, dry_run=True, json=True, stdout=output)
    said = json.loads(output.getvalue())
    assert [row["result"] for row in said["rows"]] == ["new picture", "refused"]  # of what the table names
    assert said["counts"]["new"] == 1
    for alone in ({"records": path}, {"watch": str(tmp_path)}):
        with pytest.raises(CommandError, match="cannot look ahead"):
            call_command("ingest", **alone, settle=0, dry_run=True)
    assert not Import.objects.exists() and not Batch.objects.exists() and not Term.objects.exists()


# --- any table at all --------------------------------------------------------------------------------

NUMBERS = st.sampled_from(["", "1", "2"])
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["", "a.jpg", "b.jpg", "same-as-a.jpg", "gone.jpg"]),
        NUMBERS,
        st.sampled_from(["", "A", "B"]),
        st.sampled_from(["", "x; y"]),
        st.sampled_from(["", "t", "t; u"]),
        st.sampled_from(["", "Prints"]),
    ),
    max_size=5,
)


@cache
def pixels() -> dict[str, bytes]:
    a, b = picture(), picture()
    return {"a.jpg": a, "b.jpg": b, "same-as-a.jpg": a}


@given(before=ROWS, rows=ROWS)
@with_settings(
    max_examples=often(3), derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@pytest.mark.django_db
def test_whatever_the_table_the_check_is_what_happens(
    before: Sequence[Any], rows: Sequence[Any], tmp_path: Path
) -> None:
    with transaction.atomic():
        for lines in (before, rows):
            text = table(*(",".join(line) for line in lines))
            delivery = begun({**pixels(), "list.csv": text}, None, tmp_path)
            foreseen = plans(delivery)
            go(delivery)
            told = [(r.number, r.words, r.plan, r.outcome, r.reason) for r in delivery.rows.all()]
            assert outcomes(delivery) == foreseen, told
        again = starting.repeat(delivery, None)
        work(again)
        go(again)
        told = [(r.number, r.words, r.plan, r.outcome, r.differences) for r in again.rows.all()]
        assert set(outcomes(again)) <= {Result.SAME, Result.REFUSED}, told
        transaction.set_rollback(True)
