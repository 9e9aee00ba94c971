"""An object's page: its words, its pictures by view and order, a new object, and the trash."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test import Client

from accounts.models import User
from assets import changes, purging, records
from assets.models import Asset, Collection, Depiction, Operation, Record
from tests.assets.test_views import HTMX, address
from tests.factories import asset

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("space")]


def shown(record: Record) -> list[tuple[int, str]]:
    return list(record.depictions.values_list("asset", "view"))


def act(browser: Client, record: Record, picture: Asset, act: str, view: str = "") -> Any:
    data = {"picture": str(picture.uid), "act": act, "view": view}
    return browser.post(f"{record.get_absolute_url()}pictures/", data)


def undo_last(browser: Client) -> None:
    browser.post(f"/operations/{Operation.objects.first().uid}/undo/")  # type: ignore[union-attr]


def test_an_object_is_edited_where_it_stands(browser: Client) -> None:
    asset(accession="7", title="Nite", creator="Hiroshige")
    record = Record.objects.get()
    at = f"{record.get_absolute_url()}edit/"
    assert 'name="title"' in browser.get(f"{at}title/", headers=HTMX).content.decode()
    sent = {"title": "Night", "initial-title": "Nite"}
    answer = browser.post(f"{at}title/", sent, headers=HTMX)
    page = answer.content.decode()
    assert answer["HX-Retarget"] == "#words" and "<h1>Night</h1>" in page and "Undo" in page
    assert (
        browser.post(f"{at}title/", sent | {"title": "Mine"}, headers=HTMX)
        .content.decode()
        .count("It says now")
        == 1
    )
    places = {"places": "Edo; Kyoto", "initial-places": ""}
    assert "Kyoto</a>" in browser.post(f"{at}places/", places, headers=HTMX).content.decode()
    whole = browser.get(at).content.decode()
    assert 'name="medium"' in whole and 'name="alt_text"' not in whole and 'name="collection"' not in whole
    assert browser.get(f"{at}alt_text/", headers=HTMX).status_code == 404
    assert browser.get(f"{at}title/")["Location"] == f"{at}#id_title"


def test_pictures_are_put_in_order_and_shown_as_other_views(browser: Client) -> None:
    one, two, three = (asset(color, accession="7") for color in ("red", "blue", "green"))
    record = Record.objects.get()
    act(browser, record, three, "earlier")
    assert [pk for pk, _ in shown(record)] == [one.pk, three.pk, two.pk]
    act(browser, record, one, "view", "verso")
    assert shown(record) == [(one.pk, "verso"), (three.pk, "recto"), (two.pk, "recto")]
    page = browser.get(record.get_absolute_url()).content.decode()
    assert (
        page.index(address(three))
        < page.index(address(two))
        < page.index("<h3>Verso")
        < page.rindex(address(one))
    )
    assert "picture.jpg (verso (back))" in page
    undo_last(browser)
    assert shown(record)[0] == (one.pk, "recto")
    act(browser, record, two, "later")
    assert "Nothing was changed." in browser.get("/jobs/").content.decode()


def test_hidden_pictures_keep_their_place(browser: Client) -> None:
    one, hidden, two = (asset(color, accession="7") for color in ("red", "blue", "green"))
    Asset.objects.filter(pk=hidden.pk).update(access="restricted")
    record = Record.objects.get()
    act(browser, record, two, "earlier")
    assert [pk for pk, _ in shown(record)] == [two.pk, hidden.pk, one.pk]
    assert act(browser, record, hidden, "remove").status_code == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("vocabularies")
def test_a_picture_that_is_taken_out_while_it_is_moved_stays_out(admin: User) -> None:
    one, two = asset("red", accession="7"), asset("blue", accession="7")
    record = Record.objects.get()

    def move() -> None:
        records.arrange(record, two, admin, step=-1)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            records.detach(record, two, admin)
            moved = pool.submit(move)
            time.sleep(0.3)  # until it waits for this transaction
        moved.result()
    assert shown(record) == [(one.pk, "recto")]


def test_a_picture_is_found_added_and_taken_out_again(browser: Client) -> None:
    found, other = asset(accession="7", title="Night"), asset("blue", "sunday.jpg")
    secret = asset("green", "sunday-secret.jpg")
    Asset.objects.filter(pk=secret.pk).update(access="restricted")
    record = Record.objects.get()
    for asked in ("Sunday", str(other.uid), f"http://testserver{other.get_absolute_url()}"):
        page = browser.get(f"{record.get_absolute_url()}find/", {"find": asked}).content.decode()
        assert str(other.uid) in page and "secret" not in page and address(found) not in page
    assert "No picture" in browser.get(f"{record.get_absolute_url()}find/?find=7").content.decode()
    answer = act(browser, record, other, "add", "detail")
    assert shown(record)[1] == (other.pk, "detail") and answer["Location"].endswith(f"#card-{other.uid}")
    act(browser, record, other, "remove")
    assert len(shown(record)) == 1
    undo_last(browser)
    assert shown(record)[1] == (other.pk, "detail")
    assert act(browser, record, secret, "add").status_code == 404
    assert act(browser, record, other, "dance").status_code == 302


def test_a_picture_that_is_added_takes_the_place_that_waited(browser: Client) -> None:
    picture = asset()
    browser.post("/records/new/", {"accession_number": "7", "home": "Prints"})
    record, place = Record.objects.get(), Asset.objects.awaited().get()
    act(browser, record, picture, "add")
    place.refresh_from_db()
    assert place.trashed_at is not None
    undo_last(browser)
    place.refresh_from_db()
    assert place.trashed_at is None and [pk for pk, _ in shown(record)] == [place.pk]


def test_a_new_object_waits_for_its_picture_or_is_shown_by_one(browser: Client) -> None:
    assert "Write an accession number or a title" in browser.post("/records/new/", {}).content.decode()
    assert not Record.objects.exists()
    answer = browser.post(
        "/records/new/",
        {"accession_number": "7", "title": "Night", "creators": "Hiroshige; Eisen", "date": "1840"},
    )
    record = Record.objects.get()
    assert answer["Location"] == record.get_absolute_url()
    assert (record.title, record.creators, record.year_earliest) == ("Night", ["Hiroshige", "Eisen"], 1840)
    assert Asset.objects.get().is_awaited and Collection.objects.get().name == "Unsorted"
    again = browser.post("/records/new/", {"accession_number": "7"}).content.decode()
    assert "Another record has the accession number 7." in again and Record.objects.count() == 1
    picture = asset()
    told = browser.post(address(picture, "objects/"), {"accession": "8", "view": "recto"})
    assert told["Location"] == f"/records/new/?picture={picture.uid}&accession=8"
    assert 'value="8"' in browser.get(told["Location"]).content.decode()
    browser.post(told["Location"], {"accession_number": "8", "title": "Day"})
    assert Asset.objects.get(pk=picture.pk).display_title == "Day"
    browser.post(address(picture, "objects/"), {"accession": "7", "view": "verso"})
    assert (picture.pk, "verso") in shown(record)
    undo_last(browser)
    assert (picture.pk, "verso") not in shown(record)


def test_an_object_behind_hidden_pictures_is_not_told(browser: Client) -> None:
    hidden, mine = asset(accession="7", title="Secret"), asset("blue")
    Asset.objects.filter(pk=hidden.pk).update(access="restricted")
    for answer in (
        browser.post(address(mine, "objects/"), {"accession": "7"}, follow=True),
        browser.post("/records/new/", {"accession_number": "7"}),
    ):
        page = answer.content.decode()
        assert "cannot be changed by you" in page and "Secret" not in page
    Record.objects.update(accession_number="", accession_key="")
    page = browser.post(address(mine, "objects/"), {"accession": "-"}, follow=True).content.decode()
    assert "cannot be changed by you" not in page
    assert Record.objects.count() == 1
    for part in ("", "edit/", "find/"):
        assert browser.get(f"{Record.objects.get().get_absolute_url()}{part}").status_code == 404


def test_an_object_goes_into_the_trash_and_comes_back(browser: Client) -> None:
    picture = asset(accession="7", title="Night")
    record = Record.objects.get()
    browser.post(f"{record.get_absolute_url()}trash/")
    assert Asset.objects.get().trashed_at is None and Asset.objects.get().display_title == "picture.jpg"
    trash = browser.get("/trash/").content.decode()
    assert record.get_absolute_url() in trash
    assert "in the trash since" in browser.get(record.get_absolute_url()).content.decode()
    browser.post(f"{record.get_absolute_url()}restore/")
    assert Asset.objects.get(pk=picture.pk).display_title == "Night"
    browser.post(f"{record.get_absolute_url()}trash/")
    asset("blue", accession="7", title="Another")
    page = browser.post(f"{record.get_absolute_url()}restore/", follow=True).content.decode()
    assert "It stays in the trash." in page and Record.objects.live().count() == 1
    browser.post("/records/new/", {"accession_number": "8", "title": "Alone"})
    alone = Record.objects.get(accession_key="8")
    browser.post(f"{alone.get_absolute_url()}trash/")
    trash = browser.get("/trash/").content.decode()
    place = Asset.objects.awaited().get()
    assert f"{alone.get_absolute_url()}restore/" in trash and "Deleted for good in" in trash
    assert place.get_absolute_url() not in trash
    browser.post(f"{alone.get_absolute_url()}restore/")
    assert Asset.objects.awaited().get().trashed_at is None


def test_addresses_are_permanent(browser: Client, admin: Any) -> None:
    found = asset(accession="7")
    record = Record.objects.get()
    for one in (found, record):
        whole = f"http://testserver{one.get_absolute_url()}"
        page = browser.get(one.get_absolute_url()).content.decode()
        assert f'<link rel="canonical" href="{whole}">' in page and f'data-copy="{whole}"' in page
        assert browser.get(f"/id/{one.uid}")["Location"] == one.get_absolute_url()
    asked = browser.get(record.get_absolute_url(), headers={"accept": "application/json"})
    assert (asked.status_code, asked["Location"]) == (303, f"/api/v1/records/{record.uid}")
    assert "Accept" in asked["Vary"]
    assert browser.get(f"/id/{uuid4()}").status_code == 404
    changes.trash([found], admin)
    purging.purge([found.pk], admin)
    assert browser.get(f"/id/{found.uid}").status_code == 410


def test_depictions_are_in_the_history_of_the_object(browser: Client) -> None:
    found = asset(accession="7")
    record = Record.objects.get()
    act(browser, record, found, "remove")
    page = browser.get(record.get_absolute_url()).content.decode()
    assert "<del>picture.jpg (recto (front))</del>" in page
    Asset.objects.update(access="restricted")
    assert "picture.jpg" not in browser.get(record.get_absolute_url()).content.decode()
    assert not Depiction.objects.exists()
