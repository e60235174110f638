"""Direct minimization of equation (12), which knows no theory, against the theory and scipy."""

import numpy as np
import pytest
import torch
from scipy import optimize

import feature_capacity as fc
from feature_capacity.solvers import newton
from feature_capacity.solvers.newton import minimize_quadratic
from feature_capacity.solvers.result import ConvergenceError
from feature_capacity.theory.phases import one_feature_varied

from ..tolerances import NEWTON, OPTIMIZER, OPTIMIZER_LOSS, ROUNDING


@pytest.fixture(scope="module")
def grid():
    v = one_feature_varied(np.geomspace(0.15, 8, 9), 6)  # 1 is not among them
    k = np.array([1.5, 2.5, 3.2, 5.0, 18.0, 200.0])[:, None, None]
    return v, k, minimize_quadratic(v, k, n_dims=3, n_starts=8)


def test_every_cell_reaches_the_closed_form(grid):
    v, k, result = grid
    best = fc.solve_allocation(v, 3, k)
    assert result.converged.all()
    np.testing.assert_allclose(result.loss, best.loss, rtol=OPTIMIZER_LOSS)
    np.testing.assert_allclose(result.capacity[..., 0], best.capacity[..., 0], atol=NEWTON)
    unique = best.unique
    np.testing.assert_allclose(result.capacity[unique], best.capacity[unique], atol=NEWTON)


def test_the_record_describes_what_was_found(grid):
    v, k, result = grid
    assert result.W.shape == (6, 9, 3, 6)
    assert result.loss_of_starts.shape == (6, 9, 8)
    np.testing.assert_allclose(fc.expected_loss(result.W, v, k), result.loss, rtol=1e-9)
    np.testing.assert_allclose(fc.best_bias(result.W, v), result.bias, rtol=ROUNDING)
    np.testing.assert_allclose(fc.capacities(result.W), result.capacity, rtol=ROUNDING)
    np.testing.assert_array_equal(result.loss_of_starts.argmin(-1), result.best_start)
    np.testing.assert_array_equal(result.loss_of_starts.min(-1), result.loss)
    near = (result.loss_of_starts <= 1.01 * result.loss[..., None]).sum(-1)
    np.testing.assert_array_equal(result.n_near_best, near)
    assert (result.gradient_norm <= 1e-12).all()
    assert (result.iterations > 0).all()


def test_the_gradient_vanishes_by_autograd(grid):
    v, k, result = grid
    W = torch.tensor(result.W, requires_grad=True)
    fc.expected_loss(W, torch.tensor(v), torch.tensor(k)).sum().backward()
    relative = W.grad.abs().amax((-2, -1)).numpy() / (k[..., 0] - 1) / v.mean(-1) ** 1.5
    assert relative.max() < 1e-11


def unequal_problems(count):
    """Dense and sparse features in one row; in the first a dense one shares."""
    rng = np.random.default_rng(1)
    v, k = rng.uniform(0.6, 4, (count, 5)), rng.uniform(5, 60, (count, 5))
    k[:, :2] = rng.uniform(1.5, 2.99, (count, 2))
    v[0], k[0] = [2.6, 0.5, 1, 1, 1], [2.5, 2.5, 30, 30, 30]
    return v, k


def test_unequal_kurtosis_reaches_the_exact_optimum():
    v, k = unequal_problems(12)
    best = fc.solve_allocation(v, 2, k)
    assert (best.phase[0, 0], best.unique.all()) == (fc.POLYSEMANTIC, True)
    result = minimize_quadratic(v, k, 2, n_starts=24, strict=True)
    np.testing.assert_allclose(result.loss, best.loss, rtol=OPTIMIZER_LOSS)
    np.testing.assert_allclose(result.capacity, best.capacity, atol=NEWTON)
    np.testing.assert_allclose(fc.expected_loss(result.W, v, k), result.loss, rtol=1e-9)


def test_unequal_kurtosis_agrees_with_the_minimizer_for_moments():
    v, k = unequal_problems(4)
    eye = np.eye(5)
    moments = fc.Moments(np.ones((4, 5)), 1 - eye + k[:, :, None] * eye)
    result = minimize_quadratic(v, k, 2, n_starts=12, seed=3)
    other = fc.minimize_moments(v, moments, 2, n_starts=12, seed=3)
    np.testing.assert_allclose(result.loss_of_starts.min(-1), other.loss, rtol=OPTIMIZER_LOSS)
    np.testing.assert_allclose(result.capacity, other.capacity, atol=NEWTON)
    np.testing.assert_allclose(result.bias, other.bias, rtol=1e-7)


@pytest.mark.parametrize("shape", [(), (5,), (1, 5), (4, 1), (4, 5), (3, 1, 1), (3, 1, 5)])
def test_kurtosis_broadcasts_against_importance(shape):
    v = np.linspace(0.5, 2, 20).reshape(4, 5)
    k = np.full(shape, 9.0)
    one, result = minimize_quadratic(v, 9.0, 2), minimize_quadratic(v, k, 2)
    assert result.loss.shape == np.broadcast_shapes(shape[:-1], (4,))
    np.testing.assert_allclose(result.loss, np.broadcast_to(one.loss, result.loss.shape), rtol=1e-9)


