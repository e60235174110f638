"""Losses on the nodes of Figure 7 beside a hundred million plain samples."""

import numpy as np
import pytest

import feature_capacity as fc
from feature_capacity.models.losses import quadrature_loss, sampled_loss
from feature_capacity.models.quadrature import sparse_quadrature

N_NODES = 32_768  # twice the book's, which the page says are right to a part in a thousand
PART = 2e-3
CELLS = [(0.3, 0.5), (0.3, 2.0), (1.0, 2.0)]  # probability, importance of feature 1


@pytest.mark.thorough
@pytest.mark.slow
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("kind", ["computation", "autoencoder"])
def test_nodes_agree_with_a_hundred_million_samples(kind, activation):
    model = fc.ToyModel(kind, activation)
    inputs_of = fc.SparseUniform if kind == "computation" else fc.UnitSparseUniform
    for p, V in CELLS:
        inputs, v = inputs_of(p), np.array([[V, 1, 1, 1, 1, 1]])
        found = fc.minimize(model, inputs, v, n_starts=8, seed=0)
        network = found.W, found.bias, v
        nodes = sparse_quadrature(inputs, 6, N_NODES, mirrored=kind == "computation")
        on_nodes = quadrature_loss(model, *network, nodes)[0]
        mean, error = sampled_loss(model, *network, inputs, 100_000_000, seed=1)
        assert error[0] < PART / 4 * mean[0]  # enough samples to tell
        assert abs(on_nodes / mean[0] - 1) < PART
