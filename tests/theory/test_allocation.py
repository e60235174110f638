"""The exact allocation against fractions, enumeration, a generic optimizer, its conditions."""

import dataclasses
import itertools
from fractions import Fraction

import array_api_strict
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

import feature_capacity as fc
from feature_capacity.theory import sharing_rule as _sharing_rule

from ..tolerances import KKT, KKT_32, OPTIMIZER, OPTIMIZER_LOSS, ROUNDING, ROUNDING_32

NEAR_THREE = [3 + 4e-15, 3 + 1e-12, 3 + 1e-9, 3 + 1e-6, 3.001]
ABOVE_THREE = [3.4999, 3.5, 5.0, 9.0, 18.0, 100.0, 1e6, 1e12, 1e100]


def in_fractions(importance, n_dims, kurtosis):
    """Equations (6) to (8) solved exactly for k > 3 by trying every pair of phase sizes."""
    v, k = [Fraction(float(x)) for x in importance], Fraction(float(kurtosis))
    order = sorted(range(len(v)), key=lambda i: -v[i])
    ranked = [v[i] for i in order]
    positive = sum(x > 0 for x in ranked)
    for whole in range(min(n_dims, positive) + 1):
        for active in range(whole, positive + 1):
            sharing = ranked[whole:active]
            if not sharing:
                if whole != min(n_dims, positive):
                    continue
                low = (k - 1) / 2 * ranked[whole] if whole < len(v) else 0
                if low <= ranked[whole - 1]:
                    capacity, multiplier = [1] * whole, None
                    break
                continue
            multiplier = (k - 1) * sum(sharing) / ((k - 3) * (n_dims - whole) + 2 * len(sharing))
            parts = [((k - 1) * x / multiplier - 2) / (k - 3) for x in sharing]
            fits = all(0 < c < 1 for c in parts)
            fits &= whole == 0 or ranked[whole - 1] >= multiplier
            fits &= active == len(v) or (k - 1) / 2 * ranked[active] <= multiplier
            if fits:
                capacity = [1] * whole + parts
                break
        else:
            continue
        break
    else:
        raise AssertionError("no allocation satisfies the conditions")
    out = [Fraction(0)] * len(v)
    for i, c in zip(order, capacity, strict=False):
        out[i] = Fraction(c)
    loss = sum(
        2 * (k - 1) * x * x * (1 - c) / ((k - 3) * c + 2) for x, c in zip(v, out, strict=True)
    )
    return out, multiplier, loss


def random_importances(rng, kind):
    n = int(rng.integers(1, 9))
    return {
        "plain": lambda: rng.random(n),
        "ties and zeros": lambda: rng.integers(0, 4, n).astype(float),
        "decades": lambda: 10.0 ** rng.uniform(-3, 3, n),
        "1e-200 to 1e200": lambda: 10.0 ** rng.uniform(-200, 200, n),
        "one differs": lambda: np.r_[rng.choice([0, 0.5, 1, 2, 1e5, 1e-300]), np.ones(7)][
            : max(n, 2)
        ],
        "last bits differ": lambda: (
            (1 + rng.integers(0, 3, n) * 2.0**-52) * rng.choice([1, 1e-270, 1e200])
        ),
        "swamped": lambda: rng.choice([0, 1e-290, 1e-280, 1, 1e16, 1e17], n),
    }[kind]()


KINDS = ["plain", "ties and zeros", "decades", "1e-200 to 1e200", "one differs"]
KINDS += ["last bits differ", "swamped"]


