"""Toy models, nonlinearities, nodes, the solver and training, each against another route."""

import math
import re

import numpy as np
import pytest
import torch

import feature_capacity as fc
from feature_capacity.models.activations import ACTIVATIONS, with_slope
from feature_capacity.models.quadrature import sparse_quadrature
from feature_capacity.models.toy_models import BIASES, KINDS, ToyModel, output, squared_error
from feature_capacity.models.training import sampled_loss, train
from feature_capacity.solvers import minimization as solvers
from feature_capacity.solvers.gauss_newton import (
    best_bias,
    linearize,
    linearize_overlap,
    quadrature_tensors,
)
from feature_capacity.solvers.levenberg_marquardt import levenberg_marquardt
from feature_capacity.solvers.minimization import minimize, random_starts
from feature_capacity.solvers.result import ConvergenceError
from feature_capacity.theory.phases import one_feature_varied

from ..tolerances import DIFFERENCES, NEW_NODES, NEWTON, OPTIMIZER, ROUNDING, STANDARD_ERRORS

FAMILIES = (fc.SparseUniform, fc.SparseNormal, fc.UnitSparseUniform)
CPU = torch.device("cpu")


def generator(seed=0):
    return np.random.default_rng(seed)


def some_models(model, n_models, seed=0):
    """Random parameters with a bias that is not zero, importances, and both as tensors."""
    rng = generator(seed)
    size = model.n_dims * model.n_features
    parameters = torch.from_numpy(0.6 * rng.standard_normal((n_models, size + model.n_bias)))
    return parameters, torch.from_numpy(np.exp(rng.standard_normal((n_models, model.n_features))))


# Models


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_of_models_is_a_loop_over_samples_and_neurons(kind):
    model, rng = ToyModel(kind, "gelu", 4, 2), generator()
    W, x = rng.standard_normal((3, 2, 4)), rng.standard_normal((5, 4))
    bias, v = rng.standard_normal((3, *model.bias_shape)), rng.random((3, 4))
    batch = squared_error(model, *(torch.from_numpy(np.asarray(a)) for a in (W, bias, v, x)))

    def gelu(z):
        return z * 0.5 * (1 + math.erf(z / math.sqrt(2)))

    for m in range(3):
        for s in range(5):
            hidden = [sum(W[m, a, i] * x[s, i] for i in range(4)) for a in range(2)]
            if kind == "computation":
                said = sum(map(gelu, hidden)) + bias[m]
                loss = (said - sum(v[m, i] * gelu(x[s, i]) for i in range(4))) ** 2
            else:
                said = [
                    gelu(sum(W[m, a, i] * hidden[a] for a in range(2)) + bias[m, i])
                    for i in range(4)
                ]
                loss = sum(v[m, i] * (said[i] - x[s, i]) ** 2 for i in range(4))
            assert float(batch[m, s]) == pytest.approx(loss, rel=ROUNDING)


def test_the_computation_model_adds_up_what_the_autoencoder_keeps_apart():
    x = torch.from_numpy(generator().standard_normal((7, 3)))
    W, zero = torch.eye(3, dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    added = output(ToyModel("computation", "relu", 3, 3), W, zero, x)
    apart = output(ToyModel("autoencoder", "relu", 3, 3), W, zero.expand(3), x)
    torch.testing.assert_close(added, apart.sum(dim=-1))


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("transformer",), "computation, autoencoder"),
        (("autoencoder", "rleu"), "did you mean 'relu'"),
        (("autoencoder", "relu", 2, 3), "number of features"),
        (("autoencoder", "relu", 2, 0), "n_dims"),
        (("autoencoder", "relu", 2, 1, "learned"), "bias must be one of best, shared, none"),
        (("computation", "relu", 2.5), "n_features"),
    ],
)
def test_models_that_do_not_exist(arguments, word):
    with pytest.raises(ValueError, match=word):
        ToyModel(*arguments)


# Nonlinearities


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_are_derivatives(name):
    z = torch.linspace(-4, 4, 82, dtype=torch.float64, requires_grad=True)  # not at 0
    value, slope = with_slope(name)(z)
    torch.testing.assert_close(slope, torch.autograd.grad(value.sum(), z)[0])


