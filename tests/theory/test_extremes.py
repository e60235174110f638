"""The edge of floating point: right, or refused in a sentence; infinite only beyond the range."""

import warnings
from fractions import Fraction

import numpy as np
import pytest

import feature_capacity as fc
from feature_capacity.theory import phases

TOLERANCE = {np.float32: 1e-4, np.float64: 1e-10}


def exact(x):
    return np.vectorize(Fraction, otypes=[object])(np.asarray(x, dtype=np.float64))


def assert_right(found, wanted, scale, dtype, what):
    """Within rounding of an exact number, relative to the scale of what was added up."""
    found, limit = float(found), Fraction(float(np.finfo(dtype).max))
    assert not np.isnan(found), what
    if np.isinf(found):
        # Sums may be infinite a little before the end of the range; an answer within it may not.
        assert max(abs(wanted), scale * Fraction(TOLERANCE[dtype])) > limit / 64, what
        return
    slack = scale * Fraction(TOLERANCE[dtype]) + Fraction(float(np.finfo(dtype).tiny)) * 64
    assert abs(Fraction(found) - wanted) <= slack, (what, found, float(min(wanted, limit)))


def magnitudes(rng, dtype, shape, low=-1, high=1):
    """Numbers over all decades of a precision, some of them 0 and some alike."""
    edge = 300 if dtype == np.float64 else 37
    x = 10.0 ** rng.uniform(low * edge, high * edge, shape)
    if rng.random() < 0.3:
        x = np.full(shape, 10.0 ** rng.uniform(low * edge, high * edge))
    x = np.where(rng.random(shape) < 0.15, 0.0, x)
    return x.astype(dtype)


def of_matrix(rng, dtype):
    n, d = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    # One matrix may hold what :func:`capacities` says is safe.
    reach = 0.76 if dtype == np.float64 else 0.81
    middle = rng.uniform(reach - 1, 1 - reach)
    W, v = magnitudes(rng, dtype, (d, n), middle - reach, middle + reach), magnitudes(rng, dtype, n)
    W *= rng.choice([-1, 1], W.shape).astype(dtype)
    k = (1 + magnitudes(rng, dtype, ())).astype(dtype)
    w, u, q = exact(W), exact(v), Fraction(float(k))
    gram = (w.T @ w) ** 2
    lengths = (w**2).sum(axis=0)
    # The value of the interference carries the rounding of the squared lengths.
    noise = np.array([gram[i].sum() for i in range(n)])
    rest = np.array([gram[i].sum() - gram[i, i] for i in range(n)])
    off, size = (lengths - u) ** 2, (lengths + u) ** 2
    true, hallucinated = fc.loss_terms(W, v, k)
    for i, value in enumerate(fc.interference(W)):
        yield value, rest[i], noise[i], "interference"
    for i, value in enumerate(fc.capacities(W)):
        share = gram[i, i] / noise[i] if noise[i] else Fraction(0)
        yield value, share, Fraction(1), "capacities"
    yield true, (q - 1) * sum(off), (q - 1) * sum(size), "true"
    yield hallucinated, 2 * sum(rest), 2 * sum(noise), "hallucinated"
    yield fc.best_bias(W, v), sum(u) - sum(lengths), sum(u) + sum(lengths), "bias"


def of_features(rng, dtype):
    v, n = magnitudes(rng, dtype, ()), magnitudes(rng, dtype, ())
    C = dtype(rng.choice([0.0, 1.0, rng.random(), 1e-30, 1 - 1e-7]))
    k = (1 + magnitudes(rng, dtype, ())).astype(dtype)
    c, u, m, q = (Fraction(float(x)) for x in (C, v, n, k))
    rate = u if c == 1 else (q - 1) * u / ((q - 1) * c + 2 * (1 - c))
    given = [C], [v], k
    yield fc.best_sq_norm(*given)[0], c * rate, c * rate, "length"
    yield fc.marginal_benefit(*given)[0], 2 * rate**2, 2 * rate**2, "benefit"
    rest = 2 * u * (1 - c) * rate
    yield fc.loss_at_best_lengths(*given)[0], rest, rest, "rest"
    if c > 0:
        crowd = 2 * m**2 * (1 - c) / c
        loss, size = (q - 1) * (m - u) ** 2 + crowd, (q - 1) * (m + u) ** 2 + crowd
        yield fc.loss_from_capacities([C], [n], [v], k), loss, size, "loss"
        yield fc.marginal_benefit_at([C], [n])[0], 2 * (m / c) ** 2, 2 * (m / c) ** 2, "at"


def of_boundaries(rng, dtype):
    k = (1 + magnitudes(rng, dtype, ())).astype(dtype)
    x, n, d = max(Fraction(float(k)) - 3, Fraction(0)), 6, int(rng.integers(1, 6))
    whole = (x + 2) * (n - 1) / (x * (d - 1) + 2 * (n - 1))
    yield phases.monosemantic_boundary(n, d, k), whole, whole, "whole"
    ignored = Fraction(2 * (n - 1)) / (x * d + 2 * (n - 1))
    yield phases.ignored_boundary(n, d, k), ignored, ignored, "ignored"
    lam = magnitudes(rng, dtype, ())
    low, _ = phases.polysemantic_range(lam, k)
    if k > 1:
        end = 2 * Fraction(float(lam)) / (Fraction(float(k)) - 1)
        yield low, end, end, "range"


