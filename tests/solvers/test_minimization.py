"""The minimization of toy models, against closed forms, other settings and itself."""

import re

import numpy as np
import pytest
import torch

import feature_capacity as fc
from feature_capacity.models.losses import quadrature_loss
from feature_capacity.models.quadrature import sparse_quadrature
from feature_capacity.models.toy_models import BIASES, KINDS, ToyModel
from feature_capacity.solvers import fused_sums, minimization, tensor_sums
from feature_capacity.solvers.batch import Minima
from feature_capacity.solvers.minimization import coarse_to_fine, minimize
from feature_capacity.solvers.result import ConvergenceError
from feature_capacity.solvers.starts import random_starts
from feature_capacity.theory.phases import one_feature_varied

from ..tolerances import NEW_NODES, NEWTON, OPTIMIZER

CPU = torch.device("cpu")
# The smooth activations cost most; `make test-fast` leaves these cases to `make test`.
SLOW_GELU, SLOW_TANH = (pytest.param(name, marks=pytest.mark.slow) for name in ("gelu", "tanh"))


def test_the_quadratic_model_on_nodes_finds_the_closed_form():
    v = one_feature_varied(np.geomspace(0.1, 5, 6), 6)
    for p in (0.05, 0.3, 0.9):
        inputs = fc.SparseUniform(p)
        result = minimize(
            ToyModel("computation"), inputs, v, n_starts=6, max_iterations=300, strict=True
        )
        exact = fc.solve_allocation(v, 3, inputs.kurtosis)
        np.testing.assert_allclose(result.loss, exact.loss, rtol=0.02)  # on nodes
        np.testing.assert_allclose(result.capacity[:, 0], exact.capacity[:, 0], atol=0.03)


def test_any_torch_function_will_do():
    result = minimize(
        ToyModel("computation", torch.square, 3, 2), fc.SparseUniform(0.2), [[2, 1, 1]], seed=1
    )
    named = minimize(
        ToyModel("computation", "quadratic", 3, 2), fc.SparseUniform(0.2), [[2, 1, 1]], seed=1
    )
    np.testing.assert_allclose(result.capacity, named.capacity, atol=1e-3)


def test_two_sparse_features_make_an_antipodal_pair():
    model, p, v = ToyModel("autoencoder", "relu", 2, 1), 0.05, 0.8
    result = minimize(model, fc.UnitSparseUniform(p), [[1.0, v]], n_starts=8)
    assert result.W[0, 0, 0] * result.W[0, 0, 1] < 0
    np.testing.assert_allclose(result.capacity[0], 0.5, atol=0.02)
    # Not above the pair with unit lengths, up to the nodes, which a kink crosses.
    assert result.loss[0] <= 1.02 * (1 + v) * p**2 / 6


# Bias


@pytest.mark.parametrize("kind", KINDS)
def test_the_bias_that_comes_out_is_the_one_asked_for(kind):
    v = one_feature_varied([0.5, 2.0], 4)
    for bias in BIASES:
        result = minimize(ToyModel(kind, "gelu", 4, 2, bias), fc.UnitSparseUniform(0.3), v)
        assert result.bias.shape == ((2,) if kind == "computation" else (2, 4))
        if bias == "none":
            assert not result.bias.any()
        elif kind == "autoencoder":
            spread = np.ptp(result.bias, axis=1)
            assert (spread == 0).all() if bias == "shared" else (spread > 0.01).all()


@pytest.mark.parametrize("activation", ["quadratic", "relu", SLOW_GELU])
@pytest.mark.parametrize("kind", KINDS)
def test_less_freedom_of_the_bias_never_lowers_the_least_loss(kind, activation):
    # Of inputs without a sign, ReLU's sum is linear, and one neuron is enough for it.
    inputs = (fc.SparseUniform if kind == "computation" else fc.UnitSparseUniform)(0.5)
    v = one_feature_varied([0.5, 2.0], 4)
    losses = [
        minimize(
            ToyModel(kind, activation, 4, 2, bias), inputs, v, n_starts=16, dtype="float64"
        ).loss
        for bias in BIASES
    ]
    best, shared, none = losses
    assert (best <= 1.001 * shared).all(), "up to where the minimization stops"
    assert (shared <= 1.001 * none).all()
    assert (none > 1.01 * best).all(), "these inputs have a mean, so a bias is worth something"
    if kind == "computation":
        np.testing.assert_array_equal(best, shared)