def test_named_activations_are_those_of_torch():
    z = torch.linspace(-4, 4, 81, dtype=torch.float64)
    for name, theirs in {
        "relu": torch.relu, "gelu": torch.nn.functional.gelu, "tanh": torch.tanh, "abs": torch.abs,
        "quadratic": torch.square,
    }.items():  # fmt: skip
        torch.testing.assert_close(with_slope(name)(z)[0], theirs(z))


def test_any_torch_function_will_do():
    found = minimize(
        ToyModel("computation", torch.square, 3, 2), fc.SparseUniform(0.2), [[2, 1, 1]], seed=1
    )
    named = minimize(
        ToyModel("computation", "quadratic", 3, 2), fc.SparseUniform(0.2), [[2, 1, 1]], seed=1
    )
    np.testing.assert_allclose(found.capacity, named.capacity, atol=1e-3)


# Nodes


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("p", [0.003, 0.2, 1.0])
def test_nodes_have_the_moments_of_the_inputs(family, p):
    inputs = family(p)
    nodes = sparse_quadrature(inputs, 5)
    assert nodes.all_masks
    assert (nodes.weight > 0).all()
    assert nodes.weight.sum() == pytest.approx(1, abs=ROUNDING)
    assert nodes.dropped <= 1e-6
    # Means and variances are exact but for dropped masks; where few nodes serve many active
    # features, higher moments are as good as Sobol points make them.
    exact = max(100 * nodes.dropped, 1e-9)
    for power in (1, 2, 3, 4):
        measured = nodes.weight @ nodes.x**power
        size = inputs.moment(power + power % 2) ** (power / (power + power % 2))
        slack = exact if power <= 2 else 1e-3
        np.testing.assert_allclose(measured, inputs.moment(power), atol=slack * size)
    products = (nodes.x * nodes.weight[:, None]).T @ nodes.x
    apart = ~np.eye(5, dtype=bool)
    np.testing.assert_allclose(products[apart], inputs.mean**2, atol=1e-3 * inputs.moment(2))


