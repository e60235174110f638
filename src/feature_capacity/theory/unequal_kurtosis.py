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
:math:`\lambda` spend the budget.  All of them are looked at: O(M N) for M features up to 3.

Every such allocation is that of a matrix.  Features that share have :math:`n_i=\lambda C_i` in
:math:`D-`\ (number of whole features) dimensions, and Schur and Horn's theorem gives a tight
frame with any squared lengths up to :math:`\lambda` that add up to :math:`\lambda` times its
dimension; see :func:`feature_capacity.optimal_embedding`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
class _Pieces:
    """Features above 3 as functions of the multiplier, between one phase change and the next.

    In piece p, for multipliers from ``edge[p]`` to ``edge[p + 1]``, they take ``fixed + slope /
    multiplier`` of capacity and lose ``2 (multiplier slope - square) + ignored``.
    """

    edge: np.ndarray  # (pieces + 1,)
    fixed: np.ndarray  # (pieces,), as the following
    slope: np.ndarray  # 0 where nobody shares
    square: np.ndarray
    ignored: np.ndarray

    def loss(self, piece: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
        shared = multiplier * self.slope[piece] - self.square[piece]
        return 2 * shared + self.ignored[piece]


@dataclass(frozen=True)
class _Lumps:
    """The features up to 3, those that gain most first."""

    index: np.ndarray  # (M,), as the following
    importance: np.ndarray
    kurtosis: np.ndarray
    gain: np.ndarray
    total: np.ndarray  # (M + 1,): gain of the first m


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

    Whole: fewer than ``n_dims`` others ever reach its lowest rate, so that some other one of less
    benefit would have capacity to give.  Ignored: ``n_dims`` others never fall to its highest.
    Without them, importances of a row that differ by a hundred orders of magnitude can be compared.
    """
    n = len(low)
    reaching = n - np.searchsorted(np.sort(high), low, side="left") - 1
    beyond = n - np.searchsorted(np.sort(low), high, side="right")
    return reaching < n_dims, beyond >= n_dims


def _phases_of_rest(importance: np.ndarray, kurtosis: np.ndarray, n_dims: int) -> RowPhases:
    """The same for features of positive worth, by going through all candidates."""
    none = np.zeros(len(importance), dtype=bool)
    if len(importance) <= n_dims:
        return RowPhases(~none, none, none, True)
    v = importance / importance.max()
    above, up_to = kurtosis > 3, np.flatnonzero(kurtosis <= 3)
    pieces, lumps = _pieces(v[above], kurtosis[above]), _lumps(v, kurtosis, up_to)
    found = _without_odd(pieces, lumps, int(above.sum()), n_dims)
    found += _with_odd_of_three(pieces, lumps, n_dims) + _with_odd(pieces, lumps, n_dims)
    least = min(candidate.loss for candidate in found)
    # In units of what the row loses with no dimension at all.
    slack = _ROUNDING * float(((kurtosis - 1) * v * v).sum())
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


def _same(one: _Candidate, other: _Candidate) -> bool:
    near = abs(one.multiplier - other.multiplier) <= 1e-9 * other.multiplier
    return one.odd == other.odd and one.n_whole == other.n_whole and near


def _pieces(v: np.ndarray, k: np.ndarray) -> _Pieces:
    """Prefix sums over the phase changes: whole up to v, ignored from (k - 1) / 2 v."""
    w, n = (k - 1) / (k - 3), len(v)
    change = np.concatenate([v, (k - 1) / 2 * v])
    order = np.argsort(change, kind="stable")

    def sums(at_zero: float, shares: np.ndarray, leaves: np.ndarray) -> np.ndarray:
        steps = np.concatenate([shares, leaves])[order]
        return at_zero + np.concatenate([[0.0], np.cumsum(steps)])

    one, none = np.ones(n), np.zeros(n)
    # Counted, so that where nobody shares no rest of rounding looks like a share.
    shares, whole = sums(0.0, one, -one), sums(n, -one, none)
    return _Pieces(
        edge=np.concatenate([[0.0], change[order], [np.inf]]),
        fixed=np.where(shares > 0, sums(n, -w, w - 1), whole),
        slope=np.where(shares > 0, sums(0.0, w * v, -w * v), 0.0),
        square=np.where(shares > 0, sums(0.0, w * v * v, -w * v * v), 0.0),
        ignored=sums(0.0, none, (k - 1) * v * v),
    )


def _lumps(v: np.ndarray, k: np.ndarray, index: np.ndarray) -> _Lumps:
    gain = (k[index] - 1) * v[index] ** 2
    order = np.argsort(-gain, kind="stable")
    index, gain = index[order], gain[order]
    return _Lumps(index, v[index], k[index], gain, np.concatenate([[0.0], np.cumsum(gain)]))


def _without_odd(pieces: _Pieces, lumps: _Lumps, n_above: int, n_dims: int) -> list[_Candidate]:
    """For every number of whole features up to 3, the others sharing the rest of the budget."""
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
    return [
        _Candidate(float(a), float(b), int(m), -1)
        for a, b, m in zip(loss, multiplier, n_whole, strict=True)
    ]


def _with_odd_of_three(pieces: _Pieces, lumps: _Lumps, n_dims: int) -> list[_Candidate]:
    """The odd one has kurtosis 3 and with it constant returns: its importance is the multiplier."""
    odd = np.flatnonzero(lumps.kurtosis == 3)
    multiplier = lumps.importance[odd]
    piece = np.clip(np.searchsorted(pieces.edge, multiplier) - 1, 0, len(pieces.fixed) - 1)
    left = n_dims - (pieces.fixed[piece] + pieces.slope[piece] / multiplier)
    n_whole = np.floor(left).astype(int)
    share = left - n_whole
    loss = pieces.loss(piece, multiplier) + (1 - share) * lumps.gain[odd]
    return _kept(lumps, loss, multiplier, n_whole, odd, (share > _TIE) & (share < 1 - _TIE))


def _with_odd(pieces: _Pieces, lumps: _Lumps, n_dims: int) -> list[_Candidate]:
    """The odd one is below 3: every multiplier at which it shares and the budget is spent."""
    odds = np.flatnonzero(lumps.kurtosis < 3)
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
            multiplier = slope / (spent - fixed)
            here, weight = odd[row], w[row, 0]
            below = lumps.importance[here] - multiplier
            share = 1 + weight * below / multiplier
            inside = (low <= multiplier) & (multiplier <= high)
            inside &= (share > _TIE) & (share < 1 - _TIE)
            loss = pieces.loss(piece, multiplier) - 2 * weight * lumps.importance[here] * below
            found += _kept(lumps, loss, multiplier, (n_dims - spent).astype(int), here, inside)
    return found


def _kept(
    lumps: _Lumps,
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
