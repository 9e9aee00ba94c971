"""A description as it was at a moment of its history, brought back; and the history as CSV."""

import csv
import io
from typing import Any

import pytest
from django.test import Client

import audit
from accounts.models import User
from assets import changes
from assets.changes import apply, operation, restore_state, state_steps, undo
from assets.models import Asset, Collection, Grant, Operation, Record, Term
from audit.models import Entry
from search.models import SearchRow
from tests.factories import asset

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("space")]


def again(one: Asset) -> Asset:
    return Asset.objects.get(pk=one.pk)


def test_a_state_comes_back_and_can_be_undone(viewer: User) -> None:
    one = asset(title="Night", tags="river; moon")
    then = operation("edit", "First")
    apply(then, [one], {"description": "Calm"})
    other = Collection.objects.named("Elsewhere")
    apply(operation("edit", ""), [one], {"title": "Day", "collection": other, "access": "staff"})
    apply(
        operation("edit", ""), [one], {"title": "Noon", "description": "", "remove_terms": {"tags": ["moon"]}}
    )
    apply(operation("edit", ""), [one], {"add_terms": {"tags": ["sun"]}, "date": "1900"})
    done = restore_state([one], then, viewer, "Back")
    assert done is not None
    now = again(one)
    assert (now.title, now.description, now.tags, now.date) == ("Night", "Calm", ["river", "moon"], "")
    assert now.year_earliest is None
    assert (now.collection, now.access) == (other, "staff")  # where it is and who sees it stay
    assert "night" in str(SearchRow.objects.get(asset=one).words)
    assert restore_state([again(one)], then, viewer, "Back") is None
    undo(done, viewer)
    assert (again(one).title, again(one).tags) == ("Noon", ["river", "sun"])


def test_of_an_object_and_its_picture(viewer: User) -> None:
    one = asset(accession="7", title="Night")
    record = Record.objects.get()
    then = Operation.objects.get(kind="upload")
    apply(operation("edit", ""), [record], {"title": "Day"})
    fields = [
        (step.subject, step.field, step.value)
        for step in state_steps([again(one), Record.objects.get()], then)
    ]
    assert fields == [(record, "title", "Night")]
    with pytest.raises(changes.ChangeRefused, match="no moment"):
        state_steps([one], operation("edit", "of something else"))


def test_terms_that_went_since(viewer: User) -> None:
    one = asset(tags="river; brook; moon")
    then = Operation.objects.get(kind="upload")
    op = operation("vocabulary", "")
    river, brook, moon = (Term.objects.get(key=key) for key in ("river", "brook", "moon"))
    changes.replace_terms(op, [one], {brook.pk: river.pk})
    changes.delete_terms(op, [brook.pk], into=river.pk)
    apply(operation("edit", ""), [one], {"remove_terms": {"tags": ["moon", "river"]}})
    changes.delete_terms(op, [moon.pk])
    restore_state([one], then, viewer, "Back")
    assert again(one).tags == ["river"]


def test_the_page_shows_what_would_change_and_does_it(browser: Client, viewer: User) -> None:
    one = asset(title="Night")
    then = Operation.objects.get(kind="upload")
    apply(operation("edit", "Renamed", user=viewer), [one], {"title": "Day"})
    address = f"{one.get_absolute_url()}history/{then.uid}/"
    assert address in browser.get(one.get_absolute_url()).content.decode()
    page = browser.get(address).content.decode()
    assert "1 value would change" in page and "Day" in page and "Night" in page
    done = browser.post(address, follow=True).content.decode()
    assert "The earlier state is back." in done and again(one).title == "Night"
    assert "nothing would change" in browser.get(address).content.decode()
    stranger = operation("edit", "of another picture")
    assert browser.get(f"{one.get_absolute_url()}history/{stranger.uid}/").status_code == 404
    Asset.objects.update(access="restricted")
    assert browser.get(address).status_code == 404 and browser.post(address).status_code == 404


def test_two_moments_are_compared_and_no_collection_is_named_that_is_not_seen(
    browser: Client, viewer: User, admin: User
) -> None:
    one = asset(title="Night")
    other = Collection.objects.named("Elsewhere")
    moved = operation("bulk", "Move to the collection Elsewhere (1 picture)", user=admin)
    apply(moved, [one], {"title": "Day", "collection": other})
    apply(
        operation("edit", "Renamed"),
        [one],
        {"title": "Noon", "description": "Calm", "collection": one.collection},
    )
    first, page = Operation.objects.get(kind="upload"), one.get_absolute_url()
    shown = browser.get(f"{page}history/{first.uid}/?with={moved.uid}").content.decode()
    assert "1 value differs" in shown and "Night" in shown and "Day" in shown and "Calm" not in shown
    shown = browser.get(f"{page}history/{moved.uid}/?with={first.uid}").content.decode()
    assert shown.index("<td>Night") < shown.index("<td>Day") and "Elsewhere" in shown
    Grant.objects.filter(group__in=viewer.groups.all()).update(collection=one.collection)
    shown = browser.get(f"{page}history/{moved.uid}/").content.decode()
    assert "Restore this state" in shown and "Elsewhere" not in shown
    assert "Elsewhere" not in browser.get(f"{page}history/{first.uid}/").content.decode()


def test_the_history_as_csv(browser: Client, viewer: User) -> None:
    one = asset(title="Night")
    apply(operation("edit", "=cmd()", user=viewer), [one], {"title": "x" * 300})
    answer: Any = browser.get(f"{one.get_absolute_url()}history.csv")
    rows = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert rows[1][1:6] == ["viewer", "'=cmd()", "Title", "Night", "x" * 300]
    entry = Entry.objects.get(event=audit.Event.EXPORTED, uid=str(one.uid))
    assert (entry.user_name, entry.details["what"]) == ("viewer", "history")
