"""Objects that wait for their pictures: imported as a list, shown calmly, and filled when a picture comes."""

import json
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from accounts.models import ApiToken, User
from assets import changes, objects
from assets.models import Asset, Batch, BatchItem, Change, Operation, Record, StageRun
from assets.seen import NOT_HERE
from assets.text import accession_key
from assets.waiting import settled
from search.checking import check
from search.hybrid import HybridQuery
from search.models import Embedding, EmbeddingSpace
from search.query import run
from tests.factories import asset, picture, process, take_in

HEAD = "accession,title,creator,date,tags"


def listed(path: Path, *lines: str, head: str = HEAD) -> Path:
    path.write_text("\n".join([head, *lines]) + "\n", "utf-8")
    return path


def ingest(path: Path, *arguments: str) -> dict[str, Any]:
    output = StringIO()
    call_command("ingest", "--records", str(path), *arguments, "--json", stdout=output, stderr=StringIO())
    report: dict[str, Any] = json.loads(output.getvalue())
    return report


def numbers(report: dict[str, Any]) -> tuple[int, int, int, int]:
    return report["new"], report["updated"], report["unchanged"], report["refused"]


@pytest.fixture
def one(db: None, tmp_path: Path) -> Asset:
    """The place of a single object."""
    ingest(listed(tmp_path / "one.csv", "1942.51,Nighthawks,Edward Hopper,1942,night"))
    return Asset.objects.get()


# --- the list --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_every_line_is_an_object_that_can_be_found(tmp_path: Path, admin: User) -> None:
    lines = ["1.1,Sea,Anna Ancher; P. S. Krøyer,c. 1890,beach; sea", "1.2,Town,,1901,", "1.10,Wood,,,"]
    report = ingest(listed(tmp_path / "o.csv", *lines), "--collection", "Paintings / Skagen", "--tag", "new")
    assert numbers(report) == (3, 0, 0, 0) and report["lines"] == 3
    sea = Record.objects.get(accession_number="1.1")
    assert (sea.year_earliest, sea.year_latest) == (1885, 1895)
    assert sea.creators == ["Anna Ancher", "P. S. Krøyer"]
    place = Asset.objects.get(depictions__record=sea)
    assert place.is_awaited and place.tags == ["new", "beach", "sea"] and place.collection.name == "Skagen"
    assert [
        a.display_title for a in run(HybridQuery(user=admin, text="kroyer beach", mode="keywords")).assets
    ]
    results = run(HybridQuery(user=admin, text="missing:picture date:1888"))
    assert (results.total, results.awaited, results.assets) == (1, 1, [place])
    assert not any(found for _, found in check(repair=False))
    assert Batch.objects.get().summary == "3 lines: 3 new" and not BatchItem.objects.exists()


@pytest.mark.django_db
def test_repeating_a_list_changes_only_what_differs(tmp_path: Path, admin: User) -> None:
    path = listed(tmp_path / "o.csv", "1,Old,A; B,1900,x", "2,Kept,,,")
    ingest(path)
    operations = Operation.objects.count()
    assert numbers(ingest(path)) == (0, 0, 2, 0) and Operation.objects.count() == operations
    record = Record.objects.get(accession_number="2")
    changes.apply(changes.operation("edit", "by hand", user=admin), [record], {"title": "Corrected"})
    listed(path, "1,New,A; C,1900,x; y", "2,Kept,,,", "3,Third,,,")
    assert numbers(ingest(path)) == (1, 1, 1, 0)
    first = Record.objects.get(accession_number="1")
    assert (first.title, first.creators) == ("New", ["A", "C"])
    assert Asset.objects.get(depictions__record=first).tags == ["x", "y"]
    record.refresh_from_db()
    assert record.title == "Corrected"


