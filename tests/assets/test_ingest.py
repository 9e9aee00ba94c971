import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from assets import changes, storage
from assets.ingest import Outcomes, accept
from assets.models import Asset, Batch, BatchItem, Blob, Collection, Operation, Record, StageRun
from tests.factories import picture, take_in

pytestmark = pytest.mark.django_db


def test_a_picture_becomes_an_asset_with_all_stages_waiting(viewer: User) -> None:
    content = picture(size=(60, 40))
    outcome = take_in(content, "../浮世絵.jpg", user=viewer, tags=["print"])
    found = outcome.asset
    assert outcome.outcome == Outcomes.ACCEPTED and found is not None and found.current_version is not None
    assert (found.filename, found.collection.name, found.tags) == ("浮世絵.jpg", "Unsorted", ["print"])
    assert (found.current_version.width, found.current_version.height) == (60, 40)
    with storage.originals().open(found.current_version.blob.storage_name) as file:
        assert file.read() == content
    stages = {
        "make_renditions",
        "extract_metadata",
        "find_duplicates",
    }  # and vectors, once there is a space for them
    assert set(found.current_version.stage_runs.values_list("stage", flat=True)) == stages
    assert BatchItem.objects.get().outcome == Outcomes.ACCEPTED
    assert list(storage.settings.INCOMING_DIR.iterdir()) == []


def test_the_same_bytes_again_are_a_duplicate_under_any_name() -> None:
    content = picture()
    first, second = take_in(content, "a.jpg"), take_in(content, "b.jpg")
    assert second.outcome == Outcomes.DUPLICATE and second.asset == first.asset
    assert Asset.objects.count() == Blob.objects.count() == 1
    assert StageRun.objects.count() == 3


def test_a_duplicate_that_the_uploader_may_not_see_is_not_revealed(viewer: User, admin: User) -> None:
    content = picture()
    hidden = take_in(content, user=admin).asset
    Asset.objects.update(access="restricted")
    mine = take_in(content, user=viewer)
    assert mine.outcome == Outcomes.ACCEPTED and mine.asset != hidden and mine.reason == ""
    assert Blob.objects.count() == 1


def test_a_trashed_picture_can_be_uploaded_again() -> None:
    content = picture()
    first = take_in(content).asset
    assert first is not None
    changes.trash([first], None)
    assert take_in(content).outcome == Outcomes.ACCEPTED


def test_words_without_an_accession_number_describe_the_picture() -> None:
    words = {
        "title": "Sunday",
        "creator": "Seurat, Georges; Anon.",
        "date": "1884-86",
        "tags": "river; Park ",
    }
    found = take_in(picture(), words={**words, "collection": "Paintings / French"}).asset
    assert found is not None
    found.refresh_from_db()
    assert (found.title, found.year_earliest, found.year_latest) == ("Sunday", 1884, 1886)
    assert found.creators == ["Seurat, Georges", "Anon."] and found.tags == ["river", "Park"]
    assert found.collection.name == "French" and str(found.collection.parent) == "Paintings"


def test_an_accession_number_links_to_a_record_and_never_identifies_a_file() -> None:
    recto = take_in(picture(), "recto.jpg", words={"accession": "1942.51", "title": "Nighthawks"}).asset
    verso = take_in(picture(), "verso.jpg", words={"accession": "1942.51"}).asset
    record = Record.objects.get()
    assert record.title == "Nighthawks" and recto is not None and verso is not None
    assert [d.asset for d in record.depictions.all()] == [recto, verso]
    assert verso.display_title == "Nighthawks" and Asset.objects.get(pk=recto.pk).title == ""


def test_repeating_a_delivery_changes_only_what_differs() -> None:
    content, words = picture(), {"accession": "1", "title": "Old", "creator": "A", "tags": "x"}
    take_in(content, words=words)
    operations = Operation.objects.count()
    same = take_in(content, words=words)
    assert same.reason == "Already here." and Operation.objects.count() == operations
    other = take_in(content, words={**words, "title": "New"})
    assert "updated" in other.reason and Record.objects.get().title == "New"
    assert Operation.objects.count() == operations + 1


def test_words_that_cannot_be_applied_do_not_cost_the_picture() -> None:
    outcome = take_in(picture(), words={"title": "x" * 501, "tags": "kept not"})
    assert outcome.outcome == Outcomes.ACCEPTED and "title" in outcome.reason
    assert outcome.asset is not None and outcome.asset.tags == []


@pytest.mark.parametrize("content", [b"", b"hello", b"%PDF-1.4"])
def test_what_is_no_picture_is_rejected_and_leaves_nothing(content: bytes) -> None:
    outcome = take_in(content, "letter.jpg")
    assert outcome.outcome == Outcomes.REJECTED and outcome.reason
    assert BatchItem.objects.get().reason == outcome.reason
    assert not Blob.objects.exists() and not Asset.objects.exists()