def test_one_bias_is_enough_where_all_features_are_alike_at_the_optimum():
    def least(p, bias):
        model = ToyModel("autoencoder", "relu", 2, 1, bias)
        return minimize(model, fc.UnitSparseUniform(p), [[1.0, 1.0]], n_starts=16, tolerance=1e-7)

    pair, tied = least(0.1, "best"), least(0.1, "shared")
    np.testing.assert_allclose(pair.capacity, 0.5, atol=0.01)
    np.testing.assert_allclose(tied.loss, pair.loss, rtol=1e-3)
    apart, tied = least(0.8, "best"), least(0.8, "shared")
    assert abs(apart.capacity - 0.5).min() > 0.2, "equal importances, but not equal features"
    np.testing.assert_allclose(tied.capacity, 0.5, atol=0.01)
    assert tied.loss[0] > 1.005 * apart.loss[0]


# A penalty on overlap


def test_a_penalty_on_overlap_is_a_smaller_kurtosis_for_the_quadratic_model():
    inputs, penalty = fc.SparseUniform(0.1), np.array([0.0, 1.0, 4.0, 12.0, 20.0])
    v = np.tile([1.3, 1.2, 1.1, 1.0], (5, 1))
    result = minimize(
        ToyModel("computation", "quadratic", 4, 2), inputs, v, overlap_penalty=penalty,
        dtype="float64", tolerance=1e-8, max_iterations=300,
    )  # fmt: skip
    other = 1 + (inputs.kurtosis - 1) / (1 + penalty / 2)
    exact = fc.solve_allocation(v, 2, other[:, None])
    np.testing.assert_allclose(result.capacity, exact.capacity, atol=5e-3)
    np.testing.assert_allclose(
        result.loss, (1 + penalty / 2) * fc.expected_loss(result.W, v, other[:, None]), rtol=1e-3
    )
    assert result.capacity[0].max() < 0.9
    assert other[-1] < 3
    np.testing.assert_allclose(result.capacity[-1], [1, 1, 0, 0], atol=5e-3)


def test_a_penalty_may_differ_from_cell_to_cell_and_does_not_depend_on_company():
    model, v = ToyModel("autoencoder", "relu", 4, 2), one_feature_varied([0.5, 1.0, 2.0], 4)
    inputs, penalty = fc.UnitSparseUniform(0.1), [0.0, 1e-3, 1e-1]
    together = minimize(model, inputs, v, overlap_penalty=penalty, seed=3)
    plain = minimize(model, inputs, v, seed=3)
    np.testing.assert_allclose(together.loss[0], plain.loss[0], rtol=1e-4)
    overlap = fc.interference(together.W).sum(axis=-1)
    assert (np.diff(overlap[1:]) < 0).all()
    assert (together.loss[1:] > plain.loss[1:]).all()


# What a result must not depend on


@pytest.mark.parametrize("activation", ["quadratic", "relu", SLOW_GELU, SLOW_TANH])
@pytest.mark.parametrize("kind", KINDS)
def test_capacities_hardly_move_when_the_nodes_are_drawn_anew(kind, activation):
    model, n_points = ToyModel(kind, activation, 6, 3), 16384 if activation == "tanh" else 4096
    family = fc.SparseUniform if kind == "computation" else fc.UnitSparseUniform
    moved = []
    for p in (0.03, 0.3):
        v = one_feature_varied(np.geomspace(0.3, 3, 4), 6)
        quadrature = coarse_to_fine(family(p), 6, n_points)
        result = minimize(model, family(p), v, n_starts=2, quadrature=quadrature)
        starts = result.W.reshape(len(v), 1, -1)
        if kind == "autoencoder":
            starts = np.concatenate([starts, result.bias[:, None]], axis=2)
        quadrature = sparse_quadrature(family(p), 6, n_points, seed=1)  # Gauss nodes stay
        again = minimize(model, family(p), v, starts=starts, quadrature=quadrature)
        moved.append(abs(again.capacity - result.capacity).max(axis=1))
    assert np.median(moved) <= NEW_NODES


