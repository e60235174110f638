"""The sharing rule behind ``solve_allocation``: which feature is in which phase, and why.

Finds the multiplier of equations (15) to (18) exactly.  The total capacity is a decreasing
function of the multiplier whose breakpoints are multiples of the importances, so after one sort
a search over prefix sums tells how many features are whole and how many have any capacity, and
the multiplier follows from those that share by a closed form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from array_api_compat import device

from .._arrays import Array, Mask, Namespace, constant, require_where

# Long rows are worked through in pieces that stay in cache between one operation and the next.
_CHUNK = 1 << 15

# Kurtosis below which differences of importance are measured from the n_dims-th one.
_CLOSE = 3.5


@dataclass(frozen=True)
class Sharing:
    """What a feature needs to know of its row to find its own capacity; all of batch shape."""

    ignored_below: Array
    """Importance from which a feature has some capacity."""
    whole_from: Array
    """Importance from which it has a whole dimension."""
    origin: Array
    """Importances of those that share are counted from here."""
    mean_offset: Array
    """Their mean from there."""
    mean_importance: Array
    """Their mean."""
    capacity_at_mean: Array
    """Capacity of a feature of that importance."""
    capacity_slope: Array
    """Extra capacity per relative distance above the mean."""
    multiplier: Array
    """The paper's lambda of equations (15) to (18)."""

    def for_features(self) -> Sharing:
        """The same with an axis for the features."""
        return Sharing(*(getattr(self, field.name)[..., None] for field in fields(self)))


@dataclass(frozen=True)
class SharingRule:
    """How the features of each row share its dimensions; all of batch shape."""

    sharing: Sharing
    least_multiplier: Array
    """Lower end of the values that serve as the multiplier."""
    has_tie: Mask
    """Whether features as important as the n_dims-th can be exchanged at no loss."""


def sharing_rule(xp: Namespace, v: Array, k: Array, n_dims: int) -> SharingRule:
    """The rule of every row; ``v`` validated, features on its last axis, ``k`` of batch shape."""
    # Which feature is in which phase is locally constant: no gradient flows through the search.
    # Ascending: the most important feature is the last.
    ordered = xp.sort(constant(v), axis=-1, stable=False)
    at_n_dims = ordered[..., -n_dims]
    after = ordered[..., -n_dims - 1] if n_dims < v.shape[-1] else xp.zeros_like(at_n_dims)
    at_n_dims, after = xp.broadcast_to(at_n_dims, k.shape), xp.broadcast_to(after, k.shape)

    # Sharing pays when the best ignored feature, at its first bit of capacity, is worth more
    # than the least represented one at its last: (k-1)/2 v_(D+1) > v_(D).
    enters_at = (k - 1) / 2 * after
    any_shares = (k > 3) & (enters_at > at_n_dims)
    least = float(xp.finfo(v.dtype).smallest_normal) / float(xp.finfo(v.dtype).eps)
    require_where(
        xp,
        (after == 0) | (at_n_dims >= least) | (k <= 3),
        at_n_dims,
        f"the n_dims-th largest importance must be at least {least:.0e} in {v.dtype}, "
        "below which numbers lose digits",
        "multiply all importances by a constant",
    )
    largest, most_allowed = ordered[..., -1], float(xp.finfo(v.dtype).max) / (4 * v.shape[-1])
    require_where(
        xp,
        (largest <= most_allowed) | ~any_shares,
        xp.broadcast_to(largest, k.shape),
        f"importances that share must be at most {most_allowed:.0e} in {v.dtype}, "
        "beyond which their sums are out of range",
        "multiply all importances by a constant",
    )
    has_tie = (k <= 3) & ((at_n_dims == after) & (at_n_dims > 0) | (k == 1))
    zero, one = xp.zeros_like(at_n_dims), xp.ones_like(at_n_dims)
    sharing = Sharing(at_n_dims, at_n_dims, zero, one, one, zero, zero, at_n_dims)
    if bool(xp.any(any_shares)):
        sharing = _where_shared(xp, v, k, n_dims, ordered, any_shares, sharing)
    most = sharing.multiplier
    return SharingRule(sharing, xp.where(any_shares | (enters_at > most), most, enters_at), has_tie)


def _where_shared(
    xp: Namespace,
    v: Array,
    k: Array,
    n_dims: int,
    ordered: Array,
    shares: Mask,
    otherwise: Sharing,
) -> Sharing:
    """The window of the rows in which features share, and ``otherwise`` in the other rows."""
    n_features, at_n_dims = v.shape[-1], otherwise.multiplier
    k = xp.where(shares, k, xp.full_like(k, 9.0))  # any that is above 3
    # Close to k = 3 the features that share are nearly equal, and what decides is their small
    # differences: those are taken from the n_dims-th, where the subtraction is exact.
    close = shares & (k < _CLOSE)
    origin = xp.where(close, at_n_dims, xp.zeros_like(at_n_dims))
    whole, active = _phase_sizes(xp, ordered, k, n_dims, at_n_dims, close)
    lowest = _take(xp, ordered, n_features - active)
    highest = _take(xp, ordered, n_features - whole)
    highest = xp.where(whole > 0, highest, xp.full_like(highest, float("inf")))
    # Their own sum rather than a difference of prefix sums: differentiable, and free of
    # cancellation.
    total = sum(
        _sum_between(xp, v[..., columns], lowest, highest, origin) for columns in column_chunks(v)
    )
    count = xp.where(shares, xp.astype(active - whole, v.dtype), xp.ones_like(at_n_dims))
    budget = n_dims - xp.astype(whole, v.dtype)
    offset, capacity_at_mean = total / count, budget / count
    mean = origin + offset
    found = Sharing(
        ignored_below=lowest,
        whole_from=highest,
        origin=origin,
        mean_offset=offset,
        mean_importance=mean,
        capacity_at_mean=capacity_at_mean,
        capacity_slope=2 / (k - 3),
        multiplier=mean * ((k - 1) / ((k - 3) * capacity_at_mean + 2)),
    )
    pairs = ((getattr(found, f.name), getattr(otherwise, f.name)) for f in fields(Sharing))
    return Sharing(*(xp.where(shares, *pair) for pair in pairs))


