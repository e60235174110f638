"""The quadratic model minimized over embedding matrices, many at once, by damped Newton steps.

The expected loss is exact, so there is no sampling noise to average away, and a second-order
method ends at rounding error within tens of steps.
Nothing here knows the closed-form optimum; that is the point.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from tqdm import tqdm  # tqdm.auto warns in a notebook without ipywidgets

from .._arrays import (
    numbers,
    require,
    require_broadcast,
    require_importance,
    require_kurtosis,
    require_where,
    require_whole,
)
from ..models.device import pick_device
from ..theory.capacity import capacities
from .result import ConvergenceError, MinimizationResult

_MODELS_AT_ONCE = 2048  # keeps a chunk's Hessians in cache and its memory bounded


def minimize_quadratic(
    importance: Any,
    kurtosis: Any,
    n_dims: int,
    n_starts: int = 8,
    seed: int = 0,
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
    kurtosis : array that broadcasts to shape (*cells)
    n_dims : int
        From 1 to the number of features.
    n_starts : int
        Random starts in each cell; the one with the lowest loss is kept.
    seed : int
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
        Raise :class:`ConvergenceError` when the best start of a cell has not converged.

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
    >>> found = minimize_quadratic([[10, 1, 1, 1]], [9.0], n_dims=3)
    >>> found.capacity.round(6)
    array([[1.      , 0.666667, 0.666667, 0.666667]])
    """
    v = numbers(importance, "importance").astype(np.float64)
    k = numbers(kurtosis, "kurtosis").astype(np.float64)
    require_importance(np, v)
    require_kurtosis(np, k)
    n = v.shape[-1]
    require_whole(n_dims, "n_dims", 1, n, f"a whole number from 1 to the number of features ({n})")
    require_whole(n_starts, "n_starts", 1, None, "a whole number, at least 1")
    require_whole(max_iterations, "max_iterations", 1, None, "a whole number, at least 1")
    require(
        isinstance(tolerance, float) and 0 < tolerance < 1,
        f"tolerance must be a number in (0, 1); got {tolerance!r}",
    )
    remedy = "at 1 the target is constant and the loss does not determine the lengths"
    require_where(np, k > 1, k, "kurtosis must be above 1 here", remedy)
    require(
        (v.max(axis=-1) > 0).all(),
        "importance must have a positive entry in every cell; got a cell of zeros: drop it",
    )
    cells = require_broadcast(**{"cells of importance": v.shape[:-1], "kurtosis": k.shape})
    where = pick_device(device)

    # Solved with mean importance 1 and the loss in units of (k - 1): all cells look alike.
    size = np.broadcast_to(v.mean(axis=-1), cells).reshape(-1)
    unit = (np.broadcast_to(v, (*cells, n)).reshape(-1, n)) / size[:, None]
    kk = np.broadcast_to(k, cells).reshape(-1)
    starts = np.random.default_rng(seed).standard_normal((len(size), n_starts, n_dims, n))
    starts /= np.sqrt(n_dims)

    step = max(1, _MODELS_AT_ONCE // n_starts)
    parts = []
    bar = tqdm(total=len(size), unit="cell", disable=not progress, desc="minimizing")
    for a in range(0, len(size), step):
        chunk = slice(a, a + step)
        models = starts[chunk].reshape(-1, n_dims, n)
        tensors = (models, unit[chunk].repeat(n_starts, 0), kk[chunk].repeat(n_starts))
        parts.append(
            _newton(*(torch.from_numpy(x).to(where) for x in tensors), tolerance, max_iterations)
        )
        bar.update(len(size[chunk]))
    bar.close()

    W, loss, norm, steps = (np.concatenate(x) for x in zip(*parts, strict=True))
    loss = loss.reshape(-1, n_starts) * ((kk - 1) * size**2)[:, None]
    best = loss.argmin(axis=1)
    pick = np.arange(len(size)) * n_starts + best
    lowest = loss.min(axis=1, keepdims=True)
    near = (loss - lowest) <= 0.01 * np.abs(lowest) + 1e-12 * ((kk - 1) * size**2)[:, None]
    W = W[pick] * np.sqrt(size)[:, None, None]
    converged = norm[pick] <= tolerance
    if strict and not converged.all():
        raise ConvergenceError(
            f"{(~converged).sum()} of {len(size)} cells did not reach tolerance {tolerance:g} "
            f"in {max_iterations} steps; raise max_iterations or tolerance"
        )
    found = {
        "W": W,
        "bias": (unit * size[:, None]).sum(-1) - (W**2).sum((-2, -1)),
        "loss": loss[np.arange(len(size)), best],
        "capacity": capacities(W),
        "best_start": best,
        "n_near_best": near.sum(axis=1),
        "iterations": steps[pick],
        "gradient_norm": norm[pick],
        "converged": converged,
        "loss_of_starts": loss,
        "all_masks": np.ones(len(size), dtype=bool),  # the loss is exact
        "dropped": np.zeros(len(size)),
    }
    return MinimizationResult(
        **{name: x.reshape((*cells, *x.shape[1:])) for name, x in found.items()}
    )


def _newton(W: Any, v: Any, k: Any, tolerance: float, max_iterations: int) -> tuple:
    """Damped Newton for a batch of models; NumPy (W, loss, gradient norm, steps)."""
    n_models = len(W)
    loss, gradient = _loss(W, v, k), _gradient(W, v, k)
    damping = torch.full_like(k, 0.1)
    steps = torch.zeros(n_models, dtype=torch.int64, device=W.device)
    norm = gradient.flatten(1).norm(dim=1)
    active = torch.arange(n_models, device=W.device)
    for _ in range(max_iterations):
        active = active[norm[active] > tolerance]
        if not len(active):
            break
        w, g = W[active], gradient[active]
        hessian = _hessian(w, v[active], k[active])
        hessian.diagonal(dim1=-2, dim2=-1).add_(damping[active, None])
        factor, failed = torch.linalg.cholesky_ex(hessian)
        definite = failed == 0
        factor = torch.where(
            definite[:, None, None], factor, torch.eye(factor.shape[-1]).to(factor)
        )
        move = torch.cholesky_solve(g.flatten(1)[..., None], factor)[..., 0]
        trial = w - move.view_as(w)
        trial_loss = _loss(trial, v[active], k[active])
        trial_gradient = _gradient(trial, v[active], k[active])
        trial_norm = trial_gradient.flatten(1).norm(dim=1)
        # Close to the minimum the loss no longer resolves a step; there the gradient decides.
        slack = 1e-14 * (1 + loss[active].abs())
        lower = trial_loss < loss[active] - slack
        settled = (trial_loss <= loss[active] + slack) & (trial_norm < norm[active])
        good = definite & (lower | settled)
        # Damping follows the outcome; its floor only keeps the rotations of W, along which the
        # loss is flat, from making the matrix singular.
        change = torch.where(good, 0.2, 5.0).to(damping)
        damping[active] = (damping[active] * change).clamp(1e-13, 1e8)
        steps[active] += 1
        accepted = active[good]
        W[accepted], loss[accepted] = trial[good], trial_loss[good]
        gradient[accepted], norm[accepted] = trial_gradient[good], trial_norm[good]
        stuck = active[~good & (damping[active] >= 1e8)]
        if len(stuck):  # rounding level: no step of any length improves
            active = active[damping[active] < 1e8]
    return tuple(x.cpu().numpy() for x in (W, loss, norm, steps))


def _loss(W: Any, v: Any, k: Any) -> Any:
    """Equation (12) in units of (k - 1); its own route, not that of ``quadratic``."""
    gram = W.mT @ W
    n = gram.diagonal(dim1=-2, dim2=-1)
    crossed = gram - torch.diag_embed(n)
    return ((n - v) ** 2).sum(-1) + 2 / (k - 1) * (crossed**2).sum((-2, -1))


def _gradient(W: Any, v: Any, k: Any) -> Any:
    n = (W**2).sum(-2)
    own = (k - 3)[:, None] * n - (k - 1)[:, None] * v
    return 4 / (k - 1)[:, None, None] * (own[:, None, :] * W + 2 * (W @ W.mT) @ W)


def _hessian(W: Any, v: Any, k: Any) -> Any:
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
