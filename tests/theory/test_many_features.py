"""Power laws and widths against the allocation of listed features, integrals and slopes."""

import math
import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

import feature_capacity as fc
from feature_capacity.theory.many_features import power_sum

from ..tolerances import ROUNDING


@given(st.integers(2, 40), st.data(), st.one_of(st.floats(1, 3), st.floats(3, 1000)))
def test_equal_features(n, data, k):
    d = data.draw(st.integers(1, n))
    best = fc.solve_allocation(np.ones(n), d, k)
    loss = float(fc.equal_features_loss(n / d, k))
    assert loss * n == pytest.approx(float(best.loss), rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1 - 1e-12, 1.0, 1.3, 2.0, 7.5])
def test_sums_of_powers(exponent):
    for first, last in ((1, 1), (1, 30), (5, 1000), (40, 41), (100, 250_000), (3, 2)):
        terms = math.fsum(i**-exponent for i in range(first, last + 1))
        assert power_sum(exponent, first, last) == pytest.approx(terms, rel=1e-14)
    exact = float(sum(Fraction(1, i * i) for i in range(7, 200)))
    assert power_sum(2.0, 7, 199) == pytest.approx(exact, rel=1e-15)


@given(
    st.floats(0, 4),
    st.integers(2, 3000),
    st.data(),
    st.one_of(st.sampled_from([1.0, 2.0, 3.0, 3.01, 9.0]), st.floats(3.001, 1e4)),
)
def test_power_law_is_the_allocation_of_its_features(exponent, n, data, k):
    d = data.draw(st.integers(1, n - 1))
    v = np.arange(1, n + 1) ** -float(exponent)
    law, best = fc.power_law_allocation(exponent, n, d, k), fc.solve_allocation(v, d, k)
    assert law.loss == pytest.approx(float(best.loss), rel=1e-9, abs=1e-13)
    assert law.multiplier == pytest.approx(float(best.multiplier), rel=1e-9)
    if best.unique:
        C = np.asarray(best.capacity)
        margin = 1e-9  # a feature that is just whole or just ignored may be counted either way
        nearly, whole, some = C + margin >= 1, C == 1, margin < C
        assert nearly.sum() >= law.n_monosemantic >= whole.sum() - 1
        assert abs(law.n_represented - some.sum()) <= 1


def test_the_local_exponent_is_the_slope():
    """2 multiplier^2 D / loss against a difference of the loss over dimensions."""
    for exponent, n, d, k in (
        (1.0, 10**6, 10**4, 9.0),
        (0.7, 10**5, 3000, 100.0),
        (1.5, 10**6, 500, 20.0),
    ):
        up, down = (fc.power_law_allocation(exponent, n, d + s, k).loss for s in (1, -1))
        slope = -(math.log(up) - math.log(down)) / (math.log(d + 1) - math.log(d - 1))
        law = fc.power_law_allocation(exponent, n, d, k)
        assert law.loss_exponent == pytest.approx(slope, rel=1e-3)


