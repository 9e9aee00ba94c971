"""Splits that keep together what shows the same, ranks against a plain sort, and an interval that holds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from search.learning.proof import folds, gain, ranks, recall
from search.learning.ridge import Head
from search.learning.trial import question as asked_by


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.integers(1, 5))
def test_a_group_stays_on_one_side(groups: list[int], count: int) -> None:
    found = folds(groups, count)
    assert sorted(np.concatenate(found).tolist()) == list(range(len(groups)))
    sides = [{groups[place] for place in part} for part in found]
    assert sum(len(side) for side in sides) == len(set(groups))


def test_ranks_are_those_of_a_sort() -> None:
    draw = np.random.default_rng(0)
    pictures, questions = draw.normal(size=(30, 4)), draw.normal(size=(9, 4))
    right = draw.integers(0, 30, 9)
    found = ranks(pictures.astype(np.float32), questions.astype(np.float32), right)
    for question, place, rank in zip(questions, right, found, strict=True):
        assert np.argsort(-(pictures @ question)).tolist().index(place) + 1 == rank
    assert recall(np.array([1, 5, 6, 11])) == {"recall@1": 0.25, "recall@5": 0.5, "recall@10": 0.75}


def test_a_question_in_another_language_stays_where_it_is() -> None:
    x, d = np.zeros(2, np.float32), np.array([0.5, 0, 0], np.float32)
    head = Head(x, x + 1, np.zeros((2, 3), np.float32), 0 * d, 1.0, d, 1.0, 9)
    asked = np.array([[0, 0.6, 0.8], [0.8, 0.6, 0]], np.float32)
    assert np.allclose(asked_by(head, asked), [[0, 0.6, 0.8], [0, 1, 0]], atol=1e-6)


def test_who_cannot_tell_is_not_right() -> None:
    same, questions = np.ones((21, 4), np.float32), np.ones((2, 4), np.float32)
    assert ranks(same, questions, np.array([0, 20])).tolist() == [11, 11]


def test_a_gain_is_sure_when_it_is_and_not_when_it_is_chance() -> None:
    draw, sure = np.random.default_rng(5), 0
    for _ in range(60):
        before, after = draw.integers(1, 21, 200), draw.integers(1, 21, 200)
        sure += gain(before, after, range(200)).is_sure
    assert sure <= 6  # 2.5 of 100 by chance
    better = gain(draw.integers(1, 41, 400), draw.integers(1, 21, 400), range(400))
    assert better.is_sure and better.low < better.difference < better.high


def test_many_pictures_of_one_object_count_as_one() -> None:
    before, after = np.full(40, 20), np.full(40, 20)
    after[:20] = 1  # one object with twenty views
    alone = gain(before, after, range(40))
    together = gain(before, after, [0] * 20 + list(range(1, 21)))
    assert alone.is_sure and not together.is_sure
