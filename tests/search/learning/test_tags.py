"""Tags learned from drawn pictures of known probabilities: what is said is true on unseen ones."""

import numpy as np
import pytest

from search.learning import ridge, tags

NUMBERS, LABELS = 40, 6
TERMS = np.arange(LABELS, dtype=np.int64)


class World:
    """Features, of which tags follow by chance: some common, some rare, and the last one by chance alone."""

    def __init__(self, seed: int) -> None:
        self.draw = np.random.default_rng(seed)
        self.pull = self.draw.normal(size=(NUMBERS, LABELS)) / 3
        self.pull[:, -1] = 0
        self.level = np.array([0, -1, -2, -3, 1, -1.0])

    def pictures(self, n: int) -> tuple[tags.Rows, tags.Rows]:
        x = self.draw.normal(size=(n, NUMBERS)).astype(np.float32)
        p = 1 / (1 + np.exp(-(x @ self.pull + self.level)))
        return 5 + 3 * x, np.where(self.draw.random(p.shape) < p, 1, -1).astype(np.float32)


def fitted(x: tags.Rows, y: tags.Rows, groups: tags.Ids | None = None) -> tags.TagFit:
    groups = np.arange(len(x)) if groups is None else groups
    share = (y > 0).sum(axis=0) / (y != 0).sum(axis=0)
    parts = [slice(0, 401), slice(401, None)]
    return tags.learn(
        lambda: (tags.Examples(x[part], y[part], groups[part]) for part in parts), TERMS, share, len(x)
    )


def judged(head: tags.TagHead, world: World) -> list[tags.Tenth]:
    x, y = world.pictures(4000)
    return tags.tenths(head.probabilities(x).ravel(), (y > 0).ravel().astype(float))


def assert_true(found: list[tags.Tenth]) -> None:
    assert all(abs(one.said - one.true) < 0.1 for one in found if one.number >= 200)
    assert tags.error(found) < 0.05 and tags.error(found, 0.5) < 0.1


@pytest.mark.parametrize("seed", [0, 1])
def test_probabilities_are_true_on_unseen_pictures_and_tell_them_apart(seed: int) -> None:
    world = World(seed)
    fit = fitted(*world.pictures(800))
    found = judged(fit.head, world)
    assert_true(found)
    assert found[0].number > 2000 and found[9].number > 300
    assert tags.error(fit.reliability) < 0.05 and sum(one.number for one in fit.reliability) >= 800 * 5
    x, _ = world.pictures(500)
    by_chance = fit.head.probabilities(x)[:, -1]
    assert abs(by_chance - 0.27).max() < 0.2  # its features say nothing


def test_pictures_of_one_thing_do_not_make_it_surer_than_is_true() -> None:
    world = World(2)
    x, y = (np.repeat(rows, 4, axis=0) for rows in world.pictures(150))
    noise = world.draw.normal(size=x.shape).astype(np.float32) / 10
    things = np.repeat(np.arange(150), 4)
    together, apart = (judged(fitted(x + noise, y, g).head, world) for g in (things, None))
    assert tags.error(together, 0.5) < 0.1 < tags.error(apart, 0.5)


def test_answers_that_are_unknown_speak_for_neither() -> None:
    world = World(3)
    x, y = world.pictures(1500)
    y[world.draw.random(y.shape) < 0.5] = 0
    assert_true(judged(fitted(x, y).head, world))


def test_what_was_learned_is_kept_in_few_bytes_and_read_again() -> None:
    head = fitted(*World(4).pictures(800)).head
    again, (x, _) = tags.unpacked(head.packed()), World(4).pictures(3)
    assert again.packed() == head.packed() and (again.terms == TERMS).all()
    assert np.array_equal(again.probabilities(x), head.probabilities(x))
    assert again.weights.nbytes == 2 * NUMBERS * LABELS


def test_held_out_scores_are_those_of_a_model_that_has_not_seen_the_group() -> None:
    world = World(5)
    x, y = world.pictures(60)
    groups = np.array([0, 0, 0, *range(1, 58)])

    def held(rows: slice) -> tags._Held:
        sums = ridge.Sums(NUMBERS, LABELS)
        sums.add((x[rows], np.zeros((len(x[rows]), 1), np.float32), y[rows]))
        return tags._Held(ridge.Problem(sums), 50.0)

    whole, less = held(slice(None)), held(slice(3, None))
    scores = whole.scores(tags.Examples(x, y, groups), y)[:3]
    z = ((x[:3] - less.problem.x0) / less.problem.s) @ less.problem.vectors
    again = z @ less.turned  # with a mean and a spread of its own, hence nearly
    assert np.corrcoef(scores.ravel(), again.ravel())[0, 1] > 0.98
    assert abs(scores - again).max() < 0.2 * abs(again).max()


def test_of_nothing_nothing_is_learned() -> None:
    with pytest.raises(ridge.NothingToLearn):
        tags.learn(lambda: [], TERMS, np.zeros(LABELS), 0)
