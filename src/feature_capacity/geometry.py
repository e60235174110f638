"""Geometry of efficient embeddings: building them, and finding the blocks of a given one.

Implements section 4 and the constructive half of Appendix H.  An embedding is *efficient* when
its capacities sum to the number of dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._arrays import Array, require, require_finite, require_whole
from .allocation import Allocation
from .capacity import capacities
from .rotations import check_capacities, mix_columns, random_rotation


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


def embedding_from_capacities(
    capacity: Array,
    n_dims: int | None = None,
    generator: np.random.Generator | None = None,
) -> np.ndarray:
    """A semiorthogonal embedding whose columns have the given capacities (Theorem 1).

    W satisfies :math:`W W^T = I`, and column i has squared length C_i, which is also its capacity.

    Parameters
    ----------
    capacity : array, shape (n_features,)
        Numbers in [0, 1] that sum to a whole number of dimensions.
    n_dims : int, optional
        That whole number, if it is to be checked; default: the sum.
    generator : numpy.random.Generator, optional
        Without it the result is one fixed, upper triangular staircase, in which neighboring
        features may be parallel.  With it, features are taken in random order and mixed by random
        rotations that keep every length, which gives a member in general position.

    Returns
    -------
    array, shape (n_dims, n_features), float64

    Raises
    ------
    ValueError
        If a capacity is not finite or leaves [0, 1], or the sum is not the whole number
        ``n_dims`` to within 1e-9 of itself.

    Notes
    -----
    A column that carries the unused length of the last axis is rotated against each feature in
    turn: within an axis the carry is split, at the end of an axis it is combined with the next
    one.  That is at most n_features - 1 plane rotations; those within one axis act on parallel
    vectors and are written as one outer product, so the cost is that of writing the result.

    Source: Scherlis et al. 2022, Theorem 1 and Appendix H; the rotations are those of the
    Schur-Horn theorem (Chan and Li 1983, Dhillon and others 2005).

    Examples
    --------
    >>> W = embedding_from_capacities([0.5, 0.75, 0.75])
    >>> (W @ W.T).round(12)
    array([[1., 0.],
           [0., 1.]])
    >>> (W**2).sum(axis=0).round(12)
    array([0.5 , 0.75, 0.75])
    """
    c, used, whole = check_capacities(_to_numpy(capacity))
    if n_dims is not None:
        require_whole(
            n_dims, "n_dims", whole, whole, f"the sum of the capacities, which is {whole}"
        )
    if generator is None:
        return _staircase(c, used, whole)
    require(
        isinstance(generator, np.random.Generator),
        f"generator must be a numpy.random.Generator; got {type(generator).__name__}",
    )
    order = generator.permutation(c.size)
    shuffled = c[order]
    W = np.empty((whole, c.size))
    W[:, order] = _staircase(shuffled, np.cumsum(shuffled, dtype=np.longdouble), whole)
    return random_rotation(whole, generator) @ mix_columns(W, generator)


def optimal_embedding(
    allocation: Allocation, generator: np.random.Generator | None = None
) -> np.ndarray:
    """An embedding that attains an optimal allocation of the quadratic model (Appendix C.0.1).

    Fully represented features get orthogonal axes with squared length v_i, shared features one
    semiorthogonal block scaled by the multiplier, ignored features a zero column.

    Parameters
    ----------
    allocation : Allocation
        From :func:`feature_capacity.solve_allocation`, for one set of importances (no batch axes).
    generator : numpy.random.Generator, optional
        As in :func:`embedding_from_capacities`; it makes the shared block generic and turns the
        whole embedding at random.

    Returns
    -------
    array, shape (n_dims, n_features), float64

    Examples
    --------
    >>> from feature_capacity import capacities, solve_allocation
    >>> W = optimal_embedding(solve_allocation([10, 1, 1, 1], 3, kurtosis=9))
    >>> capacities(W).round(6)
    array([1.      , 0.666667, 0.666667, 0.666667])
    """
    c = np.asarray(_to_numpy(allocation.capacity), dtype=np.float64)
    n = np.asarray(_to_numpy(allocation.sq_norm), dtype=np.float64)
    require(
        c.ndim == 1,
        "allocation must hold one solution, without batch axes; "
        f"its capacities have shape {c.shape}",
    )
    own, shared = np.flatnonzero(c == 1), np.flatnonzero((c > 0) & (c < 1))
    W = np.zeros((allocation.n_dims, c.size))
    W[np.arange(own.size), own] = np.sqrt(n[own])
    if shared.size:
        block = embedding_from_capacities(c[shared], generator=generator)
        scale = np.sqrt(n[shared].sum() / c[shared].sum())
        W[own.size : own.size + block.shape[0], shared] = scale * block
    return W if generator is None else random_rotation(W.shape[0], generator) @ W


def tegum_product(*matrices: Array) -> np.ndarray:
    """Block-diagonal embedding: each factor in an orthogonal subspace of its own (section 4.3).

    >>> tegum_product([[1, -1]], [[2]])
    array([[ 1., -1.,  0.],
           [ 0.,  0.,  2.]])
    """
    require(len(matrices) > 0, "tegum_product needs at least one matrix")
    factors = [_one_matrix(matrix) for matrix in matrices]
    W = np.zeros((sum(f.shape[0] for f in factors), sum(f.shape[1] for f in factors)))
    row = column = 0
    for factor in factors:
        W[row : row + factor.shape[0], column : column + factor.shape[1]] = factor
        row, column = row + factor.shape[0], column + factor.shape[1]
    return W


def blocks(W: Array, tolerance: float = 1e-6) -> tuple[Block, ...]:
    """Split the features of an embedding into mutually orthogonal blocks (section 4.4).

    Two features are linked when the cosine between them exceeds ``tolerance``; blocks are the
    connected sets.  Features shorter than ``tolerance`` times the longest are ignored ones and
    belong to no block.  Blocks come in the order of their first feature.

    Parameters
    ----------
    W : array, shape (n_dims, n_features)
    tolerance : float
        In [0, 1): cosine below which vectors count as orthogonal.

    Returns
    -------
    tuple of Block

    Examples
    --------
    >>> for block in blocks([[1, -1, 0], [0, 0, 2]]):
    ...     print(block.features, block.dimension, round(block.scale, 12))
    (0, 1) 1 2.0
    (2,) 1 4.0
    """
    require(0 <= tolerance < 1, f"tolerance must be in [0, 1); got {tolerance!r}")
    W = _one_matrix(W)
    peak = np.abs(W).max()
    if peak == 0:
        return ()
    W = W / peak
    length = np.linalg.norm(W, axis=0)
    present = np.flatnonzero(length > tolerance * length.max())
    directions = W[:, present] / length[present]
    found = []
    for members in _connected(directions, tolerance):
        part = W[:, present[members]]
        squares = np.linalg.svd(part, compute_uv=False) ** 2
        squares = squares[squares > (tolerance**2 + 1e-15) * squares[0]]
        scale = float(squares.mean())
        found.append(
            Block(
                features=tuple(int(i) for i in present[members]),
                dimension=len(squares),
                scale=scale * float(peak) ** 2,
                deviation=float(np.abs(squares / scale - 1).max()),
            )
        )
    return tuple(sorted(found, key=lambda block: block.features[0]))


def is_efficient(W: Array, criterion: str = "capacity", tolerance: float = 1e-6) -> bool:
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
    W = _one_matrix(W)
    require(0 < tolerance < 1, f"tolerance must be in (0, 1); got {tolerance!r}")
    if criterion == "capacity":
        return bool(W.shape[0] - capacities(W).sum() <= tolerance)
    if criterion == "blocks":
        found = blocks(W, tolerance)
        spans = sum(block.dimension for block in found) == W.shape[0]
        return spans and all(block.deviation <= tolerance for block in found)
    if criterion == "singular_vectors":
        return _singular_vectors_separate(W, tolerance)
    raise ValueError(
        f"criterion must be 'capacity', 'blocks' or 'singular_vectors'; got {criterion!r}"
    )


def _staircase(c: np.ndarray, used: np.ndarray, n_dims: int) -> np.ndarray:
    nearest = np.rint(used)
    used = np.where(np.abs(used - nearest) < 1e-13 * (1 + nearest), nearest, used)
    axes = np.minimum(np.ceil(used).astype(int), n_dims)
    opens = np.flatnonzero(np.diff(axes, prepend=0))  # features at which a new axis is needed
    W = np.zeros((n_dims, c.size))
    carry = np.zeros(n_dims)  # unit direction of what is left over
    for axis, (i, stop) in enumerate(zip(opens, [*opens[1:], c.size], strict=True)):
        left = float(axis - used[i - 1]) if i else 0.0
        sin2 = min(max((c[i] - left) / (1 - left), 0.0), 1.0)
        sin, cos = np.sqrt(sin2), np.sqrt(1 - sin2)
        W[:axis, i] = cos * np.sqrt(left) * carry[:axis]
        W[axis, i] = sin
        carry *= -sin * np.sqrt(left)
        carry[axis] = cos
        size = np.linalg.norm(carry)
        if size > 0:
            carry /= size
        np.multiply.outer(
            carry[: axis + 1], np.sqrt(c[i + 1 : stop]), out=W[: axis + 1, i + 1 : stop]
        )
    return W


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
    _, s, rows = np.linalg.svd(W, full_matrices=False)
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


def _one_matrix(W: Any) -> np.ndarray:
    W = np.asarray(_to_numpy(W), dtype=np.float64)
    require(
        W.ndim == 2 and W.size > 0,
        f"W must have shape (n_dims, n_features), both at least 1; got {W.shape}",
    )
    require_finite(np, W, "W")
    return W


def _to_numpy(x: Any) -> Any:
    return x.detach().cpu().numpy() if hasattr(x, "detach") else x
