"""Minima along a line of importance, with feature 1 tried in every place of the embedding.

At equal importances all places are as good.  Around them the best minimum has feature 1 in another
place on either side, and a search that follows one minimum misses the jump or has it too late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch

from .._arrays import ArrayLike, float64, require, to_numpy
from ..models.activations import with_slope
from ..models.inputs import SparseInput
from ..models.quadrature import Quadrature, sparse_quadrature
from ..models.symmetric_nodes import listed_opposites, reflected_nodes
from ..models.toy_models import ToyModel
from ..theory.capacity import capacities
from ..theory.phases import one_feature_varied
from .minimization import minimize
from .result import MinimizationResult

_ALIKE = 1e-4  # parts of a loss by which minima differ
_KEPT, _WITHIN = 3, 0.005  # minima of a cell that go on, and how far above the lowest
_MORE = 3  # so many times more networks are tried on few nodes


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


def loss_along(
    model: ToyModel, W: ArrayLike, importance: ArrayLike, nodes: Quadrature
) -> np.ndarray:
    """Losses of fixed networks of the computation model along a line of importance.

    With its best bias a network's loss is a parabola in the importance of feature 1, so that three
    moments of each give its loss everywhere.

    Parameters
    ----------
    model : ToyModel
    W : array (n_networks, n_dims, n_features)
    importance : array (n_cells,)
        Of feature 1; all others have 1.
    nodes : Quadrature

    Returns
    -------
    array (n_cells, n_networks)

    Examples
    --------
    One square that knows feature 1 only leaves that of the other:

    >>> from feature_capacity import SparseUniform
    >>> model = ToyModel("computation", "quadratic", 2, 1)
    >>> rule = sparse_quadrature(SparseUniform(1.0), 2)
    >>> loss_along(model, [[[1.0, 0.0]]], [1.0, 2.0], rule).round(3)
    array([[0.8],
           [1.6]])
    """
    nodes = listed_opposites(nodes)
    x, weight = torch.from_numpy(nodes.x), torch.from_numpy(nodes.weight)
    f = with_slope(model.activation)
    target = f(x)[0]
    first = target[:, 0] - weight @ target[:, 0]
    rest = target[:, 1:].sum(dim=1)
    moments = []
    for part in torch.from_numpy(float64(W, "W")).split(32):
        off = f(part @ x.T)[0].sum(dim=1) - rest
        off = off - (off @ weight)[:, None]
        moments.append(torch.stack([(off * off) @ weight, (off * first) @ weight]))
    constant, slope = to_numpy(torch.cat(moments, dim=1))
    V = float64(importance, "importance")[:, None]
    return constant - 2 * V * slope + V**2 * float(weight @ first**2)


def distinct_minima(
    model: ToyModel,
    inputs: SparseInput,
    importance: ArrayLike,
    starts: np.ndarray,
    nodes: Quadrature,
    n_kept: int = 12,
    within: float = 0.02,
    device: str = "auto",
) -> list[np.ndarray]:
    """The lowest minima of each cell that differ in loss; few nodes do not know which is best.

    Parameters
    ----------
    model : ToyModel
    inputs : SparseInput
    importance : array (n_cells, n_features)
    starts : array (n_cells, n_starts, n_params)
    nodes : Quadrature
    n_kept : int
        Minima of a cell at most.
    within : float
        Part by which their losses may lie above the lowest one of the cell.
    device : str

    Returns
    -------
    list of arrays (n_networks, n_dims, n_features)
        For each cell, from the lowest up.

    Examples
    --------
    Two dense features and one square: it takes one of them, or the other.

    >>> from feature_capacity import SparseUniform
    >>> inputs, model = SparseUniform(1.0), ToyModel("computation", "quadratic", 2, 1)
    >>> starts = np.array([[[1.0, 0.1], [0.1, 1.0], [0.9, 0.2]]])
    >>> [W] = distinct_minima(model, inputs, [[1.1, 1.0]], starts, sparse_quadrature(inputs, 2),
    ...                       within=0.5)
    >>> (W**2).round(2) + 0.0
    array([[[1.1, 0. ]],
    <BLANKLINE>
           [[0. , 1. ]]])
    """
    n_cells, n_starts, n_params = starts.shape
    rows = np.repeat(float64(importance, "importance"), n_starts, axis=0)
    alone = starts.reshape(n_cells * n_starts, 1, n_params)
    found = minimize(model, inputs, rows, starts=alone, quadrature=nodes, device=device)
    losses, networks = found.loss.reshape(n_cells, -1), found.W.reshape(n_cells, n_starts, -1)
    kept = []
    for loss, each in zip(losses, networks, strict=True):
        order = loss.argsort()
        new = np.diff(loss[order], prepend=-np.inf) > _ALIKE * loss.min()
        low = loss[order] <= (1 + within) * loss.min()
        some = each[order[new & low][:n_kept]]
        kept.append(some.reshape(-1, model.n_dims, model.n_features))
    return kept


def _different(loss: np.ndarray, number: int) -> np.ndarray:
    """Indices of the least losses that differ by a part; of equal ones too if there are no more."""
    order = loss.argsort()
    new = np.diff(loss[order], prepend=-np.inf) > _ALIKE * loss.min()
    return np.concatenate([order[new], order[~new]])[:number]


def _padded(networks: np.ndarray) -> np.ndarray:
    """As many networks as every cell keeps; the first ones stand in for what is missing."""
    return np.resize(networks, (_KEPT, *networks.shape[1:]))


def minima_along(
    model: ToyModel,
    inputs: SparseInput,
    importance: ArrayLike,
    W: ArrayLike,
    nodes: Sequence[Quadrature],
    n_rounds: int = 2,
    n_best: int = 5,
    device: str = "auto",
) -> MinimizationResult:
    """The lowest minima along a line of importance, from networks that are known.

    Every network that is known is tried in every cell, with feature 1 in every place; the best few
    of them are minimized there, round by round.  All rounds but the last see the first nodes only,
    and leave several minima that are nearly as low; the last chooses on the last nodes.

    Parameters
    ----------
    model : ToyModel
        The computation model, whose bias needs no start.
    inputs : SparseInput
    importance : array (n_cells,)
        Of feature 1; all others have 1.
    W : array (n_networks, n_dims, n_features)
    nodes : sequence of Quadrature
        From few to many, in every cyclic order; see
        :mod:`feature_capacity.models.symmetric_nodes`.
    n_rounds, n_best : int
        Rounds; and how many networks are minimized in each cell in a round.
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
    require(n_rounds >= 1, f"n_rounds must be at least 1; got {n_rounds!r}")
    v, some = float64(importance, "importance"), float64(W, "W")
    rows = to_numpy(one_feature_varied(v, model.n_features))
    own: list[np.ndarray] = []
    for left in reversed(range(n_rounds)):
        known = in_every_place(some).reshape(-1, *some.shape[1:])
        loss = loss_along(model, known, v, nodes[0 if left else -1])
        chosen = [_different(each, n_best * (_MORE if left else 1)) for each in loss]
        starts = known[np.array(chosen)]
        if own:  # as low as the best by what few nodes can tell, and yet not among the best of all
            starts = np.concatenate([starts, np.array([_padded(each) for each in own])], axis=1)
        starts = starts.reshape(*starts.shape[:2], -1)
        if left:
            own = distinct_minima(
                model, inputs, rows, starts, nodes[0], _KEPT, _WITHIN, device=device
            )
            some = np.concatenate(own)
    found = minimize(
        model, inputs, rows, starts=starts, quadrature=list(nodes), device=device,
        max_iterations=100, tolerance=1e-6,
    )  # fmt: skip
    some = found.W
    # What is left is to choose among the minima by one loss, without another step.
    known = in_every_place(some).reshape(-1, *some.shape[1:])
    loss = loss_along(model, known, v, nodes[-1])
    best = loss.argmin(axis=1)
    capacity = to_numpy(capacities(known[best]))
    return replace(found, W=known[best], capacity=capacity, loss=loss.min(axis=1))


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
