"""Batched Levenberg-Marquardt: many small least-squares problems at once, each at its own pace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .batch import Linearization, Linearize, Minima, Rows

_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-2, 1e-8, 1e6
_QUIET_STEPS = 2


@dataclass(frozen=True)
class _Moving(Rows):
    """Models that have not settled."""

    index: Tensor  # in the whole batch
    parameters: Tensor
    here: Linearization
    damping: Tensor
    quiet: Tensor  # steps in a row that hardly lowered the loss
    fall: Tensor  # of the loss in the last step; infinite before the first and where it failed


def levenberg_marquardt(
    linearize: Linearize,
    start: Tensor,
    max_iterations: int,
    tolerance: float,
    report: Callable[[int], object] = lambda n_settled: None,
    beaten: Callable[[Tensor, Tensor, Tensor], Tensor] | None = None,
) -> Minima:
    """Minimize every model of a batch; models that have settled leave it.

    Parameters
    ----------
    linearize : callable
        Loss, half gradient and Gauss-Newton matrix, as in
        :func:`feature_capacity.solvers.gauss_newton.linearize`.
    start : tensor, shape (models, n_params)
    max_iterations : int
    tolerance : float
        A model has settled after two steps in a row that lower its loss by less than this
        fraction, or when no step of any length lowers it.
    report : callable
        Told after each step how many models have settled in it, and at the end how many have not.
    beaten : callable, optional
        Takes index, loss and last fall of the loss of the models that go on, and says which of them
        are not worth it; these leave without having converged.

    Returns
    -------
    Minima
    """
    index = torch.arange(len(start), device=start.device)
    here = linearize(start, index)
    damping = torch.full_like(here.loss, _FIRST_DAMPING)
    fall = torch.full_like(here.loss, torch.inf)
    moving = _Moving(index, start, here, damping, torch.zeros_like(index), fall)
    minima = Minima.at(start, here.loss, 2 * here.gradient.norm(dim=1))
    for iteration in range(1, max_iterations + 1):
        moving = _moved(linearize, moving, tolerance)
        settled = moving.quiet >= _QUIET_STEPS
        leaving = settled | (iteration == max_iterations)
        if beaten is not None:
            leaving |= beaten(moving.index, moving.here.loss, moving.fall)
        if leaving.any():
            gone = moving[leaving]
            minima[gone.index] = Minima(
                gone.parameters,
                gone.here.loss,
                2 * gone.here.gradient.norm(dim=1),
                torch.full_like(gone.index, iteration),
                settled[leaving],
            )
            report(int(settled.sum()))
            moving = moving[~leaving]
            if not len(moving.index):
                break
    report(int((~minima.converged).sum()))
    return minima


def _moved(linearize: Linearize, models: _Moving, tolerance: float) -> _Moving:
    """The models after one step each, which is taken back where it does not lower the loss."""
    here, damping = models.here, models.damping
    trial = models.parameters - _step(here, damping)
    there = linearize(trial, models.index)
    better = there.loss < here.loss
    gain = (here.loss - there.loss) / here.loss.clamp_min(torch.finfo(here.loss.dtype).tiny)
    small = better & (gain < tolerance)
    hopeless = ~better & (damping >= _MOST_DAMPING)
    fall = torch.where(better, here.loss - there.loss, torch.inf)
    quiet = torch.where(small, models.quiet + 1, torch.where(better, 0, models.quiet))
    here[better] = there[better]
    return _Moving(
        models.index,
        torch.where(better[:, None], trial, models.parameters),
        here,
        (damping * torch.where(better, 0.2, 5.0)).clamp(_LEAST_DAMPING, _MOST_DAMPING),
        torch.where(hopeless, _QUIET_STEPS, quiet),
        fall,
    )


def _step(here: Linearization, damping: Tensor) -> Tensor:
    """Damped Gauss-Newton step; no step where the matrix is not positive definite."""
    diagonal = here.curvature.diagonal(dim1=1, dim2=2)
    # Scaled by the diagonal, with a floor for parameters that the loss does not feel.
    floor = 1e-3 * diagonal.mean(dim=1, keepdim=True) + 1e-12
    damped = here.curvature.clone()
    damped.diagonal(dim1=1, dim2=2).add_(damping[:, None] * (diagonal + floor))
    factor, failed = torch.linalg.cholesky_ex(damped)
    step = torch.cholesky_solve(here.gradient[..., None], factor)[..., 0]
    usable = (failed == 0) & torch.isfinite(step).all(dim=1)
    return torch.where(usable[:, None], step, 0)
