"""Light tables: what lies on them, in which order, for whom, and two people at one table."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import User
from assets import light_tables
from assets.changes import ChangeRefused, apply, collections, operation, undo
from assets.light_tables import TableError, items_for
from assets.models import Asset, AssetSet, Collection, Operation
from tests.factories import asset

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def three() -> list[Asset]:
    return [asset(color, title=color) for color in ("red", "green", "blue")]


@pytest.fixture
def table(viewer: User, three: list[Asset]) -> AssetSet:
    made = light_tables.make(viewer, "Spring", shared=True)
    light_tables.add(viewer, made, [one.pk for one in three])
    return made


def hide(one: Asset) -> None:
    apply(operation("edit", ""), [one], {"access": "restricted"})


def lying(user: User, table: AssetSet) -> list[str]:
    return list(items_for(user, table).values_list("asset__title", flat=True))


def test_pictures_are_added_once_in_their_order(viewer: User, three: list[Asset], table: AssetSet) -> None:
    assert lying(viewer, table) == ["red", "green", "blue"]
    black = asset("black", title="black")
    added = light_tables.add(viewer, table, [three[0].pk, black.pk, black.pk, 10**12])
    assert (added.added, added.known) == (1, 1)
    assert added.operation and lying(viewer, table) == ["red", "green", "blue", "black"]
    undo(added.operation, viewer)
    assert lying(viewer, table) == ["red", "green", "blue"]
    assert light_tables.add(viewer, table, [three[0].pk]).operation is None


def test_what_one_may_not_see_is_neither_added_nor_counted(
    viewer: User, admin: User, three: list[Asset], table: AssetSet
) -> None:
    hide(three[0])
    hide(secret := asset("black", title="black"))
    assert light_tables.add(viewer, table, [secret.pk, three[0].pk])[:2] == (0, 0)
    assert lying(viewer, table) == ["green", "blue"] and lying(admin, table) == ["red", "green", "blue"]
    with pytest.raises(TableError, match="any more"):
        light_tables.move(viewer, table, three[0], by=1)
    assert light_tables.remove(viewer, table, [three[0].pk]) is None
    light_tables.move(viewer, table, three[2], place=1)
    assert lying(viewer, table) == ["blue", "green"] and lying(admin, table) == ["red", "blue", "green"]


def test_moves(viewer: User, three: list[Asset], table: AssetSet) -> None:
    red, green, blue = three
    for how, wanted in (
        ({"by": 1}, ["green", "red", "blue"]),
        ({"by": -1}, ["red", "green", "blue"]),
        ({"by": -1}, ["red", "green", "blue"]),
        ({"before": blue}, ["green", "red", "blue"]),
        ({}, ["green", "blue", "red"]),
        ({"place": 2}, ["green", "red", "blue"]),
        ({"place": 99}, ["green", "blue", "red"]),
        ({"before": red}, ["green", "blue", "red"]),
    ):
        light_tables.move(viewer, table, red, **how)
        assert lying(viewer, table) == wanted
    assert sorted(table.items.values_list("position", flat=True)) == [0, 1, 2]


def test_a_removal_is_undone_where_it_was_with_its_note(
    viewer: User, three: list[Asset], table: AssetSet
) -> None:
    light_tables.note(viewer, table, three[1], "for the wall on the left")
    op = light_tables.remove(viewer, table, [three[1].pk, three[0].pk])
    assert op and lying(viewer, table) == ["blue"]
    again = undo(op, viewer)
    assert lying(viewer, table) == ["red", "green", "blue"]
    assert items_for(viewer, table)[1].note == "for the wall on the left"
    undo(again, viewer)
    assert lying(viewer, table) == ["blue"]


def test_a_private_table_is_its_owners_alone(viewer: User, admin: User, three: list[Asset]) -> None:
    mine = light_tables.make(viewer, "Mine")
    with pytest.raises(TableError, match="not there"):
        light_tables.add(admin, mine, [three[0].pk])
    assert mine not in AssetSet.objects.visible_to(admin)


def test_a_full_table_takes_no_more(
    viewer: User, three: list[Asset], table: AssetSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(light_tables, "MOST", 3)
    with pytest.raises(TableError, match="at most 3"):
        light_tables.add(viewer, table, [asset("black").pk])


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("vocabularies")
def test_what_several_do_at_once_is_all_done(viewer: User) -> None:
    pictures = [asset("red", title=str(n)) for n in range(6)]
    table = light_tables.make(viewer, "Spring")
    light_tables.add(viewer, table, [one.pk for one in pictures[:4]])

    def act(n: int) -> None:
        if n < 2:
            light_tables.add(viewer, table, [pictures[4 + n].pk])
        elif n < 4:
            light_tables.move(viewer, table, pictures[n], place=1)
        elif n == 4:
            light_tables.remove(viewer, table, [pictures[0].pk])
        else:
            with suppress(ChangeRefused):  # the later of the two would close a circle
                collections.change(operation("collection", ""), homes[n - 5], {"parent": homes[6 - n]})
        connection.close()

    homes = [Collection.objects.named(name) for name in ("Prints", "Japan")]
    with ThreadPoolExecutor(7) as pool:
        list(pool.map(act, range(7)))
    assert Collection.objects.filter(parent__in=homes).count() == 1
    assert sorted(lying(viewer, table)) == ["1", "2", "3", "4", "5"]
    assert set(lying(viewer, table)[:2]) == {"2", "3"}
    assert len(set(table.items.values_list("position", flat=True))) == 5


# --- the pages ------------------------------------------------------------------------------------


def send(browser: Client, at: str, *args: Any, **data: Any) -> str:
    answer = browser.post(reverse(f"assets:{at}", args=args), data, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_the_pages(
    browser: Client, viewer: User, admin: User, three: list[Asset], django_assert_max_num_queries: Any
) -> None:
    assert "You have none yet" in browser.get("/tables/").content.decode()
    assert "Nothing lies here yet" in send(browser, "light_tables", name="Spring", description="Left room")
    table = AssetSet.objects.get()
    page = send(browser, "put_on_table", three[0].uid, table=str(table.uid))
    assert "It lies on Spring now." in page and f"#item-{three[0].uid}" in page
    assert "already" in send(browser, "put_on_table", three[0].uid, table=str(table.uid))
    assert "write the name" in send(browser, "put_on_table", three[0].uid)
    send(browser, "put_on_table", three[0].uid, name="Autumn")
    send(browser, "table_change", table.uid, three[0].uid, note="Ask for the loan")
    older = {"initial-note": ""}  # a page that was opened before
    page = send(browser, "table_change", table.uid, three[0].uid, note="", place="1", **older)
    assert 'name="initial-note" value="Ask for the loan"' in page
    sheet = browser.get(reverse("assets:table_print", args=[table.uid])).content.decode()
    assert "Ask for the loan" in sheet and "red" in sheet and "Left room" in sheet
    with django_assert_max_num_queries(11):
        page = browser.get("/tables/").content.decode()
    assert "Autumn" in page and "1 picture" in page
    hide(three[0])
    assert "0 pictures" in browser.get("/tables/").content.decode()
    assert send(browser, "table_delete", table.uid).count("Spring") == 1  # in the message alone
    undo(Operation.objects.latest("pk"), viewer)
    assert AssetSet.objects.get(name="Spring").uid == table.uid and lying(admin, table) == ["red"]


def test_the_table_by_buttons_and_who_is_told(browser: Client, three: list[Asset], table: AssetSet) -> None:
    table.refresh_from_db()
    at = reverse("assets:table_move", args=[table.uid, three[2].uid])
    answer = browser.post(at, {"by": "-1", "seen": table.arrangement}, **HTMX).content.decode()
    assert answer.index(">red<") < answer.index(">blue<") < answer.index(">green<")
    assert "blue: place 2 of 3" in answer and "Somebody else" not in answer
    late = browser.post(at, {"before": str(three[0].uid), "seen": table.arrangement}, **HTMX).content.decode()
    assert "Somebody else has arranged" in late and late.index(">blue<") < late.index(">red<")
    taken = browser.post(reverse("assets:table_remove", args=[table.uid, three[2].uid]), **HTMX)
    assert ">Undo</button>" in taken.content.decode()
    assert browser.post(at, {"by": "1"}, **HTMX).status_code == 200  # it is gone: said, not broken


def test_others_arrange_a_shared_table_and_do_not_delete_it(
    client: Client, admin: User, viewer: User, table: AssetSet
) -> None:
    other = User.objects.create_user("other")
    client.force_login(other)
    assert "Spring" in client.get("/tables/").content.decode()
    assert client.post(reverse("assets:table_delete", args=[table.uid])).status_code == 403
    client.post(reverse("assets:table_edit", args=[table.uid]), {"name": "Summer", "description": ""})
    table.refresh_from_db()
    assert (table.name, table.shared) == ("Summer", True)
    seen = {"initial-name": "Spring", "initial-description": ""}  # before it became Summer
    client.post(
        reverse("assets:table_edit", args=[table.uid]), {"name": "Spring", "description": "New"} | seen
    )
    table.refresh_from_db()
    assert (table.name, table.description, table.shared) == ("Summer", "New", True)
    AssetSet.objects.update(shared=False)
    assert client.get(table.get_absolute_url()).status_code == 404
    put = reverse("assets:undo", args=[Operation.objects.latest("pk").uid])
    assert client.post(put).status_code == 404
    client.force_login(viewer)
    send(client, "table_delete", table.uid)
    client.force_login(other)
    assert client.post(reverse("assets:undo", args=[Operation.objects.latest("pk").uid])).status_code == 404
    assert not AssetSet.objects.exists()
