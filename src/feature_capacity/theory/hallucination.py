r"""What a quadratic model believes about its inputs: true and hallucinated correlations.

With independent features of mean 0, variance 1 and fourth moment k, the squares
:math:`x_i^2-1` and the products :math:`x_ix_j` are uncorrelated, with variances k - 1 and 1.  The
output :math:`x^TGx` with the Gram matrix :math:`G=W^TW` is a combination of them, so that the
squares of its correlations with them add up to 1 (Appendix B, and past it).
"""

from __future__ import annotations

import numpy as np

from .._arrays import ArrayLike, float64, require


def output_correlations(gram: ArrayLike, kurtosis: float) -> np.ndarray:
    """Correlations of the output with the square of each feature and the product of each pair.

    Parameters
    ----------
    gram : array (n_features, n_features)
        W^T W of a model, or the diagonal matrix of importances for the target; not all zero.
    kurtosis : float
        Fourth moment k, above 1.

    Returns
    -------
    array (n_features, n_features)
        With the squares on the diagonal, and with products off it.  The squares of the diagonal
        and of one triangle add up to 1.

    Raises
    ------
    ValueError
        For a matrix that is not square or is all zero, and a kurtosis that is not above 1.

    Examples
    --------
    An antipodal pair at kurtosis 9 has variance 8 + 8 + 4:

    >>> output_correlations([[1, -1], [-1, 1]], 9.0).round(4)
    array([[ 0.6325, -0.4472],
           [-0.4472,  0.6325]])
    """
    gram = float64(gram, "gram")
    require(
        gram.ndim == 2 and gram.shape[0] == gram.shape[1] and bool(gram.any()),
        f"gram must be a square matrix with an entry that is not 0; got shape {gram.shape}",
    )
    require(kurtosis > 1, f"kurtosis must be above 1, or squares are constant; got {kurtosis!r}")
    scaled = np.where(np.eye(len(gram), dtype=bool), np.sqrt(kurtosis - 1) * gram, 2 * gram)
    return scaled / np.linalg.norm(np.triu(scaled))


def hallucinated_share(capacity: ArrayLike, sq_norm: ArrayLike, kurtosis: ArrayLike) -> np.ndarray:
    r"""Part of the output's variance that is hallucination, from capacities and squared lengths.

    .. math:: \frac{2\sum_i n_i^2(1/C_i-1)}{(k-1)\sum_i n_i^2+2\sum_i n_i^2(1/C_i-1)}

    Parameters
    ----------
    capacity, sq_norm : arrays (..., n_features)
        An ignored feature, with capacity 0 and length 0, adds nothing.
    kurtosis : float or array (...)
        Above 1.

    Examples
    --------
    >>> float(hallucinated_share([0.5, 0.5], [1.0, 1.0], 9.0))
    0.2
    """
    C, n, k = (
        float64(values, name)
        for name, values in (("capacity", capacity), ("sq_norm", sq_norm), ("kurtosis", kurtosis))
    )
    true = (k - 1) * (n**2).sum(axis=-1)
    crowd = 2 * (n**2 * (1 / np.where(C > 0, C, 1) - 1)).sum(axis=-1)
    return crowd / (true + crowd)
