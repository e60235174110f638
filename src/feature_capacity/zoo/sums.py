r"""Sums of absolute values or of ReLU computed by fewer neurons: losses that no weights can beat.

Features are independent, off with probability 1 - p, and otherwise uniform on [-a, a] with variance
1 all in all, so that :math:`a^2=3/p`.  The network gives :math:`\sum_a|w_a\cdot x|+b`, the target
is :math:`\sum_iv_i|x_i|`.

*Any number of neurons.*  Look only at inputs with at most two active features; what others add is
not negative.  Write :math:`c_i=\sum_a|W_{ai}|`, :math:`d_i=c_i-v_i`, and X, Y for absolute values.
A feature that is alone errs by :math:`d_iX+b`.  Of two, the error averaged over signs is

.. math:: d_iX+d_jY+b-\sum_a\min(|W_{ai}|X,|W_{aj}|Y),

because :math:`(|s+t|+|s-t|)/2=|s|+|t|-\min(|s|,|t|)`; and a mean square is at least the square of
that average.  The sum of the minima is at least :math:`m_{ij}u`, with :math:`u=\min(v_iX,v_jY)` and
:math:`m_{ij}=\sum_a\min(|W_{ai}|/v_i,|W_{aj}|/v_j)`.

Pigeonhole: each neuron has a feature whose :math:`|W_{ai}|/v_i` is largest.  Let I be a set of D
features that holds all of these.  For *i* outside I every neuron adds :math:`|W_{ai}|/v_i` to an
:math:`m_{ij}` with *j* in I, so that :math:`\sum_{j\in I}m_{ij}\ge c_i/v_i`.  With
:math:`y_{ij}=E[(m_{ij}u-d_iX-d_jY-b)\,u]/\sqrt{E[u^2]}`, which by Cauchy and Schwarz bounds the
root of the mean square of the error from below where it is positive, this is a linear constraint
on (b, d, y) for each *i*, while the loss is at least a positive quadratic form in them.  Any
multipliers that are not negative give a lower bound (weak duality); the best ones are found for
each I, and the least of these bounds holds for all weights.

*ReLU.*  Since ReLU(z) is half of z and half of the absolute value, and the inputs are as likely as
their opposites, the loss is that of the odd part and that of the even part.  The even part alone is
a quarter of the loss for absolute values with the same weights.

*Two features, one neuron.*  The loss has a closed form.  Its root is 1-Lipschitz in the weights:
it is a standard deviation, and :math:`\||w\cdot x|-|w'\cdot x|\|\le\|(w-w')\cdot x\|=\|w-w'\|`.  So
a square of weights around a center with half diagonal r loses nowhere less than
:math:`(\sqrt{\mathcal L}-r)^2`; squares are divided where this is not good enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from scipy.optimize import nnls

from .._arrays import require

GAP = 1e-3
"""How far below the lowest loss that was found, as a part of it, the bound for a pair may be."""


def absolute_bound(importance: Sequence[float], probability: float, n_dims: int) -> float:
    """A lower bound of the loss of the sum of absolute values, over all weights and biases.

    For the sum of ReLU a quarter of it is one.

    Parameters
    ----------
    importance : sequence of float
        Positive; at most 12 features, since all sets of ``n_dims`` are looked at.
    probability : float
        That a feature is on.
    n_dims : int
        Neurons.

    Examples
    --------
    With a neuron for each feature nothing need be lost:

    >>> absolute_bound([1.0, 1.0], 0.1, 2), round(absolute_bound([1.0, 1.0], 0.1, 1), 4)
    (0.0, 0.0459)
    """
    v = np.array(importance, dtype=float)
    if n_dims >= len(v):
        return 0.0
    return min(_dual(v, probability, best) for best in combinations(range(len(v)), n_dims))


def _dual(v: np.ndarray, p: float, best: tuple[int, ...]) -> float:
    """The bound if the largest weights of all neurons are on the features ``best``."""
    n, a = len(v), math.sqrt(3 / p)
    none, alone, two = (p**m * (1 - p) ** (n - m) for m in range(3))
    others = [i for i in range(n) if i not in best]
    pairs = [(i, j) for i in others for j in best]
    form = np.zeros((1 + n + len(pairs),) * 2)  # b, d, y
    form[0, 0] = none + n * alone
    form[0, 1 : n + 1] = form[1 : n + 1, 0] = alone * a / 2
    form[range(1, n + 1), range(1, n + 1)] = alone * a * a / 3
    form[range(n + 1, len(form)), range(n + 1, len(form))] = two
    constraint = np.zeros((len(others), len(form)))
    for column, (i, j) in enumerate(pairs, start=n + 1):
        mean, square, with_i, with_j = _smaller(v[i], v[j])
        row = constraint[others.index(i)]
        row[column] += 1 / (a * math.sqrt(square))
        row[0] += mean / (a * square)
        row[1 + i] += with_i / square
        row[1 + j] += with_j / square
    constraint[range(len(others)), 1 + np.array(others)] -= 1 / v[others]
    # min z.form.z where constraint.z >= 1: for any k >= 0 at least sum(k) - |B k|^2 / 4.
    B = np.linalg.solve(np.linalg.cholesky(form), constraint.T)
    ones = np.linalg.lstsq(B.T, np.ones(len(others)), rcond=None)[0]
    k = nnls(B, 2 * ones)[0]
    return max(0.0, float(k.sum() - ((B @ k) ** 2).sum() / 4))


def _smaller(v: float, w: float) -> tuple[float, float, float, float]:
    """E[u], E[u^2], E[u X], E[u Y] of u = min(v X, w Y) for X and Y uniform on [0, 1]."""
    low, high = min(v, w), max(v, w)
    if high == 0:
        return 0.0, 0.0, 0.0, 0.0
    r = low / high
    of_low = low * (1 / 3 - r / 8)
    of_high = low * (1 / 4 - r * r / 24)
    ends = (of_low, of_high) if v <= w else (of_high, of_low)
    return low * (1 / 2 - r / 6), low * low * (1 / 3 - r / 6), *ends


def pair_loss(W: np.ndarray, importance: Sequence[float], probability: float) -> float:
    """Loss of one neuron that computes the absolute values of two features, at the best bias.

    Parameters
    ----------
    W : array (1, 2)
    importance : sequence of two floats
    probability : float

    Examples
    --------
    Nothing is lost without a second feature; and this is the variance of two absolute values:

    >>> pair_loss(np.array([[1.0, 0.0]]), (1.0, 0.0), 0.1)
    0.0
    >>> round(pair_loss(np.zeros((1, 2)), (1.0, 1.0), 0.1), 12)
    1.85
    """
    second, mean = pair_moments(np.abs(np.asarray(W, dtype=float)[0]), importance, probability)
    return max(0.0, second - mean**2)


def pair_moments(w: np.ndarray, importance: Sequence[float], p: float) -> tuple[float, float]:
    """Mean square and mean of the error without a bias, for two weights that are not negative.

    >>> pair_moments(np.array([1.0, 0.0]), (1.0, 0.0), 0.1)
    (0.0, 0.0)
    """
    a = math.sqrt(3 / p)
    d, e = float(w[0] - importance[0]), float(w[1] - importance[1])
    mean, square, with_one, with_other = _smaller(float(w[0]), float(w[1]))
    both = (d * d + e * e) / 3 + d * e / 2 - 2 * (d * with_one + e * with_other) + 2 * square
    second = a * a * (p * (1 - p) * (d * d + e * e) / 3 + p * p * both)
    return second, a * (p * (1 - p) * (d + e) / 2 + p * p * ((d + e) / 2 - mean))


def pair_bound(importance: Sequence[float], probability: float, found: float) -> float:
    """A lower bound of :func:`pair_loss` over all weights, close to a loss that was found.

    Parameters
    ----------
    importance : sequence of two positive floats
    probability : float
    found : float
        The lowest loss that was found, positive.

    Raises
    ------
    ValueError
        If some weights lose less than ``found`` by a part in a thousand.

    Examples
    --------
    >>> from scipy.optimize import minimize
    >>> lost = minimize(lambda w: pair_loss(w[None], (1, 1), 0.1), [0.9, 0.9], method="Powell").fun
    >>> 0.998 < pair_bound((1, 1), 0.1, lost) / lost <= 1
    True
    """
    p, v = probability, np.array(importance, dtype=float)
    none, alone = (1 - p) ** 2, p * (1 - p)
    # Inputs with no feature and with this one alone cost curvature * (w_i - v_i)^2 or more.
    curvature = 3 / p * alone * (1 / 3 - alone / (4 * (none + alone)))
    reach = math.sqrt(found / curvature)
    side = float(v.max() + reach)
    corners, goal = np.zeros((1, 2)), math.sqrt(found * (1 - GAP))
    lost = math.inf
    while len(corners):
        side /= 2
        steps = side * np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
        corners = (corners[:, None] + steps).reshape(-1, 2)
        centers = corners + side / 2
        roots = np.sqrt([pair_loss(w[None], importance, p) for w in centers])
        lowest = float(roots.min()) ** 2
        require(
            lowest >= found * (1 - GAP),
            f"found must be the lowest loss; got {found:g}, and some weights lose {lowest:g}",
        )
        below = roots - side / math.sqrt(2)
        lost = min(lost, float(np.min(below[below >= goal], initial=math.inf)))
        corners = corners[below < goal]
    return min(found, lost**2)
