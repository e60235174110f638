r"""The exactly solvable model: quadratic activations and a scalar output.

The target is :math:`y = \sum_i v_i x_i^2` (equation 9), the model is
:math:`\tilde y = \|W x\|^2 + b` (equation 10), and inputs are independent with mean 0,
variance 1 and fourth moment k.  Everything here is a closed form: no sampling, no training.
``capacity``, ``sq_norm`` and ``importance`` have features on the last axis, against which
``kurtosis`` broadcasts: a number; ``(n_features,)``, one a feature; or ``(*batch, 1)``, one a
row.  Where features differ, k is that of feature i: only the first sum of the loss has it.
A result that exceeds the range of its dtype is infinite.
"""

from __future__ import annotations

import numpy as np
from array_api_compat import device

from .._arrays import (
    Array,
    ArrayLike,
    Namespace,
    as_float_arrays,
    checked,
    constant,
    feature_kurtosis,
    require,
    require_broadcast,
    require_finite,
    require_where,
)
from .capacity import exponent, interference


def expected_loss(
    W: ArrayLike, importance: ArrayLike, kurtosis: ArrayLike, bias: ArrayLike | None = None
) -> Array:
    r"""Expected squared error of the quadratic model.

    Implements equation (12), the loss at the best bias,

    .. math:: (k-1)\sum_i (\|w_i\|^2 - v_i)^2 + 2\sum_{i\ne j}(w_i\cdot w_j)^2,

    or, when ``bias`` is given, equation (33), which adds
    :math:`(b + \sum_i (\|w_i\|^2 - v_i))^2`.

    Parameters
    ----------
    W : array, shape (*batch, n_dims, n_features)
    importance : array, shape (n_features,) or (*batch, n_features)
    kurtosis : float or array of shape (n_features,) or (*batch, 1)
        Fourth moment of a feature, at least 1.
    bias : float or array of shape (*batch), optional

    Returns
    -------
    array, shape (*batch)

    Raises
    ------
    ValueError
        For entries that are not finite, a negative importance, a kurtosis below 1, or an
        importance whose length is not the number of features.

    Notes
    -----
    The second sum is that of :func:`feature_capacity.interference`, which does not form the
    n_features by n_features Gram matrix.

    Examples
    --------
    Two unit features packed in one dimension interfere: 2 * (1 + 1).

    >>> float(expected_loss([[1, 1]], [1, 1], kurtosis=9))
    4.0
    """
    true, hallucinated = loss_terms(W, importance, kurtosis)
    if bias is None:
        return true + hallucinated
    xp, (b, best, start) = as_float_arrays(
        bias=bias, best=best_bias(W, importance), loss=true + hallucinated
    )
    require_finite(xp, b, "bias")
    require_broadcast(bias=b.shape, loss=start.shape)
    return start + (b - best) ** 2


@np.errstate(over="ignore", invalid="ignore")
def loss_terms(W: ArrayLike, importance: ArrayLike, kurtosis: ArrayLike) -> tuple[Array, Array]:
    r"""The two terms of equation (12): error on true correlations, and hallucinated ones.

    The first is :math:`(k-1)\sum_i(\|w_i\|^2-v_i)^2`, the second
    :math:`2\sum_{i\ne j}(w_i\cdot w_j)^2`.  Shapes and errors are those of :func:`expected_loss`.

    >>> [float(term) for term in loss_terms([[1, 1]], [2, 1], kurtosis=9)]
    [8.0, 4.0]
    """
    xp, (W, v, k) = _model_arrays(W, importance, kurtosis)
    n = xp.sum(W * W, axis=-2)
    # Beyond the range any difference from v is as good: the term is 0 at k = 1, else infinite.
    off = xp.where(xp.isfinite(n), n - v, xp.full_like(n - v, float(xp.finfo(v.dtype).max)))
    true = xp.sum(((k - 1) * off) * off, axis=-1)
    return true, 2 * xp.sum(interference(W), axis=-1)


