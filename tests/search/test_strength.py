"""The cutoff between strong and weak results: the rule, and what the product makes of it."""

import math
from typing import Any

import numpy as np
import pytest
from django.core.cache import cache

from accounts.models import User
from assets.changes import apply, operation
from assets.models import Asset
from search import background, query, ranking, sql, strength
from search.hybrid import HybridQuery
from search.models import EmbeddingSpace
from search.query import run
from search.ranking import Hit
from search.reasons import asked_words, ordinal
from search.results import as_dict
from search.strength import Usual, cutoff, is_strong
from tests.factories import asset

DRAW = np.random.default_rng(4)
NOISE = sorted(DRAW.normal(0.2, 0.03, 400).tolist(), reverse=True)


# --- the rule -------------------------------------------------------------------------------------------


def test_nothing_but_noise_has_nothing_strong() -> None:
    alarms = 0
    for seed in range(100):
        noise = np.sort(np.random.default_rng(seed).normal(0.2, 0.03, 800))[::-1].tolist()
        alarms += cutoff(noise, noise[::2], 800) != math.inf
    assert alarms <= 5  # of the bell curve; real backgrounds have longer tails, which `tail` is for


def test_what_stands_out_is_strong_and_the_rest_is_not() -> None:
    scores = [0.42, 0.40, *NOISE]
    assert cutoff(scores, NOISE, len(scores)) == 0.40


def test_scale_and_place_of_the_scores_do_not_matter() -> None:
    scores = [0.42, 0.40, *NOISE]
    moved = [5 + 10 * score for score in scores]
    assert cutoff(moved, moved[2:], len(moved)) == pytest.approx(5 + 10 * 0.40)


def test_many_good_answers_do_not_hide_one_another() -> None:
    good = [0.36] * 60
    assert cutoff([*good, *NOISE], [*good[:20], *NOISE[::2]], 460) == 0.36
    assert cutoff([0.3], NOISE, 1_000_000) == math.inf  # one of a million may stand so high by chance


def test_too_few_pictures_tell_nothing() -> None:
    assert cutoff([0.9], NOISE[: strength.FEWEST - 1], 49) is None
    assert cutoff([0.9], [0.2] * strength.FEWEST, 50) == 0.9  # all alike: no division by zero


def test_the_usual_spread_counts_by_half() -> None:
    def bar(usual: Usual) -> float:
        """The lowest score that a single result is strong with."""
        wide = [score * 4 for score in NOISE]
        return next(s for s in np.arange(0.5, 3, 0.01).tolist() if cutoff([s], wide, 400, usual) == s)

    alone, narrow = bar(Usual(tail=1.0)), bar(Usual(spread=0.03, tail=1.0))
    assert (narrow - 0.8) / (alone - 0.8) == pytest.approx(0.5, abs=0.05)  # root of a quarter
    assert bar(Usual(middle=1.0, tail=1.0)) == pytest.approx(alone + 0.2, abs=0.03)


def test_words_are_strong_by_themselves() -> None:
    for signal in strength.CERTAIN:
        assert is_strong({signal: 900}, {"visual": -1.0}, {"visual": 0.5})
    assert is_strong({"some_words": 1}, {}, {}) is False
    assert is_strong({"visual": 1}, {"visual": 0.5}, {"visual": 0.5}) is True
    assert is_strong({"visual": 1}, {"visual": 0.4, "words": 0.1}, {"visual": 0.5}) is False
    assert is_strong({"visual": 1}, {"visual": 0.4}, {}) is None


def test_the_strong_stand_first_each_in_their_order() -> None:
    hits = [Hit(1, 0.5, {"visual": 1}), Hit(2, 0.4, {"keywords": 1}), Hit(3, 0.3, {"visual": 2})]
    near = {"visual": [sql.Ranked(1, 0.4), sql.Ranked(3, 0.3)]}
    assert [h.asset_id for h in background.judge(hits, near, {"visual": 0.9})] == [2, 1, 3]
    assert [h.asset_id for h in background.judge(hits, near, {})] == [1, 2, 3]
    assert ranking.count_strong(background.judge(hits, near, {})) is None


# --- the product ----------------------------------------------------------------------------------------


