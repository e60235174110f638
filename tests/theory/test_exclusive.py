"""Features that exclude each other: the least dimensions against closed forms and search."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import feature_capacity as fc


def cycle(n):
    ring = np.roll(np.eye(n), 1, axis=0)
    return (ring + ring.T > 0).astype(float)


def complement(H):
    return 1 - H - np.eye(len(H))


def theta_of_odd_cycle(n):
    """Lovász 1979: n cos(pi/n) / (1 + cos(pi/n))."""
    c = np.cos(np.pi / n)
    return n * c / (1 + c)


@pytest.mark.parametrize("n", [5, 7, 9])
def test_odd_cycles(n):
    excluding = fc.least_dims(complement(cycle(n)))  # neighbors exclude each other
    theta = theta_of_odd_cycle(n)
    assert excluding.theta[0] - 1e-9 <= theta <= excluding.theta[1] + 1e-9
    assert excluding.theta[1] - excluding.theta[0] < 0.01
    assert excluding.exact
    assert excluding.at_least == (n + 1) // 2
    together = fc.least_dims(cycle(n))  # neighbors occur together
    assert together.theta[0] - 1e-9 <= n / theta <= together.theta[1] + 1e-9
    assert (together.at_least, together.at_most) == (3, 3)


@pytest.mark.parametrize("n", [4, 6])
def test_even_cycles(n):
    assert (fc.least_dims(cycle(n)).at_least, fc.least_dims(cycle(n)).at_most) == (2, 2)
    found = fc.least_dims(complement(cycle(n)))
    assert (found.at_least, found.at_most) == (n // 2, n // 2)


def test_all_and_none():
    assert fc.least_dims(np.ones((5, 5))).at_least == 5
    none = fc.least_dims(np.zeros((5, 5)))
    assert (none.at_least, none.at_most) == (1, 1)
    assert fc.least_dims([[0.0]]).at_most == 1


def test_a_hierarchy_needs_its_levels():
    parents = [-1, 0, 0, 1, 1, 2, 2]
    moments = fc.tree_inputs(parents, [0.9, *[0.45] * 6], exclusive=True)
    found = fc.least_dims(moments.coactivation)
    assert (found.at_least, found.at_most) == (3, 3)
    v = np.arange(1.0, 8.0)
    W = fc.exclusive_embedding(moments.coactivation, v)
    assert W.shape == (3, 7)
    assert float(fc.loss_from_moments(W, v, moments)) == pytest.approx(0, abs=1e-12)
    assert fc.total_capacity(W) < 3 + 1e-12  # equation (3) calls them crowded
    np.testing.assert_allclose(fc.weighted_capacities(W, moments.coactivation), 1)
    # One dimension less, and no minimization from random starts gets rid of the loss.
    assert float(fc.minimize_moments(v, moments, 2, n_starts=20).loss) > 0.01


def test_fewer_dimensions_than_colors():
    """Thirteen directions in space of which no three colors serve (Yu and Oh 2012)."""
    axes = [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    planes = [(0, 1, 1), (0, 1, -1), (1, 0, 1), (1, 0, -1), (1, 1, 0), (1, -1, 0)]
    corners = [(1, 1, 1), (-1, 1, 1), (1, -1, 1), (1, 1, -1)]
    vectors = np.array(axes + planes + corners, float)
    H = (vectors @ vectors.T == 0).astype(float)
    found = fc.least_dims(H)
    assert (found.at_least, found.at_most) == (3, 4)
    assert not found.exact
    U = fc.orthogonal_representation(H, 3, n_starts=40)
    assert U is not None
    products = (U.T @ U)[H > 0]
    assert np.abs(products).max() < 1e-8
    np.testing.assert_allclose((U**2).sum(0), 1, atol=1e-8)


def colors_by_trying(H):
    n = len(H)
    for number in range(1, n + 1):
        for choice in itertools.product(range(number), repeat=n):
            if all(choice[i] != choice[j] for i, j in zip(*np.nonzero(H), strict=True)):
                return number
    return None


def clique_by_trying(H):
    n = len(H)
    return max(
        size
        for size in range(1, n + 1)
        for c in itertools.combinations(range(n), size)
        if all(H[i, j] for i, j in itertools.combinations(c, 2))
    )


@given(st.integers(0, 10**6), st.integers(2, 6))
def test_bounds_on_random_graphs(seed, n):
    rng = np.random.default_rng(seed)
    H = np.triu(rng.random((n, n)) < rng.random(), 1).astype(float)
    H = H + H.T
    found = fc.least_dims(H)
    assert found.at_most == colors_by_trying(H)
    assert len(found.clique) == clique_by_trying(H)
    assert len(found.clique) <= found.theta[1] + 1e-9
    assert found.theta[0] <= found.at_most + 1e-9
    assert found.theta[0] <= found.theta[1] + 1e-9
    same = found.direction[:, None] == found.direction
    assert not (same & (H > 0)).any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fc.least_dims([[0, 1], [0, 0]]), "symmetric"),
        (lambda: fc.least_dims([[0, 1]]), r"shape \(N, N\)"),
        (lambda: fc.least_dims([[0, -1], [-1, 0]]), "no negative entry"),
        (lambda: fc.exclusive_embedding(np.zeros((2, 2)), [1]), "one entry per feature"),
        (lambda: fc.orthogonal_representation(np.zeros((2, 2)), 3), "n_dims"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
