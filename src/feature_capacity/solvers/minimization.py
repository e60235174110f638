"""Numerical minimization of expected losses over embedding matrices, many models at once.

:func:`minimize` takes a toy model, a distribution of inputs and a row of importances, and returns
the best local minimum of the noise-free expected loss in every cell.
:func:`feature_capacity.minimize_quadratic` is for the model whose expected loss is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from .._arrays import ArrayLike, require, require_whole, shown, to_numpy
from ..models.activations import linear_and_even
from ..models.device import pick_device
from ..models.inputs import SparseInput
from ..models.quadrature import Quadrature, sparse_quadrature
from ..models.toy_models import ToyModel
from .batch import Linearization, Minima, Objective, Rows, Rule
from .gauss_newton import linearize, linearize_overlap, overlap
from .losses_on_nodes import best_bias, losses
from .nodes import QuadratureTensors, embeddings_of, quadrature_tensors
from .result import MinimizationResult, join, of_winners, require_converged
from .stages import Effort, minimize_in_stages
from .starts import random_starts
from .sums import sums_for

# Models minimized together; their Gauss-Newton matrices are what memory goes into.
_MOST_MODELS = 16_384

# Losses of this size are minimized as they are; others in a unit of their own, since damping has a
# floor, and since float32 holds neither their gradients nor the products of them.
_ORDINARY = (2.0**-16, 2.0**24)


def coarse_to_fine(
    inputs: SparseInput,
    n_features: int,
    n_points: int = 4096,
    seed: int = 0,
    mirrored: bool = False,
) -> tuple[Quadrature, Quadrature]:
    """Two quadratures: an eighth of the points to find the way, then all of them.

    Random starts spend most of their steps far from any minimum, where a rough loss serves as well
    as a good one; a few steps on the fine nodes then end in the minimum of the fine loss.

    >>> from feature_capacity import SparseUniform
    >>> [len(each.weight) for each in coarse_to_fine(SparseUniform(0.2), n_features=3)]
    [225, 1841]
    """
    coarse = sparse_quadrature(inputs, n_features, max(64, n_points // 8), seed, mirrored=mirrored)
    return coarse, sparse_quadrature(inputs, n_features, n_points, seed, mirrored=mirrored)


def can_mirror(model: ToyModel, inputs: SparseInput) -> bool:
    """Whether an input and its opposite, equally likely, can share a node.

    >>> from feature_capacity import SparseUniform
    >>> can_mirror(ToyModel("computation", "relu"), SparseUniform(0.1))
    True
    >>> can_mirror(ToyModel("autoencoder", "relu"), SparseUniform(0.1))
    False
    """
    symmetric = inputs.moment(1) == inputs.moment(3) == 0
    return model.kind == "computation" and symmetric and bool(linear_and_even(model.activation))


def minimize(
    model: ToyModel,
    inputs: SparseInput,
    importance: ArrayLike,
    n_starts: int = 4,
    seed: int | Sequence[int] = 0,
    starts: np.ndarray | None = None,
    quadrature: Quadrature | Sequence[Quadrature] | None = None,
    rough: Quadrature | None = None,
    max_iterations: int = 60,
    tolerance: float = 1e-4,
    dtype: str = "float32",
    device: str = "auto",
    progress: bool = False,
    strict: bool = False,
    overlap_penalty: ArrayLike = 0.0,
    promising: float = 1.05,
) -> MinimizationResult:
    """Minimize a toy model's expected loss for a row of cells that share their inputs.

    Batched Levenberg-Marquardt on a by-mask quadrature; nothing is sampled anew between steps,
    so the objective is smooth and the same at every evaluation.

    Parameters
    ----------
    model : ToyModel
    inputs : SparseInput
        Distribution of every feature.
    importance : array, shape (n_cells, n_features)
    n_starts : int
        Random starts in each cell.
    seed : int or sequence of int
        For :func:`random_starts`, and for the quadratures.
    starts : array (n_cells, n_starts, n_params), optional
        Parameters to start from instead, for example those of neighboring cells.
    quadrature : Quadrature or sequence of Quadrature, optional
        Where the loss is evaluated.  Of several, from coarse to fine, each takes over where the
        one before has settled: with one start of each minimum that is ``promising``.
        Default: :func:`coarse_to_fine`.
    rough : Quadrature, optional
        Where the Gauss-Newton matrix of the first quadrature is evaluated, which only says how long
        steps are; that of each later one is evaluated on the one before.
        Default: the first quadrature itself.
    max_iterations, tolerance
        Steps allowed on each quadrature, and the relative fall of the loss at which a model
        counts as settled; see :mod:`feature_capacity.solvers.levenberg_marquardt`.
    dtype : {"float32", "float64"}
        Precision of the iterations.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``mps``.
    progress : bool
        Show a bar of the starts that have settled; each quadrature adds its own to the total.
    strict : bool
        Raise :class:`.ConvergenceError` when the best start of a cell has not settled.
    overlap_penalty : float or array (n_cells,)
        At least 0: what is minimized, and returned as the loss, is the expected loss plus this
        times the sum over all i and j, i other than j, of the squared product of w_i and w_j.
    promising : float
        At least 1: a minimum on coarse nodes is worth going on with if its loss is at most so many
        times the lowest of its cell, since losses there are off by some percent.

    Returns
    -------
    MinimizationResult

    Raises
    ------
    ValueError
        For settings that are none, for importances or probabilities that ``dtype`` cannot hold,
        and where no two features are active together on the nodes.
    ConvergenceError
        With ``strict``.  Otherwise ``converged`` is False where a number is not finite.

    Examples
    --------
    An antipodal pair and a feature of its own, in two dimensions:

    >>> from feature_capacity import UnitSparseUniform
    >>> result = minimize(ToyModel("autoencoder", "relu", 3, 2), UnitSparseUniform(0.1),
    ...                   [[1.0, 0.9, 0.8]], n_starts=8)
    >>> sorted(result.capacity[0].round(1).tolist())
    [0.5, 0.5, 1.0]

    Where overlap is penalized enough, the least important feature is dropped instead:

    >>> result = minimize(ToyModel("autoencoder", "relu", 3, 2), UnitSparseUniform(0.1),
    ...                   [[1.0, 0.9, 0.8]], n_starts=8, overlap_penalty=0.1)
    >>> result.capacity[0].round(1).tolist()
    [1.0, 1.0, 0.0]
    """
    require(
        isinstance(model, ToyModel),
        f"model must be a ToyModel, for example ToyModel('autoencoder'); got {shown(model)}",
    )
    require(
        isinstance(inputs, SparseInput),
        f"inputs must be a distribution, for example UnitSparseUniform(0.1); got {shown(inputs)}",
    )
    v = model.importance_rows(importance, "n_cells")
    require_whole(n_starts, "n_starts", 1, None, "a whole number, at least 1")
    require_whole(max_iterations, "max_iterations", 1, None, "a whole number, at least 1")
    require(0 < tolerance < 1, f"tolerance must be in (0, 1); got {tolerance!r}")
    require(dtype in ("float32", "float64"), f"dtype must be float32 or float64; got {dtype!r}")
    require(promising >= 1, f"promising must be at least 1; got {promising!r}")
    penalty = _penalties(overlap_penalty, len(v))
    if starts is None:
        starts = random_starts(model, len(v), n_starts, seed)
    starts = _checked_starts(starts, model, len(v))
    n_cells, n_starts, n_params = starts.shape
    unit = _units(np.maximum(v.max(axis=1), penalty), inputs, dtype)
    v, penalty = v / unit[:, None], penalty / unit
    where, precision = pick_device(device), getattr(torch, dtype)
    if quadrature is None:
        seed = int(np.atleast_1d(seed)[0])
        mirrored = can_mirror(model, inputs)
        quadrature = coarse_to_fine(inputs, model.n_features, seed=seed, mirrored=mirrored)
        _require_company(quadrature[-1].x, inputs)
    stages = [quadrature] if isinstance(quadrature, Quadrature) else list(quadrature)
    require(len(stages) > 0, "quadrature must be at least one; got none")

    rows = starts.reshape(-1, n_params), v.repeat(n_starts, axis=0), penalty.repeat(n_starts)
    models = _Models(*(torch.from_numpy(x).to(where, precision) for x in rows))
    rougher = [rough or stages[0], *stages[:-1]]
    tensors = {id(each): quadrature_tensors(each, precision, where) for each in stages + rougher}
    objectives = [(tensors[id(a)], tensors[id(b)]) for a, b in zip(stages, rougher, strict=True)]
    together = n_starts * max(1, _MOST_MODELS // n_starts)
    with tqdm(total=0, disable=not progress, desc="minimizing", unit="start") as bar:
        effort = Effort(max_iterations, tolerance, promising, bar)
        parts = [
            _best_of_each_cell(model, models[a : a + together], objectives, n_starts, effort)
            for a in range(0, n_cells * n_starts, together)
        ]
    result = join(parts, (n_cells,))
    result = replace(
        result,
        loss=result.loss * unit,
        gradient_norm=result.gradient_norm * unit,
        loss_of_starts=result.loss_of_starts * unit[:, None],
        all_masks=np.full(n_cells, stages[-1].all_masks),
        dropped=np.full(n_cells, stages[-1].dropped),
    )
    if strict:
        require_converged(result, tolerance, max_iterations)
    return result


@dataclass(frozen=True)
class _Models(Rows):
    """What is minimized: a row for each start of each cell."""

    start: Tensor  # (models, n_params)
    importance: Tensor  # (models, n_features)
    penalty: Tensor  # (models,)


def _best_of_each_cell(
    model: ToyModel,
    models: _Models,
    stages: Sequence[tuple[QuadratureTensors, QuadratureTensors]],
    n_starts: int,
    effort: Effort,
) -> MinimizationResult:
    """The lowest minimum of each cell, from its ``n_starts`` models in a row.

    A stage has nodes for the loss, and for the Gauss-Newton matrix.
    """
    objectives = [_in_chunks(model, models, stage, rough) for stage, rough in stages]
    minima = minimize_in_stages(objectives, models.start, n_starts, effort)
    winner = minima.best_of(n_starts)
    parameters = minima.parameters[winner]
    bias = best_bias(model, parameters, models.importance[winner], stages[-1][0])
    W = to_numpy(embeddings_of(model, parameters))
    return of_winners(minima, winner, W, to_numpy(bias))


def _in_chunks(
    model: ToyModel, models: _Models, quadrature: QuadratureTensors, rough: QuadratureTensors
) -> Objective:
    """The loss of the models of an index, a chunk of them at a time."""
    sums = sums_for(model, quadrature)
    step = sums.models_at_a_time(model, quadrature)
    penalized = bool(models.penalty.any())

    def chunks(parameters: Tensor, index: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        for some, which in zip(parameters.split(step), index.split(step), strict=True):
            yield some, models.importance[which]

    def of(parameters: Tensor, index: Tensor) -> Linearization:
        expected = Linearization.concatenate(
            linearize(model, some, v, quadrature, rough) for some, v in chunks(parameters, index)
        )
        if not penalized:
            return expected
        return expected.plus(linearize_overlap(model, parameters), models.penalty[index])

    def loss(parameters: Tensor, index: Tensor) -> Tensor:
        expected = torch.cat(
            [losses(model, some, v, quadrature) for some, v in chunks(parameters, index)]
        )
        return expected + models.penalty[index] * overlap(model, parameters)

    def descend(
        parameters: Tensor,
        index: Tensor,
        cell: Tensor,
        rule: Rule,
        report: Callable[[int], object],
    ) -> Minima:
        nodes = quadrature, rough
        return sums.descended(
            model, parameters, models.importance[index], cell, nodes, rule, report
        )

    alike = rough.mirrored == quadrature.mirrored  # one part of the activation serves both
    at_once = hasattr(sums, "descended") and alike and not penalized
    return Objective(of, loss, descend if at_once else None)


def _penalties(given: ArrayLike, n_cells: int) -> np.ndarray:
    """One factor for each cell."""
    penalty = np.asarray(given, dtype=np.float64)
    require(
        penalty.shape in ((), (n_cells,)) and np.isfinite(penalty).all() and (penalty >= 0).all(),
        f"overlap_penalty must be a finite number, at least 0, or one for each of {n_cells} cells; "
        f"got {given!r:.60}",
    )
    return np.broadcast_to(penalty, n_cells)


def _checked_starts(starts: np.ndarray, model: ToyModel, n_cells: int) -> np.ndarray:
    """Starts as an array of floats, one row of parameters for each start of each cell."""
    given = np.asarray(starts)
    n_params = model.n_dims * model.n_features + model.n_bias
    require(
        given.ndim == 3
        and (given.shape[0], given.shape[2]) == (n_cells, n_params)
        and given.shape[1] > 0
        and given.dtype.kind in "iuf"
        and np.isfinite(given).all(),
        f"starts must be finite numbers of shape (n_cells, n_starts, n_params), here "
        f"({n_cells}, any, {n_params}); got {given.dtype} of shape {given.shape}",
    )
    return given.astype(np.float64)


def _require_company(x: np.ndarray, inputs: SparseInput) -> None:
    """Refuse nodes on which features never meet: any way of sharing would cost nothing.

    Whoever gives nodes may mean just that, for features that exclude each other.
    """
    require(
        x.shape[1] == 1 or bool(((x != 0).sum(axis=1) > 1).any()),
        f"no two features are active together on the nodes, at probability {inputs.p:g}, so that "
        "interference costs nothing: raise the probability to 1e-6 or more, where the limit of "
        "sparse inputs is reached, or give a quadrature with nodes where they are",
    )


def _units(weight: np.ndarray, inputs: SparseInput, dtype: str) -> np.ndarray:
    """What the losses of each cell are measured in: 1 if they are of ordinary size."""
    least = float(np.finfo(dtype).tiny)
    require(
        inputs.p >= least,
        f"the probability must be at least {least:.2g} in {dtype}; got {inputs.p!r}: raise it"
        + (", or take dtype float64" if dtype == "float32" else ""),
    )
    size = weight * inputs.moment(2)
    require(
        np.isfinite(size).all(),
        f"importance and overlap_penalty are too large, up to {weight.max():g}: scale them down",
    )
    low, high = _ORDINARY
    ordinary = (size == 0) | ((size >= low) & (size <= high))
    # A power of two, so that dividing by it rounds nothing.
    exponent = np.floor(np.log2(np.where(ordinary, 1.0, size)))
    return np.exp2(exponent.clip(-1000, 1000))
