"""Blocks on the way: which features share, record by record of a training.

Batches leave noise, and vectors that end orthogonal are so only in the limit.  Two features count
as sharing when the absolute cosine between them is above a tolerance well above that noise, and
blocks are the sets that this connects (section 4.4).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from .._arrays import ArrayLike, as_one_matrix, float64, require, require_number
from .blocks import blocks

SHORT = 0.05
"""A vector shorter than this part of the longest has no direction to speak of."""

APART = 0.2
"""Absolute cosine below which two vectors count as orthogonal: within 12 degrees of it."""


def pair_cosines(W: ArrayLike, short: float = SHORT) -> np.ndarray:
    """Absolute cosine between the vectors of each pair of features; nan where one is absent.

    Parameters
    ----------
    W : array (..., n_dims, n_features)
    short : float
        In [0, 1]: vectors shorter than this part of the longest are absent, and so are zeros.

    Returns
    -------
    array (..., n_pairs)
        Pairs in the order of ``itertools.combinations``: (0, 1), (0, 2), ... (1, 2), ...

    Examples
    --------
    >>> pair_cosines([[1.0, -1.0, 0.0, 0.01], [0.0, 0.0, 2.0, 0.0]])
    array([ 1.,  0., nan,  0., nan, nan])
    """
    w = float64(W, "W")
    require(w.ndim >= 2, f"W must have shape (..., n_dims, n_features); got {w.shape}")
    require_number(short, "short", 0, 1, "[0, 1]")
    length = np.linalg.norm(w, axis=-2, keepdims=True)
    there = (length > short * length.max(axis=-1, keepdims=True)) & (length > 0)
    unit = np.where(there, w / np.where(there, length, 1), np.nan)
    one, other = np.array(list(combinations(range(w.shape[-1]), 2)), dtype=int).reshape(-1, 2).T
    return np.abs((unit[..., one] * unit[..., other]).sum(axis=-2))


def sharing_sets(
    W: ArrayLike, apart: float = APART, short: float = SHORT
) -> tuple[tuple[int, ...], ...]:
    """Features of each block, up to noise; absent features are in none.

    Parameters
    ----------
    W : array (n_dims, n_features)
    apart : float
        In [0, 1): absolute cosine below which two vectors count as orthogonal.
    short : float
        In [0, 1]: vectors shorter than this part of the longest are absent.

    Examples
    --------
    >>> sharing_sets([[1.0, -1.0, 0.1, 0.0], [0.0, 0.0, 2.0, 0.01]])
    ((0, 1), (2,))
    """
    w = as_one_matrix(W)
    require_number(short, "short", 0, 1, "[0, 1]")
    length = np.linalg.norm(w, axis=0)
    present = np.flatnonzero((length > short * length.max()) & (length > 0))
    if not present.size:
        return ()
    found = blocks(w[:, present] / length[present], apart)
    return tuple(tuple(int(present[i]) for i in block.features) for block in found)


def settled(W: ArrayLike, apart: float = APART, short: float = SHORT) -> int:
    """The first record from which on the same features share as in the last one.

    Parameters
    ----------
    W : array (n_records, n_dims, n_features)
    apart, short : float
        As in :func:`sharing_sets`.

    Returns
    -------
    int
        Index of the record; 0 if nothing ever changes.

    Examples
    --------
    >>> settled([[[1.0, 1.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.1], [0.0, 1.0]]])
    1
    """
    w = float64(W, "W")
    require(
        w.ndim == 3 and len(w) > 0,
        f"W must have shape (n_records, n_dims, n_features), at least one record; got {w.shape}",
    )
    sets = [sharing_sets(one, apart, short) for one in w]
    other = [i for i, each in enumerate(sets) if each != sets[-1]]
    return other[-1] + 1 if other else 0
