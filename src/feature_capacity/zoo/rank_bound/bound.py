"""The bound itself: stages of finer grids, and networks with a column that is too long."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from .activations import ACTIVATIONS
from .case import Case, rank_weights
from .outside import rectangle
from .pairs import at_best_multiplier
from .refinement import refined, start
from .rows import Rows

_ROOMS, _FACTORS = ((0.1, 0.6), (0.02, 0.25)), (1.25, 1.05, 1.05)
_ROUND_OFF = 1e-4  # covers what is less than a part in 10^5


def one_layer_bound(
    importance: np.ndarray, probability: float, n_dims: int, activation: str, found: float
) -> float:
    """A lower bound of the autoencoder's loss over all weights and biases, one per output.

    Parameters
    ----------
    importance : array (n_features,)
        Positive.
    probability : float
        That a feature is on, and then uniform on [0, 1].
    n_dims : int
    activation : {"relu", "gelu", "quadratic"}
    found : float
        A loss that some weights reach.

    Returns
    -------
    float
        From 0 to ``found``.

    Examples
    --------
    A pair in one dimension, which ReLU tells apart unless both are on:

    >>> bound = one_layer_bound(np.ones(2), 0.1, 1, "relu", 0.00332)
    >>> bool(0.9 * 0.00332 < bound <= 0.00332)
    True
    """
    v = np.asarray(importance, float)
    if found <= 0 or len(v) < 2 or not 0 < probability < 1:
        return 0.0
    if len(v) <= n_dims and activation == "relu":
        return 0.0
    case = Case(v, float(probability), n_dims, ACTIVATIONS[activation], float(found))
    return min(max(bound(case) * (1 - _ROUND_OFF), 0.0), case.found)


def bound(case: Case, enough: float = math.inf) -> float:
    """The bound: of all networks without a column that is too long, or of those with one.

    Not cut off at the loss that was found; finer grids are left out once it is ``enough``.
    """
    rank = rank_weights(case.v, case.n_dims)
    gain = rank[1]
    box, outside = rectangle(case, *rank)
    best, at = 0.0, (0.5 * case.found / gain if gain > 0 else 0.0)
    grid = start(case, box, outside, _ROOMS[0])
    for stage, factor in enumerate(_FACTORS):
        rows = Rows.of(case, grid, at, outside)
        value, at, costs = at_best_multiplier(case, rows, rank, at, factor)
        best = max(best, value)
        finer = start(case, box, outside, _ROOMS[1]) if stage == 0 else refined(case, rows, costs)
        if best >= enough or finer is None:
            break
        grid = finer
    return min(best, _with_long_column(case, outside.large, gain, best))


def _with_long_column(case: Case, large: float, gain: float, enough: float) -> float:
    """A bound for networks in which a column is longer than the rectangle.

    Its feature loses v(1-p)^(n-1) T, and the others are a smaller network while it is off.
    """
    below = float(case.v.min()) * case.chance(0) * large
    if case.n - 1 <= case.n_dims or below >= enough:
        return below
    v = np.sort(case.v)[:-1]
    found = case.found * rank_weights(v, case.n_dims)[1] / gain
    rest = bound(replace(case, v=v, found=found), (enough - below) / (1 - case.p))
    return below + (1 - case.p) * rest
