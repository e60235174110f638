"""Numerical minimization of expected losses over embedding matrices, many models at once.

:func:`minimize` takes a toy model, a distribution of inputs and a row of importances, and returns
the best local minimum of the noise-free expected loss in every cell.  :func:`minimize_quadratic` is
the special case whose expected loss is exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from .._arrays import require, require_importance, require_whole
from ..models.device import pick_device
from ..models.inputs import SparseInput
from ..models.quadrature import Quadrature, sparse_quadrature
from ..models.toy_models import ToyModel
from ..theory.capacity import capacities
from .gauss_newton import (
    QuadratureTensors,
    best_bias,
    linearize,
    linearize_overlap,
    quadrature_tensors,
)
from .levenberg_marquardt import Linearization, levenberg_marquardt
from .newton import minimize_quadratic
from .result import ConvergenceError, MinimizationResult

__all__ = [
    "ConvergenceError",
    "MinimizationResult",
    "coarse_to_fine",
    "minimize",
    "minimize_quadratic",
    "pick_device",
    "random_starts",
]

# A chunk of models whose elementwise arrays stay in cache is faster than one big batch.
_CHUNK_NUMBERS = 600_000

# Models minimized together; their Gauss-Newton matrices are what memory goes into.
_MOST_MODELS = 16_384

# Losses on coarse nodes are off by a percent or so: starts this near to the best go on.
_PROMISING = 1.05
# Starts whose losses differ by less than this fraction are in the same minimum, or in a copy.
_SAME_MINIMUM = 3e-4


def random_starts(model: ToyModel, n_cells: int, n_starts: int, seed: Any) -> np.ndarray:
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


def coarse_to_fine(
    inputs: SparseInput, n_features: int, n_points: int = 4096, seed: int = 0
) -> tuple[Quadrature, Quadrature]:
    """Two sets of expectation nodes: an eighth of the points to find the way, then all of them.

    Random starts spend most of their steps far from any minimum, where a rough loss serves as well
    as a good one; a few steps on the fine nodes then end in the minimum of the fine loss.

    >>> from feature_capacity import SparseUniform
    >>> [len(nodes.weight) for nodes in coarse_to_fine(SparseUniform(0.2), n_features=3)]
    [201, 1505]
    """
    coarse = sparse_quadrature(inputs, n_features, max(64, n_points // 8), seed)
    return coarse, sparse_quadrature(inputs, n_features, n_points, seed)


def minimize(
    model: ToyModel,
    inputs: SparseInput,
    importance: Any,
    n_starts: int = 4,
    seed: Any = 0,
    starts: np.ndarray | None = None,
    nodes: Quadrature | Sequence[Quadrature] | None = None,
    max_iterations: int = 60,
    tolerance: float = 1e-4,
    dtype: str = "float32",
    device: str = "auto",
    progress: bool = False,
    strict: bool = False,
    overlap_penalty: Any = 0.0,
) -> MinimizationResult:
    """Minimize a toy model's expected loss for a row of cells that share their inputs.

    Batched Levenberg-Marquardt on by-mask expectation nodes; nothing is sampled anew between
    steps, so the objective is smooth and the same at every evaluation.

    Parameters
    ----------
    model : ToyModel
    inputs : SparseInput
        Distribution of every feature.
    importance : array, shape (n_cells, n_features)
    n_starts : int
        Random starts in each cell.
    seed : int or sequence of int
        For :func:`random_starts`, and for the nodes.
    starts : array (n_cells, n_starts, n_params), optional
        Parameters to start from instead, for example those of neighboring cells.
    nodes : Quadrature or sequence of Quadrature, optional
        Where the loss is evaluated.  Of several, from coarse to fine, each takes over where the
        one before has settled: with one start of each minimum within 5 % of the cell's lowest.
        Default: :func:`coarse_to_fine`.
    max_iterations, tolerance
        Steps allowed on each set of nodes, and the relative fall of the loss at which a model
        counts as settled; see :mod:`feature_capacity.solvers.levenberg_marquardt`.
    dtype : {"float32", "float64"}
        Precision of the iterations.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``mps``.
    progress : bool
        Show a bar of the starts that have settled; each set of nodes adds its own to the total.
    strict : bool
        Raise :class:`ConvergenceError` when the best start of a cell has not settled.
    overlap_penalty : float or array (n_cells,)
        At least 0: what is minimized, and returned as the loss, is the expected loss plus this
        times the sum over all i and j, i other than j, of the squared product of w_i and w_j.

    Returns
    -------
    MinimizationResult

    Examples
    --------
    An antipodal pair and a feature of its own, in two dimensions:

    >>> from feature_capacity import UnitSparseUniform
    >>> found = minimize(ToyModel("autoencoder", "relu", 3, 2), UnitSparseUniform(0.1),
    ...                  [[1.0, 0.9, 0.8]], n_starts=8)
    >>> sorted(found.capacity[0].round(1).tolist())
    [0.5, 0.5, 1.0]

    Where overlap is penalized enough, the least important feature is dropped instead:

    >>> found = minimize(ToyModel("autoencoder", "relu", 3, 2), UnitSparseUniform(0.1),
    ...                  [[1.0, 0.9, 0.8]], n_starts=8, overlap_penalty=0.1)
    >>> found.capacity[0].round(1).tolist()
    [1.0, 1.0, 0.0]
    """
    v = np.asarray(importance, dtype=np.float64)
    require_importance(np, v)
    require(
        v.ndim == 2 and v.shape[1] == model.n_features,
        f"importance must have shape (n_cells, {model.n_features}); got {v.shape}",
    )
    require_whole(n_starts, "n_starts", 1, None, "a whole number, at least 1")
    require_whole(max_iterations, "max_iterations", 1, None, "a whole number, at least 1")
    require(0 < tolerance < 1, f"tolerance must be in (0, 1); got {tolerance!r}")
    require(dtype in ("float32", "float64"), f"dtype must be float32 or float64; got {dtype!r}")
    penalty = _penalties(overlap_penalty, len(v))
    if starts is None:
        starts = random_starts(model, len(v), n_starts, seed)
    n_cells, n_starts, n_params = starts.shape
    where, precision = pick_device(device), getattr(torch, dtype)
    if nodes is None:
        nodes = coarse_to_fine(inputs, model.n_features, seed=int(np.atleast_1d(seed)[0]))
    stages = [nodes] if isinstance(nodes, Quadrature) else list(nodes)
    require(len(stages) > 0, "nodes must be at least one set of nodes; got none")

    together = max(1, _MOST_MODELS // n_starts)
    if n_cells > together:
        parts = [
            minimize(
                model, inputs, v[a : a + together], starts=starts[a : a + together], nodes=stages,
                max_iterations=max_iterations, tolerance=tolerance, dtype=dtype, device=device,
                progress=progress, strict=strict,
                overlap_penalty=0.0 if penalty is None else penalty[a : a + together],
            )
            for a in range(0, n_cells, together)
        ]  # fmt: skip
        return MinimizationResult(
            **{
                name: np.concatenate([vars(part)[name] for part in parts])
                for name in vars(parts[0])
            }
        )

    per_model = torch.from_numpy(v.repeat(n_starts, axis=0)).to(where, precision)
    if penalty is not None:
        penalty = torch.from_numpy(penalty.repeat(n_starts)).to(where, precision)
    parameters = torch.from_numpy(starts.reshape(-1, n_params)).to(where, precision, copy=True)
    loss = torch.zeros(len(parameters), device=where, dtype=precision)
    norm = torch.zeros_like(loss)
    iterations = torch.zeros(len(parameters), device=where, dtype=torch.long)
    converged = torch.zeros_like(iterations, dtype=torch.bool)
    state = (parameters, loss, norm, iterations, converged)
    everywhere = torch.arange(len(parameters), device=where)
    bar = tqdm(total=0, disable=not progress, desc="minimizing", unit="start")
    for number, stage in enumerate(stages):
        shared = quadrature_tensors(stage, precision, where)
        evaluate = _in_chunks(model, per_model, shared, penalty)
        if not number:
            _improve(evaluate, state, everywhere, max_iterations, tolerance, bar)
            continue
        leader, in_the_run = _leaders(loss.view(n_cells, n_starts))
        going = torch.unique(leader[in_the_run])
        _improve(evaluate, state, going, max_iterations, tolerance, bar)
        for values in state:
            values[in_the_run] = values[leader[in_the_run]]
        # The others get their loss on these nodes; those left out wrongly go on after all.
        rest = everywhere[~in_the_run]
        if len(rest):
            loss[rest] = evaluate(parameters[rest], rest)[0]
            lowest = torch.where(in_the_run, loss, torch.inf).view(n_cells, n_starts).amin(dim=1)
            late = rest[loss[rest] < lowest[rest // n_starts]]
            _improve(evaluate, state, late, max_iterations, tolerance, bar)
    bar.close()
    loss = loss.view(n_cells, n_starts)
    best = loss.argmin(dim=1)
    pick = torch.arange(n_cells, device=where) * n_starts + best
    bias = best_bias(model, parameters[pick], per_model[pick], shared)
    if strict and not converged[pick].all():
        raise ConvergenceError(
            f"{int((~converged[pick]).sum())} of {n_cells} cells had not settled after "
            f"{max_iterations} steps; raise max_iterations or tolerance"
        )
    size = model.n_dims * model.n_features
    W = parameters[pick, :size].view(n_cells, model.n_dims, model.n_features).double().cpu().numpy()
    lowest = loss.gather(1, best[:, None])
    near = loss <= 1.01 * lowest
    return MinimizationResult(
        W=W,
        bias=bias.double().cpu().numpy(),
        loss=lowest[:, 0].double().cpu().numpy(),
        capacity=capacities(W),
        best_start=best.cpu().numpy(),
        n_near_best=near.sum(dim=1).cpu().numpy(),
        iterations=iterations[pick].cpu().numpy(),
        gradient_norm=norm[pick].double().cpu().numpy(),
        converged=converged[pick].cpu().numpy(),
        loss_of_starts=loss.double().cpu().numpy(),
        all_masks=np.full(n_cells, stages[-1].all_masks),
        dropped=np.full(n_cells, stages[-1].dropped),
    )


def _improve(
    evaluate: Linearization,
    state: tuple[Any, ...],
    going: Any,
    max_iterations: int,
    tolerance: float,
    bar: tqdm,
) -> None:
    """Minimize the models of the index ``going``, in place."""
    if not len(going):
        return
    parameters, loss, norm, iterations, converged = state
    bar.total += len(going)

    def of_those(values: Any, index: Any) -> tuple[Any, Any, Any]:
        return evaluate(values, going[index])

    start = parameters[going]
    found = levenberg_marquardt(of_those, start, max_iterations, tolerance, bar.update)
    parameters[going], loss[going], norm[going] = found[:3]
    iterations[going] += found[3]
    converged[going] = found[4]


def _leaders(loss: Any) -> tuple[Any, Any]:
    """Which start stands for each start, and which are worth going on with.

    Takes losses (n_cells, n_starts).  In each cell, starts are in one group if their losses tie in
    turn; the lowest of a group stands for it.  Both results are flat, one entry for each start.
    """
    n_cells, n_starts = loss.shape
    ordered, order = loss.sort(dim=1)
    own_group = torch.ones_like(order, dtype=torch.bool)
    own_group[:, 1:] = ~(ordered[:, 1:] <= (1 + _SAME_MINIMUM) * ordered[:, :-1])
    place = torch.where(own_group, torch.arange(n_starts, device=loss.device), 0)
    first = place.cummax(dim=1).values
    good = ordered.gather(1, first) <= _PROMISING * ordered[:, :1]
    good[:, 0] = True  # also where no loss is a number
    leader, in_the_run = torch.empty_like(order), torch.empty_like(good)
    leader.scatter_(1, order, order.gather(1, first))
    in_the_run.scatter_(1, order, good)
    offset = n_starts * torch.arange(n_cells, device=loss.device)[:, None]
    return (leader + offset).reshape(-1), in_the_run.reshape(-1)


def _penalties(given: Any, n_cells: int) -> np.ndarray | None:
    """One factor for each cell; None where all are 0."""
    penalty = np.asarray(given, dtype=np.float64)
    require(
        penalty.shape in ((), (n_cells,)) and np.isfinite(penalty).all() and (penalty >= 0).all(),
        f"overlap_penalty must be a finite number, at least 0, or one for each of {n_cells} cells; "
        f"got {given!r:.60}",
    )
    return np.broadcast_to(penalty, n_cells) if penalty.any() else None


def _in_chunks(
    model: ToyModel, per_model: Any, shared: QuadratureTensors, penalty: Any
) -> Linearization:
    """:func:`linearize` for the models of an index, a cache-sized chunk of them at a time."""
    rows = model.n_features if model.kind == "autoencoder" else 2 * model.n_dims
    step = max(1, _CHUNK_NUMBERS // (len(shared.weight) * rows))
    if shared.weight.device.type != "cpu":
        step = len(per_model)

    def evaluate(parameters: Any, index: Any) -> tuple[Any, Any, Any]:
        chunks = [
            linearize(model, parameters[a : a + step], per_model[index[a : a + step]], shared)
            for a in range(0, len(parameters), step)
        ]
        return tuple(torch.cat(part) for part in zip(*chunks, strict=True))

    def with_penalty(parameters: Any, index: Any) -> tuple[Any, Any, Any]:
        of_loss, of_overlap = evaluate(parameters, index), linearize_overlap(model, parameters)
        return tuple(
            a + penalty[index].view(-1, *[1] * (a.ndim - 1)) * b
            for a, b in zip(of_loss, of_overlap, strict=True)
        )

    return evaluate if penalty is None else with_penalty
