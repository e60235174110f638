"""Fewest neurons: rotations cannot hide it, and no random basis beats it."""

import numpy as np

from feature_capacity.geometry.neuron_bases import fewest_neurons, neurons_per_feature


def test_a_rotation_does_not_change_the_fewest():
    rng = np.random.default_rng(0)
    W = rng.normal(size=(5, 3, 6))
    turned = np.linalg.qr(rng.normal(size=(5, 3, 3)))[0] @ W
    one, two = (1 / fewest_neurons(x, n_starts=24) for x in (W, turned))
    np.testing.assert_allclose(one.sum(axis=1), two.sum(axis=1), rtol=1e-6)


def test_no_random_basis_is_better():
    rng = np.random.default_rng(1)
    W = rng.normal(size=(3, 6))
    best = (1 / fewest_neurons(W, n_starts=16)).sum()
    others = [
        1 / neurons_per_feature(np.linalg.qr(rng.normal(size=(3, 3)))[0] @ W) for _ in range(500)
    ]
    assert best >= max(each.sum() for each in others)


def test_pairs_can_be_put_on_neurons_and_ignored_features_have_none():
    rng = np.random.default_rng(2)
    pairs = np.linalg.qr(rng.normal(size=(3, 3)))[0] @ np.kron(np.eye(3), [1.0, -0.5])
    np.testing.assert_allclose(fewest_neurons(pairs), 1, atol=1e-6)
    assert np.isnan(neurons_per_feature([[1.0, 0.0], [1.0, 0.0]])[1])
