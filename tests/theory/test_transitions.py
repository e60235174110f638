"""Widths and steps of curves: closed forms of section 3.5.2, whatever the grid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import feature_capacity as fc
from feature_capacity.theory import phases
from feature_capacity.theory.transitions import decades_between, largest_step

from ..tolerances import ROUNDING


def exact_width(k, low, high):
    """Decades from C1 = low to C1 = high: where the others have (3 - C1) / 5 each."""
    ends = []
    for c in (low, high):
        other = (3 - c) / 5
        # Equal marginal benefits: n = lambda C, so v / ((k-3) C + 2) is the same for all.
        ends.append(((k - 3) * c + 2) / ((k - 3) * other + 2))
    return np.log10(ends[1] / ends[0])


@pytest.mark.parametrize("k", [9.0, 90.0, 900.0])
@pytest.mark.parametrize("limits", [(0.05, 0.95), (0.47, 0.53)])
@pytest.mark.parametrize("cells", [31, 32, 64, 129])
def test_width_of_the_closed_form_does_not_depend_on_the_grid(k, limits, cells):
    V = np.geomspace(0.01, 100, cells)
    c = fc.phase_diagram(V, [k]).capacity[0]
    cell = np.log10(V[1] / V[0])
    found = decades_between(V, c, *limits)
    assert found == pytest.approx(exact_width(k, *limits), abs=0.5 * cell)


@pytest.mark.parametrize("cells", [31, 32, 33, 64])
def test_a_jump_is_a_jump_with_or_without_a_cell_at_one(cells):
    V = np.geomspace(0.01, 100, cells)
    dense, sparse = fc.phase_diagram(V, [2.0, 90.0]).capacity
    cell = np.log10(V[1] / V[0])
    assert largest_step(V, dense, 0.3) == pytest.approx(1.0, abs=ROUNDING)
    assert largest_step(V, sparse, 0.3) < 0.5
    assert decades_between(V, dense, 0.05, 0.95) <= cell
    assert decades_between(V, sparse, 0.47, 0.53) < 0.1
    assert phases.ignored_boundary(6, 3, 2.0) == 1


@given(st.lists(st.floats(0, 1), min_size=3, max_size=12), st.floats(0.01, 0.5))
def test_parts_of_a_curve_add_up(values, middle):
    V = np.geomspace(0.1, 10, len(values))
    whole = decades_between(V, values, -0.5, 1.5)
    parts = [decades_between(V, values, *ends) for ends in ((-0.5, middle), (middle, 1.5))]
    flat = np.diff(values) == 0
    if not flat.any():
        assert sum(parts) == pytest.approx(whole, abs=1e-9)
    assert whole == pytest.approx(2.0, abs=1e-9)


def test_a_longer_step_is_no_smaller_on_a_rising_curve():
    V = np.geomspace(0.1, 10, 7)
    c = [0, 0.1, 0.1, 0.6, 0.7, 0.7, 1.0]
    steps = [largest_step(V, c, d) for d in (0.05, 0.3, 1.0, 2.0)]
    assert steps == sorted(steps)
    assert steps[-1] == pytest.approx(1.0)


def test_a_step_may_be_largest_where_it_ends_in_a_corner():
    """Up by one decade, then slowly down: 1.5 decades up to the top, and less from any corner."""
    V = 10.0 ** np.arange(4)
    assert largest_step(V, [0, 0, 1, 0.9], 1.5) == pytest.approx(1.0, abs=ROUNDING)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=8), st.floats(0.05, 1))
def test_the_largest_step_is_that_of_a_fine_search(values, part):
    x = np.arange(len(values), dtype=float)
    decades = part * x[-1]
    starts = np.linspace(0, x[-1] - decades, 1001)
    steps = np.interp(starts + decades, x, values) - np.interp(starts, x, values)
    found = float(largest_step(10**x, values, decades))
    # Between two tries a step changes by no more than the two slopes allow.
    missed = 2 * np.abs(np.diff(values)).max() * x[-1] / 1000
    assert np.abs(steps).max() - 1e-9 <= found <= np.abs(steps).max() + missed + 1e-9


def test_rows_are_read_one_by_one():
    V, rows = [0.1, 1.0, 10.0], np.array([[0, 0.5, 1], [0, 0, 1], [0, np.nan, 1]])
    found = decades_between(V, rows, 0.05, 0.95)
    np.testing.assert_allclose(found[:2], [1.8, 0.9])
    assert np.isnan(found[2])
    np.testing.assert_allclose(largest_step(V, rows[:2], 1.0), [0.5, 1.0])


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: decades_between([1.0, 1.0], [0, 1], 0, 1), "increasing"),
        (lambda: decades_between([1.0, 2.0], [0, 1, 1], 0, 1), "2 importances"),
        (lambda: decades_between([1.0, 2.0], [0, 1], 1, 0), "below high"),
        (lambda: largest_step([1.0, 2.0], [0, 1], 1.0), "decades"),
    ],
)
def test_what_is_no_curve_is_refused(call, word):
    with pytest.raises(ValueError, match=word):
        call()
