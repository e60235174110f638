r"""Many features: loss against width, power laws of importance, and the width that one needs.

For independent features of one kurtosis.  Equal importances 1 have :math:`C=D/N` above k = 3, and

.. math:: \frac{\mathcal L}{N} = \frac{2(k-1)(N/D-1)}{(k-3)+2N/D}.

For :math:`v_i=i^{-\alpha}` a feature is whole up to :math:`a=\lambda^{-1/\alpha}` and represented
up to :math:`b=\rho a`, :math:`\rho=(\tfrac{k-1}{2})^{1/\alpha}`: the ratio of represented to
monosemantic features depends on kurtosis and exponent alone, as long as not all are represented.

*Every exponent in one formula.*  A dimension more is worth the threshold, so that
:math:`-d\mathcal L/dD=2\lambda^2` and the local exponent of the loss is exactly

.. math:: \varepsilon = -\frac{d\ln\mathcal L}{d\ln D} = \frac{2\lambda^2D}{\mathcal L}.

*Regimes* (with sums for integrals; :math:`\beta=2/(k-3)`, :math:`w=1+\beta`).

1. *Many more features than can be represented,* :math:`N\gg b`.  With
   :math:`g=1+w\int_1^\rho t^{-\alpha}dt-\beta(\rho-1)` one has :math:`a=D/g`, :math:`b=\rho D/g`,
   and for :math:`\alpha>1/2` :math:`\mathcal L=c\,D^{1-2\alpha}`: exponent :math:`2\alpha-1`.
   For :math:`\alpha\le1/2` the ignored tail carries the loss and the exponent falls to 0.
2. *All represented, strong sharing,* :math:`k\to\infty` at fixed N/D.
   :math:`D=a+a^\alpha\int_a^Nt^{-\alpha}dt`,
   :math:`\mathcal L=2a^{-\alpha}\int_a^Nt^{-\alpha}dt-2\int_a^Nt^{-2\alpha}dt`.  As N/D grows the
   exponent goes to :math:`\max(1,2\alpha-1)`.  At :math:`\alpha=1`, where both meet, it is
   :math:`\varepsilon=\frac{\ln(N/a)+1}{\ln(N/a)-1+a/N}`: above 1 by a logarithm, 1.34 at a thousand
   features for each whole one, 1.16 at a million.
3. The two meet where the last feature becomes represented, at :math:`D_\times=Ng/\rho`; for
   :math:`\alpha<1` and large k that is :math:`N\frac{2\alpha}{(1-\alpha)(k-3)}`.

Sums of powers are taken by Euler and Maclaurin's formula, so that a power law of any number of
features costs microseconds; the limit of continuously many is :func:`power_law_limit`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from .._arrays import (
    Array,
    ArrayLike,
    as_float_arrays,
    checked,
    equal_in_rows,
    feature_kurtosis,
    require,
    require_number,
    require_where,
    require_whole,
    to_numpy,
)

_FIRST = 24  # from here on Euler and Maclaurin's formula is good to rounding
_BERNOULLI = (1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160)
_ROUNDING = 1e-9


def equal_features_loss(features_per_dim: ArrayLike, kurtosis: ArrayLike) -> Array:
    r"""Loss per feature of equal features of importance 1 at their optimum.

    :math:`2(k-1)(r-1)/((k-3)+2r)` for :math:`r=N/D\ge1` and k > 3; below, where D features are
    whole, :math:`(k-1)(1-1/r)`.  The two agree at k = 3.

    >>> float(equal_features_loss(2.0, 9.0)), float(equal_features_loss(2.0, 2.0))
    (1.6, 0.5)
    """
    checked(kurtosis=kurtosis)
    xp, (r, k) = as_float_arrays(features_per_dim=features_per_dim, kurtosis=kurtosis)
    rule, remedy = "features_per_dim must be at least 1", "more dimensions are worth nothing"
    require_where(xp, r >= 1, r, rule, remedy)
    excess = xp.where(k > 3, k - 3, xp.zeros_like(k))
    return (k - 1) * (r - 1) / (excess / 2 + r)


@dataclass(frozen=True)
class PowerLaw:
    """The optimal allocation of importances i^-exponent, i = 1 ... n_features.

    Attributes
    ----------
    n_monosemantic, n_represented : int or float
        Features with a dimension of their own, and with any capacity; the first ones.
    multiplier, loss : float
    loss_exponent : float
        Local exponent of the loss in the number of dimensions.
    """

    n_monosemantic: float
    n_represented: float
    multiplier: float
    loss: float
    loss_exponent: float


def power_law_allocation(
    exponent: float, n_features: int, n_dims: int, kurtosis: float
) -> PowerLaw:
    """The optimal allocation of a power law of importances: exact, without listing the features.

    Equal to :func:`feature_capacity.solve_allocation` with ``importance = i**-exponent``, for any
    number of features up to 2**52 in well under a millisecond.

    Parameters
    ----------
    exponent : float
        From 0 to 20.
    n_features, n_dims : int
        ``n_dims`` below ``n_features``.
    kurtosis : float
        At least 1.

    Examples
    --------
    >>> best = power_law_allocation(1.0, n_features=10**12, n_dims=10**4, kurtosis=9.0)
    >>> best.n_monosemantic, best.n_represented
    (5410, 21641)
    """
    alpha, n, d, k = _power_law(exponent, n_features, n_dims, kurtosis)
    beta = 2 / (k - 3) if k > 3 else math.inf
    if k <= 3 or ((k - 1) / 2) * (d + 1) ** -alpha <= d**-alpha:  # nobody shares
        loss = (k - 1) * power_sum(2 * alpha, d + 1, n)
        worth = (k - 1) * (d + 1) ** (-2 * alpha)
        return PowerLaw(d, d, d**-alpha, loss, worth * d / loss if loss > 0 else 0.0)
    log_ratio = math.log((k - 1) / 2) / alpha if alpha > 0 else math.inf
    ratio = math.exp(log_ratio) if log_ratio < 700 else math.inf

    def spent(whole: int, active: int, multiplier: float) -> float:
        shared = power_sum(alpha, whole + 1, active)
        return whole + (1 + beta) * shared / multiplier - beta * (active - whole)

    def fits_whole(j: int) -> bool:
        active = min(n, max(j, math.ceil(min(j * ratio, n + 1)) - 1))
        return spent(j, active, j**-alpha) <= d

    def fits_active(j: int) -> bool:
        whole = min(j - 1, math.floor(j / ratio))
        return spent(whole, j - 1, (k - 1) / 2 * j**-alpha) < d

    whole = _largest(fits_whole, min(d, n)) if alpha > 0 else 0
    active = _largest(fits_active, n) if alpha > 0 else n
    shared = power_sum(alpha, whole + 1, active)
    multiplier = (1 + beta) * shared / (d - whole + beta * (active - whole))
    loss = 2 * (1 + beta) * (multiplier * shared - power_sum(2 * alpha, whole + 1, active))
    loss += (k - 1) * power_sum(2 * alpha, active + 1, n)
    return PowerLaw(whole, active, multiplier, loss, 2 * multiplier**2 * d / loss)


def power_law_limit(exponent: float, features_per_dim: float, kurtosis: float) -> PowerLaw:
    r"""The same for continuously many features: what is left as N and D grow at a fixed ratio.

    In units of D: ``n_monosemantic`` and ``n_represented`` are per dimension, ``multiplier`` in
    units of :math:`D^{-\alpha}`, ``loss`` in units of :math:`D^{1-2\alpha}`.  A part of order 1/D
    is what a power law of finitely many features differs by while some of them are monosemantic
    (measured for exponents from 0.5 to 2, k from 5 to 1,000 and D from 100 on).

    Parameters
    ----------
    exponent : float
        Above 0.
    features_per_dim : float
        N / D, above 1; infinite for an exponent above 1/2.
    kurtosis : float
        Above 3.

    Examples
    --------
    >>> limit = power_law_limit(1.0, float("inf"), 9.0)
    >>> round(limit.n_represented / limit.n_monosemantic, 9), round(limit.loss_exponent, 9)
    (4.0, 1.0)
    """
    alpha = require_number(exponent, "exponent", 1e-6, 20, "(0, 20]")
    r = require_number(features_per_dim, "features_per_dim", 1 + 1e-12, math.inf, "(1, inf]")
    k = require_number(kurtosis, "kurtosis", 3 + 1e-9, 1e15, "(3, 1e15]")
    require(
        r < math.inf or alpha > 0.5,
        "features_per_dim must be finite for an exponent up to 1/2, where ignored features carry "
        f"the loss; got exponent {alpha:g}",
    )
    beta = 2 / (k - 3)
    log_ratio = math.log((k - 1) / 2) / alpha
    require(
        log_ratio < 300,
        f"exponent must be larger for this kurtosis: its features differ too little; got {alpha:g}",
    )
    ratio = math.exp(log_ratio)
    room = 1 + (1 + beta) * _integral(alpha, 1.0, ratio) - beta * (ratio - 1)
    whole = 1 / room
    if whole * ratio > r:  # all are represented

        def excess(a: float) -> float:
            shared = (1 + beta) * a * _integral(alpha, 1.0, r / a)
            return a + shared - beta * (r - a) - 1

        # At r / ratio the last one is just represented, which takes less than there is.
        whole = optimize.brentq(excess, r / ratio, 1.0, xtol=1e-300, rtol=1e-14)
    active = min(whole * ratio, r)
    multiplier = whole**-alpha
    shared, squares = (_integral(p * alpha, whole, active) for p in (1, 2))
    loss = 2 * (1 + beta) * (multiplier * shared - squares)
    loss += (k - 1) * _integral(2 * alpha, active, r) if r > active else 0.0
    return PowerLaw(whole, active, multiplier, loss, 2 * multiplier**2 / loss)


def dims_for_monosemantic(importance: ArrayLike, kurtosis: ArrayLike, n_features: int) -> int:
    r"""The least width at which the ``n_features`` most important features are monosemantic.

    A feature is whole once the multiplier is at most its importance, and the multiplier falls
    with D.  So the width is the total capacity at the multiplier :math:`v_m`,

    .. math:: D = \Big\lceil\sum_i \mathrm{clip}\Big(1-\frac{k_i-1}{k_i-3}
              \Big(1-\frac{v_i}{v_m}\Big),\,0,\,1\Big)\Big\rceil ,

    and for kurtosis up to 3 the number of features that are as important.

    Parameters
    ----------
    importance : array, shape (N,)
    kurtosis : float or array (N,)
        One number, or all above 3.
    n_features : int
        How many are to have a dimension each, all of positive importance.

    Examples
    --------
    Ten features that matter beside a thousand that matter less: the crowd takes 218 dimensions,
    or none where it cannot share.

    >>> import numpy as np
    >>> importance = np.r_[np.ones(10), np.full(1000, 0.3)]
    >>> dims_for_monosemantic(importance, 20.0, 10), dims_for_monosemantic(importance, 3.0, 10)
    (228, 10)
    """
    _, (v, k) = checked(importance=importance, kurtosis=kurtosis)
    require(v.ndim == 1, f"importance must have shape (N,); got {tuple(v.shape)}")
    v, k = to_numpy(v), to_numpy(feature_kurtosis(k, v.shape[0]))
    rule = f"a whole number from 1 to the number of features ({len(v)})"
    m = require_whole(n_features, "n_features", 1, len(v), rule)
    least = np.partition(v, len(v) - m)[len(v) - m]
    require(least > 0, f"n_features must not be above the {int((v > 0).sum())} that matter")
    if equal_in_rows(np, k) and k.max() <= 3:
        return int((v >= least).sum())
    require((k > 3).all(), "kurtosis must be one number, or above 3 for every feature")
    part = np.clip(1 - (k - 1) / (k - 3) * (1 - v / least), 0.0, 1.0)
    return math.ceil(part.sum() * (1 - 1e-14) - 1e-12)


def power_sum(exponent: float, first: int, last: int) -> float:
    """The sum of i^-exponent for i from first to last, 0 if there is none.  Checks nothing.

    Euler and Maclaurin's formula after the first two dozen terms, good to rounding.

    >>> power_sum(1.0, 1, 4)
    2.0833333333333335
    """
    if last < first:
        return 0.0
    start = min(last + 1, max(first, _FIRST))
    head = math.fsum(i**-exponent for i in range(first, start))
    if start > last:
        return head

    def ends(x: float) -> float:
        derivative, total = -exponent * x ** (-exponent - 1), 0.0
        for j, factor in enumerate(_BERNOULLI):
            total += factor * derivative
            derivative *= (exponent + 2 * j + 1) * (exponent + 2 * j + 2) / (x * x)
        return total

    middle = _integral(exponent, start, last) + (start**-exponent + last**-exponent) / 2
    return head + middle + ends(last) - ends(start)


def _integral(exponent: float, low: float, high: float) -> float:
    """The integral of t^-exponent, without cancellation near exponent 1."""
    power = 1 - exponent
    if math.isinf(high):
        return low**power / -power if power < 0 else math.inf
    far = high > 1e100 * low  # where the ratio may exceed all floats
    log = math.log(high) - math.log(low) if far else math.log(high / low)
    if abs(power * log) < 1e-8:
        return low**power * log * (1 + power * log / 2)
    return low**power * math.expm1(power * log) / power


def _largest(fits: object, high: int) -> int:
    """Largest j in [0, high] that fits: 0 always does, then some, then none."""
    low = 0
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)  # type: ignore[operator]
    return low


def _power_law(
    exponent: object, n_features: object, n_dims: object, kurtosis: object
) -> tuple[float, int, int, float]:
    alpha = require_number(exponent, "exponent", 0, 20, "[0, 20]")
    n = require_whole(n_features, "n_features", 2, 2**52, "a whole number from 2 to 2**52")
    rule = f"a whole number from 1 to n_features - 1 ({n - 1})"
    d = require_whole(n_dims, "n_dims", 1, n - 1, rule)
    return alpha, n, d, require_number(kurtosis, "kurtosis", 1, 1e15, "[1, 1e15]")
