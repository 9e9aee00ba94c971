"""Collections, permissions and terms as they were at a moment of their history: compared, brought back."""

from typing import Any

import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse

from accounts.models import User
from assets import changes, purging
from assets.changes import ChangeRefused, NotAllowed, collection_states, collections, grants, operation, undo
from assets.models import Asset, Collection, Grant, Operation, Term, TermWork, Vocabulary
from assets.scopes import forget
from assets.terms import editing, merging, states, work
from search.models import SearchRow
from tests.factories import asset

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_a_clock")]


def op(user: User | None = None, kind: str = "collection") -> Operation:
    return operation(kind, "Something", user=user)


def again(one: Collection) -> Collection:
    return Collection.objects.get(pk=one.pk)


def manages(user: User, *homes: Collection, action: str = "manage") -> Group:
    """The one group of this person, who manages these collections and may nothing else."""
    own, _made = Group.objects.get_or_create(name="Keepers")
    Grant.objects.filter(group__in=[own, *user.groups.all()]).delete()
    user.groups.set([own])
    for home in homes:
        Grant.objects.create(collection=home, group=own, actions=[action])
    forget(user)
    return own


def said(browser: Client, address: str) -> str:
    answer = browser.get(address, follow=True)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


# --- collections ----------------------------------------------------------------------------------


def test_a_collection_with_its_grants_goes_to_what_it_was_and_back(admin: User) -> None:
    one = asset(collection="Prints / Japan")
    prints, japan = Collection.objects.get(name="Prints"), one.collection
    team, then = Group.objects.create(name="Team"), op(admin)
    collections.change(then, japan, {"description": "Woodcuts", "cover": one})
    grants.change(then, japan, {team.pk: ["see"]}, inherits=False)
    collections.change(op(admin), japan, {"name": "Far East", "parent": None, "description": ""})
    grants.change(op(admin), again(japan), {team.pk: ["see", "share"]}, inherits=True)
    done = collection_states.restore(japan, then, admin, "Back")
    assert done is not None
    now = again(japan)
    assert (now.name, now.parent, now.description, now.cover) == ("Japan", prints, "Woodcuts", one)
    assert grants.granted(now) == {team.pk: ["see"]} and not now.inherits
    row = SearchRow.objects.get(asset=one)
    assert "japan" in row.words and row.collection_ids == [japan.pk, prints.pk]
    assert collection_states.restore(now, then, admin, "Back") is None
    assert "kept" not in undo(done, admin).label
    now = again(japan)
    assert (now.name, now.parent, now.description) == ("Far East", None, "")
    assert grants.granted(now) == {team.pk: ["see", "share"]} and now.inherits


def test_what_a_vanished_group_or_picture_had_is_said_and_the_rest_comes_back(admin: User) -> None:
    one = asset(collection="Prints")
    prints, then = one.collection, op(admin)
    team, guests = Group.objects.create(name="Team"), Group.objects.create(name="Guests")
    grants.change(then, prints, {team.pk: ["see"], guests.pk: ["see", "download"]})
    collections.change(then, prints, {"cover": one})
    changes.trash([one], admin)
    purging.purge([one.pk], admin)
    gone, kind = guests.pk, ContentType.objects.get_for_model(Group)
    guests.delete()
    LogEntry.objects.create(
        user=admin, content_type=kind, object_id=str(gone), object_repr="Guests", action_flag=DELETION
    )
    grants.change(op(admin), prints, {})
    found = collection_states.foreseen(again(prints), then, admin)
    assert found.then.granted == {team.pk: ["see"]}
    assert "The cover stays" in found.stays[0] and "“Guests” is gone" in found.stays[1]
    collection_states.restore(prints, then, admin, "Back")
    assert grants.granted(prints) == {team.pk: ["see"]}
    later = op(admin)
    collections.change(later, prints, {"description": "On paper"})
    assert collection_states.foreseen(again(prints), later, admin).stays == []  # they were gone by then


