r"""Optimal capacity allocation in the quadratic model: exact, for any number of features.

Implements equations (15) to (18) and Appendix C.  The total capacity is a piecewise rational,
decreasing function of the multiplier whose breakpoints are the importances themselves, so one
sort and a search over prefix sums find the multiplier exactly; nothing is iterated to a tolerance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from array_api_compat import device

from ._arrays import (
    Array,
    as_float_arrays,
    require_importance,
    require_kurtosis,
    require_whole,
)

IGNORED, POLYSEMANTIC, MONOSEMANTIC = 0, 1, 2
REGIMES = ("ignored", "polysemantic", "monosemantic")


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
    regime : integer array (*batch, N)
        0 ignored, 1 polysemantic, 2 monosemantic (``REGIMES`` gives the names).
    loss : array (*batch)
        Expected loss at the optimum.
    unique : boolean array (*batch)
        False where other allocations are just as good.
    tied : boolean array (*batch, N)
        The features that can be exchanged without changing the loss; all False where unique.
    tied_budget : array (*batch)
        The capacity that the tied features share.
    divisible : boolean array (*batch)
        Whether the tied features may split their budget in any way between 0 and 1 each (k = 3).
        If not, the optima are the choices of ``tied_budget`` whole features among them (k < 3).
    importance, kurtosis, n_dims
        What was asked, as arrays and an int.
    """

    capacity: Array
    sq_norm: Array
    multiplier: Array
    multiplier_interval: Array
    regime: Array
    loss: Array
    unique: Array
    tied: Array
    tied_budget: Array
    divisible: Array
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


