r"""How the quadratic model learns: gradient flow, solved exactly at kurtosis 3.

With :math:`A = W^TW` and :math:`V = \mathrm{diag}(v)` the loss of equation (12) is

.. math:: \mathcal L = 2\|A-V\|_F^2 + (k-3)\sum_i(A_{ii}-v_i)^2 ,

and its gradient flow :math:`\dot W = -\partial\mathcal L/\partial W`, with
:math:`D = \mathrm{diag}(A-V)`, is

.. math:: \dot W = -8\,W(A-V) - 4(k-3)\,W D .

*Theorem.*  At k = 3 the flow from :math:`W_0` is, up to rotations of W from the left,

.. math:: W(t) = L^{-1}\,W_0\,e^{8Vt},\qquad
          LL^T = I + W_0\,C\,W_0^T,\qquad C = \frac{e^{16Vt}-I}{V} .

*Proof.*  At k = 3 the flow of A is a matrix Riccati equation, :math:`\dot A = 8(VA+AV-2A^2)`.
Put :math:`E=e^{8Vt}` and :math:`S=I+W_0CW_0^T`, so that :math:`\dot E=8VE` and
:math:`\dot S=16\,W_0E^2W_0^T`.  Then :math:`A=EW_0^TS^{-1}W_0E` has
:math:`\dot A = 8VA+8AV - EW_0^TS^{-1}\dot S\,S^{-1}W_0E = 8VA+8AV-16A^2`, and
:math:`A(0)=W_0^TW_0`.  Solutions are unique.  ∎

*Corollary.*  A change :math:`\delta A` of the start becomes
:math:`\Phi\,\delta A\,\Phi^T` with :math:`\Phi = E\,(I+A_0C)^{-1}`, because
:math:`A = E(I+A_0C)^{-1}A_0E`.  Away from k = 3 the flow of A is driven by
:math:`-4(k-3)(DA+AD)` besides, and to first order in k - 3

.. math:: A_1(t) = -4\int_0^t \Phi(t,s)\,(DA+AD)(s)\,\Phi(t,s)^T\,ds .

Times are in the units of the flow: a step of gradient descent with learning rate r takes r.
"""

from __future__ import annotations

import math

import numpy as np
from array_api_compat import device
from scipy.integrate import solve_ivp

from .._arrays import (
    Array,
    ArrayLike,
    Namespace,
    as_float_arrays,
    checked,
    constant,
    float64,
    require,
    require_broadcast,
    require_finite,
    require_number,
    to_numpy,
)

_PART = 12.0
"""Largest exponent 16 v t of one part of the flow: longer ones would cost digits."""

_MOST_PARTS = 100_000

_NODES = np.polynomial.legendre.leggauss(12)


def flow_at_three(W: ArrayLike, importance: ArrayLike, times: ArrayLike) -> Array:
    r"""Embedding matrices along the gradient flow of the quadratic model at kurtosis 3, exactly.

    The theorem of this module; long times are reached in parts, because the flow from a time on
    depends only on the matrix at that time.

    Parameters
    ----------
    W : array, shape (*batch, n_dims, n_features)
        Where the flow starts.
    importance : array, shape (n_features,) or (*batch, n_features)
    times : array, shape (n_times,)
        At least 0 and ascending.

    Returns
    -------
    array, shape (n_times, *batch, n_dims, n_features)
        W up to a rotation from the left, which no loss and no capacity depends on.

    Raises
    ------
    ValueError
        For entries that are not finite, a negative importance, or times that do not ascend or
        are beyond 75,000 over the largest importance.

    Examples
    --------
    One feature in one dimension is a logistic curve, :math:`n = v/(1+(v/n_0-1)e^{-16vt})`:

    >>> W = flow_at_three([[0.1]], [1.0], [0.0, 0.25, 1.0])
    >>> (W**2)[:, 0, 0].round(4)
    array([0.01  , 0.3555, 1.    ])
    """
    xp, W, v, times = _start(W, importance, times)
    now, found = 0.0, []
    for time in to_numpy(constant(times)):
        for part in _parts(time - now, v):
            W = _advance(xp, W, v, part)
        found.append(W)
        now = time
    return xp.stack(found)


