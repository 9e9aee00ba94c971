"""Collections: made, changed, moved and deleted with history and undo, and what each person sees of them."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from assets import changes
from assets.changes import ChangeRefused, apply, collections, operation, undo
from assets.models import Asset, Change, Collection, Operation
from assets.views.tree import tree_for, with_covers
from search.models import SearchRow
from tests.factories import asset

pytestmark = pytest.mark.django_db


def op() -> Operation:
    return operation("collection", "Something")


def hide(one: Asset) -> None:
    apply(operation("edit", ""), [one], {"access": "restricted"})


def test_a_name_changes_with_the_search_and_back(viewer: User) -> None:
    one = asset(collection="Prints / Japan")
    home = one.collection
    change = op()
    assert collections.change(change, home, {"name": "Nippon", "description": "Woodcuts"})
    row = SearchRow.objects.get(asset=one)
    assert "nippon" in row.words and "japan" not in row.words
    assert not collections.change(op(), home, {"name": "Nippon"})
    undo(change, viewer)
    home.refresh_from_db()
    assert (home.name, home.key, home.description) == ("Japan", "japan", "")
    assert "japan" in SearchRow.objects.get(asset=one).words


def test_a_collection_moves_with_all_that_is_in_it_but_never_into_itself(viewer: User) -> None:
    one = asset(collection="Prints / Japan / Hokusai")
    prints, other = Collection.objects.get(name="Prints"), Collection.objects.named("Works on paper")
    japan, inner = Collection.objects.get(name="Japan"), Collection.objects.get(name="Hokusai")
    moved = op()
    collections.change(moved, japan, {"parent": other})
    assert SearchRow.objects.get(asset=one).collection_ids == [inner.pk, japan.pk, other.pk]
    with pytest.raises(ChangeRefused, match="inside itself"):
        collections.change(op(), japan, {"parent": inner})
    undo(moved, viewer)
    assert SearchRow.objects.get(asset=one).collection_ids == [inner.pk, japan.pk, prints.pk]


def test_names_are_one_in_their_place_and_have_no_slash(viewer: User) -> None:
    prints = Collection.objects.named("Prints")
    collections.make(op(), "Japan", prints)
    with pytest.raises(ChangeRefused, match="of this name"):
        collections.make(op(), "JAPAN", prints)
    with pytest.raises(ChangeRefused, match="stands between"):
        collections.make(op(), "Japan / China", None)
    deep = Collection.objects.named(" / ".join("abcdefghijklmnopqrst"))
    with pytest.raises(ChangeRefused, match="Not more than 20"):
        collections.make(op(), "u", deep)
    with pytest.raises(ChangeRefused, match="Not more than 20"):
        collections.change(op(), Collection.objects.get(name="a"), {"parent": prints})


def test_an_empty_collection_is_deleted_and_comes_back_as_it_was(viewer: User) -> None:
    made, prints = op(), Collection.objects.named("Prints")
    japan = collections.make(made, "Japan", prints, "Woodcuts")
    deleted = op()
    collections.delete(deleted, japan)
    assert not Collection.objects.filter(name="Japan").exists()
    again = undo(deleted, viewer)
    back = Collection.objects.get(name="Japan")
    assert (back.pk, back.uid, back.parent, back.description) == (japan.pk, japan.uid, prints, "Woodcuts")
    undo(again, viewer)
    assert not Collection.objects.filter(name="Japan").exists()
    assert undo(made, viewer).label == "Undone: Something"  # it is gone, as undo wants it


def test_what_is_not_empty_stays_also_when_its_making_is_undone(viewer: User) -> None:
    made = op()
    japan = collections.make(made, "Japan", None)
    one = asset(collection="Japan")
    changes.trash([one], viewer)
    with pytest.raises(ChangeRefused, match="empty"):
        collections.delete(op(), japan)
    assert "1 later changes kept" in undo(made, viewer).label
    assert Collection.objects.filter(pk=japan.pk).exists()


def test_undo_leaves_what_was_changed_since(viewer: User) -> None:
    japan, first = Collection.objects.named("Japan"), op()
    collections.change(first, japan, {"name": "Nippon"})
    collections.change(op(), japan, {"name": "Nihon"})
    undo(first, viewer)
    assert Collection.objects.get(pk=japan.pk).name == "Nihon"


def test_a_large_collection_is_told_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collections, "AT_ONCE", 2)
    home = [asset(collection="Japan") for _ in range(3)][0].collection
    Collection.objects.filter(pk=home.pk).update(name="Nippon")
    after = collections.tell(home.pk, 0)
    assert after and collections.tell(home.pk, after) is None
    assert all("nippon" in row.words for row in SearchRow.objects.all())


def test_numbers_and_covers_are_of_what_one_may_see(
    viewer: User, admin: User, django_assert_max_num_queries: Any
) -> None:
    secret = asset("black", collection="Prints / Japan", title="Secret")
    shown = [asset("red", collection="Prints"), asset("blue", collection="Prints / Japan")]
    hide(secret)
    prints, japan = Collection.objects.get(name="Prints"), Collection.objects.get(name="Japan")
    collections.change(op(), japan, {"cover": secret})
    mine, all_of_it = tree_for(viewer), tree_for(admin)
    with django_assert_max_num_queries(8):
        with_covers(tree_for(viewer).values(), viewer)
    with_covers(mine.values(), viewer)
    cover = mine[japan.pk].cover
    assert cover and cover.asset == shown[1]  # not the one that was chosen
    assert (mine[prints.pk].pictures, all_of_it[prints.pk].pictures) == (2, 3)
    assert (mine[japan.pk].pictures, mine[japan.pk].first) == (1, shown[1].pk)
    assert all_of_it[japan.pk].first == secret.pk
    only = asset("green", collection="Vault")
    hide(only)
    assert only.collection_id not in tree_for(viewer) and only.collection_id in tree_for(admin)


# --- the pages ------------------------------------------------------------------------------------


def send(browser: Client, at: str, *args: Any, **data: Any) -> str:
    answer = browser.post(reverse(f"assets:{at}", args=args), data, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_pages_make_edit_and_show_a_collection(browser: Client) -> None:
    page = browser.get("/collections/").content.decode()
    assert "There is no collection yet" in page
    asset("red", collection="Prints", title="Fire")
    prints = Collection.objects.get(name="Prints")
    page = send(browser, "collection_new", name="Japan", parent=prints.pk, description="Woodcuts")
    assert "Made the collection Japan" in page and "Woodcuts" in page and "No picture lives here yet" in page
    japan = Collection.objects.get(name="Japan")
    assert japan.parent == prints
    assert "of this name" in send(browser, "collection_new", name="japan", parent=prints.pk)
    page = send(
        browser, "collection_edit", japan.uid, name="Nippon", parent="", **{"initial-parent": prints.pk}
    )
    assert "<h1>Nippon</h1>" in page and ">Undo</button>" in page
    assert (
        'name="initial-name" value="Nippon"'
        in browser.get(f"{japan.get_absolute_url()}edit/").content.decode()
    )
    back = reverse("assets:undo", args=[Operation.objects.latest("pk").uid])
    undone = browser.post(back, {"next": "/collections/"})
    assert undone.status_code == 302 and Collection.objects.get(pk=japan.pk).parent == prints
    seen = {"initial-name": "Nihon", "initial-description": "Woodcuts"}  # before it became Japan
    send(browser, "collection_edit", japan.uid, name="Nihon", parent=prints.pk, description="", **seen)
    japan.refresh_from_db()
    assert (japan.name, japan.description) == ("Japan", "")
    page = browser.get(prints.get_absolute_url()).content.decode()
    assert "1 picture" in page and "Fire" in page and "?collection=Prints" in page and "Japan" in page


def test_a_full_collection_says_what_is_in_it_and_is_emptied_first(browser: Client, viewer: User) -> None:
    one, two = asset("red", collection="Prints"), asset("blue", collection="Prints")
    Collection.objects.named("Prints / Japan")
    other = Collection.objects.named("Paper")
    changes.trash([two], viewer)
    prints = one.collection
    page = browser.get(reverse("assets:collection_delete", args=[prints.uid])).content.decode()
    assert "1 picture of its own" in page and "1 picture in the trash" in page and "Japan" in page
    send(browser, "collection_delete", prints.uid)
    assert Collection.objects.filter(pk=prints.pk).exists()
    page = send(browser, "collection_delete", prints.uid, into=other.pk)
    assert "Deleted the collection Prints; moved 2 pictures" in page
    assert set(Asset.objects.values_list("collection", flat=True)) == {other.pk}
    assert Collection.objects.get(name="Japan").parent == other
    undo(Operation.objects.latest("pk"), viewer)
    assert set(Asset.objects.values_list("collection__name", flat=True)) == {"Prints"}
    assert Collection.objects.get(name="Japan").parent_id == prints.pk
    undo(Operation.objects.latest("pk"), viewer)
    assert not Collection.objects.filter(pk=prints.pk).exists()


def test_what_hides_something_is_not_deleted_by_whoever_does_not_see_it(browser: Client) -> None:
    seen, hidden = asset("red", collection="Prints"), asset("blue", collection="Prints")
    hide(hidden)
    other = Collection.objects.named("Paper")
    page = send(browser, "collection_delete", seen.collection.uid, into=other.pk)
    assert "by an administrator only" in page
    assert Asset.objects.get(pk=seen.pk).collection.name == "Prints"
    hide(seen)
    assert browser.get(seen.collection.get_absolute_url()).status_code == 404


def test_a_cover_is_chosen_and_taken_back(browser: Client) -> None:
    asset("red", collection="Prints"), (two := asset("blue", collection="Prints"))
    away = asset("green", collection="Elsewhere")
    home = two.collection
    assert "is undone" not in send(browser, "collection_cover", home.uid, asset=str(two.uid))
    assert Collection.objects.get(pk=home.pk).cover == two
    at = reverse("assets:collection_cover", args=[home.uid])
    for wrong in (str(away.uid), "x"):
        assert browser.post(at, {"asset": wrong}).status_code == 404
    send(browser, "collection_cover", home.uid)
    assert Collection.objects.get(pk=home.pk).cover is None
    assert Change.objects.filter(object_kind="collection", field="cover").count() == 2


def test_the_administration_keeps_the_history_as_well(client: Client, admin: User) -> None:
    client.force_login(admin)
    prints = Collection.objects.named("Prints")
    address = reverse("admin:assets_collection_change", args=[prints.pk])
    answer = client.post(address, {"name": "Pa / per", "parent": "", "description": ""}, follow=True)
    assert "stands between" in answer.content.decode()
    client.post(address, {"name": "Paper", "parent": "", "description": ""})
    undo(Operation.objects.get(kind="collection"), admin)
    assert Collection.objects.get(pk=prints.pk).name == "Prints"
