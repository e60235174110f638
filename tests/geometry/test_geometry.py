"""Building efficient embeddings, and finding the blocks of given ones."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import feature_capacity as fc
from feature_capacity.geometry.ensembles import random_capacities, random_efficient
from feature_capacity.geometry.polytopes import polytope_edges
from feature_capacity.geometry.rotations import random_rotation, rotation_steps

CRITERIA = ("capacity", "blocks", "singular_vectors")
ROUNDING = 1e-12
SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def allocations(draw, least=1, most=24):
    """Capacities in [0, 1] that sum to a whole number, with exact zeros and ones among them."""
    n = draw(st.integers(2, most))
    c = random_capacities(n, np.random.default_rng(draw(SEEDS)))
    corners = draw(st.lists(st.sampled_from([0.0, 1.0]), max_size=4))
    c = np.array(draw(st.permutations([*c.tolist(), *corners])))
    assume(c.size >= least)
    return c


@st.composite
def shapes(draw):
    """(dimension, features) of up to three blocks."""
    pair = st.tuples(st.integers(1, 3), st.integers(0, 4)).map(lambda p: (p[0], sum(p)))
    return draw(st.lists(pair, min_size=1, max_size=3))


def error_of(W, capacity):
    """Largest departure from W W^T = I, from the lengths and from the capacities."""
    lengths = (W**2).sum(axis=0)
    return max(
        np.abs(W @ W.T - np.eye(len(W))).max(),
        np.abs(lengths - capacity).max(),
        np.abs(fc.capacities(W) - capacity).max(),
    )


def sizes(W, tolerance=1e-6):
    return sorted((len(b.features), b.dimension) for b in fc.blocks(W, tolerance))


# ---------------------------------------------------------------------------------- Theorem 1


@given(allocations(), st.one_of(st.none(), SEEDS))
@settings(max_examples=120)
def test_any_allocation_is_realized(capacity, seed):
    generator = None if seed is None else np.random.default_rng(seed)
    W = fc.embedding_from_capacities(capacity, generator=generator)
    assert W.shape == (round(capacity.sum()), capacity.size)
    assert error_of(W, capacity) < ROUNDING
    assert fc.is_efficient(W)


@pytest.mark.parametrize(
    "capacity",
    [
        [1.0],
        [1.0, 1.0, 0.0],
        [0.0, 0.0, 1.0],
        [0.5, 0.5],
        [0.0, 0.5, 0.0, 0.5, 1.0],
        [1 / 3] * 3,
        [0.1] * 10,
        [1 - 1e-13, 1e-13],
        [1e-300, 1.0, 1.0 - 1e-16],
        [0.9] * 10,
        [2 / 7] * 7,
    ],
)
@pytest.mark.parametrize("seed", [None, 0])
def test_corner_cases_are_realized(capacity, seed):
    generator = None if seed is None else np.random.default_rng(seed)
    W = fc.embedding_from_capacities(capacity, generator=generator)
    assert error_of(W, np.array(capacity)) < ROUNDING


@pytest.mark.parametrize(("n", "d"), [(2000, 3), (2000, 300), (800, 799)])
def test_thousands_of_features(n, d):
    capacity = random_capacities(n, np.random.default_rng(n + d), n_dims=d)
    assert error_of(fc.embedding_from_capacities(capacity), capacity) < ROUNDING


def test_generic_member_of_a_thousand_features():
    capacity = random_capacities(1000, np.random.default_rng(1), n_dims=20)
    W = fc.embedding_from_capacities(capacity, generator=np.random.default_rng(2))
    assert error_of(W, capacity) < ROUNDING


@given(allocations(), st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_order_of_features_does_not_matter(capacity, random):
    order = list(range(capacity.size))
    random.shuffle(order)
    W = fc.embedding_from_capacities(capacity[order])
    assert error_of(W, capacity[order]) < ROUNDING


@given(allocations())
@settings(max_examples=60)
def test_staircase_by_single_rotations(capacity):
    """The vectorized staircase against one rotation at a time, at most N - 1 of them."""
    film = rotation_steps(capacity)
    assert len(film) <= capacity.size
    assert set(np.unique(film[0])) <= {0.0, 1.0}
    for W in film:
        np.testing.assert_allclose(W @ W.T, np.eye(len(W)), atol=ROUNDING)
    for first, second in itertools.pairwise(film):
        changed = np.flatnonzero((first != second).any(axis=0))
        assert changed[-1] - changed[0] <= 1
    assert error_of(film[-1], capacity) < ROUNDING
    W = fc.embedding_from_capacities(capacity)
    # Signs of columns are free, and inner products are of the order of sqrt(rounding) at worst.
    np.testing.assert_allclose(np.abs(film[-1].T @ film[-1]), np.abs(W.T @ W), atol=1e-6)


def test_staircase_is_sparse():
    W = fc.embedding_from_capacities(random_capacities(400, np.random.default_rng(0), n_dims=100))
    first = (W != 0).argmax(axis=1)
    assert (np.diff(first) > 0).all()
    # A row fades out geometrically after the features of its axis.
    assert (np.abs(W) > 1e-6).mean() < 0.1


def test_generator_makes_it_reproducible_and_generic():
    capacity = np.full(5, 0.4)
    first, again, other = (
        fc.embedding_from_capacities(capacity, generator=np.random.default_rng(seed))
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    gram = [np.sort(np.abs(W.T @ W)[np.triu_indices(5, 1)]) for W in (first, other)]
    # Members differ by more than a rotation, order or signs, and no two features are parallel.
    assert np.abs(gram[0] - gram[1]).max() > 1e-3
    assert max(g.max() for g in gram) < 0.4 - 1e-6


@pytest.mark.parametrize("seed", range(6))
def test_equal_halves_are_pairs_by_default_and_one_block_in_general(seed):
    capacity = np.full(6, 0.5)
    assert sizes(fc.embedding_from_capacities(capacity)) == [(2, 1)] * 3
    generic = fc.embedding_from_capacities(capacity, generator=np.random.default_rng(seed))
    assert sizes(generic) == [(6, 3)]


def test_lists_and_tensors_are_taken():
    c = [0.5, 0.75, 0.75]
    np.testing.assert_array_equal(
        fc.embedding_from_capacities(c), fc.embedding_from_capacities(torch.tensor(c).double())
    )


@pytest.mark.parametrize(
    ("capacity", "message"),
    [
        ([0.5, np.nan, 0.5], "capacity must be finite; got nan at flat position 1"),
        ([0.5, np.inf], "capacity must be finite; got inf"),
        ([1.5, 0.5], r"capacity must be in \[0, 1\]; got 1.5 at flat position 0"),
        ([0.5, -0.5, 1], r"capacity must be in \[0, 1\]; got -0.5 at flat position 1"),
        ([0.5, 0.6], "sum to a whole number of dimensions, at least 1; they sum to 1.1"),
        ([0.5, 0.5 + 1e-8], "sum to a whole number"),
        ([0.0, 0.0], "at least 1; they sum to 0.0"),
        ([], "one-dimensional and not empty; got shape \\(0,\\)"),
        ([[0.5, 0.5]], "one-dimensional and not empty; got shape \\(1, 2\\)"),
        (1.0, "one-dimensional and not empty; got shape \\(\\)"),
    ],
)
@pytest.mark.parametrize("build", [fc.embedding_from_capacities, rotation_steps])
def test_bad_capacities_are_refused(build, capacity, message):
    with pytest.raises(ValueError, match=message):
        build(capacity)


@pytest.mark.parametrize("n_dims", [1, 3, 2.0, True])
def test_wrong_n_dims_is_refused(n_dims):
    with pytest.raises(ValueError, match="n_dims must be the sum of the capacities, which is 2"):
        fc.embedding_from_capacities([0.5, 0.75, 0.75], n_dims=n_dims)


def test_wrong_generator_is_refused():
    with pytest.raises(ValueError, match=r"Generator .for example .*; got 0"):
        fc.embedding_from_capacities([0.5, 0.5], generator=0)


# ---------------------------------------------------------------------------- optimal embeddings


@given(SEEDS, st.sampled_from([1.8, 3.0, 3.5, 9.0, 200.0]), st.booleans())
@settings(max_examples=60)
def test_optimal_embedding_attains_the_allocation(seed, kurtosis, generic):
    generator = np.random.default_rng(seed)
    n = int(generator.integers(2, 9))
    importance = generator.uniform(0.1, 3, n)
    best = fc.solve_allocation(importance, int(generator.integers(1, n + 1)), kurtosis)
    W = fc.optimal_embedding(best, generator if generic else None)
    np.testing.assert_allclose(fc.capacities(W), best.capacity, atol=1e-10)
    np.testing.assert_allclose((W**2).sum(axis=0), best.sq_norm, rtol=1e-10, atol=1e-12)
    loss = fc.expected_loss(W, importance, kurtosis)
    np.testing.assert_allclose(loss, best.loss, rtol=1e-10, atol=1e-12)


def test_optimal_embedding_of_a_batch_is_refused():
    batch = fc.solve_allocation([[2, 1, 1], [1, 1, 1]], 2, 9.0)
    with pytest.raises(ValueError, match=r"without batch axes; .* shape \(2, 3\)"):
        fc.optimal_embedding(batch)


# ---------------------------------------------------------------------- blocks and tegum products


def test_tegum_product_by_hand():
    W = fc.tegum_product([[1, 2]], [[3], [4]])
    np.testing.assert_array_equal(W, [[1, 2, 0], [0, 0, 3], [0, 0, 4]])


@given(st.lists(st.sampled_from(fc.POLYTOPES), min_size=1, max_size=4), SEEDS)
@settings(max_examples=50)
def test_blocks_of_a_tegum_product_are_those_of_its_factors(names, seed):
    generator = np.random.default_rng(seed)
    scales = generator.uniform(0.2, 5, len(names))
    factors = [np.sqrt(s) * fc.polytope(name) for s, name in zip(scales, names, strict=True)]
    expected = sorted(itertools.chain.from_iterable(sizes(f) for f in factors))
    W = fc.tegum_product(*factors)
    found = fc.blocks(W)
    assert sizes(W) == expected
    assert [b.features[0] for b in found] == sorted(b.features[0] for b in found)
    assert sorted(i for b in found for i in b.features) == list(range(W.shape[1]))
    # On each block W W^T is the scale times the identity.
    for b in found:
        part = W[:, b.features]
        np.testing.assert_allclose(part @ part.T @ part, b.scale * part, rtol=1e-10, atol=1e-10)
        assert b.deviation < 1e-10


@given(shapes(), st.integers(0, 3), SEEDS, st.floats(-9, 9))
@settings(max_examples=80)
def test_blocks_do_not_depend_on_axes_order_or_scale(blocks, n_ignored, seed, exponent):
    generator = np.random.default_rng(seed)
    W = random_efficient(blocks, generator, n_ignored)
    order = generator.permutation(W.shape[1])
    moved = 10**exponent * random_rotation(len(W), generator) @ W[:, order]
    before = {frozenset(b.features): b for b in fc.blocks(W)}
    after = {frozenset(order[i] for i in b.features): b for b in fc.blocks(moved)}
    assert before.keys() == after.keys()
    for features, b in before.items():
        assert after[features].dimension == b.dimension
        assert after[features].scale == pytest.approx(10 ** (2 * exponent) * b.scale, rel=1e-9)
        assert after[features].deviation < 1e-9


@given(shapes(), SEEDS)
@settings(max_examples=60)
def test_random_efficient_has_the_blocks_asked_for(blocks, seed):
    W = random_efficient(blocks, np.random.default_rng(seed))
    # A block with as many features as dimensions consists of features on their own.
    expected = [[(n, d)] if n > d else [(1, 1)] * d for d, n in blocks]
    assert sizes(W) == sorted(itertools.chain.from_iterable(expected))


def test_blocks_of_an_inefficient_matrix():
    (block,) = fc.blocks([[1, 1, 0], [0, 1, 1]])
    assert block.features == (0, 1, 2)
    assert block.scale == pytest.approx(2)
    assert block.deviation == pytest.approx(0.5)  # squared singular values 1 and 3


def test_blocks_leave_out_ignored_features():
    assert fc.blocks(np.zeros((2, 3))) == ()
    assert [b.features for b in fc.blocks([[1, 0, 0], [0, 0, 1]])] == [(0,), (2,)]


def test_tolerance_decides_what_is_orthogonal():
    W = np.array([[1, 1e-3], [0, 1]])
    assert len(fc.blocks(W, 1e-2)) == 2
    assert len(fc.blocks(W, 1e-4)) == 1


@pytest.mark.parametrize("tolerance", [-1e-9, 1, np.nan])
def test_bad_tolerance_of_blocks_is_refused(tolerance):
    with pytest.raises(ValueError, match=r"tolerance must be a number in \[0, 1\); got"):
        fc.blocks(np.eye(2), tolerance)


@pytest.mark.parametrize("use", [fc.blocks, fc.is_efficient, fc.tegum_product])
def test_bad_matrices_are_refused(use):
    with pytest.raises(ValueError, match=r"W must have shape \(n_dims, n_features\).*got \(3,\)"):
        use(np.ones(3))
    with pytest.raises(ValueError, match=r"both at least 1; got \(0, 3\)"):
        use(np.empty((0, 3)))
    with pytest.raises(ValueError, match=r"W must have shape .*got \(2, 2, 2\)"):
        use(np.ones((2, 2, 2)))
    with pytest.raises(ValueError, match="W must be finite; got nan at flat position 1"):
        use([[1, np.nan]])


def test_empty_tegum_product_is_refused():
    with pytest.raises(ValueError, match="at least one matrix"):
        fc.tegum_product()


# --------------------------------------------------------------------------------------- Theorem 2


@given(shapes(), st.integers(0, 2), SEEDS)
@settings(max_examples=80)
def test_every_block_form_is_efficient(blocks, n_ignored, seed):
    W = random_efficient(blocks, np.random.default_rng(seed), n_ignored)
    assert fc.total_capacity(W) == pytest.approx(len(W), rel=1e-12)
    assert all(fc.is_efficient(W, criterion) for criterion in CRITERIA)


@given(shapes(), SEEDS, st.floats(0.05, 1))
@settings(max_examples=80)
def test_criteria_fail_together(blocks, seed, size):
    generator = np.random.default_rng(seed)
    W = random_efficient(blocks, generator)
    W = W + size * generator.standard_normal(W.shape)
    # Missing capacity is of second order in what the other two criteria look at.
    tolerances = {"capacity": 1e-10, "blocks": 1e-5, "singular_vectors": 1e-5}
    # In one dimension there is nothing to disturb: every nonzero row is semiorthogonal up to scale.
    assert [fc.is_efficient(W, *item) for item in tolerances.items()] == [len(W) == 1] * 3


@given(SEEDS)
@example(42016)  # the first feature of its larger block is nearly alone
@settings(max_examples=30)
def test_a_stretched_feature_is_harmless_only_on_its_own(seed):
    W = random_efficient([(2, 5), (1, 1)], np.random.default_rng(seed))
    capacity = fc.capacities(W)
    for block in fc.blocks(W):
        # The one that shares most: one that is nearly alone, or nearly absent, costs next to none.
        features = list(block.features)
        most = features[np.argmax(capacity[features] * (1 - capacity[features]))]
        longer = W.copy()
        longer[:, most] *= 1.5
        alone = len(block.features) == 1
        assert [fc.is_efficient(longer, c) for c in CRITERIA] == [alone] * 3


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize(
    "W", [[[1, 0], [0, 0]], [[1, 1], [1, 1]], [[1], [0]], np.zeros((2, 2))], ids=str
)
def test_vectors_that_do_not_span_the_space_are_never_efficient(W, criterion):
    assert not fc.is_efficient(W, criterion)


def test_maximizers_of_total_capacity_are_block_semiorthogonal():
    """Theorem 2 by ascent from random starts, on autograd and no construction of ours."""
    torch.manual_seed(0)
    W = torch.randn(8, 2, 5, dtype=torch.float64, requires_grad=True)
    W.data *= 10 ** torch.empty(8, 1, 5, dtype=torch.float64).uniform_(-1, 1)
    optimizer = torch.optim.LBFGS(
        [W], max_iter=300, tolerance_grad=1e-10, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def missing():
        optimizer.zero_grad()
        loss = (2 - fc.total_capacity(W)).sum()
        loss.backward()
        return loss

    optimizer.step(missing)
    ends = W.detach().numpy()
    assert np.abs(fc.total_capacity(ends) - 2).max() < 1e-9
    assert all(fc.is_efficient(end, "blocks", 1e-3) for end in ends)
    assert len({tuple(sizes(end, 1e-3)) for end in ends}) > 1  # not all of them one block


def test_bad_criterion_and_tolerance_are_refused():
    with pytest.raises(ValueError, match=r"criterion must be 'capacity', 'blocks' or .*got 'rank'"):
        fc.is_efficient(np.eye(2), "rank")
    for tolerance in (0, 1, -1, np.nan):
        with pytest.raises(ValueError, match=r"tolerance must be a number in \(0, 1\); got"):
            fc.is_efficient(np.eye(2), tolerance=tolerance)


# --------------------------------------------------------------------------------------- polytopes


@pytest.mark.parametrize("name", fc.POLYTOPES)
def test_polytopes_are_balanced_unit_vectors(name):
    W = fc.polytope(name)
    d, n = W.shape
    np.testing.assert_allclose((W**2).sum(axis=0), 1, rtol=ROUNDING)
    np.testing.assert_allclose(W @ W.T, n / d * np.eye(d), atol=ROUNDING)
    np.testing.assert_allclose(fc.capacities(W), d / n, rtol=ROUNDING)
    gram = W.T @ W - 2 * np.eye(n)
    assert gram.max() < 1 - 1e-6  # corners are distinct


@pytest.mark.parametrize(
    ("name", "corners", "edges"),
    [
        ("hexagon", 6, 6),
        ("tetrahedron", 4, 6),
        ("octahedron", 6, 12),
        ("cube", 8, 12),
        ("square antiprism", 8, 16),
        ("icosahedron", 12, 30),
    ],
)
def test_polytopes_have_their_edges(name, corners, edges):
    W = fc.polytope(name)
    found = polytope_edges(W)
    assert (W.shape[1], len(found)) == (corners, edges)
    if name != "square antiprism":
        lengths = [np.linalg.norm(W[:, i] - W[:, j]) for i, j in found]
        np.testing.assert_allclose(lengths, lengths[0], rtol=1e-9)


def test_squares_and_octahedra_are_made_of_pairs():
    assert sizes(fc.polytope("square")) == [(2, 1)] * 2
    assert sizes(fc.polytope("octahedron")) == [(2, 1)] * 3
    assert sizes(fc.polytope("cube")) == [(8, 3)]


def test_unknown_polytope_is_refused():
    message = r"unknown polytope 'heptagon'; did you mean hexagon or pentagon\? known: antipodal"
    with pytest.raises(ValueError, match=message):
        fc.polytope("heptagon")


# --------------------------------------------------------------------------------------- ensembles


@given(st.integers(2, 60), SEEDS)
@settings(max_examples=80)
def test_random_capacities_are_allocations(n, seed):
    generator = np.random.default_rng(seed)
    n_dims = int(generator.integers(1, n))
    c = random_capacities(n, generator, n_dims)
    assert ((c > 0) & (c < 1)).all()
    assert c.sum() == pytest.approx(n_dims, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: random_capacities(1, g), "n_features must be a whole number, at least 2; got 1"),
        (lambda g: random_capacities(4, g, 4), r"from 1 to n_features - 1 \(3\); got 4"),
        (lambda g: random_capacities(4, g, 0), r"from 1 to n_features - 1 \(3\); got 0"),
        (lambda g: random_efficient([], g), "at least one block"),
        (lambda g: random_efficient([(3, 2)], g), r"features of the block \(2\); got 3"),
        (lambda g: random_efficient([(1, 2)], g, -1), "n_ignored must be .*got -1"),
    ],
)
def test_bad_ensembles_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.random.default_rng(0))


@given(st.integers(1, 6), SEEDS)
@settings(max_examples=20)
def test_random_rotations_are_orthogonal(n, seed):
    Q = random_rotation(n, np.random.default_rng(seed))
    np.testing.assert_allclose(Q @ Q.T, np.eye(n), atol=ROUNDING)


@pytest.mark.parametrize(
    "call",
    [
        lambda generator: fc.embedding_from_capacities([0.5, 0.5], generator=generator),
        lambda generator: fc.optimal_embedding(fc.solve_allocation([1, 1], 1, 9), generator),
        lambda generator: random_capacities(3, generator),
        lambda generator: random_efficient([(1, 2)], generator),
    ],
)
@pytest.mark.parametrize("generator", [0, "seed", np.random, np.random.RandomState(0)])
def test_only_a_generator_is_taken_for_one(call, generator):
    with pytest.raises(ValueError, match=r"generator must be a numpy\.random\.Generator"):
        call(generator)


@pytest.mark.parametrize("shapes", [[3], ["ab", None], [(1, 2, 3)], [(1, "a")], [(1.5, 2)], []])
def test_shapes_of_blocks_are_pairs_of_whole_numbers(shapes):
    with pytest.raises(ValueError, match=r"block|shapes"):
        random_efficient(shapes, np.random.default_rng(0))
