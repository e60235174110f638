r"""The optimum for correlated Gaussian and elliptical inputs, in closed form.

For Gaussian inputs of covariance :math:`\Sigma` the loss of the quadratic model at its best bias is
:math:`2\,\mathrm{tr}(\Sigma M\Sigma M)` with :math:`M = W^TW - V`, :math:`V=\mathrm{diag}(v)`
(Isserlis).  For elliptical ones, a Gaussian times an independent random size, of kurtosis
:math:`k=3h`, every fourth moment is *h* times as large, and

.. math:: \mathcal L = 2h\,\mathrm{tr}(\Sigma M\Sigma M) + (h-1)\,(\mathrm{tr}\,\Sigma M)^2 .

*Theorem.*  Let :math:`\mu_1\ge\mu_2\ge\dots` and :math:`Q` be eigenvalues and eigenvectors of
:math:`V^{1/2}\Sigma V^{1/2}`, :math:`Q_D` the first D of them, :math:`R=\sum_{i>D}\mu_i` and
:math:`t = (h-1)R/(2h+(h-1)D)`.  Then

.. math:: W = \mathrm{diag}\big(\sqrt{1+t/\mu_i}\big)_{i\le D}\; Q_D^T V^{1/2},\qquad
          \mathcal L = 2h\sum_{i>D}\mu_i^2 + \frac{2h(h-1)}{2h+(h-1)D}R^2

is a minimum over all W: principal components of the inputs scaled by the roots of their
importances.  For Gaussians *t* is 0.

*Proof.*  Put :math:`X=\Sigma^{1/2}V^{1/2}`, :math:`P=XX^T` and
:math:`B=\Sigma^{1/2}W^TW\Sigma^{1/2}`, which is positive with rank at most D.  Then
:math:`\mathcal L=2h\|B-P\|_F^2+(h-1)(\mathrm{tr}B-\mathrm{tr}P)^2`.  The second term depends on
the eigenvalues :math:`\beta` of B alone, and by Hoffman and Wielandt
:math:`\|B-P\|_F^2\ge\sum_i(\beta_i-\mu_i)^2` with both in descending order, with equality when B
has the eigenvectors of P in this order.  What remains is convex in
:math:`\beta_1,\dots,\beta_D\ge 0`, the others being 0; setting the derivatives to zero gives
:math:`\beta_i-\mu_i=t` for :math:`i\le D`, and :math:`t\ge0` because :math:`h\ge1` (the mean of a
square is at least the square of the mean).  With the singular value decomposition
:math:`X=U\sqrt\mu\,Q^T` the W above has :math:`B=U_D(\mu_D+t)U_D^T`.  ∎

No inverse of the covariance appears, so that it may be singular.  The minimum is the only one, up
to rotations of W, where :math:`\mu_D>\mu_{D+1}` and the covariance is not singular.
"""

from __future__ import annotations

from dataclasses import dataclass

from .._arrays import (
    Array,
    ArrayLike,
    Mask,
    as_float_arrays,
    checked,
    constant,
    require,
    require_finite,
    require_number,
    require_whole,
)
from .capacity import capacities

_ROUNDING = 1e-9


@dataclass(frozen=True)
class GaussianOptimum:
    """The best embedding of inputs with an elliptical distribution.

    Attributes
    ----------
    W : array (n_dims, n_features)
    bias, loss : array ()
        The best bias, and the expected loss with it.
    capacity : array (n_features,)
        Capacities of W, equation (3).
    spectrum : array (n_features,)
        The eigenvalues mu, largest first; the loss of Gaussians is twice the sum of the squares
        of those from the (D+1)-th on.
    unique : boolean array ()
        Whether the D-th eigenvalue is above the next, so that the subspace is determined.
    """

    W: Array
    bias: Array
    loss: Array
    capacity: Array
    spectrum: Array
    unique: Mask


