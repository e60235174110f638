"""Costs of a row at the vertices of the grid."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .activations import LATTICE
from .averages import Table, c_grid
from .case import Case
from .grid import Grid, gaps
from .lengths import length_corrections
from .outside import Outside


@dataclass(frozen=True)
class Rows:
    """Lower bounds of a row's loss at the vertices that count, for importance 1.

    Attributes
    ----------
    grid : Grid
    c : array
        Values of :math:`c`.
    length, bias : array (vertices,)
        Lines of the grid that the vertices are on, in the order of the lengths.
    own : array (vertices,)
        The loss while no other feature is on, with ``bias_loss`` taken off.
    bias_loss : array (vertices,)
        The correction for the biases in ``own``.
    length_loss : array (vertices,)
    partner_loss : array (vertices, lengths of the partner)
        The corrections for the lengths, still to be taken off.
    pair : array (vertices, c)
        The cost of another feature.
    any : array (vertices,)
        The least of it.
    outside : array (2,)
        The own loss of a feature that is too short, or has its bias outside.
    """

    grid: Grid
    c: np.ndarray
    length: np.ndarray
    bias: np.ndarray
    own: np.ndarray
    bias_loss: np.ndarray
    length_loss: np.ndarray
    partner_loss: np.ndarray
    pair: np.ndarray
    any: np.ndarray
    outside: np.ndarray

    @property
    def zero(self) -> int:
        """Where c is 0; the values below 0 reach further in fine steps than those above."""
        return int(np.searchsorted(self.c, 0.0))

    @classmethod
    def of(cls, case: Case, grid: Grid, multiplier: float, outside: Outside) -> Rows:
        """All costs on a grid."""
        own, bias_loss = own_loss(case, grid)
        length_loss, partner_loss = length_corrections(case, grid)
        live = live_vertices(own - length_loss, case.chance(0) * outside.bias)
        length, bias = np.nonzero(live)
        c = c_grid(grid.reach**2)
        pair = _pair_costs(case, grid, c, (length, bias), multiplier)
        kept = sum(math.comb(case.n - 1, k) * case.chance(k) for k in range(3))
        losses = kept * outside.small, case.chance(0) * outside.bias
        return cls(
            grid, c * LATTICE, length, bias, own[live], bias_loss[live], length_loss[live],
            partner_loss[live], pair, pair.min(1), np.array(losses),
        )  # fmt: skip


def _pair_costs(
    case: Case,
    grid: Grid,
    c: np.ndarray,
    vertices: tuple[np.ndarray, np.ndarray],
    multiplier: float,
) -> np.ndarray:
    """The cost of another feature at each c; beyond what lengths allow that of the last one."""
    length, bias = vertices
    most = int(c[-1])
    first = round(grid.biases[0] / LATTICE) - 2 * most
    last = round(grid.biases[-1] / LATTICE) + 2 * most
    beta = LATTICE * np.arange(first, last + 1)
    at = np.round(grid.biases / LATTICE).astype(int) - first
    between = gaps(grid.biases)
    pair = np.empty((len(length), len(c)))
    for k in np.unique(length):
        limit = grid.lengths[k] * grid.reach / LATTICE
        use = np.flatnonzero((c >= c[c <= -limit].max()) & (c <= c[c >= limit].min()))
        table = Table(case, grid.lengths[k] ** 2, beta, c[use], multiplier)
        for vertex in np.flatnonzero(length == k):
            m = bias[vertex]
            costs = table.costs(at[m], between[m])
            pair[vertex] = np.pad(costs, (use[0], len(c) - 1 - use[-1]), "edge")
    return pair


def own_loss(case: Case, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """The loss at the vertices while no other feature is on, and the correction for the bias."""
    between = gaps(grid.biases)
    shape = len(grid.lengths), len(grid.biases)
    own, loss, bend = np.empty(shape), np.empty(shape), np.empty(shape[1])
    alike = np.round(between, 9)
    for k, g in enumerate(grid.lengths**2):
        for gap in np.unique(alike):
            some = alike == gap
            bend[some] = case.act.curvature(g, grid.biases[some], gap, case.p)
        loss[k] = case.chance(0) * between**2 / 8 * bend
        own[k] = case.chance(0) * case.loss(g, grid.biases) - loss[k]
    return own, loss


def live_vertices(below: np.ndarray, least: float) -> np.ndarray:
    """Vertices of cells in which the own loss may be less than it is outside.

    >>> live_vertices(np.array([[0, 1, 1], [1, 1, 1]]), 1).astype(int).tolist()
    [[1, 1, 0], [1, 1, 0]]
    """
    cell = below[:-1] < least
    cell |= below[1:] < least
    cell = cell[:, :-1] | cell[:, 1:]
    live = np.zeros(below.shape, bool)
    for rows in (slice(None, -1), slice(1, None)):
        for columns in (slice(None, -1), slice(1, None)):
            live[rows, columns] |= cell
    return live
