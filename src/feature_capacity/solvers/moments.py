"""The quadratic model minimized for any inputs, of which only moments are known.

Damped Newton steps on the exact loss, many models at once.  Nothing here knows an optimum in
closed form, so that phase diagrams of dependent or unequal features can be drawn without theory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from .._arrays import (
    ArrayLike,
    checked,
    constant,
    require,
    require_broadcast,
    require_number,
    require_whole,
    to_numpy,
)
from ..models.device import pick_device
from ..theory.moments import FullMoments, Moments
from .batch import Minima, Rows
from .result import MinimizationResult, join, of_winners, require_converged

_NUMBERS_AT_ONCE = 1 << 22
_MOST_FEATURES = 24


def minimize_moments(
    importance: ArrayLike,
    moments: Moments | FullMoments,
    n_dims: int,
    n_starts: int = 8,
    seed: int | Sequence[int] = 0,
    tolerance: float = 1e-10,
    max_iterations: int = 500,
    device: str = "auto",
    strict: bool = False,
) -> MinimizationResult:
    """Minimize the expected loss of the quadratic model over W for inputs with given moments.

    The loss of :func:`feature_capacity.loss_from_moments` at its best bias, from random starts, in
    float64.  Every combination of cell and start is one model; converged ones leave the batch.

    Parameters
    ----------
    importance : array, shape (*cells, n_features)
    moments : Moments or FullMoments
        A batch of moments is one for each cell.  At most 24 features.
    n_dims : int
        From 1 to the number of features.
    n_starts : int
        Random starts in each cell; the one with the lowest loss is kept.
    seed : int or sequence of int
    tolerance : float
        Gradient norm to reach, with mean importance 1 and squares of mean variance 1.
    max_iterations : int
        Newton steps allowed per model.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``mps``.
    strict : bool
        Raise :class:`.ConvergenceError` when the best start of a cell has not converged.

    Returns
    -------
    MinimizationResult

    Examples
    --------
    Independent features with one below kurtosis 3, which shares:

    >>> from feature_capacity.theory.moments import independent_moments
    >>> moments = independent_moments([2.5, 30, 30, 30, 30], 5)
    >>> minimize_moments([2.6, 1, 1, 1, 1], moments, 2).capacity.round(4)
    array([0.2072, 0.4482, 0.4482, 0.4482, 0.4482])
    """
    cells, shape = _cells(importance, moments)
    n = cells.importance.shape[-1]
    require_whole(n_dims, "n_dims", 1, n, f"a whole number from 1 to the number of features ({n})")
    require_whole(n_starts, "n_starts", 1, None, "a whole number, at least 1")
    require_whole(max_iterations, "max_iterations", 1, None, "a whole number, at least 1")
    require_number(tolerance, "tolerance", 1e-300, 1 - 2**-53, "(0, 1)")
    where = pick_device(device)
    n_cells = len(cells.size)
    starts = np.random.default_rng(seed).standard_normal((n_cells, n_starts, n_dims, n))
    starts /= np.sqrt(n_dims)
    step = max(1, _NUMBERS_AT_ONCE // (n_starts * n**4))
    parts = [
        _best_of_each_cell(
            cells[a : a + step], starts[a : a + step], tolerance, max_iterations, where
        )
        for a in map(int, range(0, n_cells, step))
    ]
    result = join(parts, shape)
    if strict:
        require_converged(result, tolerance, max_iterations)
    return result


@dataclass(frozen=True)
class _Cells(Rows):
    """Cells as they are solved: mean importance 1, mean variance of the squares 1."""

    importance: np.ndarray  # (cells, N), of mean 1
    size: np.ndarray  # (cells,): the mean importance that was
    covariance: np.ndarray  # (cells, N, N, N, N): Cov(x_i x_j, x_k x_l) in the unit
    unit: np.ndarray  # (cells,): the mean variance of the squares that was
    second: np.ndarray  # (cells, N, N)


def _cells(importance: ArrayLike, moments: Moments | FullMoments) -> tuple[_Cells, tuple[int, ...]]:
    _, (v,) = checked(importance=importance)
    require(
        isinstance(moments, (Moments, FullMoments)),
        f"moments must be Moments or FullMoments; got a {type(moments).__name__}",
    )
    v = to_numpy(constant(v))
    second, fourth = (to_numpy(constant(x)) for x in (moments.second, moments.fourth))
    n = v.shape[-1]
    require(
        second.shape[-1] == n <= _MOST_FEATURES,
        f"moments must be of as many features as importance has, at most {_MOST_FEATURES}; got "
        f"{second.shape[-1]} and {n}",
    )
    if isinstance(moments, Moments):
        fourth = _all_pairs(fourth)
        second = second[..., :, None] * np.eye(n)
    covariance = fourth - second[..., :, :, None, None] * second[..., None, None, :, :]
    shape = require_broadcast(cells=v.shape[:-1], moments=second.shape[:-2])
    size = np.broadcast_to(v.mean(axis=-1), shape).reshape(-1)
    require(
        (size > 0).all(), "importance must have a positive entry in every cell; drop the others"
    )
    square = np.einsum("...iiii->...i", covariance).mean(axis=-1)
    require((square > 0).all(), "the squares of some inputs must vary; all are constant")
    unit = np.broadcast_to(square, shape).reshape(-1)

    def flat(x: np.ndarray, axes: int) -> np.ndarray:
        return np.broadcast_to(x, (*shape, *x.shape[-axes:])).reshape(-1, *x.shape[-axes:])

    covariance = flat(covariance / square[..., None, None, None, None], 4)
    cells = _Cells(flat(v, 1) / size[:, None], size, covariance, unit, flat(second, 2))
    return cells, shape


def _all_pairs(pairs: np.ndarray) -> np.ndarray:
    """E[x_i x_j x_k x_l] from E[x_i^2 x_j^2], where odd moments vanish."""
    n = pairs.shape[-1]
    eye = np.eye(n)
    fourth = np.einsum("...ik,ij,kl->...ijkl", pairs, eye, eye)
    fourth += np.einsum("...ij,ik,jl->...ijkl", pairs, eye, eye)
    fourth += np.einsum("...ij,il,jk->...ijkl", pairs, eye, eye)
    i = np.arange(n)
    fourth[..., i, i, i, i] /= 3  # the three pairings are one where all indices agree
    return fourth


def _best_of_each_cell(
    cells: _Cells, starts: np.ndarray, tolerance: float, max_iterations: int, device: torch.device
) -> MinimizationResult:
    """Minimize cells from starts (cells, n_starts, n_dims, N), and undo the scaling."""
    n_starts = starts.shape[1]
    every = cells.importance.repeat(n_starts, axis=0)
    arrays = starts.reshape(-1, *starts.shape[2:]), every, cells.covariance
    W, v, T = (torch.tensor(x, device=device) for x in arrays)
    cell = torch.arange(len(starts), device=device).repeat_interleave(n_starts)
    unit = torch.from_numpy((cells.unit * cells.size**2).repeat(n_starts)).to(device)
    minima = _newton(W, v, T, cell, tolerance, max_iterations)
    minima = replace(minima, loss=minima.loss * unit)
    winner = minima.best_of(n_starts)
    best = to_numpy(minima.parameters[winner]) * np.sqrt(cells.size)[:, None, None]
    target = np.einsum("ci,ij->cij", cells.importance * cells.size[:, None], np.eye(v.shape[-1]))
    error = np.swapaxes(best, -1, -2) @ best - target
    bias = -(error * cells.second).sum((-2, -1))
    return of_winners(minima, winner, best, bias, slack=1e-12 * unit[winner, None])


def _newton(
    start: Tensor, v: Tensor, T: Tensor, cell: Tensor, tolerance: float, max_iterations: int
) -> Minima:
    """Damped Newton for a batch of models (models, D, N), each with the moments of its cell."""
    loss, Q = _loss_and_derivative(start, v, T, cell)
    gradient = 2 * start @ Q
    minima = Minima.at(start, loss, gradient.flatten(1).norm(dim=1))
    W, loss, norm = minima.parameters, minima.loss, minima.gradient_norm
    damping = torch.full_like(loss, 0.1)
    active = torch.arange(len(W), device=W.device)
    for _ in range(max_iterations):
        active = active[(norm[active] > tolerance) & (damping[active] < 1e8)]
        if not len(active):
            break
        w, g = W[active], gradient[active]
        hessian = _hessian(w, Q[active], T, cell[active])
        hessian.diagonal(dim1=-2, dim2=-1).add_(damping[active, None])
        factor, failed = torch.linalg.cholesky_ex(hessian)
        trial = w - torch.cholesky_solve(g.flatten(1)[..., None], factor)[..., 0].view_as(w)
        trial_loss, trial_Q = _loss_and_derivative(trial, v[active], T, cell[active])
        trial_gradient = 2 * trial @ trial_Q
        trial_norm = trial_gradient.flatten(1).norm(dim=1)
        # Close to the minimum the loss no longer resolves a step; there the gradient decides.
        slack = 1e-14 * (1 + loss[active].abs())
        lower = trial_loss < loss[active] - slack
        settled = (trial_loss <= loss[active] + slack) & (trial_norm < norm[active])
        good = (failed == 0) & (lower | settled)
        change = torch.where(good, 0.2, 5.0).to(damping)
        damping[active] = (damping[active] * change).clamp(1e-13, 1e8)
        minima.iterations[active] += 1
        accepted = active[good]
        W[accepted], loss[accepted], Q[accepted] = trial[good], trial_loss[good], trial_Q[good]
        gradient[accepted], norm[accepted] = trial_gradient[good], trial_norm[good]
    return replace(minima, converged=norm <= tolerance)


def _loss_and_derivative(W: Tensor, v: Tensor, T: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """The loss M T M, and its symmetric derivative 2 T M, at M = W^T W - diag(v)."""
    M = W.mT @ W - torch.diag_embed(v)
    Q = 2 * torch.einsum("mijkl,mkl->mij", T[cell], M)
    Q = (Q + Q.mT) / 2
    return (Q * M).sum((-2, -1)) / 2, Q


def _hessian(W: Tensor, Q: Tensor, T: Tensor, cell: Tensor) -> Tensor:
    """Second derivatives, (models, D * N, D * N) in (D, N) order."""
    models, d, n = W.shape
    # T is symmetric in each pair of indices, so that one product with W on each side is enough.
    half = torch.einsum("mal,mlikj->maikj", W, T[cell])
    h = 8 * torch.einsum("maikj,mbk->maibj", half, W)
    h += 2 * torch.einsum("ab,mij->maibj", torch.eye(d).to(W), Q)
    return h.reshape(models, d * n, d * n)