def gaussian_embedding(
    covariance: ArrayLike, importance: ArrayLike, n_dims: int, kurtosis: float = 3.0
) -> GaussianOptimum:
    r"""The embedding that minimizes the expected loss for correlated Gaussian inputs.

    :math:`W = Q_D^T V^{1/2}`, with :math:`Q_D` the first eigenvectors of
    :math:`V^{1/2}\Sigma V^{1/2}`; the proof is that of :mod:`feature_capacity.theory.gaussian`.
    Capacities are 0 or 1 only where the first eigenvectors span the axes of D features, and
    otherwise fractional although k = 3: the paper's rule that only k > 3 shares needs independence.

    Parameters
    ----------
    covariance : array, shape (n_features, n_features)
        Symmetric without negative eigenvalues; it may be singular.
    importance : array, shape (n_features,)
    n_dims : int
        From 1 to the number of features.
    kurtosis : float
        At least 3: the kurtosis 3h of an elliptical distribution, 3 for a Gaussian.

    Raises
    ------
    ValueError
        For a covariance that is none, a kurtosis below 3, or shapes that do not fit.

    Examples
    --------
    Two features that always agree need one dimension, and each gets half of it:

    >>> best = gaussian_embedding([[1, 1, 0], [1, 1, 0], [0, 0, 1]], [1, 1, 1], n_dims=2)
    >>> best.capacity.round(12), round(float(best.loss), 12)
    (array([0.5, 0.5, 1. ]), 0.0)
    """
    k = require_number(kurtosis, "kurtosis", 3, float("inf"), "[3, inf) for elliptical inputs")
    checked(importance=importance)
    xp, (cov, v) = as_float_arrays(covariance=covariance, importance=importance)
    require(v.ndim == 1, f"importance must have shape (n_features,); got {tuple(v.shape)}")
    n = v.shape[0]
    require(
        cov.shape == (n, n),
        f"covariance must have shape ({n}, {n}), a row and a column per importance; "
        f"got {tuple(cov.shape)}",
    )
    require_finite(xp, cov, "covariance")
    rule = f"a whole number from 1 to the number of features ({n})"
    n_dims = require_whole(n_dims, "n_dims", 1, n, rule)
    _require_covariance(xp, cov)

    root = xp.sqrt(v)
    mu, Q = xp.linalg.eigh(root[:, None] * cov * root[None, :])
    mu, Q = xp.flip(xp.clip(mu, 0.0, None), axis=-1), xp.flip(Q, axis=-1)
    rest, h = xp.sum(mu[n_dims:]), k / 3
    # Eigenvalues of rounding size carry no direction of the inputs.
    positive = mu[:n_dims] > float(xp.finfo(v.dtype).eps) * n * mu[0]
    t = (h - 1) * rest / (2 * h + (h - 1) * n_dims)
    one = xp.ones_like(mu[:n_dims])
    stretch = xp.where(positive, 1 + t / xp.where(positive, mu[:n_dims], one), one)
    W = xp.sqrt(stretch)[:, None] * (Q[:, :n_dims].mT * root)
    kept = xp.sum(xp.where(positive, mu[:n_dims] * stretch, 0 * one))
    loss = 2 * h * xp.sum(mu[n_dims:] ** 2) + 2 * h * t * rest
    gap = mu[n_dims - 1] - (mu[n_dims] if n_dims < n else 0 * rest)
    return GaussianOptimum(
        W=W,
        bias=xp.sum(mu) - kept,
        loss=loss,
        capacity=capacities(W),
        spectrum=mu,
        unique=constant(gap) > _ROUNDING * constant(mu[0]),
    )


def _require_covariance(xp: object, cov: Array) -> None:
    fixed = constant(cov)
    least, size = xp.linalg.eigvalsh(fixed)[0], xp.max(xp.abs(fixed))  # type: ignore[attr-defined]
    asymmetry = xp.max(xp.abs(fixed - fixed.mT))  # type: ignore[attr-defined]
    require(
        bool(asymmetry <= _ROUNDING * size),
        f"covariance must be symmetric; got entries that differ by {float(asymmetry):.3g}",
    )
    require(
        bool(least >= -_ROUNDING * size * cov.shape[0]),
        f"covariance must have no negative eigenvalue; got {float(least):.3g}",
    )
