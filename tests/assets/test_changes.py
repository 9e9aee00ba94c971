from typing import Any

import pytest

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


def test_undoing_the_link_to_a_record() -> None:
    asset(accession="1942.51", title="Nighthawks")
    record = Record.objects.get()
    undo(Operation.objects.get(kind="upload"), None)
    assert not record.depictions.exists() and again(record).trashed_at is not None


def test_a_bad_value_is_refused_and_changes_nothing() -> None:
    one, two = asset(), asset()
    with pytest.raises(ChangeRefused, match="title"):
        apply(operation("edit", ""), [one, two], {"title": "x" * 501})
    with pytest.raises(ChangeRefused, match="access"):
        apply(operation("edit", ""), [one], {"access": "nobody"})
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
