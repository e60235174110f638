"""Compiled sums over nodes, against those of tensors in float64."""

import numpy as np
import pytest
import torch

import feature_capacity as fc
from feature_capacity.models.activations import ACTIVATIONS, linear_and_even, with_slope
from feature_capacity.models.quadrature import sparse_quadrature
from feature_capacity.models.toy_models import BIASES, KINDS, ToyModel
from feature_capacity.solvers import fused_kernels, fused_sums, tensor_sums
from feature_capacity.solvers.gauss_newton import linearize
from feature_capacity.solvers.nodes import quadrature_tensors
from feature_capacity.solvers.sums import sums_for

CPU = torch.device("cpu")
# Of the largest entry; float32 has 6e-8, and an error in the middle of a sum counts for more.
CLOSE = 3e-6


def nodes(n, mirrored, n_points=4096):
    """Nodes in both precisions; more than one block, the last of them not full."""
    rule = sparse_quadrature(fc.SparseUniform(0.4), n, n_points, mirrored=mirrored)
    assert len(rule.weight) > fused_kernels.BLOCK
    return [quadrature_tensors(rule, dtype, CPU) for dtype in (torch.float32, torch.float64)]


def agree(ours, exact):
    """Whether two arrays, or tuples of them, agree within a part of their largest entry."""
    if isinstance(exact, tuple):
        assert len(ours) == len(exact)
        for one, other in zip(ours, exact, strict=True):
            agree(one, other)
        return
    assert (ours.dtype, exact.dtype) == (torch.float32, torch.float64)
    size = float(exact.abs().max()) + 0.01  # by symmetry some are 0
    torch.testing.assert_close(ours.double(), exact, rtol=0, atol=CLOSE * size)


@pytest.mark.parametrize(("n_dims", "n"), [(2, 4), (3, 6), (1, 5), (3, 3)])
@pytest.mark.parametrize(
    ("activation", "mirrored"),
    [(name, False) for name in ACTIVATIONS] + [(name, True) for name in fused_sums._EVEN],
)
def test_sums_of_the_computation_model(activation, mirrored, n_dims, n):
    rng, few, exact = np.random.default_rng(0), *nodes(n, mirrored)
    W = torch.from_numpy(rng.standard_normal((5, n_dims, n)))
    v = torch.from_numpy(np.exp(rng.standard_normal((5, n))))
    for bias in ("best", "none"):
        model = ToyModel("computation", activation, n, n_dims, bias)
        assert (sums_for(model, few), sums_for(model, exact)) == (fused_sums, tensor_sums)
        for name in ("computation_errors", "computation_losses"):
            ours = getattr(fused_sums, name)(model, W.float(), v.float(), few)
            agree(ours, getattr(tensor_sums, name)(model, W, v, exact))
        ours = fused_sums.computation_matrix(model, W.float(), few)
        agree(ours, tensor_sums.computation_matrix(model, W, exact))
    # One importance for all models.
    ours = fused_sums.computation_losses(model, W.float(), v[:1].float(), few)
    agree(ours, tensor_sums.computation_losses(model, W, v[:1], exact))


@pytest.mark.parametrize(("n_dims", "n"), [(2, 4), (5, 6), (1, 5)])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_sums_of_the_autoencoder(activation, n_dims, n):
    rng, few, exact = np.random.default_rng(0), *nodes(n, False)
    W = torch.from_numpy(rng.standard_normal((5, n_dims, n)))
    bias = torch.from_numpy(rng.standard_normal((5, n)))
    model = ToyModel("autoencoder", activation, n, n_dims)
    for name in ("autoencoder_errors", "autoencoder_losses", "autoencoder_slopes"):
        ours = getattr(fused_sums, name)(model, W.float(), bias.float(), few)
        agree(ours, getattr(tensor_sums, name)(model, W, bias, exact))


@pytest.mark.parametrize("activation", ["gelu", "tanh"])
def test_curved_activations_to_the_precision_of_float32_everywhere(activation):
    z = np.concatenate([np.linspace(-12, 12, 20_001), [-1e30, -1e-30, 0, 1e-30, 1e30]])
    for known, exact in (
        (fused_sums._WHOLE, with_slope(activation)),
        (fused_sums._EVEN, (linear_and_even(activation) or (0, None))[1]),
    ):
        if exact is None:
            continue
        value, slope = np.empty((2, len(z)), np.float32)
        code, *factors = known[activation]
        f = code, *map(np.float32, factors)
        fused_kernels.activate(f, z.astype(np.float32), len(z), value, slope)
        wanted = exact(torch.from_numpy(z.astype(np.float32)).double())
        off = np.abs(value - wanted[0].numpy()) / np.maximum(np.abs(z), 1)
        assert off.max() < 5e-7
        np.testing.assert_allclose(slope, wanted[1], rtol=0, atol=2e-6)


