import re
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from assets.models import Asset, StageRun
from search import counting, forms, rows, views
from search.forms import PER_PAGE, Wish
from tests.encoder import ColourEncoder
from tests.factories import asset, picture, take_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("space")]


def shown(browser: Client, address: str) -> list[str]:
    """The titles of the cards, in their order."""
    answer = browser.get(address)
    assert answer.status_code == 200
    return [card.title for card in answer.context["cards"]]


def library() -> tuple[Asset, Asset, Asset]:
    red = asset(
        "red", done=True, title="Fire", accession="1", tags="hot; bright", collection="Elements / Warm"
    )
    blue = asset("blue", done=True, title="Sea", tags="bright", collection="Elements / Cold")
    black = asset("black", done=True, title="Coal", tags="hot", collection="Elements / Cold")
    return red, blue, black


# --- the address ----------------------------------------------------------------------------------------


def test_an_address_is_read_and_written_back() -> None:
    address = "q=red+boat&tag=a&tag=b&collection=Prints&mode=visual&sort=title&page=3"
    wish = Wish.of(QueryDict(address))
    assert (wish.q, wish.tags, wish.mode, wish.page) == ("red boat", ("a", "b"), "visual", 3)
    assert wish.address(page=3) == f"/?{address}"
    assert wish.address() == f"/?{address.removesuffix('&page=3')}"
    assert Wish().address() == "/"


def test_wrong_values_in_an_address_are_left_out() -> None:
    wish = Wish.of(QueryDict("mode=magic&sort=none&page=-1&like=nonsense&tag=&tag=+a++b%00+&q=%00x"))
    assert (wish.mode, wish.sort, wish.page, wish.like, wish.tags) == ("best", "relevance", 1, (), ("a b",))


# --- the page -------------------------------------------------------------------------------------------


def test_the_script_that_says_that_keys_are_listened_to_is_the_last(browser: Client) -> None:
    *_, last = re.findall(r'<script type="module" src="([^"]+)"', browser.get("/").content.decode())
    assert last.endswith("js/page.js")


def test_an_empty_library_leads_to_the_upload(browser: Client) -> None:
    page = browser.get("/").content.decode()
    assert "The library is empty" in page and 'href="/upload/"' in page


def test_without_a_question_it_shows_all_newest_first(browser: Client) -> None:
    library()
    assert shown(browser, "/") == ["Coal", "Sea", "Fire"]
    assert shown(browser, "/?sort=title") == ["Coal", "Fire", "Sea"]


def test_words_tags_and_collections_go_together(browser: Client) -> None:
    library()
    assert shown(browser, "/?q=red")[0] == "Fire"
    assert shown(browser, "/?q=sea&mode=keywords") == ["Sea"]
    assert set(shown(browser, "/?tag=bright")) == {"Fire", "Sea"}
    assert shown(browser, "/?tag=bright&tag=hot") == ["Fire"]
    assert shown(browser, "/?q=red&tag=bright&collection=Cold") == ["Sea"]
    assert len(shown(browser, "/?collection=Elements")) == 3


def test_more_like_this_leaves_the_example_out_and_shows_it_above(browser: Client) -> None:
    red, _, _ = library()
    asset("red", done=True, title="Ember")
    page = browser.get(f"/?like={red.uid}")
    assert page.context["cards"][0].title == "Ember"
    assert "Fire" not in [card.title for card in page.context["cards"]]
    assert f'name="like" value="{red.uid}"' in page.content.decode()


def test_like_something_hidden_says_nothing_of_it(browser: Client) -> None:
    red, _, _ = library()
    Asset.objects.filter(pk=red.pk).update(access="restricted")
    page = browser.get(f"/?like={red.uid}").content.decode()
    assert "Fire" not in page


def test_a_picture_searches_by_itself_and_keeps_the_filters(browser: Client) -> None:
    library()
    file = SimpleUploadedFile("x.png", picture("blue", format="PNG"), "image/png")
    answer = browser.post("/search/picture/", {"picture": file, "tag": "bright"})
    assert answer.status_code == 302 and "tag=bright" in answer["Location"]
    assert shown(browser, answer["Location"])[0] == "Sea"


