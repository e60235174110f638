"""The library of minima, the longer search and the concavity of the autoencoder's loss."""

import dataclasses

import numpy as np
import pytest
import torch

from feature_capacity import SweepConfig, run_sweep
from feature_capacity.models.losses import quadrature_loss
from feature_capacity.models.quadrature import sparse_quadrature
from feature_capacity.solvers.nodes import quadrature_tensors
from feature_capacity.sweeps import audit
from feature_capacity.sweeps.audit import concavity_gap, long_search
from feature_capacity.sweeps.library import library, losses_everywhere, to_importance
from feature_capacity.sweeps.rows import cell_dtype
from feature_capacity.theory.phases import one_feature_varied

AUTOENCODER = SweepConfig(
    "autoencoder", "relu", np.geomspace(0.1, 10, 5), [0.1, 0.5], inputs="unit_sparse_uniform",
    n_features=4, n_dims=2, n_starts=2, n_points=512,
)  # fmt: skip
COMPUTATION = dataclasses.replace(AUTOENCODER, model="computation", inputs="sparse_uniform")


@pytest.fixture(scope="module")
def sweeps():
    return {config: run_sweep(config, progress=False) for config in (AUTOENCODER, COMPUTATION)}


def rows_of(config, sweep):
    rows = np.zeros(config.shape, cell_dtype(config))
    rows["W"], rows["bias"] = sweep.W.values, sweep.bias.values
    return rows


@pytest.mark.parametrize("config", [AUTOENCODER, COMPUTATION], ids=lambda c: c.model)
def test_losses_of_the_library_are_those_of_each_entry_alone(config, sweeps):
    rows = rows_of(config, sweeps[config])
    entries = library(config, rows, 0)
    nodes = sparse_quadrature(config.inputs_of(1), 4, 256, mirrored=config.model == "computation")
    tensors = quadrature_tensors(nodes, torch.float64, torch.device("cpu"))
    V = np.array(config.importance)
    found = losses_everywhere(dataclasses.replace(config, dtype="float64"), V, entries, tensors)
    importance = one_feature_varied(np.array(config.importance), 4)
    for cell, V in enumerate(config.importance):
        there = to_importance(config, entries, np.ones(()), np.array(V))
        W, bias = there[:, :8].reshape(-1, 2, 4), there[:, 8:]
        v = np.tile(importance[cell], (len(W), 1))
        if config.model == "computation":
            # The best bias makes the loss a variance.
            bias = np.zeros(len(W))
            one, two = (quadrature_loss(config.toy_model, W, b, v, nodes) for b in (bias, bias + 1))
            bias = (one - two + 1) / 2
        alone = quadrature_loss(config.toy_model, W, bias, v, nodes)
        np.testing.assert_allclose(found[cell], alone, rtol=1e-10)


def test_the_library_has_one_of_each_kind(sweeps):
    rows = rows_of(AUTOENCODER, sweeps[AUTOENCODER])
    entries = library(AUTOENCODER, rows, 0)
    assert 1 <= len(entries) <= rows.size
    np.testing.assert_array_equal(library(AUTOENCODER, np.concatenate([rows, rows]), 0), entries)
    turned = rows.copy()
    turned["W"] = rows["W"][..., [0, 3, 1, 2]][..., ::-1, :]  # other features and other axes
    assert len(library(AUTOENCODER, np.concatenate([rows, turned]), 0)) == len(entries)
    turned["W"][..., 1] += 1
    assert len(library(AUTOENCODER, np.concatenate([rows, turned]), 0)) > len(entries)
    assert library(AUTOENCODER, rows, 1).shape == (0, 12)


def test_a_long_search_finds_a_minimum_that_was_spoiled(sweeps):
    sweep = sweeps[COMPUTATION].copy(deep=True)
    kept = long_search(sweep, n_cells=100, times=1)
    assert kept.sizes == {"cell": 10}, "no more than there are"
    again = long_search(sweep, n_cells=3, times=1, seed=1)
    np.testing.assert_array_equal(again.lowest, long_search(sweep, 3, 1, 1).lowest)

    sweep.W[1, 2] = 0.1
    sweep.loss[1, 2] *= 2
    spoiled = long_search(sweep, n_cells=10, times=1)
    assert int(spoiled.fall.values.argmax()) == 7
    assert spoiled.fall.max() > 0.4
    assert float(spoiled.importance[7]) == pytest.approx(1)


def test_minima_of_other_activations_are_starts_of_their_cell(sweeps, monkeypatch):
    """Their first column is longer by the root of V for squares, and by V for ReLU."""
    squares = dataclasses.replace(COMPUTATION, activation="quadratic")
    other, seen, searched = run_sweep(squares, progress=False), [], audit._searched

    def listen(config, sweep, row, cells, starts, device):
        seen.append((row, cells, starts[:, -1]))
        return searched(config, sweep, row, cells, starts, device)

    monkeypatch.setattr(audit, "_searched", listen)
    long_search(sweeps[COMPUTATION], n_cells=10, times=1, others=[other])
    assert sum(len(cells) for _, cells, _ in seen) == 10
    for row, cells, starts in seen:
        for cell, start in zip(cells, starts, strict=True):
            W = other.W.values[row, cell].copy()
            W[:, 0] *= np.sqrt(COMPUTATION.importance[cell])
            np.testing.assert_allclose(start, W.ravel())
    with pytest.raises(ValueError, match="same model on the same grid; got another model"):
        long_search(sweeps[COMPUTATION], others=[sweeps[AUTOENCODER]])


def test_the_lowest_loss_of_the_autoencoder_is_concave(sweeps):
    sweep = sweeps[AUTOENCODER]
    gap = concavity_gap(sweep)
    assert gap.dims == ("probability", "importance")
    assert gap.shape == (2, 3)
    assert gap.max() < 1e-3
    V = sweep.importance.values
    line = sweep.copy(deep=True)
    line["loss"] = line.loss * 0 + (2 + 3 * V)
    np.testing.assert_allclose(concavity_gap(line), 0, atol=1e-12)
    line.loss[0, 2] *= 0.9
    assert concavity_gap(line)[0, 1] == pytest.approx(1 / 0.9 - 1)


def test_what_is_no_sweep_is_refused(sweeps):
    with pytest.raises(ValueError, match="only the autoencoder"):
        concavity_gap(sweeps[COMPUTATION])
    with pytest.raises(ValueError, match="no dataset of run_sweep"):
        long_search(sweeps[COMPUTATION].drop_attrs())
    exact = SweepConfig("computation", "quadratic", [1], [0.5])
    with pytest.raises(ValueError, match="exact"):
        long_search(run_sweep(exact, progress=False))
    with pytest.raises(ValueError, match="n_cells must be"):
        long_search(sweeps[COMPUTATION], n_cells=0)
