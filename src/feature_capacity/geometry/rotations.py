"""Plane rotations of columns: the moves with which Theorem 1 builds and varies an embedding.

Rotating two columns of W into each other leaves :math:`W W^T` as it is and moves length from one
to the other, so a semiorthogonal matrix stays semiorthogonal while its capacities change.
"""

from __future__ import annotations

import math

import numpy as np

from .._arrays import ArrayLike, float64, require, require_finite, require_where


def check_capacities(capacity: ArrayLike) -> tuple[np.ndarray, np.ndarray, int]:
    """Capacities as float64, their running sums in extended precision, and the whole total.

    Raises ``ValueError`` unless they are numbers in [0, 1] that sum to a whole number, at least 1.
    """
    c = float64(capacity, "capacity")
    require(
        c.ndim == 1 and c.size > 0,
        f"capacity must be one-dimensional and not empty; got shape {c.shape}",
    )
    require_finite(np, c, "capacity")
    rule, remedy = "capacity must be in [0, 1]", "no embedding can give a feature that much"
    require_where(np, (c >= 0) & (c <= 1), c, rule, remedy)
    # Extended precision keeps the running sum exact to rounding for any number of features.
    used = np.cumsum(c, dtype=np.longdouble)
    total = float(used[-1])
    whole = round(total)
    require(
        whole >= 1 and abs(total - whole) <= 1e-9 * max(1, whole),
        f"capacities must sum to a whole number of dimensions, at least 1; they sum to {total!r}",
    )
    return c, used, whole


def rotation_steps(capacity: ArrayLike) -> list[np.ndarray]:
    """The proof of Theorem 1 as a film: every matrix on the way to the given capacities.

    The first has one unit column per axis and zeros elsewhere (section 4.1); each next one turns
    two neighboring columns into each other until the left one has its length; the last is, up to
    signs, ``embedding_from_capacities(capacity)``.  A step that would not turn anything is left
    out, so there are at most n_features matrices, that is, n_features - 1 rotations.

    Parameters
    ----------
    capacity : array, shape (n_features,)
        As in :func:`feature_capacity.embedding_from_capacities`, which is the fast way to the last
        matrix alone: this one keeps all of them.

    Returns
    -------
    list of array, shape (n_dims, n_features)

    Examples
    --------
    >>> for W in rotation_steps([0.5, 0.75, 0.75]):
    ...     print((W**2).sum(axis=0).round(12))
    [1. 0. 1.]
    [0.5 0.5 1. ]
    [0.5  0.75 0.75]
    """
    c, _, n_dims = check_capacities(capacity)
    W = np.zeros((n_dims, c.size))
    tiny = 1e-15 * c.size  # rounding of the sums
    axis, left = 0, 0.0  # axes opened, and the squared length that the current column carries
    for i in range(c.size):
        # A new axis opens at the first feature that what is left over cannot serve.
        if axis < n_dims and (c[i] > left or left < tiny):
            W[axis, i if left < tiny else i + 1] = 1.0
            axis, left = axis + 1, left + 1.0
        left -= c[i]
    steps = [W]
    for i in range(c.size - 1):
        angle = angle_to_length(W[:, i], W[:, i + 1], c[i])
        if angle is not None and abs(math.sin(angle)) > 1e-15:
            W = W.copy()
            turn(W.T, i, i + 1, angle)
            steps.append(W)
    return steps


def mix_columns(W: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Move a semiorthogonal matrix to general position; W W^T and all column lengths are kept.

    Turning two columns can only mirror them if both are to keep their lengths.  Three columns
    leave one free angle: the first two are turned at random, the second then gets its length back
    from the third, the third from the first.  Columns of length 0 or 1 cannot move and are skipped.
    """
    columns = np.ascontiguousarray(W.T)
    sq_norm = (columns**2).sum(axis=1)
    free = np.flatnonzero((sq_norm > 1e-12) & (sq_norm < 1 - 1e-12))
    if free.size < 3:
        return W
    # Few columns meet few partners in a round, and equal ones keep some right angles for a while.
    for _ in range(3 + 100 // free.size):
        order = generator.permutation(free)
        triples = zip(order, np.roll(order, 1), np.roll(order, 2), strict=True)
        random = generator.random((free.size, 3)).tolist()
        for triple, (angle, *mirrors) in zip(triples, random, strict=True):
            _mix_three(columns, triple, sq_norm, 2 * math.pi * (angle - 0.5), mirrors)
    return columns.T


def with_sum(c: np.ndarray, total: float) -> np.ndarray:
    """Capacities made to sum to the total: scaled down, or their gaps to 1 scaled down.

    Neither can leave the interval [0, 1].
    """
    if c.sum() >= total:
        return c * (total / c.sum())
    return 1 - (1 - c) * ((c.size - total) / (c.size - c.sum()))


def random_rotation(n: int, generator: np.random.Generator) -> np.ndarray:
    """A random orthogonal matrix of shape (n, n), uniformly distributed (Haar)."""
    q, r = np.linalg.qr(generator.standard_normal((n, n)))
    return q * np.sign(np.diag(r))


def random_projection(n: int, n_dims: int, generator: np.random.Generator) -> np.ndarray:
    """The orthogonal projection onto a random subspace, shape (n, n).

    >>> P = random_projection(4, 2, np.random.default_rng(0))
    >>> bool(np.allclose(P @ P, P)), float(P.trace().round(12))
    (True, 2.0)
    """
    basis = random_rotation(n, generator)[:n_dims]
    return basis.T @ basis


def turn(columns: np.ndarray, i: int, j: int, angle: float) -> None:
    """Rotate rows i and j of ``columns`` (one row per feature) into each other, in place."""
    cos, sin = math.cos(angle), math.sin(angle)
    x, y = columns[i], columns[j]
    columns[i], columns[j] = cos * x + sin * y, cos * y - sin * x


def angle_to_length(
    x: np.ndarray, y: np.ndarray, sq_norm: float, mirror: bool = False
) -> float | None:
    """Angle at which cos x + sin y has the given squared length; None where there is none.

    There are two such angles; ``mirror`` picks the other one.
    """
    xx, yy, dot = float(x @ x), float(y @ y), float(x @ y)
    half, radius = (xx - yy) / 2, math.hypot((xx - yy) / 2, dot)
    excess = sq_norm - (xx + yy) / 2
    if abs(excess) > radius + 1e-14:
        return None
    if radius < 1e-15:
        return 0.0
    swing = math.acos(min(max(excess / radius, -1.0), 1.0))
    return (math.atan2(dot, half) + (-swing if mirror else swing)) / 2


def _mix_three(
    columns: np.ndarray,
    triple: tuple[int, int, int],
    sq_norm: np.ndarray,
    angle: float,
    mirrors: list[float],
) -> None:
    i, j, k = triple
    x, y, z = columns[i].copy(), columns[j].copy(), columns[k].copy()
    # A large turn may leave a length out of reach of the others; a smaller one mostly does not.
    for _ in range(6):
        turn(columns, i, j, angle)
        for (a, b), mirror in zip(((j, k), (k, i)), mirrors, strict=True):
            back = angle_to_length(columns[a], columns[b], sq_norm[a], mirror < 0.5)
            if back is None:
                break
            turn(columns, a, b, back)
        else:
            return
        columns[i], columns[j], columns[k] = x, y, z
        angle /= 2
