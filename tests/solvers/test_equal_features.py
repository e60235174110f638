"""The jump at equal importances: by the optimum there, by the closed form, by two sides."""

import numpy as np
import pytest

import feature_capacity as fc
from feature_capacity.models.quadrature import sparse_quadrature
from feature_capacity.models.symmetric_nodes import listed_opposites, symmetric_nodes
from feature_capacity.solvers.equal_features import jump_at_equality, loss_by_importance
from feature_capacity.solvers.near_equality import (
    _different,
    foot,
    in_every_place,
    loss_along,
    minima_along,
)
from feature_capacity.solvers.pair_edge import edge_by_blocks, leak_edge, measured_edge, scaled

from ..tolerances import DIFFERENCES, ROUNDING


@pytest.mark.parametrize(("p", "size"), [(1.0, 1.0), (0.7, 1.0), (0.4, 0.0), (0.1, 0.0)])
def test_the_quadratic_jump_is_that_of_the_closed_form(p, size):
    model = fc.ToyModel("computation", "quadratic", 4, 2)
    jump = jump_at_equality(model, fc.SparseUniform(p), n_starts=8, n_points=2048)
    assert jump.size == pytest.approx(size, abs=0.05)
    near = fc.solve_allocation([[v, 1, 1, 1] for v in (0.999, 1.001)], 2, 1.8 / p).capacity[:, 0]
    assert [jump.below, jump.above] == pytest.approx(near, abs=0.05)


def test_the_jump_of_relu_is_what_one_finds_on_either_side():
    model, inputs = fc.ToyModel("computation", "relu", 4, 2), fc.SparseUniform(0.9)
    nodes = symmetric_nodes(sparse_quadrature(inputs, 4, 256), both_signs=True)
    jump = jump_at_equality(model, inputs, n_starts=32, nodes=nodes)
    V = [[0.999, 1, 1, 1], [1.001, 1, 1, 1]]
    below, above = fc.minimize(
        model, inputs, V, n_starts=64, quadrature=nodes, dtype="float64", tolerance=1e-7
    ).capacity[:, 0]
    assert jump.size > 0.3
    assert [jump.below, jump.above] == pytest.approx([below, above], abs=0.05)


@pytest.mark.parametrize("kind", ["computation", "autoencoder"])
def test_rates_are_differences_of_losses(kind):
    from feature_capacity.models.losses import quadrature_loss

    family = fc.SparseUniform if kind == "computation" else fc.UnitSparseUniform
    model, nodes = fc.ToyModel(kind, "gelu", 3, 2), sparse_quadrature(family(0.4), 3, 512)
    rng = np.random.default_rng(1)
    W, v = rng.normal(size=(2, 3)), np.array([1.0, 0.7, 1.4])
    bias = rng.normal(size=model.bias_shape)
    found = loss_by_importance(model, W, bias, v, nodes)
    h = 1e-5
    both = [v + s * h * np.eye(3) for s in (1, -1)]
    high, low = (
        quadrature_loss(
            model, np.tile(W, (3, 1, 1)), np.tile(bias, (3, *[1] * bias.ndim)), x, nodes
        )
        for x in both
    )
    np.testing.assert_allclose(found, (high - low) / (2 * h), rtol=DIFFERENCES, atol=1e-8)


def test_all_places_of_equal_features_are_as_good():
    inputs, W = fc.SparseUniform(0.6), np.random.default_rng(0).normal(size=(2, 4))
    nodes = symmetric_nodes(sparse_quadrature(inputs, 4, 128), both_signs=True)
    model = fc.ToyModel("computation", "relu", 4, 2)
    at_one, above = loss_along(model, in_every_place(W), [1.0, 1.3], nodes)
    np.testing.assert_allclose(at_one, at_one[0], rtol=ROUNDING)
    assert np.ptp(above) > 1e-3


