"""Training by minibatches, against minimization and the closed form."""

import math

import numpy as np
import pytest

import feature_capacity as fc
from feature_capacity.models.losses import sampled_loss
from feature_capacity.models.toy_models import BIASES, KINDS, ToyModel
from feature_capacity.models.training import train
from feature_capacity.solvers.minimization import minimize

from ..tolerances import STANDARD_ERRORS


def test_training_comes_close_to_the_minimum_and_not_below():
    model, inputs = ToyModel("autoencoder", "relu", 3, 2), fc.UnitSparseUniform(0.3)
    v = np.array([[1.0, 0.8, 0.6], [1.0, 1.0, 1.0]])
    best = minimize(model, inputs, v, n_starts=12)
    found = train(model, inputs, v, n_steps=800, batch_size=256, learning_rate=8e-3, seed=1)
    W, bias = np.concatenate([found.W, best.W]), np.concatenate([found.bias, best.bias])
    losses = np.array(
        [sampled_loss(model, W, bias, np.tile(v, (2, 1)), inputs, 20_000, s)[0] for s in range(20)]
    )
    gap = losses[:, :2] - losses[:, 2:]
    error = gap.std(axis=0, ddof=1) / math.sqrt(20)
    assert (gap.mean(axis=0) > -STANDARD_ERRORS * error).all()
    assert (gap.mean(axis=0) < 0.3 * losses[:, 2:].mean(axis=0)).any()
    assert found.batch_loss[-1].mean() < found.batch_loss[0].mean()
    np.testing.assert_allclose(found.capacity, fc.capacities(found.W))


def test_each_model_may_have_its_own_inputs():
    model, v = ToyModel("computation", "quadratic", 2, 1), np.tile([1.3, 1.0], (2, 1))
    inputs = [fc.SparseUniform(1.0), fc.SparseUniform(0.05)]
    found = train(model, inputs, v, n_steps=800, learning_rate=2e-2, batch_size=512)
    for c, x in zip(found.capacity, inputs, strict=True):
        exact = fc.solve_allocation(v[0], 1, x.kurtosis).capacity
        np.testing.assert_allclose(c, exact, atol=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_training_respects_the_bias_asked_for(kind):
    each = {
        bias: train(
            ToyModel(kind, "relu", 3, 2, bias), fc.UnitSparseUniform(0.5), np.ones((2, 3)),
            n_steps=20, learning_rate=1e-2,
        ).bias
        for bias in BIASES
    }  # fmt: skip
    assert {b.shape for b in each.values()} == {(2,) if kind == "computation" else (2, 3)}
    assert not each["none"].any()
    assert each["best"].all()
    assert each["shared"].all()
    if kind == "autoencoder":
        assert (np.ptp(each["shared"], axis=1) == 0).all()
        assert (np.ptp(each["best"], axis=1) > 0).all()


def test_training_is_reproducible():
    model = ToyModel("autoencoder", "gelu", 3, 2)
    one, same, other = (
        train(model, fc.UnitSparseUniform(0.3), np.ones((2, 3)), n_steps=5, seed=s)
        for s in (4, 4, 5)
    )
    np.testing.assert_array_equal(one.W, same.W)
    assert not np.array_equal(one.W, other.W)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"optimizer": "sgdx"}, "adam"),
        ({"n_steps": 0}, "n_steps"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"inputs": [fc.SparseUniform(0.1)] * 3}, "one per model"),
        ({"inputs": [fc.SparseUniform(0.1), fc.SparseNormal(0.1)]}, "one class"),
        ({"importance": np.ones((2, 5))}, "shape"),
    ],
)
def test_bad_training_settings_are_refused(options, word):
    given = {"inputs": fc.SparseUniform(0.1), "importance": np.ones((2, 3)), **options}
    with pytest.raises(ValueError, match=word):
        train(ToyModel("autoencoder", "relu", 3, 2), **given)
