"""Capacities from slices, and the numbers beside them, each against a route of its own."""

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import feature_capacity as fc
from feature_capacity.measure import products, stream
from feature_capacity.measure.measuring import measure, vectors_of
from feature_capacity.measure.neighbors import DUPLICATE
from feature_capacity.measure.random_directions import random_directions
from tests.tolerances import ROUNDING, STANDARD_ERRORS


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def pairs(W):
    """Equation (3) as it is written: all inner products."""
    K = W.T @ W
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(np.diagonal(K) ** 2 / (K**2).sum(axis=1))


@pytest.fixture
def small_slices(monkeypatch):
    """So little in a slice that small matrices take many, also with an odd rest."""
    monkeypatch.setattr(stream, "NUMBERS", 50)


SHAPES = [(1, 1), (1, 9), (9, 1), (3, 40), (40, 3), (7, 7), (20, 21), (21, 20)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("axis", ["rows", "columns"])
def test_slices_give_what_all_pairs_give(small_slices, shape, axis):
    W = normal(*shape)
    W[:, 0] *= shape[1] % 2  # a zero vector in some
    found = measure(W if axis == "columns" else W.T.copy(), features=axis)
    np.testing.assert_allclose(found.capacity, pairs(W), atol=ROUNDING)
    np.testing.assert_allclose(found.length, np.linalg.norm(W, axis=0), rtol=ROUNDING)


@pytest.mark.parametrize("side", [1, 5, 127, 128, 300])
@pytest.mark.parametrize("order", ["C", "F", "neither"])
def test_half_of_a_product_gives_the_whole(side, order):
    W = np.repeat(normal(side, 40), 2, axis=1)
    given = np.array(W[:, ::2], order=order) if order != "neither" else W[:, ::2]
    lower = products.zero_square(side)
    for _ in range(2):  # it adds to what is there, in place
        assert products.add_square(lower, given).ctypes.data == lower.ctypes.data
    whole = products.whole_square(lower).copy()
    np.testing.assert_allclose(whole, 2 * given @ given.T, atol=ROUNDING)
    form = products.symmetric_form(products.lower_half(whole), given)
    np.testing.assert_allclose(form, ((whole @ given) * given).sum(axis=0), rtol=1e-12)


@given(st.integers(1, 6), st.integers(1, 12), st.integers(0, 10**6), st.integers(-150, 150))
def test_neither_scale_nor_rotation_nor_order_matters(d, n, seed, power):
    W = normal(d, n, seed=seed)
    generator = np.random.default_rng(seed)
    rotation, order = np.linalg.qr(normal(d, d, seed=seed + 1))[0], generator.permutation(n)
    first = measure(W)
    second = measure((rotation @ W * 10.0**power)[:, order])
    np.testing.assert_allclose(second.capacity, first.capacity[order], atol=1e-9)
    assert second.statistic("effective_rank") == pytest.approx(first.statistic("effective_rank"))
    assert 0 <= first.capacity.min() <= first.capacity.max() <= 1
    assert first.total <= first.statistic("rank") + 1e-9


@pytest.mark.parametrize("shape", [(6, 12), (12, 6), (5, 5)])
def test_tiny_vectors_beside_huge_ones_keep_their_capacity(shape):
    d, _ = shape
    # Orthogonal vectors of all lengths: each has a dimension of its own.
    k = min(shape)
    basis = np.linalg.qr(normal(d, d))[0][:, :k]
    W = np.zeros(shape)
    W[:, :k] = basis * 10.0 ** -np.arange(0, 2 * k, 2)
    np.testing.assert_allclose(measure(W).capacity[:k], 1, atol=1e-6)
    exact = np.diag(10.0 ** np.linspace(-150, 150, k))
    np.testing.assert_allclose(measure(exact).capacity, 1, atol=ROUNDING)


def test_the_accuracy_is_that_of_capacities_over_all_lengths():
    for shape in ((6, 12), (12, 6), (3, 200)):
        W = normal(*shape) * 10.0 ** np.random.default_rng(1).uniform(-150, 150, shape[1])
        np.testing.assert_allclose(measure(W).capacity, fc.capacities(W), atol=1e-9)


# ------------------------------------------------------------------------------ large and small


@pytest.mark.parametrize("shape", [(12, 50), (50, 12)])
def test_large_matrices_get_the_same_numbers_as_small_ones(shape, monkeypatch):
    W = normal(*shape)
    whole = measure(W)
    monkeypatch.setattr("feature_capacity.measure.measuring._WHOLE", 0)
    streamed = measure(W)
    assert streamed.blocks is None
    np.testing.assert_allclose(streamed.leverage, whole.leverage, atol=1e-9)
    np.testing.assert_allclose(streamed.leverage, fc.leverage_capacities(W), atol=1e-9)
    np.testing.assert_allclose(streamed.squares, np.linalg.svd(W)[1] ** 2, rtol=1e-9)
    for one, other in zip(streamed.statistics, whole.statistics, strict=True):
        assert one.value == pytest.approx(other.value, abs=1e-8), one.name


def test_rank_and_leverage_of_a_matrix_that_lacks_directions(monkeypatch):
    W = normal(8, 3) @ normal(3, 30)
    for limit in (2**24, 0):
        monkeypatch.setattr("feature_capacity.measure.measuring._WHOLE", limit)
        found = measure(W)
        assert found.statistic("rank") == 3
        assert found.leverage.sum() == pytest.approx(3)
        assert (found.leverage >= found.capacity - 1e-9).all()


# ----------------------------------------------------------------------------- random directions


@pytest.mark.parametrize(("n", "d"), [(2, 2), (5, 3), (64, 16), (600, 40), (3000, 8)])
def test_random_directions_have_what_drawn_ones_have(n, d):
    law = random_directions(n, d)
    generator = np.random.default_rng(7)
    draws = max(200, 400_000 // n)
    squares = generator.standard_normal((d, draws, n - 1)) ** 2
    drawn = 1 / (1 + (squares[0] / squares.sum(axis=0)).sum(axis=1))  # beside the first axis
    error = drawn.std() / math.sqrt(draws) + 1e-3 * law.mean
    assert abs(law.mean - drawn.mean()) < STANDARD_ERRORS * error
    for level, value in law.quantiles.items():
        below = (drawn < value).mean()
        error = math.sqrt(level * (1 - level) / draws) + 0.005
        assert abs(below - level) < STANDARD_ERRORS * error, level
    assert law.mean >= 1 / (1 + (n - 1) / d) - 3e-3


def test_the_drawn_law_meets_the_pearson_one_where_they_change_over():
    for d in (2, 5, 100):
        drawn, fitted = random_directions(201, d), random_directions(202, d)
        assert fitted.mean == pytest.approx(drawn.mean * (201 + d) / (202 + d), rel=3e-3)
        for level in drawn.quantiles:
            assert fitted.quantiles[level] == pytest.approx(drawn.quantiles[level], rel=0.012)


# ------------------------------------------------------------------------------------ neighbors


def test_near_duplicates_are_found_and_priced(monkeypatch):
    W = np.concatenate([np.eye(6), np.eye(6)[:, :2], -np.eye(6)[:, 2:3]], axis=1)
    for scale in (1.0, 1e-140):
        found = measure(W * scale)
        assert found.neighbors.greatest.tolist() == [1, 1, 1, 0, 0, 0, 1, 1, 1]
        assert found.statistic("near_duplicates") == pytest.approx(6 / 9)
        # Six features have half a dimension, and would have a whole one.
        assert found.statistic("duplicate_cost") == pytest.approx(3)
    monkeypatch.setattr("feature_capacity.measure.neighbors.ALL", 5)
    monkeypatch.setattr("feature_capacity.measure.neighbors.SOME", 7)
    some = measure(W)
    assert len(some.neighbors.features) == 7
    assert some.neighbors.standard_error > 0
    right = [found.neighbors.greatest[i] for i in some.neighbors.features]
    np.testing.assert_allclose(some.neighbors.greatest, right, atol=1e-6)


def test_the_cost_of_duplicates_is_what_leaving_them_out_gives():
    W = normal(8, 30)
    W[:, 20] = W[:, 3] + 0.1 * normal(8, seed=3)
    W[:, 21] = -2 * W[:, 4] + 0.1 * normal(8, seed=4)
    cosine = W.T @ W / np.outer(*2 * [np.linalg.norm(W, axis=0)])
    gain = 0
    for i in range(30):
        near = (np.abs(cosine[i]) > DUPLICATE) & (np.arange(30) != i)
        kept = np.flatnonzero(~near)
        gain += fc.capacities(W[:, kept])[list(kept).index(i)] - fc.capacities(W)[i]
    assert gain > 0.01
    assert measure(W).statistic("duplicate_cost") == pytest.approx(gain)


# ----------------------------------------------------------------------------------- statistics


def test_numbers_of_matrices_that_one_knows():
    tight = measure(np.array([[1, -0.5, -0.5], [0, 0.75**0.5, -(0.75**0.5)]]))  # a triangle
    assert tight.statistic("frame_potential") == pytest.approx(1)
    assert tight.statistic("missing_capacity") == pytest.approx(0, abs=ROUNDING)
    for name in ("effective_rank", "spectral_entropy_rank", "participation_ratio"):
        assert tight.statistic(name) == pytest.approx(2)
    assert tight.statistic("effective_features") == pytest.approx(3)
    assert tight.statistic("dims_per_feature") == pytest.approx(2 / 3)
    assert tight.statistic("mean_greatest_cosine") == pytest.approx(0.5)
    assert tight.statistic("largest_direction") == pytest.approx(0.5)
    one = measure(np.array([[3.0, 3, 3], [0, 0, 0]]))
    assert one.statistic("frame_potential") == pytest.approx(2)  # 81 * 9 over (27)^2 / 2
    assert one.statistic("rank") == 1
    assert one.statistic("random_total_same_lengths") == pytest.approx(3 / 2)


def test_the_frame_potential_is_that_of_all_pairs():
    W = normal(5, 11)
    least = (W**2).sum() ** 2 / 5
    right = ((W.T @ W) ** 2).sum() / least
    assert measure(W).statistic("frame_potential") == pytest.approx(right)


def test_random_lengths_are_bounded_from_below():
    length = np.random.default_rng(0).pareto(2, 40) + 0.2
    totals = []
    for seed in range(200):
        W = normal(10, 40, seed=seed)
        totals.append(fc.total_capacity(W / np.linalg.norm(W, axis=0) * length))
    bound = measure(np.vstack([length, np.zeros((9, 40))])).statistic("random_total_same_lengths")
    assert bound < np.mean(totals) < 2 * bound


def test_nothing_but_zero_vectors_is_measured():
    found = measure(np.zeros((3, 4)))
    assert found.total == 0
    assert found.counts["ignored"] == 4
    assert math.isnan(found.statistic("effective_rank"))
    assert "null" in found.json()
    assert "zero vectors" in found.text()
    found.plot()


# --------------------------------------------------------------------------------- co-activation


def weighted(W, x):
    """The definition, as it is written."""
    squares = x**2
    mean = squares.mean(axis=1)
    h = squares @ squares.T / x.shape[1] / np.outer(mean, mean)
    np.fill_diagonal(h, 1)
    K = W.T @ W
    return np.diagonal(K) ** 2 / (h * K**2).sum(axis=1), h


def test_coactive_capacity_is_as_defined_and_within_its_bounds(monkeypatch):
    monkeypatch.setattr("feature_capacity.measure.coactivation._TILE", 4)
    monkeypatch.setattr("feature_capacity.measure.coactivation.NUMBERS", 64)
    for shape in ((3, 11), (11, 6)):
        W, n = normal(*shape) * np.geomspace(1e-3, 1e3, shape[1]), shape[1]
        active = np.random.default_rng(2).random((n, 37)) < 0.5
        x = normal(n, 37, seed=5) * active * np.geomspace(1e-100, 1e100, n)[:, None]
        found = measure(W, activations=x)
        right, h = weighted(W, x / np.abs(x).max(axis=1, keepdims=True))
        np.testing.assert_allclose(found.coactive, right, rtol=1e-9)
        off = h[~np.eye(n, dtype=bool)]
        assert off.max() > 1 > off.min()
        assert (found.coactive >= found.capacity / off.max() - ROUNDING).all()
        assert (found.coactive <= 1).all()


def test_coactive_capacity_is_equation_3_for_independent_features():
    # All combinations of signs and sizes once: exactly independent.
    x = np.stack(np.meshgrid([1.0, 2, -3], [1.0, 0], [2.0, -1, 0, 0])).reshape(3, -1)
    W = normal(2, 3)
    np.testing.assert_allclose(measure(W, activations=x).coactive, fc.capacities(W), atol=ROUNDING)


def test_features_that_never_meet_have_whole_dimensions():
    W = normal(2, 5)
    found = measure(W, activations=np.eye(5))
    np.testing.assert_allclose(found.coactive, 1)
    x = np.eye(5)
    x[2] = 0
    found = measure(W, activations=x)
    assert np.isnan(found.coactive[2])
    assert "1 feature never active" in found.text()
    assert found.rows()[2].coactive_capacity is None


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.ones((4, 9)), r"one row a feature \(5\) and one column a sample; got 4 x 9"),
        (np.full((5, 2), np.nan), "those of feature 0 are not"),
        (np.ones((5, 0)), "empty matrix"),
    ],
)
def test_activations_that_do_not_fit_are_refused(x, message):
    with pytest.raises(ValueError, match=message):
        measure(normal(2, 5), activations=x)


