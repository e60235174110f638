"""Expected losses of given models, against the closed form."""

import numpy as np

import feature_capacity as fc
from feature_capacity.models.losses import sampled_loss
from feature_capacity.models.toy_models import ToyModel

from ..tolerances import STANDARD_ERRORS


def test_sampled_losses_have_the_stated_error():
    model, inputs = ToyModel("computation", "quadratic", 4, 2), fc.SparseNormal(0.5)
    W, v = np.random.default_rng(0).standard_normal((3, 2, 4)), np.ones((3, 4))
    exact = fc.expected_loss(W, v, inputs.kurtosis, bias=np.zeros(3))
    mean, error = sampled_loss(model, W, np.zeros(3), v, inputs, 200_000)
    assert (np.abs(mean - exact) < STANDARD_ERRORS * error).all()
    each = np.array([sampled_loss(model, W, np.zeros(3), v, inputs, 2000, s) for s in range(60)])
    np.testing.assert_allclose(each[:, 0].std(axis=0), each[:, 1].mean(axis=0), rtol=0.4)
