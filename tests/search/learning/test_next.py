"""Whose description would teach most: many alike without words, unlike the described, each of a kind."""

from collections.abc import Callable, Iterator

import numpy as np

from search.learning.next import Chunks, choose

SIZE = 128
CENTRES = np.random.default_rng(1).normal(size=(5, SIZE)).astype(np.float32) * 3
CENTRES[4] = 0  # no kind: each of these looks like itself alone


def kind(number: int, count: int) -> np.ndarray:
    draw = np.random.default_rng(number + 10)
    return np.asarray(CENTRES[number] + draw.normal(size=(count, SIZE)), np.float32)


def chunks(ids: np.ndarray, rows: np.ndarray, size: int = 50) -> Chunks:
    def gone_through() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for start in range(0, len(ids), size):
            yield ids[start : start + size], rows[start : start + size]

    return gone_through


def kinds(*counts: int) -> tuple[np.ndarray, np.ndarray]:
    """Ids whose thousands are the kind, in an order by chance."""
    ids = np.concatenate([1000 * number + np.arange(count) for number, count in enumerate(counts)])
    rows = np.vstack([kind(number, count) for number, count in enumerate(counts)])
    order = np.random.default_rng(0).permutation(len(ids))
    return ids[order], rows[order]


nothing: Callable[[], Chunks] = lambda: chunks(np.zeros(0, np.int64), np.zeros((0, SIZE), np.float32))  # noqa: E731


def test_one_of_each_kind_comes_before_a_second_of_any() -> None:
    found = choose(chunks(*kinds(100, 80, 60, 40, 300)), nothing(), 4)
    assert [one.id // 1000 for one in found] == [0, 1, 2, 3]
    assert [(one.alike, one.described) for one in found] == [(99, 0), (79, 0), (59, 0), (39, 0)]


def test_what_is_like_the_described_can_wait() -> None:
    _, described = kinds(40)
    found = choose(chunks(*kinds(100, 80, 60, 40, 300)), chunks(np.arange(40), described), 4)
    assert [one.id // 1000 for one in found[:3]] == [1, 2, 3]
    assert not any(one.described for one in found[:3])


def test_how_it_is_cut_into_chunks_does_not_matter() -> None:
    ids, rows = kinds(70, 30)
    assert choose(chunks(ids, rows, 7), nothing(), 5) == choose(chunks(ids, rows, 100), nothing(), 5)


def test_of_nothing_nothing_is_chosen() -> None:
    assert choose(nothing(), nothing(), 5) == []
    ids, rows = kinds(2)
    assert len(choose(chunks(ids, rows), nothing(), 5)) == 2
