r"""Optimal allocation when all pairs of features depend on each other alike.

Let every feature have variance 1 and fourth moment *k*, every pair
:math:`E[x_i^2x_j^2]=h`, and let no change of signs alter the distribution; *h* is 1 where features
are independent, more where they tend to be active together, less where they avoid each other.
The loss (:mod:`feature_capacity.theory.moments`) divided by *h* is that of independent features of
kurtosis :math:`\kappa=k/h` and one more term, with :math:`\gamma=1-1/h`:

.. math:: \frac{\mathcal L}{h} = (\kappa-1)\sum_i m_i^2+2\sum_{i\ne j}(w_i\cdot w_j)^2
          + \gamma\Big(\sum_i m_i\Big)^2,\qquad m_i=\|w_i\|^2-v_i .

*Theorem (allocation).*  The optimum is that of independent features of kurtosis :math:`k/h` with
importances :math:`\max(v_i+s,0)`, where the shift *s* is the only root of the increasing function
:math:`(\kappa-1)s+\gamma\,(\sum_i n_i(s)-\sum_i v_i)`.

*Theorem (threshold).*  For :math:`k<3h` no optimum shares: the *D* most important features have a
dimension each.  For :math:`k>3h` there are importances at which every optimum shares, equal ones
among them.

*Proof.*  For given squared lengths *n* the least interference is
:math:`F(n)=\min_C\sum_i n_i^2/C_i`, attained by a matrix (Theorem 1) with :math:`C_i=n_i/\lambda`
where features share and 1 elsewhere.  *F* is convex, as a partial minimum of the jointly convex
:math:`n_i^2/C_i`.  What is to be minimized over :math:`n\ge0` is
:math:`J(n)=(\kappa-3)\sum n_i^2+2F(n)-2(\kappa-1)\sum v_in_i+\gamma(\sum n_i-\sum v_i)^2` and a
constant.

1. *Below the threshold.*  Let two features share and move :math:`\delta` of squared length from one
   to the other.  :math:`\sum n` stays, *F* stays (:math:`\lambda\sum n` over those that share, at
   the same :math:`\lambda`), and :math:`J` is a quadratic in :math:`\delta` with leading
   coefficient :math:`2(\kappa-3)<0`: not a minimum.  A single feature cannot share, because the
   capacities of those that do add up to a whole number.  So all capacities are 0 or 1, and since
   *J* depends on *v* only through :math:`\sum v_in_i`, the whole ones are the most important
   (rearrangement), each as long as :math:`v_i+s`.  No dimension stays empty: the best ignored
   feature would enter as soon as :math:`v_j+s>0`, and where *s* is negative :math:`-s` is less
   than the mean importance of the ignored ones, by the inequality of point 2.
2. *At and above it.*  On every plane :math:`\sum n_i=` const, *J* is convex, so that its minimum
   there is where the derivatives agree up to a multiplier: the allocation of shifted importances,
   the derivative of the last term being the same for all features.  The planes' minima are
   stationary where *s* is a root.  In *s*, :math:`\sum_i n_i` rises at a rate of at most *N*: a
   whole feature adds 1, and *m* that share a capacity *c* add
   :math:`m\frac{(\kappa-1)c}{(\kappa-3)c+2m}\le m` because :math:`c\le m`.  The covariance of the
   squares has the eigenvalue :math:`h(\kappa-1+\gamma N)\ge0`, hence the function is increasing
   (strictly for D < N, where the rate is below *N*), and its root the only stationary point, the
   minimum.
3. *Sharing above it.*  For N equal importances 1 the share-all optimum loses
   :math:`2N(N-D)a/(Da+2(N-D))` with :math:`a=\kappa-1+\gamma N`, and *D* whole features lose
   :math:`(\kappa-1)(N-D)a/(\kappa-1+\gamma D)`, fewer of them more.  The first is less exactly when
   :math:`(\kappa-3)\,a>0`.  ∎

At :math:`k=3h`, which elliptical inputs have (:mod:`feature_capacity.theory.gaussian`), equal
features may share or not: both are optimal.  Pairs that are not alike:
:mod:`feature_capacity.theory.unlike_pairs`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._arrays import (
    Array,
    ArrayLike,
    Mask,
    Namespace,
    as_float_arrays,
    checked,
    constant,
    require,
    require_broadcast,
    require_finite,
    require_where,
    require_whole,
    row_kurtosis,
    to_numpy,
)
from .allocation import MONOSEMANTIC, POLYSEMANTIC, Allocation, solve_allocation

_ROUNDING = 1e-12
_STEPS = 200


@dataclass(frozen=True)
class DependentAllocation:
    """An optimal allocation of features whose pairs all depend alike; arrays of batch shape.

    Attributes
    ----------
    capacity, sq_norm : array (*batch, N)
        Capacities of equation (3), and squared lengths.
    phase : integer array (*batch, N)
        0 ignored, 1 polysemantic, 2 monosemantic.
    shift : array (*batch)
        What dependence adds to every importance: positive where features occur together, because
        a represented one then also tells of the others.
    multiplier, loss : array (*batch)
    unique : boolean array (*batch)
    """

    capacity: Array
    sq_norm: Array
    phase: Array
    shift: Array
    multiplier: Array
    loss: Array
    unique: Mask


def allocate_dependent(
    importance: ArrayLike, n_dims: int, kurtosis: ArrayLike, coactivation: ArrayLike
) -> DependentAllocation:
    r"""The capacities and lengths that minimize the loss when all pairs depend alike.

    Features share where :math:`k > 3h`, not where k > 3: what counts is how much more often a
    feature is active than a pair.  Theorems and proofs:
    :mod:`feature_capacity.theory.dependence`.

    Parameters
    ----------
    importance : array, shape (*batch, n_features)
    n_dims : int
        From 1 to the number of features.
    kurtosis, coactivation : float or array (*batch, 1)
        :math:`k=E[x_i^4]` and :math:`h=E[x_i^2x_j^2]` of inputs of variance 1.  There are such
        inputs only for :math:`0\le h\le k` and :math:`k+(N-1)h\ge N`.

    Raises
    ------
    ValueError
        For moments of no inputs, h = 0, at which all features share one direction at no loss, or
        h = k, at which all squares are equal; and as :func:`feature_capacity.solve_allocation`.

    Examples
    --------
    Sparse features (k = 9) share; those that only ever occur together (h = 4) do not:

    >>> apart = allocate_dependent([1, 1, 1, 1], 2, kurtosis=9, coactivation=1)
    >>> together = allocate_dependent([1, 1, 1, 1], 2, kurtosis=9, coactivation=4)
    >>> apart.capacity, together.capacity
    (array([0.5, 0.5, 0.5, 0.5]), array([1., 1., 0., 0.]))
    """
    checked(importance=importance, kurtosis=kurtosis)
    xp, (v, k, h) = as_float_arrays(
        importance=importance, kurtosis=kurtosis, coactivation=coactivation
    )
    n = v.shape[-1]
    rule = f"a whole number from 1 to the number of features ({n})"
    n_dims = require_whole(n_dims, "n_dims", 1, n, rule)
    require_finite(xp, h, "coactivation")
    k, h = row_kurtosis(xp, k, n), row_kurtosis(xp, h, n)
    batches = {"batch of importance": v.shape[:-1], "kurtosis": k.shape, "coactivation": h.shape}
    batch = require_broadcast(**batches)
    v = xp.broadcast_to(v, (*batch, n))
    k, h = xp.broadcast_to(k, batch), xp.broadcast_to(h, batch)
    _require_inputs(xp, k, h, n)
    case = _Case(xp, v, n_dims, k / h, 1 - 1 / h)
    shift = _root(case)
    best = case.allocation(shift)
    total, rate = case.lengths(best)
    # A last step with constant slope: it takes rounding off and carries the gradient.
    ratio = case.kappa - 1
    slope = ratio + case.gamma * rate
    safe = constant(xp.where(slope > 0, slope, xp.ones_like(slope)))
    at = ratio * shift + case.gamma * (total - xp.sum(v, axis=-1))
    shift = shift - xp.where(constant(slope) > 0, at / safe, 0 * at)
    best = case.allocation(shift)
    C, lengths = best.capacity, best.sq_norm
    off = lengths - v
    some = C > 0
    crowd = 2 * (1 - C) * lengths * (lengths / xp.where(some, C, xp.ones_like(C)))
    own = ratio * xp.sum(off * off, axis=-1) + case.gamma * xp.sum(off, axis=-1) ** 2
    loss = h * (own + xp.sum(crowd, axis=-1))
    fields = (best.phase, shift, best.multiplier, loss, best.unique)
    return DependentAllocation(C, lengths, *fields)


def sharing_threshold(coactivation: ArrayLike) -> Array:
    r"""The kurtosis above which features share: :math:`3h`.

    Proved for pairs that all depend alike; see :mod:`feature_capacity.theory.dependence`.

    >>> sharing_threshold([0.5, 1.0, 4.0])
    array([ 1.5,  3. , 12. ])
    """
    xp, (h,) = as_float_arrays(coactivation=coactivation)
    require_finite(xp, h, "coactivation")
    require_where(xp, h >= 0, h, "coactivation must be at least 0", "it is a mean of squares")
    return 3 * h


@dataclass(frozen=True)
class _Case:
    """One problem, or a batch of them, divided by h."""

    xp: Namespace
    importance: Array
    n_dims: int
    kappa: Array
    gamma: Array

    def allocation(self, shift: Array) -> Allocation:
        """The optimum of independent features with shifted importances."""
        moved = self.xp.clip(self.importance + shift[..., None], 0.0, None)
        return solve_allocation(moved, self.n_dims, self.kappa[..., None])

    def lengths(self, best: Allocation) -> tuple[Array, Array]:
        """The sum of squared lengths, and the rate at which it rises with the shift."""
        xp, v = self.xp, self.importance
        shared = xp.astype(best.phase == POLYSEMANTIC, v.dtype)
        whole = xp.astype(best.phase == MONOSEMANTIC, v.dtype)
        count, spent = xp.sum(shared, axis=-1), xp.sum(shared * best.capacity, axis=-1)
        room = (self.kappa - 3) * spent + 2 * count
        some = count > 0
        rate = count * (self.kappa - 1) * spent / xp.where(some, room, xp.ones_like(room))
        rate = xp.where(some, rate, xp.zeros_like(rate)) + xp.sum(whole, axis=-1)
        return xp.sum(best.sq_norm, axis=-1), rate


def _root(case: _Case) -> Array:
    """The shift, by Newton steps kept in a bracket: the function is increasing, in straight pieces.

    A step from the piece that holds the root ends there, so that a handful are enough.
    """
    xp = case.xp
    v = constant(case.importance)
    case = _Case(xp, v, case.n_dims, constant(case.kappa), constant(case.gamma))
    ratio, total = case.kappa - 1, xp.sum(v, axis=-1)
    largest = xp.max(v, axis=-1)
    low = xp.where(case.gamma < 0, -largest, xp.zeros_like(largest))
    high = xp.where(case.gamma > 0, case.gamma * total / ratio, xp.zeros_like(largest))
    shift = xp.zeros_like(largest)
    size = ratio * largest + xp.abs(case.gamma) * total
    for _ in range(_STEPS):
        lengths, rate = case.lengths(case.allocation(shift))
        at = ratio * shift + case.gamma * (lengths - total)
        if bool(xp.all(xp.abs(at) <= 4 * float(xp.finfo(v.dtype).eps) * size)):
            break
        low, high = xp.where(at < 0, shift, low), xp.where(at > 0, shift, high)
        slope = ratio + case.gamma * rate
        step = shift - at / xp.where(slope > 0, slope, xp.ones_like(slope))
        inside = (step >= low) & (step <= high) & (slope > 0)
        shift = xp.where(inside, step, (low + high) / 2)
    return shift


def _require_inputs(xp: Namespace, k: Array, h: Array, n: int) -> None:
    """Raise ``ValueError`` unless some inputs have these moments, and the problem an answer."""
    remedy = "features that are never active together share one direction at no loss"
    require_where(xp, h > 0, h, "coactivation must be above 0 here", remedy)
    values, least = to_numpy(constant(k)), to_numpy(constant(h))
    require(
        (values > least * (1 + _ROUNDING)).all(),
        "kurtosis must be above coactivation: equal ones mean that all squares are equal, and "
        f"E[x_i^2 x_j^2] cannot be above E[x_i^4]; got kurtosis down to {float(values.min()):g} "
        f"and coactivation up to {float(least.max()):g}",
    )
    spread = values + (n - 1) * least - n
    require(
        bool((spread >= -_ROUNDING * n * (1 + np.abs(values))).all()),
        "kurtosis + (n_features - 1) coactivation must be at least n_features, or the variance of "
        f"the sum of squares would be negative; it is less by {float(-spread.min()):.3g}",
    )