def test_mirrored_nodes_give_the_jump_of_those_with_both_signs():
    model, inputs = fc.ToyModel("computation", "gelu", 4, 2), fc.SparseUniform(0.9)
    half = symmetric_nodes(sparse_quadrature(inputs, 4, 256, mirrored=True), both_signs=True)
    whole = listed_opposites(half)
    assert half.mirrored
    assert len(whole.weight) > 1.9 * len(half.weight)
    one, two = (jump_at_equality(model, inputs, n_starts=16, nodes=x) for x in (half, whole))
    assert one.loss == pytest.approx(two.loss, rel=1e-6)
    assert one.size == pytest.approx(two.size, abs=1e-3)


def test_a_line_from_one_network_finds_both_sides_of_the_jump():
    inputs, model = fc.SparseUniform(0.9), fc.ToyModel("computation", "abs", 4, 2)
    nodes = [symmetric_nodes(sparse_quadrature(inputs, 4, n), both_signs=True) for n in (64, 512)]
    W = np.tile(np.eye(2, 4), (3, 1, 1))
    found = minima_along(model, inputs, [0.8, 0.999, 1.001], W, nodes)
    assert found.capacity[:2, 0] == pytest.approx(0, abs=0.05)
    assert found.capacity[2, 0] > 0.9
    assert (found.loss <= loss_along(model, W[:1], [0.8, 0.999, 1.001], nodes[-1])[:, 0]).all()


def test_relu_and_gelu_have_a_foot_and_the_absolute_value_has_none():
    V = np.array([0.05, 0.1, 0.2])
    for activation in ("relu", "gelu"):
        c = foot(fc.ToyModel("computation", activation, 3, 2), fc.SparseUniform(1.0), V).capacity
        assert np.polyfit(np.log(V), np.log(c[:, 0]), 1)[0] == pytest.approx(2, abs=0.15)
    for activation in ("abs", "quadratic"):
        c = foot(fc.ToyModel("computation", activation, 3, 2), fc.SparseUniform(1.0), V).capacity
        assert c[:, 0].max() < 1e-3


def test_where_pairs_of_gelu_leak():
    from scipy import integrate, special

    leak = integrate.quad(lambda x: (x * special.ndtr(-x)) ** 2, 0, 1)[0]
    assert leak_edge("gelu") == pytest.approx(1 / 3 / leak, rel=1e-9)


@pytest.mark.slow
def test_where_pairs_end():
    far = np.geomspace(1.5, 300, 40)
    for activation, p in (("relu", 0.02), ("gelu", 0.005)):
        inputs = fc.UnitSparseUniform(p)
        by_blocks = edge_by_blocks(activation, inputs, far)
        assert measured_edge(activation, inputs, far, n_starts=16) == pytest.approx(
            by_blocks, rel=0.25
        )
    sparse = fc.UnitSparseUniform(0.001)
    assert edge_by_blocks(scaled("gelu", 10.0), sparse, np.geomspace(2, 3000, 20)) > 100


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: edge_by_blocks("relu", fc.UnitSparseUniform(0.1), [2.0]), "increasing"),
        (lambda: scaled("gelu", 0.0), "positive"),
        (
            lambda: foot(fc.ToyModel("computation", "relu"), fc.UnitSparseUniform(0.1), [1.0]),
            "symmetric",
        ),
        (
            lambda: jump_at_equality(
                fc.ToyModel("computation", "relu", 1, 1), fc.SparseUniform(0.1)
            ),
            "two features",
        ),
    ],
)
def test_bad_questions_are_refused(call, word):
    with pytest.raises(ValueError, match=word):
        call()


def test_copies_of_one_minimum_do_not_crowd_out_another():
    loss = np.array([1.00001, 1.01, 1.0, 1.00002, 1.5])
    assert _different(loss, 2).tolist() == [2, 1]
    assert sorted(_different(loss, 5).tolist()) == [0, 1, 2, 3, 4]
