"""Sharing a budget of capacity among any curves of diminishing returns (section 2.2).

The argument of the paper needs no particular model: if every feature's marginal benefit falls as
its capacity grows, the optimum gives capacity where the benefit is highest until one common
threshold is reached.  The quadratic model is one instance; see
:mod:`feature_capacity.theory.allocation`.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .._arrays import require, require_number, require_whole, shown
from .phases import classify

_HALVINGS_OF_CAPACITY = 54  # down to the spacing of numbers just below 1
_LARGEST = np.finfo(np.float64).max


@dataclass(frozen=True)
class BudgetAllocation:
    """How a budget is shared.

    Attributes
    ----------
    capacity : array (n_features,)
        Capacities in [0, 1] that sum to the budget.
    threshold : float
        The common marginal benefit, the multiplier of equations (4) to (8).
    phase : integer array (n_features,)
        0 ignored, 1 polysemantic, 2 monosemantic.
    unique : bool
        False when two or more curves are flat at the threshold, so that they could trade.
    """

    capacity: np.ndarray
    threshold: float
    phase: np.ndarray
    unique: bool


def allocate(
    curves: Sequence[Callable[[float], float]] | Callable[[np.ndarray], np.ndarray],
    budget: float,
    n_features: int | None = None,
) -> BudgetAllocation:
    """Share a capacity budget so that marginal benefits are equal (equations (5) to (8)).

    Parameters
    ----------
    curves : sequence of callables, or one callable
        Marginal benefit of each feature as a function of its own capacity in [0, 1]: at least 0
        and never rising.  A sequence holds one function of a number per feature.  A single
        callable takes capacities of shape (n_features,) and returns benefits of that shape.
        A benefit may be infinite at capacity 0.
    budget : float
        Total capacity, from 0 to the number of features.
    n_features : int, optional
        Needed with a single callable only.

    Raises
    ------
    ValueError
        If a curve rises, is negative or not a number, or the budget is out of range.

    Notes
    -----
    Bisection on the threshold, with bisection on every curve inside; flat stretches at the
    threshold share what is left in proportion to their lengths, and ``unique`` says so.

    Examples
    --------
    >>> best = allocate([lambda c: 4 - 2 * c, lambda c: 3 - 2 * c], budget=1)
    >>> best.capacity.round(9), round(best.threshold, 9), best.unique
    (array([0.75, 0.25]), 2.5, True)
    """
    benefit, n = _as_one_function(curves, n_features)
    budget = require_number(budget, "budget", 0, n, f"[0, {n}], up to the number of features")
    first, last = _checked_ends(benefit, n)

    def spent(threshold: float) -> np.ndarray:
        """The most capacity each feature takes while its benefit is at least the threshold."""
        low, high = np.zeros(n), np.ones(n)
        for _ in range(_HALVINGS_OF_CAPACITY):
            middle = (low + high) / 2
            worth = benefit(middle) >= threshold
            low, high = np.where(worth, middle, low), np.where(worth, high, middle)
        return np.where(last >= threshold, 1.0, np.where(first >= threshold, low, 0.0))

    lower, upper = _bracket(lambda threshold: spent(threshold).sum() > budget, first, last)
    most, least = spent(lower), spent(upper)
    slack = most.sum() - least.sum()
    share = (budget - least.sum()) / slack if slack > 0 else 0.0
    capacity = np.clip(least + share * (most - least), 0.0, 1.0)
    movable = (most - least) > 1e-6
    return BudgetAllocation(
        capacity=capacity,
        threshold=lower if share > 0 else upper,
        phase=np.asarray(classify(capacity)),
        unique=not (movable.sum() > 1 and 0 < share < 1),
    )


def _bracket(
    overspent: Callable[[float], bool], first: np.ndarray, last: np.ndarray
) -> tuple[float, float]:
    """Neighboring thresholds: at the lower one the budget is overspent, at the upper one not.

    Both are the least benefit that there is where even that does not overspend.
    """
    # Bisection over the numbers themselves rather than their values: non-negative floats sort like
    # their bit patterns, so 63 halvings end at neighboring floats whatever the scale of the curves.
    dearest = np.nextafter(first.max(), np.inf) if np.isfinite(first).all() else _LARGEST
    cheap, dear = (int(np.float64(x).view(np.int64)) for x in (last.min() + 0.0, dearest))
    upper = cheap + bisect_left(
        range(cheap, dear), True, key=lambda bits: not overspent(_as_float(bits))
    )
    return _as_float(max(cheap, upper - 1)), _as_float(upper)


def _as_float(bits: int) -> float:
    return float(np.int64(bits).view(np.float64))


def _as_one_function(
    curves: Sequence[Callable[[float], float]] | Callable[[np.ndarray], np.ndarray],
    n_features: int | None,
) -> tuple[Callable[[np.ndarray], np.ndarray], int]:
    if callable(curves):
        rule = "a whole number, at least 1, when curves is one callable"
        n = require_whole(n_features, "n_features", 1, None, rule)
        return lambda c: np.asarray(curves(c), dtype=float), n
    listed = list(curves) if isinstance(curves, Iterable) else []
    require(
        len(listed) > 0 and all(callable(curve) for curve in listed),
        "curves must be one callable or a non-empty sequence of callables",
    )
    require(
        n_features in (None, len(listed)),
        f"n_features must be left out or equal the number of curves ({len(listed)}); "
        f"got {shown(n_features)}",
    )
    return lambda c: np.array([float(f(x)) for f, x in zip(listed, c, strict=True)]), len(listed)


def _checked_ends(
    benefit: Callable[[np.ndarray], np.ndarray], n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Benefits at capacity 0 and 1, after looking at 33 points for curves that rise."""
    values = np.array([benefit(np.full(n, c)) for c in np.linspace(0, 1, 33)])
    require(
        values.shape == (33, n), f"curves must return one benefit per feature ({n}); check shapes"
    )
    require(
        not np.isnan(values).any() and (values >= 0).all() and np.isfinite(values[1:]).all(),
        "marginal benefits must be numbers, at least 0, finite for positive capacity: "
        "more capacity must never make the loss greater",
    )
    with np.errstate(invalid="ignore"):
        rising = np.diff(values, axis=0) > 1e-9 * np.abs(values[1:])
    if rising.any():
        raise ValueError(
            f"curve {int(np.argmax(rising.any(axis=0)))} rises with capacity: with increasing "
            "returns the optimum is at corners (whole features), not at equal marginal benefit"
        )
    return values[0], values[-1]
