"""Capacity along lines of importance through V = 1, in the computation model, in fine steps.

Random starts and arrangements find minima at some importances, on few nodes, where all low ones
that differ are kept.  All that is found at any importance and any probability is then tried in
every cell of every line, with feature 1 in every place, and the best of it is minimized.  Close to
V = 1 this is done on nodes in every cyclic order of the features, so that a jump at equal
importances lies exactly there; plain nodes put it off by a percent or two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._arrays import require_whole, to_numpy
from ..models.inputs import SparseUniform
from ..models.quadrature import Quadrature, sparse_quadrature
from ..models.symmetric_nodes import symmetric_nodes
from ..models.toy_models import ToyModel
from ..solvers.near_equality import distinct_minima, minima_along
from ..solvers.starts import arranged_starts, random_starts
from ..theory.capacity import capacities
from ..theory.phases import one_feature_varied, phase_diagram
from ..theory.transitions import decades_between

CLOSE = (0.9, 0.97, 0.99, 0.997, 0.999, 1.001, 1.003, 1.01, 1.03, 1.1)
"""Importances around 1 that every line has besides its even steps."""

_FEWER = 16  # so many times fewer nodes are enough to find the way
_EVERY = 10  # importances from one that has starts of its own to the next
_BEST = 8  # of all that is known, tried in a cell
_ROUNDS = 2  # in which all that is known is tried everywhere
_NEAR = 1.11  # up to this factor from 1 nodes come in every order
# Few nodes decide wrongly between embeddings there, where inputs are of middling sparsity.


@dataclass(frozen=True)
class Lines:
    """Capacities of feature 1 along lines of importance.

    Attributes
    ----------
    importance : array (n_importance,)
    probability : array (n_probability,)
    capacity : array (n_probability, n_importance)
    W : array (n_probability, n_importance, n_dims, n_features), optional
        The networks; none of the closed form.
    """

    importance: np.ndarray
    probability: np.ndarray
    capacity: np.ndarray
    W: np.ndarray | None = None

    @property
    def at_equality(self) -> np.ndarray:
        """Networks next to V = 1 on either side, (2 n_probability, n_dims, n_features)."""
        if self.W is None:
            raise ValueError("lines of the closed form have no networks: take another activation")
        return self.W[:, self._next_to_one].reshape(-1, *self.W.shape[2:])

    @property
    def _next_to_one(self) -> list[int]:
        return [int(np.argmin(np.abs(self.importance - v))) for v in (0.999, 1.001)]

    @property
    def across(self) -> np.ndarray:
        """Change of capacity between the importances next to 1 on either side, for each line."""
        low, high = self._next_to_one
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
    n_steps: int = 81,
    n_starts: int = 32,
    n_points: int = 2048,
    seed: int = 0,
    device: str = "auto",
) -> Lines:
    """Capacities along a line for each probability, six features in three dimensions.

    Parameters
    ----------
    activation : str
        One that has an even part and a linear one.  With ``quadratic`` capacities are the closed
        form's.
    probabilities : increasing numbers
    n_steps : int
        Steps of equal ratio from 0.3 to 3.33, rounded up to an odd number.
    n_starts : int
        Random starts, and as many arrangements, in every tenth cell; they cost little on few nodes.
    n_points : int
        About how many nodes, each of which stands for its opposite too; close to V = 1 six times as
        many.
    seed : int
        Of starts and nodes.
    device : str

    Examples
    --------
    >>> lines = lines_through_one("quadratic", [0.3, 0.9], n_steps=11)
    >>> lines.across.round(2)
    array([0., 1.])
    """
    V, p = importances_through_one(n_steps), np.asarray(probabilities, dtype=float)
    if activation == "quadratic":
        exact = phase_diagram(V, 9 / (5 * p))
        return Lines(V, p, np.asarray(exact.capacity))
    model = ToyModel("computation", activation)
    rough = [_nodes(float(q), max(64, n_points // _FEWER), seed) for q in p]
    found = []
    for row, q in enumerate(p):
        v = np.asarray(one_feature_varied(V[:: min(_EVERY, len(V) // 2)], 6))
        starts = [
            random_starts(model, len(v), n_starts, [seed, 31, row]),
            arranged_starts(model, v, n_starts, [seed, 32, row]),
        ]
        found.extend(
            distinct_minima(
                model, SparseUniform(float(q)), v, np.concatenate(starts, axis=1), rough[row],
                device=device,
            )
        )  # fmt: skip
    known = np.concatenate(found)
    W = [
        _line(model, float(q), V, known, rough[row], _nodes(float(q), n_points, seed), device)
        for row, q in enumerate(p)
    ]
    return Lines(V, p, to_numpy(capacities(np.array(W)))[..., 0], np.array(W))


def _nodes(p: float, n_points: int, seed: int) -> Quadrature:
    return sparse_quadrature(SparseUniform(p), 6, n_points, seed, mirrored=True)


def _line(
    model: ToyModel,
    p: float,
    V: np.ndarray,
    known: np.ndarray,
    rough: Quadrature,
    fine: Quadrature,
    device: str,
) -> np.ndarray:
    """The lowest networks along one line, from networks that are known."""
    inputs, few = SparseUniform(p), symmetric_nodes(rough, both_signs=True)
    known = minima_along(model, inputs, V, known, [few], _ROUNDS, _BEST, device=device).W
    near = np.abs(np.log(V)) <= np.log(_NEAR)
    lowest = known.copy()
    for cells, many in ((~near, fine), (near, symmetric_nodes(fine, both_signs=True))):
        lowest[cells] = minima_along(
            model, inputs, V[cells], known, [few, many], 1, _BEST, device=device
        ).W
    return lowest
