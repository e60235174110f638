"""The minima of a whole diagram, to be tried in every cell.

A diagram has few kinds of minima, each the lowest in some region.  Where the regions end, and where
the starts of a cell were unlucky, a minimum that another cell found is lower than its own.  To
evaluate it there takes one pass over the nodes and no matrix, so all can be tried.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch

from ..models.toy_models import ToyModel
from ..solvers.losses_on_nodes import losses, squared_errors
from ..solvers.nodes import QuadratureTensors
from ..solvers.starts import column_scale, scaled
from ..theory.phases import one_feature_varied
from .config import SweepConfig

_SAME = 0.1  # entries that agree within this are of the same kind
_CHUNK = 2_000_000  # numbers that are worked with at a time


def parameters_of(config: SweepConfig, cells: np.ndarray) -> np.ndarray:
    """Parameters of cells of a row, as the solver takes them; shape (n_cells, n_params)."""
    W = cells["W"].reshape(len(cells), config.n_dims * config.n_features)
    if not config.toy_model.n_bias:
        return W
    # A shared bias is stored for every feature, and is a single parameter.
    return np.concatenate([W, cells["bias"][:, : config.toy_model.n_bias]], axis=1)


def to_importance(
    config: SweepConfig, parameters: np.ndarray, old: np.ndarray, new: np.ndarray
) -> np.ndarray:
    """Parameters for the first feature's importance ``new`` that were found at ``old``."""
    model = config.toy_model
    above, below = np.ones((2, *np.broadcast_shapes(old.shape, new.shape), config.n_features))
    above[..., 0], below[..., 0] = new, old
    above, below = column_scale(model, above), column_scale(model, below)
    return scaled(model, parameters, above / below)


def library(
    config: SweepConfig, rows: Iterable[np.ndarray], round_: int | None = None
) -> np.ndarray:
    """One of each kind of minima that the round found, or any, as if all importances were 1.

    Of a kind are those that agree in rounded entries of W, or of its products, up to the order of
    features and of neurons.  Shape (n_kinds, n_params).
    """
    importance, one, kinds = np.array(config.importance), np.ones(()), dict[bytes, np.ndarray]()
    for row in rows:
        found = np.flatnonzero((row["won_in_round"] == round_) | (round_ is None))
        if not len(found):
            continue
        own = parameters_of(config, row[found])
        own = to_importance(config, own, importance[found], one)
        for key, parameters in zip(kinds_of(config.toy_model, own), own, strict=True):
            kinds.setdefault(key.tobytes(), parameters)
    size = config.n_dims * config.n_features + config.toy_model.n_bias
    return np.array(list(kinds.values())).reshape(-1, size)


def kinds_of(model: ToyModel, parameters: np.ndarray) -> np.ndarray:
    """Rounded numbers that do not depend on the order of equal features and of neurons.

    Of parameters (n, n_params) as if all importances were 1; equal rows are of a kind.
    """
    d, n = model.n_dims, model.n_features
    W = parameters[:, : d * n].reshape(-1, d, n)
    if model.kind == "autoencoder":
        W = W.mT @ W
    parts = [np.sort(W[:, :, 0], axis=1), np.sort(W[:, :, 1:].reshape(len(W), -1), axis=1)]
    return np.rint(np.concatenate(parts, axis=1) / _SAME).astype(np.int16)


def losses_everywhere(
    config: SweepConfig, V: np.ndarray, entries: np.ndarray, quadrature: QuadratureTensors
) -> np.ndarray:
    """Loss of every entry of a library at importances V; shape (len(V), n_entries).

    The columns of W are scaled to the importances.
    """
    model, x = config.toy_model, quadrature.x
    importance = one_feature_varied(V, config.n_features)
    v = torch.from_numpy(importance).to(x)
    step = max(1, _CHUNK // (len(x) * config.n_features))
    loss = x.new_empty(len(v), len(entries))
    for a in range(0, len(entries), step):
        some = entries[a : a + step]
        if config.model == "autoencoder":
            parameters = torch.from_numpy(some).to(x)
            loss[:, a : a + step] = v @ squared_errors(model, parameters, quadrature).T
            continue
        for cell in range(len(V)):
            there = to_importance(config, some, np.ones(()), V[cell])
            parameters = torch.from_numpy(there).to(x)
            loss[cell, a : a + step] = losses(model, parameters, v[cell : cell + 1], quadrature)
    return loss.numpy(force=True).astype(np.float64)


def losses_there(
    config: SweepConfig, V: np.ndarray, parameters: np.ndarray, quadrature: QuadratureTensors
) -> np.ndarray:
    """Loss of one embedding at each of importances V, (len(V),); parameters (len(V), n_params)."""
    model, x = config.toy_model, quadrature.x
    importance = torch.from_numpy(one_feature_varied(V, config.n_features)).to(x)
    some, step = torch.from_numpy(parameters).to(x), max(1, _CHUNK // (len(x) * config.n_features))
    parts = zip(some.split(step), importance.split(step), strict=True)
    loss = torch.cat([losses(model, each, v, quadrature) for each, v in parts])
    return loss.numpy(force=True).astype(np.float64)
