"""Features that differ in kurtosis: the exact allocation against routes that share no code."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

import feature_capacity as fc
from feature_capacity.theory import unequal_kurtosis
from feature_capacity.theory.unequal_kurtosis import phases_of_row

from ..tolerances import DIFFERENCES, OPTIMIZER, OPTIMIZER_LOSS, ROUNDING, ROUNDING_32


def by_enumeration(v, n_dims, k):
    """Every choice of ignored, shared and whole features that the conditions allow; the best.

    A shared feature has n/C = multiplier; 1/multiplier follows from the budget by one division.
    """
    v, k = np.asarray(v, float), np.asarray(k, float)
    best, best_loss = None, np.inf
    for phases in itertools.product((0, 1, 2), repeat=len(v)):
        phase = np.array(phases)
        inside, left = phase == 1, n_dims - (phase == 2).sum()
        C = (phase == 2).astype(float)
        if inside.any():
            if np.any(k[inside] == 3):
                if inside.sum() > 1:
                    candidates = v[inside & (k == 3)]
                    if np.ptp(candidates) > 0:
                        continue
                    one = np.flatnonzero(inside & (k == 3))
                    if len(one) > 1:
                        continue  # equal ones can trade: one of them alone does as well
                    rest = inside & (k != 3)
                    C[rest] = ((k - 1) * v / candidates[0] - 2)[rest] / (k[rest] - 3)
                    C[one[0]] = left - C[rest].sum()
                else:
                    C[inside] = left
            else:
                inverse = (left + (2 / (k[inside] - 3)).sum()) / (
                    (k[inside] - 1) * v[inside] / (k[inside] - 3)
                ).sum()
                C[inside] = ((k - 1) * v * inverse - 2)[inside] / (k[inside] - 3)
            if not ((C[inside] > 0) & (C[inside] < 1)).all():
                continue
        if C.sum() > n_dims + 1e-9:
            continue
        loss = (2 * (k - 1) * v**2 * (1 - C) / ((k - 3) * C + 2))[(k > 1)].sum()
        if loss < best_loss:
            best, best_loss = C, loss
    return best, best_loss


def rows(rng):
    n = int(rng.integers(2, 7))
    v = rng.choice([rng.uniform(0.3, 3, n), 10.0 ** rng.uniform(-1, 1, n)])
    k = np.where(rng.random(n) < 0.5, rng.uniform(1.05, 3, n), 3 + 10.0 ** rng.uniform(-2, 2, n))
    if rng.random() < 0.2:
        k[rng.integers(n)] = 3.0
    return v, int(rng.integers(1, n)), k


SEEDS = [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 6))]


@pytest.mark.parametrize("seed", SEEDS)
def test_against_enumeration(seed):
    rng = np.random.default_rng(seed)
    for _ in range(60):
        v, n_dims, k = rows(rng)
        C, loss = by_enumeration(v, n_dims, k)
        best = fc.solve_allocation(v, n_dims, k)
        case = f"{v!r}, {n_dims}, {k!r}"
        assert float(best.loss) == pytest.approx(loss, rel=ROUNDING, abs=1e-13), case
        if best.unique:
            np.testing.assert_allclose(best.capacity, C, atol=1e-9, err_msg=case)
        assert fc.kkt_residuals(best).max() < 1e-11, case


def dense_ones_that_share(rng):
    """Rows in which a feature below 3 shares: found at random, about one in five."""
    while True:
        n_dense, n_sparse = int(rng.integers(1, 4)), int(rng.integers(2, 5))
        n = n_dense + n_sparse
        k = np.r_[rng.uniform(2, 2.99, n_dense), rng.uniform(5, 60, n_sparse)]
        v = np.r_[rng.uniform(1, 4, n_dense), rng.uniform(0.6, 1.4, n_sparse)]
        n_dims = int(rng.integers(1, n))
        best = fc.solve_allocation(v, n_dims, k)
        if (best.phase[:n_dense] == fc.theory.allocation.POLYSEMANTIC).any():
            return v, n_dims, k, best


@pytest.mark.parametrize("seed", range(5))
def test_dense_features_that_share(seed):
    """At most one of them, outweighing the others; the same by enumeration."""
    rng = np.random.default_rng(seed)
    for _ in range(8):
        v, n_dims, k, best = dense_ones_that_share(rng)
        shared = np.asarray(best.phase) == 1
        assert (shared & (k < 3)).sum() == 1
        assert ((k - 1) / (k - 3) * v)[shared].sum() <= 0
        C, loss = by_enumeration(v, n_dims, k)
        assert float(best.loss) == pytest.approx(loss, rel=ROUNDING)
        np.testing.assert_allclose(best.capacity, C, atol=1e-10)


def loss_of_matrix(flat, v, k):
    """Equation (12) with a kurtosis for each feature, and its gradient, written out again."""
    W = flat.reshape(-1, len(v))
    A = W.T @ W
    off = A - np.diag(np.diag(A))
    m = np.diag(A) - v
    return ((k - 1) * m**2).sum() + 2 * (off**2).sum(), (
        4 * W @ (np.diag((k - 1) * m) + 2 * off)
    ).ravel()


@pytest.mark.parametrize("seed", range(6))
def test_direct_minimization_over_matrices_ends_there(seed):
    rng = np.random.default_rng(seed)
    v, n_dims, k, best = dense_ones_that_share(rng)
    runs = [
        optimize.minimize(
            loss_of_matrix,
            rng.standard_normal(n_dims * len(v)),
            args=(v, k),
            jac=True,
            method="L-BFGS-B",
            options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 5000, "maxfun": 20000},
        )
        for _ in range(30)
    ]
    found = min(runs, key=lambda run: run.fun)
    assert found.fun == pytest.approx(float(best.loss), rel=OPTIMIZER_LOSS)
    C = fc.capacities(found.x.reshape(n_dims, -1))
    np.testing.assert_allclose(C, best.capacity, atol=1e2 * OPTIMIZER)


def close_to_three(rng, n):
    """Rows of more features, half of them just below 3, so that one of them can outweigh many."""
    k = np.where(rng.random(n) < 0.5, 3 - 10.0 ** rng.uniform(-5, 0, n), rng.uniform(5, 60, n))
    return rng.uniform(0.8, 1.6, n), int(rng.integers(1, n)), k


def test_multipliers_that_the_dual_bound_leaves_out_are_none_of_the_best(monkeypatch):
    rng = np.random.default_rng(0)
    problems = [close_to_three(rng, int(rng.integers(4, 80))) for _ in range(150)]
    few, searched = [], []
    within = unequal_kurtosis.pieces_within

    def watched(pieces, *rest):
        few.append(within(pieces, *rest))
        searched.append(len(pieces.fixed))
        return few[-1]

    monkeypatch.setattr(unequal_kurtosis, "pieces_within", watched)
    quick = [phases_of_row(v, k, n_dims) for v, n_dims, k in problems]
    assert sum(some.stop - some.start for some in few) < sum(searched) / 4
    monkeypatch.setattr(
        unequal_kurtosis, "pieces_within", lambda pieces, *_: slice(0, len(pieces.fixed))
    )
    odd = 0
    for (v, n_dims, k), found in zip(problems, quick, strict=True):
        every = phases_of_row(v, k, n_dims)
        for name in ("whole", "shared", "tied", "unique"):
            np.testing.assert_array_equal(getattr(found, name), getattr(every, name))
        odd += (every.shared & (k < 3)).any()
    assert odd >= 10


def test_a_heavy_feature_shares_beside_a_thousand():
    """Its share against a search along the trade, in a row far too long to go through."""
    n, n_dims, k = 1000, 500, np.r_[2.9995, np.full(1000, 30.0)]
    crowd = 29 / 27 / (n_dims / n + 2 / 27)  # the multiplier without it
    shares = []
    for first in crowd * (1 + np.linspace(0, 2e-3, 6)):
        v = np.r_[first, np.ones(n)]
        best = fc.solve_allocation(v, n_dims, k)

        def loss(share, v=v):
            rest = np.full(n, (n_dims - share) / n)
            return float(fc.loss_at_best_lengths(np.r_[share, rest], v, k).sum())

        found = optimize.minimize_scalar(
            loss, bounds=(0, 1), method="bounded", options={"xatol": 1e-9}
        )
        assert float(best.loss) <= min(found.fun, loss(0), loss(1)) * (1 + 1e-13)
        assert fc.kkt_residuals(best).max() < 1e-9
        shares.append(float(best.capacity[0]))
        if best.phase[0] == 1:
            assert shares[-1] == pytest.approx(found.x, abs=1e-3)
    assert sum(0 < share < 1 for share in shares) >= 2, shares


@pytest.mark.parametrize("n", [3_000, pytest.param(300_000, marks=pytest.mark.slow)])
def test_long_rows_meet_the_dual_bound(n):
    """No allocation loses less than the dual at any price; the best misses it by a price at most.

    The dual is written out again, feature by feature.
    """
    rng = np.random.default_rng(n)
    v = np.arange(1, n + 1) ** -0.8
    k = np.where(rng.random(n) < 0.5, rng.uniform(1.5, 3, n), rng.uniform(3.1, 300, n))
    best = fc.solve_allocation(v, n // 10, k)
    assert fc.kkt_residuals(best).max() < 1e-9
    assert best.capacity.sum() == pytest.approx(n // 10, rel=1e-12)
    price = 2 * float(best.multiplier) ** 2
    share = np.clip(1 - (k - 1) / (k - 3) * (1 - v / best.multiplier), 0, 1)
    share = np.where(k > 3, share, (k - 1) * v**2 > price)
    dual = fc.loss_at_best_lengths(share, v, k).sum() + price * (share.sum() - n // 10)
    assert -1e-12 < (float(best.loss) - dual) / price < 1


def test_the_optimum_is_a_matrix():
    v, k = [2.6, 1, 1, 1, 1], [2.5, 30, 30, 30, 30]
    best = fc.solve_allocation(v, 2, k)
    W = fc.optimal_embedding(best)
    np.testing.assert_allclose(fc.capacities(W), best.capacity, atol=ROUNDING)
    assert fc.expected_loss(W, v, k) == pytest.approx(float(best.loss), rel=ROUNDING)


kurtoses = st.lists(
    st.one_of(st.sampled_from([1.0, 2.0, 3.0, 9.0]), st.floats(1, 3), st.floats(3, 100)),
    min_size=6,
    max_size=6,
)
importances = st.lists(
    st.one_of(st.sampled_from([0.0, 1.0, 2.0]), st.floats(1e-3, 1e3)), min_size=6, max_size=6
)


@given(importances, kurtoses, st.integers(1, 6), st.integers(-200, 200), st.permutations(range(6)))
def test_properties(v, k, n_dims, power, order):
    v, k, order = np.array(v), np.array(k), np.array(order)
    best = fc.solve_allocation(v, n_dims, k)
    C = best.capacity
    assert ((C >= 0) & (C <= 1)).all()
    assert C.sum() == pytest.approx(min(n_dims, ((v > 0) & (k > 1)).sum()), abs=1e-9) or (
        np.ptp(k) == 0
    )
    assert float(best.loss) == pytest.approx(
        float(fc.loss_at_best_lengths(C, v, k).sum()), rel=1e-9, abs=1e-9 * (k * v * v).max()
    )
    scaled = fc.solve_allocation(v * 2.0**power, n_dims, k)
    np.testing.assert_array_equal(scaled.capacity, C)
    shuffled = fc.solve_allocation(v[order], n_dims, k[order])
    slack = 1e-10 * (k * v * v).max()
    assert float(shuffled.loss) == pytest.approx(float(best.loss), rel=1e-10, abs=slack)
    # No random allocation of the same budget is better.
    rng = np.random.default_rng(0)
    corners = np.array([rng.permutation(np.arange(6) < n_dims) for _ in range(12)], float)
    others = np.clip(rng.dirichlet(np.full(12, 0.2), 30) @ corners, 0, 1)
    loss = fc.loss_at_best_lengths(others, v, k).sum(-1)
    assert (loss >= float(best.loss) * (1 - 1e-10) - slack).all()


def test_a_batch_is_its_rows():
    rng = np.random.default_rng(3)
    v, k = rng.uniform(0.2, 3, (7, 5)), rng.uniform(1.5, 30, (7, 5))
    k[2] = 9.0
    k[4] = 2.0
    together = fc.solve_allocation(v, 2, k)
    for i in range(7):
        alone = fc.solve_allocation(v[i], 2, k[i])
        np.testing.assert_allclose(together.capacity[i], alone.capacity, atol=1e-14)
        assert float(together.multiplier[i]) == pytest.approx(float(alone.multiplier), rel=1e-14)
        assert together.unique[i] == alone.unique
    one_row = fc.solve_allocation(v, 2, k[0])
    assert one_row.capacity.shape == (7, 5)
    assert one_row.kurtosis.shape == (7, 5)
    assert fc.kkt_residuals(together).max() < 1e-12


def test_continuous_with_equal_kurtosis():
    v = np.array([2.0, 1.5, 1.0, 0.9, 0.8])
    equal = fc.solve_allocation(v, 3, 9.0)
    nearly = fc.solve_allocation(v, 3, 9.0 + 1e-10 * np.arange(5))
    np.testing.assert_allclose(nearly.capacity, equal.capacity, atol=1e-9)
    assert float(nearly.multiplier) == pytest.approx(float(equal.multiplier), rel=1e-9)


@pytest.mark.parametrize("excess", [1e-3, 1e-6, 1e-9])
def test_close_to_three(excess):
    """Weights (k - 1) / (k - 3) of any size; importances so close that the features share."""
    k = 3 + excess * np.array([1.0, 2.0, 4.0, 3.0])
    v = 1 + excess * np.array([0.1, 0.0, 0.05, 0.2])
    best = fc.solve_allocation(v, 2, k)
    assert (np.asarray(best.phase) == 1).sum() >= 2
    assert best.capacity.sum() == pytest.approx(2, abs=1e-12)
    if excess > 1e-8:  # below, enumeration in float64 cancels
        C, _ = by_enumeration(v, 2, k)
        np.testing.assert_allclose(best.capacity, C, atol=1e-8)
    assert fc.kkt_residuals(best).max() < 1e-13


def test_ties_are_told():
    best = fc.solve_allocation([1, 1, 0.1], 1, [2.0, 2.0, 5.0])
    assert not best.unique
    assert best.tied.tolist() == [True, True, False]
    assert float(best.tied_budget) == 1
    other = fc.solve_allocation([1, 1.2, 0.1], 1, [2.0, 2.0, 5.0])
    assert other.unique
    assert not other.tied.any()


def test_through_torch():
    v = torch.tensor([2.6, 1, 1.1, 0.9, 1], dtype=torch.float64, requires_grad=True)
    k = torch.tensor([2.5, 30, 25, 30, 35], dtype=torch.float64, requires_grad=True)
    best = fc.solve_allocation(v, 2, k)
    assert best.capacity.dtype == torch.float64
    gradient = torch.autograd.grad(best.loss, (v, k))
    step = 1e-5
    for x, g in zip((v, k), gradient, strict=True):
        for i in range(5):
            moved = [y.detach().numpy().copy() for y in (v, k)]
            losses = []
            for sign in (1, -1):
                at = [y.copy() for y in moved]
                at[0 if x is v else 1][i] += sign * step
                losses.append(float(fc.solve_allocation(at[0], 2, at[1]).loss))
            assert float(g[i]) == pytest.approx(np.subtract(*losses) / 2 / step, rel=DIFFERENCES)
    small = fc.solve_allocation(v.detach().float(), 2, k.detach().float())
    np.testing.assert_allclose(small.capacity, best.capacity.detach(), atol=ROUNDING_32)


def test_ten_thousand_features():
    """A search over all that might be the odd one out, checked by moves of two features."""
    rng = np.random.default_rng(0)
    n = 10_000
    k = np.where(rng.random(n) < 0.1, rng.uniform(1.5, 3, n), rng.uniform(3, 40, n))
    v = rng.pareto(1.5, n) + 0.01
    best = fc.solve_allocation(v, 500, k)
    assert fc.kkt_residuals(best).max() < 1e-9
    assert best.capacity.sum() == pytest.approx(500, abs=1e-7)
    assert ((best.phase == 1) & (k <= 3)).sum() <= 1


def test_worthless_features_get_nothing():
    phases = phases_of_row(np.array([0.0, 1, 2]), np.array([9.0, 1.0, 2.0]), 2)
    assert phases.whole.tolist() == [False, False, True]
    assert not phases.shared.any()
    best = fc.solve_allocation([0.0, 1, 2], 2, [9.0, 1.0, 2.0])
    assert float(best.multiplier) == 0
    assert float(best.loss) == 0


def test_importances_of_any_size():
    """A hundred orders of magnitude in one row: what is settled is taken out first."""
    rng = np.random.default_rng(2)
    for _ in range(150):
        n = int(rng.integers(2, 9))
        v, k = 10.0 ** rng.uniform(-150, 150, n), 3 + 10.0 ** rng.uniform(-6, 6, n)
        k = np.where(rng.random(n) < 0.5, rng.uniform(1.01, 3, n), k)
        best = fc.solve_allocation(v, int(rng.integers(1, n + 1)), k)
        assert fc.kkt_residuals(best).max() < 1e-9, f"{v!r}, {best.n_dims}, {k!r}"
    with pytest.raises(ValueError, match=r"at most 1e\+09; got 10000000000"):
        fc.solve_allocation([1, 1], 1, [9.0, 1e10])
