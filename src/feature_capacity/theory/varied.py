r"""One feature of importance V among equal ones: what it gets, is worth, and costs (section 3.6).

Everything stands on :func:`feature_capacity.solve_allocation`; importances and kurtoses broadcast.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._arrays import ArrayLike, require, shown
from .allocation import PHASES, solve_allocation
from .phases import one_feature_varied
from .quadratic import loss_at_best_lengths, marginal_benefit


def varied_optimum(
    importance_1: ArrayLike, kurtosis: ArrayLike, n_features: int, n_dims: int
) -> tuple[np.ndarray, np.ndarray]:
    """Capacity of the varied feature at the best allocation, and its marginal benefit there.

    The second is the paper's order parameter (section 3.6).

    Parameters
    ----------
    importance_1, kurtosis : arrays that broadcast
    n_features, n_dims : int
        N features in D dimensions, D < N.

    Returns
    -------
    two arrays of the broadcast shape

    Examples
    --------
    >>> [round(float(x), 9) for x in varied_optimum(1.0, 9.0, 6, 3)]  # equal ones: D / N
    [0.5, 5.12]
    """
    V, k = np.broadcast_arrays(np.asarray(importance_1, float), np.asarray(kurtosis, float))
    best = solve_allocation(one_feature_varied(V, n_features), n_dims, k[..., None])
    C = np.asarray(best.capacity)[..., :1]
    return C[..., 0], np.asarray(marginal_benefit(C, V[..., None], k[..., None]))[..., 0]


def importance_at_capacity(
    capacity: ArrayLike, kurtosis: ArrayLike, n_features: int, n_dims: int
) -> np.ndarray:
    r"""Importance V at which the varied feature has a given capacity: every contour of Figure 4.

    Section 3.5.2 solved for V, for k > 3:
    :math:`V_c(k) = \frac{(N-1)(2+(k-3)c)}{2(N-1)+(k-3)(D-c)}`.
    At c = 0 and 1 these are the boundaries of the polysemantic phase; at k = 3 all meet at V = 1.

    >>> importance_at_capacity([0, 0.5, 1], 9.0, 6, 3).round(6)
    array([0.357143, 1.      , 1.818182])
    """
    c, x = np.asarray(capacity, float), np.asarray(kurtosis, float) - 3
    n = n_features
    return (n - 1) * (2 + x * c) / (2 * (n - 1) + x * (n_dims - c))


def loss_profile(
    capacity_1: ArrayLike, importance_1: float, kurtosis: float, n_features: int, n_dims: int
) -> np.ndarray:
    """Lowest loss when the varied feature must have a given capacity, all else being the best.

    From kurtosis 3 upward the others share what is left equally.  Below, returns grow, and one of
    the others gives up what the varied feature takes.  Needs D < N.

    Parameters
    ----------
    capacity_1 : array (n,)
        In [0, 1].
    importance_1, kurtosis : float
    n_features, n_dims : int

    Returns
    -------
    array (n,)

    Examples
    --------
    Two equal features in one dimension at k = 3: any split costs the same.

    >>> loss_profile([0, 0.5, 1], 1.0, 3.0, 2, 1)
    array([2., 2., 2.])
    """
    C, n = np.asarray(capacity_1, float)[:, None], n_features
    require(0 < n_dims < n, f"n_dims must be from 1 to {n - 1}, n_features - 1; got {n_dims}")
    if kurtosis >= 3:
        rest = np.repeat((n_dims - C) / (n - 1), n - 1, axis=1)
    else:
        whole, out = np.ones((len(C), n_dims - 1)), np.zeros((len(C), n - 1 - n_dims))
        rest = np.hstack([1 - C, whole, out])
    others = np.asarray(loss_at_best_lengths(rest, np.ones(n - 1), kurtosis)).sum(axis=1)
    return others + np.asarray(loss_at_best_lengths(C, [importance_1], kurtosis))[:, 0]


def metastable_range(kurtosis: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Importances V between which the wrong side of the jump is a local minimum too.

    From (k - 1)/2, down to which a represented feature stays, to 2/(k - 1), up to which an
    ignored one does.  For k >= 3 the range is empty: its ends meet at 1, then change places.
    Needs k > 1.

    >>> [float(end) for end in metastable_range(2.0)]
    [0.5, 2.0]
    """
    k = np.asarray(kurtosis, float)
    require(bool((k > 1).all()), f"kurtosis must be above 1 here; got {shown(k)}")
    return (k - 1) / 2, 2 / (k - 1)


@dataclass(frozen=True)
class BenefitCurves:
    """What a bit of capacity is worth at one point of the phase diagram (Figure 4, lower half).

    Attributes
    ----------
    phase : str
        Of the varied feature; "undecided" where any split is as good.
    fraction : array (n,)
        Capacities.
    varied, reference : arrays (n,)
        Marginal benefit of the varied feature, and of each other one.
    own : pair of floats
        Capacity and benefit of the varied feature at the best allocation.
    others : list of (float, float, int)
        The same for the others, with how many of them are there.
    thresholds : pair of floats
        Lowest and highest common marginal benefit that satisfies equations (6) to (8).
    divisible : bool
        Whether capacity can be moved between features at no cost.
    """

    phase: str
    fraction: np.ndarray
    varied: np.ndarray
    reference: np.ndarray
    own: tuple[float, float]
    others: list[tuple[float, float, int]]
    thresholds: tuple[float, float]
    divisible: bool


def benefit_curves(
    importance_1: float, kurtosis: float, n_features: int, n_dims: int, n_points: int = 201
) -> BenefitCurves:
    """Both marginal-benefit curves at one point of the phase diagram, and the best allocation.

    >>> curves = benefit_curves(2.0, 9.0, 6, 3)
    >>> curves.phase, curves.own, curves.others
    ('monosemantic', (1.0, 8.0), [(0.4, 6.61..., 5)])
    """
    best = solve_allocation(one_feature_varied(importance_1, n_features), n_dims, kurtosis)
    fraction, divisible = np.linspace(0, 1, n_points), bool(best.divisible)
    C = np.asarray(best.capacity)
    values, counts = np.unique(C[1:].round(12), return_counts=True)
    low, high = (2 * np.asarray(best.multiplier_interval) ** 2).tolist()
    return BenefitCurves(
        "undecided" if divisible else PHASES[int(best.phase[0])],
        fraction,
        _benefit(fraction, importance_1, kurtosis),
        _benefit(fraction, 1.0, kurtosis),
        (float(C[0]), float(_benefit(C[:1], importance_1, kurtosis)[0])),
        [
            (float(c), float(_benefit(np.array([c]), 1.0, kurtosis)[0]), int(number))
            for c, number in zip(values, counts, strict=True)
        ],
        (low, high),
        divisible,
    )


def _benefit(capacity: np.ndarray, importance: float, kurtosis: float) -> np.ndarray:
    return np.asarray(marginal_benefit(capacity, np.full(len(capacity), importance), kurtosis))