@pytest.mark.parametrize("kind", KINDS)
def test_results_do_not_depend_on_the_size_of_chunks(kind, monkeypatch):
    model, v = ToyModel(kind, "gelu", 4, 2), one_feature_varied([0.3, 1.4, 4.0], 4)
    results = {}
    for numbers in (1, 50_000, 10**9):
        monkeypatch.setattr(tensor_sums, "_CHUNK_NUMBERS", numbers)
        results[numbers] = minimize(model, fc.UnitSparseUniform(0.2), v, dtype="float64")
    for other in (50_000, 10**9):
        for name in ("loss", "capacity", "W", "bias", "loss_of_starts"):
            np.testing.assert_allclose(
                getattr(results[other], name), getattr(results[1], name), rtol=1e-6, atol=1e-6
            )


@pytest.mark.parametrize("kind", KINDS)
def test_compiled_sums_lead_to_the_minima_that_tensors_lead_to(kind, monkeypatch):
    model, v = ToyModel(kind, "gelu", 4, 2), one_feature_varied([0.3, 1.4, 4.0], 4)
    fused = minimize(model, fc.UnitSparseUniform(0.2), v)
    monkeypatch.setattr(fused_sums, "_MATRIX_NUMBERS", 1)
    one_by_one = minimize(model, fc.UnitSparseUniform(0.2), v)
    monkeypatch.setattr(fused_sums, "can_do", lambda model, quadrature: False)
    tensors = minimize(model, fc.UnitSparseUniform(0.2), v)
    for other, bound in ((one_by_one, 1e-5), (tensors, 1e-4)):
        np.testing.assert_allclose(other.loss, fused.loss, rtol=bound)
        np.testing.assert_allclose(other.capacity, fused.capacity, atol=100 * bound)


@pytest.mark.parametrize("n_starts", [1, 2, 7])
def test_many_cells_are_minimized_a_part_at_a_time(n_starts, monkeypatch):
    model, v = ToyModel("autoencoder", "relu", 4, 2), one_feature_varied([0.3, 1.4, 4.0], 4)
    whole = minimize(model, fc.UnitSparseUniform(0.2), v, n_starts=n_starts, dtype="float64")
    sizes = []
    in_stages = minimization.minimize_in_stages

    def count(stages, starts, *rest):
        sizes.append(len(starts))
        return in_stages(stages, starts, *rest)

    monkeypatch.setattr(minimization, "minimize_in_stages", count)
    monkeypatch.setattr(minimization, "_MOST_MODELS", 5)
    parts = minimize(model, fc.UnitSparseUniform(0.2), v, n_starts=n_starts, dtype="float64")
    assert max(sizes) <= max(5, n_starts)
    for name, values in vars(whole).items():
        np.testing.assert_allclose(vars(parts)[name], values, rtol=1e-6, atol=1e-6, err_msg=name)


def test_a_cell_does_not_feel_the_cells_after_it():
    model, v = ToyModel("autoencoder", "relu", 4, 2), one_feature_varied([0.5, 2.0, 9.0], 4)
    three, one = (minimize(model, fc.UnitSparseUniform(0.1), part, seed=3) for part in (v, v[:1]))
    np.testing.assert_allclose(three.capacity[0], one.capacity[0], atol=OPTIMIZER * 100)
    np.testing.assert_array_equal(
        random_starts(model, 3, 4, [7, 1])[:2], random_starts(model, 2, 4, [7, 1])
    )


# The record, and what one may ask for


def test_the_record_is_about_the_best_start():
    model, v = ToyModel("computation", "relu", 5, 2), one_feature_varied([0.7, 2.0], 5)
    inputs = fc.SparseUniform(0.2)
    result = minimize(model, inputs, v, n_starts=6, dtype="float64")
    np.testing.assert_array_equal(result.loss, result.loss_of_starts.min(axis=1))
    np.testing.assert_array_equal(result.best_start, result.loss_of_starts.argmin(axis=1))
    near = (result.loss_of_starts <= 1.01 * result.loss[:, None]).sum(axis=1)
    np.testing.assert_array_equal(result.n_near_best, near)
    np.testing.assert_allclose(result.capacity, fc.capacities(result.W))
    nodes = sparse_quadrature(inputs, 5, mirrored=True)
    loss = quadrature_loss(model, result.W, result.bias, v, nodes)
    np.testing.assert_allclose(loss, result.loss, rtol=NEWTON)