@pytest.mark.django_db
def test_bad_lines_are_refused_with_their_number_and_a_sentence(tmp_path: Path) -> None:
    long = "x" * 501
    lines = ["1,A,,,", ",Nameless,,,", "1,A,,,", "-1-,B,,,", "/,C,,,", f"2,{long},,,", "", "3,D,,,"]
    report = ingest(listed(tmp_path / "o.csv", *lines))
    assert numbers(report) == (2, 0, 1, 4)
    reasons = {bad["file"]: bad["reason"] for bad in report["rejected"]}
    assert set(reasons) == {f"o.csv, line {n}" for n in (3, 5, 6, 7)}
    assert "no accession number" in reasons["o.csv, line 3"]
    assert "Line 2 has the accession number -1- too" in reasons["o.csv, line 5"]
    assert "cannot be an accession number" in reasons["o.csv, line 6"] and "title" in reasons["o.csv, line 7"]
    kept = BatchItem.objects.filter(outcome="rejected").values_list("file", "reason")
    assert dict(kept) == reasons


@pytest.mark.django_db
def test_a_line_with_a_file_brings_its_picture(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(picture())
    head = "accession;title;file"
    path = listed(tmp_path / "o.csv", "1;With;a.jpg", "2;Without;", "3;Later;b.jpg", head=head)
    report = ingest(path)
    assert numbers(report) == (2, 0, 0, 0) and report["accepted"] == 1
    waiting = Record.objects.filter(depictions__asset__in=Asset.objects.awaited())
    assert set(waiting.values_list("accession_number", flat=True)) == {"2", "3"}
    (tmp_path / "b.jpg").write_bytes(picture())
    report = ingest(path)
    assert (report["accepted"], report["duplicates"]) == (1, 1) and Asset.objects.count() == 3
    assert Record.objects.get(depictions__asset=Asset.objects.awaited().get()).accession_number == "2"


@pytest.mark.django_db
def test_a_record_from_before_gets_a_place_once(tmp_path: Path, admin: User) -> None:
    record = Record.objects.create(accession_number="7", accession_key="7")
    path = listed(tmp_path / "o.csv", "7,Seven,,,")
    assert numbers(ingest(path)) == (0, 1, 0, 0)
    place = Asset.objects.get(depictions__record=record)
    changes.trash([place], admin)
    assert numbers(ingest(path)) == (0, 0, 1, 0) and not Asset.objects.live().exists()


@pytest.mark.django_db
def test_a_portion_is_undone_but_not_what_has_its_picture(tmp_path: Path, admin: User) -> None:
    ingest(listed(tmp_path / "o.csv", "1,A,,,", "2,B,,,"))
    filled = take_in(picture(), words={"accession": "2"}).asset
    changes.undo(Operation.objects.get(kind="import"), admin)
    assert [a.pk for a in Asset.objects.live()] == [filled.pk if filled else None]
    assert [record.title for record in Record.objects.live()] == ["B"]


@pytest.mark.django_db
def test_a_list_that_was_stopped_goes_on_when_it_is_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "AT_ONCE", 2)
    path = listed(tmp_path / "o.csv", *(f"{n},Title {n},,," for n in range(1, 8)))

    def stop(tally: objects.Tally) -> None:
        if tally.lines == 4:
            raise KeyboardInterrupt

    delivery = objects.Delivery(Batch.objects.create(source="test"))
    with pytest.raises(KeyboardInterrupt):
        objects.import_objects(path, delivery, stop)
    assert Record.objects.count() == 4 and Batch.objects.get().summary == "4 lines: 4 new"
    assert numbers(ingest(path)) == (3, 0, 4, 0)
    labels = Operation.objects.order_by("pk").values_list("label", flat=True)
    assert labels[0] == "Imported the objects of o.csv, lines 2 to 3"


@pytest.mark.django_db
def test_a_portion_is_written_by_few_statements(tmp_path: Path, django_assert_max_num_queries: Any) -> None:
    """The number does not depend on the number of lines, but for terms that are new."""
    path = listed(tmp_path / "o.csv", *(f"{n},Title {n},Somebody,1900,thing" for n in range(200)))
    with django_assert_max_num_queries(60):
        ingest(path)
    with django_assert_max_num_queries(25):
        ingest(path)


