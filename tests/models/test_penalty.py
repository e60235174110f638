"""A penalty on overlap: closed form against the sum, and its unit against sampling."""

import numpy as np
import pytest

import feature_capacity as fc
from feature_capacity.models.losses import sampled_loss
from feature_capacity.models.penalty import baseline_loss, penalized_kurtosis
from feature_capacity.models.toy_models import KINDS, ToyModel

from ..tolerances import ROUNDING, STANDARD_ERRORS


@pytest.mark.parametrize("k", [1.0, 2.0, 30.0])
@pytest.mark.parametrize("penalty", [0.0, 0.5, 70.0])
def test_loss_and_penalty_are_the_loss_at_another_kurtosis(k, penalty):
    rng = np.random.default_rng(0)
    W, v = rng.standard_normal((5, 2, 4)), rng.random((5, 4))
    products = W.swapaxes(1, 2) @ W
    overlap = (products**2).sum(axis=(1, 2)) - (np.linalg.norm(W, axis=1) ** 4).sum(axis=1)
    together = fc.expected_loss(W, v, k) + penalty * overlap
    other = penalized_kurtosis(k, penalty)
    np.testing.assert_allclose(
        together, (1 + penalty / 2) * fc.expected_loss(W, v, other), rtol=ROUNDING
    )


def test_the_critical_penalty_leaves_every_feature_alone():
    v, k = [1.0, 1.0, 1.0, 1.0], 20.0
    alone, shared = (
        fc.solve_allocation(v, 2, penalized_kurtosis(k, k - 3 + step)).capacity
        for step in (0.01, -0.01)
    )
    np.testing.assert_allclose(np.sort(alone), [0, 0, 1, 1])
    np.testing.assert_allclose(shared, 0.5)


@pytest.mark.parametrize("activation", ["quadratic", "relu"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_empty_network_is_the_best_one_without_weights(kind, activation):
    model, inputs = ToyModel(kind, activation, 3, 2), fc.UnitSparseUniform(0.4)
    v, W = np.array([[1.0, 2.0, 0.5]]), np.zeros((1, 2, 3))
    mean = {"quadratic": 0.4 / 3, "relu": 0.4 / 2}[activation]
    if kind == "computation":
        bias = np.array([3.5 * mean])
    else:
        bias = np.full((1, 3), {"quadratic": np.sqrt(0.2), "relu": 0.2}[activation])
    loss, error = sampled_loss(model, W, bias, v, inputs, 400_000)
    assert abs(loss[0] - baseline_loss(model, inputs, v)[0]) < STANDARD_ERRORS * error[0]
    aside = sampled_loss(model, W, bias + 0.2, v, inputs, 400_000)[0]
    assert aside[0] - loss[0] > STANDARD_ERRORS * error[0]


@pytest.mark.parametrize(("arguments", "word"), [((0.5, 1.0), "kurtosis"), ((9, -1.0), "penalty")])
def test_bad_penalties_are_refused(arguments, word):
    with pytest.raises(ValueError, match=word):
        penalized_kurtosis(*arguments)
