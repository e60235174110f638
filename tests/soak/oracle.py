"""Right answers by routes that share nothing with the package: fractions, and brute force.

Floats are taken as the exact fractions that they are, so that no scale is too large or too small.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np


def exact(x) -> np.ndarray:
    """The same numbers as fractions, in an array of objects."""
    return np.vectorize(Fraction, otypes=[object])(np.asarray(x, dtype=np.float64))


def each(W: np.ndarray):
    """The matrices of a batch."""
    return W.reshape(-1, *W.shape[-2:])


def squares(W: np.ndarray) -> np.ndarray:
    """Squared inner products of all pairs of columns."""
    return (W.T @ W) ** 2


def capacities(W: np.ndarray) -> list[Fraction]:
    """Equation (3), from all inner products."""
    pairs = squares(W)
    return [pairs[i, i] / sum(pairs[i]) if pairs[i, i] else Fraction(0) for i in range(len(pairs))]


def interference(W: np.ndarray) -> list[Fraction]:
    pairs = squares(W)
    return [sum(pairs[i]) - pairs[i, i] for i in range(len(pairs))]


def rank(W: np.ndarray) -> int:
    """By elimination, exact."""
    rows, found = [list(row) for row in W], 0
    for column in range(W.shape[1]):
        pivot = next((i for i in range(found, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[found], rows[pivot] = rows[pivot], rows[found]
        for i in range(found + 1, len(rows)):
            factor = rows[i][column] / rows[found][column]
            rows[i] = [a - factor * b for a, b in zip(rows[i], rows[found], strict=True)]
        found += 1
    return found


def blocks(W: np.ndarray, tolerance: float) -> list[list[int]] | None:
    """Connected sets of columns; None if a cosine or a length is too close to the tolerance."""
    pairs, limit = squares(W), Fraction(tolerance) ** 2
    norms = [pairs[i, i] for i in range(len(pairs))]  # fourth powers of lengths
    longest = max(norms)
    if not longest:
        return []
    if any(limit**2 / 16 < norm / longest < 16 * limit**2 for norm in norms):
        return None
    sets = [{i} for i, norm in enumerate(norms) if norm > limit**2 * longest]
    for a, b in combinations([i for (i,) in map(tuple, sets)], 2):
        cosine2 = Fraction(pairs[a, b]) ** 2 / (Fraction(norms[a]) * norms[b])  # fourth power
        if limit**2 / 16 < cosine2 < 16 * limit**2:
            return None
        if cosine2 > limit**2:
            joined = [s for s in sets if a in s or b in s]
            sets = [s for s in sets if s not in joined] + [set().union(*joined)]
    return sorted(map(sorted, sets))


def length(C, v, k) -> Fraction:
    """Equation (52): the best squared length at a capacity."""
    return v if C == 1 else (k - 1) * v * C / ((k - 3) * C + 2)


def rest_of_loss(C, v, k) -> Fraction:
    """What a feature adds to the loss at its best length."""
    return Fraction(0) if C == 1 else 2 * (k - 1) * v**2 * (1 - C) / ((k - 3) * C + 2)


def best_loss(v, n_dims: int, k) -> Fraction:
    """The least loss of an allocation."""
    shared = allocation(v, n_dims, k)
    return sum(rest_of_loss(C, importance, k) for C, importance in zip(shared, v, strict=True))


def allocation(v, n_dims: int, k) -> list[Fraction]:
    """The best capacities: every way to divide features into whole, shared and ignored ones."""
    order = sorted(range(len(v)), key=lambda i: -v[i])
    positive = [i for i in order if v[i] > 0]
    found = [Fraction(0)] * len(v)
    if k <= 3 or len(positive) <= n_dims:
        for i in positive[:n_dims]:
            found[i] = Fraction(1)
        return found
    for whole in range(n_dims + 1):
        for last in range(whole, len(positive) + 1):
            shares = _shares([v[i] for i in positive], whole, last, n_dims, k)
            if shares is not None:
                for i, share in zip(positive, shares, strict=True):
                    found[i] = share
                return found
    raise AssertionError("no division satisfies equations (6) to (8)")


def _shares(v, whole: int, last: int, n_dims: int, k):
    """Equation (15) where the features up to ``last`` share what ``whole`` ones leave."""
    if last == whole:
        least, most = v[whole - 1] if whole else None, v[last] if last < len(v) else 0
        if whole != n_dims or (k - 1) * most > 2 * least:
            return None
        return [Fraction(1)] * whole + [Fraction(0)] * (len(v) - whole)
    room = (k - 3) * (n_dims - whole) + 2 * (last - whole)
    multiplier = (k - 1) * sum(v[whole:last]) / room
    shares = [(k - 1) / (k - 3) * x / multiplier - 2 / (k - 3) for x in v]
    good = all(share >= 1 for share in shares[:whole])
    good &= all(0 <= share <= 1 for share in shares[whole:last])
    good &= all(share <= 0 for share in shares[last:])
    return [min(max(share, Fraction(0)), Fraction(1)) for share in shares] if good else None
