"""Capacity, its alternative definition, and interference."""

import array_api_strict
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import feature_capacity as fc
from feature_capacity.theory import capacity as capacity_module

from ..tolerances import CANCELLING_32, ROUNDING, ROUNDING_32, ULPS

MEASURES = [fc.capacities, fc.leverage_capacities]


def by_definition(W):
    """Equation (3) entry by entry from the Gram matrix, which the package never forms."""
    gram = np.asarray(W).T @ np.asarray(W)
    out = np.zeros(len(gram))
    for i, row in enumerate(gram):
        if row[i] > 0:
            out[i] = row[i] ** 2 / np.sum(row**2)
    return out


@st.composite
def matrices(draw, low=1, high=6, size=10.0):
    """Small matrices with many exact zeros, equal entries and zero columns."""
    shape = (draw(st.integers(low, high)), draw(st.integers(1, high)))
    whole = st.integers(-3, 3).map(float)
    any_size = st.floats(-size, size, allow_subnormal=False).filter(
        lambda x: x == 0 or abs(x) > 1e-3
    )
    return draw(arrays(np.float64, shape, elements=draw(st.sampled_from([whole, any_size]))))


def rotation(seed, n):
    q, r = np.linalg.qr(np.random.default_rng(seed).standard_normal((n, n)))
    return q * np.sign(np.diag(r))


@given(matrices())
def test_capacity_is_the_definition(W):
    np.testing.assert_allclose(fc.capacities(W), by_definition(W), rtol=ROUNDING, atol=1e-15)


@given(matrices())
def test_bounds(W):
    C, leverage = fc.capacities(W), fc.leverage_capacities(W)
    present = (W != 0).any(axis=0)
    for x in (C, leverage):
        assert x.shape == W.shape[1:]
        assert (x >= 0).all()
    assert (C <= 1).all()
    assert (leverage <= 1 + ROUNDING).all()
    assert ((C > 0) == present).all()
    assert (leverage + ROUNDING >= C).all()
    rank = np.linalg.matrix_rank(W)
    assert fc.total_capacity(W) <= rank + ROUNDING
    assert abs(leverage.sum() - rank) <= ROUNDING
    if present.any():
        stable_rank = np.linalg.norm(W) ** 2 / np.linalg.norm(W, 2) ** 2
        assert fc.total_capacity(W) >= stable_rank - ROUNDING >= 1 - 2 * ROUNDING


@pytest.mark.parametrize("measure", MEASURES)
@given(matrices(), st.integers(0, 99), st.floats(-150, 140))
def test_rotation_and_scale_change_nothing(measure, W, seed, exponent):
    before = measure(W)
    turned = rotation(seed, len(W)) @ W
    np.testing.assert_allclose(measure(turned), before, atol=1e-11)
    np.testing.assert_allclose(measure(W * 10.0**exponent), before, atol=ROUNDING)
    np.testing.assert_array_equal(measure(W * 2.0 ** round(exponent)), before)
    np.testing.assert_allclose(measure(-W), before, atol=ULPS)


@pytest.mark.parametrize("measure", MEASURES)
@given(matrices(), st.randoms(use_true_random=False))
def test_order_of_features_and_zero_columns_change_nothing(measure, W, random):
    before = measure(W)
    order = random.sample(range(W.shape[1]), W.shape[1])
    np.testing.assert_allclose(measure(W[:, order]), before[order], atol=ROUNDING)
    padded = measure(np.concatenate([W, np.zeros((len(W), 2))], axis=1))
    np.testing.assert_allclose(padded, np.append(before, [0, 0]), atol=ROUNDING)
    taller = measure(np.concatenate([np.zeros((2, W.shape[1])), W]))
    np.testing.assert_allclose(taller, before, atol=ROUNDING)


@pytest.mark.parametrize("function", [*MEASURES, fc.total_capacity, fc.interference])
def test_a_batch_is_a_loop(function):
    W = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    W[0, 1, :, 2] = 0
    W[1, 0] *= 1e12  # the scale of one matrix is no matter of another
    looped = np.array([[function(W[a, b]) for b in range(3)] for a in range(2)])
    np.testing.assert_allclose(function(W), looped, rtol=ROUNDING)
    assert function(W[:0]).shape == looped[:0].shape


