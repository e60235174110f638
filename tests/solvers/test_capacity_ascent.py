"""Total capacity climbed from random starts, by two optimizers."""

import numpy as np

import feature_capacity as fc
from feature_capacity.solvers.capacity_ascent import climb, recorded_climb

from ..tolerances import OPTIMIZER, ROUNDING


def test_both_optimizers_end_at_the_number_of_dimensions():
    starts = np.random.default_rng(0).standard_normal((3, 2, 5))
    kept = starts.copy()
    ends, totals = recorded_climb(starts, 400)
    np.testing.assert_array_equal(starts, kept)
    np.testing.assert_allclose(totals[0], fc.total_capacity(starts), atol=ROUNDING)
    np.testing.assert_allclose(totals[-1], fc.total_capacity(ends), atol=ROUNDING)
    assert totals.shape == (401, 3)
    assert totals.max() < 2 + ROUNDING
    np.testing.assert_allclose(totals[-1], 2, atol=1e-3)
    np.testing.assert_allclose(fc.total_capacity(climb(starts)), 2, atol=OPTIMIZER)
