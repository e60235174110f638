"""Automatic derivatives of capacities, against differences."""

import numpy as np

import feature_capacity as fc
from feature_capacity.models.derivatives import bend, slopes

from ..tolerances import DIFFERENCES


def test_slopes_and_bends_against_differences():
    generator = np.random.default_rng(3)
    W, V = generator.standard_normal((2, 2, 4))
    for measure in (fc.capacities, fc.leverage_capacities):
        below, here, above = (measure(W + t * V) for t in (-1e-4, 0, 1e-4))
        slope = np.einsum("iaj,aj->i", slopes(measure, W), V)
        np.testing.assert_allclose(slope, (above - below) / 2e-4, atol=DIFFERENCES)
        bent = (above - 2 * here + below) / 1e-8
        np.testing.assert_allclose(bend(measure, W, V), bent, atol=1e-5)