def test_a_file_over_the_limit_is_rejected(settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1024
    outcome = take_in(b"\xff" * 2000)
    assert outcome.outcome == Outcomes.REJECTED and "larger than" in outcome.reason


@pytest.mark.django_db(transaction=True)
def test_the_same_file_from_many_sides_at_once_is_one_asset(vocabularies: None) -> None:
    content = picture()
    batch = Batch.objects.create(source="test")

    def upload(number: int) -> str:
        try:
            return accept(io.BytesIO(content), f"{number}.jpg", batch=batch, tags=["same"]).outcome
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        outcomes = sorted(threads.map(upload, range(12)))
    assert outcomes == ["accepted"] + ["duplicate"] * 11
    assert Asset.objects.count() == Blob.objects.count() == 1


def test_a_blob_that_was_never_finished_is_written_again() -> None:
    content = picture()
    first = take_in(content).asset
    assert first is not None and first.current_version is not None
    blob = first.current_version.blob
    storage.originals().delete(blob.storage_name)
    Blob.objects.update(state="writing")
    assert take_in(content).outcome == Outcomes.DUPLICATE
    assert storage.originals().exists(blob.storage_name)
    assert Blob.objects.get().state == "stored"


def test_sweeping_removes_only_old_blobs_that_nobody_claims() -> None:
    kept = take_in(picture()).asset
    assert kept is not None
    for age in (0, 2):
        with storage.spooled(io.BytesIO(picture())) as spool:
            blob = storage.store(spool, "image/jpeg")
        Blob.objects.filter(pk=blob.pk).update(created_at=timezone.now() - timedelta(days=age))
    assert storage.sweep() == 1
    assert Blob.objects.count() == 2 and not storage.originals().exists(blob.storage_name)


def test_a_duplicate_stays_in_its_collection_and_a_rejected_file_makes_none() -> None:
    content = picture()
    first = take_in(content, collection="Prints / Japan").asset
    again = take_in(content, collection="Elsewhere", tags=["seen"])
    assert first is not None and again.asset == first
    assert Asset.objects.get().collection.name == "Japan" and Asset.objects.get().tags == ["seen"]
    take_in(b"no picture", collection="Never")
    assert set(Collection.objects.values_list("name", flat=True)) == {"Prints", "Japan"}


def test_repeating_an_unchanged_line_keeps_what_a_person_corrected() -> None:
    content, words = picture(), {"title": "Sundy", "creator": "A", "tags": "x; y", "collection": "Old"}
    found = take_in(content, words=words).asset
    assert found is not None
    fixed = {"title": "Sunday", "terms": {"creators": ["B"], "tags": ["y"]}}
    changes.apply(changes.operation("edit", ""), [found], fixed)
    again = take_in(content, words=words)
    found = Asset.objects.get()
    assert again.reason == "Already here." and (found.title, found.creators, found.tags) == (
        "Sunday",
        ["B"],
        ["y"],
    )
    take_in(content, words={**words, "title": "Monday", "tags": "x; y; z"})
    found = Asset.objects.get()
    assert found.title == "Monday" and set(found.tags) == {"x", "y", "z"} and found.creators == ["B"]


def test_a_corrected_accession_number_replaces_the_link() -> None:
    content = picture()
    take_in(content, words={"accession": "A1", "title": "Wrong"})
    take_in(content, words={"accession": "A2", "title": "Right"})
    found = Asset.objects.get()
    assert found.display_title == "Right" and [str(d.record) for d in found.depictions.all()] == ["A2 Right"]


@pytest.mark.parametrize(
    "words",
    [
        {"collection": "x" * 300},
        {"collection": " / ".join("abcdefghijklmnopqrstuvwxyz")},
        {"tags": "\x00; ;;" + "ß" * 199},
        {"accession": "\x00\x00"},
        {"accession": "ß" * 60, "title": "T"},
        {"date": "300 C.E. 1850 c. 118 century"},
    ],
)
def test_strange_words_never_cost_the_picture(words: dict[str, str]) -> None:
    outcome = take_in(picture(), words=words)
    assert outcome.outcome == Outcomes.ACCEPTED, outcome.reason


def test_a_file_name_that_is_no_text_is_made_readable() -> None:
    outcome = take_in(picture(), "caf\udce9.jpg")
    assert outcome.asset is not None and outcome.asset.filename == "caf\ufffd.jpg"


def test_an_unexpected_error_rejects_one_file_and_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(storage, "store", broken)
    outcome = take_in(picture())
    assert outcome.outcome == Outcomes.REJECTED and "a bug" in BatchItem.objects.get().reason


def test_a_duplicate_whose_words_are_refused_says_so() -> None:
    content = picture()
    take_in(content)
    again = take_in(content, words={"title": "x" * 501})
    assert again.outcome == Outcomes.DUPLICATE and again.refused and "title" in again.reason
