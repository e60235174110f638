"""The loss in moments against enumeration of inputs, and its derivatives."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import feature_capacity as fc

from ..tolerances import DIFFERENCES, ROUNDING, STANDARD_ERRORS


def all_inputs(rng, n, symmetric):
    """A finite population: every input and its probability; with all signs where symmetric."""
    x = rng.standard_normal((5, n)) * (rng.random((5, n)) < 0.6) + 0.05
    p = rng.dirichlet(np.ones(5))
    if symmetric:
        signs = np.array(list(itertools.product((1, -1), repeat=n)))
        x = (x[:, None, :] * signs).reshape(-1, n)
        p = np.repeat(p, len(signs)) / len(signs)
    return x, p


def true_loss(W, v, x, p, bias=None):
    """The mean squared error over the population, at the bias that makes the mean error 0."""
    error = ((x @ W.T) ** 2).sum(-1) - (x * x) @ v
    b = -(p @ error) if bias is None else bias
    return p @ (error + b) ** 2, b


def moments_of(x, p, symmetric):
    if symmetric:
        return fc.Moments(p @ x**2, (x**2).T @ (p[:, None] * x**2))
    return fc.FullMoments(
        np.einsum("s,si,sj->ij", p, x, x), np.einsum("s,si,sj,sk,sl->ijkl", p, x, x, x, x)
    )


@given(st.integers(0, 10**6), st.booleans(), st.integers(1, 4), st.integers(1, 3))
def test_against_enumeration_of_the_inputs(seed, symmetric, n, d):
    rng = np.random.default_rng(seed)
    x, p = all_inputs(rng, n, symmetric)
    moments = moments_of(x, p, symmetric)
    W, v = rng.standard_normal((d, n)), rng.uniform(0, 2, n)
    expected, bias = true_loss(W, v, x, p)
    size = 1 + np.abs(x).max() ** 4 * (1 + (W * W).sum()) ** 2
    assert float(fc.loss_from_moments(W, v, moments)) == pytest.approx(
        expected, rel=1e-10, abs=ROUNDING * size
    )
    assert float(fc.bias_from_moments(W, v, moments)) == pytest.approx(bias, abs=ROUNDING * size)
    given_bias, _ = true_loss(W, v, x, p, bias=0.3)
    assert float(fc.loss_from_moments(W, v, moments, bias=0.3)) == pytest.approx(
        given_bias, rel=1e-10, abs=ROUNDING * size
    )


@pytest.mark.parametrize("symmetric", [True, False])
def test_gradient_by_torch_and_by_differences(symmetric):
    rng = np.random.default_rng(4)
    x, p = all_inputs(rng, 4, symmetric)
    moments = moments_of(x, p, symmetric)
    W, v = rng.standard_normal((3, 4)), rng.uniform(0, 2, 4)
    ours = fc.gradient_from_moments(W, v, moments)
    tensor = torch.tensor(W, requires_grad=True)
    (auto,) = torch.autograd.grad(fc.loss_from_moments(tensor, v, moments), tensor)
    np.testing.assert_allclose(ours, auto, rtol=1e-10, atol=1e-10)
    step = 1e-5
    for i, j in itertools.product(range(3), range(4)):
        move = np.zeros_like(W)
        move[i, j] = step
        up, down = (true_loss(W + sign * move, v, x, p)[0] for sign in (1, -1))
        assert ours[i, j] == pytest.approx((up - down) / 2 / step, rel=DIFFERENCES, abs=1e-6)


def test_independent_features_are_the_papers_loss():
    rng = np.random.default_rng(1)
    W, v, k = rng.standard_normal((5, 2, 4)), rng.random(4), rng.uniform(1, 9, 4)
    moments = fc.independent_moments(k, 4)
    np.testing.assert_allclose(
        fc.loss_from_moments(W, v, moments), fc.expected_loss(W, v, k), rtol=ROUNDING
    )
    np.testing.assert_allclose(
        fc.bias_from_moments(W, v, moments), fc.best_bias(W, v), rtol=ROUNDING
    )
    np.testing.assert_allclose(moments.kurtosis, k)


def test_samples_in_parts_are_the_samples():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((1000, 3)) ** 3
    whole, parts = fc.moments_of_samples(x), fc.moments_of_samples(iter(np.array_split(x, 7)))
    np.testing.assert_allclose(parts.fourth, whole.fourth, rtol=ROUNDING)
    W, v = rng.standard_normal((2, 3)), np.ones(3)
    full = fc.full_moments_of_samples(np.array_split(x, 3))
    expected, _ = true_loss(W, v, x, np.full(1000, 1e-3))
    assert float(fc.loss_from_moments(W, v, full)) == pytest.approx(expected, rel=1e-10)


def test_moments_of_samples_come_close_to_those_of_the_distribution():
    rng = np.random.default_rng(3)
    n, q = 400_000, 0.2
    on = rng.random((n, 2)) < q
    x = np.repeat(on, 2, axis=1) * rng.standard_normal((n, 4))
    exact = fc.grouped_inputs(2, 2, q, kurtosis=3.0)
    found = fc.moments_of_samples(x)
    spread = np.sqrt(105 / q / n) / q  # of the fourth powers, the widest of all
    band = STANDARD_ERRORS * spread * 3
    np.testing.assert_allclose(found.coactivation, exact.fourth, atol=band)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fc.Moments([1, 1], [[3, 1]]), "shape"),
        (lambda: fc.Moments([1, 0], [[3, 1], [1, 3]]), "second moments must be positive"),
        (lambda: fc.Moments([1, 1], [[3, -1], [-1, 3]]), "no negative entry"),
        (lambda: fc.Moments([1, 1], [[3, 4], [4, 3]]), "moments of no inputs"),
        (lambda: fc.Moments([1, 1], [[0.5, 0], [0, 3]]), "moments of no inputs"),
        (lambda: fc.FullMoments([1, 1], [[3, 1], [1, 3]]), "N, N, N, N"),
        (lambda: fc.loss_from_moments([[1, 1]], [1, 1], 9.0), "moments must be Moments"),
        (
            lambda: fc.loss_from_moments([[1, 1]], [1, 1], fc.independent_moments(9, 3)),
            "one entry per column",
        ),
        (lambda: fc.moments_of_samples([1.0, 2.0]), r"shape \(samples, n_features\)"),
        (lambda: fc.moments_of_samples(iter([])), "at least one row"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
