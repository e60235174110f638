r"""How far capacity is from the alternative capacity of Appendix G, exactly and to second order.

With :math:`M = W W^T`, the direction u of a feature and the crowd :math:`\rho = u^T M u` that it
meets, the residual :math:`r = M u - \rho u` says how far u is from being an eigenvector of M, and

.. math:: \tilde C / C = 1 + r^T M^+ r / \rho .
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .._arrays import ArrayLike, float64, require, require_finite

Measure = Callable[[np.ndarray], np.ndarray]
"""From embeddings to a number for each feature."""


def isotropic(W: ArrayLike) -> np.ndarray:
    r"""The embedding vectors after turning the space by 1/Q and scaling it by 1/S, for W = QSR.

    Their squared lengths are the alternative capacities (below equation 88).

    Parameters
    ----------
    W : array, shape (..., n_dims, n_features)

    Returns
    -------
    array, shape (..., min(n_dims, n_features), n_features)
        Rows beyond the rank are 0.

    Examples
    --------
    >>> (isotropic([[1, 1, 0], [0, 0, 5]]) ** 2).sum(axis=0).round(12)
    array([0.5, 0.5, 1. ])
    """
    Q, inverse = _turn_and_scale(_finite(W))
    return inverse[..., None] * (Q.mT @ _finite(W))


def relative_gap(W: ArrayLike) -> np.ndarray:
    r"""What the alternative capacity has over the capacity, relative to the latter.

    The square :math:`r^T M^+ r / \rho` of the module's head; neither capacity is computed.

    Parameters
    ----------
    W : array, shape (..., n_dims, n_features)
        Without zero columns.

    Returns
    -------
    array, shape (..., n_features)

    Examples
    --------
    Two features 45 degrees apart have C = 1/2 and 4/5, and could both be read without an error:

    >>> relative_gap([[1, 1], [0, 1]]).round(12)
    array([1. , 0.25])
    """
    W = _finite(W)
    Q, inverse = _turn_and_scale(W)
    M, n = W @ W.mT, (W**2).sum(axis=-2)
    require((n > 0).all(), "W must have no zero column: a feature that is not embedded has no gap")
    u = W / np.sqrt(n)[..., None, :]
    crowd = (u * (M @ u)).sum(axis=-2)
    residual = M @ u - crowd[..., None, :] * u
    return ((inverse[..., None] * (Q.mT @ residual)) ** 2).sum(axis=-2) / crowd


def condition_number(W: ArrayLike) -> np.ndarray:
    r"""Largest eigenvalue of :math:`W W^T` over the smallest positive one.

    >>> float(condition_number([[3, 0], [0, 1]]).round(12))
    9.0
    """
    values = np.linalg.svd(_finite(W), compute_uv=False)
    positive = values > _RANK * values[..., :1]
    least = np.where(positive, values, np.inf).min(axis=-1)
    return (values[..., 0] / least) ** 2


def slopes_where_efficient(W: ArrayLike) -> np.ndarray:
    r"""Derivatives of all capacities by all entries of an efficient embedding, by the formula.

    :math:`dC_i = \frac{2}{s_i} \sum_j (\delta_{ij} - w_i \cdot w_j / s_i)\, w_i \cdot dw_j` with
    the scale :math:`s_i` of the block of feature i.  Both definitions of capacity have them.

    Parameters
    ----------
    W : array, shape (n_dims, n_features)
        Efficient: its capacities sum to ``n_dims``.

    Returns
    -------
    array, shape (n_features, n_dims, n_features)
        Entry [i, a, j]: of the capacity of feature i by ``W[a, j]``.

    Examples
    --------
    A longer partner takes from a feature of an antipodal pair what the feature itself would gain:

    >>> slopes_where_efficient([[1, -1]])
    array([[[ 0.5,  0.5]],
    <BLANKLINE>
           [[-0.5, -0.5]]])
    """
    W = _finite(W)
    gram, n = W.T @ W, (W**2).sum(axis=0)
    s = np.where(n > 0, (gram**2).sum(axis=1) / np.where(n > 0, n, 1), 1)
    return np.einsum("i,ij,ai->iaj", 2 / s, np.eye(n.size) - gram / s[:, None], W)


def opening(W: ArrayLike, direction: ArrayLike) -> np.ndarray:
    r"""How fast the gap opens on a straight line that leaves an efficient embedding.

    The factor of :math:`t^2` in :math:`\tilde C_i - C_i` at W + t V.

    Parameters
    ----------
    W, direction : array, shape (n_dims, n_features)
        W efficient, without zero columns.

    Returns
    -------
    array, shape (n_features,)

    Examples
    --------
    >>> W, V = np.eye(2), np.array([[0.0, 1.0], [0.0, 0.0]])
    >>> opening(W, V)
    array([1., 1.])
    """
    W, V = _finite(W), _finite(direction)
    M, change = W @ W.T, V @ W.T + W @ V.T
    n = (W**2).sum(axis=0)
    u = W / np.sqrt(n)
    s = (u * (M @ u)).sum(axis=0)
    tilt = (V - u * (u * V).sum(axis=0)) / np.sqrt(n)
    push = change @ u
    growth = push - u * (u * push).sum(axis=0) + M @ tilt - s * tilt
    return n / s * (growth * np.linalg.solve(M, growth)).sum(axis=0) / s


def power_of_change(measure: Measure, W: ArrayLike, nudge: ArrayLike, size: float = 1e-5) -> float:
    """With which power of a small nudge a measure of features changes, over many embeddings.

    Parameters
    ----------
    measure : callable
        From embeddings to a number for each feature.
    W, nudge : array, shape (n_embeddings, n_dims, n_features)
    size : float
        The nudge is multiplied by this, and by a tenth of it.

    Returns
    -------
    float
        0 at a jump, 1 where the measure is smooth, 2 at an extremum; the largest change of all
        features and embeddings counts.

    Examples
    --------
    Two copies of a vector, moved apart; only the best reader tells them from each other at once:

    >>> from feature_capacity import capacities, leverage_capacities
    >>> copies, apart = [[[1.0, 1.0], [0.0, 0.0]]], [[[0.0, 0.0], [0.0, 1.0]]]
    >>> [round(power_of_change(f, copies, apart), 3) for f in (capacities, leverage_capacities)]
    [2.0, 0.0]
    """
    W, nudge = _finite(W), _finite(nudge)
    changes = [abs(measure(W + h * nudge) - measure(W)).max() for h in (size, size / 10)]
    return float(np.log10(changes[0] / changes[1]))


_RANK = 1e-10  # singular values below this, relative to the largest, count as 0


def _finite(W: ArrayLike) -> np.ndarray:
    array = float64(W, "W")
    require(array.ndim >= 2, f"W must have shape (..., n_dims, n_features); got {array.shape}")
    require_finite(np, array, "W")
    return array


def _turn_and_scale(W: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    Q, S, _ = np.linalg.svd(W, full_matrices=False)
    kept = _RANK * S[..., :1] < S
    return Q, np.where(kept, 1 / np.where(kept, S, 1), 0)