def test_scipy_finds_no_lower_loss():
    rng = np.random.default_rng(0)
    v, k = rng.uniform(0.3, 2, 5), 7.0

    def loss(x):
        gram = x.reshape(2, 5).T @ x.reshape(2, 5)
        n = np.diag(gram)
        return (k - 1) * np.sum((n - v) ** 2) + 2 * (np.sum(gram**2) - np.sum(n**2))

    runs = [
        optimize.minimize(loss, rng.standard_normal(10), method="BFGS", options={"gtol": 1e-9})
        for _ in range(8)
    ]
    scipy_best = min(runs, key=lambda run: run.fun)
    result = minimize_quadratic(v, k, 2)
    assert result.loss.shape == ()
    assert float(result.loss) == pytest.approx(scipy_best.fun, rel=OPTIMIZER_LOSS)
    np.testing.assert_allclose(
        result.capacity, fc.capacities(scipy_best.x.reshape(2, 5)), atol=10 * OPTIMIZER
    )


def test_results_do_not_depend_on_chunks_and_only_on_the_seed(monkeypatch):
    v, k = one_feature_varied(np.array([0.5, 2.0, 4.0]), 5), np.array([[9.0], [5.0], [2.0]])
    first, again = (minimize_quadratic(v, k, 2, n_starts=3, seed=1) for _ in range(2))
    np.testing.assert_array_equal(first.W, again.W)
    monkeypatch.setattr(newton, "_MODELS_AT_ONCE", 3)
    pieces = minimize_quadratic(v, k, 2, n_starts=3, seed=1)
    np.testing.assert_allclose(pieces.W, first.W, atol=NEWTON)
    other = minimize_quadratic(v, k, 2, n_starts=3, seed=2)
    assert abs(other.W - first.W).max() > 1e-3  # another rotation
    np.testing.assert_allclose(other.loss, first.loss, rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_scale_of_importances(scale):
    v, k = np.array([2.0, 1.0, 0.9, 0.7]), 9.0
    one, scaled = minimize_quadratic(v, k, 2), minimize_quadratic(scale * v, k, 2)
    assert scaled.converged
    np.testing.assert_allclose(scaled.capacity, one.capacity, atol=NEWTON)
    np.testing.assert_allclose(scaled.loss, one.loss * scale**2, rtol=OPTIMIZER_LOSS)


def test_too_few_steps_are_reported_not_hidden():
    short = minimize_quadratic([2.0, 1.0, 1.0], 9.0, 2, max_iterations=2)
    assert not short.converged
    assert short.gradient_norm > 1e-12
    with pytest.raises(ConvergenceError, match=r"1 of 1 cells.*in 2 steps; raise max_iterations"):
        minimize_quadratic([2.0, 1.0, 1.0], 9.0, 2, max_iterations=2, strict=True)
    loose, exact = (
        minimize_quadratic([2.0, 1.0, 1.0], 9.0, 2, n_starts=1, tolerance=tolerance, strict=True)
        for tolerance in (1e-3, 1e-12)
    )
    assert loose.iterations < exact.iterations
    assert exact.gradient_norm < loose.gradient_norm <= 1e-3


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"importance": [1.0, -1.0]}, r"importance must be at least 0; got -1\.0"),
        ({"importance": [1.0, np.nan]}, "importance must be finite; got nan"),
        ({"importance": [0.0, 0.0]}, "importance must have a positive entry"),
        ({"importance": [[1.0, 2.0], [0.0, 0.0]]}, "importance must have a positive entry"),
        ({"importance": ["1", "2"]}, "importance must be real numbers"),
        ({"importance": 1.0}, r"importance must have one entry per feature.*got shape \(\)"),
        ({"kurtosis": 1.0}, r"kurtosis must be above 1 here; got 1\.0"),
        ({"kurtosis": 0.5}, r"kurtosis must be at least 1.*got 0\.5"),
        ({"kurtosis": [9.0, 1.0]}, r"kurtosis must be above 1 here; got 1\.0"),
        ({"kurtosis": [2.0, 3.0, 4.0]}, r"kurtosis must broadcast.*got shape \(3,\)"),
        ({"kurtosis": True}, "kurtosis must be real numbers.*got True"),
        ({"importance": np.ones((2, 2)), "kurtosis": [[2.0], [3], [4]]}, r"kurtosis \(3,\)"),
        ({"n_dims": 3}, r"n_dims must be .*\(2\); got 3"),
        ({"n_dims": 1.0}, r"n_dims must be .*got 1\.0"),
        ({"n_starts": 0}, "n_starts must be a whole number, at least 1; got 0"),
        ({"max_iterations": 0}, "max_iterations must be a whole number, at least 1; got 0"),
        ({"tolerance": 0.0}, r"tolerance must be a number in \(0, 1\); got 0\.0"),
        ({"tolerance": "small"}, r"tolerance must be a number in \(0, 1\); got 'small'"),
        ({"device": "abacus"}, "device must be one that this machine has.*got 'abacus'"),
    ],
)
def test_bad_input(changed, rule):
    arguments = {"importance": [1.0, 2.0], "kurtosis": 9.0, "n_dims": 1} | changed
    with pytest.raises(ValueError, match=rule):
        minimize_quadratic(**arguments)


@pytest.mark.parametrize(
    ("importance", "kurtosis"), [(1e160, 9.0), (1e308, 9.0), (3.0, 1e308), (3.0, [2.0, 5.0, 1e308])]
)
def test_a_loss_that_no_float_holds_is_refused(importance, kurtosis):
    with pytest.raises(ValueError, match=r"the loss.*must be finite.*scale them down"):
        fc.minimize_quadratic([[importance, 1.0, 1.0]], kurtosis, 2)
