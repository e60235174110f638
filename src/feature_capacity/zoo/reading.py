r"""How well a dictionary reads features that are known, and how well they can be read at all.

*Linear readout.*  Independent features of equal variance reach :math:`w_i\cdot h` as
:math:`n_ix_i+\sum_{j\ne i}(w_i\cdot w_j)x_j`.  Of its variance the part

.. math:: \frac{n_i^2}{\sum_j(w_i\cdot w_j)^2}=C_i

is the feature's own: capacity, equation (3), is the squared correlation of a feature with its own
direction.  The best linear readout of all is :math:`w_i^T(WW^T)^+h`, with squared correlation
:math:`w_i^T(WW^T)^+w_i`, the leverage of the feature: the alternative capacity of Appendix G,
equation (88).

*Sparse readout.*  Features are sparse, and least :math:`\|z\|_1` with :math:`Wz=h` may find them
all (basis pursuit): the compressed-sensing limit of what a dictionary can read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.stats import rankdata

from .._arrays import ArrayLike, as_one_matrix, float64, require, require_whole

NEAR = 0.9
"""A latent whose cosine with a feature is above this has found it."""

_OFF = 1e-6  # of the largest entry of a code: no activity


@dataclass(frozen=True)
class Recovery:
    """What a dictionary makes of known features, an entry a feature.

    Attributes
    ----------
    latent : int array (n_features,)
        The latent that reads it: of those within a cosine of 0.9 the one with the best F1 score,
        and where there is none the nearest.  A feature that is split has several near ones, and
        the nearest may be the one that seldom fires.
    cosine : array (n_features,)
        Greatest cosine with any latent that fires; 0 for a feature without a column.
    f1 : array (n_features,)
        F1 score of "its latent is active" for "the feature is active"; nan for a feature that is
        on in none of the samples.
    splits : int array (n_features,)
        Latents that fire within a cosine of 0.9 of it; more than 1 where a feature is split.
    absorbed : array (n_features,)
        Part of the times when it is on that its latent is silent, and another one makes up at
        least half of it along its direction.
    """

    latent: np.ndarray
    cosine: np.ndarray
    f1: np.ndarray
    splits: np.ndarray
    absorbed: np.ndarray

    @property
    def found(self) -> np.ndarray:
        """Which features have a latent within a cosine of 0.9."""
        return self.cosine > NEAR


def one_signed(W: ArrayLike, features: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Features of either sign as two features that are never negative: W with -W beside it.

    Latents are not negative, so that a feature that is takes two of them.  Features that are not
    negative are left alone.

    >>> one_signed([[1.0, 2.0]], [[3.0, -4.0]])[1]
    array([[3., 0., 0., 4.]])
    """
    W, x = as_one_matrix(W), float64(features, "features")
    if (x >= 0).all():
        return W, x
    return np.concatenate([W, -W], axis=1), np.concatenate([x.clip(0), (-x).clip(0)], axis=1)


def recovery(
    directions: ArrayLike, codes: ArrayLike, W: ArrayLike, features: ArrayLike
) -> Recovery:
    """Compare a dictionary with known features, none of which is negative.

    Parameters
    ----------
    directions : array (n_dims, n_latents)
        Columns of the decoder.
    codes : array (n_samples, n_latents)
        Its activations, on the same samples as the features.
    W : array (n_dims, n_features)
    features : array (n_samples, n_features)

    Raises
    ------
    ValueError
        For shapes that do not fit together.

    Examples
    --------
    >>> found = recovery(np.eye(2), [[1, 0], [0, 1]], np.eye(2), [[1, 0], [0, 1]])
    >>> found.cosine, found.f1, found.splits, found.absorbed
    (array([1., 1.]), array([1., 1.]), array([1, 1]), array([0., 0.]))
    """
    D, W = as_one_matrix(directions), as_one_matrix(W)
    z, x = float64(codes, "codes"), float64(features, "features")
    fits = D.shape[0] == W.shape[0] and len(z) == len(x)
    fits &= z.shape[1:] == D.shape[1:] and x.shape[1:] == W.shape[1:]
    shapes = ", ".join(str(a.shape) for a in (D, z, W, x))
    require(fits, f"directions, codes, W and features must fit together; got shapes {shapes}")
    length = np.linalg.norm(W, axis=0)
    unit = W / np.where(length > 0, length, 1)
    fires = (z > 0).any(axis=0)
    cosines = np.where(fires, unit.T @ _unit(D), -1.0)
    cosines[length == 0] = 0
    nearest = cosines.argmax(axis=1)
    every = np.arange(W.shape[1])
    on, fired = x > 0, z > 0
    n_on = on.sum(axis=0)
    both = on.T.astype(float) @ fired
    scores = 2 * both / np.maximum(n_on[:, None] + fired.sum(axis=0), 1)
    likely = np.where(cosines > NEAR, scores, -1.0)
    latent = np.where(likely.max(axis=1) >= 0, likely.argmax(axis=1), nearest)
    active = fired[:, latent]
    f1 = np.where(n_on > 0, scores[every, latent], np.nan)
    absorbed = np.zeros(W.shape[1])
    for i in every[length > 0]:
        missed = on[:, i] & ~active[:, i]
        along = z[missed] * (unit[:, i] @ D)
        taken = (along >= length[i] * x[missed, i, None] / 2).any(axis=1)
        absorbed[i] = taken.sum() / max(1, on[:, i].sum())
    return Recovery(
        latent=latent,
        cosine=np.maximum(cosines[every, nearest], 0),
        f1=f1,
        splits=(cosines > NEAR).sum(axis=1),
        absorbed=absorbed,
    )


