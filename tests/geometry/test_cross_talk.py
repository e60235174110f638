"""Cross-talk of neurons, against sorting by hand."""

import numpy as np
import pytest

from feature_capacity.geometry.cross_talk import cross_talk
from feature_capacity.geometry.polytopes import in_the_plane

from ..tolerances import ROUNDING


def test_a_turn_undoes_rotation_and_not_overlap():
    turns = np.stack([in_the_plane([t, t + 90]).T for t in np.linspace(0, 90, 91)])
    assert cross_talk(turns @ in_the_plane([30, 120])).min() < ROUNDING
    # Fifty degrees apart: at best either lies twenty degrees off its neuron.
    apart = cross_talk(turns @ in_the_plane([20, 70]))
    assert apart.min() == pytest.approx(np.tan(np.radians(20)), rel=ROUNDING)


def test_the_worst_neuron_counts_and_a_silent_one_does_not():
    W = np.array([[3.0, -1.0, 2.0], [0.0, 0.0, 0.0], [1.0, 0.1, 0.0]])
    assert cross_talk(W) == pytest.approx(2 / 3)
    assert cross_talk(np.zeros((2, 3))) == 0


def test_one_feature_has_nobody_to_mix_with():
    with pytest.raises(ValueError, match="at least two features; got shape"):
        cross_talk([[1.0], [2.0]])
