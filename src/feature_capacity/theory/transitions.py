"""Jump, slope or plateau: numbers read off a curve of capacity against importance.

A curve is known at some importances only.  Between them capacity is taken to be a straight line in
log V, so that a width is not a count of cells and does not depend on where a grid has them: it is
off by at most the width of the cell in which an edge lies.
"""

from __future__ import annotations

import numpy as np

from .._arrays import ArrayLike, float64, require


def decades_between(
    importance: ArrayLike, capacity: ArrayLike, low: float, high: float
) -> np.ndarray:
    """Decades of importance over which a capacity is strictly between two values.

    With ``low, high = 0.05, 0.95`` it is the width of the band of superposition, with
    ``0.47, 0.53`` the length of a plateau at one half.  A jump has the width of the cell that it
    lies in, times ``high - low``.

    Parameters
    ----------
    importance : increasing positive numbers, shape (n,), n at least 2
    capacity : array (..., n)
    low, high : float
        ``low < high``.

    Returns
    -------
    array (...)
        NaN where a capacity is NaN.

    Examples
    --------
    From 0 to 1 over one decade, then whole:

    >>> float(decades_between([1, 10, 100], [0, 1, 1], 0.05, 0.95).round(3))
    0.9
    >>> float(decades_between([1, 10, 100], [0, 0.5, 0.5], 0.47, 0.53).round(3))
    1.06
    """
    x, c = _curve(importance, capacity)
    require(low < high, f"low must be below high; got {low!r} and {high!r}")
    left, right = c[..., :-1], c[..., 1:]
    bottom, top = np.minimum(left, right), np.maximum(left, right)
    inside = np.clip(np.minimum(top, high) - np.maximum(bottom, low), 0, None)
    rise = top - bottom
    flat = np.where((bottom > low) & (bottom < high), 1.0, 0.0)
    part = np.where(rise > 0, inside / np.where(rise > 0, rise, 1), flat)
    return (np.where(np.isnan(rise), np.nan, part) * np.diff(x)).sum(axis=-1)


def largest_step(importance: ArrayLike, capacity: ArrayLike, decades: float) -> np.ndarray:
    """Largest change of capacity when importance grows by a given factor.

    Parameters
    ----------
    importance : increasing positive numbers, shape (n,), n at least 2
    capacity : array (..., n)
    decades : float
        The factor, as a power of ten; at most what the importances span.

    Returns
    -------
    array (...)
        In [0, 1] for capacities.

    Examples
    --------
    A jump at 1 is seen whole by any step that is longer than its cell, a slope only in part:

    >>> V = [0.1, 0.99, 1.01, 10]
    >>> float(largest_step(V, [0, 0, 1, 1], 0.1).round(3))
    1.0
    >>> float(largest_step([0.1, 10], [0, 1], 0.1).round(3))
    0.05
    """
    x, c = _curve(importance, capacity)
    span = x[-1] - x[0]
    require(
        0 < decades <= span * (1 + 1e-9),
        f"decades must be above 0 and at most {span:.4g}, what the importances span; got {decades}",
    )
    # A difference of two piecewise straight lines is largest where one of them has a corner.
    starts = np.concatenate([x, x - decades])
    starts = np.unique(np.clip(starts, x[0], max(x[0], x[-1] - decades)))
    rows = c.reshape(-1, len(x))
    steps = [np.abs(np.interp(starts + decades, x, r) - np.interp(starts, x, r)) for r in rows]
    return np.max(steps, axis=1).reshape(c.shape[:-1])


def _curve(importance: ArrayLike, capacity: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64, the importances as powers of ten."""
    v, c = float64(importance, "importance"), float64(capacity, "capacity")
    require(
        v.ndim == 1 and len(v) > 1 and (v > 0).all() and (np.diff(v) > 0).all(),
        f"importance must be two or more increasing positive numbers; got {v!r:.60}",
    )
    require(
        c.ndim > 0 and c.shape[-1] == len(v),
        f"capacity must have one number for each of {len(v)} importances; got shape {c.shape}",
    )
    return np.log10(v), c
