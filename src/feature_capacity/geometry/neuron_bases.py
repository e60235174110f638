r"""On how few neurons the features of an embedding can be made to lie by turning the neuron basis.

A feature with the direction u projects on :math:`1/\sum_a u_a^4` neurons: 1 if it lies on the axis
of one neuron, D if it lies between all of them.
"""

from __future__ import annotations

import numpy as np

from .._arrays import ArrayLike, float64, require

_STEPS = 60


def neurons_per_feature(W: ArrayLike) -> np.ndarray:
    r"""Neurons that each feature projects on, :math:`n_i^2 / \sum_a W_{ai}^4`.

    Parameters
    ----------
    W : array (..., n_dims, n_features)

    Returns
    -------
    array (..., n_features)
        From 1 to n_dims; NaN for a feature without a vector.

    Examples
    --------
    >>> neurons_per_feature([[1.0, 1.0], [0.0, 1.0]])
    array([1., 2.])
    """
    u = _directions(W)
    total = (u**4).sum(axis=-2)
    return 1 / np.where(total > 0, total, np.nan)


def fewest_neurons(W: ArrayLike, n_starts: int = 8, seed: int = 0) -> np.ndarray:
    r"""The same in the neuron basis that makes features lie on as few neurons as they can.

    The basis maximizes :math:`\sum_i\sum_a u_{ai}^4` over all rotations, the criterion of a
    quartimax rotation, from the given basis and some random ones.

    Parameters
    ----------
    W : array (..., n_dims, n_features)
    n_starts : int
        Bases to start from, the given one among them.
    seed : int

    Examples
    --------
    An antipodal pair can be turned onto one neuron; of three vectors of a plane one lies between:

    >>> fewest_neurons([[1.0, -1.0, 0.0], [1.0, -1.0, 0.0]])[:2].round(6)
    array([1., 1.])
    >>> fewest_neurons([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]).round(6)
    array([1., 1., 2.])
    """
    u = _directions(W)
    require(n_starts >= 1, f"n_starts must be at least 1; got {n_starts!r}")
    d = u.shape[-2]
    draws = np.random.default_rng(seed).standard_normal((n_starts - 1, d, d))
    best, most = u, np.full(u.shape[:-2], -np.inf)
    for start in (np.eye(d), *np.linalg.qr(draws)[0]):
        turned = start @ u
        for _ in range(_STEPS):
            # The polar factor of the gradient: no step lowers a convex criterion.
            left, _, right = np.linalg.svd(turned**3 @ np.swapaxes(turned, -1, -2))
            turned = left @ right @ turned
        reached = (turned**4).sum(axis=(-2, -1))
        better = reached > most
        best = np.where(better[..., None, None], turned, best)
        most = np.where(better, reached, most)
    return neurons_per_feature(best)


def _directions(W: ArrayLike) -> np.ndarray:
    """Columns of unit length; zero columns stay."""
    vectors = float64(W, "W")
    require(vectors.ndim >= 2, f"W must end in (n_dims, n_features); got shape {vectors.shape}")
    length = np.linalg.norm(vectors, axis=-2, keepdims=True)
    return vectors / np.where(length > 0, length, 1)