def test_what_is_no_picture_is_answered_in_words(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    library()
    file = SimpleUploadedFile("x.png", b"words", "image/png")
    page = browser.post("/search/picture/", {"picture": file}, follow=True)
    assert page.status_code == 200 and page.context["results"].notices
    assert "Choose a picture" in browser.post("/search/picture/", {}, follow=True).content.decode()
    monkeypatch.setattr(views, "MAX_PICTURE_BYTES", 3)
    file.seek(0)
    page = browser.post("/search/picture/", {"picture": file}, follow=True)
    assert "upload larger ones" in page.content.decode()
    assert "kept for an hour" in browser.get("/?picture=gone").content.decode()


def test_nothing_found_offers_ways_on(browser: Client) -> None:
    library()
    page = browser.get("/?q=zebra&mode=keywords&tag=hot").content.decode()
    for words in ("Nothing found", "without the filters", "by likeness", "whole library"):
        assert words in page
    assert "There is no tag" in browser.get("/?tag=nosuch").content.decode()


def test_what_people_type_is_never_markup(browser: Client) -> None:
    asset(title="<b>Night</b>", tags="<i>x")
    page = browser.get('/?q="><script>x</script>&tag=<i>x').content.decode()
    assert "<script>x" not in page and "<i>x" not in page and "<b>Night" not in page


def test_pages_have_real_links_and_partials(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "PER_PAGE", 2)
    library()
    first = browser.get("/")
    assert first.context["next"] == "/?page=2" and 'href="/?page=2"' in first.content.decode()
    second = browser.get("/?page=2")
    assert [card.title for card in second.context["cards"]] == ["Fire"] and second.context["previous"] == "/"
    more = browser.get("/?page=2", headers={"HX-Request": "true"}).content.decode()
    assert "Fire" in more and "<html" not in more and 'hx-swap-oob="true"' in more
    assert browser.get("/?page=9").status_code == 200
    assert PER_PAGE == 48


def test_coming_back_shows_what_show_more_had_brought(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "PER_PAGE", 1)
    library()
    asset("green", done=True, title="Leaf")
    assert browser.get("/").context["more"] == "/?page=2&first=1"
    second = browser.get("/?page=2&first=1", headers={"HX-Request": "true"})
    assert [card.title for card in second.context["cards"]] == ["Coal"]
    assert second.context["more"] == "/?page=3&first=1" and second.context["previous"] == ""
    assert shown(browser, "/?page=3&first=1") == ["Leaf", "Coal", "Sea"]
    again = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "<html" in browser.get("/?page=3&first=1", headers=again).content.decode()
    assert shown(browser, "/?page=3&first=2") == ["Coal", "Sea"]
    assert browser.get("/?page=3&first=2").context["previous"] == "/"
    assert shown(browser, "/?page=3&first=7") == ["Sea"]
    assert Wish.of(QueryDict("page=30&first=1")).begin == 21  # not all at once
    monkeypatch.setattr(forms, "MOST_PAGES", 2)
    assert browser.get("/?page=3&first=1").context["previous"] == "/"


def test_the_models_notice_leads_to_an_explanation(browser: Client, encoder: ColourEncoder) -> None:
    library()
    assert "/help/models/" not in browser.get("/?q=red&tag=hot").content.decode()
    encoder.notice = "This model is basic."
    page = browser.get("/?q=red").content.decode()
    assert "This model is basic." in page and page.count('href="/help/models/"') == 1
    assert "docs/models.md" in browser.get("/help/models/").content.decode()
    browser.logout()
    assert browser.get("/help/models/").status_code == 302


def test_cards_say_what_is_being_done_or_went_wrong(browser: Client) -> None:
    take_in(picture("blue"))
    bad = asset("red", done=True)
    StageRun.objects.filter(version=bad.current_version, stage="make_renditions").update(state="failed")
    page = browser.get("/").content.decode()
    assert "Processing" in page and "Failed" in page and "1 picture could not be processed" in page


def test_the_demonstration_is_announced_until_it_is_gone(browser: Client) -> None:
    take_in(picture(), is_demo=True)
    assert "demonstration pictures" in browser.get("/").content.decode()
    Asset.objects.update(is_demo=False)
    assert "demonstration pictures" not in browser.get("/").content.decode()


@pytest.mark.parametrize("view", ["grid", "list"])
def test_what_people_write_is_no_html(browser: Client, view: str) -> None:
    asset("red", done=True, title="<script>a</script>", date="<b>1900", accession="<i>7")
    page = browser.get("/", {"view": view, "q": "script"}).content.decode()
    assert page.count("&lt;script&gt;a&lt;/script&gt;") >= 4 and "&lt;b&gt;1900" in page
    assert "<script>a" not in page and "<b>1900" not in page and "<i>7" not in page


def test_the_page_asks_a_fixed_number_of_queries(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def queries(address: str) -> int:
        numbers = []
        for _ in range(3):  # what is the same for everybody is remembered for a minute, or some seconds
            with CaptureQueriesContext(connection) as captured:
                assert browser.get(address).status_code == 200
            # a question is counted when its answer has been sent
            asked = [
                one for one in captured.captured_queries if "INTO search_searchlog" not in str(one["sql"])
            ]
            numbers.append(len(asked))
        return min(numbers)

    addresses = ["/", "/?q=fire", "/?tag=hot&sort=title", "/?q=fire&tag=hot"]
    library()
    before = [queries(address) for address in addresses]
    for color in ("green", "cyan", "yellow"):
        asset(color, done=True, title=color, accession=color, tags="hot", collection="Elements / Warm")
    assert [queries(address) for address in addresses] == before
    assert max(before) <= 5
    monkeypatch.setattr(counting, "MANY", 1)
    monkeypatch.setattr(counting, "SLOW", 0.0)
    browser.get("/")
    assert max(map(queries, addresses)) <= 5  # the number of all is remembered where it takes a while


def test_a_large_library_is_counted_once_a_minute_by_what_a_person_may_see(
    browser: Client, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "MANY", 1)
    monkeypatch.setattr(counting, "SLOW", 0.0)
    red, _, _ = library()
    Asset.objects.filter(pk=red.pk).update(access="restricted")
    rows.refresh([red.pk])
    assert browser.get("/").context["results"].total == 2
    browser.force_login(admin)
    assert browser.get("/").context["results"].total == 3
    asset("green")
    assert browser.get("/").context["results"].total == 3
    assert browser.get("/?tag=hot").context["results"].total == 2
    asset("yellow", tags="hot")
    assert browser.get("/?tag=hot").context["results"].total == 2  # remembered with a filter as well
    assert browser.get("/?tag=hot&collection=Elements").context["results"].total == 2


def test_the_reasons_ask_a_fixed_number_of_queries(browser: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            browser.get("/?q=red&why=1")
        return len(captured)

    library()
    asset("red", done=True, title="red", tags="red", accession="9")
    browser.get("/?q=red&why=1")
    before = queries()
    for color in ("green", "cyan", "yellow"):
        asset(color, done=True, title=f"red {color}", tags="red", accession=color)
    assert queries() == before


def test_filters_of_hidden_pictures_are_not_offered(browser: Client, admin: User) -> None:
    red, _, _ = library()
    Asset.objects.filter(pk=red.pk).update(access="restricted")
    before = [list(browser.get("/").context[name]) for name in ("tag_labels", "collections")]
    assert before[0] == ["bright", "hot"] and "Elements / Warm" not in [path for path, _ in before[1]]
    Asset.objects.filter(title="Coal").update(access="restricted")
    cache.clear()
    assert browser.get("/").context["tag_labels"] == ["bright"]
    browser.force_login(admin)
    page = browser.get("/").context
    assert page["tag_labels"] == ["bright", "hot"] and len(page["collections"]) == 4


def test_nothing_on_the_page_needs_inline_scripts_or_styles(browser: Client) -> None:
    library()
    page = browser.get("/?q=red").content.decode()
    assert "style=" not in page and "<script>" not in page and "onclick" not in page


def test_the_strip_of_similar_pictures(browser: Client) -> None:
    red, _, _ = library()
    asset("red", done=True, title="Ember")
    titles: Any = browser.get(f"/assets/{red.uid}/similar/").context["cards"]
    assert titles[0].title == "Ember" and all(card.asset != red for card in titles)


def test_the_page_says_how_many_have_the_words(browser: Client) -> None:
    library()
    asset("red", done=True, title="Fire and water")
    assert "2 of them have these words" in browser.get("/?q=fire").content.decode()
    assert "none has all of these words" in browser.get("/?q=something+unheard").content.decode()
    assert "these words" not in browser.get("/?q=fire&mode=visual").content.decode()


def test_a_question_that_is_too_long_is_cut_and_says_so(browser: Client) -> None:
    library()
    page = browser.get("/", {"q": "fire " * 600})
    assert "first 1,000 characters" in page.content.decode() and len(page.context["wish"].q) == 1000
