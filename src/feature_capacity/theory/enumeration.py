r"""The expected loss of the quadratic model by brute force: nothing here uses equation (12).

Either all quadruples of features with their exact moments, or every outcome of a three-point
distribution, in fractions.  Both grow like a power of the number of features; they are what the
closed forms are compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import numpy as np

from .._arrays import ArrayLike, require, shown


def moment_tensor(moments: Sequence[float], n_features: int, order: int) -> np.ndarray:
    """E[x_i x_j ...] for all tuples of independent features with the given raw moments.

    Parameters
    ----------
    moments : sequence of floats
        E[x^0], E[x^1], ... up to the order.
    n_features, order : int

    Returns
    -------
    array (n_features,) * order

    Raises
    ------
    ValueError
        If there are too few moments.

    Examples
    --------
    >>> moment_tensor([1, 0, 1], 2, 2)
    array([[1., 0.],
           [0., 1.]])
    """
    require(
        len(moments) > order,
        f"moments must hold E[x^0] to E[x^{order}]; got {len(moments)} of them",
    )
    index = np.indices((n_features,) * order).reshape(order, -1)
    counts = (index[:, :, None] == np.arange(n_features)).sum(axis=0)
    return np.asarray(moments, float)[counts].prod(axis=1).reshape((n_features,) * order)


def loss_by_moments(
    W: ArrayLike, importance: ArrayLike, moments: Sequence[float], bias: float = 0.0
) -> float:
    """Expected squared error of the quadratic model as the sum over all quadruples of features.

    Equation (29): no pairing argument is used.  ``W`` has shape (n_dims, n_features), ``moments``
    E[x^0] to E[x^4].

    >>> loss_by_moments([[1, 1]], [1, 1], [1, 0, 1, 0, 9])  # two unit features in one dimension
    4.0
    """
    A = _form(W, importance)
    fourth, second = (moment_tensor(moments, len(A), order) for order in (4, 2))
    quartic = np.einsum("ij,kl,ijkl->", A, A, fourth)
    return float(quartic + 2 * bias * np.einsum("ij,ij->", A, second) + bias**2)


def product_covariances(form: ArrayLike, moments: Sequence[float]) -> np.ndarray:
    """Cov[x^T form x, x_i x_j] for all pairs of features, from the moments of all quadruples.

    ``form`` is symmetric, (n_features, n_features); so is the result.

    >>> product_covariances([[2, 1], [1, 0]], [1, 0, 1, 0, 9])
    array([[16.,  2.],
           [ 2.,  0.]])
    """
    form = np.asarray(form, float)
    n = len(form)
    fourth, second = (moment_tensor(moments, n, order) for order in (4, 2))
    mean = np.einsum("kl,kl->", form, second)
    return np.einsum("kl,klij->ij", form, fourth) - mean * second


def three_point_loss(
    W: Sequence[Sequence[Fraction]], importance: Sequence[Fraction], spread: Fraction
) -> Fraction:
    """Expected loss at the best bias, as a sum over every outcome, in fractions.

    A feature is -a, 0 or a, with probabilities 1/(2 a^2), 1 - 1/a^2 and 1/(2 a^2): mean 0,
    variance 1, fourth moment a^2.  There are 3^n_features outcomes.  The bias makes the mean
    error 0, which is best for a squared error whatever the model.

    Parameters
    ----------
    W : rows of fractions, (n_dims, n_features)
    importance : fractions, (n_features,)
    spread : fraction
        The number a, at least 1.

    Raises
    ------
    ValueError
        For a spread below 1, for which the probabilities are none.

    Examples
    --------
    >>> three_point_loss([[1, 1]], [1, 1], Fraction(3))
    Fraction(4, 1)
    """
    require(spread >= 1, f"spread must be at least 1; got {shown(spread)}")
    rare = Fraction(1, 2) / spread**2
    chance = {-spread: rare, 0 * spread: 1 - 2 * rare, spread: rare}
    mean = square = Fraction(0)
    for x in product(chance, repeat=len(importance)):
        reads = [sum(w * xi for w, xi in zip(row, x, strict=True)) for row in W]
        target = sum(v * xi * xi for v, xi in zip(importance, x, strict=True))
        error = sum(read * read for read in reads) - target
        weight = Fraction(1)
        for xi in x:
            weight *= chance[xi]
        mean += weight * error
        square += weight * error**2
    return square - mean**2


def _form(W: ArrayLike, importance: ArrayLike) -> np.ndarray:
    W = np.asarray(W, float)
    return W.T @ W - np.diag(np.asarray(importance, float))
