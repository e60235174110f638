"""Where something begins, and how fast a limit is approached, found without a formula for it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .._arrays import ArrayLike, require, shown
from .budget import allocate


def first_reached(
    reached: Callable[[np.ndarray], np.ndarray],
    low: ArrayLike,
    high: ArrayLike,
    halvings: int = 110,
) -> np.ndarray:
    """Smallest number from ``low`` to ``high`` for which ``reached`` holds, entry by entry.

    By bisection on a logarithmic scale: ``reached`` must be false at first and true from some
    number on.  Where it never holds the result is ``high``, where it always does it is next to
    ``low``.

    Parameters
    ----------
    reached : callable
        Takes an array of numbers and says of each whether it is far enough.
    low, high : arrays of one shape
        Positive.
    halvings : int
        How often the interval is halved; 110 leave nothing to halve in float64.

    Raises
    ------
    ValueError
        If an interval does not lie between positive numbers.

    Examples
    --------
    >>> first_reached(lambda x: x * x >= [2.0, 9.0], [1.0, 1.0], [10.0, 10.0]).round(12)
    array([1.41421356, 3.        ])
    """
    low, high = np.array(low, float), np.array(high, float)
    require(
        bool((low > 0).all() and (low <= high).all()),
        f"low and high must be positive, low at most high; got {shown(low)} and {shown(high)}",
    )
    for _ in range(halvings):
        middle = np.sqrt(low * high)
        yes = np.asarray(reached(middle))
        low, high = np.where(yes, low, middle), np.where(yes, middle, high)
    return high


def observed_order(distance: ArrayLike, values: ArrayLike) -> float:
    """Exponent of a power law: the slope of a straight line through the logarithms.

    Both arrays have one shape (n,) and positive entries.

    >>> observed_order([0.1, 0.01, 0.001], [0.5, 0.005, 0.00005])
    2.0
    """
    slope = np.polyfit(np.log(np.asarray(distance)), np.log(np.asarray(values)), 1)[0]
    return float(round(slope, 12))


def importance_where(
    capacity_level: float, importance: ArrayLike, n_dims: int, kurtosis: float
) -> tuple[float, float]:
    """Importance at which the first feature's capacity reaches a level, and the multiplier there.

    The judge is :func:`feature_capacity.allocate`, which shares a budget among any falling curves
    and knows nothing of equations (15) to (18): an independent route to equations (17) and (18).
    The multiplier is the root of half the common marginal benefit.

    Parameters
    ----------
    capacity_level : float
        In (0, 1): close to 0 for where a feature enters, close to 1 for where it owns a dimension.
    importance : array (n_features,)
        That of the first feature is not used.
    n_dims : int
    kurtosis : float
        Above 3, where returns diminish.

    Examples
    --------
    Three equal features in one dimension at kurtosis 9: the threshold to enter is a quarter of
    the multiplier.

    >>> enters, multiplier = importance_where(1e-9, [1, 1, 1], 1, 9.0)
    >>> round(enters / multiplier, 6)
    0.25
    """
    require(kurtosis > 3, f"kurtosis must be above 3 here; got {shown(kurtosis)}")
    others = np.asarray(importance, float)[1:]

    def solved(first: float) -> tuple[float, float]:
        v = np.append(first, others)
        # Equation (54) written out: it is called some hundred thousand times.
        best = allocate(
            lambda c: 2 * ((kurtosis - 1) * v / ((kurtosis - 3) * c + 2)) ** 2,
            n_dims,
            n_features=len(v),
        )
        return float(best.capacity[0]), float(best.threshold)

    found = float(
        first_reached(lambda x: np.asarray(solved(float(x))[0] >= capacity_level), 1e-4, 1e3, 36)
    )
    return found, float(np.sqrt(solved(found)[1] / 2))
