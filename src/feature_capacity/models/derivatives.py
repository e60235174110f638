"""Derivatives of a measure of embeddings, by automatic differentiation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.autograd.functional import jacobian

Measure = Callable[[Tensor], Tensor]
"""From an embedding to a number for each feature."""


def slopes(measure: Measure, W: np.ndarray) -> np.ndarray:
    """Derivatives of all values by all entries of the embedding.

    Parameters
    ----------
    measure : callable
        From a tensor of shape (n_dims, n_features) to one of shape (n_features,).
    W : array, shape (n_dims, n_features)

    Returns
    -------
    array, shape (n_features, n_dims, n_features)

    Examples
    --------
    >>> slopes(lambda W: (W**2).sum(0), np.array([[3.0, 1.0]]))
    array([[[6., 0.]],
    <BLANKLINE>
           [[0., 2.]]])
    """
    return jacobian(measure, torch.as_tensor(W)).numpy()


def bend(measure: Measure, W: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Second derivative along a straight line through the embedding.

    Parameters
    ----------
    measure : callable
        As in :func:`slopes`.
    W, direction : array, shape (n_dims, n_features)

    Returns
    -------
    array, shape (n_features,)

    Examples
    --------
    >>> bend(lambda W: (W**2).sum(0), np.array([[3.0, 1.0]]), np.array([[1.0, 2.0]]))
    array([2., 8.])
    """
    start, along = torch.as_tensor(W), torch.as_tensor(direction)

    def slope(t: Tensor) -> Tensor:
        return jacobian(lambda t: measure(start + t * along), t, create_graph=True)

    here = torch.zeros((), dtype=torch.float64)
    return jacobian(slope, here).numpy()