def flow_near_three(W: ArrayLike, importance: ArrayLike, times: ArrayLike) -> tuple[Array, Array]:
    r"""The flow of :math:`A = W^TW` near kurtosis 3, to first order in k - 3.

    The corollary of this module.  Parameters and errors are those of :func:`flow_at_three`.

    Returns
    -------
    A, A_1 : arrays, shape (n_times, *batch, n_features, n_features)
        A at k = 3, and its derivative by k there: at another kurtosis A is about
        ``A + (k - 3) * A_1``.

    Examples
    --------
    A feature by itself grows faster at a larger kurtosis, and ends at the same length:

    >>> A, A_1 = flow_near_three([[0.1]], [1.0], [0.1, 0.3, 3.0])
    >>> A_1[:, 0, 0].round(4)
    array([0.0363, 0.5937, 0.    ])
    """
    xp, W, v, times = _start(W, importance, times)
    A_1 = xp.zeros_like(W.mT @ W)
    now, A_0s, A_1s = 0.0, [], []
    for time in to_numpy(constant(times)):
        for part in _parts(time - now, v):
            A_1 = _advance_first_order(xp, A_1, W, v, part)
            W = _advance(xp, W, v, part)
        A_0s.append(W.mT @ W)
        A_1s.append(A_1)
        now = time
    return xp.stack(A_0s), xp.stack(A_1s)


def flow(
    W: ArrayLike, importance: ArrayLike, kurtosis: float, times: ArrayLike, rtol: float = 1e-10
) -> np.ndarray:
    r"""The gradient flow of the quadratic model at any kurtosis, integrated numerically.

    Parameters
    ----------
    W : array, shape (n_dims, n_features)
    importance : array, shape (n_features,)
    kurtosis : float
    times : array, shape (n_times,)
        At least 0 and ascending.
    rtol : float
        Relative tolerance of the integration (an explicit Runge-Kutta method of order 8).

    Returns
    -------
    array, shape (n_times, n_dims, n_features)
        W itself: unlike :func:`flow_at_three`, no rotation is left open.

    Examples
    --------
    >>> W = flow([[0.1]], [1.0], 3.0, [0.0, 0.25, 1.0])
    >>> (W**2)[:, 0, 0].round(4)
    array([0.01  , 0.3555, 1.    ])
    """
    _, *given = _start(W, importance, times)
    start, v, at = (to_numpy(x) for x in given)
    require(start.ndim == 2, f"W must have shape (n_dims, n_features); got {start.shape}")
    k = require_number(kurtosis, "kurtosis", 1, 1e300, "[1, 1e300]")
    rtol = require_number(rtol, "rtol", 1e-13, 0.1, "[1e-13, 0.1]")

    def slope(_: float, flat: np.ndarray) -> np.ndarray:
        here = flat.reshape(start.shape)
        return -_gradient(here, v, k).ravel()

    if at[-1] == 0:
        return np.broadcast_to(start, (len(at), *start.shape)).copy()
    # Small entries decide which feature comes when, so that they have to be right, too.
    atol = rtol * 1e-3 * max(float(np.abs(start).max()), np.finfo(float).tiny)
    span = (0.0, float(at[-1]))
    path = solve_ivp(slope, span, start.ravel(), "DOP853", at, rtol=rtol, atol=atol)
    return path.y.T.reshape(len(at), *start.shape)


def descend(
    W: ArrayLike,
    importance: ArrayLike,
    kurtosis: float,
    n_steps: int = 20_000,
    step: float = 0.08,
    tolerance: float = 1e-9,
) -> np.ndarray:
    r"""Where gradient descent on equation (12) ends, from many starts at once.

    Parameters
    ----------
    W : array, shape (*batch, n_dims, n_features)
    importance : array, shape (n_features,)
    kurtosis : float
        Above 1.
    n_steps : int
        Steps that a start takes at most.
    step : float
        Learning rate in units of one over (k - 1) times the largest importance; the curvature at
        an optimum allows less than 1/4.
    tolerance : float
        A start is done when no entry moves by more than this part of the root of the largest
        importance in a step.

    Returns
    -------
    array, shape (*batch, n_dims, n_features)

    Examples
    --------
    >>> (descend([[0.1, 0.1]], [2.0, 1.0], kurtosis=3.0) ** 2).round(4)
    array([[2., 0.]])
    """
    starts, v = float64(W, "W"), float64(importance, "importance")
    checked(W=starts, importance=v)
    k = require_number(kurtosis, "kurtosis", 1 + 1e-9, 1e300, "(1, 1e300]")
    step = require_number(step, "step", 1e-12, 0.25, "(0, 1/4]")
    flat = starts.reshape(-1, *starts.shape[-2:]).copy()
    rate, little = step / ((k - 1) * v.max()), tolerance * math.sqrt(v.max())
    moving = np.arange(len(flat))
    for _ in range(n_steps):
        move = rate * _gradient(flat[moving], v, k)
        flat[moving] -= move
        moving = moving[np.abs(move).max(axis=(-2, -1)) > little]
        if not len(moving):
            break
    return flat.reshape(starts.shape)