@pytest.mark.parametrize("exponents", [(-150, -150), (150, 150), (-150, 150), (-8, 8)])
def test_blocks_of_any_two_scales(exponents):
    pair, pentagon = fc.polytope("antipodal pair"), fc.polytope("pentagon")
    small, large = (10.0**e for e in exponents)
    W = np.zeros((3, 7))
    W[:1, [0, 4]], W[1:, [1, 2, 3, 5, 6]] = small * pair, large * pentagon
    expected = np.full(7, 2 / 5)
    expected[[0, 4]] = 1 / 2
    np.testing.assert_allclose(fc.capacities(W), expected, rtol=ROUNDING)
    np.testing.assert_allclose(fc.capacities(W[::-1]), expected, rtol=ROUNDING)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("exponent", range(1, 9))
def test_a_short_feature_beside_long_orthogonal_ones_keeps_its_capacity(dtype, exponent):
    """Here w . (W W^T) w cancels; lengths a factor 1/eps apart leave nothing to find."""
    step = 1.75 if dtype == np.float64 else 0.75
    lengths = np.array([10.0 ** (step * exponent)] * 2 + [1.0] * 3)
    W = rotation(exponent, 5) @ np.diag(lengths)
    eps = np.finfo(dtype).eps
    # Rounding W to its dtype already tilts the columns by about eps.
    blur = 100 * (eps * lengths[0]) ** 2 + (CANCELLING_32 if dtype == np.float32 else ROUNDING)
    for given_W in (W.astype(dtype), torch.tensor(W.astype(dtype), requires_grad=True)):
        C = fc.capacities(given_W)
        C = C.detach().numpy() if isinstance(C, torch.Tensor) else C
        assert (C >= 0).all()
        assert (C <= 1).all()
        assert (30 * blur > 1 - C).all()


@given(st.integers(0, 2**31), st.integers(1, 5), st.integers(1, 7), st.floats(0, 40))
def test_mixed_lengths_agree_with_the_definition(seed, n_dims, n_features, spread):
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((n_dims, n_features)) * 10 ** (spread * rng.random(n_features) / 10)
    np.testing.assert_allclose(fc.capacities(W), by_definition(W), rtol=1e-9, atol=1e-14)


@given(arrays(np.float64, (3, 5), elements=st.floats(-1e150, 1e150, allow_subnormal=True)))
def test_never_nan_never_out_of_bounds(W):
    C = fc.capacities(W)
    assert np.isfinite(C).all()
    assert (C >= 0).all()
    assert (C <= 1).all()
    assert fc.total_capacity(W) <= 3 * (1 + ROUNDING)


@pytest.mark.parametrize("W", [[[5e-324]], [[1.7e308, -1.7e308]], [[0.0, 0.0]], [[-3.0]]])
def test_extreme_entries(W):
    expected = [0.0, 0.0] if W == [[0.0, 0.0]] else [1 / len(W[0])] * len(W[0])
    np.testing.assert_allclose(fc.capacities(W), expected, rtol=ROUNDING)
    np.testing.assert_allclose(fc.leverage_capacities(W), expected, rtol=ROUNDING)


def test_a_wide_matrix_is_the_same_in_chunks(monkeypatch):
    rng = np.random.default_rng(1)
    W = rng.standard_normal((3, 1000))
    W[:, 17] = [1e9, 0, 0]  # and the triangular factor is built chunk by chunk
    whole = fc.capacities(W), fc.interference(W)
    monkeypatch.setattr(capacity_module, "_CHUNK_NUMBERS", 300)
    np.testing.assert_allclose(fc.capacities(W), whole[0], rtol=1e-9)
    rounding = np.sum(W**2, axis=0) ** 2 * ROUNDING
    assert (abs(fc.interference(W) - whole[1]) <= 1e-9 * whole[1] + rounding).all()
    np.testing.assert_allclose(whole[0], by_definition(W), rtol=1e-9)


@pytest.mark.parametrize("function", [*MEASURES, fc.interference, fc.total_capacity])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_torch_and_strict_arrays_agree_with_numpy(function, dtype):
    W = np.random.default_rng(2).standard_normal((2, 3, 5)).astype(dtype)
    W[0, :, 1] = 0
    expected = function(W)
    assert expected.dtype == dtype
    for make, back in ((torch.tensor, np.asarray), (array_api_strict.asarray, np.from_dlpack)):
        result = function(make(W))
        assert type(result) is type(make(W))
        result = back(result)
        assert result.dtype == dtype
        np.testing.assert_allclose(result, expected, rtol=ROUNDING_32, atol=ROUNDING_32)


