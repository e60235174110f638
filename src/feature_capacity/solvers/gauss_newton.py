r"""Loss, gradient and Gauss-Newton matrix of the toy models on a quadrature.

What dominates the cost is elementwise passes over (models x nodes); the second-order information
comes almost for free, because it only needs weighted moments of the inputs:

* computation: :math:`\mathrm E[f'_a f'_b\, x x^T]` for pairs of neurons, one matrix product against
  the products :math:`x_i x_j`, which all models share;
* autoencoder: :math:`K_i = \mathrm E[f_i'^2 x x^T]` and :math:`m_i = \mathrm E[f_i'^2 x]` for every
  output; since the hidden vector is linear in x, the rest are products with W.

Parameters are a matrix (models, n_params): W flattened row by row, then the autoencoder's bias.
One bias for all features, or none, is a linear map P from fewer parameters to these: the gradient
is multiplied by P^T, the matrix by P^T on the left and P on the right.
The computation model's bias is eliminated: at each step it is the best one, so residuals are
centered and their derivatives too.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..models.toy_models import ToyModel
from .batch import Linearization
from .losses_on_nodes import QuadratureTensors, embeddings_of, parts_of, targets


def linearize(
    model: ToyModel,
    parameters: Tensor,
    importance: Tensor,
    quadrature: QuadratureTensors,
    rough: QuadratureTensors | None = None,
) -> Linearization:
    """Expected loss, gradient and Gauss-Newton matrix of every model in the batch.

    Parameters
    ----------
    model : ToyModel
    parameters : tensor, shape (models, n_params)
    importance : tensor, shape (models, n_features)
    quadrature : QuadratureTensors
    rough : QuadratureTensors, optional
        Fewer nodes, for the matrix alone.  It only says how long steps are, so that a rough one
        leads to the same minimum, in a fraction of the time.
    """
    first, second = {"computation": (_computation, _computation_curvature)}.get(
        model.kind, (_autoencoder, _autoencoder_curvature)
    )
    P = _all_parameters(model, parameters) if model.kind == "autoencoder" else None
    if P is not None:
        parameters = parameters @ P.T
    loss, gradient, slope = first(model, parameters, importance, quadrature)
    if rough is not None and rough is not quadrature:
        quadrature, slope = rough, _slopes(model, parameters, rough)
    curvature = second(model, parameters, importance, quadrature, slope)
    if P is not None:
        gradient, curvature = gradient @ P, P.T @ curvature @ P
    return Linearization(loss, gradient, curvature)


def _all_parameters(model: ToyModel, like: Tensor) -> Tensor | None:
    """The map P from the parameters of the model to W and one bias for each feature.

    None where it changes nothing.
    """
    if model.bias == "best":
        return None
    size, n = model.n_dims * model.n_features, model.n_features
    P = like.new_zeros(size + n, size + model.n_bias)
    P[:size, :size].fill_diagonal_(1)
    P[size:, size:] = 1
    return P


def overlap(model: ToyModel, parameters: Tensor) -> Tensor:
    r"""The penalty :math:`\sum_{i\ne j}(w_i\cdot w_j)^2` of every model."""
    W = embeddings_of(model, parameters)
    products = W.mT @ W
    products.diagonal(dim1=1, dim2=2).zero_()
    return (products * products).sum(dim=(1, 2))


def linearize_overlap(model: ToyModel, parameters: Tensor) -> Linearization:
    """The penalty on overlap in the form of :func:`linearize`.

    Its residuals are the inner products, so that it can be added to a loss with any factor.
    """
    size = model.n_dims * model.n_features
    W = embeddings_of(model, parameters)
    products = W.mT @ W
    products.diagonal(dim1=1, dim2=2).zero_()
    n_models, n_params = parameters.shape
    gradient = parameters.new_zeros(n_models, n_params)
    gradient[:, :size] = 2 * (W @ products).reshape(-1, size)
    # J^T J at (a, k), (b, l): W_al W_bk, but for k = l the sum of W_aj W_bj over all other j.
    matrix = torch.einsum("zal,zbk->zakbl", W, W)
    same = matrix.diagonal(dim1=2, dim2=4)
    same.copy_((W @ W.mT)[..., None] - same)
    curvature = parameters.new_zeros(n_models, n_params, n_params)
    curvature[:, :size, :size] = 2 * matrix.reshape(-1, size, size)
    return Linearization((products * products).sum(dim=(1, 2)), gradient, curvature)


def _slopes(model: ToyModel, parameters: Tensor, quadrature: QuadratureTensors) -> Tensor:
    """Slope of every neuron, or of every output, at every node."""
    W = embeddings_of(model, parameters)
    if model.kind == "computation":
        return parts_of(model, quadrature)[1](W @ quadrature.x.T)[1]
    bias = parameters[:, model.n_dims * model.n_features :, None]
    return parts_of(model, quadrature)[1]((W.mT @ W) @ quadrature.x.T + bias)[1]


def _computation(
    model: ToyModel, parameters: Tensor, importance: Tensor, quadrature: QuadratureTensors
) -> tuple[Tensor, Tensor, Tensor]:
    d, n = model.n_dims, model.n_features
    W = embeddings_of(model, parameters)
    factor, f = parts_of(model, quadrature)
    value, slope = f(W @ quadrature.x.T)
    residual = value.sum(1).addmm_(importance, targets(model, quadrature), alpha=-1)
    if model.bias != "none":
        residual -= (residual @ quadrature.weight)[:, None]
    weighted = residual * quadrature.weight
    loss = torch.linalg.vecdot(weighted, residual)
    gradient = ((slope * weighted[:, None, :]) @ quadrature.x).reshape(-1, d * n)
    if factor:  # the part that is linear: residuals are differences of column sums
        missing = W.sum(1) - importance
        pull = factor**2 * missing @ quadrature.second
        loss, gradient = loss + (pull * missing).sum(1), gradient + pull.repeat(1, d)
    return loss, gradient, slope


def _computation_curvature(
    model: ToyModel,
    parameters: Tensor,
    importance: Tensor,
    quadrature: QuadratureTensors,
    slope: Tensor,
) -> Tensor:
    d, n = model.n_dims, model.n_features
    factor = parts_of(model, quadrature)[0]
    weighted = slope * quadrature.weight
    a, b = np.triu_indices(d)
    both = slope.new_empty(len(slope), len(a), slope.shape[2])
    for k in range(len(a)):
        torch.mul(slope[:, a[k]], weighted[:, b[k]], out=both[:, k])
    blocks = _symmetric(
        both @ quadrature.moments[:, : len(quadrature.pairs[0])], n, quadrature.pairs
    )
    curvature = slope.new_empty(len(slope), d, d, n, n)
    curvature[:, a, b] = blocks
    curvature[:, b, a] = blocks
    size = d * n
    curvature = curvature.transpose(2, 3).reshape(-1, size, size)
    if model.bias != "none":
        mean = (weighted @ quadrature.x).reshape(-1, size)
        curvature = curvature - mean[:, :, None] * mean[:, None, :]
    return curvature + factor**2 * quadrature.second.repeat(d, d) if factor else curvature


def _autoencoder(
    model: ToyModel, parameters: Tensor, importance: Tensor, quadrature: QuadratureTensors
) -> tuple[Tensor, Tensor, Tensor]:
    W, bias = embeddings_of(model, parameters), parameters[:, model.n_dims * model.n_features :]
    n = model.n_features
    value, slope = parts_of(model, quadrature)[1]((W.mT @ W) @ quadrature.x.T + bias[:, :, None])
    residual = value - quadrature.x.T
    weighted = residual * quadrature.weight
    loss = (torch.linalg.vecdot(weighted, residual) * importance).sum(1)
    # Row i of `pull` is E[r_i f'_i (x, 1)], weighted by importance.
    first = quadrature.moments[:, len(quadrature.pairs[0]) :]
    pull = ((slope * weighted) @ first) * importance[:, :, None]
    toward, gradient_bias = pull[:, :, :n], pull[:, :, n]
    gradient = torch.cat([(W @ (toward + toward.mT)).flatten(1), gradient_bias], dim=1)
    return loss, gradient, slope


def _autoencoder_curvature(
    model: ToyModel,
    parameters: Tensor,
    importance: Tensor,
    quadrature: QuadratureTensors,
    slope: Tensor,
) -> Tensor:
    d, n = model.n_dims, model.n_features
    W = embeddings_of(model, parameters)
    moments = ((slope * slope * quadrature.weight) @ quadrature.moments) * importance[:, :, None]
    n_pairs = len(quadrature.pairs[0])
    K = _symmetric(moments[:, :, :n_pairs], n, quadrature.pairs)  # (models, i, j, l)
    m, s = moments[:, :, n_pairs:-1], moments[:, :, -1]
    # dr_i/dW_aj = f'_i (h_a [i = j] + W_ai x_j) with h = W x, so J^T J has four parts.
    WK = torch.einsum("zak,zikl->zial", W, K)
    curvature = torch.einsum("zai,zbi,zijl->zajbl", W, W, K)
    cross = torch.einsum("zbj,zjal->zajbl", W, WK)
    curvature += cross
    curvature += cross.permute(0, 3, 4, 1, 2)
    WKW = torch.einsum("zial,zbl->zabi", WK, W)
    curvature.diagonal(dim1=2, dim2=4).add_(WKW)
    with_bias = torch.einsum("zai,zij->zaji", W, m)
    with_bias.diagonal(dim1=2, dim2=3).add_(torch.einsum("zak,zik->zai", W, m))

    size = d * n
    full = W.new_zeros(len(W), size + n, size + n)
    full[:, :size, :size] = curvature.reshape(-1, size, size)
    full[:, :size, size:] = with_bias.reshape(-1, size, n)
    full[:, size:, :size] = full[:, :size, size:].mT
    full.diagonal(dim1=1, dim2=2)[:, size:] = s
    return full


def _symmetric(upper: Tensor, n: int, pairs: tuple[Tensor, Tensor]) -> Tensor:
    """Symmetric matrices from their upper triangles."""
    full = upper.new_empty(*upper.shape[:-1], n, n)
    full[..., pairs[0], pairs[1]] = upper
    full[..., pairs[1], pairs[0]] = upper
    return full