def readout(W: ArrayLike, directions: ArrayLike) -> np.ndarray:
    """Squared correlation of each feature with a direction of its own, for independent features.

    Of equal variance; exact, without samples.  Column i of ``directions`` (n_dims, n_features)
    reads feature i; 0 where it reads nothing.

    >>> readout([[1.0, 1.0]], [[1.0, 1.0]])
    array([0.5, 0.5])
    """
    seen = as_one_matrix(directions).T @ as_one_matrix(W)
    total = (seen**2).sum(axis=1)
    return np.diagonal(seen) ** 2 / np.where(total > 0, total, 1)


def rank_correlation(one: ArrayLike, other: ArrayLike) -> float:
    """Spearman's rank correlation; 0 where one of the two is the same everywhere.

    >>> round(rank_correlation([1.0, 2.0, 3.0], [10.0, 20.0, 50.0]), 12)
    1.0
    """
    ranks = np.array([rankdata(float64(x, "values")) for x in (one, other)])
    ranks -= ranks.mean(axis=1, keepdims=True)
    size = np.linalg.norm(ranks, axis=1).prod()
    return float(ranks[0] @ ranks[1] / size) if size else 0.0


def basis_pursuit(W: ArrayLike, hidden: ArrayLike) -> np.ndarray:
    """Codes of least sum, none negative, that give hidden vectors exactly: an oracle's reading.

    Columns count by their length, so that a code is how much of the hidden vector it makes up.
    Shape (n_samples, n_features); nan where no such code exists.

    >>> abs(basis_pursuit([[1.0, 0.0, 0.8], [0.0, 1.0, 0.6]], [[0.8, 0.6]])).round(6)
    array([[0., 0., 1.]])
    """
    W, h = as_one_matrix(W), float64(hidden, "hidden")
    length = np.linalg.norm(W, axis=0)
    there = length > 0
    A = W[:, there] / length[there]
    codes = np.zeros((len(h), W.shape[1]))
    for code, vector in zip(codes, h, strict=True):
        found = linprog(np.ones(A.shape[1]), A_eq=A, b_eq=vector, method="highs")
        code[there] = found.x if found.success else np.nan
    most = np.nanmax(codes, axis=1, initial=0.0)
    return np.where(codes > _OFF * most[:, None], codes / np.where(there, length, 1), codes * 0)


def recovery_rate(
    W: ArrayLike, n_active: int, n_trials: int, generator: np.random.Generator
) -> float:
    """How often basis pursuit finds features of random signs, so many of which are active.

    Found is a set of values within a part in 10,000.  Only features with a column are drawn.

    >>> recovery_rate(np.eye(3), 2, 5, np.random.default_rng(0))
    1.0
    """
    W = as_one_matrix(W)
    W = W[:, np.linalg.norm(W, axis=0) > 0]
    n = W.shape[1]
    require_whole(n_active, "n_active", 1, n, f"a whole number from 1 to {n}, the features")
    require_whole(n_trials, "n_trials", 1, None, "a whole number, at least 1")
    x = np.zeros((n_trials, n))
    for row in x:
        some = generator.choice(n, n_active, replace=False)
        row[some] = generator.choice([-1.0, 1.0], n_active) * generator.uniform(0.2, 1, n_active)
    both = basis_pursuit(np.concatenate([W, -W], axis=1), x @ W.T)
    error = np.abs(both[:, :n] - both[:, n:] - x).max(axis=1)
    return float((error <= 1e-4).mean())


def _unit(D: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(D, axis=0)
    return D / np.where(length > 0, length, 1)