def test_float32_is_as_close_as_float32_can_be():
    W = np.random.default_rng(3).standard_normal((8, 200))
    exact = fc.capacities(W)
    np.testing.assert_allclose(fc.capacities(W.astype(np.float32)), exact, rtol=ROUNDING_32)
    tiny = (W * 1e-25).astype(np.float32)
    np.testing.assert_allclose(fc.capacities(tiny), exact, rtol=ROUNDING_32)


def generic(seed=4):
    return torch.tensor(np.random.default_rng(seed).standard_normal((3, 5)), requires_grad=True)


@pytest.mark.parametrize("function", [*MEASURES, fc.interference])
def test_gradients_of_a_generic_matrix(function):
    W = generic()
    assert torch.autograd.gradcheck(function, W)
    assert torch.autograd.gradgradcheck(function, W)


def test_the_gradient_in_float32_is_that_in_float64():
    """Of lengths so unlike that numbers are spread over the whole range of float32."""
    generator = np.random.default_rng(0)
    W = generator.standard_normal((64, 3000)) * np.exp(generator.normal(size=3000))
    found = []
    for dtype in (torch.float32, torch.float64):
        given_W = torch.tensor(W.astype(np.float32)).to(dtype).requires_grad_()
        (fc.capacities(given_W) ** 2).sum().backward()
        found.append(given_W.grad.double().numpy())
    np.testing.assert_allclose(found[0], found[1], atol=1e-4 * abs(found[1]).max())


def test_gradient_where_the_quadratic_form_cancels():
    scale = torch.tensor([1e3, 1.0, 1.0, 1.0], dtype=torch.float64)
    W = (torch.tensor(rotation(5, 4)) * scale).requires_grad_()
    weights = torch.tensor([0.0, 1.0, -2.0, 0.5], dtype=torch.float64)
    tilt = torch.tensor(rotation(6, 4))[:, 0]

    def tilted(x):  # lean the short features on the long one, so that there is a slope
        return (
            weights * fc.capacities(W + x * torch.outer(tilt, scale.new_tensor([0, 1, 1, 1])))
        ).sum()

    assert torch.autograd.gradcheck(
        tilted, torch.tensor(2e-3, dtype=torch.float64, requires_grad=True)
    )


