"""Readouts of Appendix E: outcomes, correlations, and the search for the best readout."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import feature_capacity as fc
from feature_capacity.theory.readout import (
    all_or_none_outcomes,
    correlated_readout,
    sampled_correlations,
    searched_correlations,
    squared_correlations,
    three_point_outcomes,
)

from ..tolerances import OPTIMIZER, ROUNDING, STANDARD_ERRORS

OUTCOMES = (three_point_outcomes, all_or_none_outcomes)


@pytest.mark.parametrize("outcomes", OUTCOMES)
@pytest.mark.parametrize("p", [0.03, 0.4, 1.0])
def test_outcomes_have_mean_0_and_unit_covariance(outcomes, p):
    x, chance = outcomes(4, p)
    assert chance.min() >= 0
    np.testing.assert_allclose(chance.sum(), 1, atol=ROUNDING)
    np.testing.assert_allclose(chance @ x, 0, atol=ROUNDING)
    np.testing.assert_allclose((chance[:, None] * x).T @ x, np.eye(4), atol=ROUNDING)


def test_only_the_three_point_outcomes_are_independent():
    for outcomes, expected in zip(OUTCOMES, (1, 1 / 0.2), strict=True):
        x, chance = outcomes(3, 0.2)
        together = chance @ (x[:, 0] ** 2 * x[:, 1] ** 2)
        np.testing.assert_allclose(together, expected, atol=10 * ROUNDING)


@given(st.integers(0, 2**32 - 1))
def test_weighted_correlations_are_those_of_repeated_inputs(seed):
    generator = np.random.default_rng(seed)
    x, y = generator.standard_normal((2, 6, 3))
    times = generator.integers(1, 5, 6)
    every = [
        np.corrcoef(np.repeat(x[:, i], times), np.repeat(y[:, i], times))[0, 1] for i in range(3)
    ]
    found = squared_correlations(x, y, times / times.sum())
    np.testing.assert_allclose(found, np.square(every), atol=10 * ROUNDING)


def test_standard_errors_cover_the_truth_as_often_as_they_should():
    generator = np.random.default_rng(1)
    W = generator.standard_normal((2, 3))
    trials = []
    for _ in range(400):
        x = fc.SparseUniform(0.3).sample((1000, 3), generator)
        squared, error = sampled_correlations(x, x @ W.T @ W)
        trials.append((squared - fc.capacities(W)) / error)
    spread = np.std(trials)
    assert abs(spread - 1) < STANDARD_ERRORS / np.sqrt(2 * 400)


def test_correlated_inputs_by_sampling():
    generator = np.random.default_rng(2)
    root = generator.standard_normal((3, 3))
    W = generator.standard_normal((2, 3))
    x = generator.standard_normal((200_000, 3)) @ root.T
    squared, error = sampled_correlations(x, x @ W.T @ W)
    expected = correlated_readout(W, root @ root.T)
    assert (abs(squared - expected) < STANDARD_ERRORS * error).all()


@pytest.mark.parametrize("seed", range(6))
def test_the_search_ends_at_the_leverage(seed):
    W = np.random.default_rng(seed).standard_normal((2, 4))
    np.testing.assert_allclose(searched_correlations(W), fc.leverage_capacities(W), atol=OPTIMIZER)


@pytest.mark.parametrize("outcomes", OUTCOMES)
def test_what_cannot_be_counted_is_refused(outcomes):
    with pytest.raises(ValueError, match=r"n_features must be a whole number from 1 to 12; got 13"):
        outcomes(13, 0.5)
    with pytest.raises(ValueError, match=r"probability must be in \(0, 1\]; got 0"):
        outcomes(3, 0)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="both have shape"):
        squared_correlations(np.ones((3, 2)), np.ones((3, 1)))
