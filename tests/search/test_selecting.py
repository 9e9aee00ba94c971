"""From results to a selection: what is meant by all of them, and that what is hidden is never among them."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from assets import changes
from assets.bulk import selecting as selections
from assets.models import Asset, BulkJob, Collection
from search import query
from search.hybrid import HybridQuery
from search.models import EmbeddingSpace
from search.selecting import whole
from tests.factories import asset

pytestmark = pytest.mark.django_db


def few(number: int, title: str) -> list[Asset]:
    """Assets without files, with search rows."""
    home = Collection.objects.named("Prints")
    made = Asset.objects.bulk_create(Asset(collection=home, title=f"{title} {n}") for n in range(number))
    changes.notify([one.pk for one in made])
    return made


def chosen(browser: Client, question: str) -> list[int]:
    browser.post("/bulk/", {"whole": "1", "question": question})
    found: list[int] = BulkJob.objects.latest("pk").asset_ids
    return found


def test_all_results_of_a_list_are_taken_but_none_that_is_hidden(browser: Client, viewer: User) -> None:
    rivers, boats = few(60, "River"), few(3, "Boat")
    changes.apply(changes.operation("edit", ""), [rivers[0]], {"access": "restricted"})
    changes.trash([rivers[1]], None)
    expected = {one.pk for one in rivers[2:]}
    assert set(chosen(browser, "q=title:river")) == expected
    assert set(chosen(browser, "q=river&mode=keywords&sort=title")) == expected
    assert set(chosen(browser, "q=river&mode=keywords")) == expected
    assert set(chosen(browser, "")) == expected | {one.pk for one in boats}
    assert set(chosen(browser, f"asset={rivers[0].uid}&q=title:boat")) == {one.pk for one in boats}
    job = BulkJob.objects.latest("pk")
    assert (job.total, job.owner, job.question) == (3, viewer, "/?q=title%3Aboat")
    page = browser.get(job.get_absolute_url()).content.decode()
    assert "3 pictures selected" in page and 'href="/?q=title%3Aboat"' in page


def test_words_alone_reach_beyond_the_end_of_the_ranking(
    viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(12, "River")
    monkeypatch.setattr(query, "DEPTH", 5)
    assert len(whole(HybridQuery(user=viewer, text="river", mode="keywords"))) == 12


def test_of_a_ranking_the_strong_matches_are_taken(space: EmbeddingSpace, viewer: User) -> None:
    reds = [asset("red", done=True) for _ in range(2)]
    asset("blue", done=True)
    asked = HybridQuery(user=viewer, liked=(reds[0].pk,), limit=48)
    for weak in (True, False):
        shown = query.run(HybridQuery(user=viewer, liked=(reds[0].pk,), limit=1000, weak=weak))
        assert whole(replace(asked, weak=weak)) == [hit.asset_id for hit in shown.hits] != []


def test_too_many_are_not_taken(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    few(4, "River")
    for module in (selections, __import__("search.selecting", fromlist=["MOST"])):
        monkeypatch.setattr(module, "MOST", 3)
    answer: Any = browser.post("/bulk/", {"whole": "1"}, follow=True)
    assert "more than 3 pictures" in answer.content.decode() and not BulkJob.objects.exists()
    answer = browser.post("/bulk/", {"whole": "1", "question": "q=title:nothing"}, follow=True)
    assert "Nothing is selected" in answer.content.decode()


def test_what_is_selected_and_gone_is_not_nothing(browser: Client) -> None:
    (gone,) = few(1, "River")
    changes.trash([gone], None)
    answer = browser.post("/bulk/", {"asset": str(gone.uid)}, follow=True)
    assert "None of the selected pictures" in answer.content.decode()
