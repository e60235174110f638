"""Inputs, instances, the cache and the exported file."""

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load as read
from typer.testing import CliRunner

import feature_capacity as fc
from feature_capacity.cli import app
from feature_capacity.theory.moments import full_moments_of_samples, moments_of_samples
from feature_capacity.zoo import cache
from feature_capacity.zoo.distributions import ExclusiveTree, FixedNumber, Gaussian
from feature_capacity.zoo.export import safetensors_bytes

TREE = ExclusiveTree((-1, 0, 0, 1, 1), (0.9, 0.5, 0.4, 0.5, 0.3))


@pytest.mark.parametrize("inputs", [FixedNumber(5, 2), TREE], ids=["fixed number", "tree"])
def test_samples_have_the_exact_moments(inputs):
    x = inputs.sample(200_000, np.random.default_rng(0))
    exact, found = inputs.moments(), moments_of_samples(x)
    np.testing.assert_allclose(found.second, exact.second, atol=0.05)
    np.testing.assert_allclose(found.fourth, exact.fourth, rtol=0.1, atol=0.08)
    assert ((found.fourth == 0) == (np.asarray(exact.fourth) == 0)).all()


def test_gaussian_samples_have_the_exact_moments():
    inputs = Gaussian(((1.0, 0.4), (0.4, 1.0)))
    x = inputs.sample(200_000, np.random.default_rng(0))
    np.testing.assert_allclose(full_moments_of_samples(x).fourth, inputs.moments().fourth, atol=0.1)


def test_hidden_activations_are_what_a_hook_sees():
    network = fc.zoo.load("two-layers-shared", "random")
    seen = []
    network.module.embed.register_forward_hook(lambda *given: seen.append(given[2]))
    x = torch.randn(7, network.inputs.n_features)
    network.module(x)
    expected = network.module.features(x).detach().numpy() @ network.W.T
    np.testing.assert_allclose(seen[0].detach().numpy(), expected, rtol=1e-4, atol=1e-4)
    features, hidden = network.activations(10, seed=1)
    np.testing.assert_allclose(hidden, features @ network.W.T, rtol=1e-4, atol=1e-4)


def test_training_finds_what_minimization_finds():
    network = fc.zoo.load("quadratic-gaussian", "trained")
    assert -1e-9 < network.excess < 0.2 * network.certificate.loss


def test_an_instance_is_the_same_again(monkeypatch, tmp_path):
    once = fc.zoo.load("quadratic-gaussian", "minimized", seed=4)
    monkeypatch.setenv("FEATURE_CAPACITY_CACHE", str(tmp_path))
    again = fc.zoo.load("quadratic-gaussian", "minimized", seed=4)
    np.testing.assert_array_equal(once.W, again.W)
    assert [path.suffix for path in tmp_path.iterdir()] == [".safetensors"]


@pytest.mark.parametrize("broken", [b"", b"no tensors", None])
def test_a_broken_file_is_made_anew(monkeypatch, tmp_path, broken):
    monkeypatch.setenv("FEATURE_CAPACITY_CACHE", str(tmp_path))
    calls = []

    def make():
        calls.append(1)
        return {"a": np.arange(3.0), "b": np.array(2.0)}

    cache.kept("some", make)
    path = tmp_path / "some.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1  # one bit of a number
    path.write_bytes(bytes(content) if broken is None else broken)
    found = cache.kept("some", make)
    np.testing.assert_array_equal(found["a"], [0, 1, 2])
    assert found["b"].shape == ()
    assert len(calls) == 2
    cache.kept("some", make)
    assert len(calls) == 2


def test_what_cannot_be_kept_is_made(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FEATURE_CAPACITY_CACHE", str(tmp_path / "file"))
    assert cache.kept("some", lambda: {"a": np.ones(1)})["a"] == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nothing",), "network"),
        (("quadratic-gaussian", "learned"), "kind"),
        (("quadratic-gaussian", "random", -1), "seed"),
    ],
)
def test_mistakes_are_told(words, told):
    with pytest.raises(ValueError, match=told):
        fc.zoo.load(*words)


def test_a_file_has_a_feature_a_row_and_says_what_it_is(tmp_path):
    network = fc.zoo.load("quadratic-independent", "random")
    content = safetensors_bytes(network)
    tensors = read(content)
    assert tensors["W_dec"].dtype == np.float32
    np.testing.assert_allclose(tensors["W_dec"], network.W.T, rtol=1e-6)
    np.testing.assert_allclose(tensors["W_enc"], network.W, rtol=1e-6)
    size = int.from_bytes(content[:8], "little")
    told = json.loads(content[8 : 8 + size])["__metadata__"]
    assert float(told["lowest loss"]) == network.certificate.loss
    path = tmp_path / "known.safetensors"
    path.write_bytes(content)
    report = fc.measure(path, key="W_dec")
    assert report.source.features == "rows"
    np.testing.assert_allclose(report.capacity, network.capacity, rtol=1e-5)


def test_the_commands(tmp_path):
    runner = CliRunner()
    listed = runner.invoke(app, ["zoo", "list"])
    assert listed.exit_code == 0
    assert [line.split()[0] for line in listed.output.splitlines()] == fc.zoo.names()
    shown = runner.invoke(app, ["zoo", "show", "quadratic-gaussian", "--kind", "random"])
    assert shown.exit_code == 0
    assert "closed form" in shown.output
    out = tmp_path / "known.safetensors"
    words = ["zoo", "export", "quadratic-gaussian", "--kind", "random", "-o", str(out)]
    assert runner.invoke(app, words).exit_code == 0
    assert read(out.read_bytes())["W_dec"].shape == (4, 2)
    mistaken = runner.invoke(app, ["zoo", "show", "nothing"])
    assert mistaken.exit_code == 2