def test_a_name_or_a_place_that_is_not_free_any_more_stays(admin: User) -> None:
    prints, other = Collection.objects.named("Prints"), Collection.objects.named("Other")
    japan, then = Collection.objects.named("Prints / Japan"), op(admin)
    collections.change(then, japan, {"description": "Woodcuts"})
    collections.change(op(admin), japan, {"name": "Nippon", "parent": other, "description": ""})
    collections.make(op(admin), "Japan", prints)
    collections.change(op(admin), prints, {"parent": japan})
    found = collection_states.foreseen(again(japan), then, admin)
    assert found.stays == ["It stays where it is. A collection cannot lie inside itself."]
    collections.change(op(admin), prints, {"parent": None})
    found = collection_states.foreseen(again(japan), then, admin)
    assert "another collection in the same place is called “Japan”" in found.stays[0]
    collection_states.restore(japan, then, admin, "Back")
    now = again(japan)
    assert (now.name, now.parent, now.description) == ("Nippon", prints, "Woodcuts")


def test_nobody_restores_what_they_may_not_grant_or_manage(viewer: User, admin: User) -> None:
    prints, drawings = Collection.objects.named("Prints"), Collection.objects.named("Drawings")
    japan, then, team = Collection.objects.named("Prints / Japan"), op(admin), Group.objects.create(name="T")
    grants.change(then, japan, {team.pk: ["restricted"]}, inherits=False)
    own = manages(viewer, drawings)
    with pytest.raises(NotAllowed):
        collection_states.restore(japan, then, viewer, "Back")
    collections.change(op(admin), japan, {"name": "Nippon", "parent": drawings})
    grants.change(op(admin), again(japan), {own.pk: ["manage"]}, inherits=True)
    forget(viewer)
    found = collection_states.foreseen(again(japan), then, viewer)
    assert found.then.described["name"] == "Japan" and found.then.described["parent"] == drawings
    assert found.then.granted == {own.pk: ["manage"]} and found.then.inherits
    assert "You may not manage collections" in found.stays[0] and "only what you may" in found.stays[1]
    collection_states.restore(japan, then, viewer, "Back")
    assert again(japan).name == "Japan" and grants.granted(japan) == {own.pk: ["manage"]}
    Grant.objects.create(collection=prints, group=own, actions=["manage"])
    Grant.objects.create(collection=prints, group=team, actions=["restricted"])
    forget(viewer)
    found = collection_states.foreseen(again(japan), then, viewer)  # what is allowed in Prints would count
    assert found.then.described["parent"] == drawings and len(found.stays) == 2


def test_what_was_closed_moves_back_closed_and_undo_opens_no_more_than_there_was(
    viewer: User, admin: User
) -> None:
    prints, drawings = Collection.objects.named("Prints"), Collection.objects.named("Drawings")
    japan, team = Collection.objects.named("Prints / Japan"), Group.objects.create(name="Team")
    Grant.objects.all().delete()
    own, then = manages(viewer, prints, drawings), op(admin)
    Grant.objects.create(collection=prints, group=team, actions=["restricted"])
    grants.change(then, japan, {own.pk: ["manage"]}, inherits=False)
    collections.change(op(admin), japan, {"parent": drawings})
    grants.change(op(admin), again(japan), {own.pk: ["manage"]}, inherits=True)
    forget(viewer)
    assert collection_states.foreseen(again(japan), then, viewer).stays == []
    done = collection_states.restore(japan, then, viewer, "Back")
    now = again(japan)
    assert done and (now.parent, now.inherits) == (prints, False)
    colleague = User.objects.create_user("colleague")
    colleague.groups.set([own])
    assert "kept" not in undo(done, colleague).label  # what is allowed in Prints was never let in
    assert (again(japan).parent, again(japan).inherits) == (drawings, True)


def test_one_may_shut_oneself_out_and_is_told_before(browser: Client, viewer: User, admin: User) -> None:
    prints, then = Collection.objects.named("Prints"), op(admin)
    grants.change(then, prints, {}, inherits=False)
    collections.change(then, prints, {"description": "On paper"})
    own = manages(viewer)
    grants.change(op(admin), again(prints), {own.pk: ["manage"]}, inherits=True)
    collections.change(op(admin), prints, {"description": ""})
    assert collection_states.foreseen(again(prints), then, viewer).locked_out
    done = collection_states.restore(prints, then, viewer, "Back")
    assert again(prints).description == "On paper" and not again(prints).inherits
    assert done and done.changes.count() == 3
    assert not collection_states.foreseen(again(prints), then, admin).locked_out
    undo(done, admin)
    forget(viewer)
    browser.force_login(viewer)
    address = f"{prints.get_absolute_url()}history/{then.uid}/"
    assert "could not manage it any more" in said(browser, address)
    assert browser.post(address).headers["Location"] == reverse("assets:collections")


