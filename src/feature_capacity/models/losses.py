"""Expected loss of given models: by plain sampling, and on a quadrature."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from .._arrays import require_whole, to_numpy
from .inputs import SparseInput
from .quadrature import Quadrature
from .toy_models import ToyModel, squared_error


def sampled_loss(
    model: ToyModel,
    W: ArrayLike,
    bias: ArrayLike,
    importance: ArrayLike,
    inputs: SparseInput,
    n_samples: int = 1_000_000,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Expected loss of given models by plain sampling: mean and standard error, float64.

    All models see the same samples, which are drawn in batches.

    Parameters
    ----------
    model : ToyModel
    W : array, shape (n_models, n_dims, n_features)
    bias : array, shape (n_models) or (n_models, n_features)
    importance : array, shape (n_models, n_features)
    inputs : SparseInput
    n_samples, seed : int

    Examples
    --------
    >>> from feature_capacity import SparseUniform, expected_loss
    >>> model, W = ToyModel("computation", "quadratic", 2, 1), np.ones((1, 1, 2))
    >>> mean, error = sampled_loss(model, W, np.zeros(1), np.ones((1, 2)), SparseUniform(0.5))
    >>> exact = expected_loss(W[0], [1, 1], SparseUniform(0.5).kurtosis, bias=0.0)
    >>> bool(abs(mean[0] - exact) < 4 * error[0])
    True
    """
    require_whole(n_samples, "n_samples", 2, None, "a whole number, at least 2")
    networks = _tensors(W, bias, importance)
    n_models = len(networks[0])
    generator = torch.Generator().manual_seed(seed)
    batch = max(1, min(n_samples, 4_000_000 // (n_models * model.n_features)))
    total, squares = torch.zeros(2, n_models, dtype=torch.float64)
    for done in range(0, n_samples, batch):
        size = min(batch, n_samples - done)
        x = inputs.sample((size, model.n_features), generator, dtype=torch.float64)
        loss = squared_error(model, *networks, x)
        total += loss.sum(dim=-1)
        squares += (loss**2).sum(dim=-1)
    mean = total / n_samples
    variance = (squares / n_samples - mean**2).clamp_min(0) * n_samples / (n_samples - 1)
    return to_numpy(mean), to_numpy((variance / n_samples).sqrt())


def quadrature_loss(
    model: ToyModel, W: ArrayLike, bias: ArrayLike, importance: ArrayLike, quadrature: Quadrature
) -> np.ndarray:
    """Expected loss of given models on a quadrature, float64.

    The loss of a minimum on the nodes that it was minimized on is too low by their error; on
    others, or many more, it is not.

    Parameters
    ----------
    model : ToyModel
    W : array, shape (n_models, n_dims, n_features)
    bias : array, shape (n_models) or (n_models, n_features)
    importance : array, shape (n_models, n_features)
    quadrature : Quadrature

    Returns
    -------
    array (n_models)

    Examples
    --------
    >>> from feature_capacity import SparseUniform, expected_loss
    >>> from feature_capacity.models.quadrature import sparse_quadrature
    >>> model, W = ToyModel("computation", "quadratic", 2, 1), np.ones((1, 1, 2))
    >>> quadrature = sparse_quadrature(SparseUniform(0.5), 2)
    >>> loss = quadrature_loss(model, W, np.zeros(1), np.ones((1, 2)), quadrature)
    >>> exact = expected_loss(W[0], [1, 1], SparseUniform(0.5).kurtosis, bias=0.0)
    >>> bool(abs(loss[0] - exact) < 1e-12)
    True
    """
    networks, x = _tensors(W, bias, importance), torch.from_numpy(quadrature.x)
    error = squared_error(model, *networks, x)
    if quadrature.mirrored:
        error = (error + squared_error(model, *networks, -x)) / 2
    return to_numpy(error @ torch.from_numpy(quadrature.weight))


def _tensors(W: ArrayLike, bias: ArrayLike, importance: ArrayLike) -> tuple[Tensor, Tensor, Tensor]:
    W, bias, importance = (torch.from_numpy(to_numpy(x)) for x in (W, bias, importance))
    return W, bias, importance
