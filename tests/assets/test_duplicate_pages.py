"""The pages on which people say what two pictures are of one another."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from assets import changes
from assets.models import Asset, Depiction, DuplicateCandidate, Grant, Operation, Record, Relation
from tests.factories import asset, process

pytestmark = pytest.mark.django_db
Kind = Relation.Kind
Pair = Callable[..., tuple[Asset, Asset]]
START, COUNT = "/duplicates/", "/duplicates/count/"


@pytest.fixture
def pair() -> Pair:
    """Two pictures that were found to be alike, with words of their own."""

    def made(
        left: str = "First", right: str = "Second", distance: int = 8, **words: str
    ) -> tuple[Asset, Asset]:
        both = asset(title=left), asset(title=right, **words)
        state = DuplicateCandidate.State.ALIKE
        DuplicateCandidate.objects.create(first=both[0], second=both[1], distance=distance, state=state)
        return both

    return made


def address(left: Asset, right: Asset, page: str = "") -> str:
    return f"/duplicates/{left.uid}/{right.uid}/{page}"


def hide(one: Asset) -> None:
    Asset.objects.filter(pk=one.pk).update(access="restricted")


def text_of(browser: Client, path: str) -> str:
    answer = browser.get(path, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def said() -> list[tuple[str, int, int]]:
    return list(Relation.objects.values_list("kind", "asset", "other"))


def test_the_nearest_pair_comes_first_with_what_differs(browser: Client, pair: Pair) -> None:
    pair("Far", "Away", distance=50)
    left, right = pair("A boat on a river", "A boat on a lake", date="1901")
    page = text_of(browser, START)
    assert "2 pairs left" in page and "They look the same." in page
    assert page.index(str(left.uid)) < page.index(str(right.uid)), "the older one is A"
    assert "A boat on a" in page and "<mark>river</mark>" in page and "<mark>lake</mark>" in page
    assert "1901" in page and "style=" not in page and "Away" not in page
    assert browser.get(COUNT).content == b"2"
    turned = text_of(browser, address(right, left))
    assert turned.index(str(right.uid)) < turned.index(str(left.uid))


def test_an_empty_list_says_so(browser: Client) -> None:
    assert "There are no pairs to look at." in text_of(browser, START)
    assert browser.get(COUNT).content == b""


@pytest.mark.parametrize("kind", Kind.values)
def test_an_answer_goes_on_to_the_next_pair_and_is_undone(browser: Client, pair: Pair, kind: str) -> None:
    left, right = pair("One", "Two")
    pair("Three", "Four", distance=20)
    answer = browser.post(address(left, right), {"kind": kind}, follow=True)
    page = answer.content.decode()
    assert said() == [(kind, right.pk, left.pk)]
    assert "Three" in page and "1 pair left" in page and "Noted: " in page and "Undo" in page
    undone = answer.context["undo_next"]
    assert undone == address(left, right)
    op = Operation.objects.get(kind="relation")
    page = browser.post(f"/operations/{op.uid}/undo/", {"next": undone}, follow=True).content.decode()
    assert said() == [] and "One" in page and "2 pairs left" in page


def test_a_pair_can_be_skipped_and_comes_again(browser: Client, pair: Pair) -> None:
    left, right = pair("One", "Two")
    pair("Three", "Four")
    skip = f"{START}?after={left.uid}~{right.uid}"
    assert skip in text_of(browser, START)
    page = text_of(browser, skip)
    assert "Three" in page and "2 pairs left" in page
    last = Asset.objects.order_by("-pk")[:2]
    page = text_of(browser, f"{START}?after={last[1].uid}~{last[0].uid}")
    assert "You have come to the end. 2 pairs were skipped." in page and "Begin again" in page
    assert "One" in text_of(browser, f"{START}?after=nonsense")


def test_an_answer_that_is_none_changes_nothing(browser: Client, pair: Pair) -> None:
    left, right = pair()
    assert "Choose one of the answers." in text_of_post(browser, address(left, right), {"kind": "same"})
    assert "cannot be compared with itself" in text_of_post(
        browser, address(left, left), {"kind": "verso_of"}
    )
    assert said() == []


def text_of_post(browser: Client, path: str, data: dict[str, Any]) -> str:
    return browser.post(path, data, follow=True).content.decode()


# --- who may see what -----------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [0, 1])
def test_the_twin_of_a_hidden_picture_is_never_revealed(
    browser: Client, token: Client, admin: User, pair: Pair, end: int
) -> None:
    both = pair("Seen", "Also seen")
    hidden, shown = both[end], both[1 - end]
    visible = shown.get_absolute_url()
    assert "Possibly the same as" in text_of(browser, visible)
    hide(hidden)
    assert "There are no pairs to look at." in text_of(browser, START)
    assert browser.get(COUNT).content == b"" and "Possibly the same" not in text_of(browser, visible)
    assert "Looks like" not in text_of(browser, f"{visible}alike/")
    for path in (address(*both), address(*both, "keep/")):
        assert browser.get(path).status_code == 404
        assert browser.post(path, {"kind": "unrelated", "keep": "left"}).status_code == 404
    op = changes.relate(both[1], both[0], Kind.DUPLICATE, admin)
    page = text_of(browser, visible)
    assert "Related pictures" not in page and "duplicates" not in page.split("</header>")[1], (
        "nor its history"
    )
    assert token.get(f"/api/v1/assets/{shown.uid}/relations").json() == []
    assert token.get(f"/api/v1/assets/{hidden.uid}/relations").status_code == 404
    assert browser.post(f"/operations/{op.uid}/undo/").status_code == 404
    browser.force_login(admin)
    page = text_of(browser, visible)
    assert "Related pictures" in page and "were said to be duplicates" in page


def test_pictures_in_the_trash_are_not_asked_about(browser: Client, pair: Pair, admin: User) -> None:
    left, right = pair()
    op = changes.trash([left], admin)
    assert browser.get(COUNT).content == b"" and browser.get(address(left, right)).status_code == 404
    changes.undo(op, admin)
    assert browser.get(COUNT).content == b"1"


def test_every_page_of_it_asks_for_a_sign_in(client: Client, pair: Pair) -> None:
    both = pair()
    for path in (START, COUNT, address(*both), address(*both, "keep/"), f"/assets/{both[0].uid}/alike/"):
        assert client.get(path)["Location"].startswith("/accounts/login/")


# --- the page of a picture, and the upload's row --------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "of_it", "of_other"),
    [
        ("duplicate_of", "A duplicate of", "A duplicate of this picture"),
        ("version_of", "A version of", "A version of this picture"),
        ("detail_of", "A detail of", "A detail of this picture"),
        ("verso_of", "The verso of", "The verso of this picture"),
    ],
)
def test_relations_stand_on_both_pages(
    browser: Client, token: Client, pair: Pair, admin: User, kind: str, of_it: str, of_other: str
) -> None:
    whole, part = pair("The whole", "A part")
    changes.relate(part, whole, Kind(kind), admin)
    expected = {part: (of_it, whole, False), whole: (of_other, part, True)}
    for one, (words, other, inverse) in expected.items():
        page = text_of(browser, one.get_absolute_url())
        assert words in page and other.get_absolute_url() in page and "Possibly the same" not in page
        (found,) = token.get(f"/api/v1/assets/{one.uid}/relations").json()
        assert found == {
            "kind": kind,
            "inverse": inverse,
            "asset": str(other.uid),
            "title": other.display_title,
            "words": words,
        }


def test_unrelated_pictures_are_not_shown_as_related(browser: Client, pair: Pair, admin: User) -> None:
    left, right = pair()
    changes.relate(right, left, Kind.UNRELATED, admin)
    assert "Related pictures" not in text_of(browser, left.get_absolute_url())
    assert "B is unrelated to A, as somebody has said." in text_of(browser, address(left, right))


def test_the_row_of_an_upload_says_what_a_picture_looks_like(browser: Client, pair: Pair) -> None:
    left, right = pair("Night")
    row = text_of(browser, f"/assets/{right.uid}/alike/")
    assert "Looks like" in row and "Night" in row and address(left, right) in row
    lonely = asset()
    assert 'hx-trigger="load delay:' in text_of(browser, f"/assets/{lonely.uid}/alike/"), "asked again"
    process(lonely)
    assert text_of(browser, f"/assets/{lonely.uid}/alike/").strip() == ""


# --- keeping one ----------------------------------------------------------------------------------------


def test_nothing_goes_before_somebody_has_said_so_twice(browser: Client, pair: Pair) -> None:
    left, right = pair("One", "Two")
    page = text_of_post(browser, address(left, right, "keep/"), {"keep": "left"})
    assert "Say first that these two are duplicates." in page
    browser.post(address(left, right), {"kind": "duplicate_of"})
    assert not Asset.objects.trashed().exists()
    assert "Duplicates that are both still here" in text_of(browser, START)
    page = text_of(browser, address(left, right, "keep/"))
    assert "Which one stays?" in page and not Asset.objects.trashed().exists()
    of_left = left.get_absolute_url()
    assert "/keep/" in text_of(browser, of_left)
    Grant.objects.update(actions=["see"])
    assert "/keep/" not in text_of(browser, of_left) and browser.get(of_left).status_code == 200


def test_one_goes_to_the_trash_and_leaves_its_words(browser: Client, pair: Pair, admin: User) -> None:
    left, right = pair("", "A title", date="1901", tags="boat; river")
    changes.relate(right, left, Kind.DUPLICATE, admin)
    data = {"keep": "left", "take_over": "on"}
    page = text_of_post(browser, address(left, right, "keep/"), data)
    left, right = Asset.objects.get(pk=left.pk), Asset.objects.get(pk=right.pk)
    assert (left.title, left.date, left.year_earliest) == ("A title", "1901", 1901)
    assert left.tags == ["boat", "river"] and right.trashed_at and "Undo" in page
    changes.undo(Operation.objects.get(kind="trash"), admin)
    left, right = Asset.objects.get(pk=left.pk), Asset.objects.get(pk=right.pk)
    assert (left.title, left.date, left.tags, right.trashed_at) == ("", "", [], None)


def test_words_that_are_there_stay_and_others_may_be_left(browser: Client, pair: Pair, admin: User) -> None:
    left, right = pair("Mine", "Yours", date="1901")
    changes.relate(right, left, Kind.DUPLICATE, admin)
    browser.post(address(left, right, "keep/"), {"keep": "right"})
    assert Asset.objects.get(pk=right.pk).title == "Yours" and Asset.objects.get(pk=left.pk).trashed_at
    changes.undo(Operation.objects.get(kind="trash"), admin)
    browser.post(address(left, right, "keep/"), {"keep": "left", "take_over": "on"})
    kept = Asset.objects.get(pk=left.pk)
    assert (kept.title, kept.date) == ("Mine", "1901")


def test_an_object_is_taken_over_by_a_picture_that_shows_none(
    browser: Client, pair: Pair, admin: User
) -> None:
    left, right = pair("", "The object", accession="1942.51")
    record = Record.objects.get()
    changes.relate(right, left, Kind.DUPLICATE, admin)
    browser.post(address(left, right, "keep/"), {"keep": "left", "take_over": "on"})
    assert Depiction.objects.filter(asset=left, record=record).exists()
    changes.undo(Operation.objects.get(kind="trash"), admin)
    assert not Depiction.objects.filter(asset=left).exists()
