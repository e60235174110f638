r"""Averages of a row's loss over the values of one or two other features, from below.

The other features add :math:`c\,y` to the row, with y uniform on [0, 1] and
:math:`c=\alpha_i\alpha_j\rho_{ij}` on a grid.  Integrals are sums over a lattice of total biases
less the error of the trapezoidal rule, and corrections in the bias and in c are taken within the
average over the state, as :math:`\Phi-\tfrac18h^2M` in place of :math:`\Phi`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .activations import LATTICE
from .case import Case
from .grid import gaps

_FINE, _COARSE = 5, 20  # steps of c, in units of the lattice
_FINE_FROM, _FINE_TO = -300, 140  # where the fine ones are


def c_grid(most: float) -> np.ndarray:
    """Values of c in units of the lattice: dense where they matter, coarse elsewhere.

    >>> c = c_grid(1.0)
    >>> (c[[0, -1]] * LATTICE).tolist(), int(np.diff(c).min()), int(np.diff(c).max())
    ([-1.1, 1.1], 5, 20)
    """
    count = math.floor(most / LATTICE / _COARSE) + 1
    coarse = _COARSE * np.arange(-count, count + 1)
    low, high = max(_FINE_FROM, -_COARSE * count), min(_FINE_TO, _COARSE * count)
    return np.unique(np.r_[coarse, np.arange(low, high + 1, _FINE)])


@dataclass
class Table:
    """Averages of a row's loss over the values of others, for a given g.

    Attributes
    ----------
    case : Case
    g : float
    beta : array
        Total biases: points of the lattice, one after the other.
    c : array
        In units of the lattice.
    multiplier : float
        What a squared cosine is about worth.
    """

    case: Case
    g: float
    beta: np.ndarray
    c: np.ndarray
    multiplier: float
    _bends: dict[float, np.ndarray] = field(init=False, default_factory=dict)
    _tables: dict[tuple[float, ...], _Summed] = field(init=False, default_factory=dict)

    def costs(self, at: int, gap: float) -> np.ndarray:
        """The cost that another feature adds at each c; h of those of two in each.

        Parameters
        ----------
        at : int
            Of the row's bias, among the total biases.
        gap : float
            To the next line of biases.
        """
        case, coarse = self.case, self._coarse
        small, large = _FINE * LATTICE, _COARSE * LATTICE
        one = [self._summed(gap, step).singles(at, self.c) for step in (small, large)]
        pair = case.chance(1) * np.where(coarse, one[1], one[0])
        if case.n < 3:
            return pair
        two = np.empty((len(self.c),) * 2)
        fine, wide = np.flatnonzero(~coarse), np.flatnonzero(coarse)
        for one_step, some in ((small, fine), (large, wide)):
            for other_step, others in ((small, fine), (large, wide)):
                table = self._summed(gap, one_step, other_step)
                two[np.ix_(some, others)] = table.doubles(at, self.c[some], self.c[others])
        weight = case.chance(2) * (case.n - 2)
        return pair + weight * self._halved(pair, two, weight)

    @cached_property
    def _coarse(self) -> np.ndarray:
        return gaps(self.c) > _FINE

    @cached_property
    def _loss(self) -> np.ndarray:
        return self.case.loss(self.g, self.beta)

    def _summed(self, gap: float, *steps: float) -> _Summed:
        """The loss less the corrections for the gap of the biases, the steps of c, the lattice."""
        key = (round(gap, 9), *sorted(steps))
        if key not in self._tables:
            bend = self._bend(round(gap + sum(steps) + LATTICE, 9))
            square = (gap**2 + sum(step**2 for step in steps)) / 8 + len(steps) * LATTICE**2 / 12
            self._tables[key] = _Summed(self._loss - square * bend)
        return self._tables[key]

    def _bend(self, width: float) -> np.ndarray:
        """Bounds of the second derivative wherever a correction may need them."""
        if width not in self._bends:
            found = self.case.act.curvature(self.g, self.beta, width, self.case.p)
            self._bends[width] = found
        return self._bends[width]

    def _halved(self, pair: np.ndarray, two: np.ndarray, weight: float) -> np.ndarray:
        """A function h with h(c) + h(c') at most the cost of two; what is cheap gives way last."""
        c = self.c * LATTICE
        reward = self.multiplier * np.minimum(1.0, (c / max(self.g, 0.01)) ** 2)
        half = np.diagonal(two) / 2
        slack = pair + weight * half - reward
        slack = np.maximum(slack - slack.min(), 1e-4 * self.case.found / self.case.v.sum())
        slack = slack**2
        share = slack[:, None] / (slack[:, None] + slack[None, :])
        near = (np.abs(c) <= max(self.g, 0.1)) & (c <= 0)
        half = np.minimum(half, half[near].max())
        for _ in range(3):
            over = np.minimum(two - half[:, None] - half[None, :], 0.0)
            half = half + (share * over).min(1)
        over = np.minimum(two - half[:, None] - half[None, :], 0.0)
        return half + over.min(1) / 2


class _Summed:
    """A function on the lattice with its integrals, by the trapezoidal rule."""

    def __init__(self, values: np.ndarray):
        self.values = values
        self.once = _integral(values)
        self.twice = _integral(self.once)

    def singles(self, at: int, c: np.ndarray) -> np.ndarray:
        """Averages over [at, at + c]."""
        safe = np.where(c == 0, 1, c)
        return np.where(c == 0, self.values[at], (self.once[at + c] - self.once[at]) / safe)

    def doubles(self, at: int, c: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Averages at the sum of a point of [0, c] and one of [0, c'], from at on."""
        both = self.twice[at + c[:, None] + other] + self.twice[at]
        both -= self.twice[at + c][:, None] + self.twice[at + other]
        both /= np.where(c == 0, 1, c)[:, None] * np.where(other == 0, 1, other)
        both[c == 0] = self.singles(at, other)
        both[:, other == 0] = self.singles(at, c)[:, None]
        return both


def _integral(values: np.ndarray) -> np.ndarray:
    """The integral from the first point on, in units of the lattice."""
    return np.concatenate([[0.0], np.cumsum((values[1:] + values[:-1]) / 2)])
