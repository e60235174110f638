"""Damped Newton steps from random starts, for losses whose derivatives are exact.

There is no sampling noise to average away, so that a second-order method ends at rounding error
within tens of steps.  Nothing here knows an optimum.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm  # tqdm.auto warns in a notebook without ipywidgets

from .._arrays import require_number, require_whole, to_numpy
from ..models.device import pick_device
from .batch import Minima, Rows
from .result import MinimizationResult, join, of_winners, require_converged

_MOST_DAMPING = 1e8


@dataclass(frozen=True)
class Search:
    """How minima are looked for, checked: what a public minimizer is asked beside its problem."""

    n_features: int
    n_dims: int
    n_starts: int
    seed: int | Sequence[int]
    tolerance: float
    max_iterations: int
    device: str
    progress: bool = False

    def __post_init__(self) -> None:
        n = self.n_features
        rule = f"a whole number from 1 to the number of features ({n})"
        require_whole(self.n_dims, "n_dims", 1, n, rule)
        require_whole(self.n_starts, "n_starts", 1, None, "a whole number, at least 1")
        require_whole(self.max_iterations, "max_iterations", 1, None, "a whole number, at least 1")
        require_number(self.tolerance, "tolerance", 1e-300, 1 - 2**-53, "(0, 1)")
        pick_device(self.device)

    @property
    def where(self) -> torch.device:
        """The device that is meant."""
        return pick_device(self.device)

    def starts(self, n_cells: int) -> np.ndarray:
        """Random matrices (cells, n_starts, D, N), drawn once for all cells."""
        shape = (n_cells, self.n_starts, self.n_dims, self.n_features)
        starts = np.random.default_rng(self.seed).standard_normal(shape)
        starts /= np.sqrt(self.n_dims)
        return starts


@dataclass(frozen=True)
class SmoothLoss:
    """A loss of embedding matrices (models, D, N), and the numbers of the cells that they are in.

    ``at`` takes parameters, and the index in the whole batch of the models they belong to, and
    returns their losses, gradients, and what of that work the Hessian needs again.
    ``hessian`` takes all three, and returns (models, D * N, D * N) in (D, N) order.
    """

    at: Callable[[Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]
    hessian: Callable[[Tensor, Tensor, Tensor], Tensor]
    size: np.ndarray  # (cells,): squared lengths of the cell in units of those here
    unit: np.ndarray  # (cells,): its loss in units of that here
    bias: Callable[[np.ndarray], np.ndarray]  # of the best matrices (cells, D, N)


def minimize_in_chunks(
    cells: Rows,
    shape: tuple[int, ...],
    cells_at_once: int,
    loss_of: Callable[[Any, Search], SmoothLoss],
    search: Search,
    strict: bool,
) -> MinimizationResult:
    """The best minimum of every cell, from starts that do not depend on the chunks.

    ``loss_of`` takes some of the cells, a record like ``cells``, and the search.
    """
    n_cells = math.prod(shape)
    starts = search.starts(n_cells)
    step = max(1, cells_at_once)
    parts = []
    with tqdm(total=n_cells, unit="cell", disable=not search.progress, desc="minimizing") as bar:
        for a in range(0, n_cells, step):
            some = starts[a : a + step]
            loss = loss_of(cells[a : a + step], search)
            parts.append(_best_of_each_cell(loss, some, search))
            bar.update(len(some))
    result = join(parts, shape)
    if strict:
        require_converged(result, search.tolerance, search.max_iterations)
    return result


def _best_of_each_cell(loss: SmoothLoss, starts: np.ndarray, search: Search) -> MinimizationResult:
    """Minimize from starts (cells, n_starts, D, N), and undo the scaling."""
    n_starts = starts.shape[1]
    flat = torch.from_numpy(starts.reshape(-1, *starts.shape[2:])).to(search.where)
    unit = torch.from_numpy(loss.unit.repeat(n_starts)).to(search.where)
    minima = damped_newton(loss, flat, search.tolerance, search.max_iterations)
    minima = replace(minima, loss=minima.loss * unit)
    winner = minima.best_of(n_starts)
    best = to_numpy(minima.parameters[winner]) * np.sqrt(loss.size)[:, None, None]
    return of_winners(minima, winner, best, loss.bias(best), slack=1e-12 * unit[winner, None])


def damped_newton(
    loss_function: SmoothLoss, start: Tensor, tolerance: float, max_iterations: int
) -> Minima:
    """Minima of a batch of models (models, D, N); those that have converged leave it."""
    everyone = torch.arange(len(start), device=start.device)
    loss, gradient, rest = loss_function.at(start, everyone)
    minima = Minima.at(start, loss, gradient.flatten(1).norm(dim=1))
    W, loss, norm = minima.parameters, minima.loss, minima.gradient_norm
    damping = torch.full_like(loss, 0.1)
    active = everyone
    for _ in range(max_iterations):
        # At the rounding level no step of any length improves.
        active = active[(norm[active] > tolerance) & (damping[active] < _MOST_DAMPING)]
        if not len(active):
            break
        w, g = W[active], gradient[active]
        hessian = loss_function.hessian(w, rest[active], active)
        hessian.diagonal(dim1=-2, dim2=-1).add_(damping[active, None])
        factor, failed = torch.linalg.cholesky_ex(hessian)
        trial = w - torch.cholesky_solve(g.flatten(1)[..., None], factor)[..., 0].view_as(w)
        trial_loss, trial_gradient, trial_rest = loss_function.at(trial, active)
        trial_norm = trial_gradient.flatten(1).norm(dim=1)
        # Close to the minimum the loss no longer resolves a step; there the gradient decides.
        slack = 1e-14 * (1 + loss[active].abs())
        lower = trial_loss < loss[active] - slack
        settled = (trial_loss <= loss[active] + slack) & (trial_norm < norm[active])
        good = (failed == 0) & (lower | settled)
        # Damping follows the outcome; its floor only keeps the rotations of W, along which the
        # loss is flat, from making the matrix singular.
        change = torch.where(good, 0.2, 5.0).to(damping)
        damping[active] = (damping[active] * change).clamp(1e-13, _MOST_DAMPING)
        minima.iterations[active] += 1
        accepted = active[good]
        W[accepted], loss[accepted], rest[accepted] = (
            trial[good],
            trial_loss[good],
            trial_rest[good],
        )
        gradient[accepted], norm[accepted] = trial_gradient[good], trial_norm[good]
    return replace(minima, converged=norm <= tolerance)