@pytest.mark.parametrize("exponent", [0.6, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("k", [5.0, 9.0, 100.0])
def test_more_features_than_can_be_represented(exponent, k):
    """Loss ~ D^(1 - 2 alpha), and represented : monosemantic = ((k-1)/2)^(1/alpha)."""
    limit = fc.power_law_limit(exponent, math.inf, k)
    assert limit.loss_exponent == pytest.approx(2 * exponent - 1, rel=1e-10)
    ratio = ((k - 1) / 2) ** (1 / exponent)
    assert limit.n_represented / limit.n_monosemantic == pytest.approx(ratio, rel=1e-12)


@pytest.mark.parametrize("exponent", [0.5, 0.8, 1.0, 1.4, 2.0])
@pytest.mark.parametrize("ratio", [1.5, 20.0])
@pytest.mark.parametrize("k", [5.0, 30.0, 1000.0])
def test_the_limit_by_integrals_and_by_many_features(exponent, ratio, k):
    limit = fc.power_law_limit(exponent, ratio, k)
    a, b = limit.n_monosemantic, limit.n_represented

    def capacity(x):
        return 1 - (k - 1) / (k - 3) * (1 - (x / a) ** -exponent)

    spent, _ = integrate.quad(capacity, a, b, epsabs=1e-12)
    assert a + spent == pytest.approx(1, rel=1e-9)
    assert capacity(b) >= -1e-9
    assert b <= ratio
    shared, _ = integrate.quad(
        lambda x: 2 * x**-exponent * (1 - capacity(x)) * a**-exponent, a, b, epsabs=1e-13
    )
    ignored, _ = integrate.quad(lambda x: (k - 1) * x ** (-2 * exponent), b, ratio, epsabs=1e-13)
    assert limit.loss == pytest.approx(shared + ignored, rel=1e-8)
    # The distance of finitely many features is of order 1 / D.
    errors = []
    for d in (10**4, 10**6):
        law = fc.power_law_allocation(exponent, round(ratio * d), d, k)
        errors.append(abs(law.loss / d ** (1 - 2 * exponent) / limit.loss - 1) * d)
    if limit.n_monosemantic > 0.01:
        assert max(errors) < 30


def test_exponent_one_where_all_are_represented():
    """(ln(N/a) + 1) / (ln(N/a) - 1 + a/N): 1.3 at a thousand features for each whole one."""
    n, d = 10**9, 10**7
    law = fc.power_law_allocation(1.0, n, d, 1e12)
    assert law.n_represented == n
    log, part = math.log(n / law.n_monosemantic), law.n_monosemantic / n
    assert law.loss_exponent == pytest.approx((log + 1) / (log - 1 + part), rel=1e-4)
    assert 1.2 < law.loss_exponent < 1.5


@pytest.mark.parametrize(("exponent", "expected"), [(0.3, 1.0), (0.75, 1.0), (1.5, 2.0)])
def test_strong_sharing_has_exponent_one_or_more(exponent, expected):
    law = fc.power_law_limit(exponent, 1e9, 1e15)
    assert law.n_represented == 1e9
    assert law.loss_exponent == pytest.approx(expected, abs=0.03)


def test_where_the_last_feature_becomes_represented():
    """N 2 alpha / ((1 - alpha) (k - 3)) dimensions for alpha < 1 and large k."""
    n, exponent, k = 10**8, 0.5, 2000.0
    crossing = n * 2 * exponent / ((1 - exponent) * (k - 3))
    below, above = (
        fc.power_law_allocation(exponent, n, round(crossing * factor), k) for factor in (0.98, 1.02)
    )
    assert below.n_represented < n == above.n_represented


@given(
    st.lists(st.floats(0.01, 10), min_size=2, max_size=12),
    st.one_of(st.floats(1, 3), st.floats(3.1, 100)),
    st.data(),
)
def test_the_width_that_one_needs(v, k, data):
    m = data.draw(st.integers(1, len(v)))
    d = fc.dims_for_monosemantic(v, k, m)
    first = np.argsort(-np.array(v), kind="stable")[:m]

    def whole(dims):
        best = fc.solve_allocation(v, dims, k)
        return (np.asarray(best.capacity)[first] >= 1 - 1e-9).all() and (k <= 3 or best.unique)

    assert d >= m
    assert whole(min(d, len(v)))
    if m < d and k > 3:
        C = np.asarray(fc.solve_allocation(v, d - 1, k).capacity)
        assert (
            C[first].min() < 1 - 1e-13
            or d - 1
            >= sum(np.clip(1 - (k - 1) / (k - 3) * (1 - np.array(v) / np.sort(v)[-m]), 0, 1)) - 1e-9
        )


def test_the_width_with_unequal_kurtosis():
    rng = np.random.default_rng(0)
    v, k = rng.pareto(2.0, 200) + 0.1, rng.uniform(4, 50, 200)
    d = fc.dims_for_monosemantic(v, k, 20)
    first = np.argsort(-v)[:20]
    assert (fc.solve_allocation(v, d, k).capacity[first] == 1).all()
    assert fc.solve_allocation(v, d - 1, k).capacity[first].min() < 1


def test_any_number_of_features_takes_no_time():
    start = time.process_time()
    law = fc.power_law_allocation(0.9, 10**15, 10**9, 50.0)
    assert time.process_time() - start < 1
    assert law.n_monosemantic < 10**9 < law.n_represented
    assert law.loss > 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fc.equal_features_loss(0.5, 9.0), "at least 1"),
        (lambda: fc.power_law_allocation(-1.0, 10, 2, 9.0), "exponent"),
        (lambda: fc.power_law_allocation(1.0, 10, 10, 9.0), "n_dims"),
        (lambda: fc.power_law_limit(0.4, math.inf, 9.0), "up to 1/2"),
        (lambda: fc.dims_for_monosemantic([1, 0], 9.0, 2), "1 that matter"),
        (lambda: fc.dims_for_monosemantic([1, 1], [2.0, 9.0], 1), "above 3 for every"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_limit_and_law_agree_on_the_paper_example():
    law = fc.power_law_allocation(1.0, 10**12, 10**4, 9.0)
    assert law.n_represented / law.n_monosemantic == pytest.approx(4, abs=1e-3)
    assert law.loss_exponent == pytest.approx(1, rel=1e-3)
    assert ROUNDING < law.loss < 1


@pytest.mark.parametrize("exponent", [2.0, 2.3, 3.0, 6.0])
def test_the_limit_takes_steep_laws_of_which_all_are_represented(exponent):
    limit = fc.power_law_limit(exponent, 2.0, 1e5)
    assert limit.n_represented == 2.0
    exact = fc.power_law_allocation(exponent, 2_000_000, 1_000_000, 1e5)
    scale = 1e6 ** (1 - 2 * exponent)
    assert exact.loss / scale == pytest.approx(limit.loss, rel=1e-4)
    assert exact.n_monosemantic / 1e6 == pytest.approx(limit.n_monosemantic, rel=1e-4)
