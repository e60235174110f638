"""The lower bound of the autoencoder's loss, against losses and against its own parts."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr

from feature_capacity.models.inputs import UnitSparseUniform
from feature_capacity.models.losses import quadrature_loss
from feature_capacity.models.quadrature import sparse_quadrature
from feature_capacity.models.toy_models import ToyModel
from feature_capacity.solvers.minimization import minimize
from feature_capacity.zoo.rank_bound import activations, one_layer_bound
from feature_capacity.zoo.rank_bound import bound as module
from feature_capacity.zoo.rank_bound.activations import ACTIVATIONS, LATTICE
from feature_capacity.zoo.rank_bound.averages import Table, c_grid
from feature_capacity.zoo.rank_bound.case import Case, rank_weights
from feature_capacity.zoo.rank_bound.grid import Grid
from feature_capacity.zoo.rank_bound.loops import least_sums
from feature_capacity.zoo.rank_bound.outside import Outside, box_loss, rectangle
from feature_capacity.zoo.rank_bound.pairs import edge, minimum
from feature_capacity.zoo.rank_bound.rows import Rows

NAMES = ("relu", "gelu", "quadratic")
CASES = [
    ("relu", 2, 1, 0.1, (1.0, 1.0)),
    ("relu", 3, 1, 0.3, (1.0, 0.5, 0.2)),
    ("relu", 4, 2, 0.05, (1.0, 0.9, 0.5, 0.5)),
    ("gelu", 2, 1, 0.1, (1.0, 0.8)),
    ("gelu", 3, 2, 0.4, (1.0, 1.0, 1.0)),
    ("quadratic", 2, 1, 0.1, (1.0, 1.0)),
    ("quadratic", 3, 2, 0.3, (2.0, 1.0, 0.7)),
    ("gelu", 2, 2, 0.1, (1.0, 1.0)),
]
NODES, WEIGHTS = np.polynomial.legendre.leggauss(60)
NODES, WEIGHTS = (NODES + 1) / 2, WEIGHTS / 2
Z = np.arange(-12, 12, 1e-3)
DENSITY = np.exp(-Z * Z / 2) / np.sqrt(2 * np.pi)
SLOPE, BEND = ndtr(Z) + Z * DENSITY, DENSITY * (2 - Z * Z)  # of GELU


def losses(name, W, bias, v, p):
    n = W.shape[-1]
    nodes = sparse_quadrature(UnitSparseUniform(p), n, 16384, seed=1)
    model = ToyModel("autoencoder", name, n, W.shape[-2])
    return quadrature_loss(model, W, bias, np.tile(v, (len(W), 1)), nodes)


def minimized(name, n, n_dims, p, v):
    model, feature = ToyModel("autoencoder", name, n, n_dims), UnitSparseUniform(p)
    nodes = sparse_quadrature(feature, n, 4096, seed=0)
    found = minimize(
        model, feature, np.array([v]), n_starts=12, seed=0, quadrature=nodes,
        max_iterations=150, tolerance=1e-6, dtype="float64", device="cpu",
    )  # fmt: skip
    return found.W[:1], np.asarray(found.bias)[:1]


@cache
def solved(case):
    """The lowest loss that was found, and the bound, not cut off there."""
    name, n, n_dims, p, v = case
    W, bias = minimized(name, n, n_dims, p, np.array(v))
    found = float(losses(name, W, bias, np.array(v), p)[0])
    size = Case(np.array(v), p, n_dims, ACTIVATIONS[name], max(found, 1e-6))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_FACTORS", (1.25, 1.05) if n == 2 else (1.25,))  # fewer stages
        return found, module.bound(size)


def some_case(name, n=4):
    return Case(np.linspace(1.0, 0.5, n), 0.1, n // 2, ACTIVATIONS[name], 0.01)


def midpoint_loss(case, g, beta):
    """A row's loss by many nodes, with no correction."""
    g, beta = np.broadcast_arrays(np.asarray(g, float), beta)
    total, n = np.zeros(beta.shape), 400
    for x in (np.arange(n) + 0.5) / n:
        total += (case.act.value(g * x + beta) - x) ** 2 / n
    return (1 - case.p) * case.act.value(beta) ** 2 + case.p * total


