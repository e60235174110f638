"""The tools of a diagram notice what is wrong with them."""

from unittest.mock import patch

import numpy as np
import pytest

from feature_capacity.models import activations
from feature_capacity.sweeps import known_answers as known


def test_nodes_have_the_variance_of_their_inputs():
    on_nodes, exact = known.variance_on_nodes()
    np.testing.assert_allclose(on_nodes, exact, rtol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_two_ways_to_a_minimum_agree_with_the_definition(activation):
    found = known.minimized_two_ways(activation)
    np.testing.assert_allclose(found.reported, found.direct, rtol=1e-6)
    np.testing.assert_allclose(found.reported[:, 0], found.reported[:, 1], rtol=1e-6)


def test_a_wrong_slope_ends_elsewhere():
    right = known.minimized_two_ways("gelu").reported[:, 1]
    gelu = activations.with_slope("gelu")

    def wrong(z):
        value, slope = gelu(z)
        return value, 0.7 * slope + 0.3

    table = {**activations.ACTIVATIONS, "gelu": wrong}
    with patch.dict(activations.ACTIVATIONS, table):
        off = known.minimized_two_ways("gelu").reported[:, 1]
    assert (np.abs(off / right - 1) > 1e-4).any()


@pytest.mark.parametrize("n_cells", [31, 32, 64, 200])
@pytest.mark.parametrize("kurtosis", [4.0, 18.0, 1000.0])
def test_a_width_read_off_cells_is_that_of_theory_to_a_cell_at_either_edge(n_cells, kurtosis):
    read, exact = known.width_of_theory(n_cells, kurtosis)
    assert abs(read - exact) < 2 * 4 / (n_cells - 1)


def test_batches_are_those_of_the_distribution():
    for p in (0.2, 1.0):
        on_batch, exact = known.loss_of_a_batch(p, seed=1)
        assert on_batch == pytest.approx(exact, rel=0.05)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_the_edge_of_a_pair_is_where_two_losses_are_equal(p):
    pair, alone = known.losses_at_the_overlap_edge(p)
    assert pair == pytest.approx(alone, rel=0.01)
