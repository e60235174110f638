"""The quadratic model minimized over embedding matrices, many at once, by damped Newton steps.

The expected loss is exact, with a kurtosis for each feature if they differ.
Nothing here knows the closed-form optimum; that is the point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .._arrays import (
    ArrayLike,
    feature_kurtosis,
    float64,
    require,
    require_broadcast,
    require_importance,
    require_kurtosis,
    require_where,
    to_numpy,
)
from .batch import Rows
from .damped_newton import Search, SmoothLoss, minimize_in_chunks
from .result import MinimizationResult

_MODELS_AT_ONCE = 2048  # keeps a chunk's Hessians in cache and its memory bounded


def minimize_quadratic(
    importance: ArrayLike,
    kurtosis: ArrayLike,
    n_dims: int,
    n_starts: int = 8,
    seed: int | Sequence[int] = 0,
    tolerance: float = 1e-12,
    max_iterations: int = 500,
    device: str = "auto",
    progress: bool = False,
    strict: bool = False,
) -> MinimizationResult:
    """Minimize the expected loss of the quadratic model over W from random starts.

    Equation (12), with a kurtosis for each feature if they differ, by damped Newton steps with its
    exact gradient and Hessian, in float64.
    Every combination of cell and start is one independent model; converged models leave the batch.

    Parameters
    ----------
    importance : array, shape (*cells, n_features)
    kurtosis : float or array that broadcasts against the importances
        Above 1: a number; ``(n_features,)``, one a feature; or ``(*cells, 1)``, one a cell.
    n_dims : int
        From 1 to the number of features.
    n_starts : int
        Random starts in each cell; the one with the lowest loss is kept.
    seed : int or sequence of int
        Starts are drawn once for all cells from this seed, so they do not depend on chunking.
    tolerance : float
        Gradient norm to reach, relative to the largest k - 1 of the cell times the 3/2 power of
        its mean importance.
    max_iterations : int
        Newton steps allowed per model.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``mps``.
    progress : bool
        Show a progress bar.
    strict : bool
        Raise :class:`.ConvergenceError` when the best start of a cell has not converged.

    Returns
    -------
    MinimizationResult

    Raises
    ------
    ValueError
        For inputs out of range (see :func:`feature_capacity.solve_allocation`), kurtosis 1, at
        which the loss does not determine the lengths, or importances that are all zero.

    Examples
    --------
    >>> result = minimize_quadratic([[10, 1, 1, 1]], 9.0, n_dims=3)
    >>> result.capacity.round(6)
    array([[1.      , 0.666667, 0.666667, 0.666667]])

    A dense feature (k = 2.5) that shares with sparse ones:

    >>> minimize_quadratic([2.6, 1, 1, 1, 1], [2.5, 30, 30, 30, 30], 2).capacity.round(4)
    array([0.2072, 0.4482, 0.4482, 0.4482, 0.4482])
    """
    cells, shape = _cells(importance, kurtosis)
    n = cells.importance.shape[-1]
    search = Search(n, n_dims, n_starts, seed, tolerance, max_iterations, device, progress)
    at_once = _MODELS_AT_ONCE // n_starts
    return minimize_in_chunks(cells, shape, at_once, _loss_of, search, strict)


@dataclass(frozen=True)
class _Cells(Rows):
    """Cells as they are solved: with mean importance 1, so that all look alike."""

    importance: np.ndarray  # (cells, n_features), of mean 1
    size: np.ndarray  # (cells,): the mean importance that was
    kurtosis: np.ndarray  # (cells, n_features)


def _cells(importance: ArrayLike, kurtosis: ArrayLike) -> tuple[_Cells, tuple[int, ...]]:
    """What is to be solved, flat, and its shape; or ``ValueError``."""
    v, k = float64(importance, "importance"), float64(kurtosis, "kurtosis")
    require_importance(np, v)
    require_kurtosis(np, k)
    n = v.shape[-1]
    k = to_numpy(feature_kurtosis(k, n))
    remedy = "at 1 the target is constant and the loss does not determine the lengths"
    require_where(np, k > 1, k, "kurtosis must be above 1 here", remedy)
    require(
        (v.max(axis=-1) > 0).all(),
        "importance must have a positive entry in every cell; got a cell of zeros: drop it",
    )
    shape = require_broadcast(**{"cells of importance": v.shape[:-1], "kurtosis": k.shape[:-1]})
    k = np.broadcast_to(k, (*shape, n))
    with np.errstate(over="ignore"):
        mean = v.mean(axis=-1)
        loss = (k.max(axis=-1) - 1) * n * mean**2
    require(
        np.isfinite(loss).all(),
        f"the loss, as large as (kurtosis - 1) n importance**2, must be finite; got importance up "
        f"to {v.max():g} and kurtosis up to {k.max():g}: scale them down",
    )
    size = np.broadcast_to(mean, shape).reshape(-1)
    unit = np.broadcast_to(v, (*shape, n)).reshape(-1, n) / size[:, None]
    return _Cells(unit, size, k.reshape(-1, n)), shape


def _loss_of(cells: _Cells, search: Search) -> SmoothLoss:
    """The loss of every start of every cell, in units of the cell and of its largest k - 1."""
    each = cells.importance, cells.kurtosis
    v, k = (torch.from_numpy(x.repeat(search.n_starts, axis=0)).to(search.where) for x in each)

    def at(W: Tensor, model: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        own = _own(W, v[model], k[model])
        return _loss(W, v[model], k[model]), _gradient(W, own, k[model]), own

    def hessian(W: Tensor, own: Tensor, model: Tensor) -> Tensor:
        return _hessian(W, own, k[model])

    def bias(W: np.ndarray) -> np.ndarray:
        return (cells.importance * cells.size[:, None]).sum(-1) - (W**2).sum((-2, -1))

    unit = (cells.kurtosis.max(axis=-1) - 1) * cells.size**2
    return SmoothLoss(at, hessian, cells.size, unit, bias)


def _unit(k: Tensor) -> Tensor:
    return k.amax(dim=-1) - 1


def _loss(W: Tensor, v: Tensor, k: Tensor) -> Tensor:
    """Equation (12) with a kurtosis a feature, in its unit; its own route, not ``quadratic``'s."""
    gram = W.mT @ W
    n = gram.diagonal(dim1=-2, dim2=-1)
    crossed = gram - torch.diag_embed(n)
    unit = _unit(k)
    own = (k - 1) / unit[:, None] * (n - v) ** 2
    return own.sum(-1) + 2 / unit * (crossed**2).sum((-2, -1))