@pytest.mark.django_db
def test_lists_that_cannot_be_begun(tmp_path: Path) -> None:
    nameless = listed(tmp_path / "o.csv", "A", head="title")
    for arguments, said in (
        (["--records", str(nameless)], "needs a column called accession; it has: title"),
        (["--records", str(tmp_path / "none.csv")], "cannot be read"),
        (["--records", str(nameless), str(tmp_path)], "by itself"),
    ):
        with pytest.raises(CommandError, match=said):
            call_command("ingest", *arguments)


# --- when the picture comes ------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_picture_becomes_the_first_version_of_the_very_asset(one: Asset, viewer: User) -> None:
    outcome = take_in(picture(), "night.jpg", user=viewer, words={"accession": "1942-51"}, tags=["bar"])
    assert outcome.outcome == "accepted" and outcome.asset == one
    one.refresh_from_db()
    version = one.current_version
    assert version is not None and (version.number, version.original_filename) == (1, "night.jpg")
    assert one.tags == ["night", "bar"] and one.uploaded_by == viewer and one.display_title == "Nighthawks"
    assert StageRun.objects.filter(version=version).exists()
    assert not any(found for _, found in check(repair=False))


@pytest.mark.django_db
def test_taking_the_picture_back_and_bringing_it_again(
    one: Asset, admin: User, space: EmbeddingSpace
) -> None:
    outcome, before = take_in(picture("red"), words={"accession": "1942.51"}), one.created_at
    assert outcome.asset == one
    process(Asset.objects.get())
    assert Embedding.objects.filter(asset=one).exists()
    undone = changes.undo(Operation.objects.get(kind="upload"), admin)
    one.refresh_from_db()
    assert one.is_awaited and one.trashed_at is None and one.created_at == before and one.uploaded_by is None
    assert not Embedding.objects.filter(asset=one).exists()
    assert settled([one.pk]) == ({one.pk}, [])
    assert run(HybridQuery(user=admin, text="red", mode="visual")).assets == []
    changes.undo(undone, admin)
    process(Asset.objects.get())
    assert Embedding.objects.filter(asset=one, kind="visual").exists()
    assert [a.pk for a in run(HybridQuery(user=admin, text="red", mode="visual")).assets] == [one.pk]


@pytest.mark.django_db
def test_after_an_undo_another_picture_may_come(one: Asset, admin: User) -> None:
    content = picture()
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        bytes_ = content if name != "b.jpg" else picture()
        assert take_in(bytes_, name, words={"accession": "1942.51"}).asset == one
        changes.undo(Operation.objects.filter(kind="upload").latest("pk"), admin)
    numbers_of = one.versions.order_by("pk").values_list("number", "original_filename")
    assert list(numbers_of) == [(1, "a.jpg"), (2, "b.jpg"), (3, "c.jpg")]


@pytest.mark.django_db
def test_a_place_that_the_uploader_may_not_see_stays_empty(one: Asset, viewer: User) -> None:
    Asset.objects.update(access="restricted")
    outcome = take_in(picture(), user=viewer, words={"accession": "1942.51"})
    assert outcome.asset not in (one, None) and Asset.objects.awaited().get() == one
    assert Record.objects.get().depictions.count() == 1


@pytest.mark.django_db
def test_the_number_of_a_hidden_object_opens_and_changes_nothing(
    one: Asset, viewer: User, admin: User, tmp_path: Path
) -> None:
    Asset.objects.update(access="restricted")
    words, content = {"accession": "1942 51", "title": "Mine", "tags": "own"}, picture()
    for number, kind in enumerate(("accepted", "duplicate")):
        outcome = take_in(content, user=viewer, words=words)
        assert (outcome.outcome, outcome.reason, outcome.refused) == (kind, NOT_HERE, True), number
    found = Asset.objects.get(pk=outcome.asset.pk if outcome.asset else 0)
    assert (found.display_title, found.tags) == ("Mine", ["own"]) and not found.depictions.exists()
    report = ingest(listed(tmp_path / "mine.csv", "1942.51,Mine,,,", "2,New,,,"), "--user", viewer.username)
    assert numbers(report) == (1, 0, 0, 1) and report["rejected"][0]["reason"] == NOT_HERE
    record = Record.objects.get(accession_key=accession_key("1942.51"))
    assert record.title == "Nighthawks" and record.depictions.count() == 1
    seen = take_in(picture(), user=admin, words={"accession": "1942.51", "title": "Theirs"})
    assert seen.asset == one and not seen.refused and Record.objects.get(pk=record.pk).title == "Theirs"


