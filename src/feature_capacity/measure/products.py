"""Products of a matrix with its own transpose, and quadratic forms, at half the operations.

NumPy copies one triangle of each such product to the other, which takes as long as the product
itself where slices are narrow.  BLAS adds to one triangle in place; both orders of memory are
handed to it without a copy.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import blas

_TILE = 128  # rows of a square that are mirrored at a time, so that they stay in cache


def zero_square(side: int) -> np.ndarray:
    """Zeros to which :func:`add_square` adds, in the order of memory that BLAS works on."""
    return np.zeros((side, side), order="F")


def add_square(lower: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Add ``part part^T`` to the lower triangle, in place; what lies above stays as it is.

    Parameters
    ----------
    lower : array (m, m)
        Of :func:`zero_square`, or what an earlier call returned.
    part : float64 array (m, k)

    Returns
    -------
    array (m, m)
        The same memory.

    Examples
    --------
    >>> add_square(zero_square(2), np.array([[1.0, 2.0], [0.0, 3.0]]))
    array([[5., 0.],
           [6., 9.]])
    """
    if part.flags.f_contiguous:
        return np.asarray(blas.dsyrk(1.0, part, 1.0, lower, lower=1, overwrite_c=1))
    return np.asarray(blas.dsyrk(1.0, part.T, 1.0, lower, trans=1, lower=1, overwrite_c=1))


def whole_square(lower: np.ndarray) -> np.ndarray:
    """Copy the lower triangle to the upper one, in place, and return the symmetric matrix.

    >>> whole_square(np.array([[5.0, 0.0], [6.0, 9.0]]))
    array([[5., 6.],
           [6., 9.]])
    """
    for a in range(0, len(lower), _TILE):
        b = a + _TILE
        corner = np.tril(lower[a:b, a:b])
        lower[a:b, a:b] = corner + np.tril(corner, -1).T
        lower[a:b, b:] = lower[b:, a:b].T
    return lower


def lower_half(square: np.ndarray) -> np.ndarray:
    """A lower triangle with the same quadratic form as a symmetric matrix.

    What lies above the diagonal has no meaning; BLAS does not look there.

    >>> np.tril(lower_half(np.array([[5.0, 6.0], [6.0, 9.0]])))
    array([[ 5.,  0.],
           [12.,  9.]])
    """
    lower = np.array(square, order="F")
    lower *= 2
    lower[np.diag_indices_from(lower)] = np.diagonal(square)
    return lower


def symmetric_form(lower: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Quadratic form ``d . (L d)`` of each column d, for a lower triangle L.

    >>> symmetric_form(np.array([[5.0, 0.0], [12.0, 9.0]]), np.array([[1.0, 0.0], [1.0, 2.0]]))
    array([26., 36.])
    """
    if directions.flags.f_contiguous:
        met = blas.dtrmm(1.0, lower, directions, lower=1)
    else:
        met = blas.dtrmm(1.0, lower, directions.T, side=1, lower=1, trans_a=1).T
    return np.asarray(np.einsum("di,di->i", met, directions))
