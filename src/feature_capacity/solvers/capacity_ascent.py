"""Total capacity maximized over embeddings, without any use of the theory (section 4.4)."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import minimize

from ..theory.capacity import total_capacity


def climb(starts: np.ndarray) -> np.ndarray:
    """Where the gradient of total capacity leads from each start, by L-BFGS.

    Parameters
    ----------
    starts : array (n_starts, n_dims, n_features)

    Returns
    -------
    array (n_starts, n_dims, n_features)

    Examples
    --------
    >>> start = np.random.default_rng(0).standard_normal((1, 2, 4))
    >>> round(float(total_capacity(climb(start))[0]), 6)
    2.0
    """
    n_dims = starts.shape[1]

    def missing(entries: np.ndarray) -> tuple[float, np.ndarray]:
        W = torch.tensor(entries.reshape(starts.shape[1:]), requires_grad=True)
        rest = n_dims - total_capacity(W)
        rest.backward()
        return rest.item(), W.grad.numpy().ravel()  # type: ignore[union-attr]

    options = {"maxiter": 5000, "maxfun": 6000, "ftol": 0, "gtol": 1e-9}
    ends = [
        minimize(missing, W.ravel(), jac=True, method="L-BFGS-B", options=options).x for W in starts
    ]
    return np.reshape(ends, starts.shape)


def recorded_climb(
    starts: np.ndarray, n_steps: int, rate: float = 0.05
) -> tuple[np.ndarray, np.ndarray]:
    """Gradient ascent on the total capacity, all steps recorded.

    Adam with a step size that falls to zero along a cosine.  The total is computed from the Gram
    matrix, word for word as in equation (3), so that nothing here keeps it below the number of
    dimensions.

    Parameters
    ----------
    starts : array (n_starts, n_dims, n_features)
    n_steps : int
    rate : float
        First step size.

    Returns
    -------
    ends : array (n_starts, n_dims, n_features)
    totals : array (n_steps + 1, n_starts)
        Before each step, and at the end.

    Examples
    --------
    >>> start = np.random.default_rng(0).standard_normal((1, 2, 4))
    >>> ends, totals = recorded_climb(start, 300)
    >>> bool(totals[0, 0] < totals[-1, 0]), round(float(totals[-1, 0]), 3)
    (True, 2.0)
    """
    W = torch.tensor(starts, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([W], lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    totals = []
    for _ in range(n_steps):
        optimizer.zero_grad()
        total = _word_for_word(W)
        (-total.sum()).backward()
        optimizer.step()
        schedule.step()
        totals.append(total.detach().numpy())
    ends = W.detach()
    return ends.numpy(), np.array([*totals, _word_for_word(ends).numpy()])


def _word_for_word(W: torch.Tensor) -> torch.Tensor:
    gram = W.mT @ W
    return (torch.diagonal(gram, dim1=-2, dim2=-1) ** 2 / (gram**2).sum(-1)).sum(-1)
