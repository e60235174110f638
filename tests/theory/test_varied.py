"""One feature among equal ones, against the general allocation, a search, and enumeration."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import feature_capacity as fc
from feature_capacity.theory import enumeration, locate, phases, varied

from ..tolerances import BISECTION, OPTIMIZER_LOSS, ROUNDING

CASES = [(6, 3), (6, 5), (6, 1), (3, 2)]


@pytest.mark.parametrize(("n", "d"), CASES)
def test_contours_are_where_the_capacity_is(n, d):
    k = np.array([3.01, 4.0, 9.0, 60.0])[:, None]
    level = np.array([0.05, 0.3, 0.9])
    V = varied.importance_at_capacity(level, k, n, d)
    C, _ = varied.varied_optimum(V, k, n, d)
    np.testing.assert_allclose(C, np.broadcast_to(level, C.shape), atol=1e-10)
    low, high = varied.importance_at_capacity([[0.0], [1.0]], k[:, 0], n, d)
    np.testing.assert_allclose(low, phases.ignored_boundary(n, d, k[:, 0]), rtol=ROUNDING)
    np.testing.assert_allclose(high, phases.monosemantic_boundary(n, d, k[:, 0]), rtol=ROUNDING)


@pytest.mark.parametrize(("n", "d"), CASES)
@pytest.mark.parametrize("k", [1.5, 2.9, 3.0, 4.0, 12.0])
@pytest.mark.parametrize("V", [0.8, 1.3])
def test_the_lowest_point_of_a_profile_is_the_optimum(n, d, k, V):
    C, _ = varied.varied_optimum(V, k, n, d)
    best = float(fc.solve_allocation(phases.one_feature_varied(V, n), d, k).loss)
    at_best = float(varied.loss_profile([float(C)], V, k, n, d)[0])
    assert at_best == pytest.approx(best, rel=OPTIMIZER_LOSS)
    assert varied.loss_profile(np.linspace(0, 1, 101), V, k, n, d).min() >= best * (1 - 1e-12)


@pytest.mark.parametrize("k", [2.0, 5.0])
def test_no_other_split_of_the_rest_is_better(k):
    """For three features in two dimensions the rest has one free number: search it."""
    for C in (0.2, 0.5, 0.9):

        def total(c, C=C):
            parts = fc.loss_at_best_lengths([C, c, 2 - C - c], [1.2, 1, 1], k)
            return float(parts.sum())

        ends = (1 - C, 1.0)
        searched = minimize_scalar(total, bounds=ends, method="bounded").fun
        found = min(searched, total(ends[0]), total(ends[1]))
        profile = float(varied.loss_profile([C], 1.2, k, 3, 2)[0])
        assert profile == pytest.approx(found, rel=OPTIMIZER_LOSS)


def test_curves_mark_the_allocation_and_its_threshold():
    at = varied.benefit_curves(0.7, 2.25, 6, 3)
    assert at.phase == "ignored"
    assert [(c, number) for c, _, number in at.others] == [(0.0, 2), (1.0, 3)]
    assert at.thresholds[0] <= at.others[1][1]
    shared = varied.benefit_curves(1.0, 9.0, 6, 3)
    assert shared.own[1] == pytest.approx(shared.thresholds[0], rel=ROUNDING)
    assert varied.benefit_curves(1.0, 3.0, 6, 3).divisible


def test_a_wrong_side_survives_only_below_three():
    low, high = varied.metastable_range([1.8, 3.0, 4.0])
    assert low[0] < 1 < high[0]
    assert low[1] == high[1] == 1
    assert low[2] > high[2]
    with pytest.raises(ValueError, match="above 1 here; got"):
        varied.metastable_range(1.0)


def test_bisection_finds_where_something_begins():
    found = locate.first_reached(lambda x: x >= [0.3, 7.0, 99.0], [0.1] * 3, [10.0] * 3)
    np.testing.assert_allclose(found, [0.3, 7.0, 10.0], rtol=BISECTION)
    with pytest.raises(ValueError, match="must be positive"):
        locate.first_reached(lambda x: x > 0, 0.0, 1.0)
    with pytest.raises(ValueError, match="above 3"):
        locate.importance_where(0.5, [1, 1], 1, 3.0)


def test_where_a_feature_owns_a_dimension():
    owns, multiplier = locate.importance_where(1 - 1e-9, [1, 0.9, 0.8], 2, 9.0)
    assert owns / multiplier == pytest.approx(1, abs=1e-6)


def test_brute_force_is_the_closed_form():
    """Quadruples, outcomes in fractions, and equation (12)."""
    rows = [[Fraction(1), Fraction(-1, 2), 0], [Fraction(1, 3), 1, -1]]
    v, W = [2, 1, Fraction(1, 2)], np.array([[1, -0.5, 0], [1 / 3, 1, -1]])
    for a in (Fraction(1), Fraction(3, 2), Fraction(3)):
        k = float(a * a)
        closed = float(fc.expected_loss(W, [2, 1, 0.5], k))
        exact = enumeration.three_point_loss(rows, v, a)
        assert float(exact) == pytest.approx(closed, rel=ROUNDING)
        best = float(fc.best_bias(W, [2, 1, 0.5]))
        brute = enumeration.loss_by_moments(W, [2, 1, 0.5], [1, 0, 1, 0, k], best)
        assert brute == pytest.approx(closed, rel=ROUNDING)
    with pytest.raises(ValueError, match=r"E\[x\^4\]; got 3"):
        enumeration.moment_tensor([1, 0, 1], 2, 4)
    with pytest.raises(ValueError, match="at least 1"):
        enumeration.three_point_loss(rows, v, Fraction(1, 2))


def test_covariances_of_squares_and_products():
    W = np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 2.0]])
    gram = W.T @ W
    found = enumeration.product_covariances(gram, [1, 0, 1, 0, 7.0])
    np.testing.assert_allclose(np.diag(found), 6 * np.diag(gram), rtol=ROUNDING)
    off = ~np.eye(3, dtype=bool)
    np.testing.assert_allclose(found[off], 2 * gram[off], atol=ROUNDING)
