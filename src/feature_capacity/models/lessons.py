r"""Advice of a blog post on the paper, as quantities of the quadratic model.

Taming the data, and widening a layer for the sake of one feature.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._arrays import ArrayLike, float64, require, require_whole
from ..theory.allocation import solve_allocation
from ..theory.quadratic import loss_at_best_lengths
from .inputs import SparseInput


def kurtosis_after(inputs: SparseInput, strength: ArrayLike, n_points: int = 64) -> np.ndarray:
    r"""Kurtosis of a sparse feature after the transform tanh(s x) / s of its values.

    It is at least 1/p, whatever the transform, because
    :math:`E[x^2]^2\le E[x^4]\,P(x\ne 0)`; tanh gets there as s grows.

    Parameters
    ----------
    inputs : SparseInput
        With mean 0.
    strength : array, shape (n,)
        Values of s, positive.
    n_points : int
        Nodes of the expectation.

    Examples
    --------
    >>> from feature_capacity import SparseUniform
    >>> kurtosis_after(SparseUniform(0.1), [1e-3, 1e3]).round(2)
    array([18., 10.])
    """
    s = float64(strength, "strength")
    require((s > 0).all(), "strength must be positive")
    require(inputs.mean == 0, f"inputs must have mean 0; got {inputs}")
    x, weight = inputs.active_rule(n_points)
    y = np.tanh(s[..., None] * x) / s[..., None]
    m2, m4 = (inputs.p * (y**r @ weight) for r in (2, 4))
    return m4 / m2**2


def polysemantic_after(
    importance: ArrayLike, n_dims: int, kurtosis: float, new_kurtosis: float
) -> float:
    """Polysemantic features at the new kurtosis, over those at the old one.

    >>> polysemantic_after([4.0, 3.0, 2.0, 1.0], 2, 9.0, 3.0)
    0.0
    """
    new, old = (
        _n_sharing(np.asarray(solve_allocation(importance, n_dims, k).capacity))
        for k in (new_kurtosis, kurtosis)
    )
    require(old > 0, f"no feature is polysemantic at kurtosis {kurtosis:g}: nothing to compare")
    return new / old


def _n_sharing(capacity: np.ndarray) -> int:
    return int(((capacity > 0) & (capacity < 1)).sum())


@dataclass(frozen=True)
class Widened:
    """What one more dimension does for a chosen feature.

    Attributes
    ----------
    gain_alone : float
        Share of the new dimension that the feature gets if nothing else is changed.
    weight : float
        Factor by which its importance must be raised for it to be monosemantic.
    fall_of_others : float
        By how much the loss of all other features falls if it is, against before.
    """

    gain_alone: float
    weight: float
    fall_of_others: float


def widen(importance: ArrayLike, n_dims: int, kurtosis: float, chosen: int) -> Widened:
    """One more dimension, for a chosen feature: left to the loss, and by raising its importance.

    Parameters
    ----------
    importance : array, shape (n_features,)
    n_dims : int
        Before; less than n_features - 1.
    kurtosis : float
        At least 3.
    chosen : int
        Index of the feature.

    Examples
    --------
    >>> found = widen([1.0] * 6, 2, 9.0, chosen=0)
    >>> round(found.gain_alone, 6), round(found.weight, 6)  # 1/6, and (k-1) / ((k-3) 2/5 + 2)
    (0.166667, 1.818182)
    """
    v = float64(importance, "importance")
    require(v.ndim == 1, f"importance must have shape (n_features,); got {v.shape}")
    n = len(v)
    require_whole(n_dims, "n_dims", 1, n - 2, f"a whole number from 1 to {n - 2}")
    require_whole(chosen, "chosen", 0, n - 1, "the index of a feature")
    before, after = (
        np.asarray(solve_allocation(v, d, kurtosis).capacity) for d in (n_dims, n_dims + 1)
    )
    rest = np.arange(n) != chosen
    others = solve_allocation(v[rest], n_dims, kurtosis)
    loss = np.asarray(loss_at_best_lengths(before, v, kurtosis))[rest].sum()
    return Widened(
        gain_alone=float(after[chosen] - before[chosen]),
        weight=max(1.0, float(others.multiplier) / float(v[chosen])),
        fall_of_others=float(loss - np.asarray(others.loss)),
    )