@np.errstate(over="ignore")
def best_bias(W: ArrayLike, importance: ArrayLike) -> Array:
    r"""Bias that minimizes the expected loss: :math:`\sum_i (v_i - \|w_i\|^2)` (text below eq 33).

    >>> float(best_bias([[1, 1]], [2, 1]))
    1.0
    """
    xp, (W, v, _) = _model_arrays(W, importance, 1.0)
    # By a power of two, so that neither sum is out of range unless their difference is.
    largest = xp.max(xp.abs(constant(W)), axis=(-2, -1))
    root = xp.sqrt(xp.max(constant(v), axis=-1))
    unit = _power_of_two(xp, xp.where(largest > root, largest, root))
    V, w = v / unit[..., None] / unit[..., None], W / unit[..., None, None]
    return (xp.sum(V, axis=-1) - xp.sum(w * w, axis=(-2, -1))) * unit * unit


@np.errstate(over="ignore")
def loss_from_capacities(
    capacity: ArrayLike, sq_norm: ArrayLike, importance: ArrayLike, kurtosis: ArrayLike
) -> Array:
    r"""Expected loss written in capacities and squared lengths.

    Implements equation (13):
    :math:`(k-1)\sum(n_i-v_i)^2 - 2\sum n_i^2 + 2\sum n_i^2/C_i`.

    An ignored feature (length 0, capacity 0) has no interference term, the limit below equation
    (52); a feature with length but no capacity has infinite loss.  Shape: the batch shape.

    >>> float(loss_from_capacities([0.5, 0.5], [1, 1], [1, 1], kurtosis=9))
    4.0
    """
    xp, (C, v, k, n) = _feature_arrays(capacity, importance, kurtosis, sq_norm=sq_norm)
    some = C > 0
    # n^2 / C - n^2 as one product: no difference of large numbers, and 0 at capacity 1.
    crowd = (2 * (1 - C) * n) * (n / xp.where(some, C, xp.ones_like(C)))
    lost = xp.where(n > 0, xp.full_like(n, float("inf")), xp.zeros_like(n))
    crowd = xp.where(some, crowd, lost)
    return xp.sum(((k - 1) * (n - v)) * (n - v) + crowd, axis=-1)


@np.errstate(over="ignore")
def best_sq_norm(capacity: ArrayLike, importance: ArrayLike, kurtosis: ArrayLike) -> Array:
    r"""Squared length that minimizes the loss when the capacities are held fixed.

    Implements equation (52), multiplied out so that capacity 0 needs no limit:

    .. math:: n_i^* = \frac{(k-1)\,v_i\,C_i}{(k-3)\,C_i + 2}.

    A fully represented feature has length :math:`n_i = v_i`, also for k = 1, where the loss no
    longer depends on its length.

    >>> best_sq_norm([0.0, 0.5, 1.0], [1, 1, 1], kurtosis=9)
    array([0. , 0.8, 1. ])
    """
    xp, (C, v, k) = _feature_arrays(capacity, importance, kurtosis)
    rate, unit = _scaled_length_per_capacity(xp, C, v, k)
    return C * rate * unit


@np.errstate(over="ignore")
def marginal_benefit(capacity: ArrayLike, importance: ArrayLike, kurtosis: ArrayLike) -> Array:
    r"""How fast the loss falls as a feature gets more capacity, lengths being always the best.

    Implements equation (54) with the sign turned, so that it is positive:

    .. math:: -\frac{\partial\mathcal L}{\partial C_i}
              = 2\left(\frac{n_i^*}{C_i}\right)^2
              = 2\left(\frac{(k-1)\,v_i}{(k-3)\,C_i+2}\right)^2.

    It falls with capacity (diminishing returns) exactly when k > 3 and rises when k < 3.
    Shape ``(*batch, n_features)``.

    >>> marginal_benefit([0, 1], [1, 1], kurtosis=9)
    array([32.,  2.])
    """
    xp, (C, v, k) = _feature_arrays(capacity, importance, kurtosis)
    return 2 * length_per_capacity(xp, C, v, k) ** 2


