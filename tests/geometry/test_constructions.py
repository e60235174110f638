"""The two constructions of Theorem 1 side by side, and the isometry of a block."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

import feature_capacity as fc
from feature_capacity.geometry.constructions import (
    block_isometry,
    compare_constructions,
    construction_error,
    whole_tuples,
)
from feature_capacity.geometry.ensembles import random_efficient
from feature_capacity.geometry.feasibility import carried
from feature_capacity.geometry.rotations import random_projection, random_rotation

from ..tolerances import ROUNDING


def test_every_whole_tuple_comes_once():
    wanted = set()
    for n in range(1, 5):
        for parts in product(range(4), repeat=n):
            if sum(parts) % 3 == 0 and sum(parts) > 0:
                wanted.add(tuple(Fraction(part, 3) for part in sorted(parts)))
    found = list(whole_tuples(3, 4))
    assert len(found) == len(set(found))
    assert set(found) == wanted


def test_an_error_of_the_rows_or_of_a_capacity_is_seen():
    W = fc.embedding_from_capacities([0.5, 0.75, 0.75])
    assert construction_error(W, [0.5, 0.75, 0.75]) < ROUNDING
    assert construction_error(1.01 * W, [0.5, 0.75, 0.75]) == pytest.approx(0.0201)
    assert construction_error(W, [0.5, 0.7, 0.8]) == pytest.approx(0.05)


def test_trials_count_moves():
    for trial in compare_constructions(30, 9, np.random.default_rng(1)):
        assert trial.merges == trial.n_features - 1
        assert trial.complements <= trial.merges
        assert trial.rotations <= trial.merges
        assert max(trial.error.values()) < ROUNDING
        assert set(trial.filled) == {"induction", "rotations"}


@pytest.mark.parametrize("noise", [0, 0.1])
def test_the_map_is_orthogonal_only_for_efficient_blocks(noise):
    generator = np.random.default_rng(2)
    W = random_efficient([(3, 6)], generator) + noise * generator.standard_normal((3, 6))
    (block,) = fc.blocks(W)
    turn = block_isometry(W, block)
    error = abs(turn @ turn.T - np.eye(3)).max()
    assert error < ROUNDING if noise == 0 else error > 1e-3


def test_what_a_matrix_carries_and_a_projection():
    U = random_rotation(5, np.random.default_rng(3))
    np.testing.assert_allclose(carried(U, 2) + carried(np.roll(U, -2, 0), 3), 1, atol=ROUNDING)
    P = random_projection(5, 2, np.random.default_rng(4))
    np.testing.assert_allclose(np.linalg.eigvalsh(P), [0, 0, 0, 1, 1], atol=ROUNDING)
