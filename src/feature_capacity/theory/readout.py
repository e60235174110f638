r"""How well a feature arrives when it is read out of its embedding (Appendix E).

Squared correlations between inputs and linear readouts, over all outcomes of a small distribution,
over a sample, and in closed form.  None of it uses the formula of capacity, with which it is
compared.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy.optimize import minimize

from .._arrays import ArrayLike, float64, require, require_number, require_whole


def three_point_outcomes(n_features: int, probability: float) -> tuple[np.ndarray, np.ndarray]:
    r"""All inputs of independent features that are :math:`\pm1/\sqrt p` or 0, and their chances.

    Parameters
    ----------
    n_features : int
        At most 12, because there are 3 to this power of inputs.
    probability : float
        Chance p that a feature is active, in (0, 1].

    Returns
    -------
    inputs : array, shape (3 ** n_features, n_features)
        Mean 0, variance 1.
    chance : array, shape (3 ** n_features,)

    Examples
    --------
    >>> inputs, chance = three_point_outcomes(1, 0.5)
    >>> inputs.ravel().round(3), chance
    (array([-1.414,  0.   ,  1.414]), array([0.25, 0.5 , 0.25]))
    """
    levels = np.array([-1, 0, 1]) / np.sqrt(_checked(n_features, probability))
    chances = np.array([probability / 2, 1 - probability, probability / 2])
    inputs = np.array(list(product(levels, repeat=n_features)))
    return inputs, np.array(list(product(chances, repeat=n_features))).prod(axis=1)


def all_or_none_outcomes(n_features: int, probability: float) -> tuple[np.ndarray, np.ndarray]:
    """All inputs of features that are active together, each with a sign of its own.

    They are uncorrelated, with mean 0 and variance 1, and strongly dependent.  Parameters and
    result as in :func:`three_point_outcomes`, with ``2 ** n_features + 1`` inputs.

    >>> inputs, chance = all_or_none_outcomes(2, 0.25)
    >>> inputs[0], chance.sum()
    (array([0., 0.]), np.float64(1.0))
    """
    size = 1 / np.sqrt(_checked(n_features, probability))
    signs = np.array(list(product([-size, size], repeat=n_features)))
    chance = np.full(len(signs), probability / len(signs))
    silent = np.zeros((1, n_features))
    return np.concatenate([silent, signs]), np.concatenate([[1 - probability], chance])


def _checked(n_features: int, probability: float) -> float:
    require_whole(n_features, "n_features", 1, 12, "a whole number from 1 to 12")
    p = require_number(probability, "probability", 0, 1, "(0, 1]")
    require(p > 0, f"probability must be in (0, 1]; got {p}: a feature needs to be active at times")
    return p


def squared_correlations(
    inputs: ArrayLike, readouts: ArrayLike, chance: ArrayLike | None = None
) -> np.ndarray:
    r"""Squared correlation of each feature with its own readout.

    Implements equation (62): :math:`\rho^2` is the squared covariance over the product of the
    variances.

    Parameters
    ----------
    inputs, readouts : array, shape (n_inputs, n_features)
    chance : array, shape (n_inputs,), optional
        Of each input; default: all alike.

    Returns
    -------
    array, shape (n_features,)

    Examples
    --------
    The readout ``x1 - x2`` of an antipodal pair tells half of the variance of ``x1``:

    >>> x, chance = three_point_outcomes(2, 0.1)
    >>> squared_correlations(x, x @ [[1, -1], [-1, 1]], chance).round(12)
    array([0.5, 0.5])
    """
    x, y = float64(inputs, "inputs"), float64(readouts, "readouts")
    require(
        x.ndim == 2 and x.shape == y.shape,
        f"inputs and readouts must both have shape (n_inputs, n_features); "
        f"got {x.shape} and {y.shape}",
    )
    weight = np.full(len(x), 1 / len(x)) if chance is None else float64(chance, "chance")
    x, y = x - weight @ x, y - weight @ y
    return (weight @ (x * y)) ** 2 / ((weight @ (x * x)) * (weight @ (y * y)))


def sampled_correlations(inputs: np.ndarray, readouts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squared correlations in a sample, and their standard errors.

    The errors come from how much each input pulls on the estimate (the influence function), to
    first order; means are taken to be zero.

    Parameters
    ----------
    inputs, readouts : array, shape (n_inputs, n_features)

    Returns
    -------
    squared, error : array, shape (n_features,)

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((100_000, 2))
    >>> squared, error = sampled_correlations(x, x @ [[1, -1], [-1, 1]])
    >>> bool((abs(squared - 0.5) < 4 * error).all())
    True
    """
    means = [(inputs * readouts).mean(axis=0), (inputs**2).mean(axis=0), (readouts**2).mean(axis=0)]
    squared = means[0] ** 2 / (means[1] * means[2])
    pull = 2 * inputs * readouts / means[0] - inputs**2 / means[1] - readouts**2 / means[2]
    return squared, squared * pull.std(axis=0) / np.sqrt(len(inputs))


def correlated_readout(W: ArrayLike, covariance: ArrayLike) -> np.ndarray:
    r"""Squared correlation of each feature with its readout by W^T, for correlated inputs.

    With :math:`G = W^T W` and the covariance matrix S of the inputs it is
    :math:`[GS]_{ii}^2 / (S_{ii} [GSG]_{ii})`, where equation (66) stops.

    Parameters
    ----------
    W : array, shape (n_dims, n_features)
    covariance : array, shape (..., n_features, n_features)

    Returns
    -------
    array, shape (..., n_features)

    Examples
    --------
    Two features that always go together are read without an error from one direction:

    >>> correlated_readout([[1, 1]], [[1, 1], [1, 1]]), correlated_readout([[1, 1]], np.eye(2))
    (array([1., 1.]), array([0.5, 0.5]))
    """
    W, sigma = float64(W, "W"), float64(covariance, "covariance")
    gram = W.T @ W
    own = [np.diagonal(m, axis1=-2, axis2=-1) for m in (gram @ sigma, sigma, gram @ sigma @ gram)]
    return own[0] ** 2 / (own[1] * own[2])


def searched_correlations(W: ArrayLike) -> np.ndarray:
    """The largest squared correlation of any linear readout with each feature, by a search.

    A general optimizer looks for the readout of each feature; inputs are uncorrelated with unit
    variance.

    >>> searched_correlations([[1, 1, 0], [0, 1, 1]]).round(6)
    array([0.666667, 0.666667, 0.666667])
    """
    W = float64(W, "W")
    frame = W @ W.T

    def missing(readout: np.ndarray, column: np.ndarray) -> float:
        return -float((readout @ column) ** 2 / (readout @ frame @ readout))

    return np.array([-minimize(missing, w, args=(w,), method="BFGS").fun for w in W.T])
