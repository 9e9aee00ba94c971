from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from assets import changes
from assets.changes import ChangeRefused, apply, operation, undo
from assets.models import Asset, Change, Collection, Operation, Record, Term
from search.models import SearchRow
from tests.factories import asset

pytestmark = pytest.mark.django_db


def again(subject: Any) -> Any:
    return type(subject)._default_manager.get(pk=subject.pk)


def test_a_change_writes_history_and_search_row(viewer: User) -> None:
    one, two = asset(), asset()
    op = operation("edit", "Named", user=viewer)
    assert apply(op, [one, two], {"title": "Sunday", "date": "1884-86"}) == 2
    assert again(one).year_latest == 1886
    change = Change.objects.get(operation=op, object_id=one.pk, field="title")
    assert (change.before, change.after) == ("", "Sunday")
    assert SearchRow.objects.get(asset=two).title_key == "sunday"
    assert changes.history_of(one)[0] == op


def test_nothing_new_is_no_change() -> None:
    one = asset(title="Sunday")
    op = operation("edit", "Again")
    assert apply(op, [one], {"title": "Sunday"}) == 0 and not op.changes.exists()


def test_terms_are_set_added_and_removed_by_label() -> None:
    one = asset(tags="b; a")
    apply(operation("edit", ""), [one], {"add_terms": {"tags": ["c", "A"]}})
    assert again(one).tags == ["b", "a", "c"]
    apply(operation("edit", ""), [one], {"remove_terms": {"tags": ["B"]}})
    assert again(one).tags == ["a", "c"]
    apply(operation("edit", ""), [one], {"terms": {"tags": ["d"]}, "add_terms": {"creators": ["X"]}})
    assert again(one).tags == ["d"] and again(one).creators == ["X"]
    assert Term.objects.in_vocabulary("tags").count() == 4


def test_undo_restores_what_was_and_can_be_undone(viewer: User) -> None:
    one = asset(title="Old", tags="a; b")
    home = again(one).collection
    other = Collection.objects.named("Elsewhere")
    op = operation("edit", "Edited", user=viewer)
    apply(op, [one], {"title": "New", "collection": other, "terms": {"tags": ["c"]}})
    reversal = undo(op, viewer)
    assert (again(one).title, again(one).collection, again(one).tags) == ("Old", home, ["a", "b"])
    with pytest.raises(ChangeRefused, match="already"):
        undo(op, viewer)
    undo(reversal, viewer)
    assert (again(one).title, again(one).collection, again(one).tags) == ("New", other, ["c"])


def test_undo_keeps_what_others_changed_since(viewer: User) -> None:
    one = asset(title="A", description="B")
    op = operation("edit", "Edited")
    apply(op, [one], {"title": "A2", "description": "B2"})
    apply(operation("edit", ""), [one], {"title": "A3", "add_terms": {"tags": ["later"]}})
    reversal = undo(op, viewer)
    assert (again(one).title, again(one).description, again(one).tags) == ("A3", "B", ["later"])
    assert "1 later changes kept" in reversal.label


def test_undoing_an_upload_moves_it_to_the_trash_and_back(viewer: User) -> None:
    one = asset()
    upload = Operation.objects.get(kind="upload")
    reversal = undo(upload, viewer)
    assert again(one).trashed_at is not None and SearchRow.objects.get(asset=one).trashed
    undo(reversal, viewer)
    assert again(one).trashed_at is None


def test_undoing_an_upload_keeps_words_and_links_for_its_return(viewer: User) -> None:
    one = asset(accession="1942.51", title="Nighthawks", tags="night")
    undo(Operation.objects.get(kind="upload"), None)
    record = Record.objects.get()
    assert again(one).trashed_at is not None and record.trashed_at is not None
    changes.restore([one], viewer)
    assert (again(one).display_title, again(one).tags) == ("Nighthawks", ["night"])
    assert SearchRow.objects.get(asset=one).accession_keys == ["1942.51"]


def test_undoing_the_link_to_a_record() -> None:
    one, other = asset(), asset(accession="7", title="Nighthawks")
    op = operation("import", "linked")
    changes.depict(op, one, Record.objects.get(), "verso")
    reversal = undo(op, None)
    assert again(one).record is None and again(other).record is not None
    undo(reversal, None)
    assert [d.view for d in again(one).depictions.all()] == ["verso"]


def test_a_bad_value_is_refused_and_changes_nothing() -> None:
    one, two = asset(), asset()
    with pytest.raises(ChangeRefused, match="title"):
        apply(operation("edit", ""), [one, two], {"title": "x" * 501})
    with pytest.raises(ChangeRefused, match="access"):
        apply(operation("edit", ""), [one], {"access": "nobody"})
    for far in ("0001-01-01T00:00+01:00", "9999-12-31T23:59-05:00"):  # in UTC of no year that can be read
        with pytest.raises(ChangeRefused, match="too far away"):
            apply(operation("edit", ""), [one], {"rights_expire_at": datetime.fromisoformat(far)})
    with pytest.raises(ChangeRefused, match="cannot be changed"):
        apply(operation("edit", ""), [one], {"uid": "1"})
    assert again(one).title == "" and not Change.objects.filter(field="title").exists()