@np.errstate(over="ignore")
def marginal_benefit_at(capacity: ArrayLike, sq_norm: ArrayLike) -> Array:
    r"""The same rate at given lengths: :math:`2 n_i^2 / C_i^2`, equation (14) with the sign turned.

    Capacities must be positive.

    >>> marginal_benefit_at([0.5], [0.8])
    array([5.12])
    """
    xp, (C, n) = checked(capacity=capacity, sq_norm=sq_norm)
    rule, remedy = "capacity must be in (0, 1] here", "use marginal_benefit for an ignored feature"
    require_where(xp, C > 0, C, rule, remedy)
    require_broadcast(capacity=C.shape, sq_norm=n.shape)
    return 2 * (n / C) ** 2


@np.errstate(over="ignore")
def loss_at_best_lengths(capacity: ArrayLike, importance: ArrayLike, kurtosis: ArrayLike) -> Array:
    r"""What each feature adds to the loss at its best length: a function of its own capacity only.

    Equation (52) put into equation (13):

    .. math:: \frac{2 (k-1) v_i^2 (1 - C_i)}{(k-3) C_i + 2},

    from :math:`(k-1)v_i^2` when ignored to 0 when fully represented.
    Sum over the last axis for the expected loss.  Shape ``(*batch, n_features)``.

    >>> loss_at_best_lengths([0, 0.5, 1], [1, 1, 1], kurtosis=9)
    array([8. , 1.6, 0. ])
    """
    xp, (C, v, k) = _feature_arrays(capacity, importance, kurtosis)
    return 2 * (v * (1 - C) * length_per_capacity(xp, C, v, k))


def length_per_capacity(xp: Namespace, C: Array, v: Array, k: Array) -> Array:
    """n* / C of equation (52), without dividing by C; v at C = 1 whatever k.  Checks nothing."""
    rate, unit = _scaled_length_per_capacity(xp, C, v, k)
    return rate * unit


def _scaled_length_per_capacity(xp: Namespace, C: Array, v: Array, k: Array) -> tuple[Array, Array]:
    """The same as a number in range and a power of two, whatever the sizes of v and k."""
    whole = C == 1
    unit, steps = _power_of_two(xp, v), _power_of_two(xp, k)
    v, excess = v / unit / 4, (k - 1) / steps / 2
    # (k - 3) C + 2, without the cancellation near k = 1 and C = 1.
    room = xp.where(whole, xp.ones_like(C * k), excess * C + (1 - C) / steps)
    return xp.where(whole, v * xp.ones_like(C * k), excess * v / room) * 4, unit


def _power_of_two(xp: Namespace, x: Array) -> Array:
    """The power of two at or just below each number, a constant; 1 for 0."""
    return xp.pow(xp.asarray(2.0, dtype=x.dtype, device=device(x)), exponent(xp, x))


def _model_arrays(
    W: ArrayLike, importance: ArrayLike, kurtosis: ArrayLike
) -> tuple[Namespace, tuple[Array, Array, Array]]:
    xp, (W, v, k) = checked(W=W, importance=importance, kurtosis=kurtosis)
    require_finite(xp, W, "W")
    require(
        v.shape[-1] == W.shape[-1],
        f"importance needs one entry per column of W; got {v.shape[-1]} for {W.shape[-1]} columns",
    )
    k = feature_kurtosis(k, v.shape[-1])
    batches = {"batch of W": W.shape[:-2], "batch of importance": v.shape[:-1]}
    require_broadcast(**batches, kurtosis=k.shape[:-1])
    return xp, (W, v, k)


def _feature_arrays(
    capacity: ArrayLike, importance: ArrayLike, kurtosis: ArrayLike, **more: ArrayLike
) -> tuple[Namespace, tuple[Array, ...]]:
    named = {"capacity": capacity, "importance": importance, "kurtosis": kurtosis, **more}
    xp, (C, v, k, *rest) = checked(**named)
    shapes = {name: x.shape for name, x in zip(named, (C, v, k, *rest), strict=True)}
    del shapes["kurtosis"]
    k = feature_kurtosis(k, require_broadcast(**shapes)[-1])
    require_broadcast(**shapes, kurtosis=k.shape)
    return xp, (C, v, k, *rest)