def three_node_grid(*lengths):
    return Grid(np.array(lengths), 0.05 * np.arange(-2, 3, 2))


# What is proved by hand.


def test_the_slope_of_gelu_stays_between_its_bounds():
    low, high = activations.GELU_SLOPES
    assert low + 1e-3 < SLOPE.min()
    assert SLOPE.max() < high - 5e-4


def test_the_bend_of_gelus_squared_error_is_below_its_bound():
    """Linear in x, so that the ends tell; also the pieces of the proof."""
    at_zero, at_one = activations.gelu_bend(Z), activations.gelu_bend(Z) - 2 * BEND
    assert max(at_zero.max(), at_one.max()) < activations.GELU_KAPPA - 0.1
    assert (-2 * BEND).max() < 0.216
    for start, end, limit in ((0, 1, 2.906), (1, 1.15, 2.896), (1.15, np.sqrt(2), 2.846)):
        some = (start <= Z) & (end >= Z)
        most = 2 * SLOPE[some].max() ** 2 + 2 * ndtr(end) * (Z * BEND)[some].max()
        assert at_zero[some].max() <= most < limit


def test_the_bend_of_gelus_square_is_less_steep_than_its_bound():
    steepest = np.abs(np.diff(activations.gelu_bend(Z))).max() / 1e-3
    assert steepest < activations.GELU_BEND_SLOPE - 1
    second = 2 * Z**2 * np.abs(Z**2 - 4) * DENSITY
    assert second.max() < 1.48
    assert 6 * 1.13 * np.abs(BEND).max() + 1.48 < 6.9


def test_gelu_is_close_to_relu_in_the_mean_square():
    between = quad(lambda z: (z * ndtr(z) - max(z, 0)) ** 2, -12, 12, points=[0])[0]
    exact = 4 / 3 * (1 / np.sqrt(2 * np.pi) - 5 / (8 * np.sqrt(np.pi)))
    assert between == pytest.approx(exact, rel=1e-9)
    assert exact < activations.GELU_LESS_RELU - 0.02


@pytest.mark.parametrize("name", ["relu", "gelu"])  # squares have corrections of their own
def test_the_product_of_error_and_slope_is_below_its_bound(name):
    rise, rest = ACTIVATIONS[name].slope
    slope = SLOPE if name == "gelu" else (Z > 0).astype(float)
    for x in np.linspace(0, 1, 21):
        product = (ACTIVATIONS[name].value(Z) - x) * slope
        assert (product <= rise * np.maximum(Z - x, 0) + rest).all()


@pytest.mark.parametrize(("name", "spare"), [("relu", 1e-4), ("gelu", 0.03), ("quadratic", 1.0)])
def test_far_biases_lose_what_was_found_by_hand(name, spare):
    """Along the valleys of units that are silent up to t, and off them."""
    b = -np.geomspace(64, 1e4, 60)[:, None]
    t = np.r_[np.linspace(0.02, 0.999, 300), np.geomspace(1.001, 50, 40)]
    g = -b / t
    x = (np.arange(4000) + 0.5) / 4000
    least = np.inf
    for row, slopes in zip(b, g, strict=True):
        for some in (slopes, slopes * 1.02):
            answer = ACTIVATIONS[name].value(some[:, None] * x + row)
            least = min(least, ((answer - x) ** 2).mean(1).min())
    assert least > ACTIVATIONS[name].far + spare


def test_the_far_loss_of_relu_is_that_of_the_best_slope():
    """Up to t = 0.9 the slope is too steep by far, and from there on the best one is above."""
    t = np.linspace(1e-3, 1, 2000)
    best = t**3 / 3 + t**2 * (1 - t) / 4
    assert (np.diff(best) > 0).all()
    assert best[t >= 0.9].min() > ACTIVATIONS["relu"].far
    t = t[t <= 0.9]
    m, left = 64 / t - 1, 1 - t
    assert (m > 3 * t / (2 * left)).all()
    assert (m**2 * left**3 / 3 - m * t * left**2 + t**2 * left).min() > 1