@pytest.fixture
def crowd(space: EmbeddingSpace, db: None) -> list[Asset]:
    """Sixty dull pictures, and three that are red; vectors made by hand, so that it is quick."""
    draw = np.random.default_rng(1)
    found = []
    for n in range(63):
        one = asset("red" if n < 3 else "black", f"{n}.jpg")
        vector = np.abs(draw.normal(0.3, 0.03, space.dimensions)).astype(np.float32)
        vector[2] = 3.0 if n < 3 else vector[2]  # the third number says how red it is
        sql.write_vector(
            space, one.current_version_id or 0, one.pk, "visual", vector / np.linalg.norm(vector)
        )
        found.append(one)
    return found


def search(user: Any, **question: Any) -> Any:
    return run(HybridQuery(user=user, **question))


@pytest.mark.django_db
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


@pytest.mark.django_db
def test_without_the_weak_only_the_strong_are_there_unless_none_is(crowd: list[Asset], viewer: User) -> None:
    results = search(viewer, text="something red", weak=False)
    assert len(results.hits) == results.reachable == 3 and results.ranked == 63
    assert len(search(viewer, text="nothing of the kind", weak=False, limit=100).hits) == 63


@pytest.mark.django_db
def test_pages_keep_what_is_strong(crowd: list[Asset], viewer: User) -> None:
    whole = search(viewer, text="something red", limit=63)
    pages = [search(viewer, text="something red", limit=2, offset=offset) for offset in (0, 2, 4)]
    assert [page.strong for page in pages] == [3, 3, 3]
    flags = [hit.strong for page in pages for hit in page.hits]
    assert flags == [True, True, True, False, False, False] == [hit.strong for hit in whole.hits[:6]]
    second = search(viewer, text="something red", limit=2, offset=2, weak=False)
    assert [hit.asset_id for hit in second.hits] == [whole.hits[2].asset_id]


@pytest.mark.django_db
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


@pytest.mark.django_db
def test_hidden_pictures_are_no_background_and_not_counted(
    crowd: list[Asset], viewer: User, admin: User
) -> None:
    before = search(viewer, text="something red")
    apply(operation("edit", ""), crowd[:1], {"access": "restricted"})
    assert search(viewer, text="something red").strong == 2
    assert search(admin, text="something red").strong == 3
    seen = sql.visible_to(sql.Where(), viewer)
    assert crowd[0].pk not in sql.sample(seen, 100) and crowd[0].pk in sql.sample(sql.Where(), 100)
    drawn = background.scores(_space(), np.ones(8, dtype=np.float32), seen)
    assert len(drawn["visual"]) == 62  # though the sample was kept before the picture was hidden
    assert before.strong == 3


@pytest.mark.django_db
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


@pytest.mark.django_db
def test_a_small_library_says_nothing_of_strength(space: EmbeddingSpace, viewer: User) -> None:
    asset("red", done=True, title="Fire")
    asset("blue", done=True, title="Sea")
    results = search(viewer, text="fire")
    assert results.strong is None and len(results.hits) == 2


@pytest.mark.django_db
def test_words_alone_are_strong_where_all_match(space: EmbeddingSpace, viewer: User) -> None:
    asset("red", done=True, title="Fire in a barn")
    assert search(viewer, text="fire barn", mode="keywords").strong == 1
    some = search(viewer, text="fire elephant", mode="keywords")
    assert some.strong == 0 and some.hits[0].signals == {"some_words": 1}


@pytest.mark.django_db
def test_a_sample_is_the_same_each_time_and_of_the_size_asked(crowd: list[Asset]) -> None:
    first = sql.sample(sql.Where(), 20)
    assert len(first) == len(set(first)) == 20 and first == sql.sample(sql.Where(), 20)


def _space() -> EmbeddingSpace:
    return EmbeddingSpace.objects.get(state="active")


@pytest.mark.django_db
def test_plain_data_says_what_is_strong_and_which_words_match(crowd: list[Asset], viewer: User) -> None:
    apply(operation("edit", ""), crowd[:1], {"title": "Red boats"})
    found = as_dict(search(viewer, text="red boat -sea"), "red boat -sea")
    assert found["strong"] == 3 and found["results"][0]["matched_words"] == ["Red", "boats"]
    assert found["results"][0]["signals"].keys() >= {"keywords", "visual"}
    assert [one["strong"] for one in found["results"][2:4]] == [True, False]
    assert found["results"][3]["matched_words"] == []


def test_ranks_are_said_as_people_say_them() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 21, 1012, 102)] == [
        *("1st", "2nd", "3rd", "4th", "11th", "12th", "21st", "1,012th", "102nd")
    ]
    assert asked_words("two  boats -sea “river”") == ["two", "boats", "river"]
