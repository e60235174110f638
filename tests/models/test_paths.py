"""Paths of training against the exact flow, and what turns an embedding."""

import numpy as np
import pytest

import feature_capacity as fc
from feature_capacity.models import lessons
from feature_capacity.models.toy_models import ToyModel


def test_small_steps_with_the_expected_gradient_follow_the_flow():
    """At kurtosis 3; nodes are exact in the low moments that the quadratic model takes."""
    inputs, v, rate = fc.SparseUniform(0.6), [2.0, 1.0, 0.5], 2e-3
    model = ToyModel("computation", "quadratic", 3, 2)
    paths = fc.training_paths(
        model, inputs, v, n_steps=200, learning_rate=rate, n_models=2, n_records=5, n_points=2048
    )
    for i in range(2):
        exact = fc.flow_at_three(paths.W[0, i], v, rate * paths.steps)
        A, found = exact.mT @ exact, paths.W[:, i].mT @ paths.W[:, i]
        assert np.allclose(found, A, atol=0.05)
        assert np.allclose(paths.loss[:, i], fc.expected_loss(paths.W[:, i], v, 3.0), rtol=0.02)


@pytest.mark.parametrize("batch_size", [None, 32])
def test_plain_descent_does_not_turn_what_the_loss_cannot_see(batch_size):
    v, some = [1.0, 0.7, 0.4], {"n_steps": 50, "n_models": 2, "batch_size": batch_size}
    quadratic = ToyModel("computation", "quadratic", 3, 2)
    autoencoder = ToyModel("autoencoder", "gelu", 3, 2)
    neurons = ToyModel("computation", "relu", 3, 2)
    two, one = fc.SparseUniform(0.5), fc.UnitSparseUniform(0.5)
    for model, inputs in ((quadratic, two), (autoencoder, one)):
        plain = fc.training_paths(model, inputs, v, **some, learning_rate=0.005)
        assert plain.turned[-1].max() < 1e-10
        adam = fc.training_paths(model, inputs, v, rule="adam", **some)
        assert adam.turned[-1].min() > 1e-3
    turned = fc.training_paths(neurons, two, v, **some, learning_rate=0.1).turned
    assert turned[-1].min() > 1e-3
    assert (np.diff(turned, axis=0) >= 0).all()


def test_bad_settings_are_one_sentence():
    model, inputs = ToyModel("computation", "quadratic", 2, 1), fc.SparseUniform(1.0)
    with pytest.raises(ValueError, match="unknown rule"):
        fc.training_paths(model, inputs, [1.0, 1.0], rule="sgd")
    with pytest.raises(ValueError, match="smaller"):
        fc.training_paths(model, inputs, [1.0, 1.0], learning_rate=10.0, n_steps=50)
    with pytest.raises(ValueError, match="batch_size"):
        fc.training_paths(model, inputs, [1.0, 1.0], batch_size=1)


def test_kurtosis_falls_to_its_floor_and_not_below():
    inputs = fc.SparseUniform(0.2)
    k = lessons.kurtosis_after(inputs, np.geomspace(1e-3, 1e3, 40))
    assert (np.diff(k) < 1e-9).all()
    assert k[0] == pytest.approx(inputs.kurtosis, rel=1e-4)
    assert k[-1] == pytest.approx(5, rel=1e-2)
    assert (k > 5).all()


def test_a_weighted_feature_is_monosemantic_and_the_others_gain():
    v, d, k, chosen = np.arange(1, 31) ** -1.0, 8, 20.0, 6
    found = lessons.widen(v, d, k, chosen)
    raised = v.copy()
    raised[chosen] *= found.weight * (1 + 1e-9)
    C = fc.solve_allocation(raised, d + 1, k).capacity
    assert C[chosen] == 1
    raised[chosen] = v[chosen] * found.weight * 0.99
    assert fc.solve_allocation(raised, d + 1, k).capacity[chosen] < 1
    assert found.fall_of_others > 0
    assert 0 < found.gain_alone < 0.5
