"""Going along the results from picture to picture."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from accounts.models import User
from assets import changes
from assets.models import Asset
from search import along
from tests.factories import asset

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("space")]
TITLES = ["One", "Two", "Three", "Four", "Five"]


@pytest.fixture
def five(db: None, space: object) -> list[Asset]:
    return [asset("red", name=f"{title}.jpg", title=title, tags="row") for title in TITLES]


def links(browser: Client, address: str) -> dict[str, str]:
    """The addresses of the cards by their titles."""
    return {card.title: card.url + card.place for card in browser.get(address).context["cards"]}


def neighbours(browser: Client, address: str) -> tuple[int, int, str, str]:
    """What the page at an address says of its place: number, total, and who is beside it."""
    split = urlsplit(address)
    answer = browser.get(f"{split.path}along/?{split.query}", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    place = answer.context["place"]
    before, behind = (one.title if one else "" for one in (place.previous, place.next))
    return place.number, place.total, before, behind


def hide(pictures: list[Asset], admin: User) -> None:
    changes.apply(changes.operation("edit", "Hide", user=admin), pictures, {"access": "restricted"})


def test_every_result_knows_its_place(five: list[Asset], browser: Client) -> None:
    found = links(browser, "/?tag=row&sort=added")
    assert list(found) == TITLES[::-1]
    assert neighbours(browser, found["Five"]) == (1, 5, "", "Four")
    assert neighbours(browser, found["Three"]) == (3, 5, "Four", "Two")
    assert neighbours(browser, found["One"]) == (5, 5, "Two", "")
    page = browser.get(found["Three"]).content.decode()
    assert f"/assets/{five[2].uid}/along/?" in page


def test_along_a_ranking(five: list[Asset], browser: Client) -> None:
    found = links(browser, "/?q=three+row&mode=keywords")
    assert neighbours(browser, found["Three"])[:3] == (1, len(found), "")


def test_without_a_script_links_lead_on_and_stop_at_the_ends(five: list[Asset], browser: Client) -> None:
    address, seen = links(browser, "/?tag=row")["Five"], []
    for _ in range(5):
        split = urlsplit(address)
        answer = browser.get(f"{split.path}along/?{split.query}&go=next")
        assert answer.status_code == 302
        address = answer["Location"]
        seen.append(browser.get(address).context["asset"].title)
    assert seen == ["Four", "Three", "Two", "One", "One"]
    back = browser.get(f"{five[1].get_absolute_url()}along/?in=tag%3Drow&at=3&go=previous")["Location"]
    assert parse_qs(urlsplit(back).query) == {"in": ["tag=row"], "at": ["2"]}


def test_the_way_back_is_the_page_of_the_results_where_it_stands(five: list[Asset], browser: Client) -> None:
    answer = browser.get(f"{five[0].get_absolute_url()}along/?in=tag%3Drow&at=100")
    assert answer.context["place"] is None
    assert f'href="/?tag=row&amp;page=3#card-{five[0].uid}"' in answer.content.decode()
    assert "not among the results any more" in answer.content.decode()


def test_who_is_hidden_meanwhile_is_left_out(five: list[Asset], browser: Client, admin: User) -> None:
    found = links(browser, "/?tag=row")
    hide([five[1]], admin)
    assert neighbours(browser, found["Three"]) == (3, 4, "Four", "One")
    answer = browser.get(f"{five[1].get_absolute_url()}along/?in=tag%3Drow&at=3")
    assert answer.status_code == 404


def test_a_picture_that_has_moved_in_the_list_is_found_nearby(five: list[Asset], browser: Client) -> None:
    found = links(browser, "/?tag=row")
    for number in range(4):
        asset("blue", title=f"Newer {number}", tags="row")
    assert neighbours(browser, found["Five"]) == (5, 9, "Newer 0", "Four")


def test_wrong_places(browser: Client) -> None:
    found = asset("red")
    for at in ("", "-1", "x", "²", "9" * 40):
        answer = browser.get(f"{found.get_absolute_url()}along/", {"in": "tag=row", "at": at})
        assert answer.status_code == 200
        assert along.number(at) <= along.FURTHEST
