"""Examples and words as one direction, without a database."""

from collections.abc import Sequence

import numpy as np

from search.blend import blended, unit

DRAW = np.random.default_rng(3)
LIBRARY = np.stack([unit(row) for row in DRAW.normal(size=(400, 32)).astype(np.float32)])


def with_gap(rows: np.ndarray, towards: int) -> np.ndarray:
    """As models give pictures and texts: all of one sort lie close together, apart from the others."""
    far = rows.copy()
    far[..., towards] += 3.0
    return np.asarray(far / np.linalg.norm(far, axis=-1, keepdims=True), dtype=np.float32)


def spreads(vectors: Sequence[np.ndarray]) -> list[float | None]:
    return [float((LIBRARY @ vector).std()) for vector in vectors]


def unknown(vectors: Sequence[np.ndarray]) -> list[float | None]:
    return [None for _ in vectors]


def alike(a: np.ndarray, b: np.ndarray, library: np.ndarray) -> float:
    """The correlation of what two directions score."""
    return float(np.corrcoef(library @ a, library @ b)[0, 1])


def test_words_and_a_picture_both_count_whatever_lies_between_them() -> None:
    rows = DRAW.normal(size=(400, 32)).astype(np.float32)
    rows[:, 1] = 0  # where texts lie, no picture is
    library = with_gap(rows, 0)
    for place in range(5):
        picture, words = (
            library[place],
            with_gap(np.float32(0.2) * DRAW.normal(size=32).astype(np.float32), 1),
        )
        both = blended([words], [picture], [], lambda every: [float((library @ v).std()) for v in every])
        summed = unit(words + picture)
        assert both is not None and np.isclose(np.linalg.norm(both), 1, atol=1e-5)
        assert min(alike(both, words, library), alike(both, picture, library)) > 0.5
        assert alike(summed, words, library) < alike(both, words, library) - 0.1


def test_without_a_library_to_compare_with_the_two_are_simply_added() -> None:
    both = blended([LIBRARY[0]], [LIBRARY[1]], [], unknown)
    assert both is not None and np.allclose(both, unit(LIBRARY[0] + LIBRARY[1]), atol=1e-6)


def test_many_that_are_not_liked_do_not_outweigh_one_that_is() -> None:
    liked = LIBRARY[0]
    away = blended([], [liked], list(LIBRARY[1:41]), spreads)
    assert away is not None and alike(away, liked, LIBRARY) > 0.7


def test_what_is_not_liked_moves_away_and_the_rest_stays() -> None:
    liked, unliked = LIBRARY[0], LIBRARY[1]
    found = blended([], [liked], [unliked], spreads)
    assert found is not None
    assert found @ unliked < liked @ unliked and found @ liked > 0.8


def test_nothing_wanted_is_no_direction() -> None:
    assert blended([], [], [LIBRARY[0]], spreads) is None
    assert blended([], [], [], spreads) is None


def test_what_cancels_out_is_no_error() -> None:
    found = blended([LIBRARY[0]], [-LIBRARY[0]], [], unknown)
    assert found is not None and np.isfinite(found).all()
