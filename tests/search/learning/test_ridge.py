"""The closed forms against the plain ways: a solved system, and models refitted without each picture."""

import numpy as np
import pytest

from search.learning.ridge import Chunk, NothingToLearn, Sums, fit, solve


def drawn(n: int = 40, p: int = 12, d: int = 5, seed: int = 1) -> Chunk:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, p)) * draw.uniform(0.5, 3, p) + draw.normal(size=p)
    u = draw.normal(size=(n, d))
    y = 0.4 * u + x @ draw.normal(size=(p, d)) * 0.2 + draw.normal(size=(n, d)) * 0.5 + 1
    return x.astype(np.float32), u.astype(np.float32), y.astype(np.float32)


def parts(chunk: Chunk, size: int = 7) -> list[Chunk]:
    return [tuple(rows[i : i + size] for rows in chunk) for i in range(0, len(chunk[0]), size)]  # type: ignore[misc]


def plain(
    x: np.ndarray, u: np.ndarray, y: np.ndarray, k: float, s: np.ndarray, a: float, u0: np.ndarray
) -> np.ndarray:
    """(1 + p, d) of ridge with an intercept that is not held back, for residuals with this scale."""
    z = np.hstack([np.ones((len(x), 1)), x / s])
    held = np.diag([0.0, *np.full(x.shape[1], k)])
    found: np.ndarray = np.linalg.solve(z.T @ z + held, z.T @ (y - a * (u - u0)))
    return found


def test_a_head_is_the_solved_system() -> None:
    x, u, y = (rows.astype(np.float64) for rows in drawn())
    head = fit(lambda: parts(drawn()), [30.0]).head
    s = x.std(axis=0)
    solved = plain(x, u, y, 30.0, s, head.prior_scale, u.mean(axis=0))
    expected = solved[0] + head.prior_scale * (u - u.mean(axis=0)) + (x / s) @ solved[1:]
    assert head.strength == 30.0 or head.strength == np.inf
    assert np.allclose(head.predict(drawn()[0], drawn()[1]), expected, atol=1e-4)


def test_leave_one_out_errors_are_those_of_models_without_each_picture() -> None:
    x, u, y = (rows.astype(np.float64) for rows in drawn())
    found = fit(lambda: parts(drawn()), [3.0, 300.0])
    s, a, u0 = x.std(axis=0), found.head.prior_scale, u.mean(axis=0)
    for k in (3.0, 300.0):
        errors = []
        for out in range(len(x)):
            rest = np.arange(len(x)) != out
            w = plain(x[rest], u[rest], y[rest], k, s, a, u0)
            errors.append(y[out] - a * (u[out] - u0) - w[0] - (x[out] / s) @ w[1:])
        assert found.errors[k] == pytest.approx(float(np.square(errors).sum() / len(x)), rel=1e-3)
    assert found.head.strength == min(found.errors, key=found.errors.__getitem__)


def test_it_does_not_matter_how_pictures_come() -> None:
    whole, few = fit(lambda: [drawn()]), fit(lambda: parts(drawn(), 3))
    assert whole.errors == pytest.approx(few.errors, rel=1e-5)
    assert np.allclose(whole.head.weights, few.head.weights, atol=1e-6)


def test_noise_is_not_learned() -> None:
    x, u, y = drawn(n=200)
    shuffled = np.random.default_rng(3).permutation(len(y))
    found = fit(lambda: [(x, u, y[shuffled])])
    assert found.head.strength >= 1e4  # as good as nothing
    assert fit(lambda: [(x, u, y)]).head.strength <= 100


def test_a_feature_that_never_changes_teaches_nothing() -> None:
    x, u, y = drawn()
    x[:, 3] = 7
    head = fit(lambda: [(x, u, y)]).head
    assert np.isfinite(head.predict(x, u)).all() and np.abs(head.weights[3]).max() < 1e-9


def test_without_a_sample_nothing_is_learned_but_scale_and_mean() -> None:
    sums = Sums(12, 5)
    sums.add(drawn())
    assert solve(sums, []).head.strength == np.inf


def test_too_little_says_so() -> None:
    with pytest.raises(NothingToLearn):
        fit(lambda: [])
    assert Sums(3, 2).n == 0
