"""Written gradients against automatic ones, and a trained row against the minimum."""

import numpy as np
import pytest
import torch

import feature_capacity as fc
from feature_capacity.models.activations import with_slope
from feature_capacity.models.quadrature import sparse_quadrature
from feature_capacity.models.row_training import (
    autoencoder_gradients,
    computation_gradients,
    train_row,
    weighted_batches,
)
from feature_capacity.models.toy_models import ToyModel, squared_error

GRADIENTS = {"computation": computation_gradients, "autoencoder": autoencoder_gradients}


@pytest.mark.parametrize("kind", GRADIENTS)
@pytest.mark.parametrize("activation", ["quadratic", "relu", "gelu", "tanh"])
def test_gradients_are_those_of_automatic_differentiation(kind, activation):
    model, generator = ToyModel(kind, activation, 5, 3), torch.Generator().manual_seed(0)
    W = torch.randn(4, 3, 5, generator=generator, dtype=torch.float64).requires_grad_()
    bias = torch.randn(4, *model.bias_shape, generator=generator, dtype=torch.float64)
    bias.requires_grad_()
    v = torch.rand(4, 5, generator=generator, dtype=torch.float64)
    x = torch.randn(64, 5, generator=generator, dtype=torch.float64)
    shaped = bias[:, None] if kind == "autoencoder" else bias
    loss = squared_error(model, W, shaped.squeeze(1) if kind == "autoencoder" else bias, v, x)
    weight = torch.rand(64, generator=generator, dtype=torch.float64)
    (loss @ weight).sum().backward()
    with torch.no_grad():
        found = GRADIENTS[kind](with_slope(activation), W, bias, v, x, weight)
    torch.testing.assert_close(found[0], W.grad)
    torch.testing.assert_close(found[1], bias.grad)


def test_batches_put_silent_inputs_together_and_keep_the_distribution():
    inputs, total = fc.UnitSparseUniform(0.05), torch.zeros(3)
    for _, (x, weight) in zip(range(400), weighted_batches(inputs, 6, 256, 3), strict=False):
        assert x[:-1].any(dim=1).all()
        assert not x[-1].any()
        assert len(x) == len(weight)
        assert float(weight.sum()) == pytest.approx(1, abs=1e-6)
        total += torch.stack([weight[-1], weight @ x[:, 0], weight @ x[:, 0] ** 2]) / 400
    expected = [0.95**6, 0.05 / 2, 0.05 / 3]
    # Four standard errors of 102,400 draws.
    variance = np.array([0.95**6 * (1 - 0.95**6), 0.05 / 3 - 0.025**2, 0.05 / 5 - (0.05 / 3) ** 2])
    assert (np.abs(total.numpy() - expected) < 4 * np.sqrt(variance / 102_400)).all()


def test_a_trained_row_comes_close_to_the_minimum():
    model, inputs = ToyModel("autoencoder", "relu", 3, 2), fc.UnitSparseUniform(0.3)
    v = np.array([[1.0, 0.8, 0.6], [1.0, 1.0, 1.0]])
    nodes = sparse_quadrature(inputs, 3, 4096, 5)
    best = fc.minimize(model, inputs, v, n_starts=12, quadrature=nodes)
    row = train_row(model, inputs, v, nodes, n_starts=4, n_steps=1500, learning_rate=5e-3)
    assert (row.loss >= (1 - 1e-3) * best.loss).all()
    assert (row.loss < 1.1 * best.loss).all()
    assert row.loss == pytest.approx(row.loss_of_starts.min(axis=1))


def test_more_networks_do_not_change_the_first():
    model, inputs = ToyModel("computation", "gelu", 3, 2), fc.SparseUniform(0.5)
    nodes = sparse_quadrature(inputs, 3, 512)
    few, many = (
        train_row(model, inputs, np.ones((n, 3)), nodes, n_starts=2, n_steps=20, batch_size=64)
        for n in (2, 5)
    )
    np.testing.assert_allclose(few.W, many.W[:2], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "word"),
    [({"n_steps": 0}, "n_steps"), ({"learning_rate": 0.0}, "learning_rate")],
)
def test_bad_settings_are_refused(options, word):
    model, inputs = ToyModel("autoencoder", "relu", 3, 2), fc.UnitSparseUniform(0.3)
    with pytest.raises(ValueError, match=word):
        train_row(model, inputs, np.ones((1, 3)), sparse_quadrature(inputs, 3, 64), **options)