def solve_allocation(importance: Array, n_dims: int, kurtosis: Array) -> Allocation:
    r"""The capacities and lengths that minimize the expected loss of the quadratic model.

    Implements equations (15) and (16), for every kurtosis k >= 1.

    * k > 3, diminishing returns: features are ignored, shared or fully represented according to
      :math:`C_i = \frac{k-1}{k-3}\frac{v_i}{\lambda} - \frac{2}{k-3}` clipped to [0, 1].
    * k < 3, increasing returns: the ``n_dims`` most important features have a dimension each.
    * k = 3, constant returns: likewise, but features equal to the last one chosen may share in any
      way; they are given equal parts here.

    Parameters
    ----------
    importance : array, shape (*batch, n_features)
        Non-negative weights v in the target.
    n_dims : int
        Embedding dimension D, from 1 to the number of features.
    kurtosis : float or array that broadcasts to shape (*batch)
        Fourth moment k of a feature, at least 1.

    Returns
    -------
    Allocation
        NumPy arrays or tensors, like the importances.  Through torch, capacity, lengths,
        multiplier and loss carry gradients (one-sided ones at a phase boundary).

    Raises
    ------
    ValueError
        For a negative or non-finite importance, a kurtosis below 1, ``n_dims`` below 1 or above
        the number of features, or shapes that do not broadcast.

    Notes
    -----
    With fewer than ``n_dims`` features of positive importance the rest of the budget is worth
    nothing: features of importance 0 keep capacity 0 and the multiplier is 0.

    At k = 1 the target is constant and any set of orthogonal embeddings, even none, has loss 0;
    the limit of k from above is returned, with every feature marked as tied.

    One sort of the importances, then O(log(n_features)^2) look-ups for each batch entry.

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
    """
    xp, v, k = as_float_arrays(importance=importance, kurtosis=kurtosis)
    require_importance(xp, v)
    require_kurtosis(xp, k)
    n_features = v.shape[-1]
    n_dims = require_whole(
        n_dims,
        "n_dims",
        1,
        n_features,
        f"a whole number from 1 to the number of features ({n_features})",
    )
    try:
        batch = (xp.broadcast_to(v[..., 0] + k, _broadcast(v.shape[:-1], k.shape))).shape
    except (ValueError, RuntimeError) as error:
        raise ValueError(
            f"kurtosis of shape {tuple(k.shape)} must broadcast to the batch shape of importance, "
            f"{tuple(v.shape[:-1])}"
        ) from error

    kk = xp.broadcast_to(k, batch)
    ordered = xp.flip(xp.sort(_constant(v), axis=-1), axis=-1)
    edge = ordered[..., n_dims - 1]
    beyond = ordered[..., n_dims] if n_dims < n_features else xp.zeros_like(edge)
    edge, beyond = xp.broadcast_to(edge, batch), xp.broadcast_to(beyond, batch)

    # Sharing pays when the best ignored feature, at its first bit of capacity, is worth more
    # than the least represented one at its last: (k-1)/2 v_(D+1) > v_(D).
    diminishing = kk > 3
    shares = diminishing & ((kk - 1) / 2 * beyond > edge)
    top = xp.astype(v > edge[..., None], v.dtype)
    at_edge = (v == edge[..., None]) & (v > 0)
    capacity, multiplier = _corners(xp, top, at_edge, edge, kk, n_dims)
    if bool(xp.any(shares)):
        inner, inner_multiplier = _shared(xp, v, ordered, kk, n_dims, shares)
        capacity = xp.where(shares[..., None], inner, capacity)
        multiplier = xp.where(shares, inner_multiplier, multiplier)

    v_all = xp.broadcast_to(v, capacity.shape)
    whole = capacity == 1
    sq_norm = xp.where(whole, v_all, multiplier[..., None] * capacity)
    # On the k <= 3 side a divided tie (k = 3 only) obeys n = v C = multiplier * C as well.
    regime = xp.astype(capacity > 0, xp.int8) + xp.astype(whole, xp.int8)
    room = (kk[..., None] - 3) * capacity + 2
    per_dim = xp.where(whole, v_all, (kk[..., None] - 1) * v_all / xp.where(whole, 1.0, room))
    loss = xp.sum(2 * v_all * (1 - capacity) * per_dim, axis=-1)

    lowest = xp.where(shares, multiplier, (kk - 1) / 2 * beyond)
    lowest = xp.where(lowest < multiplier, lowest, multiplier)
    everything = kk == 1
    tie = ~diminishing & (((edge == beyond) & (edge > 0)) | everything)
    tie = tie & (n_dims < n_features)
    tied = tie[..., None] & (at_edge | everything[..., None])
    chosen_above = xp.where(everything, xp.zeros_like(edge), xp.sum(top, axis=-1))
    tied_budget = xp.where(tie, n_dims - chosen_above, xp.zeros_like(edge))
    return Allocation(
        capacity=capacity,
        sq_norm=sq_norm,
        multiplier=multiplier,
        multiplier_interval=xp.stack([lowest, multiplier], axis=-1),
        regime=regime,
        loss=loss,
        unique=~tie,
        tied=tied,
        tied_budget=tied_budget,
        divisible=tie & (kk == 3),
        importance=v,
        kurtosis=k,
        n_dims=n_dims,
    )


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
    from .quadratic import marginal_benefit

    xp, capacity, threshold = as_float_arrays(
        capacity=allocation.capacity, threshold=allocation.threshold
    )
    gain = marginal_benefit(capacity, allocation.importance, allocation.kurtosis)
    scale = xp.where(threshold > 0, threshold, xp.ones_like(threshold))[..., None]
    over = (gain - threshold[..., None]) / scale
    zero = xp.zeros_like(over)
    too_much = xp.where(over > 0, over, zero)
    too_little = xp.where(over < 0, -over, zero)
    shared = (capacity > 0) & (capacity < 1)
    corner = xp.where(capacity == 0, too_much, too_little)
    return xp.where(shared, xp.abs(over), corner)


def _corners(xp: Any, top: Any, at_edge: Any, edge: Any, k: Any, n_dims: int) -> tuple[Any, Any]:
    """Whole dimensions for the most important features; equal parts for a tie at k = 3."""
    left = (n_dims - xp.sum(top, axis=-1))[..., None]
    rank = xp.cumulative_sum(xp.astype(at_edge, top.dtype), axis=-1)
    first = xp.astype(at_edge & (rank <= left), top.dtype)
    n_tied = rank[..., -1:]
    part = xp.where(n_tied > left, left / xp.where(n_tied > 0, n_tied, 1.0), xp.ones_like(left))
    even = xp.where(at_edge, part, xp.zeros_like(top))
    return top + xp.where((k == 3)[..., None], even, first), edge


