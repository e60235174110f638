r"""Which feature is in which phase when kurtosis differs from feature to feature.

With independent inputs the loss is still a sum of one term a feature, equation (54) with that
feature's own :math:`k_i`, so an optimal allocation minimizes :math:`\sum_i f_i(C_i)` over
:math:`0\le C_i\le 1`, :math:`\sum_i C_i = D`.  A feature that shares has
:math:`n_i/C_i = \lambda`, hence

.. math:: C_i = 1 - \frac{k_i-1}{k_i-3}\Big(1-\frac{v_i}{\lambda}\Big).

Three facts make the search finite; each is proved in a few lines.

* *At most one feature with* :math:`k_i\le 3` *shares* (up to features of kurtosis 3 and equal
  importance, which can trade).  Moving capacity :math:`\delta` from one to another changes the
  loss by :math:`\tfrac12\delta^2(f_i''+f_j'')+O(\delta^3)`, and with increasing returns both
  second derivatives are negative: one of the two directions, or both, pays.
* *Beside features above 3 it shares only if it outweighs them:*
  :math:`\sum_{shared}\frac{k_i-1}{k_i-3}v_i\le 0`.  For a diagonal Hessian with one negative
  entry, being non-negative on :math:`\sum_i\delta_i=0` means :math:`\sum_i 1/f_i''\le 0`, and
  :math:`f_i''=4\lambda^3\frac{k_i-3}{(k_i-1)v_i}`.  So the capacity that all sharing features
  take together *rises* with :math:`\lambda`.
* *Of the features up to 3 the whole ones are those that gain most:* a whole one takes
  :math:`(k_i-1)v_i^2` off the loss at the price of one dimension, so for a given number of them
  the greatest gains are best.

What is left is one search: for every feature that might be the odd one out, and every interval of
:math:`\lambda` between phase changes of the features above 3, at most two values of
:math:`\lambda` spend the budget.  All of them are looked at that the best allocation without an
odd one leaves in question, by the dual bound of :mod:`feature_capacity.theory.unequal_pieces`.
Where features are many and differ, these are few, and what takes time is one sort.

Every such allocation is that of a matrix.  Features that share have :math:`n_i=\lambda C_i` in
:math:`D-`\ (number of whole features) dimensions, and Schur and Horn's theorem gives a tight
frame with any squared lengths up to :math:`\lambda` that add up to :math:`\lambda` times its
dimension; see :func:`feature_capacity.optimal_embedding`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .unequal_pieces import Lumps, Pieces, lumps_of, pieces_of, pieces_within

_NUMBERS_AT_ONCE = 1 << 22
_LEAST = np.finfo(np.float64).tiny
_TIE = 1e-12  # gains that differ by less than this part are equal; smaller shares are 0
_ROUNDING = 64 * np.finfo(np.float64).eps  # of the loss of a candidate, a sum over the row


@dataclass(frozen=True)
class RowPhases:
    """The phases of the features of one row, and whether others would be as good.

    Attributes
    ----------
    whole, shared, tied : boolean array (N,)
        Tied are features up to 3 that could trade places with each other at no loss.
    unique : bool
    """

    whole: np.ndarray
    shared: np.ndarray
    tied: np.ndarray
    unique: bool


@dataclass(frozen=True)
class _Candidate:
    """An allocation that may be the best: which odd one shares, how many others are whole."""

    loss: float
    multiplier: float  # features above 3 are whole up to this importance
    n_whole: int  # of the features up to 3, the odd one left out
    odd: int  # index into the lumps, or -1


def phases_of_row(importance: np.ndarray, kurtosis: np.ndarray, n_dims: int) -> RowPhases:
    """The phases of the best allocation of one row.  Checks nothing.

    Parameters
    ----------
    importance, kurtosis : array (N,), float64
    n_dims : int

    Examples
    --------
    A dense feature shares beside four sparse ones whose benefit falls fast:

    >>> import numpy as np
    >>> phases = phases_of_row(np.array([2.6, 1, 1, 1, 1]), np.array([2.5, 30, 30, 30, 30]), 2)
    >>> phases.whole, phases.shared
    (array([False, False, False, False, False]), array([ True,  True,  True,  True,  True]))
    """
    worth = (importance > 0) & (kurtosis > 1)
    none = np.zeros_like(worth)
    if worth.sum() <= n_dims:  # a dimension each; what is left is worth nothing
        return RowPhases(worth, none, none, True)
    with np.errstate(over="ignore"):
        ends = np.stack([(kurtosis - 1) / 2 * importance, importance]) * worth
    sure, never = _settled(ends.min(axis=0), ends.max(axis=0), n_dims)
    left, rest = n_dims - int(sure.sum()), ~(sure | never) & worth
    if not left or not rest.any():
        return RowPhases(sure, none, none, True)
    found = _phases_of_rest(importance[rest], kurtosis[rest], left)
    whole, shared, tied = sure, none.copy(), none.copy()
    whole[rest], shared[rest], tied[rest] = found.whole, found.shared, found.tied
    return RowPhases(whole, shared, tied, found.unique)


def _settled(low: np.ndarray, high: np.ndarray, n_dims: int) -> tuple[np.ndarray, np.ndarray]:
    """Features that are whole, and ignored, in every optimum, by their ranges of n / C.

    There must be more of them than dimensions.

    Whole: fewer than ``n_dims`` others ever reach its lowest rate, so that some other one of less
    benefit would have capacity to give.  Ignored: ``n_dims`` others never fall to its highest.
    Without them, importances of a row that differ by a hundred orders of magnitude can be compared.
    """
    n = len(low)
    next_high = np.partition(high, n - n_dims - 1)[n - n_dims - 1]
    last_low = np.partition(low, n - n_dims)[n - n_dims]
    return low > next_high, high < last_low


def _phases_of_rest(importance: np.ndarray, kurtosis: np.ndarray, n_dims: int) -> RowPhases:
    """The same for features of positive worth, by going through all candidates."""
    none = np.zeros(len(importance), dtype=bool)
    if len(importance) <= n_dims:
        return RowPhases(~none, none, none, True)
    v = importance / importance.max()
    above, up_to = kurtosis > 3, np.flatnonzero(kurtosis <= 3)
    pieces, lumps = pieces_of(v[above], kurtosis[above]), lumps_of(v, kurtosis, up_to)
    # In units of what the row loses with no dimension at all.
    slack = _ROUNDING * float(((kurtosis - 1) * v * v).sum())
    found = _without_odd(pieces, lumps, int(above.sum()), n_dims, slack)
    found += _with_odd_of_three(pieces, lumps, n_dims)
    found += _with_odd(pieces, lumps, n_dims, _least(found) + slack)
    least = _least(found)
    best, *rest = (candidate for candidate in found if candidate.loss <= least + slack)

    whole, shared = above & (v >= best.multiplier), above & (v < best.multiplier)
    shared &= (kurtosis - 1) / 2 * v > best.multiplier
    others = np.delete(np.arange(len(up_to)), best.odd if best.odd >= 0 else [])
    whole[lumps.index[others[: best.n_whole]]] = True
    if best.odd >= 0:
        shared[lumps.index[best.odd]] = True
    tied = none.copy()
    if 0 < best.n_whole < len(others):
        gain = lumps.gain[others]
        alike = np.abs(gain - gain[best.n_whole]) <= _TIE * gain
        if alike[best.n_whole - 1]:
            tied[lumps.index[others[alike]]] = True
    rivals = [candidate for candidate in rest if not _same(candidate, best)]
    return RowPhases(whole, shared, tied, not rivals and not tied.any())


def _least(candidates: list[_Candidate]) -> float:
    return min(candidate.loss for candidate in candidates)


def _same(one: _Candidate, other: _Candidate) -> bool:
    near = abs(one.multiplier - other.multiplier) <= 1e-9 * other.multiplier
    return one.odd == other.odd and one.n_whole == other.n_whole and near


def _without_odd(
    pieces: Pieces, lumps: Lumps, n_above: int, n_dims: int, slack: float
) -> list[_Candidate]:
    """The best numbers of whole features up to 3, the others sharing the rest of the budget."""
    n_lumps = len(lumps.index)
    n_whole = np.arange(max(0, n_dims - n_above), min(n_dims, n_lumps) + 1)
    left = n_dims - n_whole
    # Capacity at the lower edges falls from n_above to 0: the piece where it crosses what is left.
    level = pieces.slope == 0
    entry = pieces.fixed[1:] + pieces.slope[1:] / np.maximum(pieces.edge[1:-1], _LEAST)
    entry = np.where(level[:-1], pieces.fixed[:-1], entry)  # without rounding
    entry = np.minimum.accumulate(np.concatenate([[n_above], entry]))
    piece = np.clip(np.searchsorted(-entry, -left, side="right") - 1, 0, len(entry) - 1)
    before = np.maximum(piece - 1, 0)
    piece = np.where(level[before] & (pieces.fixed[before] == left), before, piece)
    # Where nobody shares any multiplier of the piece serves.
    slope, rest = pieces.slope[piece], left - pieces.fixed[piece]
    moves = (slope > 0) & (rest > 0)
    multiplier = np.where(moves, slope, pieces.edge[piece]) / np.where(moves, rest, 1.0)
    multiplier = np.clip(multiplier, pieces.edge[piece], pieces.edge[piece + 1])
    loss = pieces.loss(piece, multiplier) + lumps.total[-1] - lumps.total[n_whole]
    lowest = np.flatnonzero(loss <= loss.min() + slack)
    return [_Candidate(float(loss[i]), float(multiplier[i]), int(n_whole[i]), -1) for i in lowest]


def _with_odd_of_three(pieces: Pieces, lumps: Lumps, n_dims: int) -> list[_Candidate]:
    """The odd one has kurtosis 3 and with it constant returns: its importance is the multiplier."""
    odd = np.flatnonzero(lumps.kurtosis == 3)
    multiplier = lumps.importance[odd]
    piece = pieces.at(multiplier)
    left = n_dims - pieces.capacity(piece, multiplier)
    n_whole = np.floor(left).astype(int)
    share = left - n_whole
    loss = pieces.loss(piece, multiplier) + (1 - share) * lumps.gain[odd]
    return _kept(lumps, loss, multiplier, n_whole, odd, (share > _TIE) & (share < 1 - _TIE))


def _with_odd(pieces: Pieces, lumps: Lumps, n_dims: int, loss_known: float) -> list[_Candidate]:
    """The odd one is below 3: every multiplier at which it shares and the budget is spent.

    Of those that may lose no more than an allocation that is known.
    """
    pieces = pieces[pieces_within(pieces, lumps, n_dims, loss_known)]
    if not len(pieces.fixed):
        return []
    v, k = lumps.importance, lumps.kurtosis
    below = k < 3
    heavy = (k - 1) / np.where(below, 3 - k, 1.0) * v > pieces.slope.min()
    heavy &= ((k - 1) / 2 * v < pieces.edge[-1]) & (v > pieces.edge[0])
    odds = np.flatnonzero(below & heavy)
    step = max(1, _NUMBERS_AT_ONCE // len(pieces.fixed))
    found: list[_Candidate] = []
    for start in range(0, len(odds), step):
        odd = odds[start : start + step]
        v, k = lumps.importance[odd][:, None], lumps.kurtosis[odd][:, None]
        w = (k - 1) / (k - 3)
        low = np.maximum(pieces.edge[:-1], (k - 1) / 2 * v)
        high = np.minimum(pieces.edge[1:], v)
        slope, fixed = pieces.slope + w * v, pieces.fixed + 1 - w
        row, piece = np.nonzero((low < high) & (slope < 0))
        if not len(row):
            continue
        slope, fixed = slope[row, piece], fixed[row, piece]
        low, high = low[row, piece], high[row, piece]
        # Capacity rises by at most 1 over a piece, so that it passes at most two whole numbers.
        least = np.ceil(fixed + slope / low)
        for spent in (least, least + 1):
            # What all take together stays below ``fixed``.
            multiplier = slope / np.where(spent < fixed, spent - fixed, -1.0)
            here, weight = odd[row], w[row, 0]
            below = lumps.importance[here] - multiplier
            share = 1 + weight * below / multiplier
            inside = (spent < fixed) & (low <= multiplier) & (multiplier <= high)
            inside &= (share > _TIE) & (share < 1 - _TIE)
            loss = pieces.loss(piece, multiplier) - 2 * weight * lumps.importance[here] * below
            found += _kept(lumps, loss, multiplier, (n_dims - spent).astype(int), here, inside)
    return found


def _kept(
    lumps: Lumps,
    loss: np.ndarray,
    multiplier: np.ndarray,
    n_whole: np.ndarray,
    odd: np.ndarray,
    good: np.ndarray,
) -> list[_Candidate]:
    """The lowest of the candidates, and those as low, with what the others up to 3 add."""
    good = good & (n_whole >= 0) & (n_whole < len(lumps.index))
    if not good.any():
        return []
    loss, multiplier, n_whole, odd = loss[good], multiplier[good], n_whole[good], odd[good]
    # The odd one is no whole one: where it is among the first, one more follows.
    gains = np.where(
        odd < n_whole, lumps.total[n_whole + 1] - lumps.gain[odd], lumps.total[n_whole]
    )
    loss = loss + lumps.total[-1] - lumps.gain[odd] - gains
    lowest = np.flatnonzero(loss <= loss.min() + _ROUNDING * abs(lumps.total[-1]))
    return [
        _Candidate(float(loss[i]), float(multiplier[i]), int(n_whole[i]), int(odd[i]))
        for i in lowest
    ]
