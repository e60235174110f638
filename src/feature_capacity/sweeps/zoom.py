"""Capacity along lines of importance through V = 1, in the computation model, in fine steps.

A sweep finds minima along each line, from random starts and from both sides.  Those near V = 1 are
then minimized again on nodes in every cyclic order of the features, with feature 1 in every place,
so that a jump at equal importances lies exactly there; plain nodes put it off by a percent or two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .._arrays import require_whole
from ..models.inputs import SparseUniform
from ..models.quadrature import sparse_quadrature
from ..models.symmetric_nodes import symmetric_nodes
from ..models.toy_models import ToyModel
from ..solvers.near_equality import minima_along
from ..theory.phases import phase_diagram
from ..theory.transitions import decades_between
from .config import SweepConfig
from .figure_seven import first_capacity, patient_sweep

CLOSE = (0.9, 0.97, 0.99, 0.997, 0.999, 1.001, 1.003, 1.01, 1.03, 1.1)
"""Importances around 1 that every line has besides its even steps."""

_ROUNDS = 16  # of warm starts, at most
_PARTS = (32, 2)  # of the nodes of a sweep: those taken in every order, first and at last
_NEAR = 1.11  # importances up to this factor from 1 are minimized again
# Few nodes decide wrongly between embeddings there, where inputs are of middling sparsity.


@dataclass(frozen=True)
class Lines:
    """Capacities of feature 1 along lines of importance.

    Attributes
    ----------
    importance : array (n_importance,)
    probability : array (n_probability,)
    capacity : array (n_probability, n_importance)
    """

    importance: np.ndarray
    probability: np.ndarray
    capacity: np.ndarray

    @property
    def across(self) -> np.ndarray:
        """Change of capacity between the importances next to 1 on either side, for each line."""
        low, high = (int(np.argmin(np.abs(self.importance - v))) for v in (0.999, 1.001))
        return self.capacity[:, high] - self.capacity[:, low]

    @property
    def largest_elsewhere(self) -> np.ndarray:
        """Largest change in one step that does not touch V = 1, for each line."""
        far = np.abs(np.log(self.importance[1:] * self.importance[:-1])) > 0.005
        return np.abs(np.diff(self.capacity, axis=1)[:, far]).max(axis=1)

    @property
    def width(self) -> np.ndarray:
        """Decades of importance over which 0.05 < C < 0.95, for each line.

        The jump itself, a step of 0.002, is part of it and adds less than 0.001.
        """
        return decades_between(self.importance, self.capacity, 0.05, 0.95)


def importances_through_one(n_steps: int) -> np.ndarray:
    """From 0.3 to 3.33 in steps of equal ratio, 1 among them, and `CLOSE`.

    >>> importances_through_one(3).round(3)[[0, 1, -1]]
    array([0.3  , 0.9  , 3.333])
    """
    require_whole(n_steps, "n_steps", 3, None, "a whole number, at least 3")
    even = np.exp(np.linspace(-1, 1, n_steps | 1) * np.log(1 / 0.3))
    even[n_steps // 2] = 1.0
    both = np.concatenate([even, CLOSE])
    return np.array(sorted({round(float(v), 12) for v in both}))


def lines_through_one(
    activation: str,
    probabilities: Sequence[float],
    folder: Path,
    n_steps: int = 81,
    n_starts: int = 8,
    n_points: int = 4096,
    seed: int = 0,
    workers: int = 1,
    device: str = "auto",
) -> Lines:
    """Capacities along a line for each probability, six features in three dimensions.

    Parameters
    ----------
    activation : str
        With ``quadratic`` they are the closed form's.
    probabilities : increasing numbers
    folder : Path
        Where sweeps are kept.
    n_steps : int
        Steps of equal ratio from 0.3 to 3.33, rounded up to an odd number.
    n_starts, n_points, seed, workers, device
        Of the sweep.

    Examples
    --------
    >>> lines = lines_through_one("quadratic", [0.3, 0.9], Path("unused"), n_steps=11)
    >>> lines.across.round(2)
    array([0., 1.])
    """
    V, p = importances_through_one(n_steps), np.asarray(probabilities, dtype=float)
    if activation == "quadratic":
        exact = phase_diagram(V, 9 / (5 * p))
        return Lines(V, p, np.asarray(exact.capacity))
    config = SweepConfig(
        "computation", activation, tuple(V.tolist()), tuple(p.tolist()), n_starts=n_starts,
        max_rounds=_ROUNDS, n_points=n_points, seed=seed,
    )  # fmt: skip
    found = patient_sweep(config, folder, workers=workers, device=device)
    near = np.abs(np.log(V)) <= np.log(_NEAR)
    model, capacity = ToyModel("computation", activation), []
    for row, q in enumerate(p):
        inputs = SparseUniform(float(q))
        nodes = [
            symmetric_nodes(sparse_quadrature(inputs, 6, max(64, n_points // part), seed), True)
            for part in _PARTS
        ]
        line = first_capacity(found)[row].astype(float)
        W = found.W.values[row, near]
        line[near] = minima_along(model, inputs, V[near], W, nodes, device=device).capacity[:, 0]
        capacity.append(line)
    return Lines(V, p, np.array(capacity))
