"""The smallest network that must share: one neuron, two features, and all weights looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from .._arrays import to_numpy
from ..theory.capacity import capacities
from .record import SEARCH, Certificate, Optimum
from .searched import Searched
from .sums import pair_bound, pair_loss, pair_moments


@dataclass(frozen=True)
class PairOfAbsolutes(Searched):
    """One neuron that computes the absolute values of two features: the loss is exact."""

    def optimum(self) -> Optimum:
        """The lowest of nine descents of the exact loss, and a bound by dividing squares."""
        v, p = self.importance, self.feature.p
        starts = [np.array([s, t]) for s in (0.1, 0.5, 1.0) for t in (0.1, 0.5, 1.0)]
        exact = {"method": "Nelder-Mead", "options": {"xatol": 1e-10, "fatol": 1e-14}}
        ends = [minimize(lambda w: pair_loss(w[None], v, p), start, **exact) for start in starts]
        W = np.abs(min(ends, key=lambda end: float(end.fun)).x)[None]
        loss = pair_loss(W, v, p)
        reason = "the lowest of 9 descents of the exact loss; below: all weights, square by square"
        found = Certificate(SEARCH, loss, pair_bound(v, p, loss), reason)
        return Optimum(W, self.best_bias(W), to_numpy(capacities(W)), None, found)

    def loss(self, W: np.ndarray, bias: np.ndarray) -> float:
        """The loss in closed form."""
        off = float(bias) - float(self.best_bias(W))
        return pair_loss(W, self.importance, self.feature.p) + off**2

    def best_bias(self, W: np.ndarray) -> np.ndarray:
        """The best one."""
        return np.array(-pair_moments(np.abs(W[0]), self.importance, self.feature.p)[1])