def _shared(xp: Any, v: Any, ordered: Any, k: Any, n_dims: int, shares: Any) -> tuple[Any, Any]:
    """Equations (15) and (16) where some features share; garbage where ``shares`` is False."""
    batch = k.shape
    ordered = xp.broadcast_to(ordered, (*batch, ordered.shape[-1]))
    k_safe = xp.where(shares, k, xp.full_like(k, 9.0))
    zero = xp.zeros((*batch, 1), dtype=v.dtype, device=device(v))
    prefix = xp.concat([zero, xp.cumulative_sum(ordered, axis=-1)], axis=-1)
    whole, active = _regime_sizes(xp, ordered, prefix, _constant(k_safe), n_dims)

    # The multiplier from the features that share, by their own sum: differentiable, and free of
    # the cancellation in a difference of prefix sums.
    take = xp.take_along_axis
    last = ordered.shape[-1] - 1
    low = take(ordered, xp.clip(active - 1, 0, last)[..., None], axis=-1)
    high = take(ordered, xp.clip(whole - 1, 0, last)[..., None], axis=-1)
    has_whole = (whole > 0)[..., None]
    sharing = (v >= low) & ~(has_whole & (v >= high))
    values = xp.where(sharing, v, xp.zeros_like(v))
    total = xp.sum(values, axis=-1)
    count = xp.sum(xp.astype(sharing, v.dtype), axis=-1)
    count = xp.where(shares, count, xp.ones_like(count))
    total = xp.where(shares, total, xp.ones_like(total))
    budget = n_dims - xp.astype(whole, v.dtype)
    multiplier = (k_safe - 1) * total / ((k_safe - 3) * budget + 2 * count)

    # Equation (15) about the mean of the sharing features: exact for equal features however
    # close k is to 3, where the printed form subtracts two numbers of size 2 / (k - 3).
    mean = (total / count)[..., None]
    relative = v / mean
    c = (budget / count)[..., None] * relative + 2 / (k_safe - 3)[..., None] * ((v - mean) / mean)
    inside = xp.clip(c, 0.0, 1.0)
    ones, zeros = xp.ones_like(inside), xp.zeros_like(inside)
    return xp.where(sharing, inside, xp.where(v >= low, ones, zeros)), multiplier


def _regime_sizes(xp: Any, ordered: Any, prefix: Any, k: Any, n_dims: int) -> tuple[Any, Any]:
    """How many features (most important first) are whole, and how many have any capacity."""
    n = ordered.shape[-1]

    def total_capacity(multiplier: Any) -> Any:
        whole = _count(xp, ordered, multiplier)
        active = _count(xp, ordered, 2 * multiplier / (k - 1), strict=True)
        between = _take(xp, prefix, active) - _take(xp, prefix, whole)
        number = xp.astype(active - whole, ordered.dtype)
        floor = xp.where(multiplier > 0, multiplier, xp.ones_like(multiplier))
        part = ((k - 1) * between / floor - 2 * number) / (k - 3)
        full = xp.astype(whole, ordered.dtype) + part
        return xp.where(multiplier > 0, full, xp.full_like(full, float("inf")))

    def largest(fits: Any) -> Any:
        # Largest j in [0, n] for which fits(j) holds; it holds for 0 and then stops holding.
        low = xp.zeros(k.shape, dtype=xp.int64, device=device(k))
        high = xp.full(k.shape, n, dtype=xp.int64, device=device(k))
        for _ in range(n.bit_length()):
            middle = (low + high + 1) // 2
            ok = fits(middle)
            low = xp.where(ok, middle, low)
            high = xp.where(ok, high, middle - 1)
        return low

    # Feature j is whole when the multiplier v_j, at which it just becomes so, leaves the budget
    # unspent; it is active when the budget is unspent at (k-1)/2 v_j, where it enters.
    whole = largest(lambda j: (j == 0) | (total_capacity(_take(xp, ordered, j - 1)) <= n_dims))
    active = largest(
        lambda j: (j == 0) | (total_capacity((k - 1) / 2 * _take(xp, ordered, j - 1)) < n_dims)
    )
    return whole, active


def _count(xp: Any, ordered: Any, bound: Any, strict: bool = False) -> Any:
    """Number of entries of each descending row that are at least (or above) the bound."""
    n = ordered.shape[-1]
    low = xp.zeros(bound.shape, dtype=xp.int64, device=device(bound))
    high = xp.full(bound.shape, n, dtype=xp.int64, device=device(bound))
    for _ in range(n.bit_length()):
        middle = (low + high + 1) // 2
        entry = _take(xp, ordered, middle - 1)
        ok = (middle == 0) | ((entry > bound) if strict else (entry >= bound))
        low = xp.where(ok, middle, low)
        high = xp.where(ok, high, middle - 1)
    return low


def _take(xp: Any, rows: Any, index: Any) -> Any:
    """Entry ``index`` of each row; a negative index stands for 'not used' and gives the first."""
    index = xp.clip(index, 0, rows.shape[-1] - 1)
    return xp.take_along_axis(rows, index[..., None], axis=-1)[..., 0]


def _broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    import numpy as np

    return np.broadcast_shapes(tuple(a), tuple(b))


def _constant(x: Any) -> Any:
    # Which feature is in which regime is locally constant: no gradient flows through the search.
    return x.detach() if hasattr(x, "detach") else x
