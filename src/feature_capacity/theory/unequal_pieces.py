r"""What features of unequal kurtosis take and lose as functions of the multiplier, summed up.

Features above 3 have a closed form between one phase change and the next; those up to 3 count as
lumps, whole or not.  Together they bound the loss from below, by Lagrange's dual at any
:math:`t=2\hat\lambda^2`: every allocation that spends the budget and in which the features above 3
have the multiplier :math:`\lambda` loses at least

.. math:: \sum_{k_i>3}\big[f_i(C_i(\lambda))+tC_i(\lambda)\big]+\sum_{k_i\le3}\min(g_i,t)-tD,

because :math:`f_i(C)+tC` is concave for the others and so least at :math:`C=0`, where it is
:math:`g_i=(k_i-1)v_i^2`, or at :math:`C=1`, where it is t.  The first sum is least at
:math:`\lambda=\hat\lambda` and rises on both sides, since its derivative is
:math:`2(\hat\lambda^2-\lambda^2)` times that of the capacity, which falls.  So only multipliers
near :math:`\hat\lambda` need a look once some allocation is known.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Pieces:
    """Features above 3 as functions of the multiplier, between one phase change and the next.

    In piece p, for multipliers from ``edge[p]`` to ``edge[p + 1]``, they take ``fixed + slope /
    multiplier`` of capacity and lose ``2 (multiplier slope - square) + ignored``.
    """

    edge: np.ndarray  # (pieces + 1,)
    fixed: np.ndarray  # (pieces,), as the following
    slope: np.ndarray  # 0 where nobody shares
    square: np.ndarray
    ignored: np.ndarray

    def __getitem__(self, some: slice) -> Pieces:
        """A run of pieces."""
        rest = (x[some] for x in (self.fixed, self.slope, self.square, self.ignored))
        return Pieces(self.edge[some.start : some.stop + 1], *rest)

    def at(self, multiplier: np.ndarray | float) -> np.ndarray:
        """The piece that a positive multiplier is in."""
        piece = np.searchsorted(self.edge, multiplier) - 1
        return np.clip(piece, 0, len(self.fixed) - 1)

    def capacity(self, piece: np.ndarray, multiplier: np.ndarray | float) -> np.ndarray:
        """What they take together."""
        return self.fixed[piece] + self.slope[piece] / multiplier

    def loss(self, piece: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
        """What they lose together."""
        shared = multiplier * self.slope[piece] - self.square[piece]
        return 2 * shared + self.ignored[piece]


@dataclass(frozen=True)
class Lumps:
    """The features up to 3, those that gain most first."""

    index: np.ndarray  # (M,), as the following
    importance: np.ndarray
    kurtosis: np.ndarray
    gain: np.ndarray
    total: np.ndarray  # (M + 1,): gain of the first m


def pieces_of(v: np.ndarray, k: np.ndarray) -> Pieces:
    """Prefix sums over the phase changes: whole up to v, ignored from (k - 1) / 2 v."""
    w, n = (k - 1) / (k - 3), len(v)
    change = np.concatenate([v, (k - 1) / 2 * v])
    order = np.argsort(change, kind="stable")
    leaves = order >= n  # a feature leaves those that share; otherwise it joins them
    feature = np.where(leaves, order - n, order)
    v, k, w = v[feature], k[feature], w[feature]
    sign = np.where(leaves, -1.0, 1.0)

    def sums(at_zero: float, steps: np.ndarray) -> np.ndarray:
        total = np.empty(2 * n + 1)
        total[0] = 0.0
        np.cumsum(steps, out=total[1:])
        total += at_zero
        return total

    # Counted, so that where nobody shares no rest of rounding looks like a share.
    nobody, whole = sums(0.0, sign) == 0, sums(n, np.where(leaves, 0.0, -1.0))
    fixed = sums(n, np.where(leaves, w - 1, -w))
    slope, square = sums(0.0, sign * w * v), sums(0.0, sign * w * v * v)
    fixed[nobody], slope[nobody], square[nobody] = whole[nobody], 0.0, 0.0
    ignored = sums(0.0, np.where(leaves, (k - 1) * v * v, 0.0))
    return Pieces(np.concatenate([[0.0], change[order], [np.inf]]), fixed, slope, square, ignored)


def lumps_of(v: np.ndarray, k: np.ndarray, index: np.ndarray) -> Lumps:
    """The features with these indices, which are up to 3."""
    gain = (k[index] - 1) * v[index] ** 2
    order = np.argsort(-gain, kind="stable")
    index, gain = index[order], gain[order]
    return Lumps(index, v[index], k[index], gain, np.concatenate([[0.0], np.cumsum(gain)]))


def pieces_within(pieces: Pieces, lumps: Lumps, n_dims: int, loss: float) -> slice:
    """The run of pieces in which an allocation may lose no more than ``loss``, by the dual bound.

    Sums of n numbers may be off by n roundings of the largest of them, which widens it.
    """
    hat = _balance(pieces, lumps, n_dims)
    t = 2 * hat * hat
    others = float(np.minimum(lumps.gain, t).sum()) - t * n_dims
    sums = pieces.fixed, pieces.slope, pieces.square, pieces.ignored
    fixed, slope, square, ignored = (max(float(x.max()), -float(x.min())) for x in sums)
    ignored += float(lumps.total[-1])

    def may(piece: int) -> bool:
        nearest = min(max(hat, float(pieces.edge[piece])), float(pieces.edge[piece + 1]))
        at = np.array([piece]), np.array([nearest])
        bound = float((pieces.loss(*at) + t * pieces.capacity(*at))[0]) + others
        summed = 2 * (nearest * slope + square) + ignored
        summed += t * (fixed + slope / nearest + len(lumps.gain))
        return not bound > loss + 4 * _EPS * (len(pieces.fixed) + len(lumps.gain)) * summed

    home, last = int(pieces.at(hat)), len(pieces.fixed) - 1
    if not may(home):
        return slice(0, 0)
    first = bisect_left(range(home), True, key=may)
    return slice(first, home + bisect_left(range(home, last + 1), True, key=lambda p: not may(p)))


def _balance(pieces: Pieces, lumps: Lumps, n_dims: int) -> float:
    """The multiplier of the dual: lumps are whole if they gain more than its threshold."""
    worth = np.sqrt(lumps.gain[::-1] / 2)

    def spent(multiplier: float) -> float:
        whole = len(worth) - np.searchsorted(worth, multiplier, side="right")
        return float(pieces.capacity(pieces.at(multiplier), multiplier)) + float(whole)

    ends = np.concatenate([pieces.edge[1:2], pieces.edge[-2:-1], worth[:1], worth[-1:]])
    ends = ends[(ends > 0) & np.isfinite(ends)]
    low, high = float(ends.min()) / 2, 2 * float(ends.max())
    while high > low * (1 + 1e-15):
        middle = np.sqrt(low) * np.sqrt(high)
        if not low < middle < high:
            break
        low, high = (middle, high) if spent(middle) > n_dims else (low, middle)
    return float(high)
