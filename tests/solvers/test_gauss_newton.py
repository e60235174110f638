"""Loss, gradient and Gauss-Newton matrix, against automatic differentiation and samples."""

import numpy as np
import pytest
import torch

import feature_capacity as fc
from feature_capacity.models.activations import ACTIVATIONS, with_slope
from feature_capacity.models.losses import quadrature_loss, sampled_loss
from feature_capacity.models.quadrature import Quadrature, moment_quadrature, sparse_quadrature
from feature_capacity.models.toy_models import BIASES, KINDS, ToyModel, output, squared_error
from feature_capacity.solvers.gauss_newton import linearize, linearize_overlap
from feature_capacity.solvers.losses_on_nodes import best_bias, losses
from feature_capacity.solvers.nodes import embeddings_of, quadrature_tensors

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


@pytest.mark.parametrize("activation", ["quadratic", "relu", "gelu", "abs"])
def test_mirrored_nodes_are_nodes_with_their_opposites(activation):
    """Loss, gradient and matrix of the even part and the linear one, against the whole."""
    model = ToyModel("computation", activation, 4, 2)
    half = sparse_quadrature(fc.SparseUniform(0.4), 4, n_points=256, mirrored=True)
    assert (half.x @ [8, 4, 2, 1] != 0).sum() == len(half.x) - 1
    both = Quadrature(np.r_[half.x, -half.x], np.r_[half.weight, half.weight] / 2, True, 0.0)
    one, two = (quadrature_tensors(q, torch.float64, CPU) for q in (half, both))
    parameters, v = some_models(model, 3)
    for name, wanted in vars(linearize(model, parameters, v, two)).items():
        found = getattr(linearize(model, parameters, v, one), name)
        torch.testing.assert_close(found, wanted, msg=name)
    torch.testing.assert_close(*(best_bias(model, parameters, v, q) for q in (one, two)))
    torch.testing.assert_close(
        losses(model, parameters, v, one), linearize(model, parameters, v, one).loss
    )
    W = embeddings_of(model, parameters).numpy()
    ours = (quadrature_loss(model, W, np.ones(3), v.numpy(), q) for q in (half, both))
    np.testing.assert_allclose(*ours, rtol=1e-12)


@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_alone_is_that_of_a_step_and_rough_nodes_change_only_the_matrix(
    kind, activation, bias
):
    model = ToyModel(kind, activation, 4, 2, bias)
    fine, rough = (
        quadrature_tensors(sparse_quadrature(fc.SparseUniform(0.4), 4, n), torch.float64, CPU)
        for n in (512, 64)
    )
    parameters, v = some_models(model, 3)
    whole, mixed = (
        linearize(model, parameters, v, fine),
        linearize(model, parameters, v, fine, rough),
    )
    torch.testing.assert_close(losses(model, parameters, v, fine), whole.loss)
    torch.testing.assert_close(mixed.loss, whole.loss)
    torch.testing.assert_close(mixed.gradient, whole.gradient)
    torch.testing.assert_close(mixed.curvature, linearize(model, parameters, v, rough).curvature)


def test_mirrored_nodes_are_refused_where_opposites_differ():
    with pytest.raises(ValueError, match="as likely as their opposites"):
        sparse_quadrature(fc.UnitSparseUniform(0.4), 4, mirrored=True)
    half = quadrature_tensors(
        sparse_quadrature(fc.SparseUniform(0.4), 4, mirrored=True), torch.float64, CPU
    )
    for model in (ToyModel("computation", "tanh", 4, 2), ToyModel("autoencoder", "relu", 4, 2)):
        with pytest.raises(ValueError, match="mirrored nodes are not for this model"):
            linearize(model, *some_models(model, 1), half)


def test_the_quadratic_autoencoder_is_exact_on_moment_nodes():
    """Against Gauss rules of ten points for each of two active features."""
    model, inputs = ToyModel("autoencoder", "quadratic", 2, 1), fc.UnitSparseUniform(0.3)
    u, w = np.polynomial.legendre.leggauss(10)
    values, weight = np.r_[0, (u + 1) / 2], np.r_[0.7, 0.3 * w / 2]
    grid = Quadrature(
        np.array([[a, b] for a in values for b in values]),
        np.outer(weight, weight).ravel(),
        True,
        0,
    )
    rule = moment_quadrature(inputs, 2, negligible=0)
    parameters, v = some_models(model, 3)
    exact, ours = (
        linearize(model, parameters, v, quadrature_tensors(q, torch.float64, CPU))
        for q in (grid, rule)
    )
    for name, wanted in vars(exact).items():
        torch.testing.assert_close(getattr(ours, name), wanted, msg=name)


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
