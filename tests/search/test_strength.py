"""The cutoff between strong and weak results: the rule, and what the product makes of it."""

import math
from typing import Any

import numpy as np
import pytest

from accounts.models import User
from search import background, ranking, sql, strength
from search.hybrid import HybridQuery
from search.models import EmbeddingSpace
from search.query import run
from search.ranking import Hit
from search.reasons import asked_words, ordinal
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


# --- the product; a larger library is in test_strong_results.py ---------------------------------------------


def search(user: Any, **question: Any) -> Any:
    return run(HybridQuery(user=user, **question))


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


def test_ranks_are_said_as_people_say_them() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 21, 1012, 102)] == [
        *("1st", "2nd", "3rd", "4th", "11th", "12th", "21st", "1,012th", "102nd")
    ]
    assert asked_words("two  boats -sea “river”") == ["two", "boats", "river"]
