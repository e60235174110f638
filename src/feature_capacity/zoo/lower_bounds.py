r"""Losses that no weights can beat, for networks whose optimum is not known in closed form.

*Quadratic model, any inputs.*  With :math:`M=W^TW-\mathrm{diag}(v)` the loss is a quadratic form in
M, the covariance of the products :math:`x_ix_j`.  For any invertible symmetric S let
:math:`\lambda_S` be the least eigenvalue of that form on symmetric matrices :math:`SMS`.  Then

.. math:: \mathcal L\ge\lambda_S\|SW^TWS-S\,\mathrm{diag}(v)\,S\|_F^2\ge\lambda_S\sum_{i>D}\mu_i^2,

with the eigenvalues :math:`\mu` of :math:`S\,\mathrm{diag}(v)\,S` in falling order, because
:math:`SW^TWS` has rank at most D (Eckart and Young).  For Gaussians and
:math:`S=\Sigma^{1/2}` this is the optimum itself.

*Autoencoder, features uniform on [0, 1] when on.*  Tell the decoder which m features are on.  With
:math:`y=V^{1/2}x` it sees D directions Q of y, and the rest R errs by at least

.. math:: \frac{m-D}{2\pi e}\exp\frac{2\,h(Ry|Qy)}{m-D},\qquad
          h(Ry|Qy)\ge\frac12\sum_{i}\ln v_i-\frac12\sum_{\text{largest }D}
          \ln\frac{2\pi e\,v_i}{12},

since of all vectors with a given covariance the Gaussian has the largest entropy (Shannon).  No
activation and no bias enters.  The sum over all sets of more than D features that are on, each with
its probability, bounds the loss from below.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from ..theory.moments import FullMoments, Moments


def spectral_bound(importance: np.ndarray, moments: Moments | FullMoments, n_dims: int) -> float:
    """A lower bound of the quadratic model's loss over all W, at the best bias.

    The better of S = 1 and S the root of the covariance.

    Parameters
    ----------
    importance : array (n_features,)
    moments : Moments or FullMoments
    n_dims : int

    Examples
    --------
    Independent features lose at least twice the squares of what has no dimension:

    >>> from feature_capacity.theory.moments import independent_moments
    >>> round(spectral_bound(np.array([2.0, 1.0]), independent_moments(9.0, 2), 1), 12)
    2.0
    """
    second, fourth = _full(moments)
    n = len(importance)
    covariance = fourth - second[:, :, None, None] * second[None, None]
    values, vectors = np.linalg.eigh(second)
    best = 0.0
    for root in (np.eye(n), (vectors * np.sqrt(values.clip(1e-12))) @ vectors.T):
        back = np.linalg.inv(root)
        form = np.einsum("ai,bj,ijkl,ck,dl->abcd", back, back, covariance, back, back)
        least = float(np.linalg.eigvalsh(_on_symmetric(form))[0])
        mu = np.sort(np.linalg.eigvalsh(root @ np.diag(importance) @ root))[::-1]
        best = max(best, max(least, 0.0) * float((mu[n_dims:] ** 2).sum()))
    return best


def entropy_bound(importance: np.ndarray, probability: float, n_dims: int) -> float:
    """A lower bound of the autoencoder's loss over all weights, biases and activations.

    Parameters
    ----------
    importance : array (n_features,)
        Positive; at most 16 features, since all sets of them are looked at.
    probability : float
        That a feature is on, and then uniform on [0, 1].
    n_dims : int

    Examples
    --------
    With a dimension for each feature nothing need be lost:

    >>> entropy_bound(np.ones(2), 0.5, 2), round(entropy_bound(np.ones(2), 0.5, 1), 4)
    (0.0, 0.0103)
    """
    n, half = len(importance), 2 * math.pi * math.e
    total = 0.0
    for m in range(n_dims + 1, n + 1):
        chance = probability**m * (1 - probability) ** (n - m)
        for some in combinations(np.sort(importance)[::-1], m):
            seen = sum(math.log(half * v / 12) for v in some[:n_dims])
            entropy = (sum(math.log(v) for v in some) - seen) / 2
            left = m - n_dims
            total += chance * left / half * math.exp(2 * entropy / left)
    return total


def _full(moments: Moments | FullMoments) -> tuple[np.ndarray, np.ndarray]:
    second, fourth = np.asarray(moments.second), np.asarray(moments.fourth)
    if isinstance(moments, FullMoments):
        return second, fourth
    n = len(second)
    eye, off = np.eye(n), fourth * (1 - np.eye(n))
    every = np.einsum("ik,ij,kl->ijkl", fourth, eye, eye)
    every += np.einsum("ij,ik,jl->ijkl", off, eye, eye) + np.einsum("ij,il,jk->ijkl", off, eye, eye)
    return np.diag(second), every


def _on_symmetric(form: np.ndarray) -> np.ndarray:
    """The form in an orthonormal basis of symmetric matrices."""
    n = len(form)
    basis = []
    for i in range(n):
        for j in range(i, n):
            E = np.zeros((n, n))
            E[i, j] = E[j, i] = 1.0 if i == j else math.sqrt(0.5)
            basis.append(E.ravel())
    B = np.array(basis)
    return B @ form.reshape(n * n, n * n) @ B.T
