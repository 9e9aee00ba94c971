"""The library page: grid and list, selecting, steering by example, and why one result is there."""

import re

import pytest
from django.test import Client

from accounts.models import User
from assets import changes
from assets.models import Asset
from assets.views.lines import rights_name
from search import views
from tests.factories import asset

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("space")]


def two() -> tuple[Asset, Asset]:
    words = {"creator": "Berthe Morisot; Edma", "date": "1874", "accession": "M 7", "title": "Harbour"}
    rights = "https://creativecommons.org/licenses/by-sa/4.0/"
    return asset("blue", **words, rights=rights, tags="sea", collection="Oil"), asset(
        title="Quay", tags="sea"
    )


# --- grid and list --------------------------------------------------------------------------------------


def test_a_list_has_the_facts_of_each_picture(browser: Client) -> None:
    two()
    page = browser.get("/?view=list&sort=title").content.decode()
    first = re.sub(r"\s+", " ", page[page.index('class="card line"') :].partition("</li>")[0])
    text = re.sub(r"<[^>]+>", "", first)
    for fact in ("Harbour", "Maker: Berthe Morisot; Edma", "Date: 1874", "Number: M 7", "Collection: Oil"):
        assert fact in text
    assert "Rights: CC BY-SA 4.0" in text and "Size: 320 × 240" in text
    assert 'class="line-title" href="/?sort=title&amp;view=list" aria-current="true"' in page
    assert 'class="line-date" href="/?sort=date&amp;view=list"' in page


def test_the_view_is_in_the_address_and_remembered(browser: Client) -> None:
    two()
    assert "card line" not in browser.get("/?tag=sea").content.decode()
    page = browser.get("/?tag=sea&view=list")
    assert page.context["as_grid"] == "/?tag=sea&view=grid" and page.context["wish"].address().endswith(
        "view=list"
    )
    again = browser.get("/?tag=sea")
    assert "card line" in again.content.decode()
    assert again.context["as_list"] == "/?tag=sea&view=list"
    back = browser.get("/?view=grid")
    assert "card line" not in back.content.decode() and back.context["wish"].address() == "/"
    assert "card line" not in browser.get("/").content.decode()


def test_the_list_asks_no_question_more_however_long_it_is(browser: Client) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(address).status_code == 200
        return len(captured)

    two()
    queries("/?view=grid")
    assert queries("/?view=list") == queries("/?view=grid")


@pytest.mark.parametrize(
    ("rights", "name"),
    [
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0 1.0"),
        ("http://creativecommons.org/licenses/by/4.0/deed.de", "CC BY 4.0"),
        ("http://rightsstatements.org/vocab/InC/1.0/", "InC 1.0"),
        ("Ask the family", "Ask the family"),
        ("https://example.org/terms", "https://example.org/terms"),
    ],
)
def test_well_known_rights_have_a_short_name(rights: str, name: str) -> None:
    assert rights_name(rights) == name


# --- selecting, and pages above ---------------------------------------------------------------------------


def test_every_result_can_be_selected_by_its_title(browser: Client) -> None:
    one, _ = two()
    for view in ("grid", "list"):
        page = browser.get(f"/?tag=sea&view={view}").content.decode()
        assert page.count('class="pick"') == 2
        assert f'name="asset" value="{one.uid}" form="selection" aria-label="Select Harbour"' in page
        assert 'name="question" id="selection-question" value="tag=sea' in page
    assert 'class="pick"' not in browser.get(one.get_absolute_url()).content.decode()


def test_earlier_results_come_in_above(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "PER_PAGE", 1)
    for title in ("c", "b", "a"):
        asset(title=title)
    page = browser.get("/?page=3&sort=title")
    assert page.context["previous"] == "/?sort=title&page=2" and "Earlier results" in page.content.decode()
    asked = {"HX-Request": "true", "HX-Target": "cards", "HX-Trigger": "earlier"}
    above = browser.get("/?page=2&sort=title", headers=asked)
    text = above.content.decode()
    assert [card.title for card in above.context["cards"]] == ["b"] and 'id="pages"' not in text
    assert re.search(r'id="above" hx-swap-oob="true">\s*<a[^>]*href="/\?sort=title"', text)
    first = browser.get("/?sort=title", headers=asked)
    assert [card.title for card in first.context["cards"]] == ["a"] and "<html" not in first.content.decode()
    assert "Earlier results" not in first.content.decode()


# --- why one is there -----------------------------------------------------------------------------------


def why(browser: Client, one: Asset, question: str, at: int = 0) -> tuple[int, str]:
    answer = browser.get(f"{one.get_absolute_url()}why/", {"in": question, "at": at})
    return answer.status_code, re.sub(r"<(?!/?mark)[^>]+>", "", answer.content.decode())


def test_one_result_says_why_it_is_there(browser: Client) -> None:
    one, other = two()
    page = browser.get("/?q=harbours")
    assert page.content.decode().count('data-act="why"') == 1
    assert 'data-act="why"' not in browser.get("/?tag=sea").content.decode()
    status, text = why(browser, one, "q=harbours")
    assert status == 200 and "by words" in text and "<mark>Harbour</mark>" in text
    assert why(browser, one, "q=harbours", at=1)[0] == 200  # looked for nearby
    assert "likeness" not in why(browser, one, "tag=sea")[1]
    assert why(browser, other, "q=harbours&mode=keywords")[0] == 404


def test_why_says_nothing_of_what_is_hidden(browser: Client, admin: User) -> None:
    one, _ = two()
    assert why(browser, one, "q=harbour")[0] == 200
    changes.apply(changes.operation("edit", "Hide", user=admin), [one], {"access": "restricted"})
    assert why(browser, one, "q=harbour")[0] == 404
    browser.logout()
    assert why(browser, one, "q=harbour")[0] == 302
