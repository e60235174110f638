"""Phase boundaries located by bisection, limits, and diagrams cell by cell."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import feature_capacity as fc
from feature_capacity.theory import phases

from ..tolerances import BISECTION, KKT, ROUNDING, ULPS

CASES = [(2, 1), (6, 3), (6, 5), (6, 1), (40, 7)]


def first_capacity(importance, n_features, n_dims, k):
    v = [importance] + [1.0] * (n_features - 1)
    return float(fc.solve_allocation(v, n_dims, k).capacity[0])


def bisect(holds, low, high):
    """Where ``holds`` stops being false, on a logarithmic scale."""
    assert not holds(low)
    assert holds(high)
    while high / low - 1 > 1e-13:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


@pytest.mark.parametrize(("n_features", "n_dims"), CASES)
@pytest.mark.parametrize("k", [1.2, 2.9, 3.0, 3.0001, 3.5, 9.0, 60.0, 1e4])
def test_boundaries_are_where_the_phase_changes(n_features, n_dims, k):
    ignored = bisect(lambda x: first_capacity(x, n_features, n_dims, k) > 0, 1e-9, 1e9)
    whole = bisect(lambda x: first_capacity(x, n_features, n_dims, k) == 1, 1e-9, 1e9)
    expected = float(phases.ignored_boundary(n_features, n_dims, k))
    assert ignored == pytest.approx(expected, rel=BISECTION)
    assert whole == pytest.approx(
        float(phases.monosemantic_boundary(n_features, n_dims, k)), rel=BISECTION
    )
    assert (ignored < whole * (1 - 1e-6)) == (k > 3)


@pytest.mark.parametrize("k", [3.0, 4.0, 9.0, 100.0])
def test_boundaries_of_the_two_printed_cases(k):
    expected = {
        3: (5 * (k - 1) / (2 * k + 4), 10 / (3 * k + 1)),
        5: (5 * (k - 1) / (4 * k - 2), 2 / (k - 1)),
    }
    for n_dims, (whole, ignored) in expected.items():
        assert phases.monosemantic_boundary(6, n_dims, k) == pytest.approx(whole, rel=ULPS)
        assert phases.ignored_boundary(6, n_dims, k) == pytest.approx(ignored, rel=ULPS)


@pytest.mark.parametrize(("n_features", "n_dims"), [case for case in CASES if case[1] > 1])
def test_limits_for_large_kurtosis(n_features, n_dims):
    limit = phases.monosemantic_boundary_limit(n_features, n_dims)
    assert limit == (n_features - 1) / (n_dims - 1)
    k = 10.0 ** np.arange(3, 9)
    gaps = limit - phases.monosemantic_boundary(n_features, n_dims, k)
    assert (gaps > 0).all()
    np.testing.assert_allclose(gaps[1:] / gaps[:-1], 0.1, rtol=0.05)  # first order in 1 / k
    tail = phases.ignored_boundary(n_features, n_dims, k) * k * n_dims / (2 * (n_features - 1))
    np.testing.assert_allclose(tail - 1, 0, atol=100 / k[0])
    assert abs(tail[-1] - 1) < 1e-6
    # Beyond the limit the feature is whole whatever the kurtosis; just below it is not.
    for kurtosis in (1.0, 3.0, 9.0, 1e3, 1e9):
        assert first_capacity(limit * (1 + 1e-9), n_features, n_dims, kurtosis) == 1
    assert first_capacity(limit * 0.999, n_features, n_dims, 1e9) < 1


def test_one_dimension_has_no_limit():
    assert phases.monosemantic_boundary_limit(6, 1) == math.inf
    np.testing.assert_allclose(phases.monosemantic_boundary(6, 1, [9.0, 99.0]), [4, 49], rtol=ULPS)


@given(st.lists(st.floats(0.01, 100), min_size=2, max_size=9), st.data(), st.floats(3.01, 1e4))
def test_the_range_of_section_3_5_1_decides_every_feature(v, data, k):
    best = fc.solve_allocation(v, data.draw(st.integers(1, len(v) - 1)), k)
    low, high = phases.polysemantic_range(best.multiplier, k)
    v = best.importance
    clear = (abs(v / low - 1) > ROUNDING) & (abs(v / high - 1) > ROUNDING)
    expected = np.where(v < low, 0, np.where(v < high, 1, 2))
    assert (best.phase == expected)[clear].all()
    assert high == best.multiplier
    assert low == pytest.approx(float(2 * best.multiplier / (k - 1)), rel=KKT)


def test_the_range_is_empty_up_to_kurtosis_three():
    low, high = phases.polysemantic_range(1.5, [1.0, 1.5, 2.9, 3.0])
    assert (low >= high).all()
    assert low[0] == math.inf


def test_classify():
    codes = fc.classify([0, 1e-10, 1e-8, 0.5, 1 - 1e-8, 1 - 1e-10, 1, 1 + 1e-10, -1e-10])
    assert codes.tolist() == [0, 0, 1, 1, 1, 2, 2, 2, 0]
    assert fc.classify([0.0, 1e-300, 1 - 1e-16, 1.0], tolerance=0).tolist() == [0, 1, 1, 2]
    assert fc.classify([0.05, 0.95, 0.2], tolerance=0.1).tolist() == [0, 2, 1]
    assert fc.classify(torch.tensor([[0.0, 0.5]])).tolist() == [[0, 1]]
    assert [fc.PHASES[c] for c in codes[[0, 3, 6]]] == ["ignored", "polysemantic", "monosemantic"]
    assert (fc.IGNORED, fc.POLYSEMANTIC, fc.MONOSEMANTIC) == (0, 1, 2)


def test_one_feature_varied():
    rows = phases.one_feature_varied(np.array([[0.5, 2.0]]), 3)
    assert rows.tolist() == [[[0.5, 1, 1], [2, 1, 1]]]
    assert phases.one_feature_varied(2.0, 1).tolist() == [2]


@pytest.mark.parametrize("make", [np.asarray, torch.tensor], ids=["numpy", "torch"])
def test_a_diagram_is_its_cells(make):
    importance = np.geomspace(0.1, 10, 9)  # holds 1
    kurtosis = np.array([1.0, 1.8, 3.0, 3 + 1e-9, 9.0, 100.0])
    diagram = fc.phase_diagram(make(importance), make(kurtosis), n_features=6, n_dims=3)
    assert type(diagram.capacity) is type(make(importance))
    assert tuple(diagram.capacity.shape) == tuple(diagram.unique.shape) == (6, 9)
    for a, k in enumerate(kurtosis):
        for b, v in enumerate(importance):
            assert float(diagram.capacity[a, b]) == first_capacity(v, 6, 3, k)
            assert int(diagram.phase[a, b]) == int(fc.classify([diagram.capacity[a, b]], 0)[0])
            # Up to kurtosis 3 some, not all, of the equal features are chosen: any of them serve.
            assert bool(diagram.unique[a, b]) == (k > 3)
    assert diagram.allocation.capacity.shape == (6, 9, 6)
    middle = np.asarray(diagram.capacity)[:, 4]
    np.testing.assert_allclose(middle[2:], 0.5, rtol=ROUNDING)  # D / N at equal importance


def test_a_diagram_is_split_by_its_boundaries():
    importance, kurtosis = np.geomspace(0.05, 20, 61), np.geomspace(1.1, 300, 57)
    diagram = fc.phase_diagram(importance, kurtosis, 6, 5)
    low = phases.ignored_boundary(6, 5, kurtosis)[:, None]
    high = phases.monosemantic_boundary(6, 5, kurtosis)[:, None]
    V = importance[None]
    expected = np.where(low > V, 0, np.where(high <= V, 2, 1))
    clear = (abs(V / low - 1) > ROUNDING) & (abs(V / high - 1) > ROUNDING)
    assert clear.mean() > 0.9
    assert (diagram.phase == expected)[clear].all()
    inside = (diagram.phase == 1) & (kurtosis[:, None] > 3)
    k = kurtosis[:, None]
    printed = ((k - 3) * 5 + 12) / ((k - 3) * (5 + V)) * V - 2 / (k - 3)
    np.testing.assert_allclose(diagram.capacity[inside], printed[inside], atol=1e-10)


@pytest.mark.parametrize(
    ("call", "rule"),
    [
        (
            lambda: fc.phase_diagram([1.0], [9.0], 6, 6),
            r"n_dims .*1 to n_features - 1 \(5\); got 6",
        ),
        (
            lambda: fc.phase_diagram([1.0], [9.0], 6, 0),
            r"n_dims .*1 to n_features - 1 \(5\); got 0",
        ),
        (lambda: fc.phase_diagram([1.0], [9.0], 6, 2.0), r"n_dims .*got 2\.0"),
        (lambda: fc.phase_diagram([1.0], [9.0], 1, 1), "n_features must be .*at least 2; got 1"),
        (lambda: fc.phase_diagram([1.0], [9.0], 6.0, 1), r"n_features must be .*got 6\.0"),
        (
            lambda: fc.phase_diagram([[1.0]], [9.0]),
            r"one-dimensional grids.*got shapes \(1, 1\) and \(1,\)",
        ),
        (lambda: fc.phase_diagram(1.0, [9.0]), r"one-dimensional grids.*got shapes \(\)"),
        (lambda: fc.phase_diagram([], [9.0]), r"not empty; got shapes \(0,\) and \(1,\)"),
        (lambda: fc.phase_diagram([1.0], []), r"not empty; got shapes \(1,\) and \(0,\)"),
        (lambda: fc.phase_diagram([-1.0], [9.0]), r"importance must be at least 0; got -1\.0"),
        (lambda: fc.phase_diagram([1.0], [0.5]), r"kurtosis must be at least 1.*got 0\.5"),
        (lambda: phases.monosemantic_boundary(6, 6, 9.0), r"n_dims must be .*got 6"),
        (lambda: phases.ignored_boundary(6, 3, np.nan), "kurtosis must be finite; got nan"),
        (lambda: phases.monosemantic_boundary_limit(6, 7), r"n_dims must be .*got 7"),
        (
            lambda: phases.polysemantic_range(-1.0, 9),
            r"multiplier must be finite and at least 0; got -1\.0",
        ),
        (lambda: phases.polysemantic_range(np.nan, 9), "multiplier must be finite.*got nan"),
        (
            lambda: phases.polysemantic_range([1.0, 2.0], [9, 9, 9]),
            r"multiplier \(2,\), kurtosis \(3,\)",
        ),
        (lambda: phases.one_feature_varied([1.0], 0), "n_features must be .*got 0"),
        (
            lambda: fc.classify([0.5, 1.1]),
            r"capacity must be in \[0, 1\].*got 1\.1 at flat position 1",
        ),
        (lambda: fc.classify([np.nan]), r"capacity must be in \[0, 1\].*got nan"),
        (
            lambda: fc.classify([0.5], tolerance=0.5),
            r"tolerance must be a number in \[0, 0\.5\); got 0\.5",
        ),
        (lambda: fc.classify([0.5], tolerance=-1), "tolerance must be .*got -1"),
    ],
)
def test_bad_input(call, rule):
    with pytest.raises(ValueError, match=rule):
        call()
