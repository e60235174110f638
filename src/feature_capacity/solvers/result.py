"""What a minimization returns, and how it fails; shared by all solvers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from .._arrays import to_numpy
from ..theory.capacity import capacities
from .batch import Minima


class ConvergenceError(RuntimeError):
    """Some minimization did not reach its tolerance; the message names the setting to raise."""


@dataclass(frozen=True)
class MinimizationResult:
    """The best local minimum found in every cell.  All fields are NumPy arrays.

    Attributes
    ----------
    W : array (*cells, n_dims, n_features)
        Embedding of the best start.
    bias : array (*cells) or (*cells, n_features)
        Its bias.
    loss : array (*cells)
        Its expected loss.
    capacity : array (*cells, n_features)
        Its capacities, equation (3).
    best_start : integer array (*cells)
        Index of the start that won.
    n_near_best : integer array (*cells)
        Starts whose loss is within 1 % of the best, the winner included.
    iterations : integer array (*cells)
        Steps tried by the winner.
    gradient_norm : array (*cells)
        Norm of its gradient, in the units that the solver's ``tolerance`` has.
    converged : boolean array (*cells)
        Whether the winner met the solver's stopping rule, and all its numbers are finite.
    loss_of_starts : array (*cells, n_starts)
        Loss of every start.  On quadratures from coarse to fine, starts that tied on the coarse one
        have the same loss, and those that were far above theirs at the coarse minimum.
    all_masks : boolean array (*cells)
        Whether the loss sums over all on/off masks; False where masks were sampled.
    dropped : array (*cells)
        Share of the second moment that the masks left out as negligible carry.
    """

    W: np.ndarray
    bias: np.ndarray
    loss: np.ndarray
    capacity: np.ndarray
    best_start: np.ndarray
    n_near_best: np.ndarray
    iterations: np.ndarray
    gradient_norm: np.ndarray
    converged: np.ndarray
    loss_of_starts: np.ndarray
    all_masks: np.ndarray
    dropped: np.ndarray


def of_winners(
    minima: Minima, winner: Tensor, W: np.ndarray, bias: np.ndarray, slack: Tensor | float = 0.0
) -> MinimizationResult:
    """The record of the cells whose starts stand one after the other in ``minima``.

    ``winner`` has the index of the best start of each cell, whose matrix and bias are given.
    Starts whose losses differ by no more than ``slack``, shape (cells, 1), are equally good.
    """
    won, n_cells = minima[winner], len(winner)
    losses = minima.loss.view(n_cells, -1)
    near = losses <= 1.01 * won.loss[:, None] + slack
    # In the units of the cell, numbers may be too large that were none while it was solved.
    finite = np.isfinite(np.c_[W.reshape(n_cells, -1), bias.reshape(n_cells, -1)]).all(axis=1)
    return MinimizationResult(
        W=W,
        bias=bias,
        loss=to_numpy(won.loss),
        capacity=to_numpy(capacities(W)),
        best_start=(winner % losses.shape[1]).numpy(force=True),
        n_near_best=near.sum(dim=1).numpy(force=True),
        iterations=won.iterations.numpy(force=True),
        gradient_norm=to_numpy(won.gradient_norm),
        converged=(won.converged & won.finite).numpy(force=True) & finite,
        loss_of_starts=to_numpy(losses),
        all_masks=np.ones(n_cells, dtype=bool),
        dropped=np.zeros(n_cells),
    )


def join(parts: Sequence[MinimizationResult], cells: tuple[int, ...]) -> MinimizationResult:
    """One record of all cells, in their shape, from those of parts of them."""
    columns = zip(*(vars(part).values() for part in parts), strict=True)
    joined = (np.concatenate(arrays) for arrays in columns)
    return MinimizationResult(*(x.reshape((*cells, *x.shape[1:])) for x in joined))


def require_converged(result: MinimizationResult, tolerance: float, max_iterations: int) -> None:
    """Raise :class:`ConvergenceError` unless the best start of every cell has converged."""
    converged = result.converged
    if broken := int((~np.isfinite(result.loss + result.gradient_norm)).sum()):
        raise ConvergenceError(
            f"{broken} of {converged.size} cells have a loss or a gradient that is not finite; "
            "scale their importances or inputs, or take dtype float64"
        )
    if not converged.all():
        raise ConvergenceError(
            f"{(~converged).sum()} of {converged.size} cells did not reach tolerance {tolerance:g} "
            f"in {max_iterations} steps; raise max_iterations or tolerance"
        )