def test_a_collection_that_was_deleted_and_is_back(admin: User) -> None:
    japan = collections.make(op(admin), "Japan", None)
    deleted = op(admin)
    collections.delete(deleted, japan)
    undo(deleted, admin)
    with pytest.raises(changes.Gone, match="taken away"):
        collection_states.foreseen(again(japan), deleted, admin)
    with pytest.raises(changes.NoMoment):
        collection_states.foreseen(again(japan), op(admin), admin)


def test_the_page_of_a_collection_compares_restores_and_undoes(
    browser: Client, viewer: User, admin: User
) -> None:
    japan, team = asset(collection="Prints / Japan").collection, Group.objects.create(name="Team")
    ops = [op(admin) for _ in range(3)]
    collections.change(ops[0], japan, {"name": "Nippon"})
    collections.change(ops[1], japan, {"name": "Far East"})
    grants.change(ops[2], again(japan), {team.pk: ["see"]})
    page = japan.get_absolute_url()
    at = [f"{page}history/{one.uid}/" for one in ops]
    manages(viewer, japan, action="see")
    shown = said(browser, page)
    assert at[0] in shown and at[2] not in shown and "Compare with now" in shown
    shown = said(browser, at[0])  # who only looks is told the words, and nothing of permissions
    assert "1 value differs" in shown and "Far East" in shown
    assert "Team" not in shown and 'class="row" method="post"' not in shown and "Restore" not in shown
    assert browser.post(at[0]).status_code == 403
    assert japan.parent
    manages(viewer, japan.parent)
    shown = said(browser, at[0])
    assert "2 values would change" in shown and "Team" in shown and "Restore this state" in shown
    shown = said(browser, f"{at[0]}?with={ops[1].uid}")
    assert "1 value differs" in shown and "Team" not in shown and "Restore this state" not in shown
    done = browser.post(at[0], follow=True).content.decode()
    assert "The earlier state is back." in done and "Set back the collection Far East to" in done
    assert again(japan).name == "Nippon" and not grants.granted(japan)
    latest = Operation.objects.latest("pk")
    assert f"/operations/{latest.uid}/undo/" in done
    browser.post(f"/operations/{latest.uid}/undo/")
    assert again(japan).name == "Far East" and grants.granted(japan) == {team.pk: ["see"]}
    assert browser.get(f"{page}history/{op().uid}/").status_code == 404
    assert browser.get(f"{at[0]}?with=nothing").status_code == 404
    Asset.objects.update(access="restricted")
    manages(viewer)
    assert browser.get(at[0]).status_code == 404 and browser.post(at[0]).status_code == 404


def test_who_may_do_what_in_the_library_is_restored_by_administrators(
    browser: Client, admin: User, viewer: User
) -> None:
    before, team, then = grants.granted(None), Group.objects.create(name="Team"), op(admin, "access")
    grants.change(then, None, before | {team.pk: ["see"]})
    grants.change(op(admin, "access"), None, before)
    address = reverse("assets:library_state_then", args=[then.uid])
    assert browser.get(address).status_code == 403 and browser.post(address).status_code == 403
    browser.force_login(admin)
    assert address in said(browser, reverse("assets:library_access"))
    assert "1 value would change" in said(browser, address)
    assert "The earlier state is back." in browser.post(address, follow=True).content.decode()
    assert grants.granted(None) == before | {team.pk: ["see"]}
    undo(Operation.objects.latest("pk"), admin)
    assert grants.granted(None) == before


# --- terms ----------------------------------------------------------------------------------------


def term(label: str, *above: str, **values: Any) -> Term:
    tags = Vocabulary.objects.get(slug="tags")
    made = editing.create(tags, {"label": label, **values}, editing.named(tags, above), None)
    return Term.objects.get(pk=made.pk)