@pytest.mark.parametrize("n_cases", [100, pytest.param(500, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", KINDS)
def test_against_exact_fractions(kind, n_cases):
    rng = np.random.default_rng(KINDS.index(kind))
    for _ in range(n_cases):
        v = random_importances(rng, kind)
        n_dims, k = int(rng.integers(1, len(v) + 1)), float(rng.choice(NEAR_THREE + ABOVE_THREE))
        best = fc.solve_allocation(v, n_dims, k)
        capacity, multiplier, loss = in_fractions(v, n_dims, k)
        case = f"{v!r}, {n_dims}, {k!r}"
        error = max(
            abs(Fraction(float(c)) - e) for c, e in zip(best.capacity, capacity, strict=True)
        )
        assert error < 1e-13, case
        assert fc.kkt_residuals(best).max() < KKT, case
        assert best.unique, case
        assert not best.tied.any(), case
        if multiplier is not None:
            assert abs(float(best.multiplier / float(multiplier)) - 1) < 1e-13, case
        if 1e-300 < loss < 1e300 and k <= 1e6:  # beyond, a rounded capacity decides the loss
            assert float(best.loss) == pytest.approx(float(loss), rel=ROUNDING), case
        expected = [0 if c == 0 else 2 if c == 1 else 1 for c in capacity]
        edge = np.array([min(c, 1 - c) < 1e-13 and 0 < c < 1 for c in capacity])
        assert (edge | (best.phase == expected)).all(), case


def test_products_beyond_the_range_of_numbers():
    """(k - 1) v overflows; the shares do not depend on it."""
    best = fc.solve_allocation([1e200, 3e200, 1e-200], 1, 1e300)
    exact, multiplier, _ = in_fractions([1e200, 3e200, 1e-200], 1, 1e300)
    np.testing.assert_allclose(best.capacity, [float(c) for c in exact], rtol=ROUNDING, atol=1e-300)
    assert best.multiplier == pytest.approx(float(multiplier), rel=ROUNDING)


def conditions_hold(best):
    """Equations (6) to (8), (15) and (16) written out again."""
    v, k, multiplier = best.importance, float(best.kurtosis), float(best.multiplier)
    C, n = best.capacity, best.sq_norm
    assert (C >= 0).all()
    assert (C <= 1).all()
    budget = min(best.n_dims, (v > 0).sum())
    assert abs(C.sum() - budget) < ROUNDING * best.n_dims
    assert (n[C == 0] == 0).all()
    assert (n[C == 1] == v[C == 1]).all()
    inside = (C > 0) & (C < 1)
    np.testing.assert_allclose(n[inside], multiplier * C[inside], rtol=KKT)
    if k > 3:
        printed = (k - 1) / (k - 3) * v[inside] - 2 * multiplier / (k - 3)
        np.testing.assert_allclose(n[inside], printed, atol=100 * KKT * multiplier / (k - 3))
    np.testing.assert_allclose(n, fc.best_sq_norm(C, v, k), rtol=1e-10, atol=1e-300)
    assert (np.array(best.phase) == (C > 0).astype(int) + (C == 1)).all()
    assert best.threshold == pytest.approx(2 * multiplier**2, rel=KKT)


importances = st.lists(
    st.one_of(st.sampled_from([0.0, 1.0, 1.0, 2.0]), st.floats(1e-6, 1e6)), min_size=1, max_size=12
)
kurtoses = st.one_of(
    st.sampled_from([1.0, 1.8, 2.9999, 3.0, 3.000001, 9.0, 1e8]), st.floats(1, 3), st.floats(3, 1e4)
)


@given(importances, st.data(), kurtoses)
def test_conditions_hold_for_every_kurtosis(v, data, k):
    best = fc.solve_allocation(v, data.draw(st.integers(1, len(v))), k)
    conditions_hold(best)
    assert fc.kkt_residuals(best).max() < KKT
    np.testing.assert_allclose(
        best.loss, fc.loss_at_best_lengths(best.capacity, v, k).sum(), rtol=1e-10, atol=1e-10
    )


@given(importances, st.data(), kurtoses, st.integers(-300, 300))
def test_scale_and_order_of_features(v, data, k, power):
    v, n_dims = np.array(v), data.draw(st.integers(1, len(v)))
    best = fc.solve_allocation(v, n_dims, k)
    scaled = fc.solve_allocation(v * 2.0**power, n_dims, k)
    np.testing.assert_array_equal(scaled.capacity, best.capacity)
    np.testing.assert_array_equal(scaled.sq_norm, best.sq_norm * 2.0**power)
    assert scaled.loss == best.loss * 4.0**power
    order = data.draw(st.permutations(range(len(v))))
    shuffled = fc.solve_allocation(v[order], n_dims, k)
    assert shuffled.loss == pytest.approx(float(best.loss), rel=ROUNDING, abs=1e-300)
    assert shuffled.unique == best.unique
    if best.unique:
        np.testing.assert_allclose(shuffled.capacity, best.capacity[order], atol=ROUNDING)


def loss_13(C, ratio, v, k):
    """Equation (13) with n = ratio * C, which makes it a polynomial."""
    n = ratio * C
    return (k - 1) * np.sum((n - v) ** 2) - 2 * np.sum(n * n) + 2 * np.sum(n * ratio)


@pytest.mark.parametrize("seed", range(8))
def test_a_generic_optimizer_finds_the_same(seed):
    """Equation (13) minimized over capacities and lengths together; nothing of ours is used."""
    rng = np.random.default_rng(seed)
    n_features = int(rng.integers(3, 7))
    n_dims, k = int(rng.integers(1, n_features)), rng.uniform(4, 20)
    v = rng.uniform(0.3, 2, n_features)
    starts = rng.uniform(0, 2, (6, 2 * n_features))  # it stops early from some of them
    runs = [
        optimize.minimize(
            lambda x: loss_13(x[:n_features], x[n_features:], v, k),
            start,
            bounds=[(0, 1)] * n_features + [(0, 50)] * n_features,
            constraints={"type": "eq", "fun": lambda x: x[:n_features].sum() - n_dims},
            method="SLSQP",
            jac="3-point",
            options={"ftol": 1e-15, "maxiter": 2000},
        )
        for start in starts
    ]
    found = min(runs, key=lambda run: run.fun)
    best = fc.solve_allocation(v, n_dims, k)
    np.testing.assert_allclose(found.x[:n_features], best.capacity, atol=OPTIMIZER)
    assert found.fun == pytest.approx(float(best.loss), rel=OPTIMIZER_LOSS)
    assert best.loss <= found.fun * (1 + OPTIMIZER_LOSS)


@given(importances.filter(lambda v: len(v) <= 7), st.data(), st.floats(1, 3))
def test_increasing_returns_take_the_best_whole_features(v, data, k):
    n_dims = data.draw(st.integers(1, len(v)))
    best = fc.solve_allocation(v, n_dims, k)
    choices = list(itertools.combinations(range(len(v)), n_dims))
    losses = np.array(
        [(k - 1) * sum(v[i] ** 2 for i in range(len(v)) if i not in s) for s in choices]
    )
    assert best.loss == pytest.approx(losses.min(), rel=ROUNDING, abs=1e-300)
    if k < 3:
        assert set(np.unique(best.capacity)) <= {0.0, 1.0}
    # Sharing is never better: any point of the feasible set, by equation (13) at its best lengths.
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.ones(len(choices)), 20)
    corners = np.array([[i in s for i in range(len(v))] for s in choices], float)
    loss = fc.loss_at_best_lengths(np.clip(weights @ corners, 0, 1), v, k).sum(-1)
    assert (loss >= best.loss * (1 - ROUNDING)).all()


def value(capacity, best):
    return fc.loss_at_best_lengths(capacity, best.importance, best.kurtosis).sum(-1)


def test_at_kurtosis_three_any_split_of_the_tied_budget_is_as_good():
    best = fc.solve_allocation([5.0, 2.0, 2.0, 2.0, 2.0, 1.0], 3, 3.0)
    assert not best.unique
    assert best.divisible
    assert best.tied.tolist() == [False, True, True, True, True, False]
    assert best.tied_budget == 2
    np.testing.assert_allclose(best.capacity, [1, 0.5, 0.5, 0.5, 0.5, 0])
    rng = np.random.default_rng(0)
    for split in [[1, 1, 0, 0], [1, 0.5, 0.3, 0.2], *rng.dirichlet([3] * 4, 40) * 2]:
        if max(split) <= 1:
            assert value([1, *split, 0], best) == pytest.approx(float(best.loss), rel=ROUNDING)
    for worse in (
        [0.9, 0.6, 0.5, 0.5, 0.5, 0],
        [1, 0.4, 0.5, 0.5, 0.5, 0.1],
        [0.9, 0.5, 0.5, 0.5, 0.5, 0.1],
    ):
        assert value(worse, best) > best.loss * (1 + 1e-3)


@pytest.mark.parametrize("k", [1.0001, 1.8, 2.9])
def test_below_three_any_choice_among_the_tied_is_as_good_and_no_split(k):
    best = fc.solve_allocation([5.0, 2.0, 2.0, 2.0, 1.0], 3, k)
    assert not best.unique
    assert not best.divisible
    assert best.tied.tolist() == [False, True, True, True, False]
    assert best.tied_budget == 2
    assert best.capacity.tolist() == [1, 1, 1, 0, 0]
    for chosen in itertools.combinations(range(1, 4), 2):
        other = np.eye(5)[[0, *chosen]].sum(0)
        assert value(other, best) == pytest.approx(float(best.loss), rel=ROUNDING)
    for worse in ([1, 1, 0.5, 0.5, 0], [0, 1, 1, 1, 0], [1, 1, 0, 0, 1]):
        assert value(worse, best) > best.loss


@pytest.mark.parametrize("n_dims", [1, 2, 3])
def test_at_kurtosis_one_everything_is_tied(n_dims):
    best = fc.solve_allocation([3.0, 2.0, 1.0], n_dims, 1.0)
    assert best.loss == 0
    assert not best.unique
    assert best.tied.all()
    for r in range(n_dims + 1):
        for chosen in itertools.combinations(range(3), r):
            lengths = np.random.default_rng(r).random(3)
            W = np.eye(3) * np.sqrt(lengths) * np.isin(range(3), chosen)
            assert fc.expected_loss(W, [3.0, 2.0, 1.0], 1.0) == 0
    assert fc.expected_loss([[1.0, 0.1, 0]], [3.0, 2.0, 1.0], 1.0) > 0


@given(importances, st.data(), kurtoses)
def test_moving_capacity_is_worse_where_the_optimum_is_unique(v, data, k):
    n_dims = data.draw(st.integers(1, len(v)))
    best = fc.solve_allocation(v, n_dims, k)
    spread = max(v) / min([x for x in v if x > 0], default=1)
    for i, j in itertools.permutations(range(len(v)), 2):
        step = min(0.3, best.capacity[i], 1 - best.capacity[j])
        moved = best.capacity.copy()
        moved[i] -= step
        moved[j] = min(moved[j] + step, 1.0)
        change = value(moved, best) - best.loss
        assert change >= -ROUNDING * (1 + best.loss)
        apart = v[i] > v[j] * (1 + 1e-6) or abs(k - 3) > 1e-3
        if best.unique and step == 0.3 and k > 1.01 and v[i] > 0 and apart and spread < 1e3:
            assert change > 0


def test_zero_importance_gets_nothing():
    for k in (1.8, 3.0, 9.0):
        best = fc.solve_allocation([2.0, 0.0, 0.0, 1.0], 3, k)
        assert best.capacity.tolist() == [1, 0, 0, 1]
        assert best.multiplier == best.loss == 0
        assert best.unique
        nothing = fc.solve_allocation([0.0, 0.0], 1, k)
        assert nothing.capacity.tolist() == [0, 0]
        assert fc.kkt_residuals(nothing).max() == 0


@pytest.mark.parametrize("k", [1.5, 3.0, 9.0])
def test_as_many_dimensions_as_features(k):
    for v in ([2.0], [1.0, 1.0, 3.0]):
        best = fc.solve_allocation(v, len(v), k)
        assert (best.capacity == 1).all()
        assert (best.sq_norm == v).all()
        assert best.loss == 0
        assert best.unique


def test_one_dimension_shared_by_many():
    best = fc.solve_allocation(np.ones(1000), 1, 9.0)
    np.testing.assert_allclose(best.capacity, 1 / 1000, rtol=ROUNDING)


@pytest.mark.parametrize("k", NEAR_THREE)
def test_equal_features_share_equally_however_close_to_three(k):
    best = fc.solve_allocation([1 / 3] * 7, 3, k)
    np.testing.assert_allclose(best.capacity, 3 / 7, rtol=ROUNDING)


@given(importances.filter(lambda v: len(v) > 1), st.data(), kurtoses.filter(lambda k: k > 1.0001))
def test_the_multiplier_interval_is_exactly_what_satisfies_the_conditions(v, data, k):
    best = fc.solve_allocation(v, data.draw(st.integers(1, len(v))), k)
    low, high = best.multiplier_interval
    assert low <= high == best.multiplier

    def residual(multiplier):
        other = dataclasses.replace(best, multiplier=np.asarray(multiplier))
        return fc.kkt_residuals(other).max()

    for inside in (low, (low + high) / 2, high):
        assert residual(inside) < KKT
    if high > 0:
        assert residual(high * 1.001) > 1e-4
        shared = ((best.capacity > 0) & (best.capacity < 1)).any()
        if low > 0 and (shared or low < high):
            assert residual(low * 0.999) > 1e-4


def test_residuals_measure_the_violation():
    best = fc.solve_allocation([10.0, 1.0, 1.0, 1.0], 3, 9.0)
    for feature, capacity in ((0, 0.9), (1, 0.6), (1, 0.0), (3, 1.0)):
        changed = best.capacity.copy()
        changed[feature] = capacity
        residual = fc.kkt_residuals(dataclasses.replace(best, capacity=changed))
        gain = 2 * (8 * best.importance / (6 * changed + 2)) ** 2
        expected = abs(gain[feature] - best.threshold) / best.threshold
        assert residual[feature] == pytest.approx(expected, rel=ROUNDING)
        assert np.delete(residual, feature).max() < KKT
    # Inequalities count only where they are broken.
    assert fc.kkt_residuals(fc.solve_allocation([10.0, 0.01], 1, 9.0)).tolist() == [0, 0]


def test_batches_of_importance_and_kurtosis():
    rng = np.random.default_rng(1)
    v = np.concatenate([rng.random((4, 5)), rng.integers(0, 3, (4, 5)), np.ones((1, 5))])
    k = np.array([1.0, 2.0, 3.0, 3 + 1e-9, 3.2, 9.0, 1e6])
    grid = fc.solve_allocation(v[None], 2, k[:, None, None])
    rows = fc.solve_allocation(v[:7], 2, k[:, None])
    assert grid.capacity.shape == (7, 9, 5)
    assert grid.multiplier_interval.shape == (7, 9, 2)
    names = [
        f.name
        for f in dataclasses.fields(grid)
        if f.name not in ("importance", "kurtosis", "n_dims")
    ]
    for a, b in np.ndindex(7, 9):
        one = fc.solve_allocation(v[b], 2, k[a])
        for name in names:
            np.testing.assert_array_equal(
                getattr(grid, name)[a, b], getattr(one, name), err_msg=name
            )
            if a == b:
                np.testing.assert_array_equal(
                    getattr(rows, name)[a], getattr(one, name), err_msg=name
                )
    assert fc.kkt_residuals(grid).shape == (7, 9, 5)
    assert fc.kkt_residuals(grid).max() < KKT


def test_a_long_row_is_worked_through_in_pieces(monkeypatch):
    v = np.random.default_rng(2).pareto(1.0, 1000)
    for n_dims, k in ((100, 9.0), (100, 3.001), (990, 100.0), (100, 2.0)):
        whole = fc.solve_allocation(v, n_dims, k)
        with monkeypatch.context() as patch:
            patch.setattr(_sharing_rule, "_CHUNK", 64)
            pieces = fc.solve_allocation(v, n_dims, k)
        for name in ("capacity", "sq_norm", "multiplier", "loss"):
            np.testing.assert_allclose(
                getattr(pieces, name), getattr(whole, name), rtol=1e-11, err_msg=name
            )
        np.testing.assert_array_equal(pieces.phase, whole.phase)


@pytest.mark.parametrize("k", [3.000001, 9.0, 1000.0])
def test_many_features(k):
    v = np.random.default_rng(3).pareto(1.0, 100_000)
    v[:50_000] = v[0]  # half of them tied
    for n_dims in (1, 500, 70_000):
        best = fc.solve_allocation(v, n_dims, k)
        assert fc.kkt_residuals(best).max() < KKT
        assert abs(best.capacity.sum() / n_dims - 1) < 1e-11


@pytest.mark.parametrize("seed", range(2))
def test_many_ignored_features_do_not_blur_a_close_decision(seed):
    """Their sum is large; next to it the differences that decide so close to 3 would drown."""
    rng = np.random.default_rng(seed)
    close = 1 + 1.4e-9 * rng.random(1000)
    v = np.concatenate([0.4 * rng.random(200_000), close])
    best = fc.solve_allocation(v, 400, 3 + 1e-9)
    alone = fc.solve_allocation(close, 400, 3 + 1e-9)
    assert (best.capacity[:200_000] == 0).all()
    np.testing.assert_allclose(best.capacity[200_000:], alone.capacity, atol=1e-9)
    assert abs(best.capacity.sum() - 400) < 1e-9


@pytest.mark.parametrize(
    ("v", "n_dims", "k", "capacity", "phase"),
    [
        ([2.5, 1, 1, 1, 1], 2, 11.0, [1, 1 / 4, 1 / 4, 1 / 4, 1 / 4], [2, 1, 1, 1, 1]),
        ([0.5, 1, 1, 1, 1], 2, 7.0, [0, 1 / 2, 1 / 2, 1 / 2, 1 / 2], [0, 1, 1, 1, 1]),
        ([4, 1], 1, 9.0, [1, 0], [2, 0]),
    ],
)
def test_exactly_on_a_phase_boundary(v, n_dims, k, capacity, phase):
    best = fc.solve_allocation(v, n_dims, k)
    np.testing.assert_allclose(best.capacity, capacity, atol=1e-15)
    assert best.phase.tolist() == phase


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_torch_and_strict_arrays_agree_with_numpy(dtype):
    v = np.random.default_rng(4).random((3, 6)).astype(dtype)
    k = np.array([[2.0], [3.0], [9.0]], dtype=dtype)
    v[1, 2:] = v[1, 1]
    expected = fc.solve_allocation(v, 3, k)
    assert expected.capacity.dtype == dtype
    for make, back in ((torch.tensor, np.asarray), (array_api_strict.asarray, np.from_dlpack)):
        best = fc.solve_allocation(make(v), 3, make(k))
        for name in ("capacity", "sq_norm", "multiplier", "loss", "phase", "unique", "tied"):
            array = getattr(best, name)
            assert type(array) is type(make(v)), name
            np.testing.assert_allclose(
                back(array), getattr(expected, name), rtol=ROUNDING_32, err_msg=name
            )
        residual = back(fc.kkt_residuals(best))
        assert residual.max() < (KKT_32 if dtype == "float32" else KKT)


@pytest.mark.parametrize("k", [3.0 + 2.0**-20, 3.5, 9.0, 1e6])
def test_float32_is_as_close_as_float32_can_be(k):
    v = np.random.default_rng(5).random(200).astype(np.float32)
    best, exact = fc.solve_allocation(v, 20, k), fc.solve_allocation(v.astype(float), 20, k)
    np.testing.assert_allclose(best.capacity, exact.capacity, atol=ROUNDING_32)
    assert abs(float(best.capacity.sum()) - 20) < 20 * ROUNDING_32


@pytest.mark.parametrize(
    ("v", "n_dims", "k"), [([2.0, 1.1, 0.9, 0.8], 2, 9.0), ([5.0, 1.0, 0.9, 0.1], 2, 9.0)]
)
@pytest.mark.parametrize("name", ["capacity", "sq_norm", "multiplier", "loss"])
def test_gradients(v, n_dims, k, name):
    v = torch.tensor(v, dtype=torch.float64, requires_grad=True)
    k = torch.tensor(k, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda v, k: getattr(fc.solve_allocation(v, n_dims, k), name), (v, k)
    )


def test_gradient_close_to_three():
    v = torch.tensor([1.004, 1.003, 1.002, 0.9], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda v: fc.solve_allocation(v, 2, 3.01).capacity, v, eps=1e-7, atol=1e-4
    )


def test_an_optimum_is_reached_by_an_embedding():
    rng = np.random.default_rng(6)
    for k in (2.0, 3.0, 3 + 1e-9, 9.0, 1e4):
        v = np.round(rng.random(7), 1)
        best = fc.solve_allocation(v, 3, k)
        W = fc.optimal_embedding(best)
        assert float(fc.expected_loss(W, v, k)) == pytest.approx(
            float(best.loss), rel=1e-10, abs=1e-10
        )
        np.testing.assert_allclose(fc.capacities(W), best.capacity, atol=1e-9)


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (
            ([1.0, -0.5], 1, 9),
            r"importance must be at least 0; got -0\.5 at flat position 1: use 0",
        ),
        (([1.0, np.nan], 1, 9), "importance must be finite; got nan"),
        (([1.0, np.inf], 1, 9), "importance must be finite; got inf"),
        (([1.0, -np.inf], 1, 9), "importance must be finite; got -inf"),
        (([1.0, 2.0], 1, 0.999), r"kurtosis must be at least 1 .*got 0\.999 .*not its excess"),
        (([1.0, 2.0], 1, -9), r"kurtosis must be at least 1 .*got -9\.0"),
        (([1.0, 2.0], 1, np.nan), "kurtosis must be finite; got nan"),
        (([1.0, 2.0], 1, np.inf), "kurtosis must be finite; got inf"),
        (([1.0, 2.0], 3, 9), r"n_dims must be a whole number from 1 to .*\(2\); got 3"),
        (([1.0, 2.0], 0, 9), r"n_dims must be a whole number from 1 to .*\(2\); got 0"),
        (([1.0, 2.0], 1.5, 9), r"n_dims must be a whole number .*got 1\.5"),
        ((2.0, 1, 9), r"one entry per feature on its last axis.*got shape \(\)"),
        (([], 1, 9), r"no empty axis; got shape \(0,\)"),
        ((np.ones((0, 3)), 1, 9), r"no empty axis; got shape \(0, 3\)"),
        (
            (np.ones((2, 3)), 1, [[9], [9], [9]]),
            r"must broadcast.*importance \(2,\), kurtosis \(3,\)",
        ),
        (
            ([5e-324, 5e-324], 1, 9),
            r"at least 1e-292 in float64.*got 5e-324.*multiply all importances",
        ),
    ],
)
def test_bad_input(arguments, rule):
    with pytest.raises(ValueError, match=rule):
        fc.solve_allocation(*arguments)
