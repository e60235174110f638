r"""Why capacities sum to at most D, in matrices (Appendix F), and when they sum to D.

The proof turns an embedding W into a matrix U of rank at most D whose rows have length one and
whose squared diagonal holds the capacities.  Columns of a basis of its row space are ceilings for
them, and the ceilings sum to the rank.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import least_squares

from .._arrays import ArrayLike, float64, require


def scaled_gram(W: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    r"""The matrices V and U of the proof: columns scaled, and the Gram matrix with scaled rows.

    Implements equations (71) to (74): :math:`V_{ai} = W_{ai} / \sqrt{[W^T W W^T W]_{ii}}` and
    :math:`U = V^T W`.  The squared diagonal of U holds the capacities; its rows are unit vectors.

    Parameters
    ----------
    W : array, shape (..., n_dims, n_features)
        Without zero columns: their features have no direction, and capacity 0.

    Returns
    -------
    V : array, shape (..., n_dims, n_features)
    U : array, shape (..., n_features, n_features)

    Examples
    --------
    An antipodal pair:

    >>> V, U = scaled_gram([[1, -1]])
    >>> (U**2).round(12)
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """
    W = _without_zeros(W)
    gram = W.mT @ W
    crowd = np.diagonal(gram @ gram, axis1=-2, axis2=-1)
    V = W / np.sqrt(crowd)[..., None, :]
    return V, V.mT @ W


def row_space_coordinates(U: ArrayLike, n_dims: int) -> tuple[np.ndarray, np.ndarray]:
    """The matrix U as coordinates X times an orthonormal basis Y of its row space.

    Implements equations (77) and (78).

    Parameters
    ----------
    U : array, shape (..., n_features, n_features)
        Of rank at most ``n_dims``.
    n_dims : int

    Returns
    -------
    X : array, shape (..., n_features, n_dims)
    Y : array, shape (..., n_dims, n_features)
        Rows beyond the rank are 0.

    Examples
    --------
    >>> X, Y = row_space_coordinates(np.full((2, 2), 0.5), 1)
    >>> (X @ Y).round(12)
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """
    U = float64(U, "U")
    _, values, rows = np.linalg.svd(U)
    room = min(n_dims, U.shape[-1])
    kept = (values > 1e-8 * values[..., :1])[..., :room, None]
    Y = rows[..., :room, :] * kept
    return U @ Y.mT, Y


def eigenvector_tilt(W: ArrayLike) -> np.ndarray:
    r"""How far the embedding vectors are from being eigenvectors of :math:`W W^T`.

    The largest sine of the angle between a vector and its image.  Where the rank is full, it is 0
    exactly when capacities sum to D.

    Parameters
    ----------
    W : array, shape (..., n_dims, n_features)
        Without zero columns.

    Returns
    -------
    array, shape (...)

    Examples
    --------
    An antipodal pair beside a feature of its own, and two features 45 degrees apart:

    >>> float(eigenvector_tilt([[1, -1, 0], [0, 0, 2]]))
    0.0
    >>> float(eigenvector_tilt([[1, 1], [0, 1]]).round(3))
    0.447
    """
    W = _without_zeros(W)
    u = W / np.linalg.norm(W, axis=-2, keepdims=True)
    image = W @ W.mT @ u
    image /= np.linalg.norm(image, axis=-2, keepdims=True)
    along = (u * image).sum(axis=-2, keepdims=True)
    return np.linalg.norm(image - along * u, axis=-2).max(axis=-1)


def efficient_from(start: ArrayLike) -> np.ndarray:
    r"""An embedding near the start whose capacities sum to D, by nonlinear least squares.

    The residuals say how far each vector is from being an eigenvector of :math:`W W^T`, weighted so
    that their squares sum to :math:`D - \sum_i C_i`; blocks and their form are not put in.

    Parameters
    ----------
    start : array, shape (n_dims, n_features)
        Of full rank, without zero columns.

    Returns
    -------
    array, shape (n_dims, n_features)

    Examples
    --------
    >>> W = efficient_from(np.random.default_rng(0).standard_normal((2, 4)))
    >>> frame = W @ W.T
    >>> (frame / frame[0, 0]).round(9) + 0.0
    array([[1., 0.],
           [0., 1.]])
    """
    start = _without_zeros(start)
    require(start.ndim == 2, f"start must be one embedding; got shape {start.shape}")

    def unused(entries: np.ndarray) -> np.ndarray:
        W = entries.reshape(start.shape)
        M, n = W @ W.T, (W**2).sum(axis=0)
        u = W / np.sqrt(n)
        crowd = (u * (M @ u)).sum(axis=0)
        residual = np.linalg.solve(np.linalg.cholesky(M), M @ u - crowd * u)
        return (np.sqrt(n) / crowd * residual).ravel()

    options = {"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15}
    return least_squares(unused, start.ravel(), method="lm", **options).x.reshape(start.shape)


def _without_zeros(W: ArrayLike) -> np.ndarray:
    W = float64(W, "W")
    require(W.ndim >= 2, f"W must have shape (..., n_dims, n_features); got {W.shape}")
    zeros = (W == 0).all(axis=-2)
    require(
        not zeros.any(),
        f"W must have no zero column; got {int(zeros.sum())}: leave these features out, "
        "their capacity is 0",
    )
    return W
