"""The induction of Appendix H as code: every allocation of capacity belongs to some embedding.

A tuple of capacities is called *feasible* when some N x N orthogonal matrix U carries it: the
squared lengths of the columns of its first D rows.  Lemma 2 says how to get new feasible tuples
from old ones; each of its three parts is a function here that builds the new matrix.
:func:`induction` reduces a tuple to a single number by moves that the lemma can undo, and
:func:`build` undoes them one by one.  :func:`slack` is Lemma 1, which says when capacities sum to
the number of dimensions, written as an identity.

:func:`feature_capacity.embedding_from_capacities` reaches the same goal faster, by the rotations of
the Schur-Horn theorem; this module follows the paper's proof.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias, cast

import numpy as np

from .._arrays import (
    ArrayLike,
    float64,
    require,
    require_broadcast,
    require_finite,
    require_number,
    require_whole,
    shown,
)
from .rotations import check_capacities, turn

Number: TypeAlias = float | Fraction
"""What the induction computes with: floats, or fractions for exact work."""

_TINY = 1e-12  # rounding of the sums


@dataclass(frozen=True)
class Step:
    """One tuple on the way of the induction, and the move that shortens it.

    Attributes
    ----------
    capacity : tuple
        The tuple, in the numbers that came in: floats, or fractions for exact work.
    n_dims : int
        Their sum.
    move : {"merge", "complement", "base"}
        "merge": two entries are replaced by their sum, which goes to the end; "complement": every
        C becomes 1 - C; "base": one number is left.
    pair : tuple of int
        Positions that are merged; empty for the other moves.
    """

    capacity: tuple[Number, ...]
    n_dims: int
    move: str
    pair: tuple[int, ...] = ()


def slack(projection: ArrayLike, vectors: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    r"""What vectors in a subspace leave of its dimension, measured and from their angles (Lemma 1).

    For the unit vectors v_i along the columns, :math:`D - \sum_i (v_i \cdot e_i)^2`, and the same
    number as :math:`\sum_i P_{ii} \sin^2 t_i` with the angle t_i between v_i and the projection of
    the axis e_i.  The second shows that it is never negative, and when it is zero.

    Parameters
    ----------
    projection : array, shape (*batch, N, N)
        Orthogonal projection P onto a subspace to which no axis is orthogonal; D is its trace.
    vectors : array, shape (*batch, N, N)
        Columns in the subspace, of any length but zero; column i belongs to axis i.

    Returns
    -------
    tuple of array, shape (*batch)
        Measured, and from the angles.

    Examples
    --------
    >>> diagonal_line = np.full((2, 2), 0.5)
    >>> measured, predicted = slack(diagonal_line, diagonal_line)
    >>> float(measured.round(12)), float(predicted.round(12))
    (0.0, 0.0)
    """
    P, v = _square(projection, "projection"), _square(vectors, "vectors")
    require_broadcast(projection=P.shape, vectors=v.shape)
    v, along = _unit_columns(v, "vectors"), _unit_columns(P, "projection")
    aside = v - along * (v * along).sum(axis=-2, keepdims=True)
    share = np.diagonal(P, axis1=-2, axis2=-1)
    reached = (np.diagonal(v, axis1=-2, axis2=-1) ** 2).sum(axis=-1)
    return share.sum(axis=-1) - reached, (share * (aside**2).sum(axis=-2)).sum(axis=-1)


def _square(matrix: ArrayLike, name: str) -> np.ndarray:
    """Finite square matrices as float64, on the last two axes."""
    array = float64(matrix, name)
    require(
        array.ndim >= 2 and array.shape[-1] == array.shape[-2] > 0,
        f"{name} must have shape (*batch, N, N) with N at least 1; got {array.shape}",
    )
    require_finite(np, array, name)
    return array


def _unit_columns(matrix: np.ndarray, name: str) -> np.ndarray:
    length = np.linalg.norm(matrix, axis=-2, keepdims=True)
    require((length > 0).all(), f"{name} must have no zero column: it has no direction")
    return matrix / length


def _orthogonal(U: ArrayLike) -> np.ndarray:
    U = _square(U, "U")
    require(U.ndim == 2, f"U must be one matrix, of shape (N, N); got {U.shape}")
    return U


def carried(U: ArrayLike, n_dims: int) -> np.ndarray:
    """The tuple that an orthogonal matrix carries: squared lengths of columns of its first rows.

    >>> carried(np.eye(3), 2)
    array([1., 1., 0.])
    """
    U = _orthogonal(U)
    require_whole(n_dims, "n_dims", 0, len(U), f"a whole number in [0, {len(U)}]")
    return (U[:n_dims] ** 2).sum(axis=0)


def permute(U: ArrayLike, order: Sequence[int]) -> np.ndarray:
    """The matrix that carries the tuple in another order (Lemma 2, part 1).

    >>> permute(np.eye(2), [1, 0])
    array([[0., 1.],
           [1., 0.]])
    """
    U, place = _orthogonal(U), float64(order, "order")
    require(
        place.ndim == 1 and sorted(place.tolist()) == list(range(len(U))),
        f"order must be a permutation of 0 .. {len(U) - 1}; got {shown(order)}",
    )
    return U[:, place.astype(int)]


def split(U: ArrayLike, share: float) -> np.ndarray:
    """The matrix in which the last capacity has been split in two (Lemma 2, part 2).

    A row and a column of the unit matrix are added, and the new column is turned into the last one
    by the angle at which that keeps the given share of its capacity.

    Parameters
    ----------
    U : array, shape (N, N)
        Orthogonal.
    share : float
        In [0, 1]: the part of the last capacity that stays with feature N; feature N + 1 gets
        the rest.

    Returns
    -------
    array, shape (N + 1, N + 1)

    Examples
    --------
    A whole dimension, split in two halves:

    >>> (split(np.eye(1), 0.5) ** 2).round(12)
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """
    U, share = _orthogonal(U), require_number(share, "share", 0, 1, "[0, 1]")
    n = len(U)
    larger = np.zeros((n + 1, n + 1))
    larger[:n, :n] = U
    larger[n, n] = 1
    turn(larger.T, n - 1, n, math.acos(math.sqrt(share)))
    return larger


def complement(U: ArrayLike, n_dims: int) -> np.ndarray:
    """The matrix that carries 1 - C in N - D dimensions (Lemma 2, part 3).

    The first D rows change places with the rest; columns of U have length 1.

    >>> complement(np.diag([1, 2, 3]), 1)
    array([[0., 2., 0.],
           [0., 0., 3.],
           [1., 0., 0.]])
    """
    U = _orthogonal(U)
    require_whole(n_dims, "n_dims", 0, len(U), f"a whole number in [0, {len(U)}]")
    return np.roll(U, -n_dims, axis=0)


def induction(capacity: Sequence[Number]) -> tuple[Step, ...]:
    """The tuples that the proof of Theorem 1 passes through, from the given one to one number.

    The two smallest entries are merged if they sum to at most 1.  Otherwise no two do, and the
    tuple is replaced by its complement, in which all pairs do.

    Parameters
    ----------
    capacity : sequence of numbers
        In [0, 1], with a whole sum of at least 1.  ``fractions.Fraction`` stays exact.

    Returns
    -------
    tuple of Step
        One per move and the base: N - 1 merges and at most N - 1 complements.

    Raises
    ------
    ValueError
        As :func:`feature_capacity.embedding_from_capacities`.

    Examples
    --------
    >>> for step in induction([0.75, 0.5, 0.75]):
    ...     print(step.n_dims, step.capacity, step.move, step.pair)
    2 (0.75, 0.5, 0.75) complement ()
    1 (0.25, 0.5, 0.25) merge (0, 2)
    1 (0.5, 0.5) merge (0, 1)
    1 (1.0,) base ()
    """
    _, _, n_dims = check_capacities(cast("ArrayLike", capacity))
    values: list[Number] = [c if isinstance(c, Fraction) else float(c) for c in capacity]
    steps = []
    while len(values) > 1:
        order = sorted(range(len(values)), key=values.__getitem__)
        i, j = sorted(order[:2])
        total = values[i] + values[j]
        if total - 1 <= _TINY:
            steps.append(Step(tuple(values), n_dims, "merge", (i, j)))
            rest = [c for m, c in enumerate(values) if m not in (i, j)]
            values = [*rest, min(total, 1)]
        else:
            steps.append(Step(tuple(values), n_dims, "complement"))
            values, n_dims = [1 - c for c in values], len(values) - n_dims
    return (*steps, Step(tuple(values), n_dims, "base"))


def build(steps: Sequence[Step]) -> list[np.ndarray]:
    """An orthogonal matrix for every tuple of an induction, from the base back to the first.

    Parameters
    ----------
    steps : sequence of Step
        From :func:`induction`.

    Returns
    -------
    list of array
        In the order in which they are built: first the 1 x 1 matrix, last the one for
        ``steps[0]``, whose first ``steps[0].n_dims`` rows are the embedding.

    Examples
    --------
    >>> U = build(induction([0.75, 0.5, 0.75]))[-1]
    >>> (U[:2] ** 2).sum(axis=0).round(12)
    array([0.75, 0.5 , 0.75])
    """
    require(
        isinstance(steps, (tuple, list))
        and all(isinstance(step, Step) for step in steps)
        and len(steps) > 0
        and steps[-1].move == "base",
        "steps must end with the base; take them from induction(capacity)",
    )
    matrices = [np.eye(1)]
    for step in reversed(steps[:-1]):
        U = matrices[-1]
        if step.move == "complement":
            matrices.append(complement(U, len(U) - step.n_dims))
            continue
        i, j = step.pair
        first, second = float(step.capacity[i]), float(step.capacity[j])
        total = first + second
        grown = split(U, first / total if total > 0 else 1.0)
        # The merged entry was at the end: now it is two columns, which go where they came from.
        came_from = [m for m in range(len(grown)) if m not in step.pair] + [i, j]
        matrices.append(permute(grown, np.argsort(came_from).tolist()))
    return matrices


def embedding_by_induction(capacity: Sequence[Number]) -> np.ndarray:
    """A semiorthogonal embedding with the given capacities, built as in the proof of Appendix H.

    Parameters
    ----------
    capacity : sequence of numbers
        As in :func:`induction`.

    Returns
    -------
    array, shape (n_dims, n_features)

    Examples
    --------
    >>> W = embedding_by_induction([0.5, 0.75, 0.75])
    >>> (W @ W.T).round(12) + 0.0
    array([[1., 0.],
           [0., 1.]])
    """
    steps = induction(capacity)
    return build(steps)[-1][: steps[0].n_dims]
