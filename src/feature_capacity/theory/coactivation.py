r"""Capacity that counts only interference which happens: weighted by co-activation.

Equation (3) charges a feature for every direction that it shares, even with features that are
never active at the same time.  With
:math:`h_{ij}=E[x_i^2x_j^2]/(E[x_i^2]E[x_j^2])`, 1 where independent, the interference that the
loss contains is :math:`2\sum_{i\ne j}h_{ij}(w_i\cdot w_j)^2`, and

.. math:: C_i^h = \frac{\|w_i\|^4}{\|w_i\|^4+\sum_{j\ne i}h_{ij}(w_i\cdot w_j)^2}

is the capacity for which that sum is :math:`2\sum_i n_i^2(1/C_i^h-1)`, as in equation (13).

*Bounds.*  :math:`0\le C_i^h\le1`; it is 1 exactly when the feature is orthogonal to all that are
ever active with it.

*Sum.*  If :math:`h_{ij}\ge1` for all pairs, :math:`C_i^h\le C_i` and the sum is at most *D*.  In
general, :math:`\sum_iC_i^h\le D\chi`, where :math:`\chi` is the least number of sets into which the
features can be parted so that inside each :math:`h_{ij}\ge1`: leaving out all of the denominator
but the feature's own set makes no capacity smaller, and inside a set the sum is at most *D* by the
first case.  And if :math:`h_{ij}\ge h_0` with :math:`0<h_0\le1`, it is at most
:math:`ND/(D+h_0(N-D))`: :math:`C_i^h\le C_i/(C_i+h_0(1-C_i))`, a rising concave function of the
:math:`C_i` (Jensen).  Tight frames of equal lengths attain it when all pairs have :math:`h_0`.

*The loss is no sum of terms of one capacity each* unless the squares are uncorrelated.  For given
capacities the loss at its best lengths is, with :math:`E=\mathrm{diag}(2/C_i^h-2)`,

.. math:: \mathcal L^*(C) = \min_n\,(n-v)^TG(n-v)+n^TEn = v^TG\,(G+E)^{-1}E\,v,\qquad
          n=(G+E)^{-1}Gv .

By the envelope theorem :math:`-\partial\mathcal L^*/\partial C_i=2n_i^2/C_i^2`: equation (14)
stands.  A second derivative gives
:math:`\partial^2\mathcal L^*/\partial E_i\partial E_j=-2n_in_j[(G+E)^{-1}]_{ij}`.  Were the loss a
sum of terms of one capacity each, this would vanish for all *E*; for large *E* it is
:math:`2n_in_jG_{ij}/(E_iE_j)+O(E^{-5})` with :math:`n_i\approx (Gv)_i/E_i`, so that
:math:`G_{ij}=\mathrm{Cov}(x_i^2,x_j^2)` must be 0 wherever both :math:`(Gv)_i` are not.

*Theorem 1* (any capacities in [0, 1] that add up to *D* are those of a matrix) fails for general
weights: where all :math:`h_{ij}=0` only 0 and 1 occur.  If all pairs have one *h* it holds for
:math:`C_i=hC_i^h/(1+(h-1)C_i^h)`, the equation (3) capacities behind them.  *Theorem 2* (efficient
matrices come apart into orthogonal blocks of equal length per capacity) is about equation (3); it
carries over for one *h*, where both capacities determine each other.
"""

from __future__ import annotations

import numpy as np
from array_api_compat import device

from .._arrays import (
    Array,
    ArrayLike,
    Namespace,
    as_float_arrays,
    checked,
    require,
    require_finite,
    require_number,
    require_where,
    require_whole,
)
from .moments import Moments

_COLUMNS = 4096