def test_nodes_are_the_same_for_one_seed_and_others_for_another():
    one, same, other = (sparse_quadrature(fc.SparseUniform(0.5), 6, seed=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(one.x, same.x)
    assert one.x.shape != other.x.shape or not np.array_equal(one.x, other.x)


def test_masks_are_drawn_where_there_are_too_many():
    nodes = sparse_quadrature(fc.SparseUniform(0.4), 16, n_points=64, n_masks=64)
    assert not nodes.all_masks
    assert nodes.weight @ (nodes.x**2).sum(axis=1) == pytest.approx(16, rel=0.05)


def test_a_minimum_says_whether_masks_were_sampled_or_dropped():
    model, v = ToyModel("autoencoder", "relu", 14, 2), np.ones((1, 14))
    nodes = sparse_quadrature(fc.UnitSparseUniform(0.3), 14, n_points=64, n_masks=16)
    found = minimize(model, fc.UnitSparseUniform(0.3), v, n_starts=1, nodes=nodes, max_iterations=2)
    assert not found.all_masks.any()
    assert found.dropped == pytest.approx(nodes.dropped)
    small = minimize(ToyModel("autoencoder", "relu", 3, 2), fc.UnitSparseUniform(0.3), v[:, :3])
    assert small.all_masks.all()


def test_a_generous_bound_drops_masks_and_says_how_much():
    some, all_ = (sparse_quadrature(fc.SparseUniform(0.1), 6, negligible=t) for t in (1e-2, 0))
    assert all_.dropped == 0
    assert 0 < some.dropped <= 1e-2
    assert (some.x != 0).sum(axis=1).max() < (all_.x != 0).sum(axis=1).max() == 6


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_on_nodes_is_that_of_ten_million_samples(kind, activation):
    model = ToyModel(kind, activation, 3, 2)
    inputs = (fc.SparseUniform if kind == "computation" else fc.UnitSparseUniform)(0.3)
    parameters, v = some_models(model, 1)
    nodes = quadrature_tensors(sparse_quadrature(inputs, 3), torch.float64, CPU)
    loss, _, _ = linearize(model, parameters, v, nodes)
    mean, error = sampled_loss(
        model, parameters[:, :6].view(1, 2, 3), best_bias(model, parameters, v, nodes), v, inputs,
        10_000_000,
    )  # fmt: skip
    assert abs(mean[0] - loss[0]) < STANDARD_ERRORS * error[0]


def test_fresh_nodes_share_nothing_with_another_seed():
    inputs = fc.SparseUniform(0.2)
    one, other = (sparse_quadrature(inputs, 3, seed=seed, gauss=False).x for seed in (0, 1))
    active = [{value for value in x.ravel() if value} for x in (one, other)]
    assert not active[0] & active[1]
    common = [{*sparse_quadrature(inputs, 3, seed=seed).x.ravel()} - {0.0} for seed in (0, 1)]
    assert common[0] & common[1], "Gauss nodes are no draw"


@pytest.mark.parametrize("activation", ["quadratic", "relu", "gelu", "tanh"])
@pytest.mark.parametrize("kind", KINDS)
def test_capacities_hardly_move_when_the_nodes_are_drawn_anew(kind, activation):
    model, n_points = ToyModel(kind, activation, 6, 3), 16384 if activation == "tanh" else 4096
    family = fc.SparseUniform if kind == "computation" else fc.UnitSparseUniform
    moved = []
    for p in (0.03, 0.3):
        v = one_feature_varied(np.geomspace(0.3, 3, 4), 6)
        nodes = solvers.coarse_to_fine(family(p), 6, n_points)
        found = minimize(model, family(p), v, n_starts=2, nodes=nodes)
        starts = found.W.reshape(len(v), 1, -1)
        if kind == "autoencoder":
            starts = np.concatenate([starts, found.bias[:, None]], axis=2)
        nodes = sparse_quadrature(family(p), 6, n_points, seed=1)  # Gauss nodes stay
        again = minimize(model, family(p), v, starts=starts, nodes=nodes)
        moved.append(abs(again.capacity - found.capacity).max(axis=1))
    assert np.median(moved) <= NEW_NODES


# Loss, gradient and Gauss-Newton matrix


def residuals(model, parameters, v, nodes):
    """Importance-weighted residuals of one model; the computation model has its best bias."""
    W = parameters[: model.n_dims * model.n_features].view(model.n_dims, model.n_features)
    zero = torch.zeros((), dtype=W.dtype)
    if model.kind == "computation":
        wanted = (v * with_slope(model.activation)(nodes.x)[0]).sum(-1)
        missing = wanted - output(model, W, zero, nodes.x)
        return (0 if model.bias == "none" else missing @ nodes.weight) - missing
    free = parameters[model.n_dims * model.n_features :]
    bias = {"best": lambda: free, "shared": lambda: free[0] + 0 * v, "none": lambda: 0 * v}
    return (output(model, W, bias[model.bias](), nodes.x) - nodes.x) * v.sqrt()


@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_gradient_and_matrix_are_those_of_automatic_differentiation(kind, activation, bias):
    model = ToyModel(kind, activation, 4, 2, bias)
    nodes = sparse_quadrature(fc.SparseUniform(0.4), 4, n_points=256)
    nodes = quadrature_tensors(nodes, torch.float64, CPU)
    parameters, v = some_models(model, 3)
    loss, gradient, curvature = linearize(model, parameters, v, nodes)
    for m in range(3):

        def of(q, m=m):
            return residuals(model, q, v[m], nodes).reshape(len(nodes.x), -1)

        r, J = of(parameters[m]), torch.func.jacrev(of)(parameters[m])
        w = nodes.weight
        torch.testing.assert_close(loss[m], (w[:, None] * r**2).sum())
        torch.testing.assert_close(gradient[m], torch.einsum("n,nk,nkp->p", w, r, J))
        torch.testing.assert_close(curvature[m], torch.einsum("n,nkp,nkq->pq", w, J, J))
        exact = torch.func.grad(lambda q, w=w, of=of: (w[:, None] * of(q) ** 2).sum())(
            parameters[m]
        )
        torch.testing.assert_close(2 * gradient[m], exact)


def test_penalty_on_overlap_is_that_of_automatic_differentiation():
    model = ToyModel("autoencoder", "relu", 4, 2)
    parameters, _ = some_models(model, 3)
    penalty, gradient, curvature = linearize_overlap(model, parameters)

    def products(q):
        W = q[:8].view(2, 4)
        return (W.mT @ W)[~torch.eye(4, dtype=torch.bool)]

    for m, q in enumerate(parameters):
        r, J = products(q), torch.func.jacrev(products)(q)
        torch.testing.assert_close(penalty[m], r @ r)
        torch.testing.assert_close(gradient[m], J.mT @ r)
        torch.testing.assert_close(curvature[m], J.mT @ J)


@pytest.mark.parametrize("kind", KINDS)
def test_the_bias_that_comes_out_is_the_one_asked_for(kind):
    v = one_feature_varied([0.5, 2.0], 4)
    for bias in BIASES:
        found = minimize(ToyModel(kind, "gelu", 4, 2, bias), fc.UnitSparseUniform(0.3), v)
        assert found.bias.shape == ((2,) if kind == "computation" else (2, 4))
        if bias == "none":
            assert not found.bias.any()
        elif kind == "autoencoder":
            spread = np.ptp(found.bias, axis=1)
            assert (spread == 0).all() if bias == "shared" else (spread > 0.01).all()


@pytest.mark.parametrize("activation", ["quadratic", "relu", "gelu"])
@pytest.mark.parametrize("kind", KINDS)
def test_less_freedom_of_the_bias_never_lowers_the_least_loss(kind, activation):
    # Of inputs without a sign, ReLU's sum is linear, and one neuron is enough for it.
    inputs = (fc.SparseUniform if kind == "computation" else fc.UnitSparseUniform)(0.5)
    v = one_feature_varied([0.5, 2.0], 4)
    losses = [
        minimize(
            ToyModel(kind, activation, 4, 2, bias), inputs, v, n_starts=16, dtype="float64"
        ).loss
        for bias in BIASES
    ]
    best, shared, none = losses
    assert (best <= 1.001 * shared).all(), "up to where the minimization stops"
    assert (shared <= 1.001 * none).all()
    assert (none > 1.01 * best).all(), "these inputs have a mean, so a bias is worth something"
    if kind == "computation":
        np.testing.assert_array_equal(best, shared)


def test_one_bias_is_enough_where_all_features_are_alike_at_the_optimum():
    def least(p, bias):
        model = ToyModel("autoencoder", "relu", 2, 1, bias)
        return minimize(model, fc.UnitSparseUniform(p), [[1.0, 1.0]], n_starts=16, tolerance=1e-7)

    pair, tied = least(0.1, "best"), least(0.1, "shared")
    np.testing.assert_allclose(pair.capacity, 0.5, atol=0.01)
    np.testing.assert_allclose(tied.loss, pair.loss, rtol=1e-3)
    apart, tied = least(0.8, "best"), least(0.8, "shared")
    assert abs(apart.capacity - 0.5).min() > 0.2, "equal importances, but not equal features"
    np.testing.assert_allclose(tied.capacity, 0.5, atol=0.01)
    assert tied.loss[0] > 1.005 * apart.loss[0]


def test_a_penalty_on_overlap_is_a_smaller_kurtosis_for_the_quadratic_model():
    inputs, penalty = fc.SparseUniform(0.1), np.array([0.0, 1.0, 4.0, 12.0, 20.0])
    v = np.tile([1.3, 1.2, 1.1, 1.0], (5, 1))
    found = minimize(
        ToyModel("computation", "quadratic", 4, 2), inputs, v, overlap_penalty=penalty,
        dtype="float64", tolerance=1e-8, max_iterations=300,
    )  # fmt: skip
    other = 1 + (inputs.kurtosis - 1) / (1 + penalty / 2)
    exact = fc.solve_allocation(v, 2, other)
    np.testing.assert_allclose(found.capacity, exact.capacity, atol=5e-3)
    np.testing.assert_allclose(
        found.loss, (1 + penalty / 2) * fc.expected_loss(found.W, v, other), rtol=1e-3
    )
    assert found.capacity[0].max() < 0.9
    assert other[-1] < 3
    np.testing.assert_allclose(found.capacity[-1], [1, 1, 0, 0], atol=5e-3)


def test_a_penalty_may_differ_from_cell_to_cell_and_does_not_depend_on_company():
    model, v = ToyModel("autoencoder", "relu", 4, 2), one_feature_varied([0.5, 1.0, 2.0], 4)
    inputs, penalty = fc.UnitSparseUniform(0.1), [0.0, 1e-3, 1e-1]
    together = minimize(model, inputs, v, overlap_penalty=penalty, seed=3)
    plain = minimize(model, inputs, v, seed=3)
    np.testing.assert_allclose(together.loss[0], plain.loss[0], rtol=1e-4)
    overlap = fc.interference(together.W).sum(axis=-1)
    assert (np.diff(overlap[1:]) < 0).all()
    assert (together.loss[1:] > plain.loss[1:]).all()


def test_the_best_bias_cannot_be_bettered():
    model = ToyModel("computation", "relu", 4, 2)
    nodes = quadrature_tensors(sparse_quadrature(fc.SparseUniform(0.4), 4), torch.float64, CPU)
    parameters, v = some_models(model, 1)
    best = best_bias(model, parameters, v, nodes)
    W = parameters.view(1, 2, 4)
    at, below, above = (
        float(squared_error(model, W, best + step, v, nodes.x)[0] @ nodes.weight)
        for step in (0, -1e-3, 1e-3)
    )
    assert below - at == pytest.approx(1e-6, rel=DIFFERENCES)
    assert above - at == pytest.approx(1e-6, rel=DIFFERENCES)


def test_the_quadratic_loss_on_nodes_is_equation_12():
    model, inputs = ToyModel("computation", "quadratic", 4, 2), fc.SparseUniform(0.3)
    parameters, v = some_models(model, 3)
    nodes = quadrature_tensors(sparse_quadrature(inputs, 4, negligible=0), torch.float64, CPU)
    loss, _, _ = linearize(model, parameters, v, nodes)
    exact = fc.expected_loss(parameters.view(3, 2, 4), v, inputs.kurtosis)
    torch.testing.assert_close(loss, exact, rtol=1e-3, atol=0)


def test_a_bar_counts_every_start_that_has_settled(capsys):
    model = ToyModel("autoencoder", "relu", 3, 2)
    minimize(model, fc.UnitSparseUniform(0.2), [[1, 1, 1]], n_starts=5)
    assert capsys.readouterr().err == ""
    minimize(model, fc.UnitSparseUniform(0.2), [[1, 1, 1]], n_starts=5, progress=True)
    last = capsys.readouterr().err.split("\r")[-1]
    done, total = map(int, re.search(r"(\d+)/(\d+)", last).groups())
    assert done == total >= 6


def test_one_start_of_each_promising_minimum_goes_on():
    loss = torch.tensor([[1.0, 1.0002, 1.04, 2.0], [math.nan, 3.0, 3.2, 3.0001]])
    leader, going = solvers._leaders(loss)
    assert going.tolist() == [True, True, True, False, False, True, False, True]
    assert leader.tolist()[:3] == [0, 0, 2]
    assert leader.tolist()[5:] == [5, 6, 5]


# Levenberg-Marquardt


def _least_squares(residual, matrix):
    def evaluate(parameters, index):
        r = torch.stack([residual(q, int(i)) for q, i in zip(parameters, index, strict=True)])
        J = torch.stack([matrix(q, int(i)) for q, i in zip(parameters, index, strict=True)])
        return (r**2).sum(1), (J.mT @ r[..., None])[..., 0], J.mT @ J

    return evaluate


def test_a_batch_of_valleys_is_solved_each_at_its_own_pace():
    def valley(q, i):
        return torch.stack([10 * (q[1] - q[0] ** 2), (i + 1.0) - q[0]])

    def slope(q, i):
        return torch.stack([torch.stack([-20 * q[0], q[0] * 0 + 10]), torch.tensor([-1.0, 0])])

    start = torch.tensor([[-1.2, 1.0]]).repeat(3, 1)
    evaluate = _least_squares(valley, slope)
    q, loss, norm, iterations, converged = levenberg_marquardt(evaluate, start, 200, 1e-6)
    torch.testing.assert_close(q, torch.tensor([[1.0, 1], [2, 4], [3, 9]]), rtol=1e-3, atol=1e-3)
    assert converged.all()
    assert (loss < 1e-6).all()
    assert (norm < 1e-2).all()
    alone = levenberg_marquardt(lambda p, _: evaluate(p, torch.tensor([1])), start[:1], 200, 1e-6)
    torch.testing.assert_close(alone[0][0], q[1])
    assert int(alone[3][0]) == int(iterations[1])


def test_too_few_steps_are_reported():
    evaluate = _least_squares(lambda q, i: q**3 - 2, lambda q, i: torch.diag(3 * q**2))
    few = levenberg_marquardt(evaluate, torch.full((1, 2), 5.0), 2, 1e-6)
    enough = levenberg_marquardt(evaluate, torch.full((1, 2), 5.0), 100, 1e-6)
    assert not few[4].any()
    assert enough[4].all()
    assert enough[1] < few[1]


def test_a_model_without_a_usable_step_stays_where_it_is():
    def broken(parameters, index):
        n = len(parameters)
        return torch.ones(n), torch.ones(n, 2), torch.full((n, 2, 2), math.nan)

    start = torch.zeros(2, 2)
    q, loss, _, iterations, converged = levenberg_marquardt(broken, start, 100, 1e-4)
    torch.testing.assert_close(q, start)
    assert (loss == 1).all()
    assert converged.all()
    assert (iterations < 100).all()


# minimize


def test_the_quadratic_model_on_nodes_finds_the_closed_form():
    v = one_feature_varied(np.geomspace(0.1, 5, 6), 6)
    for p in (0.05, 0.3, 0.9):
        inputs = fc.SparseUniform(p)
        found = minimize(
            ToyModel("computation"), inputs, v, n_starts=6, max_iterations=300, strict=True
        )
        exact = fc.solve_allocation(v, 3, inputs.kurtosis)
        np.testing.assert_allclose(found.loss, exact.loss, rtol=0.02)  # on nodes
        np.testing.assert_allclose(found.capacity[:, 0], exact.capacity[:, 0], atol=0.03)


@pytest.mark.parametrize("kind", KINDS)
def test_results_do_not_depend_on_the_size_of_chunks(kind, monkeypatch):
    model, v = ToyModel(kind, "gelu", 4, 2), one_feature_varied([0.3, 1.4, 4.0], 4)
    found = {}
    for numbers in (1, 50_000, 10**9):
        monkeypatch.setattr(solvers, "_CHUNK_NUMBERS", numbers)
        found[numbers] = minimize(model, fc.UnitSparseUniform(0.2), v, dtype="float64")
    for other in (50_000, 10**9):
        for name in ("loss", "capacity", "W", "bias", "loss_of_starts"):
            np.testing.assert_allclose(
                getattr(found[other], name), getattr(found[1], name), rtol=1e-6, atol=1e-6
            )


@pytest.mark.parametrize("n_starts", [1, 2, 7])
def test_many_cells_are_minimized_a_part_at_a_time(n_starts, monkeypatch):
    model, v = ToyModel("autoencoder", "relu", 4, 2), one_feature_varied([0.3, 1.4, 4.0], 4)
    whole = minimize(model, fc.UnitSparseUniform(0.2), v, n_starts=n_starts, dtype="float64")
    sizes = []
    improve = solvers._improve

    def count(evaluate, state, *rest):
        sizes.append(len(state[0]))
        improve(evaluate, state, *rest)

    monkeypatch.setattr(solvers, "_improve", count)
    monkeypatch.setattr(solvers, "_MOST_MODELS", 5)
    parts = minimize(model, fc.UnitSparseUniform(0.2), v, n_starts=n_starts, dtype="float64")
    assert max(sizes) <= max(5, n_starts)
    for name, values in vars(whole).items():
        np.testing.assert_allclose(vars(parts)[name], values, rtol=1e-6, atol=1e-6, err_msg=name)


def test_a_cell_does_not_feel_the_cells_after_it():
    model, v = ToyModel("autoencoder", "relu", 4, 2), one_feature_varied([0.5, 2.0, 9.0], 4)
    three, one = (minimize(model, fc.UnitSparseUniform(0.1), part, seed=3) for part in (v, v[:1]))
    np.testing.assert_allclose(three.capacity[0], one.capacity[0], atol=OPTIMIZER * 100)
    np.testing.assert_array_equal(
        random_starts(model, 3, 4, [7, 1])[:2], random_starts(model, 2, 4, [7, 1])
    )


def test_the_record_is_about_the_best_start():
    model, v = ToyModel("computation", "relu", 5, 2), one_feature_varied([0.7, 2.0], 5)
    inputs = fc.SparseUniform(0.2)
    found = minimize(model, inputs, v, n_starts=6, dtype="float64")
    np.testing.assert_array_equal(found.loss, found.loss_of_starts.min(axis=1))
    np.testing.assert_array_equal(found.best_start, found.loss_of_starts.argmin(axis=1))
    near = (found.loss_of_starts <= 1.01 * found.loss[:, None]).sum(axis=1)
    np.testing.assert_array_equal(found.n_near_best, near)
    np.testing.assert_allclose(found.capacity, fc.capacities(found.W))
    nodes = quadrature_tensors(sparse_quadrature(inputs, 5), torch.float64, CPU)
    sizes = squared_error(model, *(torch.from_numpy(a) for a in (found.W, found.bias, v)), nodes.x)
    np.testing.assert_allclose((sizes @ nodes.weight).numpy(), found.loss, rtol=NEWTON)


def test_given_starts_are_used():
    model, v = ToyModel("autoencoder", "relu", 4, 2), one_feature_varied([1.5], 4)
    inputs = fc.UnitSparseUniform(0.1)
    first = minimize(model, inputs, v, n_starts=8, dtype="float64", tolerance=1e-9,
                     max_iterations=300)  # fmt: skip
    starts = np.concatenate([first.W.reshape(1, 1, -1), first.bias[:, None]], axis=2)
    again = minimize(model, inputs, v, starts=starts, dtype="float64")
    assert again.loss_of_starts.shape == (1, 1)
    assert again.iterations[0] <= 20
    np.testing.assert_allclose(again.loss, first.loss, rtol=OPTIMIZER)
    np.testing.assert_allclose(again.capacity, first.capacity, atol=1e-3)


def test_two_sparse_features_make_an_antipodal_pair():
    model, p, v = ToyModel("autoencoder", "relu", 2, 1), 0.05, 0.8
    found = minimize(model, fc.UnitSparseUniform(p), [[1.0, v]], n_starts=8)
    assert found.W[0, 0, 0] * found.W[0, 0, 1] < 0
    np.testing.assert_allclose(found.capacity[0], 0.5, atol=0.02)
    # Not above the pair with unit lengths, up to the nodes, which a kink crosses.
    assert found.loss[0] <= 1.02 * (1 + v) * p**2 / 6


def test_strict_says_what_to_raise():
    with pytest.raises(ConvergenceError, match="max_iterations"):
        minimize(
            ToyModel("computation", "relu"), fc.SparseUniform(0.1), np.ones((2, 6)), n_starts=2,
            max_iterations=2, strict=True,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"importance": [1.0, 1.0]}, "shape"),
        ({"importance": [[1.0, -1.0]]}, "importance"),
        ({"n_starts": 0}, "n_starts"),
        ({"max_iterations": 0}, "max_iterations"),
        ({"tolerance": 2}, "tolerance"),
        ({"dtype": "float16"}, "float32 or float64"),
        ({"device": "abacus"}, "device"),
        ({"overlap_penalty": -1.0}, "overlap_penalty must be .* at least 0"),
        ({"overlap_penalty": [1.0, 2.0]}, "one for each of 1 cells"),
    ],
)
def test_bad_settings_are_refused(options, word):
    given = {"importance": [[1.0, 1.0]], **options}
    with pytest.raises(ValueError, match=word):
        minimize(ToyModel("computation", "relu", 2, 1), fc.SparseUniform(0.5), **given)


