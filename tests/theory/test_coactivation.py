"""Capacity weighted by co-activation: its definition, bounds, sum, and the loss in it."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import feature_capacity as fc

from ..tolerances import DIFFERENCES, ROUNDING


def by_definition(W, h):
    A = W.T @ W
    weight = h * np.ones_like(A)
    np.fill_diagonal(weight, 1.0)
    n = np.diag(A)
    return np.where(n > 0, n**2 / np.where(n > 0, (weight * A**2).sum(1), 1), 0.0)


@given(st.integers(0, 10**6), st.integers(1, 7), st.integers(1, 5), st.integers(-60, 60))
def test_definition_and_invariance(seed, n, d, power):
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((d, n)) * (rng.random(n) < 0.8)
    h = rng.choice([rng.random((n, n)), rng.uniform(0, 5, (n, n))])
    h = h + h.T
    C = fc.weighted_capacities(W, h)
    np.testing.assert_allclose(C, by_definition(W, h), atol=ROUNDING)
    assert ((C >= 0) & (C <= 1)).all()
    turn = np.linalg.qr(rng.standard_normal((d, d)))[0]
    np.testing.assert_allclose(fc.weighted_capacities(turn @ W * 2.0**power, h), C, atol=1e-10)
    order = rng.permutation(n)
    np.testing.assert_allclose(
        fc.weighted_capacities(W[:, order], h[np.ix_(order, order)]), C[order], atol=ROUNDING
    )


@given(st.integers(0, 10**6), st.integers(2, 9), st.integers(1, 5), st.floats(0, 3))
def test_one_weight_for_all_pairs(seed, n, d, h):
    """A function of the capacity of equation (3), and the bound on its sum."""
    rng = np.random.default_rng(seed)
    d = min(d, n)
    W = rng.standard_normal((d, n)) * 10.0 ** rng.uniform(-1, 1, n)
    C = fc.capacities(W)
    weighted = fc.weighted_capacities(W, h)
    np.testing.assert_allclose(weighted, C / (C + h * (1 - C)), atol=1e-10)
    bound = fc.weighted_capacity_bound(n, d, h)
    assert weighted.sum() <= bound + 1e-9
    assert bound == pytest.approx(n * d / (d + min(h, 1) * (n - d)))


def test_the_bound_is_attained_by_tight_frames():
    W = fc.embedding_from_capacities(np.full(6, 0.5))
    for h in (0.1, 0.5, 1.0):
        total = fc.weighted_capacities(W, h).sum()
        assert total == pytest.approx(fc.weighted_capacity_bound(6, 3, h), rel=1e-10)


@given(st.integers(0, 10**6), st.integers(1, 4))
def test_the_sum_by_sets_that_occur_together(seed, d):
    """At most D for each set inside which every pair has a weight of at least 1."""
    rng = np.random.default_rng(seed)
    sets = rng.integers(0, 3, 9)
    same = sets[:, None] == sets
    h = np.where(same, 1 + rng.random((9, 9)), rng.random((9, 9)) * 0.3)
    h = np.maximum(h, h.T)
    W = rng.standard_normal((d, 9))
    assert fc.weighted_capacities(W, h).sum() <= d * len(set(sets)) + 1e-9


def moments_with(G):
    n = len(G)
    return fc.Moments(np.ones(n), G + 1)


def test_interference_is_that_of_the_loss():
    """2 sum n^2 (1/C - 1) is the second sum of the loss, by the moments."""
    rng = np.random.default_rng(0)
    moments = fc.grouped_inputs(2, 3, 0.2, 0.7)
    W, v = rng.standard_normal((3, 6)), rng.random(6)
    n = (W * W).sum(0)
    C = fc.weighted_capacities(W, moments.coactivation)
    G = np.asarray(moments.fourth) - 1
    loss = (n - v) @ G @ (n - v) + 2 * (n**2 * (1 / C - 1)).sum()
    assert float(fc.loss_from_moments(W, v, moments)) == pytest.approx(loss, rel=1e-11)


def test_loss_at_best_lengths_is_a_lower_bound_with_the_papers_slope():
    rng = np.random.default_rng(1)
    moments = fc.grouped_inputs(2, 2, 0.2, 0.7)
    v = rng.uniform(0.5, 2, 4)
    for _ in range(20):
        W = rng.standard_normal((2, 4))
        C = fc.weighted_capacities(W, moments.coactivation)
        least, _ = fc.loss_at_weighted_capacities(C, v, moments)
        assert float(least) <= float(fc.loss_from_moments(W, v, moments)) + 1e-9
    C = torch.tensor([0.3, 0.6, 0.5, 0.9], dtype=torch.float64, requires_grad=True)
    loss, lengths = fc.loss_at_weighted_capacities(C, v, moments)
    (slope,) = torch.autograd.grad(loss, C)
    np.testing.assert_allclose(-slope, 2 * (lengths / C).detach() ** 2, rtol=1e-10)  # (14)


def mixed_difference(C, v, moments, i, j, step=1e-3):
    total = 0.0
    for a, b in itertools.product((1, -1), repeat=2):
        at = C.copy()
        at[i] += a * step
        at[j] += b * step
        total += a * b * float(fc.loss_at_weighted_capacities(at, v, moments)[0])
    return total / (4 * step**2)


def test_the_loss_is_no_sum_of_terms_of_one_capacity_each():
    C, v = np.array([0.3, 0.6, 0.5]), np.array([1.0, 0.8, 1.2])
    dependent = fc.grouped_inputs(1, 3, 0.3, 0.8)
    assert abs(mixed_difference(C, v, dependent, 0, 1)) > 0.1
    independent = fc.independent_moments([9.0, 5.0, 12.0], 3)
    assert abs(mixed_difference(C, v, independent, 0, 1)) < DIFFERENCES
    # The formula of the docstring, through E = 2/C - 2, dE/dC = -2/C^2.
    G, E = np.asarray(dependent.fourth) - 1, np.diag(2 / C - 2)
    inverse = np.linalg.inv(G + E)
    n = inverse @ G @ v
    expected = -2 * n[0] * n[1] * inverse[0, 1] * 4 / (C[0] * C[1]) ** 2
    assert mixed_difference(C, v, dependent, 0, 1) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fc.weighted_capacities([[1, 1]], -1.0), "at least 0"),
        (lambda: fc.weighted_capacities([[1, 1]], [1, 1, 1]), r"number or have shape \(2, 2\)"),
        (lambda: fc.weighted_capacities([[1, np.inf]], 1.0), "finite"),
        (
            lambda: fc.loss_at_weighted_capacities([0, 1], [1, 1], fc.independent_moments(9, 2)),
            "above 0 here",
        ),
        (lambda: fc.weighted_capacity_bound(3, 4, 1.0), "n_dims"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
