"""The way that training takes in networks of the zoo."""

import numpy as np
import pytest
import torch

import feature_capacity as fc
from feature_capacity.zoo import catalog
from feature_capacity.zoo.paths import ZooPaths, _largest_curvature, _mean_loss, progress
from feature_capacity.zoo.training import random_start


def test_records_begin_at_the_starts_of_trained_networks_and_have_the_exact_loss():
    recipe = catalog._recipe("autoencoder-relu")
    way = fc.zoo.training_paths("autoencoder-relu", "adam", 2, n_steps=3, n_records=2, seed=5)
    assert way.steps.tolist() == [0, 3]
    for i in range(2):
        W, bias = random_start(recipe, 5 + i)
        np.testing.assert_allclose(way.W[0, i], W, rtol=1e-6)
        np.testing.assert_allclose(way.loss[0, i], recipe.loss(W, bias), rtol=1e-6)


@pytest.mark.parametrize("rule", ["adam", "descent"])
@pytest.mark.parametrize("name", ["quadratic-exclusive", "absolute-values-pair"])
def test_training_goes_down_and_is_the_same_every_time(name, rule):
    ways = [fc.zoo.training_paths(name, rule, 2, n_steps=60, n_records=3) for _ in range(2)]
    np.testing.assert_array_equal(ways[0].W, ways[1].W)
    assert (ways[0].loss[-1] < ways[0].loss[0]).all()


def test_every_start_has_a_seed_of_its_own():
    one, two = (fc.zoo.training_paths("quadratic-gaussian", "adam", n, 1, 2) for n in (1, 2))
    np.testing.assert_array_equal(one.W[0, 0], two.W[0, 0])
    assert np.abs(two.W[0, 0] - two.W[0, 1]).max() > 0.1


def test_descent_takes_a_tenth_of_the_rate_that_the_curvature_allows():
    recipe = catalog._recipe("quadratic-gaussian")
    best = recipe.optimum()
    x = torch.from_numpy(recipe.inputs.sample(4096, np.random.default_rng(0))).float()
    loss, bias = _mean_loss(recipe.module(best.W, best.bias)), torch.tensor(best.bias).float()
    hessian = torch.autograd.functional.hessian(
        lambda W: loss(W.reshape(2, 4), bias, x), torch.tensor(best.W).float().reshape(-1)
    )
    largest = float(torch.linalg.eigvalsh(hessian)[-1])
    assert _largest_curvature(recipe, best) == pytest.approx(largest, rel=1e-2)
    way = fc.zoo.training_paths("quadratic-gaussian", "descent", 1, 1, 2)
    assert way.learning_rate == pytest.approx(0.1 / largest, rel=1e-2)


def test_progress_tells_when_capacity_and_blocks_were_found():
    pair, apart = [[1.0, 1.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]
    mixed = [[1.0, 0.6], [0.0, 0.8]]
    W = np.array([pair, mixed, apart, apart, apart])[:, None]
    loss = np.array([4.0, 3.0, 2.0, 1.5, 1.0])[:, None]
    found = progress(ZooPaths(np.arange(5), W, loss, 0.1), lowest=0.5)
    assert found.left == pytest.approx(0.5 / 3.5)
    assert (found.in_use, found.capacity_from, found.blocks_from) == (1.0, 0.5, 0.5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rule": "sgd"}, "adam"), ({"n_starts": 0}, "n_starts"), ({"n_steps": 1.5}, "n_steps"),
        ({"n_records": 1}, "n_records"), ({"seed": -1}, "seed"),
    ],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        fc.zoo.training_paths("quadratic-gaussian", **options)
