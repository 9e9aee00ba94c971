"""What the product makes of the cutoff in a library of sixty pictures."""

from typing import Any

import numpy as np
import pytest
from django.core.cache import cache

from accounts.models import User
from assets.changes import apply, operation
from assets.models import Asset
from search import background, query, sampling, sql
from search.models import EmbeddingSpace
from search.results import as_dict
from tests.conftest import Kept
from tests.factories import asset
from tests.search.test_strength import search

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def kept_crowd(kept: Kept) -> list[int]:
    return kept(make_crowd)


@pytest.fixture
def crowd(kept_crowd: list[int], space: EmbeddingSpace) -> list[Asset]:
    found = Asset.objects.in_bulk(kept_crowd)
    return [found[pk] for pk in kept_crowd]


def sample(where: sql.Where, size: int) -> list[int]:
    drawn = sampling.sampled(where, size)
    statement = " ".join(["WITH", drawn.sql, "SELECT asset_id FROM drawn"])
    return [pk for (pk,) in sql.rows(statement, drawn.params)]


def make_crowd() -> list[int]:
    """Sixty dull pictures, and three that are red; vectors made by hand, so that it is quick."""
    draw, space, found = np.random.default_rng(1), EmbeddingSpace.objects.get(), []
    for n in range(63):
        one = asset("red" if n < 3 else "black", f"{n}.jpg")
        vector = np.abs(draw.normal(0.3, 0.03, space.dimensions)).astype(np.float32)
        vector[2] = 3.0 if n < 3 else vector[2]  # the third number says how red it is
        sql.write_vector(
            space, one.current_version_id or 0, one.pk, "visual", vector / np.linalg.norm(vector)
        )
        found.append(one.pk)
    return found


def test_the_answer_says_how_many_are_strong(crowd: list[Asset], viewer: User) -> None:
    results = search(viewer, text="something red")
    assert (results.strong, results.total, results.ranked) == (3, 63, 63)
    assert {hit.asset_id for hit in results.hits[:3]} == {one.pk for one in crowd[:3]}
    assert [hit.strong for hit in results.hits[:4]] == [True, True, True, False]
    assert search(viewer, text="nothing of the kind").strong == 0
    assert search(viewer).strong is None
    alike = search(viewer, liked=(crowd[0].pk,)).hits
    assert {hit.asset_id for hit in alike if hit.strong} >= {one.pk for one in crowd[1:3]}
    assert not alike[-1].strong


def test_without_the_weak_only_the_strong_are_there_unless_none_is(crowd: list[Asset], viewer: User) -> None:
    results = search(viewer, text="something red", weak=False)
    assert len(results.hits) == results.reachable == 3 and results.ranked == 63
    assert len(search(viewer, text="nothing of the kind", weak=False, limit=100).hits) == 63


def test_pages_keep_what_is_strong(crowd: list[Asset], viewer: User) -> None:
    whole = search(viewer, text="something red", limit=63)
    pages = [search(viewer, text="something red", limit=2, offset=offset) for offset in (0, 2, 4)]
    assert [page.strong for page in pages] == [3, 3, 3]
    flags = [hit.strong for page in pages for hit in page.hits]
    assert flags == [True, True, True, False, False, False] == [hit.strong for hit in whole.hits[:6]]
    second = search(viewer, text="something red", limit=2, offset=2, weak=False)
    assert [hit.asset_id for hit in second.hits] == [whole.hits[2].asset_id]


@pytest.mark.usefixtures("crowd")
def test_more_strong_ones_than_were_looked_for_are_counted_when_somebody_goes_on(
    viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "FIRST_DEPTH", {"best": 2, "visual": 2})
    first = search(viewer, text="something red", limit=2, weak=False)
    assert (first.strong, first.more_strong, first.reachable) == (2, True, 63)
    behind = search(viewer, text="something red", limit=2, offset=2, weak=False)
    assert (behind.strong, behind.more_strong, behind.reachable) == (3, False, 3)
    seen = [hit.asset_id for page in (first, behind) for hit in page.hits]
    assert len(seen) == len(set(seen)) == 3


def test_hidden_pictures_are_no_background_and_not_counted(
    crowd: list[Asset], viewer: User, admin: User
) -> None:
    before = search(viewer, text="something red")
    apply(operation("edit", ""), crowd[:1], {"access": "restricted"})
    assert search(viewer, text="something red").strong == 2
    assert search(admin, text="something red").strong == 3
    seen = sql.visible_to(sql.Where(), viewer)
    assert crowd[0].pk not in sample(seen, 100) and crowd[0].pk in sample(sql.Where(), 100)
    drawn = background.drawn(_space(), [("visual", np.ones(8, dtype=np.float32))], seen)
    assert len(drawn[0]) == 62  # though the sample was kept before the picture was hidden
    assert before.strong == 3


def test_hiding_a_picture_never_moves_the_cutoff_of_others(
    crowd: list[Asset], viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[dict[str, float]] = []
    real = background.cutoffs

    def noted(*values: Any) -> dict[str, float]:
        found.append(real(*values))
        return found[-1]

    monkeypatch.setattr(background, "cutoffs", noted)
    apply(operation("edit", ""), crowd[3:6], {"access": "restricted"})
    search(viewer, text="something red")
    for one in crowd[3:6]:  # what cannot be seen becomes the reddest of all
        vector = np.eye(8, dtype=np.float32)[2]
        sql.write_vector(_space(), one.current_version_id or 0, one.pk, "visual", vector)
    cache.clear()
    search(viewer, text="something red")
    assert found[0] == found[1]


def test_a_sample_is_the_same_each_time_and_of_the_size_asked(crowd: list[Asset]) -> None:
    first = sample(sql.Where(), 20)
    assert len(first) == len(set(first)) == 20 and first == sample(sql.Where(), 20)


def _space() -> EmbeddingSpace:
    return EmbeddingSpace.objects.get(state="active")


def test_plain_data_says_what_is_strong_and_which_words_match(crowd: list[Asset], viewer: User) -> None:
    apply(operation("edit", ""), crowd[:1], {"title": "Red boats"})
    found = as_dict(search(viewer, text="red boat -sea"), "red boat -sea")
    assert found["strong"] == 3 and found["results"][0]["matched_words"] == ["Red", "boats"]
    assert found["results"][0]["signals"].keys() >= {"keywords", "visual"}
    assert [one["strong"] for one in found["results"][2:4]] == [True, False]
    assert found["results"][3]["matched_words"] == []
