"""What a phase diagram shows, in numbers: widths, plateaus, pairs, blocks, steps.

No number counts cells along the axis of importance, so that none depends on whether a grid has a
cell at V = 1, or on how many it has; see :mod:`feature_capacity.theory.transitions`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from .._arrays import to_numpy
from ..geometry.blocks import Block, blocks
from ..geometry.embeddings import optimal_embedding
from ..geometry.neuron_bases import fewest_neurons
from ..models.inputs import SparseUniform
from ..theory.allocation import solve_allocation
from ..theory.phases import one_feature_varied
from ..theory.transitions import decades_between
from .figure_seven import as_map, first_capacity

SHARED = (0.05, 0.95)
"""Capacities between these count as superposed."""

HALF = (0.47, 0.53)
"""Capacities between these count as one half: the paper's own contours."""

COSINE = 0.1
"""Features with a larger cosine are linked; those shorter than this part of the longest ignored."""

DENSE, SPARSE = 0.6, 0.1
"""Rows with p at least, and at most; the quadratic model's kurtosis of 3 is at p = 0.6."""


def superposed(capacity: np.ndarray) -> np.ndarray:
    """Which cells are superposed."""
    return (capacity > SHARED[0]) & (capacity < SHARED[1])


def stuck(capacity: np.ndarray) -> np.ndarray:
    """Which cells are close to one half."""
    return (capacity > HALF[0]) & (capacity < HALF[1])


def share(part: np.ndarray | Sequence[bool]) -> float:
    """Share of true entries; NaN of none, as can happen on a tiny grid.

    >>> share([True, False]), share([])
    (0.5, nan)
    """
    return float(np.mean(part)) if np.size(part) else float("nan")


def middle(values: np.ndarray) -> float:
    """Median; NaN of none.

    >>> middle(np.array([3.0, 1.0, 2.0])), middle(np.empty(0))
    (2.0, nan)
    """
    return float(np.median(values)) if values.size else float("nan")


def widths(found: xr.Dataset, limits: tuple[float, float] = SHARED) -> np.ndarray:
    """Decades of importance over which feature 1 is superposed, for each row."""
    importance, _, capacity = as_map(found)
    return decades_between(importance, capacity, *limits)


def plateaus(found: xr.Dataset) -> np.ndarray:
    """Decades of importance over which the capacity of feature 1 is close to one half."""
    return widths(found, HALF)


def sparse_plateau(found: xr.Dataset) -> float:
    """Decades of importance at one half, in the median of the sparse rows."""
    return float(np.median(plateaus(found)[rows_where(found, 0, SPARSE)]))


def longest_plateau(found: xr.Dataset) -> float:
    """Decades of importance at one half, in the row that has most."""
    return float(plateaus(found).max())


def widening(found: xr.Dataset) -> float:
    """By how many decades sparse rows are superposed over more importance than dense ones."""
    band = widths(found)
    sparse, dense = rows_where(found, 0, SPARSE), rows_where(found, DENSE, 1)
    return float(np.median(band[sparse]) - np.median(band[dense]))


def mean_width(found: xr.Dataset) -> float:
    """Decades of importance over which feature 1 is superposed, in the mean of all rows."""
    return float(widths(found).mean())


def furthest_superposed(found: xr.Dataset) -> float:
    """Largest importance at which feature 1 is superposed in some row; NaN if it never is."""
    importance, _, capacity = as_map(found)
    return float(max(importance[superposed(capacity).any(axis=0)], default=np.nan))


def not_whole_at_the_end(found: xr.Dataset) -> float:
    """Share of rows in which feature 1 is not whole at the largest importance."""
    return share(first_capacity(found)[:, -1] < SHARED[1])


def rows_where(found: xr.Dataset, low: float, high: float) -> np.ndarray:
    """Which rows have a probability from low to high."""
    p = found.probability.values
    return (p >= low) & (p <= high)


def block_of_feature(W: np.ndarray, feature: int = 0, cosine: float = COSINE) -> Block | None:
    """The block that a feature belongs to; None for an ignored one.

    >>> block_of_feature(np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 2.0]])).features
    (0, 1)
    """
    return next((b for b in blocks(W, cosine) if feature in b.features), None)


def in_a_pair(W: np.ndarray, cosine: float = COSINE) -> bool:
    """Whether feature 1 and one other have a dimension of their own.

    >>> in_a_pair(np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 2.0]]))
    True
    """
    block = block_of_feature(W, cosine=cosine)
    return block is not None and len(block.features) == 2 and block.dimension == 1


def antipodal(W: np.ndarray) -> bool:
    """Whether the two of a pair point in opposite directions."""
    block = block_of_feature(W)
    assert block is not None, "of cells in a pair"
    one, other = block.features
    return bool(W[:, one] @ W[:, other] < 0)


