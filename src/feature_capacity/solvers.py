"""Numerical minimization of expected losses over embedding matrices, many models at once.

:func:`minimize` takes a toy model, a distribution of inputs and a row of importances, and returns
the best local minimum of the noise-free expected loss in every cell.  :func:`minimize_quadratic` is
the special case whose expected loss is exact.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from ._arrays import require, require_importance, require_whole
from .capacity import capacities
from .gauss_newton import best_bias, node_tensors, terms
from .inputs import SparseInput
from .levenberg_marquardt import levenberg_marquardt
from .minimum import ConvergenceError, Minimum, pick_device
from .models import ToyModel
from .nodes import Nodes, expectation_nodes
from .quadratic_solver import minimize_quadratic

__all__ = [
    "ConvergenceError",
    "Minimum",
    "minimize",
    "minimize_quadratic",
    "pick_device",
    "random_starts",
]

# A chunk of models whose elementwise arrays stay in cache is faster than one big batch.
_CHUNK_NUMBERS = 600_000


def random_starts(model: ToyModel, n_cells: int, n_starts: int, seed: Any) -> np.ndarray:
    """Random parameters, shape (n_cells, n_starts, n_params).

    Each cell draws from its own stream ``[*seed, cell]``, so that its starts do not depend on how
    many cells there are.  Entries of W are normal with variance 1 / (2 n_dims), the bias is 0.

    >>> random_starts(ToyModel("autoencoder", "relu"), 2, 4, seed=0).shape
    (2, 4, 24)
    """
    size = model.n_dims * model.n_features
    n_bias = model.n_features if model.kind == "autoencoder" else 0
    key = list(np.atleast_1d(seed))
    starts = np.zeros((n_cells, n_starts, size + n_bias))
    for cell in range(n_cells):
        draw = np.random.default_rng([*key, cell]).standard_normal((n_starts, size))
        starts[cell, :, :size] = draw / math.sqrt(2 * model.n_dims)
    return starts


def minimize(
    model: ToyModel,
    inputs: SparseInput,
    importance: Any,
    n_starts: int = 4,
    seed: Any = 0,
    starts: np.ndarray | None = None,
    nodes: Nodes | None = None,
    max_iterations: int = 60,
    tolerance: float = 1e-4,
    dtype: str = "float32",
    device: str = "auto",
    strict: bool = False,
) -> Minimum:
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
    nodes : Nodes, optional
        Default: :func:`feature_capacity.nodes.expectation_nodes` for the inputs.
    max_iterations, tolerance
        Steps allowed, and the relative fall of the loss at which a model counts as settled; see
        :func:`feature_capacity.levenberg_marquardt.levenberg_marquardt`.
    dtype : {"float32", "float64"}
        Precision of the iterations.
    device : str
        ``auto``, ``cpu``, ``cuda``.
    strict : bool
        Raise :class:`ConvergenceError` when the best start of a cell has not settled.

    Returns
    -------
    Minimum

    Examples
    --------
    An antipodal pair and a feature of its own, in two dimensions:

    >>> from feature_capacity import UnitSparseUniform
    >>> found = minimize(ToyModel("autoencoder", "relu", 3, 2), UnitSparseUniform(0.1),
    ...                  [[1.0, 0.9, 0.8]], n_starts=8)
    >>> sorted(found.capacity[0].round(1).tolist())
    [0.5, 0.5, 1.0]
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
    if starts is None:
        starts = random_starts(model, len(v), n_starts, seed)
    n_cells, n_starts, n_params = starts.shape
    where, precision = pick_device(device), getattr(torch, dtype)
    if nodes is None:
        nodes = expectation_nodes(inputs, model.n_features, seed=int(np.atleast_1d(seed)[0]))
    shared = node_tensors(nodes, precision, where)

    # The loss of the computation model grows with the target; in units of it, all cells look alike.
    per_model = torch.from_numpy(v.repeat(n_starts, axis=0)).to(where, precision)
    flat = torch.from_numpy(starts.reshape(-1, n_params)).to(where, precision)
    rows = model.n_features if model.kind == "autoencoder" else 2 * model.n_dims
    step = (
        max(1, _CHUNK_NUMBERS // (len(nodes.weight) * rows)) if where.type == "cpu" else len(flat)
    )

    def evaluate(parameters: Any, index: Any) -> tuple[Any, Any, Any]:
        chunks = [
            terms(model, parameters[a : a + step], per_model[index[a : a + step]], shared)
            for a in range(0, len(parameters), step)
        ]
        return tuple(torch.cat(part) for part in zip(*chunks, strict=True))

    found = levenberg_marquardt(evaluate, flat, max_iterations, tolerance)
    parameters, loss, norm, iterations, converged = found
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
    near = loss <= 1.01 * loss.min(dim=1, keepdim=True).values
    return Minimum(
        W=W,
        bias=bias.double().cpu().numpy(),
        loss=loss.min(dim=1).values.double().cpu().numpy(),
        capacity=capacities(W),
        best_start=best.cpu().numpy(),
        n_near_best=near.sum(dim=1).cpu().numpy(),
        iterations=iterations[pick].cpu().numpy(),
        gradient_norm=norm[pick].double().cpu().numpy(),
        converged=converged[pick].cpu().numpy(),
        loss_of_starts=loss.double().cpu().numpy(),
    )
