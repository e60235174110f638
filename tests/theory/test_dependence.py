"""Pairs that depend alike: the theorems against direct minimization, and where they come from."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

import feature_capacity as fc

from ..tolerances import DIFFERENCES, NEWTON, OPTIMIZER_LOSS, ROUNDING


def alike(k, h, n):
    fourth = np.full((n, n), float(h))
    np.fill_diagonal(fourth, k)
    return fc.Moments(np.ones(n), fourth)


def cases(seed, number):
    """Valid moments on both sides of the threshold and of independence."""
    rng = np.random.default_rng(seed)
    while number:
        n, h = int(rng.integers(3, 6)), rng.choice([rng.uniform(0.2, 1), rng.uniform(1, 4)])
        k = h * rng.choice([rng.uniform(1.1, 2.95), rng.uniform(3.05, 10)])
        if k + (n - 1) * h >= n:
            number -= 1
            yield rng.uniform(0.3, 2, n), int(rng.integers(1, n)), k, h


@pytest.mark.parametrize("seed", range(4))
def test_direct_minimization_ends_there(seed):
    for v, n_dims, k, h in cases(seed, 10):
        best = fc.allocate_dependent(v, n_dims, k, h)
        found = fc.minimize_moments(v, alike(k, h, len(v)), n_dims, n_starts=12)
        assert float(found.loss) == pytest.approx(float(best.loss), rel=OPTIMIZER_LOSS, abs=1e-12)
        np.testing.assert_allclose(found.capacity, best.capacity, atol=1e2 * NEWTON)
        np.testing.assert_allclose((found.W**2).sum(-2), best.sq_norm, atol=1e2 * NEWTON)


def test_the_diagram_around_the_threshold():
    """Six equal features in three: shared above k = 3h, whole below, by both routes."""
    h = np.array([0.8, 1.0, 2.0, 4.0])
    for ratio, shared in ((2.9, False), (3.1, True)):
        best = fc.allocate_dependent(np.ones(6), 3, (ratio * h)[:, None], h[:, None])
        fourth = np.stack([alike(ratio * x, x, 6).fourth for x in h])
        found = fc.minimize_moments(
            np.ones((4, 6)), fc.Moments(np.ones((4, 6)), fourth), 3, n_starts=30
        )
        np.testing.assert_allclose(found.loss, best.loss, rtol=OPTIMIZER_LOSS)
        assert ((best.phase == 1).all(-1) == shared).all()
        np.testing.assert_allclose(np.sort(found.capacity), np.sort(best.capacity), atol=1e-4)
    np.testing.assert_array_equal(fc.sharing_threshold(h), 3 * h)


@given(
    st.lists(st.floats(0.01, 100), min_size=2, max_size=8),
    st.floats(1.01, 50),
    st.floats(0.1, 20),
    st.data(),
)
def test_properties(v, ratio, h, data):
    v, n = np.array(v), len(v)
    k = ratio * h
    assume(k + (n - 1) * h >= n)
    n_dims = data.draw(st.integers(1, n))
    best = fc.allocate_dependent(v, n_dims, k, h)
    # The loss that it states is that of its capacities and lengths, by the moments.
    off, C, lengths = best.sq_norm - v, best.capacity, best.sq_norm
    moments = alike(k, h, n)
    G = moments.fourth - 1
    crowd = h * (lengths**2 * (1 / np.where(C > 0, C, 1) - 1)).sum()
    size = k * n * v.sum() ** 2
    assert float(best.loss) == pytest.approx(off @ G @ off + 2 * crowd, abs=1e-11 * size)
    # And of a matrix.
    spent = C.sum()
    assert spent <= n_dims + 1e-9
    assert float(best.shift) * (h - 1) >= 0 or abs(float(best.shift)) < 1e-9 * v.max()
    # No other whole choice of features is better.
    whole = [
        min_whole_loss(v, k, h, chosen)
        for chosen in itertools.combinations(range(n), n_dims)
        if n <= 6
    ]
    assert float(best.loss) <= min(whole, default=np.inf) + 1e-10 * size


def min_whole_loss(v, k, h, chosen):
    """Best lengths of orthogonal features, by the stationary point of a quadratic form."""
    n, index = len(v), list(chosen)
    G = np.full((n, n), h - 1.0)
    np.fill_diagonal(G, k - 1)
    rest = [i for i in range(n) if i not in chosen]
    # m of the rest is -v; that of the chosen solves G_cc m = G_cr v_r, as far as lengths allow.
    m = np.zeros(n)
    m[rest] = -v[rest]
    m[index] = np.linalg.lstsq(
        G[np.ix_(index, index)], G[np.ix_(index, rest)] @ v[rest], rcond=None
    )[0]
    m = np.maximum(m, -v)
    return m @ G @ m


def test_independence_is_the_papers_allocation():
    v = np.array([[5.0, 1.0, 0.8, 0.7], [1.0, 1.0, 1.0, 1.0]])
    best, paper = fc.allocate_dependent(v, 2, 9.0, 1.0), fc.solve_allocation(v, 2, 9.0)
    np.testing.assert_allclose(best.capacity, paper.capacity, atol=ROUNDING)
    np.testing.assert_allclose(best.loss, paper.loss, rtol=ROUNDING)
    np.testing.assert_array_equal(best.shift, 0)


def test_through_torch():
    v = torch.tensor([2.0, 1.0, 0.9, 0.8], dtype=torch.float64, requires_grad=True)
    best = fc.allocate_dependent(v, 2, 12.0, 1.5)
    (gradient,) = torch.autograd.grad(best.loss, v, retain_graph=True)
    (of_shift,) = torch.autograd.grad(best.shift, v)
    at = v.detach().numpy()
    for i in range(4):
        pair = [fc.allocate_dependent(at + s * 1e-5 * np.eye(4)[i], 2, 12.0, 1.5) for s in (1, -1)]
        assert float(gradient[i]) == pytest.approx(
            float(pair[0].loss - pair[1].loss) / 2e-5, rel=DIFFERENCES
        )
        assert float(of_shift[i]) == pytest.approx(
            float(pair[0].shift - pair[1].shift) / 2e-5, rel=DIFFERENCES
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 1], 1, 9.0, 0.0), "above 0 here"),
        (([1, 1], 1, 2.0, 2.0), "above coactivation"),
        (([1, 1, 1, 1], 1, 1.5, 0.5), "variance of"),
        (([1, 1], 3, 9.0, 1.0), "n_dims"),
        (([1, -1], 1, 9.0, 1.0), "at least 0"),
        (([1, 1], 1, [9.0, 8.0], 1.0), "same for all features"),
    ],
)
def test_what_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        fc.allocate_dependent(*arguments)


# Where k and h come from


def masks_of_groups(n_groups, size, q, p):
    """Every mask and its probability, by going through all of them."""
    for groups in itertools.product((0, 1), repeat=n_groups):
        for members in itertools.product((0, 1), repeat=n_groups * size):
            mask = np.array(members) * np.repeat(groups, size)
            weight = np.prod([q if g else 1 - q for g in groups])
            weight *= np.prod([p if m else 1 - p for m in members])
            yield mask, weight


def moments_by_enumeration(masks, kurtosis):
    together = sum(weight * np.outer(mask, mask) for mask, weight in masks)
    return fc.moments_of_masks(together, kurtosis)


def test_groups():
    ours = fc.grouped_inputs(2, 2, 0.3, 0.6, kurtosis=3.0)
    np.testing.assert_allclose(
        ours.fourth, moments_by_enumeration(masks_of_groups(2, 2, 0.3, 0.6), 3.0).fourth
    )
    np.testing.assert_allclose(ours.kurtosis / ours.fourth[0, 1], 3.0 / 0.6)


@pytest.mark.parametrize(("n", "m", "whole"), [(4, 1, 1.0), (5, 2, 0.7), (4, 4, 0.5)])
def test_a_fixed_number(n, m, whole):
    choices = list(itertools.combinations(range(n), m))
    masks = ((np.isin(np.arange(n), c), whole / len(choices)) for c in choices)
    ours = fc.fixed_number_inputs(n, m, whole, 2.0)
    np.testing.assert_allclose(ours.fourth, moments_by_enumeration(masks, 2.0).fourth)


@pytest.mark.parametrize("exclusive", [False, True])
def test_trees(exclusive):
    parents, q = [-1, 0, 0, 1, 1], [0.9, 0.5, 0.4, 0.3, 0.6]

    def masks():
        for mask in itertools.product((0, 1), repeat=5):
            weight = 1.0
            for parent in (-1, 0, 1, 2, 3, 4):
                on = parent < 0 or mask[parent]
                children = [i for i in range(5) if parents[i] == parent]
                active = [i for i in children if mask[i]]
                if not on:
                    weight *= not active
                elif exclusive and children:
                    left = 1 - sum(q[i] for i in children)
                    weight *= 0 if len(active) > 1 else (q[active[0]] if active else left)
                else:
                    weight *= np.prod([q[i] if mask[i] else 1 - q[i] for i in children])
            yield np.array(mask), weight

    ours = fc.tree_inputs(parents, q, exclusive, kurtosis=1.8)
    np.testing.assert_allclose(ours.fourth, moments_by_enumeration(masks(), 1.8).fourth)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fc.moments_of_masks([[0.5, 0.6], [0.6, 0.9]]), "none above"),
        (lambda: fc.moments_of_masks([[0.0]]), "positive probability"),
        (lambda: fc.tree_inputs([0], [0.5]), "earlier feature"),
        (lambda: fc.tree_inputs([-1, 0, 0], [1.0, 0.7, 0.7], True), "at most 1"),
        (lambda: fc.grouped_inputs(1, 2, 1.5), "group_probability"),
    ],
)
def test_generators_refuse(make, message):
    with pytest.raises(ValueError, match=message):
        make()