def weighted_capacities(W: ArrayLike, coactivation: ArrayLike) -> Array:
    r"""Capacity of each feature, counting interference by how often it happens.

    .. math:: C_i^h = \frac{\|w_i\|^4}{\|w_i\|^4+\sum_{j\ne i}h_{ij}(w_i\cdot w_j)^2}

    Parameters
    ----------
    W : array, shape (*batch, n_dims, n_features)
        For inputs of variance 1; otherwise multiply its columns by the standard deviations first.
    coactivation : float or array (n_features, n_features)
        :math:`h_{ij} = E[x_i^2x_j^2]/(E[x_i^2]E[x_j^2])`, at least 0, symmetric; the diagonal is
        not looked at.  A number serves for all pairs; 1 gives :func:`feature_capacity.capacities`.
        :attr:`.Moments.coactivation` has it.

    Returns
    -------
    array, shape (*batch, n_features)
        In [0, 1]; 0 for a zero column.  What their sum is bounded by is said in
        :mod:`feature_capacity.theory.coactivation`.

    Notes
    -----
    All pairs of columns are multiplied, a few thousand columns at a time: O(N^2 D) steps.

    Examples
    --------
    An antipodal pair shares a direction; if the two are never active together, neither pays:

    >>> weighted_capacities([[1, -1]], 1.0), weighted_capacities([[1, -1]], 0.0)
    (array([0.5, 0.5]), array([1., 1.]))
    """
    xp, (W,) = checked(W=W)
    require_finite(xp, W, "W")
    xp, (W, h) = as_float_arrays(W=W, coactivation=coactivation)
    n = W.shape[-1]
    require(
        h.ndim == 0 or h.shape == (n, n),
        f"coactivation must be a number or have shape ({n}, {n}); got {tuple(h.shape)}",
    )
    require_finite(xp, h, "coactivation")
    require_where(xp, h >= 0, h, "coactivation must be at least 0", "it is a mean of squares")
    sq_norm = xp.sum(W * W, axis=-2)
    some = sq_norm > 0
    length = xp.sqrt(xp.where(some, sq_norm, xp.ones_like(sq_norm)))
    direction = W / length[..., None, :]
    parts = []
    for start in range(0, n, _COLUMNS):
        columns = slice(start, start + _COLUMNS)
        weight = h if h.ndim == 0 else h[columns, :]
        parts.append(_interference(xp, W, direction[..., columns], weight, start))
    crowd = xp.concat(parts, axis=-1)
    present = xp.where(some, sq_norm, xp.ones_like(sq_norm))
    return xp.where(some, present / (present + crowd), xp.zeros_like(present))


def weighted_capacity_bound(n_features: int, n_dims: int, coactivation: float) -> float:
    r"""The most that weighted capacities can add up to if no pair has less co-activation.

    :math:`ND/(D+h(N-D))` for h <= 1, between D at h = 1 and N at h = 0, and D above; the proof is
    in :mod:`feature_capacity.theory.coactivation`.

    >>> weighted_capacity_bound(6, 3, 1.0), weighted_capacity_bound(6, 3, 0.0)
    (3.0, 6.0)
    """
    n = require_whole(n_features, "n_features", 1, None, "a whole number, at least 1")
    rule = f"a whole number from 1 to the number of features ({n})"
    d = require_whole(n_dims, "n_dims", 1, n, rule)
    h = require_number(coactivation, "coactivation", 0, float("inf"), "[0, inf)")
    return n * d / (d + min(h, 1.0) * (n - d))


def loss_at_weighted_capacities(
    capacity: ArrayLike, importance: ArrayLike, moments: Moments
) -> tuple[Array, Array]:
    r"""The least loss that given weighted capacities allow, and the lengths that attain it.

    :math:`\mathcal L^* = v^TG(G+E)^{-1}Ev` at :math:`n=(G+E)^{-1}Gv`, with
    :math:`E=\mathrm{diag}(2/C_i-2)` and G the covariance of the squares.  A lower bound: a matrix
    with these capacities and lengths need not exist, nor need the lengths be positive.

    Parameters
    ----------
    capacity : array, shape (n_features,), positive
    importance : array, shape (n_features,)
    moments : Moments, of variance 1

    Examples
    --------
    Independent features: the sum of equation (54)'s terms.

    >>> from feature_capacity.theory.moments import independent_moments
    >>> loss, _ = loss_at_weighted_capacities([0.5, 1], [1, 1], independent_moments(9.0, 2))
    >>> round(float(loss), 12)
    1.6
    """
    checked(capacity=capacity, importance=importance)
    xp, (C, v, second, fourth) = as_float_arrays(
        capacity=capacity, importance=importance, second=moments.second, fourth=moments.fourth
    )
    require(
        C.shape == v.shape == second.shape and C.ndim == 1,
        "capacity, importance and moments must be of the same features; got shapes "
        f"{tuple(C.shape)}, {tuple(v.shape)} and {tuple(second.shape)}",
    )
    require_where(xp, C > 0, C, "capacity must be above 0 here", "leave ignored features out")
    unit = xp.max(xp.abs(second - 1))
    require(bool(unit < 1e-6), "moments must be of inputs of variance 1: scale W and v instead")
    G = fourth - second[:, None] * second[None, :]
    E = xp.eye(C.shape[0], dtype=C.dtype, device=device(C)) * (2 / C - 2)
    lengths = xp.linalg.solve(G + E, (G @ v)[:, None])[:, 0]
    return xp.sum(v * (G @ (v - lengths))), lengths


def _interference(xp: Namespace, W: Array, part: Array, h: Array, start: int) -> Array:
    """Weighted squared products of unit columns with all others."""
    products = (part.mT @ W) ** 2
    index = np.arange(part.shape[-1])
    other = np.ones((part.shape[-1], W.shape[-1]))
    other[index, index + start] = 0
    mask = xp.asarray(other, dtype=W.dtype, device=device(W))
    return xp.sum(products * mask * h, axis=-1)
