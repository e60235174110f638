"""The smallest autoencoder: two features in one dimension, ReLU, inputs from 0 to 1.

Elhage et al. (2022) compare a few networks that come to mind; here they are in closed form, beside
the minimum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._arrays import ArrayLike, float64, require, require_whole
from ..models.inputs import UnitSparseUniform
from ..models.quadrature import Quadrature
from ..models.toy_models import ToyModel
from .minimization import minimize

NETWORKS = np.array([[[1.0, 0]], [[0, 1.0]], [[1.0, -1]], [[1.0, 1]]])
"""Main feature alone, extra feature alone, antipodal pair, both in one direction."""

_COARSE, _FINE = 12, 48  # Gauss points along each side of the square


@dataclass(frozen=True)
class SmallDiagram:
    """Losses and capacities over a grid of importance and probability.

    Attributes
    ----------
    loss : array (n_probability, n_importance)
    capacity : array (n_probability, n_importance)
        Of the extra feature.
    by_hand : array (n_probability, n_importance, 4)
        Losses of `NETWORKS` on the same nodes.
    """

    loss: np.ndarray
    capacity: np.ndarray
    by_hand: np.ndarray


def biases(p: float) -> np.ndarray:
    """The bias of each of `NETWORKS`: an ignored feature is answered by its mean, p / 2.

    >>> biases(0.4)[0]
    array([0. , 0.2])
    """
    return np.array([[0, p / 2], [p / 2, 0], [0, 0], [0, 0]])


def by_hand(importance: ArrayLike, p: float) -> np.ndarray:
    """Expected losses of `NETWORKS` when the main feature has importance 1, the extra one V.

    Parameters
    ----------
    importance : array (...)
    p : float

    Returns
    -------
    array (..., 4)

    Examples
    --------
    >>> by_hand(1.0, 0.3).round(3)
    array([0.077, 0.077, 0.03 , 0.2  ])
    """
    V, variance = float64(importance, "importance"), UnitSparseUniform(p).variance
    each = [V * variance, variance + 0 * V, (1 + V) * p**2 / 6, (1 + V) * p / 3]
    return np.stack(each, axis=-1)


def square_rule(p: float, n_points: int) -> Quadrature:
    """Gauss nodes for two features that are uniform from 0 to 1 with probability p.

    >>> rule = square_rule(0.4, 8)
    >>> round(float(rule.weight @ (rule.x[:, 0] * rule.x[:, 1])), 12)  # (p / 2)^2
    0.04
    """
    require_whole(n_points, "n_points", 1, None, "a whole number, at least 1")
    u, w = UnitSparseUniform(p).active_rule(n_points)
    zero = np.zeros(n_points)
    both = np.stack(np.meshgrid(u, u, indexing="ij"), axis=-1).reshape(-1, 2)
    x = np.concatenate([np.zeros((1, 2)), np.stack([u, zero], 1), np.stack([zero, u], 1), both])
    one, two = p * (1 - p) * w, p**2 * np.outer(w, w).ravel()
    weight = np.concatenate([[(1 - p) ** 2], one, one, two])
    some = weight > 0
    return Quadrature(x[some], weight[some], True, 0.0)


def diagram(
    importance: ArrayLike,
    probability: ArrayLike,
    n_starts: int = 24,
    seed: int = 0,
    device: str = "auto",
) -> SmallDiagram:
    """The minimum in every cell, and the four networks beside it, on the same nodes.

    Parameters
    ----------
    importance, probability : arrays (n_importance,), (n_probability,)
        Of the extra feature, and of both being active.
    n_starts, seed, device
        Of the minimization.

    Examples
    --------
    >>> found = diagram([0.01, 1.0], [0.1])
    >>> found.capacity.round(2)
    array([[0. , 0.5]])
    >>> bool((found.loss <= (1 + 1e-6) * found.by_hand.min(axis=-1)).all())
    True
    """
    V, p = float64(importance, "importance"), float64(probability, "probability")
    require(V.ndim == p.ndim == 1, f"two grids are needed; got shapes {V.shape} and {p.shape}")
    model = ToyModel("autoencoder", "relu", 2, 1)
    rows = np.stack([np.ones_like(V), V], axis=1)
    loss, capacity, hand = [], [], []
    for i, q in enumerate(p.tolist()):
        fine = square_rule(q, _FINE)
        found = minimize(
            model, UnitSparseUniform(q), rows, n_starts=n_starts, seed=[seed, 10, i],
            quadrature=[square_rule(q, _COARSE), fine], dtype="float64", tolerance=1e-9,
            max_iterations=300, device=device,
        )  # fmt: skip
        four = by_hand(V, q)
        # The kink of the pair lies between the nodes: its error there, not the exact one.
        four[:, 2] = (1 + V) * (np.minimum(*fine.x.T) ** 2 @ fine.weight)
        loss.append(found.loss)
        capacity.append(found.capacity[:, 1])
        hand.append(four)
    return SmallDiagram(np.array(loss), np.array(capacity), np.array(hand))
