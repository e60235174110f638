"""Ends of gradient descent against the allocation and the choices that are stable."""

import numpy as np

import feature_capacity as fc
from feature_capacity.theory.saddles import waiting_share


def test_every_start_arrives_at_kurtosis_3_and_above():
    for k in (3.0, 9.0):
        ends = fc.basins(np.geomspace(1, 0.2, 4), 2, k, n_starts=20)
        assert ends.best == 1
        assert ends.worst < 1.001


def test_dense_features_end_at_stable_choices():
    ends = fc.basins([1.1, 1.0, 0.9, 0.8], 2, 1.5, n_starts=30)
    assert ends.stable == 1
    assert ends.best < 0.6
    assert ends.n_choices == 6
    assert ends.worst > 1.1


def test_delays_do_not_depend_on_the_start():
    delays = fc.measured_delays([4.0, 3.0, 2.0, 1.0], 3, 1e-5, seed=3)
    assert np.allclose(delays.measured, delays.expected, atol=0.03 * delays.expected.max())
    assert (delays.capacity <= delays.length).all()


def test_waiting_is_seen_on_stairs_and_not_on_slopes():
    t = np.linspace(0, 1, 101)
    assert waiting_share(t, 1 - t) == 0
    stairs = np.where(t < 0.8, 1.0, 5 * (1 - t))
    assert 0.75 < waiting_share(t, stairs) < 0.85
    assert waiting_share(t, np.ones(101)) == 0
