"""The quadratic model against enumeration, sampling, generic optimization and autograd."""

import itertools
import math
from fractions import Fraction

import array_api_strict
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

import feature_capacity as fc

from ..tolerances import DIFFERENCES, ROUNDING, ROUNDING_32, STANDARD_ERRORS

kurtoses = st.one_of(st.sampled_from([1.0, 1.8, 3.0, 9.0]), st.floats(1, 1e4))
capacity_values = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(1e-6, 1))


def enumerated_loss(W, v, k, bias):
    """Equation (11) averaged over all outcomes of a discrete variable, in exact fractions.

    A feature is -1, 0 or 1 times sqrt(k), each of the outer values with chance 1 / (2k): mean 0,
    variance 1, fourth moment k.  The loss is even in sqrt(k) here, so only k itself enters.
    """
    W = [[Fraction(x) for x in row] for row in W]
    v, k, bias = [Fraction(x) for x in v], Fraction(k), Fraction(bias)
    total = Fraction(0)
    for signs in itertools.product((-1, 0, 1), repeat=len(v)):
        chance = math.prod(1 - 1 / k if s == 0 else 1 / (2 * k) for s in signs)
        hidden = [sum(w * s for w, s in zip(row, signs, strict=True)) for row in W]
        model = k * sum(h * h for h in hidden) + bias
        target = k * sum(x * s * s for x, s in zip(v, signs, strict=True))
        total += chance * (model - target) ** 2
    return total


@st.composite
def models(draw, high=4):
    d, n = draw(st.integers(1, 3)), draw(st.integers(1, high))
    entries = st.integers(-3, 3).map(lambda x: x / 2)
    W = draw(st.lists(st.lists(entries, min_size=n, max_size=n), min_size=d, max_size=d))
    v = draw(st.lists(st.integers(0, 6).map(lambda x: x / 4), min_size=n, max_size=n))
    return W, v, draw(st.sampled_from([1.0, 1.5, 3.0, 9.0, 64.0])), draw(st.integers(-4, 4)) / 2


@given(models())
def test_loss_is_the_enumerated_expectation(model):
    W, v, k, bias = model
    exact = enumerated_loss(W, v, k, bias)
    scale = float(enumerated_loss(W, [0] * len(v), k, 0)) + k * sum(v) ** 2 + bias**2 + 1
    assert abs(float(fc.expected_loss(W, v, k, bias=bias)) - float(exact)) < ROUNDING * scale
    least = min(enumerated_loss(W, v, k, fc.best_bias(W, v) + step) for step in (-0.5, 0, 0.5))
    best = fc.expected_loss(W, v, k)
    assert abs(float(best) - float(least)) < ROUNDING * scale
    assert best >= 0
    assert sum(fc.loss_terms(W, v, k)) == best


@pytest.mark.parametrize("kind", [fc.SparseUniform(0.2), fc.SparseNormal(0.5)])
def test_loss_is_the_sampled_expectation(kind):
    rng = np.random.default_rng(0)
    W, v = 0.6 * rng.standard_normal((3, 5)), rng.random(5)
    for bias in (None, 0.3):
        b = float(fc.best_bias(W, v)) if bias is None else bias
        x = kind.sample((400_000, 5), rng)
        losses = (((x @ W.T) ** 2).sum(1) + b - (x**2) @ v) ** 2
        error = losses.std() / math.sqrt(len(losses))
        expected = float(fc.expected_loss(W, v, kind.kurtosis, bias=bias))
        assert abs(losses.mean() - expected) <= STANDARD_ERRORS * error


def test_the_printed_cross_term_of_equation_30_is_rejected():
    """With 2 b sum D_ii^2 in place of 2 b sum D_ii, enumeration disagrees."""
    W, v, k, bias = [[1.0, 0.5]], [0.5, 0.25], 9.0, 1.5
    D = np.asarray(W).T @ np.asarray(W) - np.diag(v)
    right = float(fc.expected_loss(W, v, k, bias=bias))
    printed = right - 2 * bias * np.trace(D) + 2 * bias * (np.diag(D) ** 2).sum()
    exact = float(enumerated_loss(W, v, k, bias))
    assert abs(right - exact) < ROUNDING * exact
    assert abs(printed - exact) > 0.1


@given(models(high=6))
def test_loss_in_capacities_is_the_loss(model):
    W, v, k, _ = model
    n = (np.asarray(W) ** 2).sum(0)
    loss = fc.loss_from_capacities(fc.capacities(W), n, v, k)
    expected = fc.expected_loss(W, v, k)
    assert loss == pytest.approx(float(expected), rel=ROUNDING, abs=ROUNDING * (1 + n.max() ** 2))


def test_length_without_capacity_costs_infinitely_much():
    assert fc.loss_from_capacities([0.0, 1.0], [1e-9, 1.0], [1.0, 1.0], 9.0) == math.inf
    assert fc.loss_from_capacities([0.0, 1.0], [0.0, 1.0], [1.0, 1.0], 9.0) == 8.0


