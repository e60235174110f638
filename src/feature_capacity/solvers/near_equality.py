"""Minima along a line of importance, with feature 1 tried in every place of the embedding.

At equal importances all places are as good.  Around them the best minimum has feature 1 in another
place on either side, and a search that follows one minimum misses the jump or has it too late.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from .._arrays import ArrayLike, float64, require, to_numpy
from ..models.inputs import SparseInput
from ..models.quadrature import Quadrature, sparse_quadrature
from ..models.symmetric_nodes import reflected_nodes
from ..models.toy_models import ToyModel
from ..theory.phases import one_feature_varied
from .minimization import minimize
from .result import MinimizationResult


def in_every_place(W: ArrayLike) -> np.ndarray:
    """The embedding with feature 1 in the place of each other feature, all others being equal.

    Columns are shifted, not exchanged: nodes in every cyclic order have the same loss for all of
    these at equal importances.

    Parameters
    ----------
    W : array (..., n_dims, n_features)

    Returns
    -------
    array (..., n_features, n_dims, n_features)
        The i-th has all columns shifted by i places, so that the first is W itself.

    Examples
    --------
    >>> in_every_place([[1.0, 2.0, 3.0]])[:, 0]
    array([[1., 2., 3.],
           [3., 1., 2.],
           [2., 3., 1.]])
    """
    embedding = float64(W, "W")
    shifted = [np.roll(embedding, i, axis=-1) for i in range(embedding.shape[-1])]
    return np.stack(shifted, axis=-3)


def minima_along(
    model: ToyModel,
    inputs: SparseInput,
    importance: ArrayLike,
    W: ArrayLike,
    nodes: Sequence[Quadrature],
    n_neighbors: int = 0,
    device: str = "auto",
) -> MinimizationResult:
    """The lowest minima along a line of importance, from those known there and nearby.

    Every cell starts from its own embedding and those of some neighbors on both sides, each with
    feature 1 in every place.

    Parameters
    ----------
    model : ToyModel
        The computation model, whose bias needs no start.
    inputs : SparseInput
    importance : array (n_cells,)
        Of feature 1; all others have 1.
    W : array (n_cells, n_dims, n_features)
    nodes : sequence of Quadrature
        From few to many, in every cyclic order; see
        :mod:`feature_capacity.models.symmetric_nodes`.
    n_neighbors : int
        On either side.
    device : str

    Examples
    --------
    From one network that knows feature 1 only, quadratic and dense inputs:

    >>> from feature_capacity import SparseUniform
    >>> from feature_capacity.models.symmetric_nodes import symmetric_nodes
    >>> inputs, model = SparseUniform(1.0), ToyModel("computation", "quadratic", 2, 1)
    >>> nodes = symmetric_nodes(sparse_quadrature(inputs, 2), both_signs=True)
    >>> W = np.tile([[[1.0, 0.1]]], (2, 1, 1))
    >>> minima_along(model, inputs, [0.9, 1.1], W, [nodes]).capacity.round(2) + 0.0
    array([[0., 1.],
           [1., 0.]])
    """
    require(
        model.kind == "computation",
        f"minima_along takes the computation model, whose bias needs no start; got {model.kind}",
    )
    v, known = float64(importance, "importance"), float64(W, "W")
    near = np.arange(len(v))[:, None] + np.arange(-n_neighbors, n_neighbors + 1)
    near = near.clip(0, len(v) - 1)
    starts = in_every_place(known)[near].reshape(len(v), -1, known[0].size)
    rows = one_feature_varied(v, model.n_features)
    return minimize(
        model, inputs, rows, starts=starts, quadrature=list(nodes), max_iterations=100,
        tolerance=1e-6, device=device,
    )  # fmt: skip


def foot(
    model: ToyModel,
    inputs: SparseInput,
    importance: ArrayLike,
    n_starts: int = 8,
    n_points: int = 512,
    seed: int = 0,
    device: str = "auto",
) -> MinimizationResult:
    """What is left of a feature as its importance goes to 0.

    The best network at the largest importance is followed to the others, on nodes in which the
    sign of an input tells nothing about sizes; otherwise their error would look like a foot.

    Parameters
    ----------
    model : ToyModel
        The computation model, with up to six features or so: there are 2^N copies of each node.
    inputs : SparseInput
        Symmetric.
    importance : increasing numbers (n_cells,)
    n_starts, n_points, seed, device
        Of the minimization at the largest importance, and of the nodes before they are copied.

    Examples
    --------
    The square has none:

    >>> from feature_capacity import SparseUniform
    >>> model = ToyModel("computation", "quadratic", 2, 1)
    >>> foot(model, SparseUniform(1.0), [0.1, 0.3]).capacity[:, 0].round(6) + 0.0
    array([0., 0.])
    """
    require(inputs.mean == 0, f"a foot takes symmetric inputs; got {inputs}")
    rows = to_numpy(one_feature_varied(float64(importance, "importance"), model.n_features))
    plain = sparse_quadrature(inputs, model.n_features, n_points, seed)
    nodes = reflected_nodes(plain)
    solve = partial(
        minimize, model, inputs, dtype="float64", max_iterations=300, seed=seed, device=device
    )
    first = solve(rows[-1:], n_starts=n_starts, quadrature=[plain, nodes], tolerance=1e-9)
    starts = np.tile(first.W.reshape(1, 1, -1), (len(rows), 1, 1))
    return solve(rows, starts=starts, quadrature=nodes, tolerance=1e-12)