def kind_of_block(W: np.ndarray) -> int:
    """A code: 0 ignored, 1 alone, 10 + its dimension for a shared block.

    >>> kind_of_block(np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 2.0]]))
    11
    """
    block = block_of_feature(W)
    if block is None:
        return 0
    return 1 if len(block.features) == 1 else 10 + block.dimension


def kinds_of_blocks(found: xr.Dataset) -> np.ndarray:
    """`kind_of_block` in every cell."""
    return np.array([[kind_of_block(W) for W in row] for row in found.W.values])


def cells_where(found: xr.Dataset, which: np.ndarray) -> np.ndarray:
    """The embeddings of some cells, (n_cells, n_dims, n_features)."""
    return found.W.values[which]


def one_shared_block(W: np.ndarray, cosine: float = COSINE) -> bool:
    """Whether all features that share anything share one block."""
    return sum(len(b.features) > 1 for b in blocks(W, cosine)) == 1


def largest_block(W: np.ndarray) -> int:
    """Features in the largest block.

    >>> largest_block(np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 2.0]]))
    2
    """
    return max((len(b.features) for b in blocks(W, COSINE)), default=0)


def cells_at_half(found: xr.Dataset) -> np.ndarray:
    """Embeddings of the cells in which feature 1 is close to one half."""
    return cells_where(found, stuck(first_capacity(found)))


def share_of_pairs(found: xr.Dataset) -> float:
    """Of the cells close to one half, the share in which feature 1 is in a pair."""
    return share([in_a_pair(W) for W in cells_at_half(found)])


def share_antipodal(found: xr.Dataset) -> float:
    """Of these pairs, the share whose features point in opposite directions."""
    return share([antipodal(W) for W in cells_at_half(found) if in_a_pair(W)])


def share_of_one_block(found: xr.Dataset) -> float:
    """Of the cells in which feature 1 is superposed, the share with a single shared block."""
    shared = cells_where(found, superposed(first_capacity(found)))
    return share([one_shared_block(W) for W in shared])


def neurons_of_shared_features(found: xr.Dataset) -> np.ndarray:
    """How many neurons each superposed feature projects on, in the best neuron basis of its cell.

    Of the cells in which feature 1 is superposed; see
    :func:`feature_capacity.geometry.neuron_bases.fewest_neurons`.
    """
    which = superposed(first_capacity(found))
    W = cells_where(found, which)
    if not len(W):
        return np.empty(0)
    return fewest_neurons(W)[superposed(found.capacity.values[which])]


def optima_drawn(found: xr.Dataset, seed: int) -> xr.Dataset:
    """The diagram of the quadratic computation model with optimal embeddings drawn at random.

    All embeddings with the optimal capacities and lengths lose the same there, and at which of
    them a search ends is chance, down to the last digits of a machine.  Inputs are uniform.
    """
    generator = np.random.default_rng(seed)
    n_dims, n_features = found.W.shape[-2:]
    rows = to_numpy(one_feature_varied(found.importance.values, n_features))
    drawn = np.empty(found.W.shape)
    for r, p in enumerate(found.probability.values):
        for c, v in enumerate(rows):
            best = solve_allocation(v, n_dims, SparseUniform(float(p)).kurtosis)
            drawn[r, c] = optimal_embedding(best, generator)
    return found.assign(W=(found.W.dims, drawn))


def spread_over_neurons(found: xr.Dataset, least: float = 1.1) -> np.ndarray:
    """Whether most superposed features of a cell need several neurons, in its best neuron basis.

    One entry for each cell in which feature 1 is superposed.  A basis can always put one vector on
    the axis of a neuron, so that "all" would ask too much of any embedding.
    """
    which = superposed(first_capacity(found))
    W, shared = cells_where(found, which), superposed(found.capacity.values[which])
    if not len(W):
        return np.empty(0, dtype=bool)
    several = (fewest_neurons(W) >= least) & shared
    return several.sum(axis=1) > shared.sum(axis=1) / 2


def share_over_neurons(found: xr.Dataset) -> float:
    """Share of the cells of `spread_over_neurons` that need several neurons."""
    return share(spread_over_neurons(found))


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of two maps over the cells that both have; NaN where one is constant."""
    both = np.isfinite(one) & np.isfinite(other)
    x, y = one[both], other[both]
    if x.size < 2 or not np.ptp(x) or not np.ptp(y):
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def on_grid_of(found: xr.Dataset, other: xr.Dataset) -> np.ndarray:
    """Capacities of feature 1 of one diagram, interpolated at the cells of another."""
    at = {"importance": other.importance.values, "probability": other.probability.values}
    return found.capacity.sel(feature=0).interp(at).values