# Training


def test_training_comes_close_to_the_minimum_and_not_below():
    model, inputs = ToyModel("autoencoder", "relu", 3, 2), fc.UnitSparseUniform(0.3)
    v = np.array([[1.0, 0.8, 0.6], [1.0, 1.0, 1.0]])
    best = minimize(model, inputs, v, n_starts=12)
    found = train(model, inputs, v, n_steps=1500, batch_size=256, learning_rate=5e-3, seed=1)
    W, bias = np.concatenate([found.W, best.W]), np.concatenate([found.bias, best.bias])
    losses = np.array(
        [sampled_loss(model, W, bias, np.tile(v, (2, 1)), inputs, 20_000, s)[0] for s in range(20)]
    )
    gap = losses[:, :2] - losses[:, 2:]
    error = gap.std(axis=0, ddof=1) / math.sqrt(20)
    assert (gap.mean(axis=0) > -STANDARD_ERRORS * error).all()
    assert (gap.mean(axis=0) < 0.3 * losses[:, 2:].mean(axis=0)).any()
    assert found.batch_loss[-1].mean() < found.batch_loss[0].mean()
    np.testing.assert_allclose(found.capacity, fc.capacities(found.W))


def test_each_model_may_have_its_own_inputs():
    model, v = ToyModel("computation", "quadratic", 2, 1), np.tile([1.3, 1.0], (2, 1))
    inputs = [fc.SparseUniform(1.0), fc.SparseUniform(0.05)]
    found = train(model, inputs, v, n_steps=2000, learning_rate=1e-2, batch_size=512)
    for c, x in zip(found.capacity, inputs, strict=True):
        exact = fc.solve_allocation(v[0], 1, x.kurtosis).capacity
        np.testing.assert_allclose(c, exact, atol=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_training_respects_the_bias_asked_for(kind):
    each = {
        bias: train(
            ToyModel(kind, "relu", 3, 2, bias), fc.UnitSparseUniform(0.5), np.ones((2, 3)),
            n_steps=20, learning_rate=1e-2,
        ).bias
        for bias in BIASES
    }  # fmt: skip
    assert {b.shape for b in each.values()} == {(2,) if kind == "computation" else (2, 3)}
    assert not each["none"].any()
    assert each["best"].all()
    assert each["shared"].all()
    if kind == "autoencoder":
        assert (np.ptp(each["shared"], axis=1) == 0).all()
        assert (np.ptp(each["best"], axis=1) > 0).all()


def test_training_is_reproducible():
    model = ToyModel("autoencoder", "gelu", 3, 2)
    one, same, other = (
        train(model, fc.UnitSparseUniform(0.3), np.ones((2, 3)), n_steps=5, seed=s)
        for s in (4, 4, 5)
    )
    np.testing.assert_array_equal(one.W, same.W)
    assert not np.array_equal(one.W, other.W)


def test_sampled_losses_have_the_stated_error():
    model, inputs = ToyModel("computation", "quadratic", 4, 2), fc.SparseNormal(0.5)
    W, v = generator().standard_normal((3, 2, 4)), np.ones((3, 4))
    exact = fc.expected_loss(W, v, inputs.kurtosis, bias=np.zeros(3))
    mean, error = sampled_loss(model, W, np.zeros(3), v, inputs, 200_000)
    assert (np.abs(mean - exact) < STANDARD_ERRORS * error).all()
    each = np.array([sampled_loss(model, W, np.zeros(3), v, inputs, 2000, s) for s in range(60)])
    np.testing.assert_allclose(each[:, 0].std(axis=0), each[:, 1].mean(axis=0), rtol=0.4)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"optimizer": "sgdx"}, "adam"),
        ({"n_steps": 0}, "n_steps"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"inputs": [fc.SparseUniform(0.1)] * 3}, "one per model"),
        ({"inputs": [fc.SparseUniform(0.1), fc.SparseNormal(0.1)]}, "one class"),
        ({"importance": np.ones((2, 5))}, "shape"),
    ],
)
def test_bad_training_settings_are_refused(options, word):
    given = {"inputs": fc.SparseUniform(0.1), "importance": np.ones((2, 3)), **options}
    with pytest.raises(ValueError, match=word):
        train(ToyModel("autoencoder", "relu", 3, 2), **given)