@pytest.mark.parametrize(
    ("activation", "value"),  # to tanh infinity is as good as a large number
    [(name, np.nan) for name in ACTIVATIONS] + [(n, np.inf) for n in ACTIVATIONS if n != "tanh"],
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_finite_is_not_hidden(kind, activation, value):
    model, (few, _) = ToyModel(kind, activation, 4, 2), nodes(4, False)
    W = torch.full((1, 2, 4), 0.5)
    W[0, 1, 2] = value
    loss = getattr(fused_sums, f"{kind}_errors")(model, W, torch.ones(1, 4), few)[0]
    assert not torch.isfinite(loss).all()


def test_nodes_of_two_kinds_take_the_steps_of_tensors(monkeypatch):
    """Plain nodes for the matrix, mirrored ones for the loss: each has its part of ReLU."""
    model, inputs, taken = ToyModel("computation", "relu", 4, 2), fc.SparseUniform(0.3), []
    descended = fused_sums.descended

    def count(*arguments):
        taken.append(arguments)
        return descended(*arguments)

    monkeypatch.setattr(fused_sums, "descended", count)
    plain, mirrored = (
        sparse_quadrature(inputs, 4, 1024, mirrored=mirrored) for mirrored in (False, True)
    )
    fc.minimize(model, inputs, [[1.0, 1, 1, 1]], quadrature=mirrored, rough=plain)
    assert not taken
    fc.minimize(model, inputs, [[1.0, 1, 1, 1]], quadrature=mirrored)
    assert taken


@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_model_alone_has_the_bits_that_it_has_in_a_batch(kind, bias):
    model, (few, _) = ToyModel(kind, "gelu", 4, 2, bias), nodes(4, False)
    rng = np.random.default_rng(0)
    parameters = torch.from_numpy(rng.standard_normal((7, 8 + model.n_bias))).float()
    v = torch.ones(7, 4)
    whole = linearize(model, parameters, v, few)
    alone = linearize(model, parameters[3:4], v[3:4], few)
    assert torch.equal(whole.loss[3:4], alone.loss)
    assert torch.equal(whole.gradient[3:4], alone.gradient)


def test_other_settings_take_the_sums_of_tensors():
    few, exact = nodes(3, False)
    assert sums_for(ToyModel("computation", torch.sin, 3, 2), few) is tensor_sums
    assert sums_for(ToyModel("computation", "relu", 3, 2), exact) is tensor_sums


@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("kind", KINDS)
def test_compiled_steps_are_those_of_tensors(kind, activation, bias, monkeypatch):
    model, v = ToyModel(kind, activation, 4, 2, bias), [[0.5, 1, 1, 1], [2, 1, 1, 1]]
    inputs = (fc.SparseUniform if kind == "computation" else fc.UnitSparseUniform)(0.3)
    one = fc.minimize(model, inputs, v, n_starts=6, promising=100)  # none leaves early
    monkeypatch.delattr(fused_sums, "descended")
    other = fc.minimize(model, inputs, v, n_starts=6, promising=100)
    np.testing.assert_allclose(one.loss, other.loss, rtol=1e-4)
    assert (one.converged == other.converged).all()
    # Rounding decides a few close calls: whether a step lowers the loss, and when one has arrived.
    assert np.isclose(one.loss_of_starts, other.loss_of_starts, rtol=1e-3).mean() > 0.7


def test_a_start_that_is_no_number_does_not_spoil_its_cell():
    model, v = ToyModel("computation", "relu", 4, 2), [[1.0, 1, 1, 1]]
    starts = np.random.default_rng(0).standard_normal((1, 3, 8))
    good = fc.minimize(model, fc.SparseUniform(0.3), v, starts=starts)
    starts[0, 1] = 1e30  # its loss is beyond the largest number
    found = fc.minimize(model, fc.SparseUniform(0.3), v, starts=starts)
    assert np.isfinite(found.loss).all()
    np.testing.assert_allclose(found.loss_of_starts[0, [0, 2]], good.loss_of_starts[0, [0, 2]])


def test_a_number_of_steps_that_no_search_takes_is_no_trouble():
    model, inputs = ToyModel("computation", "relu", 2, 1), fc.SparseUniform(0.5)
    few, many = (
        fc.minimize(model, inputs, [[1.0, 1.0]], n_starts=2, max_iterations=n, device="cpu")
        for n in (999, 10**400)
    )
    np.testing.assert_array_equal(few.W, many.W)