def _own(W: Tensor, v: Tensor, k: Tensor) -> Tensor:
    """What pulls at the length of each feature, interference with others left out."""
    return (k - 3) * (W**2).sum(-2) - (k - 1) * v


def _gradient(W: Tensor, own: Tensor, k: Tensor) -> Tensor:
    return 4 / _unit(k)[:, None, None] * (own[:, None, :] * W + 2 * (W @ W.mT) @ W)


def _hessian(W: Tensor, own: Tensor, k: Tensor) -> Tensor:
    """Second derivatives, (models, features * dims, features * dims) in (dims, features) order."""
    models, d, n_features = W.shape
    eye_d = torch.eye(d).to(W)
    eye_n = torch.eye(n_features).to(W)
    frame, gram = W @ W.mT, W.mT @ W
    # h[m, a, i, b, j]
    h = 2 * torch.einsum("ab,mij->maibj", eye_d, gram)
    h += 2 * torch.einsum("maj,mbi->maibj", W, W)
    same = torch.einsum("ab,mi->mabi", eye_d, own) + 2 * frame[..., None]
    same = same + 2 * (k - 3)[:, None, None, :] * torch.einsum("mai,mbi->mabi", W, W)
    h += torch.einsum("mabi,ij->maibj", same, eye_n)
    h *= 4 / _unit(k)[:, None, None, None, None]
    return h.reshape(models, d * n_features, d * n_features)
