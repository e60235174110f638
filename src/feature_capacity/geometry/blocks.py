"""Blocks of an embedding: sets of features orthogonal to all others, and what makes it efficient.

Implements section 4.4 and Theorem 2.  An embedding is *efficient* when its capacities sum to the
number of dimensions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from .._arrays import ArrayLike, as_one_matrix, require, require_number, shown, to_numpy
from ..theory.capacity import total_capacity

_LARGEST_LENGTH = math.sqrt(np.finfo(np.float64).max)
_ABOVE_ZERO, _BELOW_ONE = np.nextafter(0.0, 1.0), np.nextafter(1.0, 0.0)


@dataclass(frozen=True)
class Block:
    """A set of features orthogonal to all others.

    Attributes
    ----------
    features : tuple of int
        Columns in the block, ascending.
    dimension : int
        Dimension of the space they span.
    scale : float
        Mean squared singular value, the lambda with :math:`W W^T = lambda I` on that space.
    deviation : float
        Largest relative departure of a squared singular value from ``scale``;
        0 when the block is semiorthogonal, that is, efficient.
    """

    features: tuple[int, ...]
    dimension: int
    scale: float
    deviation: float


def blocks(W: ArrayLike, tolerance: float = 1e-6) -> tuple[Block, ...]:
    """Split the features of an embedding into mutually orthogonal blocks (section 4.4).

    Two features are linked when the cosine between them exceeds ``tolerance``; blocks are the
    connected sets.  Features shorter than ``tolerance`` times the longest are ignored ones and
    belong to no block.  Blocks come in the order of their first feature.

    Parameters
    ----------
    W : array, shape (n_dims, n_features)
    tolerance : float
        In [0, 1): cosine below which vectors count as orthogonal.

    Examples
    --------
    >>> for block in blocks([[1, -1, 0], [0, 0, 2]]):
    ...     print(block.features, block.dimension, round(block.scale, 12))
    (0, 1) 1 2.0
    (2,) 1 4.0
    """
    tolerance = require_number(tolerance, "tolerance", 0, _BELOW_ONE, "[0, 1)")
    vectors = as_one_matrix(W)
    peak = np.abs(vectors).max()
    if peak == 0:
        return ()
    vectors = vectors / peak
    length = np.linalg.norm(vectors, axis=0)
    present = np.flatnonzero(length > tolerance * length.max())
    directions = vectors[:, present] / length[present]
    found = []
    for members in _connected(directions, tolerance):
        part = vectors[:, present[members]]
        squares = np.linalg.svd(part, compute_uv=False) ** 2
        squares = squares[squares > (tolerance**2 + 1e-15) * squares[0]]
        scale = float(squares.mean())
        length = float(peak) * math.sqrt(scale)
        require(
            length < _LARGEST_LENGTH,
            f"vectors must be shorter than {_LARGEST_LENGTH:.4g}, the root of the largest number; "
            f"got about {length:.4g}: multiply W by a constant",
        )
        found.append(
            Block(
                features=tuple(int(i) for i in present[members]),
                dimension=len(squares),
                scale=scale * float(peak) * float(peak),
                deviation=float(np.abs(squares / scale - 1).max()),
            )
        )
    return tuple(sorted(found, key=lambda block: block.features[0]))


def is_efficient(W: ArrayLike, criterion: str = "capacity", tolerance: float = 1e-6) -> bool:
    """Whether an embedding uses all the capacity its dimensions offer.

    Parameters
    ----------
    W : array, shape (n_dims, n_features)
    criterion : {"capacity", "blocks", "singular_vectors"}
        By the definition, that capacities sum to ``n_dims``; by Theorem 2, that every block is
        semiorthogonal and together they span the space; or by its equivalent in section 4.4, that
        no feature has a share in right singular vectors of two different singular values.
    tolerance : float
        Capacity that may be missing; or relative departure of squared singular values and
        cosines that count as zero.

    Notes
    -----
    Total capacity is at its maximum on efficient embeddings, so a departure of relative size e
    costs capacity of order e**2: at one tolerance the definition is the most lenient criterion.

    Section 4.4 does not say so, but its criterion by singular vectors needs all singular values to
    be positive: ``[[1, 0], [0, 0]]`` would meet it with a total capacity of 1 in 2 dimensions.

    Examples
    --------
    >>> pair = [[1, -1, 0], [0, 0, 2]]
    >>> [is_efficient(pair, c) for c in ("capacity", "blocks", "singular_vectors")]
    [True, True, True]
    >>> is_efficient([[1, 1, 0], [0, 1, 1]])
    False
    """
    vectors = as_one_matrix(W)
    tolerance = require_number(tolerance, "tolerance", _ABOVE_ZERO, _BELOW_ONE, "(0, 1)")
    criterion = criterion if isinstance(criterion, str) else shown(criterion)
    if criterion == "capacity":
        return bool(len(vectors) - float(total_capacity(vectors)) <= tolerance)
    if criterion == "blocks":
        found = blocks(vectors, tolerance)
        spans = sum(block.dimension for block in found) == len(vectors)
        return spans and all(block.deviation <= tolerance for block in found)
    if criterion == "singular_vectors":
        return _singular_vectors_separate(vectors, tolerance)
    raise ValueError(
        f"criterion must be 'capacity', 'blocks' or 'singular_vectors'; got {shown(criterion)}"
    )


def _connected(directions: np.ndarray, tolerance: float) -> list[np.ndarray]:
    """Connected sets of unit columns, visiting each column once as a frontier."""
    unseen = np.arange(directions.shape[1])
    sets = []
    while unseen.size:
        members = [unseen[:1]]
        frontier, unseen = unseen[:1], unseen[1:]
        while frontier.size and unseen.size:
            # A slice of the frontier at a time bounds the memory by that of the directions.
            linked = np.zeros(unseen.size, dtype=bool)
            for start in range(0, frontier.size, directions.shape[0]):
                some = directions[:, frontier[start : start + directions.shape[0]]]
                linked |= (np.abs(some.T @ directions[:, unseen]) > tolerance).any(axis=0)
            frontier, unseen = unseen[linked], unseen[~linked]
            members.append(frontier)
        sets.append(np.sort(np.concatenate(members)))
    return sets


def _singular_vectors_separate(W: np.ndarray, tolerance: float) -> bool:
    # By a power of two, so that the squares of singular values are in range and digits are kept.
    _, s, rows = np.linalg.svd(np.ldexp(W, -np.frexp(np.abs(W).max())[1]), full_matrices=False)
    if len(s) < W.shape[0] or s[-1] <= tolerance * s[0]:
        return False  # rank below n_dims
    squares = s**2
    group = np.concatenate([[0], np.cumsum(squares[:-1] - squares[1:] > tolerance * squares[:-1])])
    # Squared share of every feature in every group of equal singular values.
    shares = np.stack([(rows[group == g] ** 2).sum(axis=0) for g in range(group[-1] + 1)])
    total = shares.sum(axis=0)
    present = total > tolerance**2
    astray = total[present] - shares.max(axis=0)[present]
    return bool((astray <= tolerance**2 * total[present]).all())


def n_shared_blocks(W: ArrayLike, tolerance: float = 1e-5) -> int:
    """Number of blocks in which features share, having fewer dimensions than features.

    >>> n_shared_blocks([[1, -1, 0], [0, 0, 1]])
    1
    """
    return sum(len(block.features) > block.dimension for block in blocks(W, tolerance))


def names_of_blocks(W: ArrayLike, tolerance: float = 1e-4) -> str:
    """Features and dimensions of each block in words, largest first.

    >>> names_of_blocks([[1, -1, 0], [0, 0, 1]])
    '2 in 1 + 1 in 1'
    """
    sizes = sorted(((len(b.features), b.dimension) for b in blocks(W, tolerance)), reverse=True)
    return " + ".join(f"{n} in {d}" for n, d in sizes)


def relative_squares(W: np.ndarray, tolerance: float = 1e-4) -> np.ndarray:
    """Squared singular values of each block over their mean; all 1 if blocks are semiorthogonal.

    >>> relative_squares(np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 3.0]]))
    array([1., 1.])
    """
    squares = [
        np.linalg.svd(W[:, b.features], compute_uv=False)[: b.dimension] ** 2
        for b in blocks(W, tolerance)
    ]
    return np.concatenate([values / values.mean() for values in squares])


def can_split(capacity: ArrayLike) -> bool:
    """Whether some, but not all, of the shared capacities sum to a whole number.

    A block fills a whole number of dimensions, so that otherwise they form a single one.

    >>> can_split([0.5, 0.5, 0.5, 0.5]), can_split([0.6, 0.7, 0.7])
    (True, False)
    """
    c = to_numpy(capacity)
    c = c[(c > 0) & (c < 1)]
    sums = [sum(some) for size in range(1, len(c)) for some in combinations(c, size)]
    return bool(np.any(np.abs(sums - np.round(sums)) < 1e-9))


def fewest_features(W: np.ndarray) -> int:
    """Fewest features that any direction of a three-dimensional space serves.

    A direction can be at right angles to two vectors; those across all pairs are tried.

    >>> fewest_features(np.diag([1.0, 1.0, 1.0]))
    1
    """
    pairs = combinations(range(W.shape[1]), 2)
    across = [np.cross(W[:, i], W[:, j]) for i, j in pairs]
    served = [(np.abs(r @ W) > 1e-6).sum() for r in across if np.linalg.norm(r) > 1e-6]
    return int(min(served))


def stable_rank(W: np.ndarray) -> np.ndarray:
    """Sum of the squared singular values over the largest; at most the total capacity.

    Parameters
    ----------
    W : array (..., n_dims, n_features)
        Not zero.

    >>> float(stable_rank(np.diag([2.0, 1.0])))
    1.25
    """
    squares = np.linalg.svd(W, compute_uv=False) ** 2
    return squares.sum(axis=-1) / squares[..., 0]
