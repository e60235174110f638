"""The loss of ReLU and GELU as a linear part and an even one, by sampling and on nodes."""

import numpy as np
import pytest

import feature_capacity as fc
from feature_capacity.models.losses import quadrature_loss, sampled_loss
from feature_capacity.models.parts import even_part, linear_part_loss, odd_part
from feature_capacity.models.quadrature import sparse_quadrature
from feature_capacity.models.readings import SkewedUniform, centered_nodes
from feature_capacity.models.symmetric_nodes import reflected_nodes, symmetric_nodes

from ..tolerances import BISECTION, ROUNDING, STANDARD_ERRORS


@pytest.mark.parametrize("activation", ["relu", pytest.param("gelu", marks=pytest.mark.slow)])
@pytest.mark.parametrize("p", [0.2, 1.0])
def test_the_loss_is_a_linear_part_and_an_even_one(activation, p):
    inputs, rng = fc.SparseUniform(p), np.random.default_rng(3)
    W, v = rng.normal(size=(2, 3, 6)), rng.uniform(0.2, 2, (2, 6))
    whole, even = (fc.ToyModel("computation", f) for f in (activation, even_part(activation)))
    nodes = symmetric_nodes(sparse_quadrature(inputs, 6, 64), both_signs=False)
    nodes = reflected_nodes(nodes)
    linear = linear_part_loss(W, v, float(nodes.weight @ nodes.x[:, 0] ** 2))
    one = quadrature_loss(whole, W, np.zeros(2), v, nodes)
    two = linear + quadrature_loss(even, W, np.zeros(2), v, nodes)
    np.testing.assert_allclose(one, two, rtol=ROUNDING)
    mean, error = sampled_loss(whole, W, np.zeros(2), v, inputs, 200_000)
    other, error_2 = sampled_loss(even, W, np.zeros(2), v, inputs, 200_000, seed=1)
    gap = mean - linear_part_loss(W, v, 1.0) - other
    assert (np.abs(gap) < STANDARD_ERRORS * np.hypot(error, error_2)).all()


def test_parts_add_up_and_have_their_symmetry():
    import torch

    z = torch.linspace(-3, 3, 13, dtype=torch.float64)
    for name in ("relu", "gelu"):
        odd, even = odd_part(name), even_part(name)
        torch.testing.assert_close(odd(z), z / 2)
        torch.testing.assert_close(even(z), even(-z))
    torch.testing.assert_close(even_part("tanh")(z), 0 * z)


@pytest.mark.parametrize("p", [0.3, 1.0])
def test_symmetric_nodes_are_blind_to_order_and_sign(p):
    plain = sparse_quadrature(fc.SparseUniform(p), 4, 256)
    nodes = symmetric_nodes(plain, both_signs=True)
    assert nodes.weight.sum() == pytest.approx(1, rel=ROUNDING)
    f = np.abs(nodes.x[:, 0] + 2 * nodes.x[:, 1] - nodes.x[:, 3]) ** 3
    g = np.abs(-nodes.x[:, 1] - 2 * nodes.x[:, 2] + nodes.x[:, 0]) ** 3
    assert nodes.weight @ f == pytest.approx(nodes.weight @ g, rel=ROUNDING)
    odd = reflected_nodes(plain)
    mixed = odd.weight @ (odd.x[:, 0] * np.abs(odd.x[:, 1] + odd.x[:, 2]))
    assert abs(mixed) < BISECTION


@pytest.mark.parametrize("p", [0.05, 0.6, 1.0])
def test_moments_of_skewed_inputs(p):
    inputs = SkewedUniform(p)
    x, w = inputs.active_rule(12)
    for order in range(1, 7):
        assert p * (w @ x**order) == pytest.approx(inputs.moment(order), rel=ROUNDING)
    draws = inputs.sample(200_000, np.random.default_rng(0))
    error = draws.std() / np.sqrt(len(draws))
    assert abs(draws.mean() - inputs.mean) < STANDARD_ERRORS * error
    assert inputs.moment(2) == pytest.approx(1)


def test_centered_nodes_have_mean_zero_and_variance_one():
    nodes = centered_nodes(0.3, 4, 2048)
    assert nodes.weight @ nodes.x[:, 2] == pytest.approx(0, abs=1e-3)
    assert nodes.weight @ nodes.x[:, 2] ** 2 == pytest.approx(1, abs=1e-3)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="n_features"):
        linear_part_loss(np.ones((2, 3)), np.ones(4), 1.0)
