"""The general allocator against the quadratic model, closed forms of other curves, and plateaus."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize

import feature_capacity as fc

from ..tolerances import BISECTION, ROUNDING


def constant(level):
    return lambda c: level


@settings(max_examples=20)
@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=6), st.data(), st.floats(3.1, 100))
def test_the_quadratic_model_is_one_instance(v, data, k):
    n_dims = data.draw(st.integers(1, len(v)))
    best = fc.solve_allocation(v, n_dims, k)
    found = fc.allocate(
        [lambda c, x=x: 2 * ((k - 1) * x / ((k - 3) * c + 2)) ** 2 for x in v], n_dims
    )
    np.testing.assert_allclose(found.capacity, best.capacity, atol=1e-10)
    low, high = 2 * best.multiplier_interval**2
    assert low * (1 - BISECTION) <= found.threshold <= high * (1 + BISECTION)
    assert found.unique


@pytest.mark.parametrize(("v", "k"), [([2.0, 1.0, 0.9], 9.0), ([1.0, 1.0, 1.0], 3.1)])
def test_one_function_of_all_capacities_is_as_good_as_a_curve_a_feature(v, k):
    best = fc.solve_allocation(v, 2, k)
    shared = fc.allocate(lambda c: fc.marginal_benefit(c, v, k), 2, n_features=3)
    np.testing.assert_allclose(shared.capacity, best.capacity, atol=1e-10)
    assert shared.threshold == pytest.approx(2 * float(best.multiplier) ** 2, rel=BISECTION)
    assert shared.unique


@pytest.mark.parametrize("seed", range(5))
def test_exponential_curves_fill_like_water(seed):
    """Benefit a exp(-b c) takes capacity log(a / threshold) / b, clipped; the level by brentq."""
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(0.1, 5, 7), rng.uniform(0.2, 6, 7)
    budget = rng.uniform(0.5, 6)

    def taken(log_level):
        return np.clip((np.log(a) - log_level) / b, 0, 1)

    level = optimize.brentq(lambda x: taken(x).sum() - budget, -20, 3, xtol=1e-14)
    best = fc.allocate(lambda c: a * np.exp(-b * c), budget, n_features=7)
    np.testing.assert_allclose(best.capacity, taken(level), atol=BISECTION)
    assert best.threshold == pytest.approx(math.exp(level), rel=BISECTION)
    assert best.capacity.sum() == pytest.approx(budget, rel=ROUNDING)
    assert (best.phase == fc.classify(taken(level))).all()


def test_infinite_benefit_at_zero():
    """Benefit a / sqrt(c) gives shares in proportion to a squared."""
    a = np.array([1.0, 2.0, 3.0])
    with np.errstate(divide="ignore"):
        best = fc.allocate(lambda c: a / np.sqrt(c), 1.0, n_features=3)
        nothing = fc.allocate(lambda c: a / np.sqrt(c), 0.0, n_features=3)
    np.testing.assert_allclose(best.capacity, a**2 / 14, rtol=BISECTION)
    assert best.threshold == pytest.approx(math.sqrt(14), rel=BISECTION)
    assert best.unique
    assert nothing.capacity.tolist() == [0, 0, 0]


@pytest.mark.parametrize("scale", [1e-200, 1e-30, 1.0, 1e200])
def test_curves_of_very_different_sizes(scale):
    curves = [lambda c: 1e40 * (2 - c), lambda c: 1.5 * scale * (2 - c), lambda c: scale * (2 - c)]
    if scale > 1e40:
        curves = curves[1:]
    best = fc.allocate(curves, len(curves) - 1)
    np.testing.assert_allclose(best.capacity[-2:], [0.8, 0.2], rtol=BISECTION)
    assert best.threshold == pytest.approx(1.8 * scale, rel=BISECTION)
    assert best.unique


def test_plateaus_share_what_is_left_and_say_so():
    best = fc.allocate([constant(1.0), constant(1.0), lambda c: 3 - c, constant(0.5)], 2.0)
    np.testing.assert_allclose(best.capacity, [0.5, 0.5, 1, 0], atol=ROUNDING)
    assert best.threshold == 1.0
    assert not best.unique
    # Of a plateau half as long, half as much.
    short = fc.allocate([constant(1.0), lambda c: 1.0 if c <= 0.5 else 0.2], 0.75)
    np.testing.assert_allclose(short.capacity, [0.5, 0.25], atol=ROUNDING)
    assert not short.unique


@pytest.mark.parametrize(
    ("curves", "budget", "capacity"),
    [
        ([constant(1.0), constant(2.0)], 1.0, [0, 1]),  # a plateau that is taken whole
        ([constant(1.0), constant(1.0)], 2.0, [1, 1]),  # nothing left to trade
        ([constant(1.0), constant(1.0)], 0.0, [0, 0]),
        ([constant(1.0), lambda c: 2 - c], 1.5, [0.5, 1]),  # only one feature is on the plateau
        ([constant(0.0), lambda c: 1 - c], 1.0, [0, 1]),
    ],
)
def test_plateaus_that_leave_no_choice(curves, budget, capacity):
    best = fc.allocate(curves, budget)
    np.testing.assert_allclose(best.capacity, capacity, atol=1e-7)
    assert best.unique


@settings(max_examples=25)
@given(st.floats(0, 4), st.integers(0, 99))
def test_no_other_allocation_gains_more(budget, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(0.2, 3, 4), rng.uniform(0, 4, 4)

    def benefit(c):
        return a / (1 + b * c)

    best = fc.allocate(benefit, budget, n_features=4)
    assert best.capacity.sum() == pytest.approx(budget, abs=ROUNDING)
    assert (best.capacity >= 0).all()
    assert (best.capacity <= 1).all()

    def gained(capacity):
        return sum(
            integrate.quad(lambda c, i=i: a[i] / (1 + b[i] * c), 0, x)[0]
            for i, x in enumerate(capacity)
        )

    most = gained(best.capacity)
    for _ in range(5):
        i, j = rng.choice(4, 2, replace=False)
        step = rng.uniform(0, min(best.capacity[i], 1 - best.capacity[j]))
        other = best.capacity.copy()
        other[i], other[j] = other[i] - step, other[j] + step
        assert gained(other) <= most + BISECTION


@pytest.mark.parametrize(
    ("curves", "budget", "n_features", "rule"),
    [
        (
            [lambda c: 1 + c, constant(1.0)],
            1,
            None,
            "curve 0 rises with capacity.*increasing returns",
        ),
        ([constant(1.0), lambda c: 1 - (c - 0.5) ** 2], 1, None, "curve 1 rises"),
        ([constant(-1.0)], 0.5, None, "marginal benefits must be numbers, at least 0"),
        ([constant(math.nan)], 0.5, None, "marginal benefits must be numbers"),
        ([constant(math.inf)], 0.5, None, "finite for positive capacity"),
        ([constant(1.0)], 1.5, None, r"budget must be a number in \[0, 1\], up to .*; got 1\.5"),
        ([constant(1.0)], -0.1, None, r"budget must be .*got -0\.1"),
        ([constant(1.0)], math.nan, None, "budget must be .*got nan"),
        ([constant(1.0)], True, None, "budget must be .*got True"),
        ([constant(1.0)], "1", None, "budget must be .*got '1'"),
        ([constant(1.0)], None, None, "budget must be .*got None"),
        ([], 0, None, "non-empty sequence of callables"),
        ([1.0], 0, None, "non-empty sequence of callables"),
        ("ab", 0, None, "non-empty sequence of callables"),
        (5, 0, None, "non-empty sequence of callables"),
        ([constant(1.0)], 1, 2, r"n_features must be left out or equal .*\(1\); got 2"),
        (lambda c: 1 - c, 1, None, "n_features must be a whole number.*got None"),
        (lambda c: 1 - c, 1, 2.0, r"n_features must be a whole number.*got 2\.0"),
        (lambda c: np.ones(3), 1, 2, r"one benefit per feature \(2\)"),
    ],
)
def test_bad_input(curves, budget, n_features, rule):
    with pytest.raises(ValueError, match=rule):
        fc.allocate(curves, budget, n_features)
