"""Curvature at minima, at the wrong side of the jump, and at a state that is no minimum."""

import numpy as np
import pytest

from feature_capacity.solvers.newton import minimize_quadratic
from feature_capacity.solvers.stability import smallest_curvature
from feature_capacity.theory.phases import one_feature_varied

IGNORED = np.eye(3, 6, 1)  # six features in three dimensions, the first one left out


@pytest.mark.parametrize(("V", "k", "stable"), [(1.2, 2.0, True), (2.2, 2.0, False)])
def test_the_wrong_side_is_stable_up_to_two_over_k_less_one(V, k, stable):
    assert (smallest_curvature(IGNORED, one_feature_varied(V, 6), k) > -1e-9) == stable


def test_what_the_minimizer_finds_is_a_minimum():
    v = [1.0, 0.9, 0.8, 0.7]
    found = minimize_quadratic([v], 9.0, 2)
    assert smallest_curvature(found.W[0], v, 9.0) > -1e-7


def test_growing_a_short_vector_costs_what_the_page_says():
    """The second derivative along a neighbor's direction is twice 4 - 2 (k - 1) V."""
    for V in (0.5, 3.0):
        lowest = smallest_curvature(IGNORED, one_feature_varied(V, 6), 2.0)
        assert lowest == pytest.approx(min(0.0, 2 * (4 - 2 * V), 2 * (4 - 2.0)), abs=1e-9)
