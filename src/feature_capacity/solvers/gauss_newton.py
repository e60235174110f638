r"""Loss, gradient and Gauss-Newton matrix of the toy models on a quadrature.

What takes the time are the sums over nodes, of :mod:`.fused_sums` or :mod:`.tensor_sums`.  The
second-order information only needs weighted moments of the inputs, which can be taken on few nodes:

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

import torch
from torch import Tensor

from ..models.toy_models import ToyModel
from .batch import Linearization
from .nodes import QuadratureTensors, embeddings_of
from .sums import sums_for
from .tensor_sums import symmetric


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
    if model.kind == "computation":
        return _computation(model, parameters, importance, quadrature, rough or quadrature)
    P = _all_parameters(model, parameters)
    if P is None:
        return _autoencoder(model, parameters, importance, quadrature, rough or quadrature)
    whole = _autoencoder(model, parameters @ P.T, importance, quadrature, rough or quadrature)
    return Linearization(whole.loss, whole.gradient @ P, P.T @ whole.curvature @ P)


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


def _computation(
    model: ToyModel,
    parameters: Tensor,
    importance: Tensor,
    quadrature: QuadratureTensors,
    rough: QuadratureTensors,
) -> Linearization:
    W = embeddings_of(model, parameters)
    loss, pull = sums_for(model, quadrature).computation_errors(model, W, importance, quadrature)
    matrix = sums_for(model, rough).computation_matrix(model, W, rough)
    return Linearization(loss, pull.flatten(1), matrix)


def _autoencoder(
    model: ToyModel,
    parameters: Tensor,
    importance: Tensor,
    quadrature: QuadratureTensors,
    rough: QuadratureTensors,
) -> Linearization:
    d, n = model.n_dims, model.n_features
    W, bias = embeddings_of(model, parameters), parameters[:, d * n :]
    squared, pull = sums_for(model, quadrature).autoencoder_errors(model, W, bias, quadrature)
    loss = (squared * importance).sum(1)
    # Row i of `pull` is E[r_i f'_i (x, 1)], weighted by importance.
    pull = pull * importance[:, :, None]
    toward, gradient_bias = pull[:, :, :n], pull[:, :, n]
    gradient = torch.cat([(W @ (toward + toward.mT)).flatten(1), gradient_bias], dim=1)

    slopes = sums_for(model, rough).autoencoder_slopes(model, W, bias, rough)
    moments = slopes * importance[:, :, None]
    n_pairs = len(rough.pairs[0])
    K = symmetric(moments[:, :, :n_pairs], n, rough.pairs)  # (models, i, j, l)
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
    return Linearization(loss, gradient, full)
