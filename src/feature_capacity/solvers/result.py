"""What a minimization returns, and how it fails; shared by all solvers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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
        Whether the winner met the solver's stopping rule.
    loss_of_starts : array (*cells, n_starts)
        Loss of every start.  On nodes from coarse to fine, starts that tied on the coarse ones have
        the same loss, and those that were far above theirs at the coarse minimum.
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
