"""The timeline of the library page: how many are of each time, and the pictures in order under its names."""

import re

import pytest
from django.test import Client

from accounts.models import User
from assets import changes
from assets.models import Asset
from search import steps, views
from search.forms import Wish
from tests.factories import asset

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("space")]


def dated(*dates: str) -> list[Asset]:
    """One for each of these, with its date as the title."""
    return [asset(title=date or "none", date=date, tags="sea") for date in dates]


def outline(page: str) -> list[str]:
    """The headings, with a # before them, and the titles of the cards, as they stand on the page."""
    found = re.findall(
        r'<h3>([^<]*)</h3>|<a href="/assets/[^"]*">([^<]*)</a>', page.partition('id="cards"')[2]
    )
    return [f"# {heading}" if heading else title for heading, title in found]


def bars(page: str) -> list[str]:
    """What a screen reader reads of each bar."""
    listed = re.search(r'<ol class="bars bare[^>]*>(.*?)</ol>', page, re.S)
    texts = re.findall(r"<li.*?</li>", listed[1], re.S) if listed else []
    texts = [re.sub(r"<span[^>]*aria-hidden.*?</span>", "", text) for text in texts]
    return [" ".join(re.sub(r"<[^>]+>", "", text).split()).replace(" ,", ",") for text in texts]


def test_pictures_stand_under_the_names_of_their_time(browser: Client) -> None:
    dated("1889", "", "before 1500", "1874", "1883", "no idea")
    answer = browser.get("/?view=timeline&sort=title")
    page = answer.content.decode()
    assert bars(page) == ["1500–1509, 1 picture", "1870–1879, 1 picture", "1880–1889, 2 pictures"]
    assert outline(page) == [
        *("# 1870–1879", "1874", "# 1880–1889", "1883", "1889"),
        *("# First year not known", "before 1500", "# Without a year", "none", "no idea"),
    ]
    assert re.search(r'role="status">\s*6 pictures\s*<', page) and '<select id="sort"' not in page
    assert answer.context["as_grid"] == "/?sort=title&view=grid"  # the order that one had is still there


def test_a_bar_narrows_and_a_path_leads_out_again(browser: Client) -> None:
    dated("1889", "1874", "1760", "")
    address = "/?filter=tag%3Asea&filter=date%3A{}&view=timeline"
    plot = browser.get("/?filter=tag%3Asea&view=timeline").context["timeline"]
    assert plot.all_dates == "" and [bar.apart for bar in plot.bars] == [False, True, False]
    assert [bar.begins for bar in plot.bars] == ["1760", "1870", "1880"]
    assert plot.bars[1].address == address.format("1870..1879")
    inside = browser.get(plot.bars[1].address)
    assert outline(inside.content.decode()) == ["# 1870–1879", "1874"]
    narrowed = inside.context["timeline"]
    assert (narrowed.bars, narrowed.undated[0]) == ([], 0)
    assert narrowed.all_dates == "/?filter=tag%3Asea&view=timeline" and "All dates" in inside.content.decode()


def test_each_step_of_the_path_leaves_the_later_ones_out() -> None:
    wish = Wish(
        q="boat date:1500..1999", filters=("date:1800..1899", "tag:sea", "date:1850..1859"), view="timeline"
    )
    century, decade = steps.path(wish, "date")
    assert (century[0], decade) == ("1800–1899", ("1850–1859", wish.address()))
    assert century[1] == wish.address(filters=("date:1800..1899", "tag:sea"))
    assert steps.without(wish, "date") == wish.address(q="boat", filters=("tag:sea",))
    assert steps.without(Wish(q="boat -date:1880", filters=("has:date",)), "date") == ""


def test_the_numbers_of_those_without_a_year_are_what_their_links_find(browser: Client) -> None:
    dated("1889", "", "", "no idea")
    page = browser.get("/?tag=sea&view=timeline")
    plot = page.context["timeline"]
    assert (plot.undated[0], plot.unread[0]) == (2, 1)
    assert "2 pictures have no date" in page.content.decode()
    for number, address in (plot.undated, plot.unread):
        assert "view=" not in address and browser.get(address).context["results"].total == number
    alone = browser.get(f"{plot.undated[1]}&view=timeline")
    assert "None of these pictures has a year." in alone.content.decode()
    assert alone.context["timeline"].undated[0] == 0


def test_what_is_hidden_is_in_no_bar(browser: Client, admin: User) -> None:
    _, hidden = dated("1889", "1500")
    changes.apply(changes.operation("edit", "Hide", user=admin), [hidden], {"access": "restricted"})
    page = browser.get("/?view=timeline").content.decode()
    assert bars(page) == ["1880–1889, 1 picture"] and outline(page) == ["# 1880–1889", "1889"]
    assert "1500" not in page


def test_a_further_page_goes_on_under_headings_as_wide(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "PER_PAGE", 2)
    monkeypatch.setattr("search.facets.MOST_BARS", 2)
    dated("1810", "1820", "1830", "1920")
    page = browser.get("/?view=timeline")
    assert outline(page.content.decode()) == ["# 1800–1899", "1810", "1820"] and page.context["next"] == (
        "/?page=2&view=timeline"
    )
    asked = {"HX-Request": "true", "HX-Target": "cards"}
    more = browser.get(page.context["more"], headers=asked)
    text = f'id="cards"{more.content.decode()}'
    assert outline(text) == ["# 1800–1899", "1830", "# 1900–1999", "1920"] and "timeline-title" not in text
    below = browser.get("/?page=2&view=timeline")
    above = browser.get(below.context["earlier"], headers=asked | {"HX-Trigger": "earlier"})
    assert outline(f'id="cards"{above.content.decode()}') == ["# 1800–1899", "1810", "1820"]


def test_the_neighbours_of_a_picture_are_those_of_the_timeline(browser: Client) -> None:
    dated("1889", "1874", "1760")
    card = browser.get("/?view=timeline").context["cards"][1]
    beside = browser.get(f"{card.url}along/{card.place}").context["place"]
    assert (beside.previous.title, card.title, beside.next.title) == ("1760", "1874", "1889")


def test_a_timeline_is_not_what_the_next_question_begins_with(browser: Client) -> None:
    dated("1889")
    assert browser.get("/?view=timeline").context["timeline"]
    assert "timeline" not in browser.get("/").context
    nothing = browser.get("/?tag=sea&filter=date:1500&view=timeline")
    assert "Nothing found" in nothing.content.decode() and "timeline" not in nothing.context
