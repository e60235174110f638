"""Phase diagrams of the quadratic model in closed form (sections 3.5 and 3.6).

The most-importances-equal case: one feature has importance V, the others importance 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .._arrays import (
    Array,
    ArrayLike,
    Mask,
    as_float_arrays,
    checked,
    require,
    require_broadcast,
    require_number,
    require_where,
    require_whole,
    shown,
)
from .allocation import Allocation, phase_of, solve_allocation

_MOST_NUMBERS = 2**32


def monosemantic_boundary(n_features: int, n_dims: int, kurtosis: ArrayLike) -> Array:
    r"""Importance V from which the varied feature has a dimension of its own.

    Section 3.5.2: :math:`\frac{(k-1)(N-1)}{(k-3)(D-1)+2(N-1)}` for k > 3, and 1 for k <= 3.
    It rises with k to :func:`monosemantic_boundary_limit`.  Needs D < N and k >= 1.

    >>> float(monosemantic_boundary(6, 3, 9.0))  # 5 (k-1) / (2k+4) for six features in three
    1.8181818181818181
    """
    n, d, x, two = _case(n_features, n_dims, kurtosis)
    return (x + two) * (n - 1) / (x * (d - 1) + two * (n - 1))


def ignored_boundary(n_features: int, n_dims: int, kurtosis: ArrayLike) -> Array:
    r"""Importance V up to which the varied feature is ignored.

    Section 3.5.2: :math:`\frac{2(N-1)}{(k-3)D+2(N-1)}` for k > 3, and 1 for k <= 3.
    For large k it falls like :math:`2(N-1)/(kD)`.  Needs D < N and k >= 1.

    >>> float(ignored_boundary(6, 3, 9.0))  # 10 / (3k+1) for six features in three
    0.35714285714285715
    """
    n, d, x, two = _case(n_features, n_dims, kurtosis)
    return two * (n - 1) / (x * d + two * (n - 1))


def monosemantic_boundary_limit(n_features: int, n_dims: int) -> float:
    """Limit of :func:`monosemantic_boundary` for large kurtosis: (N - 1) / (D - 1).

    A feature more important than this is fully represented whatever the kurtosis.
    With one dimension there is no such importance and the limit is infinite.

    >>> monosemantic_boundary_limit(6, 3)
    2.5
    """
    _case(n_features, n_dims, 3.0)
    return float("inf") if n_dims == 1 else (n_features - 1) / (n_dims - 1)


@np.errstate(over="ignore")
def polysemantic_range(multiplier: ArrayLike, kurtosis: ArrayLike) -> tuple[Array, Array]:
    r"""Importances between which a feature is partly represented (section 3.5.1).

    :math:`\frac{2}{k-1}\lambda < v < \lambda`.  For k <= 3 the range is empty: its lower end is
    not below its upper end.  At k = 1 the lower end is infinite.

    >>> [float(end) for end in polysemantic_range(1.5, 9)]
    [0.375, 1.5]
    """
    xp, (lam, k) = checked(multiplier=multiplier, kurtosis=kurtosis)
    require_broadcast(multiplier=lam.shape, kurtosis=k.shape)
    some = k > 1
    low = 2 * (lam / xp.where(some, k - 1, xp.ones_like(k)))
    return xp.where(some, low, xp.full_like(low, float("inf"))), lam


def classify(capacity: ArrayLike, tolerance: float = 1e-9) -> Array:
    """Phase of each feature: 0 ignored, 1 polysemantic, 2 monosemantic.

    A capacity within ``tolerance`` of 0 or 1 counts as 0 or 1.

    >>> classify([0.0, 0.5, 1.0])
    array([0, 1, 2], dtype=int8)
    """
    xp, (C,) = as_float_arrays(capacity=capacity)
    tolerance = require_number(tolerance, "tolerance", 0, 0.5 - 2**-54, "[0, 0.5)")
    require_where(
        xp,
        (-tolerance <= C) & (1 + tolerance >= C),
        C,
        f"capacity must be in [0, 1] up to the tolerance ({tolerance:g})",
        "check where it comes from, or raise tolerance",
    )
    return phase_of(xp, C, tolerance)


def one_feature_varied(importance_1: ArrayLike, n_features: int) -> Array:
    """Importances of section 3.5.2: V for the first feature, 1 for the others.

    Implements equations (19) and (20).  Shape ``(*importance_1.shape, n_features)``.

    >>> one_feature_varied([0.5, 2.0], 3)
    array([[0.5, 1. , 1. ],
           [2. , 1. , 1. ]])
    """
    n_features = require_whole(n_features, "n_features", 1, None, "a whole number, at least 1")
    xp, (v,) = as_float_arrays(importance_1=importance_1)
    _require_size(n_features, math.prod(v.shape))
    rest = xp.ones_like(xp.broadcast_to(v[..., None], (*v.shape, n_features - 1)))
    return xp.concat([v[..., None], rest], axis=-1)


@dataclass(frozen=True)
class PhaseDiagram:
    """Capacity of the varied feature over a grid; first axis kurtosis, second its importance.

    Attributes
    ----------
    importance_1 : array (n_importance,)
    kurtosis : array (n_kurtosis,)
    capacity : array (n_kurtosis, n_importance)
        Capacity of the varied feature.
    phase : integer array (n_kurtosis, n_importance)
        Its phase, as in :func:`classify`.
    unique : boolean array (n_kurtosis, n_importance)
        False on the critical cells, where other allocations are as good.
    allocation : Allocation
        The whole solution of every cell.
    """

    importance_1: Array
    kurtosis: Array
    capacity: Array
    phase: Array
    unique: Mask
    allocation: Allocation


def phase_diagram(
    importance_1: ArrayLike, kurtosis: ArrayLike, n_features: int = 6, n_dims: int = 3
) -> PhaseDiagram:
    """Exact phase diagram of the most-importances-equal case, all cells in one call.

    Parameters
    ----------
    importance_1 : array, shape (n_importance,)
        Importances V of the varied feature.
    kurtosis : array, shape (n_kurtosis,)
        Fourth moments; ``SparseUniform(p).kurtosis`` turns a feature probability into one.
    n_features, n_dims : int
        N features in D dimensions, D < N.

    Examples
    --------
    >>> phase_diagram([0.1, 1.0, 10.0], [1.8, 9.0]).capacity
    array([[0. , 1. , 1. ],
           [0. , 0.5, 1. ]])
    """
    _, (v, k) = as_float_arrays(importance_1=importance_1, kurtosis=kurtosis)
    require(
        v.ndim == 1 and k.ndim == 1 and v.shape[0] > 0 and k.shape[0] > 0,
        "importance_1 and kurtosis must be one-dimensional grids, not empty; got shapes "
        f"{tuple(v.shape)} and {tuple(k.shape)}",
    )
    _case(n_features, n_dims, k)
    _require_size(n_features, v.shape[0] * k.shape[0])
    rows = one_feature_varied(v, n_features)[None, :, :]
    best = solve_allocation(rows, n_dims, k[:, None, None])
    return PhaseDiagram(
        importance_1=v,
        kurtosis=k,
        capacity=best.capacity[..., 0],
        phase=best.phase[..., 0],
        unique=best.unique,
        allocation=best,
    )


def _require_size(n_features: int, rows: int) -> None:
    require(
        n_features * max(rows, 1) <= _MOST_NUMBERS,
        f"n_features must leave at most {_MOST_NUMBERS:.0e} importances in all; got "
        f"{shown(n_features)} in {rows} cells: take fewer features, or a part of the grid at once",
    )


def _case(n_features: int, n_dims: int, kurtosis: ArrayLike) -> tuple[int, int, Array, Array]:
    """Both numbers, and how far the kurtosis is above 3 beside the number 2 in the same unit."""
    rule = "a whole number, at least 2"
    n = require_whole(n_features, "n_features", 2, 2**53, rule)
    rule = f"a whole number from 1 to n_features - 1 ({n - 1})"
    d = require_whole(n_dims, "n_dims", 1, n - 1, rule)
    xp, (k,) = checked(kurtosis=kurtosis)
    # A unit that leaves room for products with n.
    room = float(xp.finfo(k.dtype).max) / 2.0**60
    unit = xp.where(k > room, xp.full_like(k, 2.0**60), xp.ones_like(k))
    return n, d, xp.where(k > 3, k / unit - 3 / unit, xp.zeros_like(k)), 2 / unit