@pytest.mark.django_db
def test_a_picture_that_is_here_already_takes_the_place(one: Asset, admin: User) -> None:
    content = picture()
    here = take_in(content, "here.jpg").asset
    again = take_in(content, words={"accession": "1942.51"})
    assert again.outcome == "duplicate" and again.asset == here and again.changed
    one.refresh_from_db()
    assert one.trashed_at is not None and here is not None
    assert Asset.objects.get(pk=here.pk).display_title == "Nighthawks"
    changes.undo(Operation.objects.filter(kind="import").latest("pk"), admin)
    one.refresh_from_db()
    assert one.trashed_at is None and Asset.objects.get(pk=here.pk).display_title == "here.jpg"


@pytest.mark.django_db(transaction=True)
def test_of_two_pictures_at_the_same_moment_none_is_lost(vocabularies: None, tmp_path: Path) -> None:
    ingest(listed(tmp_path / "o.csv", "5,Five,,,"))
    place = Asset.objects.get()
    contents = [picture(), picture(), picture()]
    batch = Batch.objects.create(source="test")

    def upload(content: bytes) -> int | None:
        try:
            found = take_in(content, batch=batch, words={"accession": "5"}).asset
            return found.pk if found else None
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(upload, contents))
    assert len(set(found)) == 3 and place.pk in found
    assert Record.objects.get().depictions.count() == 3 and not Asset.objects.awaited().exists()
    assert Change.objects.filter(field="current_version").count() == 1


# --- pages -----------------------------------------------------------------------------------------


def page(browser: Client, address: str, status: int = 200) -> str:
    answer = browser.get(address)
    assert answer.status_code == status
    return answer.content.decode()


@pytest.mark.usefixtures("space")
def test_its_page_asks_for_the_picture_and_offers_nothing_that_needs_one(one: Asset, browser: Client) -> None:
    text = page(browser, one.get_absolute_url()).partition("<main")[2]
    assert "Waiting for its picture" in text and "Edward Hopper" in text
    assert "Add the picture" in text and 'enctype="multipart/form-data"' in text
    assert not [
        w
        for w in ("More like this", "Download", "sidecar", "a detail", "Processing", 'hx-trigger="load"')
        if w in text
    ]
    assert "still waits for its picture" in page(browser, f"{one.get_absolute_url()}original/", 404)
    page(browser, f"{one.get_absolute_url()}v1/small/", 404)


@pytest.mark.usefixtures("space")
def test_adding_the_picture_on_the_page(one: Asset, browser: Client) -> None:
    address = f"{one.get_absolute_url()}picture/"
    file = SimpleUploadedFile("night.jpg", picture(), "image/jpeg")
    answer = browser.post(address, {"picture": file}, follow=True)
    one.refresh_from_db()
    text = answer.content.decode()
    assert answer.redirect_chain == [(one.get_absolute_url(), 302)] and not one.is_awaited
    assert "The picture is here." in text and ">Undo<" in text and "night.jpg" in text
    operation = Operation.objects.get(kind="upload")
    browser.post(f"/operations/{operation.uid}/undo/")
    assert Asset.objects.get().is_awaited
    # Two people at once: the second finds the place taken, and adds another picture of the object.
    for name in ("first.jpg", "second.jpg"):
        browser.post(address, {"picture": SimpleUploadedFile(name, picture(), "image/jpeg")})
    record = Record.objects.get()
    assert [d.asset.filename for d in record.depictions.all()] == ["first.jpg", "second.jpg"]