def test_a_minimum_says_whether_masks_were_sampled_or_dropped():
    model, v = ToyModel("autoencoder", "relu", 14, 2), np.ones((1, 14))
    quadrature = sparse_quadrature(fc.UnitSparseUniform(0.3), 14, n_points=64, n_masks=16)
    result = minimize(
        model, fc.UnitSparseUniform(0.3), v, n_starts=1, quadrature=quadrature, max_iterations=2
    )
    assert not result.all_masks.any()
    assert result.dropped == pytest.approx(quadrature.dropped)
    small = minimize(ToyModel("autoencoder", "relu", 3, 2), fc.UnitSparseUniform(0.3), v[:, :3])
    assert small.all_masks.all()


def test_given_starts_are_used():
    model, v = ToyModel("autoencoder", "relu", 4, 2), one_feature_varied([1.5], 4)
    inputs = fc.UnitSparseUniform(0.1)
    first = minimize(model, inputs, v, n_starts=8, dtype="float64", tolerance=1e-9,
                     max_iterations=300)  # fmt: skip
    starts = np.concatenate([first.W.reshape(1, 1, -1), first.bias[:, None]], axis=2)
    again = minimize(model, inputs, v, starts=starts, dtype="float64")
    assert again.loss_of_starts.shape == (1, 1)
    assert again.iterations[0] <= 20
    np.testing.assert_allclose(again.loss, first.loss, rtol=OPTIMIZER)
    np.testing.assert_allclose(again.capacity, first.capacity, atol=1e-3)


def test_a_bar_counts_every_start_that_has_settled(capsys):
    model = ToyModel("autoencoder", "relu", 3, 2)
    minimize(model, fc.UnitSparseUniform(0.2), [[1, 1, 1]], n_starts=5)
    assert capsys.readouterr().err == ""
    minimize(model, fc.UnitSparseUniform(0.2), [[1, 1, 1]], n_starts=5, progress=True)
    last = capsys.readouterr().err.split("\r")[-1]
    done, total = map(int, re.search(r"(\d+)/(\d+)", last).groups())
    assert done == total >= 6


def test_strict_says_what_to_raise():
    with pytest.raises(ConvergenceError, match="max_iterations"):
        minimize(
            ToyModel("computation", "relu"), fc.SparseUniform(0.1), np.ones((2, 6)), n_starts=2,
            max_iterations=2, strict=True,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"importance": [1.0, 1.0]}, "shape"),
        ({"importance": [[1.0, -1.0]]}, "importance"),
        ({"n_starts": 0}, "n_starts"),
        ({"max_iterations": 0}, "max_iterations"),
        ({"tolerance": 2}, "tolerance"),
        ({"dtype": "float16"}, "float32 or float64"),
        ({"device": "abacus"}, "device"),
        ({"overlap_penalty": -1.0}, "overlap_penalty must be .* at least 0"),
        ({"overlap_penalty": [1.0, 2.0]}, "one for each of 1 cells"),
    ],
)
def test_bad_settings_are_refused(options, word):
    given = {"importance": [[1.0, 1.0]], **options}
    with pytest.raises(ValueError, match=word):
        minimize(ToyModel("computation", "relu", 2, 1), fc.SparseUniform(0.5), **given)


@pytest.mark.parametrize(
    ("scale", "dtype"), [(1e-25, "float32"), (1e39, "float32"), (1e-200, "float64")]
)
def test_importances_of_any_size_are_minimized_alike(scale, dtype):
    model, inputs = ToyModel("autoencoder", "relu", 3, 2), fc.UnitSparseUniform(0.1)
    one, scaled = (
        minimize(model, inputs, [[s, 0.9 * s, 0.8 * s]], n_starts=4, dtype=dtype)
        for s in (1.0, scale)
    )
    assert scaled.converged.all()
    np.testing.assert_allclose(scaled.loss / scale, one.loss, rtol=OPTIMIZER)
    np.testing.assert_allclose(scaled.capacity, one.capacity, atol=0.01)