@given(st.lists(capacity_values, min_size=1, max_size=5), st.data())
def test_best_lengths_and_the_loss_at_them(C, data):
    v = data.draw(st.lists(st.floats(0, 100), min_size=len(C), max_size=len(C)))
    k = data.draw(kurtoses)
    n = fc.best_sq_norm(C, v, k)
    loss = fc.loss_at_best_lengths(C, v, k)
    total = fc.loss_from_capacities(C, n, v, k)
    scale = (k + 1) * sum(x * x for x in v) + 1e-300
    assert abs(loss.sum() - total) <= ROUNDING * scale
    assert (loss >= 0).all()
    assert (n >= 0).all()
    # No other length is better, for each feature by itself.
    for i, c in enumerate(C):
        for factor in (0.0, 0.9, 1.1, 2.0):
            other = n.copy()
            other[i] = factor * n[i] + (0.1 * (c > 0) if factor == 2.0 else 0)
            assert fc.loss_from_capacities(C, other, v, k) >= total - ROUNDING * scale


@pytest.mark.parametrize("k", [1.2, 3.0, 3.5, 20.0])
@pytest.mark.parametrize("c", [0.05, 0.5, 0.95])
def test_best_length_by_a_generic_optimizer(k, c):
    found = optimize.minimize_scalar(
        lambda n: float(fc.loss_from_capacities([c], [n], [1.7], k)),
        bounds=(0, 5),
        method="bounded",
        options={"xatol": 1e-12},
    )
    assert found.x == pytest.approx(float(fc.best_sq_norm([c], [1.7], k)[0]), rel=DIFFERENCES)


@given(st.lists(capacity_values, min_size=1, max_size=4), st.data())
def test_marginal_benefit_is_minus_the_slope_of_the_loss(C, data):
    k = data.draw(st.floats(1.01, 1e3))
    v = torch.tensor(
        data.draw(st.lists(st.floats(0.01, 10), min_size=len(C), max_size=len(C)))
    ).double()
    C = torch.tensor(C, dtype=torch.float64)
    inside = (C > 1e-3) & (C < 1)
    C = torch.where(inside, C, torch.full_like(C, 0.25)).requires_grad_()
    (slope,) = torch.autograd.grad(fc.loss_at_best_lengths(C, v, k).sum(), C)
    gain = fc.marginal_benefit(C, v, k)
    assert torch.allclose(-slope, gain, rtol=1e-9, atol=0)
    n = fc.best_sq_norm(C, v, k)
    assert torch.allclose(fc.marginal_benefit_at(C, n), gain, rtol=ROUNDING, atol=0)
    # Equation (14): at fixed lengths the slope is the same function of length and capacity.
    (direct,) = torch.autograd.grad(fc.loss_from_capacities(C, n.detach(), v, k), C)
    assert torch.allclose(-direct, gain, rtol=1e-9, atol=0)


def test_returns_diminish_exactly_above_kurtosis_three():
    C = np.linspace(0, 1, 11)[:-1]  # at 1 itself there is nothing left to compare with
    for k, sign in ((1.5, 1), (2.999, 1), (3.0, 0), (3.001, -1), (50.0, -1)):
        steps = np.diff(fc.marginal_benefit(C, np.ones(10), k))
        assert (np.sign(np.where(abs(steps) < ROUNDING, 0, steps)) == sign).all()


@pytest.mark.parametrize("k", [1 + 1e-12, 1 + 1e-6, 1.5])
def test_no_digits_are_lost_near_kurtosis_one(k):
    """(k - 3) C + 2 as printed cancels when k and C are both near 1."""
    for c in (1 - 1e-13, 1 - 1e-6, 0.5):
        K, C = Fraction(k), Fraction(c)
        exact = (K - 1) / ((K - 3) * C + 2)
        gain = float(fc.marginal_benefit([c], [1.0], k)[0])
        assert gain == pytest.approx(float(2 * exact**2), rel=ROUNDING)


def test_gradients_of_the_loss():
    W = torch.tensor(np.random.default_rng(1).standard_normal((2, 3, 5)), requires_grad=True)
    v = torch.rand((2, 5), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    k = torch.tensor([[2.0], [9.0]], dtype=torch.float64)
    v.requires_grad_()
    k.requires_grad_()
    assert torch.autograd.gradcheck(fc.expected_loss, (W, v, k))
    assert torch.autograd.gradgradcheck(fc.expected_loss, (W, v, k))


@pytest.mark.parametrize("size", [1, 1e3, 1e-3])
def test_hessian_at_orthogonal_embeddings(size):
    """The hallucinated term is 0 there and is kept from going below; its curvature must survive."""
    W = size * torch.eye(2, 3, dtype=torch.float64)
    hessian = torch.autograd.functional.hessian(
        lambda x: fc.loss_terms(x.reshape(2, 3), [1, 1, 1], 9)[1], W.flatten()
    )
    entry = hessian[1, 1] / size**2  # moving w_2 along w_1: 2 * 2 (w_1 . w_2)^2
    assert abs(entry.item() - 8) < ROUNDING


@pytest.mark.parametrize("seed", range(12))
def test_hessian_where_rounding_is_corrected(seed):
    Q = torch.tensor(np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))[0])
    hessian = torch.autograd.functional.hessian(
        lambda lean: fc.loss_terms(
            Q + lean * torch.outer(Q[:, 0], Q.new_tensor([0, 1, 0])), [1] * 3, 9
        )[1],
        torch.tensor(0.0, dtype=torch.float64),
    )
    assert abs(hessian.item() - 8) < ROUNDING


