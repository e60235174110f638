"""Two constructions of an embedding with given capacities, tried on many tuples (Appendix H).

The induction of the paper, and the rotations of the Schur-Horn theorem.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement

import numpy as np

from .._arrays import ArrayLike, float64, require_generator, require_whole, to_numpy
from ..theory.capacity import capacities
from .blocks import Block
from .embeddings import embedding_from_capacities
from .ensembles import random_capacities
from .feasibility import build, induction
from .rotations import rotation_steps


@dataclass(frozen=True)
class Trial:
    """One tuple, built by both constructions.

    Attributes
    ----------
    n_features : int
    error : dict of str to float
        Largest error, by construction ("induction", "rotations"); see :func:`construction_error`.
    filled : dict of str to float
        Share of the entries of the embedding that are not zero, by construction.
    merges, complements, rotations : int
        Moves of the induction, and plane rotations of the other construction.
    """

    n_features: int
    error: dict[str, float]
    filled: dict[str, float]
    merges: int
    complements: int
    rotations: int


def construction_error(W: ArrayLike, capacity: ArrayLike) -> float:
    """How far an embedding is from being semiorthogonal with the given capacities; the largest.

    >>> construction_error([[0.6, 0.8]], [0.36, 0.64]) < 1e-15
    True
    """
    W = float64(W, "W")
    rows = np.abs(W @ W.T - np.eye(len(W))).max()
    off = np.abs(to_numpy(capacities(W)) - float64(capacity, "capacity"))
    return float(max(rows, off.max()))


def whole_tuples(denominator: int, largest: int = 8) -> Iterator[tuple[Fraction, ...]]:
    """Every tuple of capacities in multiples of one over the denominator with a whole sum.

    In rising order, of 1 to ``largest`` features; the sum is at least 1.

    >>> [" ".join(map(str, c)) for c in whole_tuples(2, 3)]
    ['1', '0 1', '1/2 1/2', '1 1', '0 0 1', '0 1/2 1/2', '0 1 1', '1/2 1/2 1', '1 1 1']
    """
    require_whole(denominator, "denominator", 1, None, "a whole number, at least 1")
    for n in range(1, largest + 1):
        for parts in combinations_with_replacement(range(denominator + 1), n):
            if sum(parts) and not sum(parts) % denominator:
                yield tuple(Fraction(part, denominator) for part in parts)


def compare_constructions(
    n_tuples: int, largest: int, generator: np.random.Generator
) -> list[Trial]:
    """Both constructions on random capacities, some of them 0 or 1.

    Parameters
    ----------
    n_tuples : int
    largest : int
        Features of the largest tuple before zeros and ones are added.
    generator : numpy.random.Generator

    Returns
    -------
    list of Trial

    Examples
    --------
    >>> trials = compare_constructions(20, 6, np.random.default_rng(0))
    >>> max(error for trial in trials for error in trial.error.values()) < 1e-12
    True
    """
    require_generator(generator)
    trials = []
    for n in generator.integers(2, largest + 1, n_tuples):
        inside = random_capacities(int(n), generator)
        ends = generator.integers(0, 2, generator.integers(0, 3))
        c = generator.permutation([*inside, *ends])
        steps = induction(c.tolist())
        moves = [step.move for step in steps]
        built = {
            "induction": build(steps)[-1][: steps[0].n_dims],
            "rotations": embedding_from_capacities(c),
        }
        error = {name: construction_error(W, c) for name, W in built.items()}
        filled = {name: float((np.abs(W) > 1e-12).mean()) for name, W in built.items()}
        turns = len(rotation_steps(c)) - 1
        counts = moves.count("merge"), moves.count("complement"), turns
        trials.append(Trial(len(c), error, filled, *counts))
    return trials


def block_isometry(W: ArrayLike, block: Block) -> np.ndarray:
    r"""The map from embedding vectors of a block to the projected axes, as a matrix (Appendix H).

    It is found from :math:`\Lambda w_i = \sqrt\mu\,\Pi e_i` alone, in bases of the space of the
    block and of its row space; that it is orthogonal is what the paper concludes.

    Parameters
    ----------
    W : array, shape (n_dims, n_features)
    block : Block
        One of :func:`feature_capacity.blocks`.

    Returns
    -------
    array, shape (block.dimension, block.dimension)

    Examples
    --------
    >>> from feature_capacity import blocks, polytope
    >>> triangle = 3 * polytope("triangle")
    >>> turn = block_isometry(triangle, blocks(triangle)[0])
    >>> (turn @ turn.T).round(12) + 0.0
    array([[1., 0.],
           [0., 1.]])
    """
    columns = float64(W, "W")[:, list(block.features)]
    turn = np.linalg.svd(columns)[0][:, : block.dimension]
    part = turn.T @ columns
    basis = np.linalg.svd(part, full_matrices=False)[2]
    return np.sqrt(block.scale) * basis @ np.linalg.pinv(part)
