"""The quadratic model minimized over embedding matrices, many at once, by damped Newton steps.

The expected loss is exact, so there is no sampling noise to average away, and a second-order
method ends at rounding error within tens of steps.
Nothing here knows the closed-form optimum; that is the point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm  # tqdm.auto warns in a notebook without ipywidgets

from .._arrays import (
    ArrayLike,
    float64,
    require,
    require_broadcast,
    require_importance,
    require_kurtosis,
    require_where,
    require_whole,
    row_kurtosis,
    to_numpy,
)
from ..models.device import pick_device
from .batch import Minima, Rows
from .result import MinimizationResult, join, of_winners, require_converged

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

    Equation (12), by damped Newton steps with its exact gradient and Hessian, in float64.
    Every combination of cell and start is one independent model; converged models leave the batch.

    Parameters
    ----------
    importance : array, shape (*cells, n_features)
    kurtosis : float, or array of shape (n_features,), equal for now, or (*cells, 1)
    n_dims : int
        From 1 to the number of features.
    n_starts : int
        Random starts in each cell; the one with the lowest loss is kept.
    seed : int or sequence of int
        Starts are drawn once for all cells from this seed, so they do not depend on chunking.
    tolerance : float
        Gradient norm to reach, relative to (k - 1) times the 3/2 power of the mean importance.
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
    """
    cells, shape = _cells(importance, kurtosis)
    n = cells.importance.shape[-1]
    require_whole(n_dims, "n_dims", 1, n, f"a whole number from 1 to the number of features ({n})")
    require_whole(n_starts, "n_starts", 1, None, "a whole number, at least 1")
    require_whole(max_iterations, "max_iterations", 1, None, "a whole number, at least 1")
    require(
        isinstance(tolerance, float) and 0 < tolerance < 1,
        f"tolerance must be a number in (0, 1); got {tolerance!r}",
    )
    where = pick_device(device)
    n_cells = len(cells.size)
    starts = np.random.default_rng(seed).standard_normal((n_cells, n_starts, n_dims, n))
    starts /= np.sqrt(n_dims)

    step = max(1, _MODELS_AT_ONCE // n_starts)
    parts = []
    with tqdm(total=n_cells, unit="cell", disable=not progress, desc="minimizing") as bar:
        for a in range(0, n_cells, step):
            chunk = slice(a, a + step)
            some = cells[chunk]
            parts.append(_best_of_each_cell(some, starts[chunk], tolerance, max_iterations, where))
            bar.update(len(some.size))
    result = join(parts, shape)
    if strict:
        require_converged(result, tolerance, max_iterations)
    return result


@dataclass(frozen=True)
class _Cells(Rows):
    """Cells as they are solved: with mean importance 1, so that all look alike."""

    importance: np.ndarray  # (cells, n_features), of mean 1
    size: np.ndarray  # (cells,): the mean importance that was
    kurtosis: np.ndarray  # (cells,)


def _cells(importance: ArrayLike, kurtosis: ArrayLike) -> tuple[_Cells, tuple[int, ...]]:
    """What is to be solved, flat, and its shape; or ``ValueError``."""
    v, k = float64(importance, "importance"), float64(kurtosis, "kurtosis")
    require_importance(np, v)
    require_kurtosis(np, k)
    k = to_numpy(row_kurtosis(np, k, v.shape[-1]))
    remedy = "at 1 the target is constant and the loss does not determine the lengths"
    require_where(np, k > 1, k, "kurtosis must be above 1 here", remedy)
    require(
        (v.max(axis=-1) > 0).all(),
        "importance must have a positive entry in every cell; got a cell of zeros: drop it",
    )
    shape = require_broadcast(**{"cells of importance": v.shape[:-1], "kurtosis": k.shape})
    n = v.shape[-1]
    with np.errstate(over="ignore"):
        mean = v.mean(axis=-1)
        loss = (k - 1) * n * mean**2
    require(
        np.isfinite(loss).all(),
        f"the loss, as large as (kurtosis - 1) n importance**2, must be finite; got importance up "
        f"to {v.max():g} and kurtosis up to {k.max():g}: scale them down",
    )
    size = np.broadcast_to(mean, shape).reshape(-1)
    unit = np.broadcast_to(v, (*shape, n)).reshape(-1, n) / size[:, None]
    return _Cells(unit, size, np.broadcast_to(k, shape).reshape(-1)), shape


def _best_of_each_cell(
    cells: _Cells, starts: np.ndarray, tolerance: float, max_iterations: int, device: torch.device
) -> MinimizationResult:
    """Minimize cells from starts (cells, n_starts, n_dims, n_features), and undo the scaling."""
    n_starts = starts.shape[1]
    unit_of_loss = (cells.kurtosis - 1) * cells.size**2
    each = (cells.importance, cells.kurtosis, unit_of_loss)
    rows = starts.reshape(-1, *starts.shape[2:]), *(x.repeat(n_starts, axis=0) for x in each)
    W, v, k, unit = (torch.from_numpy(x).to(device) for x in rows)
    minima = _newton(W, v, k, tolerance, max_iterations)
    minima = replace(minima, loss=minima.loss * unit)
    winner = minima.best_of(n_starts)
    best = to_numpy(minima.parameters[winner]) * np.sqrt(cells.size)[:, None, None]
    bias = (cells.importance * cells.size[:, None]).sum(-1) - (best**2).sum((-2, -1))
    return of_winners(minima, winner, best, bias, slack=1e-12 * unit[winner, None])


def _newton(start: Tensor, v: Tensor, k: Tensor, tolerance: float, max_iterations: int) -> Minima:
    """Damped Newton for a batch of models, with parameters (models, n_dims, n_features)."""
    gradient = _gradient(start, v, k)
    minima = Minima.at(start, _loss(start, v, k), gradient.flatten(1).norm(dim=1))
    W, loss, norm = minima.parameters, minima.loss, minima.gradient_norm
    damping = torch.full_like(k, 0.1)
    active = torch.arange(len(W), device=W.device)
    for _ in range(max_iterations):
        active = active[norm[active] > tolerance]
        if not len(active):
            break
        w, g = W[active], gradient[active]
        hessian = _hessian(w, v[active], k[active])
        hessian.diagonal(dim1=-2, dim2=-1).add_(damping[active, None])
        factor, failed = torch.linalg.cholesky_ex(hessian)
        move = torch.cholesky_solve(g.flatten(1)[..., None], factor)[..., 0]
        trial = w - move.view_as(w)
        trial_loss = _loss(trial, v[active], k[active])
        trial_gradient = _gradient(trial, v[active], k[active])
        trial_norm = trial_gradient.flatten(1).norm(dim=1)
        # Close to the minimum the loss no longer resolves a step; there the gradient decides.
        slack = 1e-14 * (1 + loss[active].abs())
        lower = trial_loss < loss[active] - slack
        settled = (trial_loss <= loss[active] + slack) & (trial_norm < norm[active])
        good = (failed == 0) & (lower | settled)
        # Damping follows the outcome; its floor only keeps the rotations of W, along which the
        # loss is flat, from making the matrix singular.
        change = torch.where(good, 0.2, 5.0).to(damping)
        damping[active] = (damping[active] * change).clamp(1e-13, 1e8)
        minima.iterations[active] += 1
        accepted = active[good]
        W[accepted], loss[accepted] = trial[good], trial_loss[good]
        gradient[accepted], norm[accepted] = trial_gradient[good], trial_norm[good]
        # At the rounding level no step of any length improves.
        active = active[damping[active] < 1e8]
    return replace(minima, converged=norm <= tolerance)


def _loss(W: Tensor, v: Tensor, k: Tensor) -> Tensor:
    """Equation (12) in units of (k - 1); its own route, not that of ``quadratic``."""
    gram = W.mT @ W
    n = gram.diagonal(dim1=-2, dim2=-1)
    crossed = gram - torch.diag_embed(n)
    return ((n - v) ** 2).sum(-1) + 2 / (k - 1) * (crossed**2).sum((-2, -1))


def _gradient(W: Tensor, v: Tensor, k: Tensor) -> Tensor:
    n = (W**2).sum(-2)
    own = (k - 3)[:, None] * n - (k - 1)[:, None] * v
    return 4 / (k - 1)[:, None, None] * (own[:, None, :] * W + 2 * (W @ W.mT) @ W)


def _hessian(W: Tensor, v: Tensor, k: Tensor) -> Tensor:
    """Second derivatives, (models, features * dims, features * dims) in (dims, features) order."""
    models, d, n_features = W.shape
    n = (W**2).sum(-2)
    own = (k - 3)[:, None] * n - (k - 1)[:, None] * v
    eye_d = torch.eye(d).to(W)
    eye_n = torch.eye(n_features).to(W)
    frame, gram = W @ W.mT, W.mT @ W
    # h[m, a, i, b, j]
    h = 2 * torch.einsum("ab,mij->maibj", eye_d, gram)
    h += 2 * torch.einsum("maj,mbi->maibj", W, W)
    same = torch.einsum("ab,mi->mabi", eye_d, own) + 2 * frame[..., None]
    same = same + 2 * (k - 3)[:, None, None, None] * torch.einsum("mai,mbi->mabi", W, W)
    h += torch.einsum("mabi,ij->maibj", same, eye_n)
    h *= 4 / (k - 1)[:, None, None, None, None]
    return h.reshape(models, d * n_features, d * n_features)
