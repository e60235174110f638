r"""Which features share when pairs do not all depend alike.

Inputs have variance 1, and no change of signs alters their distribution; :math:`k_i=E[x_i^4]`,
:math:`h_{ij}=E[x_i^2x_j^2]`, :math:`G_{ij}=\mathrm{Cov}(x_i^2,x_j^2)`.

*Theorem (twins).*  Let features i and j depend on every other feature alike,
:math:`h_{il}=h_{jl}`.  If :math:`(k_i+k_j)/2<3h_{ij}`, their vectors are orthogonal in every
optimum, whatever the importances.

*Proof.*  Mix the two columns of W by a rotation.  The sum
:math:`w_iw_i^T+w_jw_j^T` stays, and with it all interference with others, which weigh both alike,
and :math:`s=n_i+n_j`.  The symmetric matrix :math:`\begin{pmatrix}n_i&c\\c&n_j\end{pmatrix}` with
:math:`c=w_i\cdot w_j` is rotated, so that :math:`d=(n_i-n_j)/2` and c run over a circle
:math:`d^2+c^2=r^2`.  In the loss, squared errors contribute :math:`(k_i+k_j-2h_{ij})d^2` and terms
that are linear in d or constant, because G weighs every other error alike for both; interference
contributes :math:`4h_{ij}c^2=4h_{ij}(r^2-d^2)`.  The coefficient of :math:`d^2` is
:math:`k_i+k_j-6h_{ij}<0`: the loss is strictly concave in d, and its minimum is at an end of
:math:`[-r,r]`, where c = 0.  ∎

In groups with one *h* inside, members of a group are twins: for k < 3h inside, members that are
represented are orthogonal, and whatever shares a direction comes from different groups.  Where all
pairs are alike this is the threshold of :mod:`feature_capacity.theory.dependence` once more,
without Theorem 1.

*Theorem (whole features).*  Let the features of a set S be orthogonal, the others zero, with the
best lengths, :math:`G_{SS}m_S=G_{SI}v_I` for the ignored ones I, all of them positive, and S as
large as the number of dimensions; no two of S exclude each other, and :math:`G_{SS}` is positive
definite.  To second order the loss rises in every direction but rotations if

.. math:: \mu_j = (Gm)_j + 2\min_{a\in S}h_{ja}\,n_a > 0\quad\text{for every } j\in I,

and falls in some direction if one of them is negative.  So where every such S has a negative one,
every optimum shares or leaves a dimension empty.

*Proof.*  An ignored vector :math:`w_j=\varepsilon u` adds :math:`\varepsilon^2` to :math:`m_j` and
the squared products :math:`\varepsilon^2n_au_a^2`: the loss changes by
:math:`2\varepsilon^2\big[(Gm)_j+2\sum_a h_{ja}n_au_a^2\big]`, least for the a with the least
:math:`h_{ja}n_a`.  Changes of the vectors of S do not mix with it at this order: their first
derivatives vanish at the best lengths, and a product of both changes is first met in third order.
Among themselves they are at a minimum: squared errors are least, and interference is 0.  ∎
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._arrays import ArrayLike, float64, require, require_importance, to_numpy
from .moments import Moments

_ALIKE = 1e-9


def orthogonal_twins(moments: Moments) -> np.ndarray:
    """Pairs of features whose vectors are orthogonal in every optimum, by the theorem on twins.

    Parameters
    ----------
    moments : Moments, of one distribution

    Returns
    -------
    bool array (n_features, n_features)
        Symmetric, False on the diagonal; False says nothing.

    Raises
    ------
    ValueError
        For a batch of moments.

    Examples
    --------
    Two groups of two: members of one are never on a common direction, those of different groups
    may be.

    >>> from feature_capacity.theory.generators import grouped_inputs
    >>> orthogonal_twins(grouped_inputs(2, 2, 0.1, 0.9)).astype(int)
    array([[0, 1, 0, 0],
           [1, 0, 0, 0],
           [0, 0, 0, 1],
           [0, 0, 1, 0]])
    """
    h = _one(moments)
    n = len(h)
    k = np.diag(h)
    alike = np.zeros((n, n), bool)
    for i in range(n):
        apart = np.abs(h - h[i])  # row j: how differently i and j depend on each feature
        apart[:, i] = 0
        apart[np.arange(n), np.arange(n)] = 0
        alike[i] = apart.max(axis=1) <= _ALIKE * h.max()
    dense = (k[:, None] + k) / 2 < 3 * h * (1 - _ALIKE)
    result = alike & dense
    np.fill_diagonal(result, False)
    return result


def entry_margin(importance: ArrayLike, moments: Moments, whole: Sequence[int]) -> np.ndarray:
    r"""How far every ignored feature is from sharing, beside features that are whole.

    :math:`(Gm)_j+2\min_ah_{ja}n_a`: the loss rises by twice this per squared length that feature j
    takes in the direction that disturbs least.  Negative: it starts to share.

    Parameters
    ----------
    importance : array (n_features,)
    moments : Moments
        Of variance 1.
    whole : sequence of int
        The features with a dimension each; all dimensions are taken by them.

    Returns
    -------
    array (n_features,)
        nan for the whole ones.

    Raises
    ------
    ValueError
        For features that are none, whole ones whose best length is not positive, or whose squares
        determine each other.

    Examples
    --------
    Independent features of kurtosis 9: an equal one enters, one of a fifth of the importance not.

    >>> from feature_capacity.theory.moments import independent_moments
    >>> entry_margin([1, 1, 0.2], independent_moments(9.0, 3), whole=[0]).round(9)
    array([ nan, -6. ,  0.4])
    """
    v, h = float64(importance, "importance"), _one(moments)
    require_importance(np, v)
    require(v.shape == (len(h),), f"importance must have one entry for each of {len(h)} features")
    inside = np.isin(np.arange(len(h)), whole)
    require(
        0 < inside.sum() == len(whole),
        f"whole must name features from 0 to {len(h) - 1}, each once; got {list(whole)!r:.60}",
    )
    G = h - 1
    m = -v
    own = G[np.ix_(inside, inside)]
    least = float(np.linalg.eigvalsh(own)[0])
    require(
        least > _ALIKE,
        "the squares of whole features must each vary by themselves; the least eigenvalue of "
        f"their covariance is {least:.3g}: leave one of them out",
    )
    m[inside] = np.linalg.solve(own, G[np.ix_(inside, ~inside)] @ v[~inside])
    lengths = (m + v)[inside]
    require((lengths > 0).all(), "the best length of a whole feature must be positive; drop it")
    margin = G @ m + 2 * (h[:, inside] * lengths).min(axis=1)
    return np.where(inside, np.nan, margin)


def _one(moments: Moments) -> np.ndarray:
    """The fourth moments of one distribution, scaled to variance 1."""
    h = to_numpy(moments.coactivation)
    batch = h.shape[:-2]
    require(not batch, f"moments must be of one distribution; got a batch of shape {batch}")
    return h
