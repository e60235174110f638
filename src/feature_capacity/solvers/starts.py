"""Where minimizations start: at random, at arrangements that the theory knows, and by a move.

Parameters are W flattened row by row, then the bias if it is a parameter.  In the computation model
the column of a feature grows with its importance v: as v where the activation has slopes that
settle (ReLU), as the root of v for squares.  In the autoencoder it does not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..models.toy_models import ToyModel

_NOISE = 0.05  # on arrangements, whose symmetry can hold a minimization at a saddle

# How often each move is made: more often what has led to lower minima more often.
_MOVES = {
    "everything anew": 0.3,
    "two change places": 0.1,
    "three change places": 0.1,
    "dropped": 0.1,
    "elsewhere": 0.1,
    "opposite": 0.05,
    "neuron anew": 0.05,
    "weight zero": 0.1,
    "weight of other sign": 0.1,
}


def random_starts(
    model: ToyModel, n_cells: int, n_starts: int, seed: int | Sequence[int]
) -> np.ndarray:
    """Random parameters, shape (n_cells, n_starts, n_params).

    Each cell draws from its own stream ``[*seed, cell]``, so that its starts do not depend on how
    many cells there are.  Entries of W are normal with variance 1 / (2 n_dims), the bias is 0.

    >>> random_starts(ToyModel("autoencoder", "relu"), 2, 4, seed=0).shape
    (2, 4, 24)
    """
    size = model.n_dims * model.n_features
    key = list(np.atleast_1d(seed))
    starts = np.zeros((n_cells, n_starts, size + model.n_bias))
    for cell in range(n_cells):
        draw = np.random.default_rng([*key, cell]).standard_normal((n_starts, size))
        starts[cell, :, :size] = draw / math.sqrt(2 * model.n_dims)
    return starts


def column_scale(model: ToyModel, importance: np.ndarray) -> np.ndarray:
    """How long the column of a feature is, by its importance, in a minimum of the same kind.

    >>> column_scale(ToyModel("computation", "relu"), np.array([4.0, 1.0])).tolist()
    [4.0, 1.0]
    """
    if model.kind == "autoencoder":
        return np.ones_like(importance)
    return importance ** (0.5 if model.activation == "quadratic" else 1.0)


def scaled(model: ToyModel, parameters: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Parameters (..., n_params) with the columns of W times factors (..., n_features)."""
    d, n = model.n_dims, model.n_features
    shape = np.broadcast_shapes(parameters.shape[:-1], factor.shape[:-1])
    result = np.broadcast_to(parameters, (*shape, parameters.shape[-1])).copy()
    W = result[..., : d * n].reshape(*shape, d, n) * factor[..., None, :]
    result[..., : d * n] = W.reshape(*shape, d * n)
    return result


def arrangement(n_features: int, n_dims: int, generator: np.random.Generator) -> np.ndarray:
    """An embedding made of blocks that features in superposition settle into, in random order.

    Dimensions are divided among blocks: a feature alone, an antipodal pair, a polygon or a simplex.
    Features beyond these are ignored.  Shape (n_dims, n_features).

    >>> W = arrangement(4, 2, np.random.default_rng(0))
    >>> lengths = np.linalg.norm(W, axis=0).round(9)
    >>> W.shape, set(lengths.tolist()) <= {0.0, 1.0}
    ((2, 4), True)
    """
    W = np.zeros((n_dims, n_features))
    row = column = 0
    while row < n_dims and column < n_features:
        d_left, n_left = n_dims - row, n_features - column
        d = int(generator.integers(1, d_left + 1))
        size = d + int(generator.integers(2))  # with one more than dimensions, a simplex
        if d == 2 and generator.integers(3) == 0:
            size = int(generator.integers(4, 6))
        if size <= n_left:
            W[row : row + d, column : column + size] = _block(d, size)
            row, column = row + d, column + size
    return W[:, generator.permutation(n_features)]


def arranged_starts(
    model: ToyModel, importance: np.ndarray, n_starts: int, seed: Sequence[int]
) -> np.ndarray:
    """Starts at arrangements, shape (n_cells, n_starts, n_params).

    There are many, and a minimum that one cell finds is tried in all; so each cell has its own.
    Every second one is turned to a random basis, since neurons of the computation model have one.
    """
    d, n = model.n_dims, model.n_features
    scale = column_scale(model, importance)
    starts = np.zeros((len(importance), n_starts, d * n + model.n_bias))
    for cell in range(len(importance)):
        generator = np.random.default_rng([*seed, 1, cell])
        for s in range(n_starts):
            W = arrangement(n, d, generator)
            if s % 2:
                W = np.linalg.qr(generator.standard_normal((d, d)))[0] @ W
            W = (W + _NOISE * generator.standard_normal((d, n))) * scale[cell]
            starts[cell, s, : d * n] = W.reshape(-1)
    return starts


def moved(
    model: ToyModel, parameters: np.ndarray, importance: np.ndarray, seed: Sequence[int]
) -> np.ndarray:
    """A minimum after one random move, from which it is to be minimized again (basin hopping).

    Two or three features change places; a feature is dropped, moved to a random direction or to the
    opposite one; a neuron is drawn anew, or everything; a single weight becomes zero or changes
    sign.

    Parameters
    ----------
    model : ToyModel
    parameters : array (n_params,)
    importance : array (n_features,)
    seed : sequence of int
    """
    d, n = model.n_dims, model.n_features
    generator = np.random.default_rng(seed)
    scale = column_scale(model, importance)
    W = parameters[: d * n].reshape(d, n) / scale
    some, neuron = generator.permutation(n)[:3], generator.integers(d)
    size = max(np.sqrt((W * W).mean()), 1e-3)
    match generator.choice(list(_MOVES), p=list(_MOVES.values())):
        case "two change places":
            W[:, some[:2]] = W[:, some[:2][::-1]]
        case "three change places":
            W[:, some] = W[:, np.roll(some, 1)]
        case "everything anew":
            W = generator.standard_normal((d, n)) / math.sqrt(2 * d)
        case "dropped":
            W[:, some[0]] *= 0.1
        case "elsewhere":
            W[:, some[0]] = size * generator.standard_normal(d)
        case "opposite":
            W[:, some[0]] *= -1
        case "neuron anew":
            W[neuron] = size * generator.standard_normal(n)
        case "weight zero":
            W[neuron, some[0]] = 0
        case "weight of other sign":
            W[neuron, some[0]] *= -1
    start = parameters.copy()
    start[: d * n] = ((W + _NOISE * size * generator.standard_normal((d, n))) * scale).reshape(-1)
    return start


def _block(d: int, size: int) -> np.ndarray:
    """Unit vectors in d dimensions as columns: the axes, a polygon, or a simplex."""
    if size == d:
        return np.eye(d)
    if d == 2:
        angle = 2 * np.pi * np.arange(size) / size
        return np.stack([np.cos(angle), np.sin(angle)])
    corners = np.eye(d + 1) - 1 / (d + 1)
    return np.linalg.svd(corners)[2][:d] @ corners * np.sqrt((d + 1) / d)
