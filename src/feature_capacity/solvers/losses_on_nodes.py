"""Loss of many models on a quadrature, without derivatives, and the bias that goes with them."""

from __future__ import annotations

from torch import Tensor

from ..models.toy_models import ToyModel
from .nodes import QuadratureTensors, embeddings_of, parts_of
from .sums import sums_for


def losses(
    model: ToyModel, parameters: Tensor, importance: Tensor, quadrature: QuadratureTensors
) -> Tensor:
    """Expected loss of every model, (models,); arguments as of :func:`.gauss_newton.linearize`."""
    if model.kind == "autoencoder":
        return (squared_errors(model, parameters, quadrature) * importance).sum(1)
    W = embeddings_of(model, parameters)
    return sums_for(model, quadrature).computation_losses(model, W, importance, quadrature)


def squared_errors(model: ToyModel, parameters: Tensor, quadrature: QuadratureTensors) -> Tensor:
    """The autoencoder's mean squared error of every feature, (models, n_features).

    Its loss is the sum of these times importances: linear in importance, so that the lowest loss is
    concave in it.
    """
    W = embeddings_of(model, parameters)
    bias = best_bias(model, parameters, W, quadrature)
    return sums_for(model, quadrature).autoencoder_losses(model, W, bias, quadrature)


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
    target = importance @ quadrature.targets(model)
    return (target - output) @ quadrature.weight