# ------------------------------------------------------------------------------------ the record


@pytest.mark.slow
@pytest.mark.parametrize(
    "lines",
    [
        "import feature_capacity as fc; import feature_capacity.measure.stream",
        "import feature_capacity.measure.stream; import feature_capacity as fc",
        "import feature_capacity as fc; fc.measure",
        "from feature_capacity import measure; import feature_capacity as fc; measure([[1.0]])",
    ],
)
def test_the_folder_is_a_function_in_whatever_order_it_is_imported(lines):
    program = (
        f"{lines}; print(fc.measure([[1, -1, 0], [0, 0, 2]]).total, fc.measure.stream.NUMBERS)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program.replace("fc.measure.stream.NUMBERS", "4")],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout == "2.0 4\n", done.stderr


def test_arrays_tensors_modules_and_mappings_are_measured():
    layer = torch.nn.Linear(6, 4).bfloat16()
    right = fc.capacities(layer.weight.detach().double().numpy())
    for given_as, key in (
        (layer.weight, None), (layer.weight.double(), None), (layer, "weight"), (layer, None),
        (layer.state_dict(), None), (layer.weight.tolist(), None),
    ):  # fmt: skip
        np.testing.assert_allclose(measure(given_as, key=key).capacity, right, atol=1e-9)
    batch = normal(3, 2, 5)
    np.testing.assert_allclose(measure(batch, index=1).capacity, fc.capacities(batch[1]))
    with pytest.raises(ValueError, match="holds 3 matrices"):
        measure(batch)
    with pytest.raises(ValueError, match="leave key out"):
        measure(batch, key="W")
    with pytest.raises(ValueError, match="real numbers"):
        measure([["a"]])


def test_the_record_shows_itself(tmp_path):
    found = measure(normal(4, 60))
    frame = found.to_dataframe()
    assert frame.shape == (60, 6)
    np.testing.assert_allclose(frame["capacity"], found.capacity)
    html = found._repr_html_()
    assert "60 features in 4 dimensions" in html
    assert "Roy and Vetterli" in html
    saved = found.save(tmp_path / "found.html").read_text()
    assert saved.startswith("<!DOCTYPE html>")
    assert "data:image/png;base64," in saved
    assert "http" not in saved.replace("http://www.w3.org", "")
    with pytest.raises(ValueError, match=r"must end in \.html"):
        found.save(tmp_path / "found.txt")
    with pytest.raises(AttributeError):
        found.n_dims = 3


def test_names_are_escaped_in_the_page(tmp_path):
    torch.save({"<b>W": torch.ones(2, 3)}, tmp_path / "w.pt")
    saved = measure(tmp_path / "w.pt").save(tmp_path / "w.html").read_text()
    assert "<b>" not in saved
    assert "&lt;b&gt;W" in saved


def test_vectors_read_both_ways():
    vectors = vectors_of(normal(3, 8), None, None, None)
    np.testing.assert_array_equal(vectors.features(2, 5), vectors.dims(0, 3)[:, 2:5])
