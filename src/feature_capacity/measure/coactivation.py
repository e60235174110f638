r"""Capacity weighted by co-activation: inner products that never meet do not count.

With features :math:`x_i` of zero mean in a quadratic model, the interference that
:math:`w_i \cdot w_j` makes is felt with the weight

.. math:: h_{ij} = \frac{E[x_i^2 x_j^2]}{E[x_i^2] \, E[x_j^2]},

1 for independent features, 0 for two that are never active together.  The weighted capacity is

.. math:: C_i = \frac{(w_i \cdot w_i)^2}{\sum_j h_{ij} (w_i \cdot w_j)^2}, \qquad h_{ii} = 1.

It equals equation (3) where all :math:`h_{ij} = 1`.  It lies between 0 and 1, is at least the
capacity of equation (3) where no :math:`h_{ij}` exceeds 1, and at least that over the largest
:math:`h_{ij}` in any case.  Its sum may exceed the number of dimensions: features that never meet
can all have capacity 1 on one of them.
"""

from __future__ import annotations

import numpy as np

from .._arrays import require
from .choice import Vectors
from .stream import NUMBERS, Survey, unit_vectors

_MOST = 2e14  # operations: some hours
_TILE = 1024  # features


def coactive_capacities(vectors: Vectors, seen: Survey, activations: Vectors) -> np.ndarray:
    """Capacity of each feature, with each squared inner product weighted by co-activation.

    Parameters
    ----------
    vectors : Vectors
    seen : Survey
        Of the vectors.
    activations : Vectors
        One row a feature, one column a sample; read in slices.

    Returns
    -------
    array (n_features,)
        In [0, 1]; 0 for a zero vector, nan for a feature that is never active: it has no
        co-activations.  Such a feature takes nothing from the others.

    Raises
    ------
    ValueError
        If the activations do not have one row a feature, hold a number that is not finite, or are
        so many that all pairs would take days.

    Notes
    -----
    All pairs of features are visited in tiles: the cost is n_features^2 times the dimensions and
    samples together, the memory that of a few tiles.
    """
    n = vectors.n_features
    rows, n_samples = activations.source.shape[-2:]
    require(
        rows == n,
        f"activations must have one row a feature ({n:,}) and one column a sample; "
        f"got {rows:,} x {n_samples:,}: transpose them, or take those of these features",
    )
    work = 2.0 * n * n * (vectors.n_dims + n_samples)
    require(
        work <= _MOST,
        f"{n:,} features and {n_samples:,} samples take {work:.1g} operations for all pairs; "
        "measure fewer features, or give fewer samples",
    )
    power, mean = _powers(activations, n, n_samples)
    crowd = np.zeros(n)
    tiles = [(a, min(a + _TILE, n)) for a in range(0, n, _TILE)]
    present = seen.length > 0
    relative = np.where(present, seen.length, 1)
    for i, (a, b) in enumerate(tiles):
        left = unit_vectors(vectors, seen, a, b)
        for c, d in tiles[i:]:
            right = left if c == a else unit_vectors(vectors, seen, c, d)
            together = _together(activations, power, mean, (a, b), (c, d), n_samples)
            met = together * (left.T @ right) ** 2
            if c == a:
                np.fill_diagonal(met, 0)
            with np.errstate(over="ignore"):
                ratio = relative[c:d] / relative[a:b, None]
                crowd[a:b] += np.where(met > 0, met * ratio**2, 0).sum(axis=1)
                if c > a:
                    crowd[c:d] += np.where(met > 0, met / ratio**2, 0).sum(axis=0)
    capacity = np.where(present, 1 / (1 + crowd), 0)
    return np.where(mean > 0, capacity, np.nan)


def _powers(activations: Vectors, n: int, n_samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Power of two of the largest activation of each feature, and its mean square in that unit."""
    power, mean = np.zeros(n, int), np.zeros(n)
    step = max(1, NUMBERS // n_samples)
    for a in range(0, n, step):
        b = min(a + step, n)
        x = _rows(activations, (a, b), (0, n_samples))
        peak = np.abs(x).max(axis=1)
        bad = np.flatnonzero(~np.isfinite(peak))
        if len(bad):
            raise ValueError(f"activations must be finite; those of feature {a + bad[0]} are not")
        power[a:b] = np.frexp(peak)[1]
        mean[a:b] = (np.ldexp(x, -power[a:b, None]) ** 2).mean(axis=1)
    return power, mean


def _together(
    activations: Vectors,
    power: np.ndarray,
    mean: np.ndarray,
    left: tuple[int, int],
    right: tuple[int, int],
    n_samples: int,
) -> np.ndarray:
    """Weights of all pairs of two tiles of features; 0 where one is never active."""
    total = np.zeros((left[1] - left[0], right[1] - right[0]))
    step = max(1, NUMBERS // _TILE)
    for start in range(0, n_samples, step):
        stop = min(start + step, n_samples)
        one, other = (
            np.ldexp(_rows(activations, tile, (start, stop)), -power[slice(*tile), None]) ** 2
            for tile in (left, right)
        )
        total += one @ other.T
    scale = np.outer(mean[slice(*left)], mean[slice(*right)]) * n_samples
    return np.where(scale > 0, total / np.where(scale > 0, scale, 1), 0)


def _rows(activations: Vectors, rows: tuple[int, int], columns: tuple[int, int]) -> np.ndarray:
    block = activations.block(activations.source.index, slice(*rows), slice(*columns))
    return block.astype(np.float64, copy=False)