@pytest.mark.parametrize("name", NAMES)
def test_second_derivatives_are_below_their_bounds(name):
    """Kinks downward are allowed, so that only an excess counts."""
    case, h = some_case(name), 0.01
    beta = np.arange(-4, 4, LATTICE)
    for g in (0.0, 0.3, 1.0, 2.5):
        bend = case.act.curvature(g, beta, 0.02, case.p)
        around = [midpoint_loss(case, g, beta + shift) for shift in (-h, 0, h)]
        assert ((around[0] - 2 * around[1] + around[2]) / h**2 <= bend + 1e-6).all()
    z = np.arange(-8, 8, 1e-3)[:, None]
    error = (case.act.value(z) - np.linspace(0, 1, 11)) ** 2
    kappa = (error[2:] - 2 * error[1:-1] + error[:-2]) / 1e-6
    limit = 12 * z[1:-1] ** 2 + 0.1 if name == "quadratic" else case.act.kappa
    assert (kappa <= limit + 1e-5).all()


# Parts of the bound.


@pytest.mark.parametrize("name", NAMES)
def test_boxes_are_below_their_points(name):
    rng, case = np.random.default_rng(1), some_case(name)
    corner = np.c_[rng.exponential(2, 300), rng.normal(size=300) * 3]
    size = rng.exponential(0.3, (300, 2))
    ends = corner + size
    below = box_loss(case, np.c_[corner[:, 0], ends[:, 0], corner[:, 1], ends[:, 1]])
    for _ in range(20):
        g, b = (corner + size * rng.uniform(size=(300, 2))).T
        assert (below <= midpoint_loss(case, g, b) + 1e-12).all()


@pytest.mark.parametrize("name", NAMES)
def test_nothing_outside_of_the_rectangle_is_below_its_bound(name):
    rng, case = np.random.default_rng(2), some_case(name)
    (a0, a1, b0, b1), outside = rectangle(case, *rank_weights(case.v, case.n_dims))
    a, b = rng.uniform(0, 9, 20000), rng.normal(size=20000) * 20
    loss = midpoint_loss(case, a**2, b)
    out = (b < b0) | (b > b1)
    assert loss[a < a0].min() >= outside.small
    assert loss[a > a1].min() >= outside.large
    assert loss[out & (a >= a0) & (a <= a1)].min() >= outside.bias
    steep = np.linspace(4, 80, 4000)  # along the valley of units that are silent up to t
    for t in np.linspace(0.05, 0.98, 40):
        loss = midpoint_loss(case, steep, -t * steep)
        long, low = steep > a1**2, -t * steep < b0
        assert loss[long].min() >= outside.large
        assert not (low & ~long).any() or loss[low & ~long].min() >= outside.bias


