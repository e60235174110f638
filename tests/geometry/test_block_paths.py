"""Blocks along a training: cosines against a loop, and sets against blocks built to measure."""

from itertools import combinations

import numpy as np
import pytest

from feature_capacity.geometry.block_paths import pair_cosines, settled, sharing_sets

RNG = np.random.default_rng(0)


def built(noise=0.0):
    """A pair along one axis, three features in a plane across it, and one that is absent."""
    turn = np.linalg.qr(RNG.standard_normal((3, 3)))[0]
    angle = np.array([0.3, 0.3 + 2 * np.pi / 3, 0.3 + 4 * np.pi / 3])
    W = np.zeros((3, 6))
    W[0, [0, 3]] = 1.0, -0.4
    W[1:, [1, 2, 5]] = 0.1 * np.array([np.cos(angle), np.sin(angle)])
    return turn @ W + noise * RNG.standard_normal(W.shape)


def test_cosines_are_those_of_a_loop():
    W = RNG.standard_normal((4, 2, 3, 5))
    found = pair_cosines(W)
    for a, b in np.ndindex(4, 2):
        w = W[a, b]
        each = [
            abs(w[:, i] @ w[:, j]) / np.sqrt((w[:, i] @ w[:, i]) * (w[:, j] @ w[:, j]))
            for i, j in combinations(range(5), 2)
        ]
        np.testing.assert_allclose(found[a, b], each, rtol=1e-12)


def test_cosines_do_not_turn_with_the_space():
    W = RNG.standard_normal((3, 6))
    turn = np.linalg.qr(RNG.standard_normal((3, 3)))[0]
    np.testing.assert_allclose(pair_cosines(turn @ W), pair_cosines(W), atol=1e-12)


@pytest.mark.parametrize("noise", [0.0, 0.004])
def test_sets_are_those_that_were_built(noise):
    """However short the vectors of a block: a tenth of the longest ones here."""
    W = built(noise)
    W[:, 4] = 1e-3
    assert sharing_sets(W) == ((0, 3), (1, 2, 5))
    assert sharing_sets(W, short=0.5) == ((0,),)


def test_a_path_settles_when_its_sets_no_longer_change():
    last = built()
    path = np.array([np.ones((3, 6)), last, np.ones((3, 6)), last, 2 * last, last])
    assert settled(path) == 3
    assert settled(path[3:]) == 0


def test_no_features_no_sets():
    assert sharing_sets(np.zeros((2, 3))) == ()
    assert np.isnan(pair_cosines(np.zeros((2, 3)))).all()


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: settled(np.eye(2)), "n_records"),
        (lambda: settled(np.zeros((0, 2, 2))), "at least one record"),
        (lambda: pair_cosines(np.ones(3)), "n_dims"),
        (lambda: pair_cosines(np.eye(2), short=2.0), "short"),
    ],
)
def test_mistakes_are_told(call, told):
    with pytest.raises(ValueError, match=told):
        call()
