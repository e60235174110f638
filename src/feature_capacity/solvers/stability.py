"""Whether an embedding is a local minimum of the expected loss, by its exact second derivative."""

from __future__ import annotations

import torch

from .._arrays import ArrayLike


def smallest_curvature(W: ArrayLike, importance: ArrayLike, kurtosis: float) -> float:
    """Smallest eigenvalue of the second derivative of equation (12) over all entries of W.

    Negative means that the loss falls in some direction.  At a minimum it is 0 up to rounding
    rather than positive, since rotating all vectors together changes nothing.
    By automatic differentiation: it shares no formula with ``minimize_quadratic``.

    Parameters
    ----------
    W : array (n_dims, n_features)
    importance : array (n_features,)
    kurtosis : float

    Examples
    --------
    One dimension, two equal features, one of them in it: stable for dense inputs only.

    >>> [round(smallest_curvature([[1.0, 0.0]], [1.0, 1.0], k), 6) for k in (2.0, 9.0)]
    [4.0, -24.0]
    """
    v = torch.as_tensor(importance, dtype=torch.float64)
    start = torch.as_tensor(W, dtype=torch.float64)

    def loss(w: torch.Tensor) -> torch.Tensor:
        gram = w.mT @ w
        n = gram.diagonal()
        return (kurtosis - 1) * ((n - v) ** 2).sum() + 2 * ((gram**2).sum() - (n**2).sum())

    hessian = torch.autograd.functional.hessian(loss, start)
    return float(torch.linalg.eigvalsh(hessian.reshape(start.numel(), start.numel()))[0])