def _phase_sizes(
    xp: Namespace, ordered: Array, k: Array, n_dims: int, at_n_dims: Array, close: Mask
) -> tuple[Array, Array]:
    """How many features have a whole dimension, and how many have any capacity."""
    n = ordered.shape[-1]
    exact, k, least = (xp.astype(x, xp.float64, copy=False) for x in (ordered, k, at_n_dims))
    origin, distance = xp.zeros_like(least), exact
    if bool(xp.any(close)):
        origin = xp.where(close, least, origin)
        near = exact > origin[..., None] / 2  # the others are ignored anyway
        distance = xp.where(near, exact - origin[..., None], xp.zeros_like(exact))
    prefix = xp.cumulative_sum(distance, axis=-1)  # sums of the least important features

    def sum_of_least(number: Array) -> Array:
        return xp.where(number > 0, _take(xp, prefix, number - 1), xp.zeros_like(k))

    def total_capacity(multiplier: Array) -> Array:
        below = _count_below(xp, exact, multiplier)
        idle = _count_below(xp, exact, 2 * multiplier / (k - 1), or_equal=True)
        between = sum_of_least(below) - sum_of_least(idle)
        number = xp.astype(below - idle, xp.float64)
        # At a multiplier up to the n_dims-th importance more than n_dims features have capacity.
        enough = multiplier > least
        usable = enough & (multiplier < float("inf"))
        floor = xp.where(usable, multiplier, xp.ones_like(multiplier))
        part = number + (k - 1) / (k - 3) * ((between + number * (origin - floor)) / floor)
        full = xp.astype(n - below, xp.float64) + part
        return xp.where(enough, full, xp.full_like(full, float("inf")))

    # The j-th feature is whole when the multiplier at which it just becomes so leaves the budget
    # unspent or just spent; it is active when budget is left where it enters, at (k-1)/2 v_j.
    def fits_whole(j: Array) -> Mask:
        return total_capacity(_take(xp, exact, n - j)) <= n_dims

    def fits_active(j: Array) -> Mask:
        return total_capacity((k - 1) / 2 * _take(xp, exact, n - j)) < n_dims

    return _largest(xp, fits_whole, n, k), _largest(xp, fits_active, n, k)


def _count_below(xp: Namespace, ordered: Array, bound: Array, or_equal: bool = False) -> Array:
    """Number of entries of each ascending row that are below the bound (or equal to it)."""
    if ordered.ndim == 1 and bound.ndim == 0:
        side = "right" if or_equal else "left"
        return xp.searchsorted(ordered, bound[None], side=side)[0]

    def fits(number: Array) -> Mask:
        entry = _take(xp, ordered, number - 1)
        return (entry <= bound) if or_equal else (entry < bound)

    return _largest(xp, fits, ordered.shape[-1], bound)


def _largest(xp: Namespace, fits: Callable[[Array], Mask], n: int, rows: Array) -> Array:
    """Largest j in [0, n] that fits, for each row: 0 always does, then some, then none."""
    low = xp.zeros(rows.shape, dtype=xp.int64, device=device(rows))
    high = xp.full_like(low, n)
    for _ in range(n.bit_length()):
        middle = (low + high + 1) // 2
        ok = (middle == 0) | fits(middle)
        low, high = xp.where(ok, middle, low), xp.where(ok, high, middle - 1)
    return low


def _take(xp: Namespace, rows: Array, index: Array) -> Array:
    """Entry ``index`` of each row; an index that is out of range gives the nearest entry."""
    index = xp.clip(index, 0, rows.shape[-1] - 1)
    rows = xp.broadcast_to(rows, (*index.shape, rows.shape[-1]))
    return xp.take_along_axis(rows, index[..., None], axis=-1)[..., 0]


def _sum_between(xp: Namespace, v: Array, low: Array, high: Array, origin: Array) -> Array:
    """Sum of the importances in [low, high) of each row, each less the origin."""
    inside = (v >= low[..., None]) & (v < high[..., None])
    return xp.sum(xp.where(inside, v - origin[..., None], xp.zeros_like(v)), axis=-1)


def column_chunks(v: Array) -> list[slice]:
    """Slices of the features: one for short rows, cache-sized ones for a long row."""
    n = v.shape[-1]
    return [slice(a, min(a + _CHUNK, n)) for a in range(0, n, _CHUNK)]
