"""The gap between the two capacities, against both of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import feature_capacity as fc
from feature_capacity.geometry.ensembles import random_efficient
from feature_capacity.geometry.gap import (
    condition_number,
    isotropic,
    opening,
    power_of_change,
    relative_gap,
    slopes_where_efficient,
)

from ..tolerances import DIFFERENCES, ROUNDING

seeds = st.integers(0, 2**32 - 1)


def embedding(seed, lose_a_dimension=False):
    W = np.random.default_rng(seed).standard_normal((3, 6))
    if lose_a_dimension:
        W[2] = 2 * W[0]
    return W


@given(seeds, st.booleans())
def test_gap_and_lengths_against_both_capacities(seed, lose_a_dimension):
    W = embedding(seed, lose_a_dimension)
    leverage = fc.leverage_capacities(W)
    np.testing.assert_allclose(
        fc.capacities(W) * (1 + relative_gap(W)), leverage, atol=1e-9
    )  # the inverse of a nearly empty direction
    np.testing.assert_allclose((isotropic(W) ** 2).sum(axis=0), leverage, atol=1e-9)


@given(seeds)
def test_condition_number_leaves_empty_directions_out(seed):
    W = embedding(seed, lose_a_dimension=True)
    plane = np.linalg.qr(W)[0][:, :2].T @ W  # two dimensions that hold the same vectors
    expected = np.linalg.cond(plane @ plane.T)
    np.testing.assert_allclose(condition_number(W), expected, rtol=1e-7)


@pytest.mark.parametrize("seed", range(4))
def test_formula_of_the_slopes_against_differences(seed):
    generator = np.random.default_rng(seed)
    W = random_efficient([(2, 4), (1, 2), (1, 1)], generator, n_ignored=1)
    V = generator.standard_normal(W.shape)
    step = 1e-5
    for measure in (fc.capacities, fc.leverage_capacities):
        slope = (measure(W + step * V) - measure(W - step * V)) / (2 * step)
        along = np.einsum("iaj,aj->i", slopes_where_efficient(W), V)
        np.testing.assert_allclose(along, slope, atol=DIFFERENCES)


@pytest.mark.parametrize("seed", range(4))
def test_the_gap_opens_as_predicted(seed):
    generator = np.random.default_rng(seed)
    W = random_efficient([(2, 4), (1, 2)], generator)
    V = generator.standard_normal(W.shape)
    step = 1e-3
    gap = fc.leverage_capacities(W + step * V) - fc.capacities(W + step * V)
    np.testing.assert_allclose(gap / step**2, opening(W, V), rtol=0.05, atol=0.05)


def test_an_efficient_embedding_has_no_gap():
    W = random_efficient([(2, 4), (1, 2)], np.random.default_rng(0))
    assert abs(relative_gap(W)).max() < ROUNDING


def test_what_has_no_gap_is_refused():
    with pytest.raises(ValueError, match="no zero column"):
        relative_gap(np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"got \(3,\)"):
        condition_number([1.0, 2.0, 3.0])


def test_powers_of_change_tell_a_jump_from_a_slope():
    generator = np.random.default_rng(5)
    nudge = generator.standard_normal((20, 3, 6))
    lost = np.array([embedding(seed, lose_a_dimension=True) for seed in range(20)])
    whole = np.array([embedding(seed) for seed in range(20)])
    powers = [
        [power_of_change(f, W, nudge) for f in (fc.capacities, fc.leverage_capacities)]
        for W in (lost, whole)
    ]
    np.testing.assert_allclose(powers, [[1, 0], [1, 1]], atol=0.02)
