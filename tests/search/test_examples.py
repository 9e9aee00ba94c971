"""Searching by what is liked, what is not, and words with them: rankings, permission, the page."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from accounts.models import User
from assets import changes
from assets.changes import apply, operation
from assets.models import Asset
from search import forms, sql
from search.forms import Wish
from search.hybrid import HybridQuery
from search.models import EmbeddingSpace
from search.query import Results, run
from tests.encoder import COLOURS
from tests.factories import asset, picture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("space")]
PLACES = list(COLOURS)


def mixed(name: str, **parts: float) -> Asset:
    """A picture whose vector is made by hand of so much of each colour."""
    one = asset("white", f"{name}.jpg", title=name)
    vector = np.full(len(PLACES), 0.02, dtype=np.float32)
    for color, much in parts.items():
        vector[PLACES.index(color)] = much
    space = EmbeddingSpace.objects.get()
    vector /= np.linalg.norm(vector)
    sql.write_vector(space, one.current_version_id or 0, one.pk, "visual", vector)
    return one


def titles(results: Results) -> list[str]:
    return [one.title for one in results.assets]


def hide(how: str, one: Asset, admin: User) -> None:
    if how == "restricted":
        apply(operation("edit", ""), [one], {"access": "restricted"})
    elif how == "embargo":
        apply(operation("edit", ""), [one], {"embargo_until": timezone.now() + timedelta(days=1)})
    else:
        changes.trash([one], admin)


# --- rankings ---------------------------------------------------------------------------------------------


def test_disliking_moves_away_what_is_like_it(viewer: User) -> None:
    liked, unliked = mixed("both", red=1, green=1), mixed("green", green=1)
    mixed("reddish", red=1, blue=0.6)
    mixed("greenish", green=1, red=0.4)
    mixed("else", yellow=1)
    before = titles(run(HybridQuery(viewer, liked=(liked.pk,))))
    after = titles(run(HybridQuery(viewer, liked=(liked.pk,), unliked=(unliked.pk,))))
    assert before[:3] == ["greenish", "green", "reddish"]
    assert after[0] == "reddish" and "green" not in after and "both" not in after


def test_words_and_a_picture_both_count_where_pictures_lie_close_together(viewer: User) -> None:
    """All pictures have much white: likeness to one hardly differs, and a sum would follow the words."""
    for n in range(12):
        mixed(f"dull {n}", white=3, black=0.1 * n, yellow=0.1)
    liked = mixed("liked", white=3, red=0.8)
    mixed("red and blue", white=3, red=0.7, blue=0.7)
    mixed("blue", white=3, blue=0.8, cyan=0.5)
    mixed("red", white=3, red=0.8, cyan=0.5)
    found = titles(run(HybridQuery(viewer, "blue", liked=(liked.pk,), mode="visual")))
    assert found[0] == "red and blue" and set(found[1:3]) == {"blue", "red"}


def test_words_keep_their_meaning_beside_what_is_not_liked(viewer: User) -> None:
    one = asset("red", "a.jpg", done=True, title="something green")
    away = asset("blue", "b.jpg", done=True)
    asset("green", "c.jpg", done=True)
    results = run(HybridQuery(viewer, "green", unliked=(away.pk,)))
    assert "words" in next(hit for hit in results.hits if hit.asset_id == one.pk).signals
    assert away.pk not in [hit.asset_id for hit in results.hits]


def test_an_asset_that_is_liked_and_not_is_not_liked(viewer: User) -> None:
    red, green = mixed("red", red=1), mixed("green", green=1)
    mixed("reddish", red=1, blue=0.3)
    mixed("greenish", green=1, blue=0.3)
    query = HybridQuery(viewer, liked=(red.pk, green.pk), unliked=(red.pk,))
    assert titles(run(query)) == ["greenish", "reddish"]


def test_only_what_is_not_liked_ranks_nothing_and_says_so(viewer: User) -> None:
    for name in ("one", "two", "three"):
        last = mixed(name, red=1)
    results = run(HybridQuery(viewer, unliked=(last.pk,)))
    assert titles(results) == ["two", "one"] and results.total == 2
    assert "needs something to begin with" in " ".join(results.notices)


def test_words_only_have_no_use_of_examples_and_say_so(viewer: User) -> None:
    red = mixed("red", red=1)
    mixed("blue boat", blue=1)
    found = run(HybridQuery(viewer, "boat", liked=(red.pk,), mode="keywords"))
    assert titles(found) == ["blue boat"] and "no effect" in " ".join(found.notices)
    assert titles(run(HybridQuery(viewer, liked=(red.pk,), mode="keywords"))) == ["blue boat"]


def test_pages_follow_each_other_with_examples(viewer: User) -> None:
    liked, unliked = mixed("liked", red=1), mixed("unliked", blue=1)
    for n in range(9):
        mixed(f"{n}", red=1, blue=0.1 * n)
    query = {"liked": (liked.pk,), "unliked": (unliked.pk,)}
    whole = titles(run(HybridQuery(viewer, **query)))
    pages = [titles(run(HybridQuery(viewer, **query, limit=3, offset=n))) for n in (0, 3, 6)]
    assert sum(pages, []) == whole == [f"{n}" for n in range(9)]
    other = titles(run(HybridQuery(viewer, liked=query["unliked"], unliked=query["liked"])))
    assert other == whole[::-1]


# --- permission -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["restricted", "embargo", "trashed", "unknown"])
@pytest.mark.parametrize("name", ["like", "unlike", "region"])
def test_hidden_examples_answer_as_unknown_ones(
    how: str, name: str, browser: Client, token: Client, admin: User
) -> None:
    one = asset("red", "secret.jpg", done=True, title="Secret")
    asset("red", "a.jpg", done=True, title="Shown")
    uid = uuid.uuid4() if how == "unknown" else one.uid
    if how != "unknown":
        hide(how, one, admin)
    value = f"{uid}:0,0,1,0.5" if name == "region" else str(uid)
    answer = token.get("/api/v1/search", {name: value, "q": "red"})
    assert answer.status_code == 404 and "or you may not see it" in answer.json()["detail"]
    page = browser.get("/", {name: value, "q": "red", "mode": "visual"})
    assert page.status_code == 200 and "or you may not see it" in page.content.decode()
    seen = [card.title for card in page.context["cards"]]
    assert "Shown" in seen and page.context["examples"] == []
    if how in ("trashed", "unknown"):
        with pytest.raises(CommandError, match="There is no asset|not in the library"):
            call_command("search", f"--{name}", value)


def test_a_hidden_asset_moves_no_result_even_where_its_number_is_known(viewer: User, admin: User) -> None:
    hidden, one = mixed("hidden", green=1), mixed("one", red=1)
    for n in range(4):
        mixed(f"{n}", red=1, green=0.2 * n)
    alone = titles(run(HybridQuery(viewer, liked=(one.pk,))))
    hide("restricted", hidden, admin)
    for query in ({"liked": (one.pk, hidden.pk)}, {"liked": (one.pk,), "unliked": (hidden.pk,)}):
        found = [title for title in titles(run(HybridQuery(viewer, **query))) if title != "hidden"]
        assert found == [title for title in alone if title != "hidden"]


@pytest.mark.parametrize("name", ["like", "unlike"])
def test_malformed_ids_are_left_out_by_the_page_and_refused_by_the_api(
    name: str, browser: Client, token: Client
) -> None:
    asset(title="One")
    assert browser.get("/", {name: "nonsense"}).status_code == 200
    assert token.get("/api/v1/search", {name: "nonsense"}).status_code == 422
    assert token.get("/api/v1/search", {name: [str(uuid.uuid4())] * 51}).status_code == 422


# --- the address and the page -----------------------------------------------------------------------------


def test_an_address_has_all_examples() -> None:
    one, two = uuid.uuid4(), uuid.uuid4()
    address = f"q=night&like={one}&unlike={two}&region={two}%3A0.1%2C0.2%2C0.3%2C0.4&mode=visual"
    wish = Wish.of(QueryDict(address))
    assert (wish.like, wish.unlike, str(wish.region)) == ((one,), (two,), f"{two}:0.1,0.2,0.3,0.4")
    assert wish.address() == f"/?{address}"


def test_the_later_choice_counts() -> None:
    one, two = uuid.uuid4(), uuid.uuid4()
    wish = Wish(like=(one, two))
    turned = Wish.of(QueryDict(wish.unliking(one).partition("?")[2]))
    assert (turned.like, turned.unlike) == ((two,), (one,))
    back = Wish.of(QueryDict(turned.liking(one).partition("?")[2]))
    assert (back.like, back.unlike) == ((two, one), ())
    assert Wish.of(QueryDict(back.dropping(two).partition("?")[2])).like == (one,)


def test_the_command_takes_the_later_choice(capsys: Any) -> None:
    red, green = mixed("red", red=1), mixed("green", green=1)
    mixed("reddish", red=1, blue=0.3)
    mixed("greenish", green=1, blue=0.3)
    both = ["--like", str(green.uid), "--like", str(red.uid)]
    call_command("search", *both, "--unlike", str(red.uid))
    assert capsys.readouterr().out.splitlines()[0].split()[1] == "greenish"
    call_command("search", "--unlike", str(red.uid), "--like", str(red.uid), "--unlike", str(green.uid))
    assert capsys.readouterr().out.splitlines()[0].split()[1] == "reddish"


def test_cards_add_to_the_search(browser: Client) -> None:
    red, blue = asset("red", done=True, title="Fire"), asset("blue", done=True, title="Sea", tags="wet")
    plain = browser.get("/").content.decode()
    assert f'href="/?like={red.uid}"' in plain and "unlike=" not in plain
    page = browser.get(f"/?q=water&tag=wet&like={red.uid}&mode=visual&page=1").content.decode()
    kept = f"/?q=water&amp;tag=wet&amp;like={red.uid}&amp;mode=visual&amp;"
    assert f'href="{kept}like={blue.uid}"' in page and f'href="{kept}unlike={blue.uid}"' in page
    words = browser.get("/?q=sea&mode=keywords").content.decode()
    assert f'href="/?q=sea&amp;like={blue.uid}"' in words  # an example would have no effect there
    assert f'href="/?like={red.uid}"' in browser.get("/?sort=title").content.decode()


def test_examples_can_be_taken_back_and_turned_over(browser: Client) -> None:
    red, blue = asset("red", done=True, title="Fire"), asset("blue", done=True, title="Sea")
    asset("green", done=True, title="Leaf")
    page = browser.get(f"/?like={red.uid}&unlike={blue.uid}")
    text = page.content.decode()
    assert "Not like <a" in text and "Less like Fire instead" in text and "More like Sea instead" in text
    first, second = page.context["examples"]
    assert first.without == f"/?unlike={blue.uid}" and second.without == f"/?like={red.uid}"
    assert first.turned == f"/?unlike={blue.uid}&unlike={red.uid}"
    assert second.turned == f"/?like={red.uid}&like={blue.uid}"
    assert f'name="unlike" value="{blue.uid}"' in text
    assert [card.title for card in page.context["cards"]] == ["Leaf"]


def test_a_picture_that_is_given_goes_with_the_rest(browser: Client) -> None:
    red, blue = asset("red", done=True), asset("blue", done=True)
    file = SimpleUploadedFile("x.png", picture("blue", format="PNG"), "image/png")
    sent = {"picture": file, "q": "night", "like": str(red.uid), "unlike": str(blue.uid)}
    address = browser.post("/search/picture/", sent)["Location"]
    assert all(part in address for part in ("q=night", f"like={red.uid}", f"unlike={blue.uid}", "picture="))


def test_many_examples_are_bounded_and_it_is_said(
    browser: Client, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    monkeypatch.setattr(forms, "MOST_EXAMPLES", 3)
    monkeypatch.setattr("search.examples.MOST_EXAMPLES", 3)
    made = [mixed(f"{n}", red=1, green=n) for n in range(5)]
    address = "/?" + "&".join(f"like={one.uid}" for one in made[:4])
    with django_assert_max_num_queries(30):
        page = browser.get(address + f"&unlike={made[4].uid}")
    assert "Only the last 3 liked pictures are used." in page.content.decode()
    assert len(page.context["examples"]) == 4
    assert made[3].uid in page.context["wish"].like and made[0].uid not in page.context["wish"].like


def test_fifty_examples_are_one_page(browser: Client) -> None:
    made = [mixed(f"{n}", red=1, green=n / 50) for n in range(51)]
    page = browser.get("/?" + "&".join(f"like={one.uid}" for one in made[:50]))
    assert [card.title for card in page.context["cards"]] == ["50"]
    assert len(page.context["examples"]) == 50
