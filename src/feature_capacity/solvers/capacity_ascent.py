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