def efficient(kind):
    if kind == "generic block":
        capacity = [0.9, 0.7, 0.5, 0.5, 0.4]
        W = fc.embedding_from_capacities(capacity, generator=np.random.default_rng(7))
    elif kind == "antipodal pairs":
        W = fc.tegum_product(*[fc.polytope("antipodal pair")] * 3)
    else:
        W = np.eye(3, 4)[:, [0, 1, 3, 2]]  # orthogonal, one feature ignored
    return torch.tensor(W, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("kind", ["generic block", "antipodal pairs"])
@pytest.mark.parametrize("distance", [0.0, 1e-9, 1e-3])
def test_gradient_of_leverage_near_efficient_matrices(kind, distance):
    """All singular values of a block coincide there, where singular vectors have no derivative."""
    W = efficient(kind)
    with torch.no_grad():
        W += distance * torch.tensor(np.random.default_rng(8).standard_normal(W.shape))
    assert torch.autograd.gradcheck(fc.leverage_capacities, W)


@pytest.mark.parametrize("kind", ["generic block", "antipodal pairs", "orthogonal"])
@pytest.mark.parametrize("measure", MEASURES)
def test_gradients_are_finite_everywhere(kind, measure):
    W = efficient(kind)
    measure(W).sum().backward()
    assert torch.isfinite(W.grad).all()


def test_total_capacity_is_stationary_at_an_efficient_matrix():
    W = efficient("generic block")
    fc.total_capacity(W).backward()
    assert W.grad.abs().max() < ROUNDING


@pytest.mark.parametrize("seed", range(12))
def test_second_derivative_of_capacity_at_an_orthogonal_matrix(seed):
    """Capacity 1 is its maximum; where rounding is corrected there, the curvature must survive."""
    first, second = torch.tensor(rotation(seed, 2).T)

    def leaning(angle):
        lean = torch.sin(angle) * first + torch.cos(angle) * second
        return fc.capacities(torch.stack([first, lean], dim=1))[0]  # 1 / (1 + sin^2)

    angle = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(leaning(angle), angle, create_graph=True)
    (curvature,) = torch.autograd.grad(slope, angle)
    assert abs(slope.item()) < ROUNDING
    assert abs(curvature.item() + 2) < ROUNDING


def test_total_capacity_is_the_sum():
    W = np.random.default_rng(9).standard_normal((2, 3, 5))
    np.testing.assert_allclose(fc.total_capacity(W), fc.capacities(W).sum(-1), rtol=ULPS)


@given(matrices())
def test_interference_is_the_sum_over_the_others(W):
    gram = W.T @ W
    expected = ((gram - np.diag(np.diag(gram))) ** 2).sum(axis=0)
    atol = ROUNDING * max(1.0, np.abs(gram).max() ** 2)
    np.testing.assert_allclose(fc.interference(W), expected, rtol=ROUNDING, atol=atol)
    assert (fc.interference(W) >= 0).all()


def test_interference_far_from_one():
    for scale in (1e-70, 1e70):
        np.testing.assert_allclose(
            fc.interference([[scale, -scale]]), [scale**4] * 2, rtol=ROUNDING
        )
    with np.errstate(over="ignore"):
        assert np.isinf(fc.interference([[1e100, 1e100]])).all()
    np.testing.assert_array_equal(fc.interference(1e100 * np.eye(2)), [0, 0])


def test_leverage_is_what_the_best_unembedding_sees():
    """Appendix E: the squared correlation of x_i with its best linear reconstruction from W x."""
    W = np.random.default_rng(10).standard_normal((3, 6))
    covariance = W @ W.T  # of W x, for x of unit covariance
    for i, value in enumerate(fc.leverage_capacities(W)):
        best = np.linalg.solve(covariance, W[:, i])
        explained = (best @ W[:, i]) ** 2 / (best @ covariance @ best)
        assert abs(value - explained) < ROUNDING


def test_capacity_is_a_squared_correlation():
    """Appendix E: of x_i with entry i of W^T W x, here from sample covariances."""
    W = np.random.default_rng(11).standard_normal((3, 6))
    gram = W.T @ W
    correlation = np.diag(gram) / np.sqrt(np.diag(gram @ gram))
    np.testing.assert_allclose(fc.capacities(W), correlation**2, rtol=ROUNDING)


def test_leverage_counts_directions_above_rtol():
    W = np.diag([1.0, 1e-3, 1e-6])
    np.testing.assert_allclose(fc.leverage_capacities(W), [1, 1, 1])
    np.testing.assert_allclose(fc.leverage_capacities(W, rtol=1e-4), [1, 1, 0])
    np.testing.assert_allclose(fc.leverage_capacities(W, rtol=1e-2), [1, 0, 0])
    needs_gradient = torch.tensor(W, requires_grad=True)
    lossy = fc.leverage_capacities(needs_gradient, rtol=1e-4).detach()
    np.testing.assert_allclose(lossy, [1, 1, 0], atol=ROUNDING)
    dependent = np.array([[1.0, 2, 3], [2, 4, 6]])
    assert abs(fc.leverage_capacities(dependent).sum() - 1) < ROUNDING
    np.testing.assert_array_equal(fc.leverage_capacities(np.zeros((2, 3))), [0, 0, 0])


@pytest.mark.parametrize("rtol", [-0.1, 1.0, np.nan, "small", [1e-9]])
def test_rtol_out_of_range(rtol):
    with pytest.raises(ValueError, match=r"rtol must be a number in \[0, 1\); got"):
        fc.leverage_capacities([[1.0, 2.0]], rtol=rtol)


@pytest.mark.parametrize("function", [*MEASURES, fc.interference, fc.total_capacity])
@pytest.mark.parametrize("shape", [(), (3,), (0, 3), (3, 0), (2, 0, 3)])
def test_wrong_axes(function, shape):
    with pytest.raises(ValueError, match=r"W must have shape \(\.\.\., n_dims, n_features\).*got"):
        function(np.ones(shape))