def _gradient(W: np.ndarray, v: np.ndarray, k: float) -> np.ndarray:
    own = (k - 3) * (W * W).sum(-2) - (k - 1) * v
    return 4 * (own[..., None, :] * W + 2 * (W @ np.swapaxes(W, -1, -2)) @ W)


def _start(
    W: ArrayLike, importance: ArrayLike, times: ArrayLike
) -> tuple[Namespace, Array, Array, Array]:
    checked(W=W, importance=importance)
    xp, (W_0, v, moments) = as_float_arrays(W=W, importance=importance, times=times)
    require_finite(xp, W_0, "W")
    require(
        v.shape[-1] == W_0.shape[-1],
        f"importance needs one entry per column of W; got {v.shape[-1]} for {W_0.shape[-1]}",
    )
    batch = require_broadcast(**{"batch of W": W_0.shape[:-2], "batch of importance": v.shape[:-1]})
    W_0 = xp.broadcast_to(W_0, (*batch, *W_0.shape[-2:]))
    at = to_numpy(constant(moments))
    require(
        at.ndim == 1
        and at.size
        and np.isfinite(at).all()
        and at[0] >= 0
        and (np.diff(at) >= 0).all(),
        f"times must be a list of finite numbers, at least 0 and ascending; got {at}",
    )
    latest = _PART / 16 * _MOST_PARTS
    require(
        at[-1] * float(xp.max(constant(v))) <= latest,
        f"times must be at most {latest:,.0f} over the largest importance; got {at[-1]:g}: "
        "by then nothing moves any more",
    )
    return xp, W_0, v, moments


def _parts(time: float, v: Array) -> list[float]:
    """A time as equal parts, each short enough for its exponentials."""
    if time <= 0:
        return []
    n = max(1, math.ceil(16 * float(to_numpy(constant(v)).max()) * time / _PART))
    return [time / n] * n


def _growth(xp: Namespace, v: Array, time: float) -> Array:
    """(exp(16 v t) - 1) / v, which is 16 t for a feature that does not matter."""
    some = v > 0
    safe = xp.where(some, v, xp.ones_like(v))
    return xp.where(some, xp.expm1(16 * safe * time) / safe, xp.full_like(v, 16 * time))


def _advance(xp: Namespace, W: Array, v: Array, time: float) -> Array:
    """The theorem, with the triangular factor of S from a QR of its root: half as many digits."""
    d = W.shape[-2]
    eye = xp.broadcast_to(xp.eye(d, dtype=W.dtype, device=device(W)), (*W.shape[:-2], d, d))
    root = W.mT * xp.sqrt(_growth(xp, v, time))[..., :, None]
    R = xp.linalg.qr(xp.concat([root, eye], axis=-2))[1]
    diagonal = xp.sum(R * xp.eye(d, dtype=W.dtype, device=device(W)), axis=-1)
    R = R * xp.sign(constant(diagonal))[..., :, None]
    return xp.linalg.solve(R.mT, W * xp.exp(8 * v * time)[..., None, :])


def _advance_first_order(xp: Namespace, A_1: Array, W: Array, v: Array, time: float) -> Array:
    """The corollary over one part, by Gauss nodes in time."""
    total = _carried(xp, A_1, W.mT @ W, v, time)
    for node, weight in zip(*_NODES, strict=True):
        moment = time * (node + 1) / 2
        there = _advance(xp, W, v, moment)
        A = there.mT @ there
        off = xp.sum(there * there, axis=-2) - v
        push = off[..., :, None] * A + A * off[..., None, :]
        total = total - 2 * time * weight * _carried(xp, push, A, v, time - moment)
    return total


def _carried(xp: Namespace, change: Array, A: Array, v: Array, time: float) -> Array:
    """What a change of A becomes after a time: Phi change Phi^T."""
    n = A.shape[-1]
    eye = xp.eye(n, dtype=A.dtype, device=device(A))
    # Phi^T = (I + C A)^-1 E.
    right = xp.linalg.solve(
        eye + _growth(xp, v, time)[..., :, None] * A,
        eye * xp.exp(8 * v * time)[..., None, :],
    )
    return right.mT @ change @ right
