"""Sums over the nodes of a quadrature as tensor operations: on any device, in any precision.

The same functions as those of :mod:`feature_capacity.solvers.fused_sums`, for what that cannot do.
What takes the time are elementwise passes over arrays (models x nodes).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..models.toy_models import ToyModel
from .nodes import QuadratureTensors, linear_part, parts_of

# A chunk of models whose elementwise arrays stay in cache is faster than one big batch.
_CHUNK_NUMBERS = 200_000


def models_at_a_time(model: ToyModel, quadrature: QuadratureTensors) -> int:
    """How many models to work on together."""
    if quadrature.x.device.type != "cpu":
        return 2**31
    rows = model.n_features if model.kind == "autoencoder" else 2 * model.n_dims
    return max(1, _CHUNK_NUMBERS // (len(quadrature.weight) * rows))


def computation_errors(
    model: ToyModel, W: Tensor, importance: Tensor, quadrature: QuadratureTensors
) -> tuple[Tensor, Tensor]:
    """Expected loss (models,), and half its gradient E[r f'_a x_i] (models, n_dims, n_features).

    Residuals r are centered unless the model has no bias.
    """
    f = parts_of(model, quadrature)[1]
    value, slope = f(W @ quadrature.x.T)
    residual = value.sum(1).addmm_(importance, quadrature.targets(model), alpha=-1)
    if model.bias != "none":
        residual -= (residual @ quadrature.weight)[:, None]
    weighted = residual * quadrature.weight
    missing = W.sum(1) - importance  # residuals of the part that is linear
    drawn = missing @ linear_part(model, quadrature)
    loss = torch.linalg.vecdot(weighted, residual) + (drawn * missing).sum(1)
    return loss, (slope * weighted[:, None, :]) @ quadrature.x + drawn[:, None, :]


def computation_losses(
    model: ToyModel, W: Tensor, importance: Tensor, quadrature: QuadratureTensors
) -> Tensor:
    """The first of :func:`computation_errors` alone."""
    f = parts_of(model, quadrature)[1]
    residual = f(W @ quadrature.x.T)[0].sum(1) - importance @ quadrature.targets(model)
    if model.bias != "none":
        residual -= (residual @ quadrature.weight)[:, None]
    missing = W.sum(1) - importance
    drawn = missing @ linear_part(model, quadrature)
    return residual.square_() @ quadrature.weight + (drawn * missing).sum(1)


def computation_matrix(model: ToyModel, W: Tensor, quadrature: QuadratureTensors) -> Tensor:
    """Gauss-Newton matrix E[J^T J], (models, n_dims * n_features, n_dims * n_features)."""
    slope = parts_of(model, quadrature)[1](W @ quadrature.x.T)[1]
    weighted = slope * quadrature.weight
    d, n = model.n_dims, model.n_features
    size, (a, b) = d * n, np.triu_indices(d)
    both = slope.new_empty(len(slope), len(a), slope.shape[2])
    for k in range(len(a)):
        torch.mul(slope[:, a[k]], weighted[:, b[k]], out=both[:, k])
    n_pairs = len(quadrature.pairs[0])
    blocks = symmetric(both @ quadrature.moments[:, :n_pairs], n, quadrature.pairs)
    matrix = blocks.new_empty(len(blocks), d, d, n, n)
    matrix[:, a, b] = blocks
    matrix[:, b, a] = blocks
    matrix = matrix.transpose(2, 3).reshape(-1, size, size)
    if model.bias != "none":
        mean = (weighted @ quadrature.x).reshape(-1, size)
        matrix = matrix - mean[:, :, None] * mean[:, None, :]
    return matrix + linear_part(model, quadrature).repeat(d, d)


def symmetric(upper: Tensor, n: int, pairs: tuple[Tensor, Tensor]) -> Tensor:
    """Symmetric matrices from their upper triangles."""
    full = upper.new_empty(*upper.shape[:-1], n, n)
    full[..., pairs[0], pairs[1]] = upper
    full[..., pairs[1], pairs[0]] = upper
    return full


def autoencoder_errors(
    model: ToyModel, W: Tensor, bias: Tensor, quadrature: QuadratureTensors
) -> tuple[Tensor, Tensor]:
    """E[r_i^2] (models, n_features) and E[r_i f'_i (x, 1)] (models, n_features, n_features + 1)."""
    value, slope = parts_of(model, quadrature)[1]((W.mT @ W) @ quadrature.x.T + bias[:, :, None])
    residual = value - quadrature.x.T
    weighted = residual * quadrature.weight
    first = quadrature.moments[:, len(quadrature.pairs[0]) :]
    return torch.linalg.vecdot(weighted, residual), (slope * weighted) @ first


def autoencoder_losses(
    model: ToyModel, W: Tensor, bias: Tensor, quadrature: QuadratureTensors
) -> Tensor:
    """The first of :func:`autoencoder_errors` alone."""
    value = parts_of(model, quadrature)[1]((W.mT @ W) @ quadrature.x.T + bias[:, :, None])[0]
    return (value - quadrature.x.T).square_() @ quadrature.weight


def autoencoder_slopes(
    model: ToyModel, W: Tensor, bias: Tensor, quadrature: QuadratureTensors
) -> Tensor:
    """E[f'_i^2 (x x^T, x, 1)], (models, n_features, pairs + n_features + 1)."""
    slope = parts_of(model, quadrature)[1]((W.mT @ W) @ quadrature.x.T + bias[:, :, None])[1]
    return (slope * slope * quadrature.weight) @ quadrature.moments