def test_what_is_not_finite_is_neither_converged_nor_best():
    model, inputs = ToyModel("autoencoder", "relu", 3, 2), fc.UnitSparseUniform(0.1)
    far = np.full((1, 1, 9), 1e30)
    lost = minimize(model, inputs, [[1, 1, 1]], starts=far)
    assert not lost.converged.any()
    with pytest.raises(ConvergenceError, match=r"1 of 1 cells .* not finite; scale"):
        minimize(model, inputs, [[1, 1, 1]], starts=far, strict=True)
    near = random_starts(model, 1, 1, seed=0)
    both = minimize(model, inputs, [[1, 1, 1]], starts=np.concatenate([far, near], axis=1))
    assert both.best_start == [1]
    assert both.converged.all()
    assert both.loss == minimize(model, inputs, [[1, 1, 1]], starts=near).loss


def test_a_finite_loss_with_a_gradient_that_is_not_is_never_best():
    nan = torch.tensor([torch.nan, 1.0])
    minima = Minima(torch.ones(2, 1), torch.tensor([0.0, 1.0]), nan, torch.ones(2), torch.ones(2))
    assert minima.best_of(2).tolist() == [1]
    minima = Minima(nan[:, None], torch.tensor([0.0, 1.0]), torch.ones(2), nan, torch.ones(2))
    assert minima.best_of(2).tolist() == [1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rare_features_share_in_pairs_down_to_the_rarest_that_are_taken(dtype):
    # Below, a bias at the kink stops every start, and nothing that is lost is seen on the nodes.
    model, p = ToyModel("autoencoder", "relu", 4, 2), 1e-6
    result = minimize(model, fc.UnitSparseUniform(p), [[2, 1, 1, 1]], n_starts=8, dtype=dtype)
    np.testing.assert_allclose(result.capacity, 0.5, atol=1e-3)
    # Equal partners at right angles to the others: each pair loses p^2 (v_i + v_j) / 6 or so.
    assert result.loss[0] == pytest.approx(5 * p**2 / 6, rel=0.01)


@pytest.mark.parametrize(
    ("inputs", "change", "message"),
    [
        ("text", {}, "inputs must be a distribution.*got 'text'"),
        (fc.UnitSparseUniform(1e-300), {}, "probability must be at least 1.2e-38 in float32"),
        (fc.UnitSparseUniform(1e-8), {}, "no two features are active together on the nodes, at pr"),
        (None, {"starts": np.full((1, 2, 9), np.nan)}, "starts must be finite numbers of shape"),
        (None, {"starts": np.zeros((1, 2, 8))}, r"starts must be .* \(1, any, 9\); got"),
        (None, {"starts": [[1]]}, r"got int64 of shape \(1, 1\)"),
    ],
)
def test_inputs_and_starts_that_are_none_are_one_sentence(inputs, change, message):
    model = ToyModel("autoencoder", "relu", 3, 2)
    with pytest.raises(ValueError, match=message):
        minimize(model, inputs or fc.UnitSparseUniform(0.1), [[1, 1, 1]], **change)


@pytest.mark.parametrize("kind", KINDS)
def test_rough_nodes_for_the_matrix_lead_to_the_same_minimum(kind):
    model = ToyModel(kind, "relu", 4, 2)
    inputs = {"computation": fc.SparseUniform, "autoencoder": fc.UnitSparseUniform}[kind](0.3)
    few, many = coarse_to_fine(inputs, 4, 2048)
    v, options = [[2, 1, 1, 1]], {"dtype": "float64", "tolerance": 1e-12, "quadrature": many}
    near = minimize(model, inputs, v, n_starts=8).W.reshape(1, 1, -1)
    near = near + 0.05 * np.random.default_rng(0).standard_normal(near.shape)
    starts = np.concatenate([near, np.zeros((1, 1, model.n_bias))], axis=2)
    for steps in (4, 2000):
        own, rough = (
            minimize(model, inputs, v, starts=starts, rough=r, max_iterations=steps, **options)
            for r in (None, few)
        )
        assert (rough.W != own.W).any(), "another way"
    np.testing.assert_allclose(rough.loss, own.loss, rtol=1e-6)
