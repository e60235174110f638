"""Loss of many models on a quadrature, without derivatives, and the bias that goes with them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ..models.activations import Activation, linear_and_even, with_slope
from ..models.quadrature import Quadrature
from ..models.toy_models import ToyModel


@dataclass(frozen=True, eq=False)
class QuadratureTensors:
    """A quadrature as tensors, with what all models of a batch share."""

    x: Tensor  # (nodes, features)
    weight: Tensor  # (nodes,)
    moments: Tensor  # (nodes, pairs + features + 1): products x_i x_j (i <= j), x, 1
    pairs: tuple[Tensor, Tensor]  # the i and j of the products
    second: Tensor  # (features, features): E[x x^T]
    mirrored: bool  # whether each node stands for its opposite too


def quadrature_tensors(
    quadrature: Quadrature, dtype: torch.dtype, device: torch.device
) -> QuadratureTensors:
    """Move a quadrature to a device and form the shared products."""
    x = torch.from_numpy(quadrature.x).to(device, dtype)
    weight = torch.from_numpy(quadrature.weight).to(device, dtype)
    i, j = (torch.from_numpy(index).to(device) for index in np.triu_indices(x.shape[1]))
    moments = torch.cat([x[:, i] * x[:, j], x, torch.ones_like(x[:, :1])], dim=1)
    second = (x * weight[:, None]).T @ x
    return QuadratureTensors(x, weight, moments, (i, j), second, quadrature.mirrored)


def embeddings_of(model: ToyModel, parameters: Tensor) -> Tensor:
    """The matrices W among the parameters, shape (models, n_dims, n_features)."""
    size = model.n_dims * model.n_features
    return parameters[:, :size].view(-1, model.n_dims, model.n_features)


def parts_of(model: ToyModel, quadrature: QuadratureTensors) -> tuple[float, Activation]:
    """The activation as a factor of z, and the rest, which is even where nodes are mirrored."""
    if not quadrature.mirrored:
        return 0.0, with_slope(model.activation)
    parts = linear_and_even(model.activation) if model.kind == "computation" else None
    if parts is None:
        raise ValueError(f"mirrored nodes are not for this model: {model.name}")
    return parts


# On many nodes only a few models are worked on at a time, and this is as long as one of them.
@lru_cache(maxsize=4)
def targets(model: ToyModel, quadrature: QuadratureTensors) -> Tensor:
    """The computation model's f(x_i) at every node, (features, nodes)."""
    return parts_of(model, quadrature)[1](quadrature.x)[0].T


def losses(
    model: ToyModel, parameters: Tensor, importance: Tensor, quadrature: QuadratureTensors
) -> Tensor:
    """Expected loss of every model, (models,); arguments as of :func:`.gauss_newton.linearize`."""
    if model.kind == "autoencoder":
        return (squared_errors(model, parameters, quadrature) * importance).sum(1)
    W, x = embeddings_of(model, parameters), quadrature.x
    factor, f = parts_of(model, quadrature)
    residual = f(W @ x.T)[0].sum(1) - importance @ targets(model, quadrature)
    if model.bias != "none":
        residual -= (residual @ quadrature.weight)[:, None]
    loss = residual.square_() @ quadrature.weight
    if factor:
        linear = W.sum(1) - importance
        loss += factor**2 * ((linear @ quadrature.second) * linear).sum(1)
    return loss


def squared_errors(model: ToyModel, parameters: Tensor, quadrature: QuadratureTensors) -> Tensor:
    """The autoencoder's mean squared error of every feature, (models, n_features).

    Its loss is the sum of these times importances: linear in importance, so that the lowest loss is
    concave in it.
    """
    W = embeddings_of(model, parameters)
    bias = best_bias(model, parameters, W, quadrature)
    value = with_slope(model.activation)((W.mT @ W) @ quadrature.x.T + bias[:, :, None])[0]
    return (value - quadrature.x.T).square_() @ quadrature.weight


def best_bias(
    model: ToyModel, parameters: Tensor, importance: Tensor, quadrature: QuadratureTensors
) -> Tensor:
    """The bias that goes with the parameters: read off, or the best one; 0 for a model without."""
    if model.bias == "none":
        return parameters.new_zeros(len(parameters), *model.bias_shape)
    if model.kind == "autoencoder":
        return parameters[:, model.n_dims * model.n_features :].expand(-1, model.n_features)
    f = parts_of(model, quadrature)[1]
    output = f(embeddings_of(model, parameters) @ quadrature.x.T)[0].sum(1)
    target = importance @ targets(model, quadrature)
    return (target - output) @ quadrature.weight
