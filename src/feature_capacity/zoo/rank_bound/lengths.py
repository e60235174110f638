r"""Corrections for the lengths: what a chord may be above a row's loss between two lines.

If the second derivative along a length is at most M, the loss between two lines at the distance h
is at least its chord less :math:`h^2M/8`.
"""

from __future__ import annotations

import math

import numpy as np

from .case import Case
from .grid import Grid, gaps

_CELLS = 24  # of the feature's own value


def length_corrections(case: Case, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    r"""Bounds of :math:`h^2M/8` for the lengths, in a row of importance 1.

    Returns
    -------
    alone : array (lengths, biases)
        With all other features off.
    partners : array (lengths, biases, lengths of the partner)
        What each partner adds in the states in which it is on, for the row's own length and for
        that of the partner.
    """
    if math.isinf(case.act.kappa):
        return _of_squares(case, grid)
    up, square = grid.upper, gaps(grid.lengths) ** 2 / 8
    rise, rest = case.act.slope
    kappa, p, partner = case.act.kappa, case.p, case.partner
    bias = np.append(grid.biases[1:], grid.biases[-1])
    x = np.arange(1, _CELLS + 1)[:, None, None] / _CELLS
    above = np.maximum((up[:, None] ** 2 - 1) * x, (up[:, None] ** 2 - 1) * (x - 1 / _CELLS))
    above = np.maximum(above + bias, 0.0)
    own = 4 * kappa * up[:, None] ** 2 * p / 3 + 4 * p * (x * (rise * above + rest)).mean(0)
    twice = max(case.n - 2, 0) * case.chance(2)
    pair = (kappa + rise) * up[:, None] * up * p * partner
    pair = square[:, None] * (pair + kappa * up**2 * (partner / 3 + twice / 4))
    pair = pair + square * kappa * up[:, None] ** 2 * partner / 3
    shape = len(up), len(grid.biases), len(up)
    return square[:, None] * own, np.broadcast_to(pair[:, None], shape)


def _of_squares(case: Case, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """The same where κ is 12 z²: polynomials with no negative coefficient in all values.

    They are largest where all cosines are 1 and the bias is positive; three nodes of Gauss and
    Legendre integrate them exactly.  If two partners of lengths s and t are on, each monomial is at
    most the mean of those for s, s and for t, t (Muirhead).
    """
    up, square, p = grid.upper, gaps(grid.lengths) ** 2 / 8, case.p
    own, partner = up[:, None, None], up[None, None, :]
    upper = np.append(grid.biases[1:], grid.biases[-1])
    lower = np.append(grid.biases[0], grid.biases[:-1])
    bias = np.maximum(np.abs(upper), np.abs(lower))[None, :, None]
    below = np.maximum(-lower, 0.0)[None, :, None]
    twice = max(case.n - 2, 0) * case.chance(2)
    nodes, weights = np.polynomial.legendre.leggauss(3)
    on = [(float(x + 1) / 2, float(w) / 2) for x, w in zip(nodes, weights, strict=True)]

    def bend(x: float, met: float) -> np.ndarray:
        z, dark = own**2 * x + own * partner * met + bias, own * partner * met + below
        return 12 * z**2 * (2 * own * x + partner * met) ** 2 + 8 * x * (z**3 + x * dark)

    def across(x: float, y: float, other: float) -> np.ndarray:
        z = own**2 * x + own * partner * y + own * grid.reach * other + bias
        return 12 * z**2 * (own * y) ** 2

    mine, other = np.zeros(1), np.zeros(1)
    alone = np.sum([p * w * bend(x, 0.0) for x, w in on], axis=0)[:, :, 0]
    for x, chance in [(0.0, 1 - p), *((x, p * w) for x, w in on)]:
        for y, wy in on:
            mine = mine + chance * wy * case.chance(1) * bend(x, y)
            other = other + chance * wy * case.chance(1) * across(x, y, 0.0)
            for t, wt in on:
                mine = mine + chance * wy * wt * twice / 2 * bend(x, y + t)
                other = other + chance * wy * wt * twice * across(x, y, t)
    return square[:, None] * alone * case.chance(0), square[:, None, None] * mine + square * other
