r"""The minimum of a sum of costs of features and of pairs of features, from below.

Each vertex of the grid has a cost of its own, and each pair of vertices of two features the least
cost over :math:`\rho_{ij}`, which is attained at a grid point of c or at :math:`\rho=\pm1`, since
the cost is piecewise linear in c but for a concave square.  Cost is moved between pairs and
vertices (Globerson and Jaakkola): whatever is moved, the sum of the least costs of each feature and
each pair is a lower bound.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from .case import Case, missing
from .loops import least_of_each, least_sums
from .rows import Rows

_SWEEPS = 8


def at_best_multiplier(
    case: Case, rows: Rows, rank: tuple[np.ndarray, float], start: float, factor: float
) -> tuple[float, float, list[np.ndarray]]:
    """The best bound among multipliers near one, the multiplier, and the final costs.

    Parameters
    ----------
    case : Case
    rows : Rows
    rank : array and float
        From :func:`~feature_capacity.zoo.rank_bound.case.rank_weights`.
    start, factor : float
        The multipliers are ``start`` times powers of ``factor``.
    """
    s, gain = rank
    if gain <= 0:
        value, costs = minimum(case, rows, s, 0.0)
        return value, 0.0, costs
    tried: dict[int, tuple[float, list[np.ndarray]]] = {}
    for steps in (0, 1, 2, 3, -1, -2, -3):
        before = steps - int(np.sign(steps))
        if steps and before != max(tried, key=lambda k: tried[k][0]):
            continue
        multiplier = start * factor**steps
        value, costs = minimum(case, rows, s, multiplier)
        tried[steps] = (value + multiplier * gain, costs)
    best = max(tried, key=lambda k: tried[k][0])
    return tried[best][0], start * factor**best, tried[best][1]


def minimum(
    case: Case, rows: Rows, s: np.ndarray, multiplier: float
) -> tuple[float, list[np.ndarray]]:
    """A lower bound of the sum of all costs by message passing, and each feature's costs."""
    v, n = case.v, case.n
    lost = missing(case, s, multiplier)
    costs = [
        np.r_[v[i] * (rows.own - rows.length_loss), v[i] * rows.outside - lost[i]] for i in range(n)
    ]
    between = {
        (i, j): edge(rows, (v[i], v[j]), 2 * multiplier * s[i] * s[j])
        for i, j in combinations(range(n), 2)
    }
    sent = {(i, j): np.zeros_like(costs[0]) for i in range(n) for j in range(n) if i != j}
    least_i, least_j = np.empty_like(costs[0]), np.empty_like(costs[0])
    for _ in range(_SWEEPS):
        for (i, j), table in between.items():
            mine, other = costs[i] - sent[i, j], costs[j] - sent[j, i]
            least_of_each(table, mine, other, least_i, least_j)
            sent[i, j], sent[j, i] = (least_i - mine) / 2, (least_j - other) / 2
            costs[i], costs[j] = mine + sent[i, j], other + sent[j, i]
    value = sum(float(cost.min()) for cost in costs)
    for (i, j), table in between.items():
        least_of_each(table, -sent[i, j], -sent[j, i], least_i, least_j)
        value += float((least_i - sent[i, j]).min())
    return value, costs


def edge(rows: Rows, v: tuple[float, float], reward: float) -> np.ndarray:
    """The least cost over the cosine, for all pairs of vertices of two features.

    The last two rows and columns are of features outside of the grid.
    """
    count = len(rows.own)
    table, least = np.zeros((count + 2, count + 2)), np.empty((count, count))
    other = np.ascontiguousarray(v[1] * rows.pair.T)
    spread = v[1] * float((rows.pair[:, rows.zero] - rows.any).max())
    for k in np.unique(rows.length):
        some = slice(*np.searchsorted(rows.length, [k, k + 1]))
        _over_cosines(rows, k, v[0] * rows.pair[some], other, reward, spread, least[some])
    lost = rows.partner_loss[:, rows.length]
    table[:count, :count] = least - v[0] * lost - v[1] * lost.T
    low = rows.any - rows.partner_loss.max(1)
    table[count:, :count], table[:count, count:] = v[1] * low, v[0] * low[:, None]
    return table


def _over_cosines(
    rows: Rows,
    k: int,
    mine: np.ndarray,
    other: np.ndarray,
    reward: float,
    spread: float,
    least: np.ndarray,
) -> None:
    """Write the least of mine[i](c) + other[j](c) - reward (c / most[j])² over |c| up to most[j].

    ``most`` is the length of line k times that of each vertex; ``spread`` is how far any of the
    others is below its cost at c = 0.
    """
    c, at_line = rows.c, rows.grid.lengths[k] * rows.grid.lengths
    most, line = at_line[rows.length], np.arange(other.shape[1])
    least[:] = np.inf
    for sign in (-1, 1):
        at, t = _place(c, sign * at_line)
        mine_there = (1 - t) * mine[:, at] + t * mine[:, at + 1]
        at, t = at[rows.length], t[rows.length]
        there = (1 - t) * other[at, line] + t * other[at + 1, line] - reward
        np.minimum(least, mine_there[:, rows.length] + there, out=least)
    # Where the row loses more than the reward and all that others may gain, c = 0 is better.
    some = mine - reward <= mine[:, rows.zero, None] + spread
    some &= np.abs(c) < most.max()
    first, last = some.argmax(1), some.shape[1] - some[:, ::-1].argmax(1)
    last = np.where(some.any(1), last, first)
    least_sums(mine, first, last, other, c, most, reward, least)


def _place(c: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Between which grid points values of c lie: the first of them, and how far on."""
    k = np.clip(np.searchsorted(c, at, "right") - 1, 0, len(c) - 2)
    return k, (at - c[k]) / (c[k + 1] - c[k])
