"""Totals, and results in another order than that of the ranking."""

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import ApiToken, User
from search import query as module
from search import sql
from search.hybrid import HybridQuery
from search.models import EmbeddingSpace
from search.query import passing, run
from tests.conftest import Kept
from tests.factories import asset

pytestmark = pytest.mark.django_db
WORKS = {
    # file: (title, date, accession)
    "green": ("Äpfel", "1650", "1923.10"),
    "blue": ("Zebra", "c. 1880", "1923.9"),
    "red": ("Boats", "", "7"),
    "yellow": ("boat 2", "before 1500", ""),
}


@pytest.fixture(scope="module")
def kept_works(kept: Kept) -> None:
    kept(make_works)


@pytest.fixture
def works(kept_works: None, space: EmbeddingSpace) -> None:
    pass


def make_works() -> None:
    for color, (title, date, accession) in WORKS.items():
        asset(
            color,
            f"{color}.jpg",
            done=True,
            title=title,
            date=date,
            accession=accession,
            description="a boat on a lake",
        )


def names(user: User, **question: Any) -> list[str]:
    return [a.filename.removesuffix(".jpg") for a in run(HybridQuery(user=user, **question)).assets]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("added", ["yellow", "red", "blue", "green"]),
        ("title", ["green", "yellow", "red", "blue"]),
        ("date", ["green", "blue", "yellow", "red"]),
        ("accession", ["red", "blue", "green", "yellow"]),
    ],
)
def test_every_order_in_every_mode(works: None, viewer: User, sort: str, expected: list[str]) -> None:
    assert names(viewer, sort=sort) == expected
    for mode in ("best", "keywords"):
        assert names(viewer, text="boat", mode=mode, sort=sort) == expected
    pages = [name for at in (0, 2) for name in names(viewer, text="boat", sort=sort, limit=2, offset=at)]
    assert pages == expected


def test_strong_results_stay_before_weak_ones(
    works: None, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of eight, the four that have the words are strong; some orders would mix them with the others."""
    for color in WORKS:
        asset(color, f"{color}2.jpg", done=True, title=f"An {color}")
    monkeypatch.setattr("search.strength.FEWEST", 1)
    results = run(HybridQuery(user=viewer, text="lake", sort="title"))
    assert results.strong == 4
    titles = [one.display_title for one in results.assets]
    assert titles[:4] == ["Äpfel", "boat 2", "Boats", "Zebra"]
    assert titles[4:] == ["An blue", "An green", "An red", "An yellow"]


def test_words_that_must_hold_are_counted_and_listed_to_the_last(
    works: None, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEPTH", 2)
    ranked = run(HybridQuery(user=viewer, text="boat", mode="keywords", limit=10))
    assert (ranked.total, len(ranked.hits), ranked.reachable) == (4, 2, 2)
    listed = run(HybridQuery(user=viewer, text="boat", mode="keywords", sort="title", limit=2, offset=2))
    assert (listed.total, listed.reachable) == (4, 4)
    assert [one.display_title for one in listed.assets] == ["Boats", "Zebra"]


@pytest.mark.parametrize(
    "text",
    [
        "boat",
        "lak",
        "boat elephant",
        "1923-9",
        "äpfel",
        "ZEBRA",
        "boat -1880",
        "(boat OR zebra)",
        "boat OR date:1880",
        "boat accession:7",
        "the",
        "-boat",
    ],
)
def test_the_total_is_what_the_ranking_finds(works: None, viewer: User, text: str) -> None:
    for mode in ("best", "keywords", "visual"):
        query = HybridQuery(user=viewer, text=text, mode=mode)
        results = run(query)
        assert results.total == sql.count(passing(query))
        if mode == "keywords":
            listed = run(HybridQuery(user=viewer, text=text, mode=mode, sort="title"))
            assert {hit.asset_id for hit in listed.hits} == {hit.asset_id for hit in results.hits}
            assert results.total == len(results.hits) and listed.notices == results.notices


def test_the_page_orders_results_and_says_where_a_ranking_ends(
    works: None, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = browser.get("/?q=boat&sort=title").content.decode()
    titles = [page.index(f">{title}<") for title in ("Äpfel", "boat 2", "Boats", "Zebra")]
    assert titles == sorted(titles)
    assert "Best match first" in page and "Best match first" not in browser.get("/").content.decode()
    monkeypatch.setattr(module, "DEPTH", 2)
    monkeypatch.setattr("search.views.DEPTH", 2)
    ended = browser.get("/?q=boat&mode=keywords&why=1").content.decode()
    assert "the first 2 of 4" in ended and "go through all" in ended
    listed = browser.get("/?q=boat&mode=keywords&why=1&sort=date").content.decode()
    assert "the first 2" not in listed and "<mark>boat</mark>" in listed


def test_the_api_and_the_command_order_too(works: None, viewer: User, capsys: Any) -> None:
    program = Client(headers={"authorization": f"Bearer {ApiToken.objects.issue(viewer, 'test')}"})
    found = program.get("/api/v1/search?q=boat&mode=keywords&sort=accession&limit=2&offset=2").json()
    assert [one["filename"] for one in found["results"]] == ["green.jpg", "yellow.jpg"]
    assert program.get("/api/v1/search?sort=colour").status_code == 422
    call_command("search", "boat", "--mode", "keywords", "--sort", "accession", "--json")
    listed = json.loads(capsys.readouterr().out)["results"]
    assert [one["filename"] for one in listed] == ["red.jpg", "blue.jpg", "green.jpg", "yellow.jpg"]
