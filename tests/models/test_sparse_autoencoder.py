"""A sparse autoencoder finds known directions, and says how strong its latents are."""

import numpy as np
import pytest
import torch

import feature_capacity as fc
from feature_capacity.models.inputs import UnitSparseUniform
from feature_capacity.models.sparse_autoencoder import SparseAutoencoder, train_sparse_autoencoder

INPUTS = UnitSparseUniform(0.05)


@pytest.fixture(scope="module")
def known():
    """Two features of their own beside a triangle in a plane, turned at random."""
    W = fc.tegum_product(np.diag([2.0, 1.5]), fc.polytope("triangle"))
    return np.linalg.qr(np.random.default_rng(1).standard_normal((4, 4)))[0] @ W


@pytest.fixture(scope="module")
def trained(known):
    return train_sparse_autoencoder(known, INPUTS, 6, 0.05, n_steps=600, learning_rate=8e-3)


def test_every_known_direction_is_found(known, trained):
    latent, cosine = trained.found(known)
    assert (cosine > 0.98).all()
    assert len(set(latent)) == known.shape[1]
    assert trained.unexplained < 0.05
    np.testing.assert_allclose(np.linalg.norm(trained.directions, axis=0), 1, rtol=1e-12)


def test_strong_columns_have_the_capacities_of_the_known_features(known, trained):
    """One latent is too many: columns of length 1 lose capacity to them, strong ones do not."""
    latent, _ = trained.found(known)
    expected = fc.capacities(known)
    np.testing.assert_allclose(fc.capacities(trained.used)[latent], expected, atol=0.05)
    assert np.abs(fc.capacities(trained.directions)[latent] - expected).max() > 0.15


def test_strength_is_that_of_the_part_a_feature_makes_up(known, trained):
    latent, _ = trained.found(known)
    expected = np.linalg.norm(known, axis=0) * np.sqrt(INPUTS.moment(2))
    # The penalty takes some of every activation.
    np.testing.assert_allclose(trained.strength[latent] / expected, 0.96, atol=0.1)
    assert trained.n_active < 1.0


def test_the_same_seed_gives_the_same(known):
    runs = [train_sparse_autoencoder(known, INPUTS, 5, 0.1, n_steps=20, seed=s) for s in (3, 3, 4)]
    np.testing.assert_array_equal(runs[0].directions, runs[1].directions)
    assert np.abs(runs[0].directions - runs[2].directions).max() > 0.01


def test_a_zero_column_is_not_found():
    found = SparseAutoencoder(np.eye(2), np.ones(2), 1.0, 0.0)
    _, cosine = found.found(np.array([[3.0, 0.0], [0.0, 0.0]]))
    np.testing.assert_array_equal(cosine, [1, 0])


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"n_latents": 0}, "n_latents must be a whole number, at least 1; got 0"),
        ({"n_steps": 1.5}, "n_steps must be a whole number"),
        ({"penalty": -1}, "penalty must be finite and not negative; got -1"),
        ({"penalty": float("nan")}, "penalty must be finite"),
        ({"learning_rate": 0}, "learning_rate must be positive; got 0"),
        ({"W": np.ones(3)}, "W must be a matrix; it has the shape"),
        ({"device": "tpu"}, "device"),
    ],
)
def test_what_is_no_setting_is_refused(setting, told):
    usual = {"W": np.eye(2), "inputs": INPUTS, "n_latents": 2, "penalty": 0.1, "n_steps": 2}
    with pytest.raises(ValueError, match=told):
        train_sparse_autoencoder(**(usual | setting))


def test_a_tensor_is_taken():
    found = train_sparse_autoencoder(torch.eye(2), INPUTS, 2, 0.1, n_steps=2)
    assert isinstance(found.directions, np.ndarray)
