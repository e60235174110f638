"""Feature distributions: moments by another route, sampling, refusals."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

import feature_capacity as fc

from ..tolerances import BISECTION, ROUNDING, STANDARD_ERRORS, ULPS

KINDS = [fc.SparseUniform, fc.SparseNormal, fc.UnitSparseUniform]
probabilities = st.floats(1e-6, 1.0)


def density(kind, p):
    """Density of the active value and its range, written down from Appendix D."""
    if kind is fc.SparseUniform:
        a = math.sqrt(3 / p)
        return (lambda x: 1 / (2 * a)), -a, a
    if kind is fc.SparseNormal:
        s = math.sqrt(1 / p)
        return (
            (lambda x: math.exp(-((x / s) ** 2) / 2) / (s * math.sqrt(2 * math.pi))),
            -12 * s,
            12 * s,
        )
    return (lambda x: 1.0), 0.0, 1.0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("p", [1e-3, 0.1, 0.6, 1.0])
@pytest.mark.parametrize("order", range(9))
def test_moments_by_quadrature(kind, p, order):
    active, low, high = density(kind, p)
    off = (1 - p) * (order == 0)
    integral, _ = (
        integrate.quad(lambda x: x**order * active(x), low, high, epsabs=0, limit=200)
        if (kind is fc.UnitSparseUniform or order % 2 == 0)
        else (0.0, 0.0)
    )
    assert kind(p).moment(order) == pytest.approx(off + p * integral, rel=BISECTION)


@pytest.mark.parametrize("kind", KINDS)
@given(probabilities)
def test_kurtosis_is_the_standardized_fourth_moment(kind, p):
    x = kind(p)
    raw = [Fraction(x.moment(order)) for order in range(5)]
    mean = raw[1]
    variance = raw[2] - mean**2
    fourth = raw[4] - 4 * mean * raw[3] + 6 * mean**2 * raw[2] - 3 * mean**4
    assert x.mean == float(mean)
    assert x.variance == pytest.approx(float(variance), rel=ROUNDING)
    assert x.kurtosis == pytest.approx(float(fourth / variance**2), rel=1e-10)
    assert x.kurtosis >= 1


@pytest.mark.parametrize("kind", [fc.SparseUniform, fc.SparseNormal])
@given(probabilities)
def test_centered_kinds_have_unit_variance(kind, p):
    x = kind(p)
    assert x.mean == 0
    assert x.moment(3) == 0
    assert abs(x.variance - 1) < ULPS


def test_kurtosis_three_is_where_the_paper_says():
    assert fc.SparseUniform(0.6).kurtosis == pytest.approx(3, rel=ULPS)
    assert fc.SparseNormal(1.0).kurtosis == 3
    assert fc.SparseUniform(1.0).kurtosis == 1.8


@pytest.mark.parametrize("kind", [fc.SparseUniform, fc.SparseNormal])
@given(probabilities)
def test_from_kurtosis_undoes_kurtosis(kind, p):
    assert kind.from_kurtosis(kind(p).kurtosis).p == pytest.approx(p, rel=ULPS)


def draws(kind, p, library, n, dtype=None):
    if library == "numpy":
        return kind(p).sample(n, np.random.default_rng(5), dtype=dtype)
    generator = torch.Generator().manual_seed(5)
    return kind(p).sample(n, generator, dtype=dtype or torch.float64).double().numpy()


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("p", [0.05, 0.7, 1.0])
def test_samples_have_the_moments(kind, p, library):
    n, x = 200_000, kind(p)
    values = draws(kind, p, library, n)
    for order in range(1, 5):
        error = math.sqrt((x.moment(2 * order) - x.moment(order) ** 2) / n)
        assert abs(np.mean(values**order) - x.moment(order)) <= STANDARD_ERRORS * error
    active = np.mean(values != 0)
    assert abs(active - p) <= STANDARD_ERRORS * math.sqrt(p * (1 - p) / n)


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("kind", KINDS)
def test_samples_are_independent(kind, library):
    values = draws(kind, 0.3, library, (100_000, 3))
    variance = kind(0.3).variance
    products = np.corrcoef(values, rowvar=False)[np.triu_indices(3, 1)]
    squares = np.corrcoef(values**2, rowvar=False)[np.triu_indices(3, 1)]
    assert variance > 0
    assert (abs(products) < STANDARD_ERRORS / math.sqrt(100_000)).all()
    assert (abs(squares) < STANDARD_ERRORS / math.sqrt(100_000)).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_low_precision_does_not_round_the_probability(dtype):
    n, p = 1_000_000, 0.0021  # between multiples of 2^-8
    active = np.mean(draws(fc.UnitSparseUniform, p, "torch", n, dtype) != 0)
    # A value that is rounded to 0 looks inactive: at most one in 2^8 of the active ones.
    slack = STANDARD_ERRORS * math.sqrt(p / n) + p * 2.0**-7
    assert abs(active - p) <= slack


def test_shapes_types_and_seeds():
    x = fc.SparseNormal(0.5)
    for shape in (3, np.int64(3), (3,), [3], (2, 3), ()):
        expected = (3,) if isinstance(shape, (int, np.int64)) else tuple(shape)
        assert x.sample(shape, np.random.default_rng(0)).shape == expected
    assert x.sample(3, np.random.default_rng(0), dtype=np.float32).dtype == np.float32
    assert x.sample(3, torch.Generator()).dtype == torch.get_default_dtype()
    assert x.sample(3, torch.Generator(), dtype=torch.float64).dtype == torch.float64
    first, again = (x.sample(50, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    first, again = (x.sample(50, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first, again)


def test_inputs_are_values():
    assert fc.SparseUniform(0.5) == fc.SparseUniform(0.5) != fc.SparseNormal(0.5)
    assert len({fc.SparseUniform(0.5), fc.SparseUniform(0.5)}) == 1
    with pytest.raises(AttributeError):
        fc.SparseUniform(0.5).p = 0.2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("p", [0, -0.1, 1.0001, math.nan, math.inf, True, "0.5", None, [0.5]])
def test_p_is_a_probability(kind, p):
    with pytest.raises(ValueError, match=r"p must be a feature probability in \(0, 1\]; got"):
        kind(p)


@pytest.mark.parametrize(("kind", "least"), [(fc.SparseUniform, "1.8"), (fc.SparseNormal, "3")])
@pytest.mark.parametrize("k", [1.0, -1, math.nan, math.inf, "9", None, True, [9]])
def test_kurtosis_out_of_reach(kind, least, k):
    with pytest.raises(ValueError, match=rf"must be finite and at least {least} .*got"):
        kind.from_kurtosis(k)


@pytest.mark.parametrize("order", [-1, 2.0, True, "2", None])
def test_order_is_a_whole_number(order):
    with pytest.raises(ValueError, match="order must be a whole number, 0 or more; got"):
        fc.SparseUniform(0.5).moment(order)


@pytest.mark.parametrize("generator", [0, None, np.random, np.random.RandomState(0)])
def test_sampling_needs_a_generator(generator):
    with pytest.raises(ValueError, match=r"generator must be a numpy\.random\.Generator or a"):
        fc.SparseUniform(0.5).sample(3, generator)


@pytest.mark.parametrize("dtype", [int, np.int32, bool, np.complex128])
def test_samples_are_floating(dtype):
    with pytest.raises(ValueError, match=r"dtype must be a floating dtype.*got"):
        fc.SparseUniform(0.5).sample(3, np.random.default_rng(0), dtype=dtype)


@pytest.mark.parametrize("shape", [-1, 1.5, "ab", None, True, (2, -1), (2, None), [[2]]])
def test_a_shape_is_of_whole_numbers(shape):
    for generator in (np.random.default_rng(0), torch.Generator()):
        with pytest.raises(ValueError, match="shape must be a whole number, at least 0, or a tup"):
            fc.SparseUniform(0.5).sample(shape, generator)


@pytest.mark.parametrize("dtype", ["abc", "float32", torch.int64, np.float32, 3])
def test_samples_of_torch_have_a_floating_dtype_of_torch(dtype):
    with pytest.raises(ValueError, match="dtype must be a floating dtype of torch, for example"):
        fc.SparseUniform(0.5).sample(3, torch.Generator(), dtype=dtype)


@pytest.mark.parametrize("dtype", ["abc", torch.float32, object(), "datetime64[s]"])
def test_what_is_no_dtype_is_refused(dtype):
    with pytest.raises(ValueError, match="dtype must be a floating dtype, for example numpy"):
        fc.SparseUniform(0.5).sample(3, np.random.default_rng(0), dtype=dtype)
