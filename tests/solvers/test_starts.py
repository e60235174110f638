"""Where minimizations start: arrangements, scaling with importance, and moves."""

import numpy as np
import pytest

import feature_capacity as fc
from feature_capacity.models.toy_models import ToyModel
from feature_capacity.solvers import starts
from feature_capacity.solvers.starts import (
    arranged_starts,
    arrangement,
    column_scale,
    moved,
    scaled,
)


@pytest.mark.parametrize(("n", "d"), [(6, 3), (6, 5), (2, 1), (9, 9), (1, 1)])
def test_arrangements_are_efficient_blocks(n, d):
    """Total capacity is the number of dimensions that vectors take, and vectors have length 1."""
    for seed in range(50):
        W = arrangement(n, d, np.random.default_rng(seed))
        lengths = np.linalg.norm(W, axis=0)
        assert set(lengths.round(9)) <= {0.0, 1.0}
        assert fc.capacities(W).sum() == pytest.approx(np.linalg.matrix_rank(W))


def test_all_kinds_of_blocks_are_drawn():
    seen = {
        tuple(np.sort(fc.capacities(arrangement(6, 3, np.random.default_rng(s)))).round(2))
        for s in range(300)
    }
    assert (0, 0, 0, 1, 1, 1) in seen
    assert (0.5,) * 6 in seen
    assert (0, 0, 0.75, 0.75, 0.75, 0.75) in seen
    assert (0, 0.5, 0.5, 0.67, 0.67, 0.67) in seen


def test_scaled_parameters_have_longer_columns_and_the_same_bias():
    model = ToyModel("autoencoder", "relu", 3, 2)
    start = np.arange(9.0)
    again = scaled(model, start, np.array([[2.0, 1, 1], [1, 1, 1]]))
    np.testing.assert_array_equal(again, [[0, 1, 2, 6, 4, 5, 6, 7, 8], start])
    assert column_scale(model, np.array([5.0]))[0] == 1
    quadratic = ToyModel("computation", "quadratic", 3, 2)
    assert column_scale(quadratic, np.array([9.0]))[0] == 3


def test_starts_of_a_cell_do_not_depend_on_the_others():
    model, v = ToyModel("computation", "relu", 4, 2), np.array([[5.0, 1, 1, 1], [1, 1, 1, 1]])
    both = arranged_starts(model, v, 3, [7, 1])
    assert both.shape == (2, 3, 8)
    np.testing.assert_array_equal(both[:1], arranged_starts(model, v[:1], 3, [7, 1]))


def test_a_move_changes_W_alone_and_is_repeated_by_its_seed():
    model, start = ToyModel("autoencoder", "relu", 4, 2), np.arange(12.0)
    for seed in range(20):
        once, again = (moved(model, start, np.ones(4), [seed]) for _ in range(2))
        np.testing.assert_array_equal(once, again)
        np.testing.assert_array_equal(once[8:], start[8:])
        assert (once[:8] != start[:8]).any()
    np.testing.assert_array_equal(start, np.arange(12.0))


@pytest.mark.parametrize("n_features", [1, 2, 6])
def test_every_move_is_made(n_features, monkeypatch):
    """Told by which weights change, without the noise that every start has."""
    monkeypatch.setattr(starts, "_NOISE", 0.0)
    n_dims = min(3, n_features)
    model, size = ToyModel("autoencoder", "relu", n_features, n_dims), n_dims * n_features
    start = np.append(1.0 + np.arange(size), np.zeros(n_features))
    changed = set()
    for seed in range(300):
        W = moved(model, start, np.ones(n_features), [seed])[:size].reshape(n_dims, n_features)
        other = start[:size].reshape(n_dims, n_features) != W
        changed.add((int(other.any(axis=0).sum()), int(other.any(axis=1).sum())))
    wanted = {1: {(0, 0), (1, 1)}, 2: {(1, 1), (1, 2), (2, 1), (2, 2)}}
    wanted[6] = {(6, 3), (2, 3), (3, 3), (1, 3), (6, 1), (1, 1)}
    assert changed == wanted[n_features]
