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


def two_point_outcomes(value: Fraction, n_features: int) -> tuple[np.ndarray, np.ndarray]:
    """All outcomes of independent features with two values each, and their probabilities.

    A feature is a with probability 1/(1 + a^2) and -1/a otherwise: mean 0, variance 1, third moment
    a - 1/a and fourth moment a^2 - 1 + a^-2.

    Parameters
    ----------
    value : fraction
        The number a, positive.
    n_features : int

    Returns
    -------
    arrays of fractions (2**n_features, n_features) and (2**n_features,)

    Raises
    ------
    ValueError
        For a value that is not positive.

    Examples
    --------
    >>> x, chance = two_point_outcomes(Fraction(2), 1)
    >>> x[:, 0].tolist(), chance.tolist()
    ([Fraction(2, 1), Fraction(-1, 2)], [Fraction(1, 5), Fraction(4, 5)])
    """
    require(value > 0, f"value must be positive; got {shown(value)}")
    a = Fraction(value)
    chances = [1 / (1 + a * a), a * a / (1 + a * a)]
    outcomes = np.array(list(product([a, -1 / a], repeat=n_features)), dtype=object)
    each = np.array(list(product(chances, repeat=n_features)), dtype=object)
    return outcomes, np.prod(each, axis=1)


def covariances(first: np.ndarray, second: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Exact covariances of functions of the input that are given by their values at all outcomes.

    Parameters
    ----------
    first, second : arrays (n_outcomes, m) and (n_outcomes, n)
    chance : array (n_outcomes,)
        Probabilities.

    Returns
    -------
    array (m, n)

    Examples
    --------
    >>> x, chance = two_point_outcomes(Fraction(2), 2)
    >>> covariances(x, x, chance).astype(int)
    array([[1, 0],
           [0, 1]])
    """
    together = first.T @ (chance[:, None] * second)
    return together - np.outer(chance @ first, chance @ second)


Partition = tuple[int, ...]
"""For each of four positions, where its index occurs first: equal indices, equal entries."""


def partition_of(indices: Sequence[int]) -> Partition:
    """Which positions hold equal indices, as the place at which each index occurs first.

    >>> partition_of((2, 0, 2, 1))
    (0, 1, 0, 3)
    """
    return tuple(indices.index(i) for i in indices)


def partition_type(partition: Partition) -> str:
    """Sizes of the groups of equal indices, the largest first.

    >>> partition_type((0, 1, 0, 3))
    '2|1|1'
    """
    sizes = sorted((partition.count(block) for block in set(partition)), reverse=True)
    return "|".join(str(size) for size in sizes)


def sums_by_partition(
    form: np.ndarray, fourth: np.ndarray
) -> dict[Partition, tuple[int, Fraction | float]]:
    """The sum of form_ij form_kl E[x_i x_j x_k x_l], apart by which of the indices are equal.

    Parameters
    ----------
    form : array (n, n)
    fourth : array (n, n, n, n)
        E[x_i x_j x_k x_l]; fractions stay fractions.

    Returns
    -------
    number of quadruples and their sum, by partition
        All fifteen, also those that need more indices than there are.

    Examples
    --------
    >>> sums = sums_by_partition(np.eye(2), moment_tensor([1, 0, 1, 0, 9], 2, 4))
    >>> float(sums[0, 0, 0, 0][1]), float(sums[0, 0, 2, 2][1])  # twice k, and 1 + 1
    (18.0, 2.0)
    """
    found = {partition_of(q): (0, 0 * form[0, 0]) for q in product(range(4), repeat=4)}
    for (i, j, k, m), moment in np.ndenumerate(fourth):
        partition = partition_of((i, j, k, m))
        count, total = found[partition]
        found[partition] = count + 1, total + form[i, j] * form[k, m] * moment
    return found


def _form(W: ArrayLike, importance: ArrayLike) -> np.ndarray:
    W = np.asarray(W, float)
    return W.T @ W - np.diag(np.asarray(importance, float))