def test_batches_broadcast_importance_and_kurtosis():
    rng = np.random.default_rng(2)
    W, v, k = rng.standard_normal((4, 3, 2, 5)), rng.random((3, 5)), rng.uniform(1, 9, (4, 1, 1))
    bias = rng.standard_normal((4, 3))
    loss, biased = fc.expected_loss(W, v, k), fc.expected_loss(W, v, k, bias=bias)
    assert loss.shape == biased.shape == (4, 3)
    for a, b in np.ndindex(4, 3):
        assert loss[a, b] == pytest.approx(
            float(fc.expected_loss(W[a, b], v[b], k[a, 0, 0])), rel=ROUNDING
        )
        one = fc.expected_loss(W[a, b], v[b], k[a, 0, 0], bias=bias[a, b])
        assert biased[a, b] == pytest.approx(float(one), rel=ROUNDING)
    C = fc.capacities(W)
    for function in (fc.best_sq_norm, fc.marginal_benefit, fc.loss_at_best_lengths):
        values = function(C, v, k)
        assert values.shape == (4, 3, 5)
        np.testing.assert_allclose(values[2, 1], function(C[2, 1], v[1], k[2, 0, 0]), rtol=ROUNDING)


FEATURE_FUNCTIONS = [fc.best_sq_norm, fc.marginal_benefit, fc.loss_at_best_lengths]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_torch_and_strict_arrays_agree_with_numpy(dtype):
    rng = np.random.default_rng(3)
    W, v, C = (x.astype(dtype) for x in (rng.standard_normal((2, 4)), rng.random(4), rng.random(4)))
    calls = [(fc.expected_loss, (W, v, 9.0)), (fc.loss_from_capacities, (C, v, v, 9.0))]
    calls += [(fc.best_bias, (W, v)), (fc.marginal_benefit_at, (C, v))]
    calls += [(function, (C, v, 9.0)) for function in FEATURE_FUNCTIONS]
    for function, arguments in calls:
        expected = function(*arguments)
        assert expected.dtype == dtype
        for make, back in ((torch.tensor, np.asarray), (array_api_strict.asarray, np.from_dlpack)):
            result = function(*[make(x) if isinstance(x, np.ndarray) else x for x in arguments])
            assert type(result) is type(make(W))
            assert back(result).dtype == dtype
            np.testing.assert_allclose(back(result), expected, rtol=ROUNDING_32)


def test_a_loss_beyond_the_range_of_numbers_is_infinite_not_nan():
    with np.errstate(over="ignore"):
        assert fc.expected_loss([[1e100, 1e100]], [1, 1], 9) == math.inf
        assert fc.loss_terms(1e100 * np.eye(2), [1, 1], 9)[1] == 0


@pytest.mark.parametrize(
    ("call", "rule"),
    [
        (
            lambda: fc.expected_loss([[1.0, 1]], [1, -2], 9),
            r"importance must be at least 0; got -2\.0",
        ),
        (
            lambda: fc.expected_loss([[1.0, 1]], [1, 1], 0.7),
            r"kurtosis must be at least 1 .*got 0\.7",
        ),
        (
            lambda: fc.expected_loss([[1.0, 1]], [1, 1, 1], 9),
            "one entry per column of W; got 3 for 2",
        ),
        (lambda: fc.expected_loss([1.0, 1], [1, 1], 9), r"W must have shape .*got \(2,\)"),
        (
            lambda: fc.expected_loss([[1.0]], 1.0, 9),
            r"importance must have one entry.*got shape \(\)",
        ),
        (lambda: fc.best_sq_norm([1.2], [1], 9), r"capacity must be in \[0, 1\]; got 1\.2"),
        (lambda: fc.best_sq_norm([-0.1], [1], 9), r"capacity must be in \[0, 1\]; got -0\.1"),
        (lambda: fc.marginal_benefit([np.nan], [1], 9), r"capacity must be in \[0, 1\]; got nan"),
        (
            lambda: fc.marginal_benefit_at([0.0], [1]),
            r"capacity must be in \(0, 1\].*use marginal_b",
        ),
        (
            lambda: fc.marginal_benefit_at([0.5], [-1]),
            r"sq_norm must be finite.*got -1\.0.*squared",
        ),
        (
            lambda: fc.loss_from_capacities([0.5], [np.inf], [1], 9),
            "sq_norm must be finite.*got inf",
        ),
    ],
)
def test_bad_input(call, rule):
    with pytest.raises(ValueError, match=rule):
        call()
