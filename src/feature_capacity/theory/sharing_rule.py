"""The sharing rule behind ``solve_allocation``: which feature is in which phase, and why.

Finds the multiplier of equations (15) to (18) exactly.  The total capacity is a decreasing
function of the multiplier whose breakpoints are multiples of the importances, so after one sort
a search over prefix sums tells how many features are whole and how many have any capacity, and
the multiplier follows from those that share by a closed form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from array_api_compat import device

from .._arrays import require_where

# Long rows are worked through in pieces that stay in cache between one operation and the next.
_CHUNK = 1 << 15

# Kurtosis below which differences of importance are measured from the edge.
_CLOSE = 3.5


@dataclass(frozen=True)
class Rule:
    """What every feature of a row needs to know to find its own capacity; all of batch shape."""

    low: Any  # importance from which a feature has some capacity
    high: Any  # importance from which it has a whole dimension
    origin: Any  # importances of those that share are counted from here
    offset: Any  # their mean from there
    mean: Any  # their mean
    fair: Any  # capacity at the mean
    tilt: Any  # extra capacity per relative distance above the mean
    multiplier: Any
    shares: Any  # whether any feature shares
    edge: Any  # the n_dims-th importance
    beyond: Any  # the one after it, 0 where there is none
    tie: Any  # whether features can be exchanged without changing the loss
    n_above: Any  # features that are represented whatever the choice among the tied ones


def sharing_rule(xp: Any, v: Any, k: Any, n_dims: int) -> Rule:
    """The rule of every row; ``v`` (*batch or fewer, N) validated, ``k`` of the batch shape."""
    n_features = v.shape[-1]
    # Ascending: the most important feature is the last.
    ordered = xp.sort(_constant(v), axis=-1, stable=False)
    edge = ordered[..., n_features - n_dims]
    no_more = n_dims == n_features
    beyond = xp.zeros_like(edge) if no_more else ordered[..., n_features - n_dims - 1]
    edge, beyond = xp.broadcast_to(edge, k.shape), xp.broadcast_to(beyond, k.shape)

    # Sharing pays when the best ignored feature, at its first bit of capacity, is worth more
    # than the least represented one at its last: (k-1)/2 v_(D+1) > v_(D).
    shares = (k > 3) & ((k - 1) / 2 * beyond > edge)
    least = float(xp.finfo(edge.dtype).smallest_normal) / float(xp.finfo(edge.dtype).eps)
    require_where(
        xp,
        (beyond == 0) | (edge >= least) | (k <= 3),
        edge,
        f"the n_dims-th largest importance must be at least {least:.0e} in {edge.dtype}, "
        "below which numbers lose digits",
        "multiply all importances by a constant",
    )
    indifferent = k == 1
    tie = (k <= 3) & (((edge == beyond) & (edge > 0) & (not no_more)) | indifferent)
    n_above = xp.zeros_like(edge)
    if bool(xp.any(tie)):
        above = n_features - _count_below(xp, ordered, edge, or_equal=True)
        n_above = xp.where(indifferent, n_above, xp.astype(above, v.dtype))
    low = high = multiplier = edge
    offset = mean = xp.ones_like(edge)
    fair = tilt = origin = xp.zeros_like(edge)
    if bool(xp.any(shares)):
        kk = xp.where(shares, k, xp.full_like(k, 9.0))
        # Close to k = 3 the features that share are nearly equal, and what decides is their small
        # differences: those are taken from the edge, where the subtraction is exact.
        close = shares & (k < _CLOSE)
        origin = xp.where(close, edge, origin)
        whole, active = _phase_sizes(xp, ordered, kk, n_dims, edge, close)
        lowest = _take(xp, ordered, n_features - active)
        highest = _take(xp, ordered, n_features - whole)
        highest = xp.where(whole > 0, highest, xp.full_like(highest, float("inf")))
        # Their own sum rather than a difference of prefix sums: differentiable, and free of
        # cancellation.
        total = sum(
            _sum_between(xp, v[..., columns], lowest, highest, origin)
            for columns in column_chunks(v)
        )
        count = xp.where(shares, xp.astype(active - whole, v.dtype), offset)
        budget = n_dims - xp.astype(whole, v.dtype)
        low, high = xp.where(shares, lowest, low), xp.where(shares, highest, high)
        offset = xp.where(shares, total / count, offset)
        mean = xp.where(shares, origin + offset, mean)
        fair = xp.where(shares, budget / count, fair)
        tilt = xp.where(shares, 2 / (kk - 3), tilt)
        inner = mean * ((kk - 1) / ((kk - 3) * fair + 2))
        multiplier = xp.where(shares, inner, multiplier)
    shared = (low, high, origin, offset, mean, fair, tilt, multiplier)
    return Rule(*shared, shares, edge, beyond, tie, n_above)


def _phase_sizes(
    xp: Any, ordered: Any, k: Any, n_dims: int, edge: Any, close: Any
) -> tuple[Any, Any]:
    """How many features have a whole dimension, and how many have any capacity."""
    n = ordered.shape[-1]
    exact, k, edge = (xp.astype(x, xp.float64, copy=False) for x in (ordered, k, edge))
    origin, distance = xp.zeros_like(edge), exact
    if bool(xp.any(close)):
        origin = xp.where(close, edge, origin)
        near = exact > origin[..., None] / 2  # the others are ignored anyway
        distance = xp.where(near, exact - origin[..., None], xp.zeros_like(exact))
    prefix = xp.cumulative_sum(distance, axis=-1)  # sums of the least important features

    def sum_of_least(number: Any) -> Any:
        return xp.where(number > 0, _take(xp, prefix, number - 1), xp.zeros_like(k))

    def total_capacity(multiplier: Any) -> Any:
        below = _count_below(xp, exact, multiplier)
        idle = _count_below(xp, exact, 2 * multiplier / (k - 1), or_equal=True)
        between = sum_of_least(below) - sum_of_least(idle)
        number = xp.astype(below - idle, xp.float64)
        # At a multiplier up to the edge more than n_dims features have capacity.
        enough = multiplier > edge
        usable = enough & (multiplier < float("inf"))
        floor = xp.where(usable, multiplier, xp.ones_like(multiplier))
        part = number + (k - 1) / (k - 3) * ((between + number * (origin - floor)) / floor)
        full = xp.astype(n - below, xp.float64) + part
        return xp.where(enough, full, xp.full_like(full, float("inf")))

    def most(fits: Any) -> Any:
        # Largest j in [0, n] for which fits(j) holds; it holds for 0 and then stops holding.
        low = xp.zeros(k.shape, dtype=xp.int64, device=device(k))
        high = xp.full(k.shape, n, dtype=xp.int64, device=device(k))
        for _ in range(n.bit_length()):
            middle = (low + high + 1) // 2
            ok = (middle == 0) | fits(middle)
            low = xp.where(ok, middle, low)
            high = xp.where(ok, high, middle - 1)
        return low

    # The j-th feature is whole when the multiplier at which it just becomes so leaves the budget
    # unspent or just spent; it is active when budget is left where it enters, at (k-1)/2 v_j.
    whole = most(lambda j: total_capacity(_take(xp, exact, n - j)) <= n_dims)
    active = most(lambda j: total_capacity((k - 1) / 2 * _take(xp, exact, n - j)) < n_dims)
    return whole, active


def _count_below(xp: Any, ordered: Any, bound: Any, or_equal: bool = False) -> Any:
    """Number of entries of each ascending row that are below the bound (or equal to it)."""
    if ordered.ndim == 1 and bound.ndim == 0:
        side = "right" if or_equal else "left"
        return xp.searchsorted(ordered, bound[None], side=side)[0]
    n = ordered.shape[-1]
    low = xp.zeros(bound.shape, dtype=xp.int64, device=device(bound))
    high = xp.full(bound.shape, n, dtype=xp.int64, device=device(bound))
    for _ in range(n.bit_length()):
        middle = (low + high + 1) // 2
        entry = _take(xp, ordered, middle - 1)
        ok = (middle == 0) | ((entry <= bound) if or_equal else (entry < bound))
        low = xp.where(ok, middle, low)
        high = xp.where(ok, high, middle - 1)
    return low


def _take(xp: Any, rows: Any, index: Any) -> Any:
    """Entry ``index`` of each row; an index that is out of range gives the nearest entry."""
    index = xp.clip(index, 0, rows.shape[-1] - 1)
    rows = xp.broadcast_to(rows, (*index.shape, rows.shape[-1]))
    return xp.take_along_axis(rows, index[..., None], axis=-1)[..., 0]


def _sum_between(xp: Any, v: Any, low: Any, high: Any, origin: Any) -> Any:
    """Sum of the importances in [low, high) of each row, each less the origin."""
    inside = (v >= low[..., None]) & (v < high[..., None])
    return xp.sum(xp.where(inside, v - origin[..., None], xp.zeros_like(v)), axis=-1)


def column_chunks(v: Any) -> list[slice]:
    """Slices of the features: one for short rows, cache-sized ones for a long row."""
    n = v.shape[-1]
    return [slice(a, min(a + _CHUNK, n)) for a in range(0, n, _CHUNK)]


def _constant(x: Any) -> Any:
    # Which feature is in which phase is locally constant: no gradient flows through the search.
    return x.detach() if hasattr(x, "detach") else x