@pytest.mark.parametrize("name", NAMES)
def test_averages_over_others_are_below_the_exact_ones(name):
    case, rng = some_case(name), np.random.default_rng(3)
    c = c_grid(1.5)
    beta = LATTICE * np.arange(-4 * int(c[-1]), 4 * int(c[-1]))
    table = Table(case, 1.1, beta, c, 0.002)
    for at in rng.integers(len(beta) // 2 - 60, len(beta) // 2 + 60, 4):
        pair = table.costs(int(at), 0.05)
        for u, other in rng.uniform(-1.4, 1.4, (5, 2)):
            one = midpoint_loss(case, 1.1, beta[at] + u * NODES) @ WEIGHTS
            one += midpoint_loss(case, 1.1, beta[at] + other * NODES) @ WEIGHTS
            both = u * NODES[:, None] + other * NODES
            two = WEIGHTS @ midpoint_loss(case, 1.1, beta[at] + both) @ WEIGHTS
            exact = case.chance(1) * one + case.chance(2) * (case.n - 2) * two
            assert np.interp([u, other], c * LATTICE, pair).sum() <= exact + 1e-9


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_above_the_least_of_their_cells_corners(name):
    """All of it at once: three features, lengths and biases anywhere, any cosines."""
    case, rng = some_case(name, 3), np.random.default_rng(4)
    grid = Grid(np.array([0.7, 0.9, 1.0, 1.05, 1.3]), 0.05 * np.arange(-6, 7, 2))
    rows = Rows.of(case, grid, 0.001, Outside(9.0, 9.0, 9.0))
    place = {(k, m): e for e, (k, m) in enumerate(zip(rows.length, rows.bias, strict=True))}
    for _ in range(60):
        a, b, rho = rng.uniform(0.7, 1.3, 3), rng.uniform(-0.3, 0.3), rng.uniform(-1, 1, 2)
        u, g = a[0] * a[1:] * rho, a[0] ** 2
        exact = case.chance(0) * midpoint_loss(case, g, np.array(b))
        exact += case.chance(1) * sum(
            midpoint_loss(case, g, b + part * NODES) @ WEIGHTS for part in u
        )
        both = b + u[0] * NODES[:, None] + u[1] * NODES
        exact += case.chance(2) * (WEIGHTS @ midpoint_loss(case, g, both) @ WEIGHTS)
        k = np.searchsorted(grid.lengths, a) - 1
        m = np.searchsorted(grid.biases, b) - 1
        corners = []
        for step in np.ndindex(2, 2, 2, 2):
            e = place[k[0] + step[0], m + step[3]]
            low = rows.own[e] - rows.length_loss[e]
            for j in (1, 2):
                c = grid.lengths[k[0] + step[0]] * grid.lengths[k[j] + step[j]] * rho[j - 1]
                low += np.interp(c, rows.c, rows.pair[e]) - rows.partner_loss[e, k[j] + step[j]]
            corners.append(low)
        assert min(corners) <= exact + 1e-9


def test_the_least_sums_are_those_of_all_sums():
    rng = np.random.default_rng(5)
    mine, other = rng.normal(size=(7, 40)), rng.normal(size=(40, 300))
    c, most = np.linspace(-1, 1, 40), rng.uniform(0, 1, 300)
    first, last = rng.integers(0, 20, 7), rng.integers(20, 41, 7)
    least = np.full((7, 300), 0.5)
    least_sums(mine, first, last, other, c, most, 0.3, least)
    given = np.where(np.abs(c)[:, None] < most, other - 0.3 * (c[:, None] / most) ** 2, np.inf)
    for i in range(7):
        some = slice(first[i], last[i])
        sums = mine[i, some, None] + given[some]
        np.testing.assert_allclose(least[i], np.minimum(sums.min(0), 0.5), atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_an_edge_is_the_least_over_cosines(name):
    case, reward = some_case(name, 3), 0.004
    rows = Rows.of(case, three_node_grid(0.8, 1.0, 1.2), 0.001, Outside(0.02, 0.02, 0.02))
    table = edge(rows, (1.0, 0.7), reward)
    rho = np.linspace(-1, 1, 4001)
    for i, j in np.random.default_rng(6).integers(len(rows.own), size=(30, 2)):
        most = rows.grid.lengths[rows.length[i]] * rows.grid.lengths[rows.length[j]]
        cost = np.interp(most * rho, rows.c, rows.pair[i])
        cost += 0.7 * np.interp(most * rho, rows.c, rows.pair[j]) - reward * rho**2
        lost = rows.partner_loss[i, rows.length[j]] + 0.7 * rows.partner_loss[j, rows.length[i]]
        found = cost.min() - lost
        assert found - 1e-5 < table[i, j] <= found + 1e-12


@pytest.mark.parametrize("v", [(1.0, 0.02), (0.02, 1.0)])
@pytest.mark.parametrize("p", [0.1, 0.6])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_edge_of_short_columns_is_the_least_over_cosines(name, p, v):
    case = Case(np.array([1.0, 0.02]), p, 1, ACTIVATIONS[name], 0.006 * p * p)
    grid = Grid(np.array([0.0, 0.1, 0.2, 0.35, 0.6, 1.0, 1.4]), 0.06 * np.arange(-5, 6))
    rho = np.linspace(-1, 1, 401)
    for multiplier in (0.0, 0.3 * p * p):
        rows = Rows.of(case, grid, multiplier, Outside(9.0, 9.0, 9.0))
        assert rows.c[rows.zero] == 0
        reward = 2 * multiplier * np.sqrt(0.02)
        table = edge(rows, v, reward)
        for i in range(0, len(rows.own), 4):
            for j in range(0, len(rows.own), 3):
                most = grid.lengths[rows.length[i]] * grid.lengths[rows.length[j]]
                cost = v[0] * np.interp(most * rho, rows.c, rows.pair[i])
                cost += v[1] * np.interp(most * rho, rows.c, rows.pair[j]) - reward * rho**2
                lost = v[0] * rows.partner_loss[i, rows.length[j]]
                lost += v[1] * rows.partner_loss[j, rows.length[i]]
                assert table[i, j] <= cost.min() - lost + 1e-12


@pytest.mark.parametrize("reward", [0.0, 0.01, 1.0])
def test_message_passing_is_below_the_least_sum(reward):
    case = some_case("relu", 3)
    s, _ = rank_weights(case.v, case.n_dims)
    rows = Rows.of(case, three_node_grid(0.8, 1.0, 1.2), reward, Outside(0.02, 0.02, 0.02))
    value, _ = minimum(case, rows, s, reward)
    v, count = case.v, len(rows.own)
    single = [vi * (rows.own - rows.length_loss) for vi in v]
    tables = {
        (i, j): edge(rows, (v[i], v[j]), 2 * reward * s[i] * s[j])[:count, :count]
        for i, j in ((0, 1), (0, 2), (1, 2))
    }
    total = single[0][:, None, None] + single[1][:, None] + single[2]
    total = total + tables[0, 1][:, :, None] + tables[0, 2][:, None, :] + tables[1, 2]
    assert value <= total.min() + 1e-12


# The bound.


@pytest.mark.parametrize("case", CASES)
def test_the_bound_is_below_the_minimized_network(case):
    found, bound = solved(case)
    assert bound <= found * (1 + 1e-3) + 1e-7  # the quadrature's error


@pytest.mark.parametrize("case", CASES)
def test_the_bound_is_below_random_and_antipodal_networks(case):
    name, n, n_dims, p, v = case
    rng = np.random.default_rng(0)
    W = rng.normal(size=(60, n_dims, n)) * rng.uniform(0, 3, (60, 1, 1))
    bias = rng.normal(size=(60, n)) * rng.uniform(0, 2, (60, 1))
    pairs = np.zeros((12, n_dims, n))
    for k, row in enumerate(pairs):
        for i in range(min(n, 2 * n_dims)):
            row[i // 2, i] = (1 - 2 * (i % 2)) * (0.7 + 0.05 * k)
    W, bias = np.concatenate([W, pairs]), np.concatenate([bias, np.full((12, n), 0.03)])
    assert solved(case)[1] <= losses(name, W, bias, np.array(v), p).min()


def test_the_bound_is_close_for_a_pair():
    found, bound = solved(CASES[0])
    assert bound > 0.9 * found


def test_with_a_dimension_for_each_nothing_need_be_lost():
    assert one_layer_bound(np.ones(3), 0.1, 3, "relu", 1e-6) == 0.0


def test_the_bound_is_cut_off_at_what_was_found():
    assert one_layer_bound(np.ones(2), 0.1, 1, "relu", 0.0029) == 0.0029


def test_the_bound_scales_with_the_importance(monkeypatch):
    monkeypatch.setattr(module, "_FACTORS", (1.25,))
    found = solved(CASES[0])[0]
    one = one_layer_bound(np.ones(2), 0.1, 1, "relu", found)
    ten = one_layer_bound(np.full(2, 10.0), 0.1, 1, "relu", 10 * found)
    assert ten == pytest.approx(10 * one, rel=1e-4)


def test_three_features_in_two_dimensions_lose_no_more_than_a_pair_in_one(monkeypatch):
    """One pair shares a dimension, and the third feature has the other."""
    monkeypatch.setattr(module, "_FACTORS", (1.25,))
    found = solved(CASES[0])[0]
    assert module.bound(Case(np.ones(3), 0.1, 2, ACTIVATIONS["relu"], found)) <= found
