"""Every network's certificate: its optimum has the loss it says, and nothing is found below it."""

import numpy as np
import pytest

import feature_capacity as fc
from feature_capacity.models.inputs import SparseUniform
from feature_capacity.theory.gaussian import gaussian_embedding
from feature_capacity.zoo import lower_bounds
from feature_capacity.zoo.catalog import _recipe
from feature_capacity.zoo.distributions import Gaussian
from feature_capacity.zoo.layers import second_layer_moments
from feature_capacity.zoo.record import CLOSED_FORM, SEARCH

from ..tolerances import OPTIMIZER_LOSS, STANDARD_ERRORS

NAMES = fc.zoo.names()
CLOSED = [name for name in NAMES if getattr(_recipe(name), "solve", None) is not None]
SEARCHED = [name for name in NAMES if name not in CLOSED]


def sampled(network, W, bias, n=50_000):
    """Mean loss on samples of the module, and its standard error."""
    import torch

    module = _recipe(network.name).module(W, bias)
    x = torch.from_numpy(network.inputs.sample(n, np.random.default_rng(5))).float()
    with torch.no_grad():
        loss = module.squared_error(x).double().numpy()
    return loss.mean(), loss.std() / np.sqrt(n)


@pytest.mark.parametrize("name", CLOSED)
def test_a_closed_form_is_attained_and_not_beaten(name):
    """By the loss in moments, which does not know the theorem, from random starts."""
    network = fc.zoo.load(name)
    proof, best = network.certificate, network.optimum
    assert proof.method == CLOSED_FORM
    assert proof.gap == 0
    scale = 1 + abs(proof.loss)
    attained = _recipe(name).loss(best.W, best.bias)
    assert abs(attained - proof.loss) < OPTIMIZER_LOSS * scale
    assert network.excess > -OPTIMIZER_LOSS * scale
    reached = network.excess < 1e-6 * scale
    if name == "quadratic-power-law":  # forty features: eight starts end near it, not in it
        reached = network.excess < 0.01 * scale
    assert reached, network.excess
    if best.unique and name != "quadratic-power-law":
        np.testing.assert_allclose(network.capacity, network.optimal_capacity, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", SEARCHED)
def test_a_search_is_not_beaten_by_another_one(name):
    network = fc.zoo.load(name, seed=3)
    proof = network.certificate
    assert proof.method == SEARCH
    assert 0 <= proof.lower_bound < proof.loss
    assert network.excess > -1e-3 * proof.loss  # nodes of another seed
    assert network.excess < 0.25 * proof.loss


@pytest.mark.slow
@pytest.mark.parametrize(
    ("activation", "least"), [("relu", 0.7), ("gelu", 0.6), ("quadratic", 0.45)]
)
def test_the_optimum_of_an_autoencoder_is_known_to_a_part(activation, least):
    """What holds for any decoder is less than a hundredth."""
    network = fc.zoo.load(f"autoencoder-{activation}", "random")
    proof = network.certificate
    assert least * proof.loss < proof.lower_bound < proof.loss
    assert "pairs of features and the rank" in proof.reason
    whatever = lower_bounds.entropy_bound(network.importance, 0.1, 3)
    assert whatever < 0.01 * proof.loss


@pytest.mark.parametrize("name", NAMES)
def test_the_exact_loss_is_that_of_samples(name):
    """Of a random instance, through the torch module and the samples of its inputs."""
    network = fc.zoo.load(name, "random")
    mean, error = sampled(network, network.W, network.bias)
    assert abs(mean - network.loss) < STANDARD_ERRORS * error + 1e-3 * network.loss
    assert network.loss > network.certificate.lower_bound
    if network.certificate.method == CLOSED_FORM:
        assert network.excess > 0


@pytest.mark.parametrize("name", CLOSED)
def test_the_spectral_bound_is_below_every_closed_form(name):
    recipe = _recipe(name)
    if len(recipe.importance) > 10:
        return  # all fourth moments of forty features do not fit
    importance = np.array(recipe.importance)
    below = lower_bounds.spectral_bound(importance, recipe.moments(), recipe.n_dims)
    assert below <= fc.zoo.load(name, "random").certificate.loss + 1e-9


def test_the_spectral_bound_is_the_optimum_of_gaussians():
    S = np.array([[1.0, 0.4, 0.1], [0.4, 1.0, 0.2], [0.1, 0.2, 1.0]])
    v = np.array([1.0, 0.7, 0.5])
    moments = Gaussian(tuple(map(tuple, S))).moments()
    best = gaussian_embedding(S, v, 1)
    assert lower_bounds.spectral_bound(v, moments, 1) == pytest.approx(float(best.loss), rel=1e-9)


def test_the_entropy_bound_is_below_what_a_decoder_can_do():
    """One direction of two uniform features, read by the conditional mean: error 1/12 in all.

    Of (x + y), the best direction for equal importances, x - y is left; its conditional variance
    given the sum s is min(s, 2 - s)^2 / 3, and half of that is lost: 1/12 on average.
    """
    below = lower_bounds.entropy_bound(np.ones(2), 1.0, 1)
    assert 0.3 / 12 < below < 1 / 12


def test_moments_of_a_clean_second_layer_are_those_of_centered_squares():
    feature = SparseUniform(0.3)
    _, moments = second_layer_moments(np.eye(2), (feature, feature))
    k, m6, m8 = (feature.moment(r) for r in (4, 6, 8))
    fourth = m8 - 4 * m6 + 6 * k - 3
    np.testing.assert_allclose(moments.second, np.diag([k - 1] * 2), atol=1e-12)
    np.testing.assert_allclose(moments.fourth[0, 0, 0, 0], fourth, rtol=1e-12)
    np.testing.assert_allclose(moments.fourth[0, 0, 1, 1], (k - 1) ** 2, rtol=1e-12)
    np.testing.assert_allclose(moments.fourth[0, 0, 0, 1], 0, atol=1e-9)


def test_features_that_share_the_first_layer_depend_on_each_other_behind_it():
    feature = SparseUniform(0.3)
    first = np.array([[1.0, 1.0]]), np.array([[1.0, -1.0]])
    _, moments = second_layer_moments(np.concatenate(first), (feature, feature))
    # Cov((x + y)^2, (x - y)^2) = 2 (k - 1) - 4 for independent x and y of variance 1.
    assert moments.second[0, 1] == pytest.approx(2 * (feature.kurtosis - 1) - 4)
