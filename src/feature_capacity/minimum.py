"""What a minimization returns, how it fails, and where it runs; shared by all solvers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch


class ConvergenceError(RuntimeError):
    """Some minimization did not reach its tolerance; the message names the setting to raise."""


@dataclass(frozen=True)
class Minimum:
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


DEVICES = ("auto", "cpu", "cuda", "mps")
"""Where torch may compute; a machine with several CUDA devices also has ``cuda:1`` and so on."""


def pick_device(device: str = "auto", *, float64: bool = True) -> torch.device:
    """Torch device by name; ``auto`` takes CUDA where there is one, then MPS, then the CPU.

    MPS, the graphics processor of a Mac, has no float64 numbers.  What needs them, which is all
    but training by minibatches, is computed by the CPU there.

    Parameters
    ----------
    device : str
        A name in :data:`DEVICES`, or ``cuda:1`` and so on.
    float64 : bool
        Whether float64 numbers are needed.

    Raises
    ------
    ValueError
        For a device that this machine does not have.

    Examples
    --------
    >>> pick_device("cpu").type
    'cpu'
    """
    there = _devices_here()
    if device == "auto":
        device = there[0]
    try:
        chosen = torch.device(device)
        if chosen.type not in there:
            raise RuntimeError(device)
        if chosen.type == "cuda":
            torch.empty(0, device=chosen)  # a number that is not there
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ValueError(
            f"device must be one that this machine has (auto, {', '.join(there)}); got {device!r}"
        ) from error
    return torch.device("cpu") if float64 and chosen.type == "mps" else chosen


def _devices_here() -> list[str]:
    """The kinds of device of this machine, the fastest first."""
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return [*(name for name, here in found.items() if here), "cpu"]
