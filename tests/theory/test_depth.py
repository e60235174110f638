"""Moments of squares against enumeration and sampling; the second layer against its limits."""

from itertools import product

import numpy as np
import pytest

import feature_capacity as fc
from feature_capacity.theory import depth

from ..tolerances import ROUNDING

# A symmetric variable of five values: every moment below is a finite sum.
VALUES = np.array([-2.0, -0.5, 0.0, 0.5, 2.0])
CHANCE = np.array([0.1, 0.15, 0.5, 0.15, 0.1])
VALUES = VALUES / np.sqrt(CHANCE @ VALUES**2)
EVEN = [float(CHANCE @ VALUES**r) for r in (2, 4, 6, 8)]


def all_inputs(n):
    x = np.array(list(product(VALUES, repeat=n)))
    weight = np.array([np.prod(c) for c in product(CHANCE, repeat=n)])
    return x, weight


def test_moments_are_those_of_all_inputs():
    G = np.random.default_rng(0).standard_normal((4, 3))
    x, weight = all_inputs(3)
    s = (x @ G.T) ** 2
    s = s - weight @ s
    found = fc.moments_of_squares(G, EVEN)
    second = np.einsum("s,sa,sb->ab", weight, s, s)
    fourth = np.einsum("s,sa,sb,sc,sd->abcd", weight, s, s, s, s)
    assert np.allclose(found.second, second, rtol=0, atol=1e-12 * abs(second).max())
    assert np.allclose(found.fourth, fourth, rtol=0, atol=1e-12 * abs(fourth).max())


def test_the_loss_is_that_of_all_inputs():
    rng = np.random.default_rng(1)
    W_1, W_2, v = rng.standard_normal((2, 3)), rng.standard_normal((2, 3)), np.array([3.0, 2, 1])
    x, weight = all_inputs(3)
    s, f = (x @ (W_1.T @ W_1)) ** 2, x**2 - 1
    s = s - weight @ s
    s = s * (weight @ (s * f)) / (weight @ (s * s))  # each at its best scale
    unit = np.sqrt(EVEN[1] - 1)
    error = (((s / unit) @ W_2.T) ** 2).sum(1) - ((f / unit) ** 2) @ v
    variance = weight @ error**2 - (weight @ error) ** 2
    assert fc.two_layer_loss(W_1, W_2, v, EVEN) == pytest.approx(variance, rel=ROUNDING * 100)


def test_behind_a_perfect_layer_it_is_the_quadratic_model_of_the_squares():
    """Squares of independent features are independent, but not symmetric: a third moment enters."""
    v, n = np.array([3.0, 2.0, 1.0]), 3
    W_2 = np.random.default_rng(2).standard_normal((2, n))
    f = (VALUES**2 - 1) / np.sqrt(EVEN[1] - 1)
    k = float(CHANCE @ f**4)
    skew = float(CHANCE @ f**3)
    A = W_2.T @ W_2
    # Cov(f_i f_j, f_k^2) is 0 for i != j, so that the skewness drops out after all.
    assert skew > 0.1
    expected = float(fc.expected_loss(W_2, v, k))
    assert fc.two_layer_loss(np.eye(n), W_2, v, EVEN) == pytest.approx(expected, rel=1e-10)
    assert A.shape == (n, n)


def test_the_second_layer_is_the_allocation_behind_a_perfect_one():
    v = [3.0, 2.0, 1.0, 0.5]
    f = (VALUES**2 - 1) / np.sqrt(EVEN[1] - 1)
    best = fc.solve_allocation(v, 2, float(CHANCE @ f**4))
    found = fc.second_layer(np.eye(4), v, 2, EVEN)
    assert found.loss == pytest.approx(float(best.loss), rel=1e-6)
    assert np.allclose(found.capacity, best.capacity, atol=1e-3)
    assert np.allclose(found.first_error, 0, atol=1e-12)


@pytest.mark.parametrize("inputs", [fc.SparseUniform(0.3), fc.SparseNormal(0.7)])
def test_amplification_is_the_limit_of_weak_interference(inputs):
    even = [inputs.moment(r) for r in (2, 4, 6, 8)]
    far, near = (
        abs(depth.measured_amplification(even, leak) - fc.amplification(even))
        for leak in (0.02, 0.01)
    )
    assert far / near == pytest.approx(4, rel=0.05)


def test_a_pair_that_leaks_into_each_other_behind_a_wide_layer():
    inputs = fc.SparseUniform(0.1)
    even = [inputs.moment(r) for r in (2, 4, 6, 8)]
    W_1, v = depth.overlapping_pairs(0.003, n_pairs=1), [2.0, 1.0]
    found = fc.second_layer(W_1, v, 2, even, n_starts=3)
    ratio = found.loss / found.variance / found.first_error[0]
    assert ratio == pytest.approx(fc.amplification(even, pair=(2.0, 1.0)), rel=0.01)


def test_overlapping_pairs_have_the_stated_capacity():
    for s in (0.0, 0.3, 1.0):
        assert np.allclose(fc.capacities(depth.overlapping_pairs(s)), 1 / (1 + s * s))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fc.moments_of_squares([[1.0]], [1, 3, 15]), "four"),
        (lambda: fc.moments_of_squares([[1.0]], [1, 9, 10, 2000]), "moments of some variable"),
        (lambda: fc.amplification([2, 12, 120, 1680]), "scale"),
        (lambda: fc.amplification([1, 1, 1, 1]), "vary"),
        (lambda: fc.second_layer(np.eye(2), [1.0], 1, EVEN), "importance"),
    ],
)
def test_bad_input_is_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