def test_two_live_records_cannot_share_an_accession_number() -> None:
    asset(accession="1942.51")
    asset(accession="1942.52")
    record = Record.objects.get(accession_number="1942.52")
    with pytest.raises(ChangeRefused, match="1942-51"):
        apply(operation("edit", ""), [record], {"accession_number": "1942-51"})
    apply(operation("edit", ""), [record], {"accession_number": "1942.53"})
    assert again(record).accession_key == "1942.53"


def test_a_record_changes_the_rows_of_all_its_pictures() -> None:
    one, two = asset(accession="7"), asset(accession="7")
    apply(operation("edit", ""), [Record.objects.get()], {"title": "Nighthawks"})
    assert {SearchRow.objects.get(asset=a).title_key for a in (one, two)} == {"nighthawks"}


def test_trash_and_restore(viewer: User) -> None:
    one = asset()
    op = changes.trash([one], viewer)
    assert not Asset.objects.live().exists() and "trash" in op.label
    changes.restore([one], viewer)
    assert Asset.objects.live().get() == one


# --- what a review found ------------------------------------------------------------------------------


def test_undo_takes_several_changes_of_one_field_as_one() -> None:
    one = asset()
    op = operation("import", "a line of a CSV")
    apply(op, [one], {"add_terms": {"tags": ["river"]}})
    apply(op, [one], {"terms": {"creators": ["Anna"]}})
    undo(op, None)
    assert (again(one).tags, again(one).creators) == ([], [])


def test_a_date_and_its_years_are_undone_together_or_not_at_all() -> None:
    one = asset()
    first = operation("edit", "first")
    apply(first, [one], {"date": "1850"})
    apply(operation("edit", "second"), [one], {"date": "1850 (dated)"})
    undo(first, None)
    assert (again(one).date, again(one).year_earliest) == ("1850 (dated)", 1850)


def test_undoing_the_undo_of_an_upload_brings_the_record_back() -> None:
    one = asset(accession="7", title="Nighthawks")
    reversal = undo(Operation.objects.get(kind="upload"), None)
    assert again(one).record is None
    undo(reversal, None)
    assert again(one).display_title == "Nighthawks" and again(one).trashed_at is None
    assert SearchRow.objects.get(asset=one).accession_keys == ["7"]


def test_a_record_that_other_pictures_show_is_not_trashed_with_its_first() -> None:
    first = asset(accession="7", title="Nighthawks")
    other = asset(accession="7")
    undo(Operation.objects.filter(kind="upload").order_by("pk")[0], None)
    assert again(first).trashed_at is not None
    assert Record.objects.get().trashed_at is None and again(other).display_title == "Nighthawks"


def test_undo_skips_what_no_longer_exists() -> None:
    one = asset(collection="Old", tags="gone; kept")
    op = operation("edit", "moved")
    apply(op, [one], {"collection": Collection.objects.named("New"), "terms": {"tags": []}})
    Term.objects.get(label="gone").delete()
    Collection.objects.get(name="Old").delete()
    reversal = undo(op, None)
    assert (again(one).collection.name, again(one).tags) == ("New", ["kept"])
    assert "1 later changes kept" in reversal.label


def test_removing_a_tag_that_nobody_knows_makes_none() -> None:
    one = asset(tags="a")
    apply(operation("edit", ""), [one], {"remove_terms": {"tags": ["never"]}})
    assert not Term.objects.filter(label="never").exists()


def test_labels_that_grow_when_folded_and_empty_ones_are_stored() -> None:
    one = asset()
    apply(operation("edit", ""), [one], {"terms": {"tags": ["ß" * 150, "x" * 199 + "…", "\x00", " "]}})
    assert len(again(one).tags) == 2
    with pytest.raises(ChangeRefused, match="too long"):
        asset(accession="1")
        apply(operation("edit", ""), [Record.objects.get()], {"accession_number": "ß" * 60})


@pytest.mark.django_db(transaction=True)
def test_two_edits_that_meet_leave_the_row_as_the_catalogue_is(vocabularies: None) -> None:
    """A tag for the picture and a title for its record, at the same moment, many times."""

    def tagged(one: Asset) -> None:
        with changes.together():
            apply(operation("edit", ""), [one], {"add_terms": {"tags": ["met", "also"]}})

    def titled(record: Record) -> None:
        with changes.together():
            apply(operation("edit", ""), [record], {"title": "Met", "terms": {"creators": ["Also"]}})

    pairs = [asset(accession=f"M{n}") for n in range(12)]
    for one in pairs:
        record = Record.objects.get(accession_number=f"M{pairs.index(one)}")
        at_once((tagged, one), (titled, record))
        row = SearchRow.objects.get(asset=one)
        assert row.title_key == "met" and len(row.term_ids) == 3


@pytest.mark.django_db(transaction=True)
def test_the_same_new_tags_in_another_order_do_not_wait_for_each_other(vocabularies: None) -> None:
    labels = [f"tag {n}" for n in range(30)]

    def tagged(one: Asset, names: list[str]) -> None:
        apply(operation("edit", ""), [one], {"add_terms": {"tags": names}})

    for turn in range(4):
        names = [f"{label} {turn}" for label in labels]
        at_once((tagged, asset(), names), (tagged, asset(), names[::-1]))
    assert Term.objects.in_vocabulary("tags").count() == 120


def at_once(*calls: tuple[Any, ...]) -> None:
    def call(function: Any, *arguments: Any) -> None:
        try:
            function(*arguments)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        for waiting in [threads.submit(call, *c) for c in calls]:
            waiting.result(timeout=30)
