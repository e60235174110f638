r"""A network's size and inputs, and what the rank asks of it.

The trace of a positive matrix of rank at most D is at most :math:`\sqrt D` times its Frobenius
norm.  For the matrix of entries :math:`s_i^{1/2}s_j^{1/2}\rho_{ij}` with weights :math:`s\ge0`
this reads :math:`2\sum_{i<j}s_is_j\rho_{ij}^2\ge(\sum s_i)^2/D-\sum s_i^2`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .activations import Activation


@dataclass(frozen=True)
class Case:
    """A network's size and inputs.

    Attributes
    ----------
    v : array (n_features,)
        Importances, positive.
    p : float
        That a feature is on.
    n_dims : int
    act : Activation
    found : float
        A loss that some weights reach; what is small is small beside it.
    """

    v: np.ndarray
    p: float
    n_dims: int
    act: Activation
    found: float

    @property
    def n(self) -> int:
        """Number of features."""
        return len(self.v)

    def chance(self, others: int) -> float:
        """That of the other features exactly some given ones are on."""
        left = self.n - 1 - others
        return self.p**others * (1 - self.p) ** left if left >= 0 else 0.0

    @property
    def partner(self) -> float:
        """That a given one of the others is on, in the states that are kept."""
        return self.chance(1) + max(self.n - 2, 0) * self.chance(2)

    def loss(self, g: np.ndarray | float, beta: np.ndarray) -> np.ndarray:
        r"""A row's loss :math:`\Phi_g(\beta)`, or a little less where it has no closed form."""
        return (1 - self.p) * self.act.value(beta) ** 2 + self.p * self.act.mean(g, beta)


def rank_weights(v: np.ndarray, n_dims: int) -> tuple[np.ndarray, float]:
    """Weights s, and what the rank asks of the squares of the cosines.

    The weights are the roots of the importances, cut at the level that gains most.

    >>> s, gain = rank_weights(np.ones(4), 2)
    >>> s.tolist(), gain
    ([1.0, 1.0, 1.0, 1.0], 4.0)
    """
    root = np.sqrt(v)
    best, gain = root, 0.0
    for level in root:
        s = np.minimum(root, level)
        now = float(s.sum() ** 2 / n_dims - (s**2).sum())
        if now > gain:
            best, gain = s, now
    return best, gain


def missing(case: Case, s: np.ndarray, multiplier: float) -> np.ndarray:
    """What each feature brings to the bound from the rank, and does not if its weight is 0."""
    return multiplier * s * (2 * s.sum() / case.n_dims - s)
