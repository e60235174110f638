"""Efficient embeddings with given capacities, and products of embeddings.

Implements Theorem 1, section 4.3 and the constructive half of Appendix H.  An embedding is
*efficient* when its capacities sum to the number of dimensions.
"""

from __future__ import annotations

import numpy as np

from .._arrays import ArrayLike, as_one_matrix, require, require_generator, require_whole, to_numpy
from ..theory.allocation import Allocation, require_allocation
from .rotations import check_capacities, mix_columns, random_rotation, with_sum


def embedding_from_capacities(
    capacity: ArrayLike,
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
    c, used, whole = check_capacities(capacity)
    if n_dims is not None:
        rule = f"the sum of the capacities, which is {whole}"
        require_whole(n_dims, "n_dims", whole, whole, rule)
    if generator is None:
        return _staircase(c, used, whole)
    require_generator(generator)
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
    require_allocation(allocation)
    if generator is not None:
        require_generator(generator)
    c, n = to_numpy(allocation.capacity), to_numpy(allocation.sq_norm)
    require(
        c.ndim == 1,
        "allocation must hold one solution, without batch axes; "
        f"its capacities have shape {c.shape}",
    )
    own, shared = np.flatnonzero(c == 1), np.flatnonzero((c > 0) & (c < 1))
    rounding = float(np.finfo(str(allocation.capacity.dtype).split(".")[-1]).eps)
    if c[shared].sum() <= 4 * rounding * c.size:
        shared = shared[:0]  # what rounding left of a budget that whole features use up
    W = np.zeros((allocation.n_dims, c.size))
    W[np.arange(own.size), own] = np.sqrt(n[own])
    if shared.size:
        part = _whole_sum(c[shared], rounding)
        block = embedding_from_capacities(part, generator=generator)
        # By an even power of two: the sum of the lengths is in range, and digits are kept.
        power = np.frexp(n[shared].max())[1] // 2
        scale = np.ldexp(np.sqrt(np.ldexp(n[shared], -2 * power).sum() / c[shared].sum()), power)
        W[own.size : own.size + block.shape[0], shared] = scale * block
    return W if generator is None else random_rotation(W.shape[0], generator) @ W


def tegum_product(*matrices: ArrayLike) -> np.ndarray:
    """Block-diagonal embedding: each factor in an orthogonal subspace of its own (section 4.3).

    >>> tegum_product([[1, -1]], [[2]])
    array([[ 1., -1.,  0.],
           [ 0.,  0.,  2.]])
    """
    from scipy.linalg import block_diag

    require(len(matrices) > 0, "tegum_product needs at least one matrix")
    return block_diag(*(as_one_matrix(matrix) for matrix in matrices))


def _whole_sum(c: np.ndarray, rounding: float) -> np.ndarray:
    """Capacities that sum to a whole number but for the rounding of each, made to do so."""
    total = c.sum()
    whole = np.rint(total)
    if abs(total - whole) <= 1e-9 or abs(total - whole) > 4 * rounding * c.size:
        return c
    return with_sum(c, whole)


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