@pytest.mark.usefixtures("space")
def test_what_is_no_picture_is_refused_on_the_page(one: Asset, browser: Client) -> None:
    address = f"{one.get_absolute_url()}picture/"
    letter = SimpleUploadedFile("letter.jpg", b"Dear Sir", "image/jpeg")
    assert "not a picture" in browser.post(address, {"picture": letter}, follow=True).content.decode()
    assert "Choose a picture." in browser.post(address, follow=True).content.decode()
    assert Asset.objects.get().is_awaited
    Asset.objects.update(access="restricted")
    assert browser.post(address, {"picture": letter}).status_code == 404


@pytest.mark.usefixtures("space")
def test_the_library_counts_pictures_and_what_waits_for_one(one: Asset, browser: Client) -> None:
    assert "1 object waiting for its picture" in page(browser, "/")
    shown = asset(done=True, title="Sunday")
    text = page(browser, "/")
    assert "1 picture, 1 waiting for theirs" in text and "?q=has%3Apicture" in text
    assert text.count("Waiting for its picture") == 1 and "Processing" not in text
    text = page(browser, "/?q=has%3Apicture")
    assert "1 picture<" in " ".join(text.split()).replace(" <", "<") and shown.display_title in text
    assert "Nighthawks" not in text
    assert "1 object waiting for its picture" in page(browser, "/?q=hopper&mode=keywords")
    assert "Waiting for its picture" in page(browser, Record.objects.get().get_absolute_url())
    assert page(browser, f"{one.get_absolute_url()}similar/").strip() == ""
    assert page(browser, "/jobs/").count("There is nothing") == 1


@pytest.mark.usefixtures("space")
def test_all_words_of_an_object_count_more_than_the_nearest_of_a_few_pictures(
    one: Asset, admin: User, tmp_path: Path
) -> None:
    """Though each picture is near in some way, and what waits for its picture in none."""
    pictures = [asset(color, done=True, title=f"{color} {n}") for n, color in enumerate(("red", "blue"))]
    ingest(listed(tmp_path / "red.csv", "9,A red chair,,,", "8,Nothing of it,,,"))
    found = run(HybridQuery(user=admin, text="red")).assets
    assert {a.display_title for a in found[:2]} == {"A red chair", "red 0"} and pictures[0] in found
    assert [a.display_title for a in run(HybridQuery(user=admin, text="nighthawks")).assets][
        0
    ] == "Nighthawks"
    assert [a.display_title for a in run(HybridQuery(user=admin, text="red chair")).assets][
        0
    ] == "A red chair"
    assert one not in run(HybridQuery(user=admin, text="red", mode="visual")).assets


@pytest.mark.django_db
def test_the_history_names_the_file_that_came(one: Asset, browser: Client) -> None:
    take_in(picture(), "night.jpg", words={"accession": "1942.51"})
    text = " ".join(page(browser, one.get_absolute_url()).split())
    assert "Picture: <ins>night.jpg</ins>" in text and "Created at" not in text


@pytest.mark.usefixtures("space")
def test_the_api_has_nulls_where_there_is_no_file(one: Asset, admin: User) -> None:
    client = Client(headers={"authorization": f"Bearer {ApiToken.objects.issue(admin, 'test')}"})
    found = client.get(f"/api/v1/assets/{one.uid}").json()
    assert [found[name] for name in ("filename", "width", "height", "sha256")] == [None] * 4
    assert (found["state"], found["stages"], found["accession"]) == ("awaited", [], "1942.51")
    search = client.get("/api/v1/search?q=hopper&mode=keywords").json()
    assert (search["total"], search["awaiting"], search["results"][0]["filename"]) == (1, 1, None)


@pytest.mark.usefixtures("space")
def test_the_administration_tells_them_apart(one: Asset, admin: User, client: Client) -> None:
    client.force_login(admin)
    asset(done=True)
    lists = {state: page(client, f"/admin/assets/asset/?state={state}") for state in ("awaited", "done")}
    assert "waiting for its picture" in lists["awaited"] and "Nighthawks" in lists["awaited"]
    assert "Nighthawks" not in lists["done"]
    for name in ("record", "collection", "batch", "operation", "change"):
        page(client, f"/admin/assets/{name}/")
    page(client, f"/admin/assets/asset/{one.pk}/change/")