def test_a_term_goes_to_what_it_was_and_back(admin: User) -> None:
    animal = term("animal")
    dog = term("dog", "animal", labels={"de": ["Hund"]}, note="It barks")
    picture, then = asset(tags="dog"), TermWork.objects.latest("pk")
    changed = {"label": "hound", "labels": {"fr": ["chien"]}, "note": "", "uri": "http://example.org/1"}
    editing.edit(dog, changed, [], admin)
    dog.refresh_from_db()
    done = states.restore(dog, then.operations, admin, "Back")
    assert done and done.state == TermWork.State.DONE
    now = Term.objects.get(pk=dog.pk)
    assert (now.label, now.labels, now.note, now.uri) == ("dog", {"de": ["Hund"]}, "It barks", "")
    assert list(now.parents.all()) == [animal] and now.other_keys == ["hund"]
    row = SearchRow.objects.get(asset=picture)
    assert animal.pk in row.term_ids and "hund" in row.words and "chien" not in row.words
    assert states.restore(now, then.operations, admin, "Back") is None
    work.undo(done, admin)
    now = Term.objects.get(pk=dog.pk)
    assert (now.label, now.labels, list(now.parents.all())) == ("hound", {"fr": ["chien"]}, [])


def test_what_of_a_term_cannot_come_back_is_said(admin: User) -> None:
    for label in ("pet", "beast", "mammal", "creature"):
        term(label)
    dog = term("dog", "pet", "beast", "mammal")
    then = TermWork.objects.latest("pk")
    by_label = {one.label: one for one in Term.objects.all()}
    editing.delete(by_label["pet"], admin)
    merging.merge(by_label["creature"], [by_label["beast"]], admin)
    editing.edit(dog, {"label": "hound"}, [], admin)
    editing.edit(by_label["mammal"], {}, [dog], admin)
    term("Dog")
    merging.merge(Term.objects.get(pk=dog.pk), [term("cur")], admin)
    found = states.foreseen(Term.objects.get(pk=dog.pk), then.operations)
    assert found.values["label"] == "hound" and found.broader == [by_label["creature"]]
    assert found.stays == [
        "It keeps its name: another term is called “dog” by now.",
        "“pet” is no broader term of it any more, since it was deleted.",
        "“beast” was merged into “creature”, which takes its place.",
        "“mammal” cannot be a broader term of it: it is below it by now.",
        "“cur” was merged into it since, and stays merged. To part them again, undo the merge.",
    ]
    assert states.restore(Term.objects.get(pk=dog.pk), then.operations, admin, "Back")
    assert list(Term.objects.get(pk=dog.pk).parents.all()) == [by_label["creature"]]


def test_a_term_that_was_merged_and_is_back(admin: User) -> None:
    dog, hound = term("dog"), term("hound")
    before = TermWork.objects.latest("pk")
    merge = merging.merge(dog, [hound], admin)
    work.undo(merge, admin)
    with pytest.raises(changes.Gone, match="taken away"):
        states.foreseen(hound, merge.operations)
    assert states.foreseen(Term.objects.get(pk=dog.pk), merge.operations).stays == []
    assert states.foreseen(hound, before.operations).values["label"] == "hound"
    with pytest.raises(ChangeRefused, match="no moment"):
        states.foreseen(dog, before.operations)


def test_the_page_of_a_term_compares_restores_and_undoes(editor: Client, viewer: User, admin: User) -> None:
    dog = term("dog")
    first = TermWork.objects.latest("pk")
    second = editing.edit(dog, {"note": "It barks"}, [], admin)
    third = editing.edit(Term.objects.get(pk=dog.pk), {"label": "hound", "note": "It bites"}, [], admin)
    assert second and third
    address = f"{dog.get_absolute_url()}history/{first.uid}/"
    assert address in said(editor, dog.get_absolute_url())
    assert "2 values would change" in said(editor, address)
    shown = said(editor, f"{address}?with={second.uid}")
    assert "1 value differs" in shown and "It barks" in shown and "It bites" not in shown
    done = editor.post(address, follow=True).content.decode()
    assert "The earlier state is back." in done and "Set back the term hound to" in done
    assert Term.objects.get(pk=dog.pk).label == "dog"
    uid = Operation.objects.get(label__startswith="Set back the term").uid
    assert "Undone" in editor.post(f"/operations/{uid}/undo/", follow=True).content.decode()
    assert Term.objects.get(pk=dog.pk).label == "hound"
    merge = merging.merge(term("wolf"), [Term.objects.get(pk=dog.pk)], admin)
    work.undo(merge, admin)
    shown = said(editor, f"{dog.get_absolute_url()}history/{merge.uid}/")
    assert "nothing to restore" in shown and "Restore this state" not in shown
    editor.force_login(viewer)
    assert editor.get(address).status_code == 403 and editor.post(address).status_code == 403