N_CASES = [100, pytest.param(300, marks=pytest.mark.slow)]


@pytest.mark.parametrize("n_cases", N_CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("calls", [of_matrix, of_features, of_boundaries])
def test_formulas_over_all_magnitudes(calls, dtype, n_cases):
    rng = np.random.default_rng(14)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(n_cases):
            for found, wanted, scale, what in calls(rng, dtype):
                assert_right(found, wanted, scale, dtype, what)


@pytest.mark.parametrize("n_cases", N_CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_allocations_over_all_magnitudes(dtype, n_cases):
    rng, solved = np.random.default_rng(14), 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(n_cases):
            v = magnitudes(rng, dtype, int(rng.integers(1, 6)))
            d = int(rng.integers(1, len(v) + 1))
            k = (1 + magnitudes(rng, dtype, ())).astype(dtype)
            try:
                best = fc.solve_allocation(v, d, k)
            except ValueError:
                continue
            solved += 1
            budget = min(d, int((v > 0).sum()))
            assert k == 1 or abs(best.capacity.sum() - budget) <= TOLERANCE[dtype] * d, (v, d, k)
            for name in ("capacity", "sq_norm", "multiplier"):
                assert np.isfinite(getattr(best, name)).all(), (name, v, d, k)
            assert np.max(fc.kkt_residuals(best)) < TOLERANCE[dtype], (v, d, k)
            W = fc.optimal_embedding(best)
            np.testing.assert_allclose(fc.capacities(W), best.capacity, atol=TOLERANCE[dtype])
    assert solved > n_cases / 2


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        (lambda: fc.interference([[0, 1e176]]), [0, 0]),
        (lambda: fc.interference(np.diag([1e155, 1e155])), [0, 0]),
        (lambda: fc.interference([[1e150, 1e-170]])[1], 1e-40),
        (lambda: fc.capacities([[1e200, 0, 0], [0, 1e-200, -1e-200]]), [1, 0.5, 0.5]),
        (lambda: fc.capacities([[1e-310, 0], [0, 1]]), [1, 1]),
        (lambda: fc.interference(np.diag(np.float32([1e20, 1e20]))), [0, 0]),
        (lambda: fc.expected_loss([[1e100]], [1], 1), 0),
        (lambda: fc.best_sq_norm([0.0], [2.0], 1e308), [0]),
        (lambda: fc.loss_from_capacities([1.0], [1e300], [1.0], 1), 0),
        (lambda: fc.best_bias([[1e200]], [1e308]), -np.inf),
        (lambda: phases.monosemantic_boundary(6, 3, 1e308), 2.5),
        (lambda: fc.UnitSparseUniform(1e-200).kurtosis, 1.8e200),
        (lambda: fc.SparseUniform(1e-300).moment(4), 1.8e300),
        (lambda: fc.SparseNormal(1e-300).moment(4), 3e300),
        (lambda: [b.scale for b in fc.blocks([[1e150, 1e-5]])], [1e300]),
        (lambda: fc.is_efficient(1e200 * np.eye(2), "singular_vectors"), True),
    ],
)
def test_extremes_that_were_wrong(call, wanted):
    np.testing.assert_allclose(call(), wanted, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "rule"),
    [
        (lambda: fc.solve_allocation([1e308] * 3, 1, 9), "at most 1e.307 .*multiply all"),
        (lambda: fc.blocks([[1e200, 1]]), "vectors must be shorter than .*multiply W"),
        (lambda: fc.blocks(np.eye(2) * 1e160), "vectors must be shorter than .*multiply W"),
        (lambda: fc.SparseUniform(1e-3).moment(400), "moment of order 400 .*take a lower order"),
        (lambda: fc.SparseNormal(0.5).moment(10**9), "moment of order 1000000000 "),
        (lambda: fc.SparseUniform(1e-320), "got 1e-320 .below 1e-305"),
        (lambda: fc.SparseUniform.from_kurtosis(10**400), "at most 1e.305; got 1000"),
        (lambda: fc.phase_diagram([1.0], [9.0], 10**400), "n_features must be .*got 1000"),
        (lambda: fc.phase_diagram([1.0], [9.0], 10**12), "n_features must leave at most"),
    ],
)
def test_extremes_that_are_refused(call, rule):
    with pytest.raises(ValueError, match=rule) as caught:
        call()
    assert len(str(caught.value)) < 400


def test_lengths_of_enormous_importances_are_in_range():
    W = fc.optimal_embedding(fc.solve_allocation([1e308] * 5, 2, 3))
    assert np.isfinite(W).all()
    np.testing.assert_allclose(fc.capacities(W), 0.4)


def test_sums_of_single_precision_are_whole():
    v = [0.24644008, 1.9041307, 0.06770523, 1.7740877, 0.03120524, 1.7381372, 1.5159042, 1.7528863]
    best = fc.solve_allocation(np.float32(v), 1, 9)
    np.testing.assert_allclose(fc.capacities(fc.optimal_embedding(best)), best.capacity, atol=1e-6)
