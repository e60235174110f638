"""Batched Levenberg-Marquardt: many small least-squares problems at once, each at its own pace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

Linearization = Callable[[Any, Any], tuple[Any, Any, Any]]
"""(parameters, index of the models they belong to) -> loss, half gradient, curvature."""

_MOST_DAMPING, _LEAST_DAMPING = 1e6, 1e-8
_QUIET_STEPS = 3


def levenberg_marquardt(
    linearize: Linearization,
    start: Any,
    max_iterations: int,
    tolerance: float,
    report: Callable[[int], object] = lambda n_settled: None,
) -> tuple[Any, Any, Any, Any, Any]:
    """Minimize every model of a batch; models that have settled leave it.

    Parameters
    ----------
    linearize : callable
        Loss, half gradient and Gauss-Newton matrix, as in
        :func:`feature_capacity.solvers.gauss_newton.linearize`.
    start : tensor, shape (models, n_params)
    max_iterations : int
    tolerance : float
        A model has settled after three steps in a row that lower its loss by less than this
        fraction, or when no step of any length lowers it.
    report : callable
        Told after each step how many models have settled in it, and at the end how many have not.

    Returns
    -------
    parameters, loss, gradient_norm, iterations, converged : tensors
        Gradient norms are those of the loss with respect to the parameters.
    """
    n_models = len(start)
    parameters = start.clone()
    active = torch.arange(n_models, device=start.device)
    loss, gradient, curvature = linearize(parameters, active)
    damping = torch.full_like(loss, 1e-2)
    quiet = torch.zeros_like(active)
    iterations = torch.zeros_like(active)
    converged = torch.zeros(n_models, dtype=torch.bool, device=start.device)
    final_loss, norm = loss.clone(), 2 * gradient.norm(dim=1)
    current = parameters
    for _ in range(max_iterations):
        step = _step(gradient, curvature, damping)
        trial = current - step
        trial_loss, trial_gradient, trial_curvature = linearize(trial, active)
        better = trial_loss < loss
        gain = (loss - trial_loss) / loss.clamp_min(torch.finfo(loss.dtype).tiny)
        small = better & (gain < tolerance)
        hopeless = ~better & (damping >= _MOST_DAMPING)
        quiet = torch.where(small, quiet + 1, torch.where(better, 0, quiet))
        quiet = torch.where(hopeless, _QUIET_STEPS, quiet)
        current = torch.where(better[:, None], trial, current)
        gradient = torch.where(better[:, None], trial_gradient, gradient)
        curvature = torch.where(better[:, None, None], trial_curvature, curvature)
        loss = torch.where(better, trial_loss, loss)
        damping = (damping * torch.where(better, 0.2, 5.0)).clamp(_LEAST_DAMPING, _MOST_DAMPING)
        iterations[active] += 1

        parameters[active], final_loss[active] = current, loss
        norm[active] = 2 * gradient.norm(dim=1)
        settled = quiet >= _QUIET_STEPS
        if settled.any():
            report(int(settled.sum()))
            converged[active[settled]] = True
            stay = ~settled
            active = active[stay]
            if not len(active):
                break
            current, gradient, curvature = current[stay], gradient[stay], curvature[stay]
            loss, damping, quiet = loss[stay], damping[stay], quiet[stay]
    report(int((~converged).sum()))
    return parameters, final_loss, norm, iterations, converged


def _step(gradient: Any, curvature: Any, damping: Any) -> Any:
    """Damped Gauss-Newton step; no step where the matrix is not positive definite."""
    diagonal = curvature.diagonal(dim1=1, dim2=2)
    # Scaled by the diagonal, with a floor for parameters that the loss does not feel.
    floor = 1e-3 * diagonal.mean(dim=1, keepdim=True) + 1e-12
    damped = curvature.clone()
    damped.diagonal(dim1=1, dim2=2).add_(damping[:, None] * (diagonal + floor))
    factor, failed = torch.linalg.cholesky_ex(damped)
    step = torch.cholesky_solve(gradient[..., None], factor)[..., 0]
    usable = (failed == 0) & torch.isfinite(step).all(dim=1)
    return torch.where(usable[:, None], step, 0)
