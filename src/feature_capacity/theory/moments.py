r"""The quadratic model for inputs that depend on each other: the loss in second and fourth moments.

With :math:`M = W^TW - \mathrm{diag}(v)` the error of the model is
:math:`x^TMx + b`, so that only moments up to the fourth enter, whatever the distribution.  At the
best bias, :math:`b = -\sum_{ij}E[x_ix_j]M_{ij}`, the loss is the variance of :math:`x^TMx`:

.. math:: \mathcal L = \sum_{ijkl} M_{ij}M_{kl}\,\mathrm{Cov}(x_ix_j,\,x_kx_l).

Where no change of signs alters the joint distribution, a fourth moment vanishes unless its indices
pair up.  What is left are the moments :math:`E[x_i^2x_j^2]`, and

.. math:: \mathcal L = m^TGm + 2\sum_{i\ne j} h_{ij}\,(w_i\cdot w_j)^2,\qquad
          m_i = \|w_i\|^2-v_i,\quad h_{ij}=E[x_i^2x_j^2],\quad G_{ij}=\mathrm{Cov}(x_i^2,x_j^2).

Equation (12) is the case :math:`h_{ij} = 1`, :math:`G = (k-1)I`, that independence makes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from array_api_compat import device

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
    to_numpy,
)

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Moments:
    """Moments of inputs whose joint distribution no change of signs alters.

    Attributes
    ----------
    second : array (*batch, N)
        E[x_i^2], positive.
    fourth : array (*batch, N, N)
        E[x_i^2 x_j^2]; the diagonal is the fourth moment of each feature.
    """

    second: Array
    fourth: Array

    def __post_init__(self) -> None:
        xp, (second, fourth) = as_float_arrays(second=self.second, fourth=self.fourth)
        _require_moments(xp, second, fourth)
        object.__setattr__(self, "second", second)
        object.__setattr__(self, "fourth", fourth)

    @property
    def kurtosis(self) -> Array:
        """E[x_i^4] / E[x_i^2]^2 of each feature, shape (*batch, N)."""
        diagonal = _diagonal(self.fourth)
        return diagonal / self.second**2

    @property
    def coactivation(self) -> Array:
        """E[x_i^2 x_j^2] / (E[x_i^2] E[x_j^2]), 1 where independent; the diagonal is kurtosis."""
        return self.fourth / (self.second[..., :, None] * self.second[..., None, :])


@dataclass(frozen=True)
class FullMoments:
    """All second and fourth moments of any inputs, for few features.

    Attributes
    ----------
    second : array (N, N)
        E[x_i x_j].
    fourth : array (N, N, N, N)
        E[x_i x_j x_k x_l].
    """

    second: Array
    fourth: Array

    def __post_init__(self) -> None:
        xp, (second, fourth) = as_float_arrays(second=self.second, fourth=self.fourth)
        n = second.shape[-1] if second.ndim else 0
        require(
            second.shape == (n, n) and fourth.shape == (n, n, n, n) and n > 0,
            "second must have shape (N, N) and fourth (N, N, N, N); got "
            f"{tuple(second.shape)} and {tuple(fourth.shape)}",
        )
        for name, array in (("second", second), ("fourth", fourth)):
            require_finite(xp, array, name)
        object.__setattr__(self, "second", second)
        object.__setattr__(self, "fourth", fourth)


def independent_moments(kurtosis: ArrayLike, n_features: int) -> Moments:
    """Moments of independent features of variance 1; ``kurtosis`` a number or one a feature.

    >>> independent_moments(9.0, 2).fourth
    array([[9., 1.],
           [1., 9.]])
    """
    xp, (k,) = checked(kurtosis=kurtosis)
    k = xp.broadcast_to(k, (n_features,)) if k.ndim == 0 else k
    eye = xp.eye(n_features, dtype=k.dtype, device=device(k))
    return Moments(xp.ones_like(k), 1 - eye + eye * k[..., None, :])


def moments_of_samples(samples: ArrayLike | Iterable[ArrayLike]) -> Moments:
    """Estimated moments of inputs, shape (samples, N), or of an iterable of such arrays.

    An iterable is read once, a part at a time, so that a data set need not fit into memory.
    Signs are taken as they are: odd moments such as E[x_i^3 x_j] are left out, which is right for
    inputs that no change of signs alters; :func:`full_moments_of_samples` keeps them.

    >>> moments_of_samples([[1.0, 2.0], [1.0, 0.0]]).fourth
    array([[1., 2.],
           [2., 8.]])
    """
    second, fourth, count = np.zeros(()), np.zeros(()), 0
    for part in _parts(samples):
        square = part**2
        second, fourth = second + square.sum(0), fourth + square.T @ square
        count += len(part)
    require(count > 0, "samples must have at least one row; got none")
    return Moments(second / count, fourth / count)


def full_moments_of_samples(samples: ArrayLike | Iterable[ArrayLike]) -> FullMoments:
    """All estimated second and fourth moments, of samples as in :func:`moments_of_samples`.

    >>> full_moments_of_samples([[1.0, 2.0], [1.0, 0.0]]).second
    array([[1., 1.],
           [1., 2.]])
    """
    second, fourth, count = np.zeros(()), np.zeros(()), 0
    for part in _parts(samples):
        pairs = (part[:, :, None] * part[:, None, :]).reshape(len(part), -1)
        second, fourth = second + part.T @ part, fourth + pairs.T @ pairs
        count += len(part)
    require(count > 0, "samples must have at least one row; got none")
    n = len(second)
    return FullMoments(second / count, (fourth / count).reshape(n, n, n, n))


def loss_from_moments(
    W: ArrayLike,
    importance: ArrayLike,
    moments: Moments | FullMoments,
    bias: ArrayLike | None = None,
) -> Array:
    r"""Expected squared error of the quadratic model for inputs with these moments.

    At the best bias, or at the ``bias`` given, which adds :math:`(b-b^*)^2`.

    Parameters
    ----------
    W : array, shape (*batch, n_dims, n_features)
    importance : array, shape (n_features,) or (*batch, n_features)
    moments : Moments or FullMoments
    bias : float or array of shape (*batch), optional

    Examples
    --------
    Features that are never active together may share a direction at no loss:

    >>> exclusive = Moments([1.0, 1.0], [[2.0, 0.0], [0.0, 2.0]])
    >>> float(loss_from_moments([[1, 1]], [1, 1], exclusive))
    0.0

    Independent ones pay 2 * (1 + 1), as in :func:`feature_capacity.expected_loss`:

    >>> float(loss_from_moments([[1, 1]], [1, 1], independent_moments(9.0, 2)))
    4.0
    """
    xp, M, second, fourth = _error_and_moments(W, importance, moments)
    if isinstance(moments, FullMoments):
        best = -xp.sum(M * second, axis=(-2, -1))
        flat = xp.reshape(M, (*M.shape[:-2], -1))
        n = flat.shape[-1]
        total = xp.sum((flat @ xp.reshape(fourth, (n, n))) * flat, axis=-1) - best**2
    else:
        m = _diagonal(M)
        best = -xp.sum(m * second, axis=-1)
        covariance = fourth - second[..., :, None] * second[..., None, :]
        own = xp.sum(m * (covariance @ m[..., None])[..., 0], axis=-1)
        total = own + 2 * xp.sum(fourth * _off_diagonal(xp, M) ** 2, axis=(-2, -1))
    if bias is None:
        return total
    _, (b, total) = as_float_arrays(bias=bias, loss=total)
    require_finite(xp, b, "bias")
    require_broadcast(bias=b.shape, loss=total.shape)
    return total + (b - best) ** 2


def bias_from_moments(W: ArrayLike, importance: ArrayLike, moments: Moments | FullMoments) -> Array:
    r"""Bias that minimizes the expected loss: :math:`-\sum_{ij}E[x_ix_j]M_{ij}`.

    >>> float(bias_from_moments([[1, 1]], [2, 1], independent_moments(9.0, 2)))
    1.0
    """
    xp, M, second, _ = _error_and_moments(W, importance, moments)
    if isinstance(moments, FullMoments):
        return -xp.sum(M * second, axis=(-2, -1))
    return -xp.sum(_diagonal(M) * second, axis=-1)


def gradient_from_moments(
    W: ArrayLike, importance: ArrayLike, moments: Moments | FullMoments
) -> Array:
    r"""Gradient of :func:`loss_from_moments` with respect to W, at the best bias.

    With :math:`Q = \partial\mathcal L/\partial M` symmetric it is :math:`2WQ`.  For inputs that no
    change of signs alters, :math:`Q_{ii} = 2(Gm)_i` and :math:`Q_{ij} = 4h_{ij}\,w_i\cdot w_j`.

    >>> gradient_from_moments([[1, 1]], [1, 1], independent_moments(9.0, 2))
    array([[8., 8.]])
    """
    xp, M, second, fourth = _error_and_moments(W, importance, moments)
    _, (W,) = as_float_arrays(W=W)
    n = M.shape[-1]
    if isinstance(moments, FullMoments):
        flat = xp.reshape(M, (*M.shape[:-2], n * n))
        half = flat @ xp.reshape(fourth, (n * n, n * n))
        half = (
            xp.reshape(half, M.shape) - second * xp.sum(M * second, axis=(-2, -1))[..., None, None]
        )
        return 2 * (W @ (half + half.mT))
    covariance = fourth - second[..., :, None] * second[..., None, :]
    own = (covariance @ _diagonal(M)[..., None])[..., 0]
    Q = 4 * fourth * _off_diagonal(xp, M)
    return 2 * (W @ Q + 2 * W * own[..., None, :])


def _parts(samples: ArrayLike | Iterable[ArrayLike]) -> Iterable[np.ndarray]:
    listed = isinstance(samples, (list, tuple)) and len(samples) > 0
    rows = listed and np.ndim(samples[0]) < 2  # type: ignore[index, arg-type]
    for part in [samples] if rows or hasattr(samples, "shape") else samples:  # type: ignore[union-attr]
        array = float64(part, "samples")  # type: ignore[arg-type]
        require(
            array.ndim == 2 and array.shape[1] > 0,
            f"samples must have shape (samples, n_features); got {array.shape}",
        )
        require_finite(np, array, "samples")
        yield array


def _error_and_moments(
    W: ArrayLike, importance: ArrayLike, moments: Moments | FullMoments
) -> tuple[Namespace, Array, Array, Array]:
    """W^T W - diag(v), and the moments, as arrays of one library."""
    require(
        isinstance(moments, (Moments, FullMoments)),
        "moments must be Moments or FullMoments, as moments_of_samples or "
        f"independent_moments make them; got a {type(moments).__name__}",
    )
    checked(W=W, importance=importance)
    xp, (W, v, second, fourth) = as_float_arrays(
        W=W, importance=importance, second=moments.second, fourth=moments.fourth
    )
    require_finite(xp, W, "W")
    n = W.shape[-1]
    require(
        v.shape[-1] == n and second.shape[-1] == n,
        "importance and moments need one entry per column of W; got "
        f"{v.shape[-1]} and {second.shape[-1]} for {n} columns",
    )
    batches = {"batch of W": W.shape[:-2], "batch of importance": v.shape[:-1]}
    if isinstance(moments, Moments):
        batches["batch of moments"] = second.shape[:-1]
    require_broadcast(**batches)
    return xp, W.mT @ W - v[..., None] * xp.eye(n, dtype=v.dtype, device=device(v)), second, fourth


def _diagonal(M: Array) -> Array:
    index = list(range(M.shape[-1]))
    return M[..., index, index]


def _off_diagonal(xp: Namespace, M: Array) -> Array:
    return M * (1 - xp.eye(M.shape[-1], dtype=M.dtype, device=device(M)))


def _require_moments(xp: Namespace, second: Array, fourth: Array) -> None:
    n = second.shape[-1] if second.ndim else 0
    require(
        n > 0 and fourth.shape[-2:] == (n, n) and fourth.shape[:-2] == second.shape[:-1],
        "second must have shape (*batch, N) and fourth (*batch, N, N); got "
        f"{tuple(second.shape)} and {tuple(fourth.shape)}",
    )
    require_finite(xp, second, "second")
    require_finite(xp, fourth, "fourth")
    s, f = (to_numpy(constant(x)) for x in (second, fourth))
    require((s > 0).all(), "second moments must be positive: leave out features that are never on")
    require(
        (f >= 0).all() and np.allclose(f, np.swapaxes(f, -1, -2), rtol=_ROUNDING, atol=0),
        "fourth must be symmetric with no negative entry: its entries are E[x_i^2 x_j^2]",
    )
    scale = 1 / np.maximum(s, np.finfo(float).tiny)
    covariance = f * scale[..., :, None] * scale[..., None, :] - 1
    least = np.linalg.eigvalsh(covariance)[..., 0]
    size = 1 + np.abs(covariance).max(axis=(-2, -1))
    rounding = max(_ROUNDING, 64 * n * float(xp.finfo(second.dtype).eps))
    require(
        (least >= -rounding * size).all(),
        "these are the moments of no inputs: the covariance of the squares, fourth - second "
        f"second^T, must have no negative eigenvalue; got {float(least.min()):.3g} "
        "(features scaled to variance 1)",
    )
