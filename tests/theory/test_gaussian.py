"""Correlated Gaussians: the closed form against moments, samples and a generic optimizer."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

import feature_capacity as fc

from ..tolerances import DIFFERENCES, ROUNDING


def covariance(rng, n, rank=None):
    A = rng.standard_normal((n, n if rank is None else rank))
    return A @ A.T


def isserlis(S, h):
    """All second and fourth moments of an elliptical distribution of kurtosis 3h."""
    pairs = ("ij,kl->ijkl", "ik,jl->ijkl", "il,jk->ijkl")
    return fc.FullMoments(S, h * sum(np.einsum(p, S, S) for p in pairs))


@given(st.integers(0, 10**6), st.integers(1, 5), st.data())
def test_the_loss_of_its_matrix(seed, n, data):
    """What it says of its loss and bias holds by all fourth moments, singular or not."""
    rng = np.random.default_rng(seed)
    d, rank = data.draw(st.integers(1, n)), data.draw(st.integers(1, n))
    S, v, h = covariance(rng, n, rank), rng.uniform(0, 2, n), data.draw(st.floats(1, 10))
    best = fc.gaussian_embedding(S, v, d, 3 * h)
    moments = isserlis(S, h)
    size = h * float(best.spectrum.sum()) ** 2
    assert float(fc.loss_from_moments(best.W, v, moments)) == pytest.approx(
        float(best.loss), rel=1e-9, abs=1e-10 * size
    )
    assert float(fc.bias_from_moments(best.W, v, moments)) == pytest.approx(
        float(best.bias), rel=1e-9, abs=1e-9 * np.sqrt(size)
    )
    assert np.asarray(best.capacity).sum() <= d + 1e-9
    # Stationary: no direction of W changes the loss to first order.
    gradient = fc.gradient_from_moments(best.W, v, moments)
    assert np.abs(gradient).max() <= 1e-8 * (1 + h) * (1 + np.abs(S).max()) ** 2 * (1 + v.max())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("h", [1.0, 2.5])
def test_a_generic_optimizer_finds_nothing_lower(seed, h):
    rng = np.random.default_rng(seed)
    n, d = 5, int(rng.integers(1, 5))
    S, v = covariance(rng, n), rng.uniform(0.2, 2, n)
    best = fc.gaussian_embedding(S, v, d, 3 * h)

    def loss(flat):
        """Written out again: 2h tr(S M S M) + (h - 1) (tr S M)^2."""
        W = flat.reshape(d, n)
        SM = S @ (W.T @ W - np.diag(v))
        value = 2 * h * np.trace(SM @ SM) + (h - 1) * np.trace(SM) ** 2
        Q = 4 * h * SM @ S + 2 * (h - 1) * np.trace(SM) * S
        return value, (2 * W @ Q).ravel()

    starts = rng.standard_normal((6, d * n))
    options = {"ftol": 1e-15, "gtol": 1e-10, "maxiter": 5000}
    found = [
        optimize.minimize(loss, s, jac=True, method="L-BFGS-B", options=options) for s in starts
    ]
    lowest = min(found, key=lambda run: run.fun)
    assert lowest.fun == pytest.approx(float(best.loss), rel=1e-8)
    A, B = (W.T @ W for W in (best.W, lowest.x.reshape(d, n)))
    np.testing.assert_allclose(A, B, atol=1e-4 * np.abs(A).max())


def test_printed_form_with_inverse_roots():
    """S^(-1/2) [S^(1/2) V S^(1/2)]_D S^(-1/2), the form one meets first."""
    rng = np.random.default_rng(8)
    S, v, d = covariance(rng, 6), rng.uniform(0.2, 2, 6), 3
    values, vectors = np.linalg.eigh(S)
    root, inverse = ((vectors * values**p) @ vectors.T for p in (0.5, -0.5))
    mu, U = np.linalg.eigh(root @ np.diag(v) @ root)
    A = inverse @ (U[:, -d:] * mu[-d:]) @ U[:, -d:].T @ inverse
    W = fc.gaussian_embedding(S, v, d).W
    np.testing.assert_allclose(W.T @ W, A, atol=1e-8 * np.abs(A).max())


def test_independent_gaussians_are_the_papers_critical_line():
    v = np.array([3.0, 2.0, 1.0])
    best = fc.gaussian_embedding(np.eye(3), v, 2)
    paper = fc.solve_allocation(v, 2, 3.0)
    np.testing.assert_allclose(best.capacity, paper.capacity, atol=ROUNDING)
    assert float(best.loss) == pytest.approx(float(paper.loss), rel=ROUNDING)


def test_uncorrelated_elliptical_inputs_lie_on_the_threshold():
    """k = 3h: the loss is that of pairs that depend alike, and capacities are 0 or 1."""
    v, h = np.array([3.0, 2.0, 1.5, 1.0]), 2.0
    best = fc.gaussian_embedding(np.eye(4), v, 2, 3 * h)
    alike = fc.allocate_dependent(v, 2, 3 * h, h)
    assert float(best.loss) == pytest.approx(float(alike.loss), rel=1e-10)
    np.testing.assert_allclose(best.capacity, [1, 1, 0, 0], atol=1e-9)
    np.testing.assert_allclose((best.W**2).sum(0), alike.sq_norm, atol=1e-9)


def test_equal_importances_have_the_leverage_of_principal_components():
    rng = np.random.default_rng(5)
    S = covariance(rng, 7)
    best = fc.gaussian_embedding(S, np.ones(7), 3)
    vectors = np.linalg.eigh(S)[1][:, -3:]
    np.testing.assert_allclose(best.capacity, (vectors**2).sum(1), atol=1e-10)
    assert np.asarray(best.capacity).sum() == pytest.approx(3, abs=1e-10)
    assert ((best.capacity > 0.01) & (best.capacity < 0.99)).any()


def test_through_torch():
    rng = np.random.default_rng(6)
    S, v = covariance(rng, 4), rng.uniform(0.5, 2, 4)
    tensor = torch.tensor(v, requires_grad=True)
    loss = fc.gaussian_embedding(torch.tensor(S), tensor, 2, 6.0).loss
    (gradient,) = torch.autograd.grad(loss, tensor)
    for i in range(4):
        at = [v + sign * 1e-5 * np.eye(4)[i] for sign in (1, -1)]
        up, down = (float(fc.gaussian_embedding(S, x, 2, 6.0).loss) for x in at)
        assert float(gradient[i]) == pytest.approx((up - down) / 2e-5, rel=DIFFERENCES)


def test_a_subspace_that_is_not_determined_is_told():
    assert not fc.gaussian_embedding(np.eye(3), [1, 1, 1], 2).unique
    assert fc.gaussian_embedding(np.eye(3), [1, 1, 0.5], 2).unique
    assert fc.gaussian_embedding(np.eye(3), [1, 1, 1], 3).unique


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1, 2], [2, 1]], [1, 1], 1), "no negative eigenvalue"),
        (([[1, 0.5], [0.2, 1]], [1, 1], 1), "symmetric"),
        (([[1, 0]], [1, 1], 1), "a row and a column per importance"),
        (([[1, 0], [0, 1]], [1, 1], 3), "n_dims"),
        (([[1, 0], [0, 1]], [1, 1], 1, 2.0), "kurtosis"),
        (([[1, np.nan], [0, 1]], [1, 1], 1), "finite"),
    ],
)
def test_what_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        fc.gaussian_embedding(*arguments)
