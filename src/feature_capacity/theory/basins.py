"""Gradient flow of the quadratic model, measured: where it ends, and when features come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._arrays import ArrayLike, float64, require, require_whole
from .allocation import solve_allocation
from .capacity import capacities
from .gradient_flow import descend, flow_at_three
from .quadratic import expected_loss
from .saddles import arrival_times, stable_choices

_BEST = 1e-3
"""A start has reached the optimum if its loss is larger by at most this part."""


@dataclass(frozen=True)
class Basins:
    """Ends of gradient descent from random starts.

    Attributes
    ----------
    best : float
        Share of starts that reach the loss of the optimal allocation, within 0.1 %.
    stable : float
        Share of starts that end at a choice of whole features that no other one can move in with.
    n_choices : int
        How many such choices there are.
    worst : float
        Largest loss at an end, in units of the least.
    """

    best: float
    stable: float
    n_choices: int
    worst: float


def basins(
    importance: ArrayLike,
    n_dims: int,
    kurtosis: float,
    n_starts: int = 100,
    seed: int = 0,
    n_steps: int = 3000,
) -> Basins:
    """Follow gradient descent on equation (12) from random starts and sort its ends.

    Parameters
    ----------
    importance : array, shape (n_features,)
    n_dims : int
        Fewer than n_features.
    kurtosis : float
        Above 1.
    n_starts, seed : int
        Starts have normal entries a tenth as large as the root of the mean importance.
    n_steps : int
        Steps at most; see :func:`feature_capacity.descend`.

    Examples
    --------
    Dense features choose for good, and rarely choose best:

    >>> ends = basins([1.2, 1.1, 1.0, 0.9], 2, kurtosis=2.0, n_starts=20)
    >>> ends.n_choices, ends.stable, ends.best < 0.5
    (6, 1.0, True)
    """
    v = float64(importance, "importance")
    require(v.ndim == 1, f"importance must have shape (n_features,); got {v.shape}")
    n = len(v)
    rule = f"a whole number, at least 1 and less than the number of features ({n})"
    require_whole(n_dims, "n_dims", 1, n - 1, rule)
    require_whole(n_starts, "n_starts", 1, None, "a whole number, at least 1")
    least = float(np.asarray(solve_allocation(v, n_dims, kurtosis).loss))
    rng = np.random.default_rng(seed)
    starts = 0.1 * np.sqrt(v.mean()) * rng.standard_normal((n_starts, n_dims, n))
    ends = descend(starts, v, kurtosis, n_steps, tolerance=1e-6)
    loss = np.asarray(expected_loss(ends, v, kurtosis))
    choices = set(stable_choices(v, n_dims, kurtosis))
    found = [tuple(np.flatnonzero(C > 0.5).tolist()) for C in np.asarray(capacities(ends))]
    return Basins(
        best=float((loss <= least * (1 + _BEST)).mean()),
        stable=float(np.mean([kept in choices for kept in found])),
        n_choices=len(choices),
        worst=float(loss.max() / least),
    )


@dataclass(frozen=True)
class Delays:
    """What a hundred times smaller a start adds to the times at which features arrive.

    Attributes
    ----------
    capacity, length : arrays (n_dims,)
        Times of half the capacity and half the length, from the larger start.
    measured, expected : arrays (2 * n_dims,)
        What the smaller start adds to these times, and what
        :func:`feature_capacity.arrival_times` says: first capacities, then lengths.
    """

    capacity: np.ndarray
    length: np.ndarray
    measured: np.ndarray
    expected: np.ndarray


def measured_delays(
    importance: ArrayLike, n_dims: int, start_size: float, seed: int = 0, n_times: int = 1500
) -> Delays:
    """Arrival times along the exact flow at kurtosis 3, from two sizes of one random start.

    Parameters
    ----------
    importance : array, shape (n_features,)
        Falling, all different and positive.
    n_dims : int
    start_size : float
        In (0, 1); the other start is a hundredth of it.
    seed : int
    n_times : int
        Times at which the flow is looked at.

    Examples
    --------
    >>> delays = measured_delays([4.0, 2.0, 1.0], 2, 1e-5)
    >>> bool(abs(delays.measured - delays.expected).max() < 0.02 * delays.expected.max())
    True
    """
    v = float64(importance, "importance")
    late, early = (arrival_times(v, n_dims, size) for size in (start_size / 100, start_size))
    direction = np.random.default_rng(seed).standard_normal((n_dims, len(v)))
    times = np.linspace(0, 2 * late[1][-1] + 4 / v[n_dims - 1], n_times)
    found = []
    for size in (start_size, start_size / 100):
        W = np.asarray(flow_at_three(size * direction, v, times))
        length, capacity = (W**2).sum(-2) / v, np.asarray(capacities(W))
        found.append([_rise(times, x[:, i]) for x in (capacity, length) for i in range(n_dims)])
    first, second = np.array(found)
    expected = np.concatenate(late) - np.concatenate(early)
    return Delays(first[:n_dims], first[n_dims:], second - first, expected)


def _rise(times: np.ndarray, curve: np.ndarray) -> float:
    """When a curve rises through one half for the last time; 0 if it is always above."""
    below = np.flatnonzero(curve < 0.5)
    if not len(below):
        return 0.0
    i = min(int(below[-1]), len(times) - 2)
    part = (0.5 - curve[i]) / (curve[i + 1] - curve[i])
    return float(times[i] + part * (times[i + 1] - times[i]))
