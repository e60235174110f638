r"""Where gradient flow of the quadratic model waits, and how fast it leaves.

*Stops.*  Let some features have a dimension each, :math:`\|w_i\|^2=v_i` and orthogonal, and the
others length 0.  The gradient of equation (12) is zero there.

*Theorem.*  At such a stop the flow :math:`\dot W=-\partial\mathcal L/\partial W`, made linear,
falls apart into separate motions.  A small vector of an absent feature j grows at the rates

.. math:: 4(k-1)\,v_j \ \text{in a free dimension},\qquad
          4(k-1)\,v_j - 8v_i \ \text{along a feature i that is there.}

The length of a feature that is there decays to its best value at the rate :math:`8(k-1)v_i`, a
wrong angle between two of them at :math:`8(v_i+v_l)`, and rotations do not move at all.

*Proof.*  The flow of column j is :math:`\dot w_j=4(k-1)(v_j-n_j)w_j-8\sum_{l\ne j}(w_l\cdot
w_j)\,w_l`.  In first order of a small :math:`w_j` the sum takes :math:`8v_i` from its component
along each :math:`w_i`, and nothing from the rest; columns that are there feel :math:`w_j` in
second order only.  For :math:`w_i` and :math:`w_l` let *a* and *b* be the changes of each along
the other's direction; then :math:`\dot a=-8\sqrt{v_l}\,(\sqrt{v_l}a+\sqrt{v_i}b)`, and
:math:`\dot b` likewise, with eigenvalues 0 and :math:`-8(v_i+v_l)`.  ∎

With all dimensions taken, feature j moves in with feature i exactly if
:math:`v_j > \frac{2}{k-1}v_i`: the sharing rule of section 3.5.1 is the rate at which sharing
begins.  Below k = 3 it also says which stops are ends: any choice of features against which no
other one can grow is a local minimum.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from .._arrays import (
    ArrayLike,
    checked,
    float64,
    require,
    require_importance,
    require_number,
    require_whole,
)

_MOST_CHOICES = 2_000_000


def escape_rates(
    importance: ArrayLike, kept: Sequence[int], kurtosis: float
) -> tuple[np.ndarray, np.ndarray]:
    r"""How fast absent features grow where others have a dimension each.

    Parameters
    ----------
    importance : array, shape (n_features,)
    kept : sequence of int
        Which features have a dimension.
    kurtosis : float

    Returns
    -------
    free : array (n_features,)
        Rate of each absent feature in a free dimension, :math:`4(k-1)v_j`; 0 for the others.
    shared : array (len(kept), n_features)
        Rate along each feature that is there, :math:`4(k-1)v_j-8v_i`; 0 for the others.

    Examples
    --------
    At kurtosis 9 a feature moves in with one that is less than four times as important:

    >>> escape_rates([5.0, 3.0, 1.0], [0, 1], 9.0)[1]
    array([[ 0.,  0., -8.],
           [ 0.,  0.,  8.]])
    """
    v, k = _checked(importance, kurtosis)
    there = [require_whole(i, "kept", 0, len(v) - 1, "indices of features") for i in kept]
    absent = np.ones(len(v), dtype=bool)
    absent[there] = False
    free = np.where(absent, 4 * (k - 1) * v, 0.0)
    return free, np.where(absent, free - 8 * v[there][:, None], 0.0)


def stable_choices(importance: ArrayLike, n_dims: int, kurtosis: float) -> list[tuple[int, ...]]:
    r"""Sets of features that, given a dimension each, no absent feature can move in with.

    By the theorem of this module they are local minima, and at k < 3 the only ones that were ever
    found; at k = 3 and with different importances there is one, the most important features.

    Parameters
    ----------
    importance : array, shape (n_features,)
    n_dims : int
        From 1 to n_features.
    kurtosis : float

    Examples
    --------
    >>> stable_choices([3.0, 2.0, 1.0], 1, 1.8)
    [(0,), (1,)]
    >>> stable_choices([3.0, 2.0, 1.0], 1, 3.0)
    [(0,)]
    """
    v, k = _checked(importance, kurtosis)
    n = len(v)
    require_whole(n_dims, "n_dims", 1, n, f"a whole number from 1 to the number of features ({n})")
    n_choices = float(np.prod([(n - i) / (i + 1) for i in range(n_dims)]))
    require(
        n_choices <= _MOST_CHOICES,
        f"there are {n_choices:.3g} choices, more than {_MOST_CHOICES:,}: take fewer features",
    )
    found = []
    for kept in combinations(range(n), n_dims):
        absent = np.setdiff1d(np.arange(n), kept)
        shared = escape_rates(v, kept, k)[1][:, absent]
        if (shared < 0).all():
            found.append(kept)
    return found


def arrival_times(
    importance: ArrayLike, n_dims: int, start: float
) -> tuple[np.ndarray, np.ndarray]:
    r"""When features get capacity and when they get length, at k = 3 and from a small start.

    To leading order in :math:`\ln(1/\varepsilon)` for a random W of size :math:`\varepsilon`, and
    importances that fall, the i-th feature has half of its length at

    .. math:: \frac{\ln(1/\varepsilon)}{8v_i},\qquad\text{but half of its capacity already at}\qquad
              \frac{\ln(1/\varepsilon)}{4(v_{i-1}+v_i)} .

    *Why.*  In a free dimension :math:`w_i` grows like :math:`\varepsilon e^{8v_it}`, and is large
    at the first time.  Its part along feature :math:`i-1`, which came at
    :math:`t_{i-1}=\ln(1/\varepsilon)/8v_{i-1}`, has by then shrunk like
    :math:`e^{-8v_{i-1}(t-t_{i-1})}` beside it.  Capacity is one half where :math:`n_i` is as large
    as the inner product with :math:`w_{i-1}`, both in first powers of :math:`\varepsilon`:
    :math:`\varepsilon e^{8v_it} = e^{-8v_{i-1}t}/\varepsilon`.

    Parameters
    ----------
    importance : array, shape (n_features,)
        Falling, all different and positive.
    n_dims : int
    start : float
        Size of the random start, in (0, 1).

    Returns
    -------
    capacity, length : arrays (n_dims,)
        Of the n_dims most important features; the first has capacity from the beginning, time 0.

    Examples
    --------
    >>> capacity, length = arrival_times([4.0, 2.0, 1.0], 2, start=1e-6)
    >>> capacity.round(3), length.round(3)
    (array([0.   , 0.576]), array([0.432, 0.863]))
    """
    v, _ = _checked(importance, 3.0)
    n = len(v)
    require_whole(n_dims, "n_dims", 1, n, f"a whole number from 1 to the number of features ({n})")
    start = require_number(start, "start", 1e-300, 1, "(0, 1)")
    require(
        (np.diff(v) < 0).all() and v[-1] > 0,
        "importance must fall from feature to feature and be positive: equal ones come together",
    )
    v = v[:n_dims]
    capacity = np.zeros(n_dims)
    capacity[1:] = -np.log(start) / (4 * (v[:-1] + v[1:]))
    return capacity, -np.log(start) / (8 * v)


def _checked(importance: ArrayLike, kurtosis: float) -> tuple[np.ndarray, float]:
    v = float64(importance, "importance")
    require_importance(np, v)
    require(v.ndim == 1, f"importance must have shape (n_features,); got {v.shape}")
    checked(kurtosis=kurtosis)
    return v, float(kurtosis)


def waiting_share(times: ArrayLike, loss: ArrayLike, close: float = 0.01) -> float:
    """Which part of its way down a loss spends waiting, rather than falling.

    The way down lasts until the loss is within ``close`` of its last value, as a part of its fall.
    It waits where it falls at less than a tenth of its mean rate.

    Parameters
    ----------
    times, loss : arrays, shape (n_records,)
    close : float

    Returns
    -------
    float
        From 0, a straight march, to 1; 0 too where the loss does not fall.

    Examples
    --------
    >>> waiting_share([0, 1, 2, 3, 4], [4.0, 3.0, 2.0, 1.0, 0.0])
    0.0
    >>> waiting_share([0, 1, 2, 3, 4], [4.0, 4.0, 4.0, 2.0, 0.0])
    0.5
    """
    t, fall = float64(times, "times"), float64(loss, "loss")
    require(t.ndim == 1 and t.shape == fall.shape and t.size > 1, "times and loss must be alike")
    total = fall[0] - fall[-1]
    if total <= 0:
        return 0.0
    end = int(np.argmax(fall <= fall[-1] + close * total))
    spans, drops = np.diff(t[: end + 1]), -np.diff(fall[: end + 1])
    mean = (fall[0] - fall[end]) / (t[end] - t[0])
    return float(spans[drops < 0.1 * mean * spans].sum() / spans.sum())
