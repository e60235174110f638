"""Loss, gradient and Gauss-Newton matrix, against automatic differentiation and samples."""

import numpy as np
import pytest
import torch

import feature_capacity as fc
from feature_capacity.models.activations import ACTIVATIONS, with_slope
from feature_capacity.models.losses import sampled_loss
from feature_capacity.models.quadrature import sparse_quadrature
from feature_capacity.models.toy_models import BIASES, KINDS, ToyModel, output, squared_error
from feature_capacity.solvers.gauss_newton import (
    best_bias,
    embeddings_of,
    linearize,
    linearize_overlap,
    quadrature_tensors,
)

from ..tolerances import DIFFERENCES, STANDARD_ERRORS

CPU = torch.device("cpu")


def some_models(model, n_models):
    """Random parameters with a bias that is not zero, importances, and both as tensors."""
    rng = np.random.default_rng(0)
    size = model.n_dims * model.n_features
    parameters = torch.from_numpy(0.6 * rng.standard_normal((n_models, size + model.n_bias)))
    return parameters, torch.from_numpy(np.exp(rng.standard_normal((n_models, model.n_features))))


def residuals(model, parameters, v, quadrature):
    """Importance-weighted residuals of one model; the computation model has its best bias."""
    W = parameters[: model.n_dims * model.n_features].view(model.n_dims, model.n_features)
    zero = torch.zeros((), dtype=W.dtype)
    if model.kind == "computation":
        target = (v * with_slope(model.activation)(quadrature.x)[0]).sum(-1)
        missing = target - output(model, W, zero, quadrature.x)
        return (0 if model.bias == "none" else missing @ quadrature.weight) - missing
    free = parameters[model.n_dims * model.n_features :]
    bias = {"best": lambda: free, "shared": lambda: free[0] + 0 * v, "none": lambda: 0 * v}
    return (output(model, W, bias[model.bias](), quadrature.x) - quadrature.x) * v.sqrt()


@pytest.mark.slow
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_on_nodes_is_that_of_ten_million_samples(kind, activation):
    model = ToyModel(kind, activation, 3, 2)
    inputs = (fc.SparseUniform if kind == "computation" else fc.UnitSparseUniform)(0.3)
    parameters, v = some_models(model, 1)
    quadrature = quadrature_tensors(sparse_quadrature(inputs, 3), torch.float64, CPU)
    loss = linearize(model, parameters, v, quadrature).loss
    W, bias = embeddings_of(model, parameters), best_bias(model, parameters, v, quadrature)
    mean, error = sampled_loss(model, W, bias, v, inputs, 10_000_000)
    assert abs(mean[0] - loss[0]) < STANDARD_ERRORS * error[0]


def test_the_quadratic_loss_on_nodes_is_equation_12():
    model, inputs = ToyModel("computation", "quadratic", 4, 2), fc.SparseUniform(0.3)
    parameters, v = some_models(model, 3)
    quadrature = quadrature_tensors(sparse_quadrature(inputs, 4, negligible=0), torch.float64, CPU)
    loss = linearize(model, parameters, v, quadrature).loss
    exact = fc.expected_loss(parameters.view(3, 2, 4), v, inputs.kurtosis)
    torch.testing.assert_close(loss, exact, rtol=1e-3, atol=0)


@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_gradient_and_matrix_are_those_of_automatic_differentiation(kind, activation, bias):
    model = ToyModel(kind, activation, 4, 2, bias)
    coarse = sparse_quadrature(fc.SparseUniform(0.4), 4, n_points=256)
    quadrature = quadrature_tensors(coarse, torch.float64, CPU)
    parameters, v = some_models(model, 3)
    at = linearize(model, parameters, v, quadrature)
    for m in range(3):

        def of(q, m=m):
            return residuals(model, q, v[m], quadrature).reshape(len(quadrature.x), -1)

        r, J = of(parameters[m]), torch.func.jacrev(of)(parameters[m])
        w = quadrature.weight
        torch.testing.assert_close(at.loss[m], (w[:, None] * r**2).sum())
        torch.testing.assert_close(at.gradient[m], torch.einsum("n,nk,nkp->p", w, r, J))
        torch.testing.assert_close(at.curvature[m], torch.einsum("n,nkp,nkq->pq", w, J, J))
        exact = torch.func.grad(lambda q, w=w, of=of: (w[:, None] * of(q) ** 2).sum())(
            parameters[m]
        )
        torch.testing.assert_close(2 * at.gradient[m], exact)


def test_penalty_on_overlap_is_that_of_automatic_differentiation():
    model = ToyModel("autoencoder", "relu", 4, 2)
    parameters, _ = some_models(model, 3)
    at = linearize_overlap(model, parameters)

    def products(q):
        W = q[:8].view(2, 4)
        return (W.mT @ W)[~torch.eye(4, dtype=torch.bool)]

    for m, q in enumerate(parameters):
        r, J = products(q), torch.func.jacrev(products)(q)
        torch.testing.assert_close(at.loss[m], r @ r)
        torch.testing.assert_close(at.gradient[m], J.mT @ r)
        torch.testing.assert_close(at.curvature[m], J.mT @ J)


def test_the_best_bias_cannot_be_bettered():
    model = ToyModel("computation", "relu", 4, 2)
    quadrature = quadrature_tensors(sparse_quadrature(fc.SparseUniform(0.4), 4), torch.float64, CPU)
    parameters, v = some_models(model, 1)
    best = best_bias(model, parameters, v, quadrature)
    W = parameters.view(1, 2, 4)
    at, below, above = (
        float(squared_error(model, W, best + step, v, quadrature.x)[0] @ quadrature.weight)
        for step in (0, -1e-3, 1e-3)
    )
    assert below - at == pytest.approx(1e-6, rel=DIFFERENCES)
    assert above - at == pytest.approx(1e-6, rel=DIFFERENCES)
