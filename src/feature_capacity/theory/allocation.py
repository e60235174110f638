r"""Optimal capacity allocation in the quadratic model: exact, for any number of features.

Implements equations (15) to (18) and Appendix C.  One sort of the importances and a search over
prefix sums find the multiplier exactly; nothing is iterated to a tolerance.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from array_api_compat import array_namespace, device

from .._arrays import (
    Array,
    ArrayLike,
    Mask,
    Namespace,
    checked,
    equal_in_rows,
    feature_kurtosis,
    require,
    require_broadcast,
    require_where,
    require_whole,
    shown,
)
from .quadratic import length_per_capacity
from .sharing_rule import Sharing, column_chunks, sharing_rule
from .unequal_shares import unequal_shares

_MOST_UNEQUAL = 1e9

IGNORED, POLYSEMANTIC, MONOSEMANTIC = 0, 1, 2
"""Numbers of the three phases of a feature, wherever phases are arrays."""
PHASES = ("ignored", "polysemantic", "monosemantic")
"""Names of the phases; the number of a phase is the index of its name."""


@dataclass(frozen=True)
class Allocation:
    """An optimal allocation; every array has the batch shape, those marked N also the features.

    Attributes
    ----------
    capacity : array (*batch, N)
        C of equation (15).
    sq_norm : array (*batch, N)
        Squared embedding lengths n of equation (16).
    multiplier : array (*batch)
        The paper's lambda of equations (15) to (18), the common ratio n / C of shared features.
        Where no feature is shared a whole interval of values serves, and this is its upper end.
    multiplier_interval : array (*batch, 2)
        Lower and upper end of the values that satisfy equations (6) to (8).
    phase : integer array (*batch, N)
        0 ignored, 1 polysemantic, 2 monosemantic (``PHASES`` gives the names).
    loss : array (*batch)
        Expected loss at the optimum.
    unique : boolean array (*batch)
        False where other allocations are just as good.
    tied : boolean array (*batch, N)
        The features that can be exchanged without changing the loss; all False where unique,
        or where a wholly different allocation is as good (only with unequal kurtosis).
    tied_budget : array (*batch)
        The capacity that the tied features share.
    divisible : boolean array (*batch)
        Whether the tied features may split their budget in any way between 0 and 1 each (k = 3).
        If not, the optima are the choices of ``tied_budget`` whole features among them (k < 3).
    importance, kurtosis, n_dims
        What was asked, as arrays and an int.  ``kurtosis`` has the batch shape, or that of
        ``capacity`` where features of a row differ in it.
    """

    capacity: Array
    sq_norm: Array
    multiplier: Array
    multiplier_interval: Array
    phase: Array
    loss: Array
    unique: Mask
    tied: Mask
    tied_budget: Array
    divisible: Mask
    importance: Array
    kurtosis: Array
    n_dims: int

    @property
    def threshold(self) -> Array:
        r"""The multiplier of section 2: the common marginal benefit, :math:`2\lambda^2`.

        The paper writes one letter for this and for ``multiplier``; equations (14) and (55) give
        the relation.
        """
        return 2 * self.multiplier**2


@np.errstate(over="ignore")  # sums beyond the range of numbers are infinite, as they should be
def solve_allocation(importance: ArrayLike, n_dims: int, kurtosis: ArrayLike) -> Allocation:
    r"""The capacities and lengths that minimize the expected loss of the quadratic model.

    Implements equations (15) and (16), for every kurtosis k >= 1, and beyond the paper for
    features that differ in it.

    * k > 3, diminishing returns: features are ignored, shared or fully represented according to
      :math:`C_i = \frac{k-1}{k-3}\frac{v_i}{\lambda} - \frac{2}{k-3}` clipped to [0, 1].
    * k < 3, increasing returns: the ``n_dims`` most important features have a dimension each.
    * k = 3, constant returns: likewise, but features equal to the last one chosen may share in any
      way; they are given equal parts here.
    * Unequal k: the same rule with each feature's own k.  Of the features up to 3 at most one
      shares, the others are whole or ignored
      (proofs: :mod:`feature_capacity.theory.unequal_kurtosis`).

    Parameters
    ----------
    importance : array, shape (*batch, n_features)
        Non-negative weights v in the target.
    n_dims : int
        Embedding dimension D, from 1 to the number of features.
    kurtosis : float or array that broadcasts against the importances
        Fourth moment k of a feature, at least 1: a number; ``(n_features,)``, one a feature; or
        ``(*batch, 1)``, one a row.

    Returns
    -------
    Allocation
        NumPy arrays or tensors, like the importances.  Through torch, capacity, lengths and
        loss carry gradients (one-sided ones at a phase boundary), and so does the multiplier
        where features share.

    Raises
    ------
    ValueError
        For a negative or non-finite importance, a kurtosis below 1, ``n_dims`` below 1 or above
        the number of features, shapes that do not broadcast, or unequal kurtosis above 1e9.

    Notes
    -----
    With fewer than ``n_dims`` features of positive importance the rest of the budget is worth
    nothing: features of importance 0 keep capacity 0 and the multiplier is 0.

    At k = 1 the target is constant and any set of orthogonal embeddings, even none, has loss 0;
    the limit of k from above is returned, with every feature marked as tied.

    One sort of the importances, then O(log(n_features)^2) look-ups for each batch entry.  Rows
    whose features differ in kurtosis are searched one after the other, a sort and a scan each; a
    feature of kurtosis 1, whose square is a constant, then gets nothing.

    Source: Scherlis et al. 2022, section 3.4 and Appendix C.

    Examples
    --------
    Three equal features share two dimensions; a fourth, ten times as important, has its own:

    >>> best = solve_allocation([10, 1, 1, 1], n_dims=3, kurtosis=9)
    >>> best.capacity.round(6), float(best.multiplier.round(6))
    (array([1.      , 0.666667, 0.666667, 0.666667]), 1.333333)

    Dense inputs: the most important features win everything.

    >>> solve_allocation([3, 1, 2], n_dims=2, kurtosis=1.8).capacity
    array([1., 0., 1.])

    A dense feature (k = 2.5) that shares with sparse ones:

    >>> solve_allocation([2.6, 1, 1, 1, 1], 2, [2.5, 30, 30, 30, 30]).capacity.round(4)
    array([0.2072, 0.4482, 0.4482, 0.4482, 0.4482])
    """
    xp, (v, k) = checked(importance=importance, kurtosis=kurtosis)
    k = feature_kurtosis(k, v.shape[-1])
    rule = f"a whole number from 1 to the number of features ({v.shape[-1]})"
    n_dims = require_whole(n_dims, "n_dims", 1, v.shape[-1], rule)
    batches = {"batch of importance": v.shape[:-1], "kurtosis": k.shape[:-1]}
    batch = require_broadcast(**batches)
    if equal_in_rows(xp, k):
        k = k[..., 0] if k.ndim else k
        return _solved(xp, v, k, xp.broadcast_to(k, batch), n_dims)
    rule = f"kurtosis that differs from feature to feature must be at most {_MOST_UNEQUAL:.0e}"
    remedy = "beyond, losses of one row lose their digits against each other"
    require_where(xp, k <= _MOST_UNEQUAL, k, rule, remedy)
    shape = (*batch, v.shape[-1])
    return _solved_unequal(xp, xp.broadcast_to(v, shape), xp.broadcast_to(k, shape), n_dims)


def _solved(xp: Namespace, v: Array, kurtosis: Array, k: Array, n_dims: int) -> Allocation:
    """The allocation for importances ``v`` that are valid; ``k`` is the kurtosis of each row."""
    rule = sharing_rule(xp, v, k, n_dims)
    multiplier, tie = rule.sharing.multiplier, rule.has_tie
    shares = _shares_in_chunks(xp, v, k, rule.sharing)
    tied = xp.zeros(shares.capacity.shape, dtype=xp.bool, device=device(v))
    tied_budget = xp.zeros_like(multiplier)
    if bool(xp.any(tie)):
        # Without sharing the multiplier is the n_dims-th largest importance.
        equal = tie[..., None] & (v == multiplier[..., None]) & (v > 0)
        tied = equal | (tie & (k == 1))[..., None]
        more_important = xp.astype(v > multiplier[..., None], v.dtype)
        left = n_dims - xp.sum(more_important, axis=-1)
        tied_budget = xp.where(tie, xp.where(k == 1, xp.full_like(left, n_dims), left), tied_budget)
        shares = _split_tie(xp, v, k, multiplier, equal, left, shares.capacity)
    return Allocation(
        capacity=shares.capacity,
        sq_norm=shares.sq_norm,
        multiplier=multiplier,
        multiplier_interval=xp.stack([rule.least_multiplier, multiplier], axis=-1),
        phase=phase_of(xp, shares.capacity),
        loss=shares.loss,
        unique=~tie,
        tied=tied,
        tied_budget=tied_budget,
        divisible=tie & (k == 3),
        importance=v,
        kurtosis=kurtosis,
        n_dims=n_dims,
    )


def _solved_unequal(xp: Namespace, v: Array, k: Array, n_dims: int) -> Allocation:
    """The allocation where features of some rows differ in kurtosis; v and k of one shape."""
    shares = unequal_shares(xp, v, k, n_dims)
    found = Allocation(
        capacity=shares.capacity,
        sq_norm=shares.sq_norm,
        multiplier=shares.multiplier,
        multiplier_interval=xp.stack([shares.least_multiplier, shares.multiplier], axis=-1),
        phase=phase_of(xp, shares.capacity),
        loss=_loss(xp, v, k, shares.capacity, shares.multiplier[..., None]),
        unique=shares.unique,
        tied=shares.tied,
        tied_budget=shares.tied_budget,
        divisible=xp.zeros_like(shares.unique),
        importance=v,
        kurtosis=k,
        n_dims=n_dims,
    )
    equal = xp.all(k == k[..., :1], axis=-1)
    if not bool(xp.any(equal)):
        return found
    # Rows whose features agree have a rule of their own; the others stand in for it meanwhile.
    alike = xp.where(equal, k[..., 0], xp.full_like(k[..., 0], 9.0))
    plain = _solved(xp, xp.where(equal[..., None], v, xp.ones_like(v)), k, alike, n_dims)
    chosen = {}
    for name in (field.name for field in fields(Allocation)):
        one, other = getattr(plain, name), getattr(found, name)
        if name not in ("importance", "kurtosis", "n_dims"):
            rows = xp.reshape(equal, (*equal.shape, *(1,) * (other.ndim - equal.ndim)))
            chosen[name] = xp.where(rows, one, other)
    return Allocation(**chosen, importance=v, kurtosis=k, n_dims=n_dims)


def require_allocation(allocation: object) -> None:
    """Raise ``ValueError`` unless this is what :func:`solve_allocation` returns."""
    good = isinstance(allocation, Allocation)
    require(good, f"allocation must come from solve_allocation; got {shown(allocation)}")


def phase_of(xp: Namespace, capacity: Array, tolerance: float = 0.0) -> Array:
    """Phase of each feature: 0 ignored, 1 polysemantic, 2 monosemantic.  Checks nothing."""
    some, whole = capacity > tolerance, capacity >= 1 - tolerance
    return xp.astype(some, xp.int8) + xp.astype(whole, xp.int8)


@np.errstate(over="ignore")
def kkt_residuals(allocation: Allocation) -> Array:
    r"""How far an allocation is from the optimality conditions, relative to the threshold.

    Implements equations (6) to (8) with :math:`\Lambda = 2\lambda^2` as their multiplier: an
    ignored feature must have marginal benefit at most :math:`\Lambda`, a shared one exactly
    :math:`\Lambda`, a fully represented one at least :math:`\Lambda`.  The residual is the size
    of the violation divided by :math:`\Lambda` (by 1 where it is 0); 0 means satisfied.
    Shape ``(*batch, n_features)``.

    >>> bool(kkt_residuals(solve_allocation([10, 1, 1, 1], 3, 9)).max() < 1e-14)
    True
    """
    require_allocation(allocation)
    capacity, k = allocation.capacity, allocation.kurtosis
    xp, multiplier = array_namespace(capacity), allocation.multiplier[..., None]
    k = k[..., None] if 0 < k.ndim < capacity.ndim else k
    gain = length_per_capacity(xp, capacity, allocation.importance, k)
    # Ratios before squares: neither overflows, whatever the scale of the importances.
    ratio = gain / xp.where(multiplier > 0, multiplier, xp.ones_like(multiplier))
    target = xp.astype(multiplier > 0, ratio.dtype)
    satisfied = ((capacity == 0) & (ratio <= target)) | ((capacity == 1) & (ratio >= target))
    ratio = xp.where(satisfied, target, ratio)
    return xp.abs(ratio - target) * (ratio + target)


@dataclass(frozen=True)
class _Shares:
    """What features get, and what they add to the loss of their row."""

    capacity: Array
    sq_norm: Array
    loss: Array


def _shares_in_chunks(xp: Namespace, v: Array, k: Array, sharing: Sharing) -> _Shares:
    chunks = column_chunks(v)
    if len(chunks) == 1:
        return _shares(xp, v, k, sharing)
    # Written in place: joining the pieces afterwards would touch every page of memory twice.
    shape = (*k.shape, v.shape[-1])
    capacity, sq_norm = (xp.empty(shape, dtype=v.dtype, device=device(v)) for _ in range(2))
    loss = xp.zeros(k.shape, dtype=v.dtype, device=device(v))
    for columns in chunks:
        part = _shares(xp, v[..., columns], k, sharing)
        capacity[..., columns], sq_norm[..., columns] = part.capacity, part.sq_norm
        loss = loss + part.loss
    return _Shares(capacity, sq_norm, loss)


def _shares(xp: Namespace, v: Array, k: Array, sharing: Sharing) -> _Shares:
    """Capacity and squared length of some of the features of each row, and their summed loss."""
    row, k = sharing.for_features(), k[..., None]
    # Equation (15) about the mean of the sharing features: exact for equal features however
    # close k is to 3, where the printed form subtracts two numbers of size 2 / (k - 3).
    at_mean = row.capacity_at_mean * v
    above_mean = row.capacity_slope * (v - row.origin - row.mean_offset)
    part = xp.clip((at_mean + above_mean) / row.mean_importance, 0.0, 1.0)
    whole = (v >= row.whole_from) & (v > 0)
    some = xp.astype(v >= row.ignored_below, v.dtype)
    capacity = xp.where(whole, xp.ones_like(part), part * some)
    sq_norm = xp.where(whole, v + xp.zeros_like(part), row.multiplier * capacity)
    return _Shares(capacity, sq_norm, _loss(xp, v, k, capacity, row.multiplier))


def _split_tie(
    xp: Namespace, v: Array, k: Array, multiplier: Array, tied: Mask, left: Array, capacity: Array
) -> _Shares:
    """Give what is left to tied features: to all alike at k = 3, to the first ones below."""
    k, multiplier, left = k[..., None], multiplier[..., None], left[..., None]
    rank = xp.cumulative_sum(xp.astype(tied, v.dtype), axis=-1)
    one, zero = xp.ones_like(capacity), xp.zeros_like(capacity)
    number = rank[..., -1:]
    alike = left / xp.where(number > 0, number, one[..., :1])
    given = xp.where(k == 3, alike, xp.where(rank <= left, one, zero))
    capacity = xp.where(tied, given, capacity)
    sq_norm = xp.where(capacity == 1, v, multiplier * capacity)
    return _Shares(capacity, sq_norm, _loss(xp, v, k, capacity, multiplier))


def _loss(xp: Namespace, v: Array, k: Array, capacity: Array, multiplier: Array) -> Array:
    """Sum over features of 2 v (1 - C) n* / C, the loss at the best lengths."""
    length_per_capacity = xp.where(capacity > 0, multiplier, (k - 1) / 2 * v)
    return 2 * xp.sum(v * (1 - capacity) * length_per_capacity, axis=-1)
