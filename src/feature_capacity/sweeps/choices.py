"""How much of a diagram depends on limits, restarts and nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import xarray as xr

from .._arrays import to_numpy
from ..models.losses import quadrature_loss, sampled_loss
from ..models.penalty import baseline_loss
from ..models.quadrature import sparse_quadrature
from ..solvers.minimization import can_mirror, coarse_to_fine, minimize
from ..theory.phases import one_feature_varied
from . import reading
from .audit import config_of
from .config import INPUTS
from .figure_seven import FAMILIES, Panel, first_capacity

_NO_LOSS = 1e-8  # in units of the loss of an empty network
_MANY = 131_072  # nodes on which others are judged

# Panels with the same inputs are judged on the same nodes, which take seconds to make.
_nodes = lru_cache(maxsize=16)(sparse_quadrature)


def decided(found: xr.Dataset, panel: Panel) -> np.ndarray:
    """Capacities of feature 1; NaN where the loss is 0, so that nothing decides."""
    model = panel.config(4).toy_model
    family = INPUTS[panel.inputs or FAMILIES[panel.model]]
    v = to_numpy(one_feature_varied(found.importance.values, model.n_features))
    empty = np.array([baseline_loss(model, family(float(p)), v) for p in found.probability.values])
    return np.where(found.loss.values > _NO_LOSS * empty, first_capacity(found), np.nan)


def shares_by_limit(
    maps: Mapping[tuple[str, str], xr.Dataset],
    edges: np.ndarray,
    near: np.ndarray,
    cosines: np.ndarray,
) -> tuple[dict[tuple[str, str], np.ndarray], ...]:
    """Shares of cells as the limits move that define them, by kind of model and nonlinearity.

    Parameters
    ----------
    maps : mapping of (kind of model, nonlinearity) to Dataset
    edges : array
        Distances from 0 and 1 beyond which a cell counts as superposed.
    near : array
        Distances from one half within which it counts as stuck.
    cosines : array
        Cosines above which features are linked.

    Returns
    -------
    tuple of three mappings
        Superposed cells; stuck cells; and, of the stuck cells of the autoencoder, those in a pair,
        of the superposed cells of the computation model, those with one shared block.
    """
    shared, close, linked = {}, {}, {}
    for (model, name), found in maps.items():
        c = first_capacity(found)
        shared[model, name] = np.array([np.mean((c > e) & (c < 1 - e)) for e in edges])
        close[model, name] = np.array([np.mean(np.abs(c - 0.5) < d) for d in near])
        pairs = model == "autoencoder"
        which = reading.stuck(c) if pairs else reading.superposed(c)
        test = reading.in_a_pair if pairs else reading.one_shared_block
        cells = reading.cells_where(found, which)
        linked[model, name] = np.array(
            [reading.share([test(W, cosine) for W in cells]) for cosine in cosines.tolist()]
        )
    return shared, close, linked


@dataclass(frozen=True)
class Restarts:
    """What more random starts find, in some cells of a panel.

    Attributes
    ----------
    excess : array (n_counts,)
        Mean excess of the best of so many starts over the lowest loss known.
    best_error, mean_error : float
        Mean distance of capacity from that at the lowest loss, of the best of four starts, and of
        the mean of four.
    """

    excess: np.ndarray
    best_error: float
    mean_error: float


def restarts(
    panel: Panel,
    probabilities: Sequence[float],
    importances: Sequence[float],
    n_starts: int,
    counts: Sequence[int] = (1, 2, 4, 8),
    n_points: int = 4096,
    seed: int = 0,
    device: str = "auto",
) -> Restarts:
    """Minimize from random starts alone, without help from neighbors.

    Parameters
    ----------
    panel : Panel
    probabilities, importances : sequences of float
        The cells.
    n_starts : int
        A multiple of 4 and of each count.
    counts : sequence of int
    n_points, seed, device
        Of the minimization.
    """
    model, family = panel.config(4).toy_model, INPUTS[panel.inputs or FAMILIES[panel.model]]
    losses, capacities = [], []
    v = one_feature_varied(np.repeat(np.asarray(importances, float), n_starts), model.n_features)
    for i, p in enumerate(probabilities):
        found = minimize(
            model, family(p), v, n_starts=1, seed=[seed, 7, i], device=device,
            quadrature=coarse_to_fine(family(p), model.n_features, n_points, seed),
        )  # fmt: skip
        losses.append(found.loss.reshape(-1, n_starts))
        capacities.append(found.capacity[:, 0].reshape(-1, n_starts))
    loss, c = np.concatenate(losses), np.concatenate(capacities)
    lowest = loss.min(axis=1)
    at_best = np.take_along_axis(c, loss.argmin(axis=1)[:, None], axis=1)
    groups = [loss.reshape(len(loss), -1, m).min(axis=2) for m in counts]
    excess = np.array([np.mean(g / lowest[:, None] - 1) for g in groups])
    four_c, four = c.reshape(len(c), -1, 4), loss.reshape(len(c), -1, 4)
    chosen = np.take_along_axis(four_c, four.argmin(axis=2)[..., None], axis=2)[..., 0]
    errors = [float(np.abs(x - at_best).mean()) for x in (chosen, four_c.mean(axis=2))]
    return Restarts(excess, *errors)


def flattery(
    panel: Panel,
    found: xr.Dataset,
    more: int = 1,
    n_points: int = _MANY,
    seed: int = 1,
    device: str = "auto",
) -> np.ndarray:
    """By how much of it the loss of some minima is wrong on the nodes that they were found on.

    Sixteen cells, spread over the diagram, both losses in float64; the other nodes are many, and
    share nothing with these.

    Parameters
    ----------
    panel : Panel
    found : Dataset
        Its sweep.
    more : int
        On so many times the nodes of the sweep; if they are more, the minima are found on them
        first, from where they are.
    n_points, seed
        Of the other nodes.
    device : str

    Returns
    -------
    array (n_cells,)
        Negative where the nodes flatter.
    """
    config, model = config_of(found), panel.config(4).toy_model
    family = INPUTS[panel.inputs or FAMILIES[panel.model]]
    rows, columns = (
        np.unique(np.linspace(0, found.sizes[axis] - 1, 6).round().astype(int)[1:-1])
        for axis in ("probability", "importance")
    )
    off = []
    for row in rows:
        cells = found.isel(probability=row, importance=columns)
        inputs = family(float(cells.probability))
        v = to_numpy(one_feature_varied(cells.importance.values, model.n_features))
        W, bias = cells.W.values, cells.bias.values
        rule = partial(_nodes, inputs, model.n_features, mirrored=can_mirror(model, inputs))
        nodes = rule(more * config.n_points, config.seed)
        if more > 1:
            starts = W.reshape(len(W), 1, -1)
            if model.n_bias:
                starts = np.concatenate([starts, bias[:, None, : model.n_bias]], axis=2)
            again = minimize(
                model, inputs, v, starts=starts, quadrature=nodes, tolerance=1e-6,
                max_iterations=300, device=device,
            )  # fmt: skip
            W, bias = again.W, again.bias
        minima = model, W, bias, v
        own = quadrature_loss(*minima, nodes)
        many = quadrature_loss(*minima, rule(n_points, seed, gauss=False))
        off.append(own / np.where(many > 0, many, np.nan) - 1)
    return np.concatenate(off)


def moved_by_other_nodes(
    panel: Panel, found: xr.Dataset, n_points: int, seed: int, device: str = "auto"
) -> np.ndarray:
    """How far capacities move when minima of four rows are minimized again on other nodes."""
    model, family = panel.config(4).toy_model, INPUTS[panel.inputs or FAMILIES[panel.model]]
    v = one_feature_varied(found.importance.values, model.n_features)
    moved = []
    for row in np.unique(np.linspace(0, found.sizes["probability"] - 1, 4).astype(int)):
        W, bias = found.W.values[row], found.bias.values[row]
        starts = W.reshape(len(W), 1, -1)
        if model.kind == "autoencoder":
            starts = np.concatenate([starts, bias[:, None, :]], axis=2)
        inputs = family(float(found.probability.values[row]))
        mirrored = can_mirror(model, inputs)
        nodes = _nodes(inputs, model.n_features, n_points, seed + 1, mirrored=mirrored)
        again = minimize(model, inputs, v, starts=starts, quadrature=nodes, device=device)
        moved.append(np.abs(again.capacity - found.capacity.values[row]).max(axis=1))
    return np.concatenate(moved)


@dataclass(frozen=True)
class Sampled:
    """Losses of one cell of some diagrams, by plain sampling and on nodes; one entry for each.

    Attributes
    ----------
    mean, standard_error : array (n_panels,)
        Of the samples.
    on_nodes : array (n_panels,)
        On about 130,000 nodes.
    """

    mean: np.ndarray
    standard_error: np.ndarray
    on_nodes: np.ndarray


def sampled_beside(
    diagrams: Sequence[tuple[Panel, xr.Dataset]],
    probability: float,
    importance: float,
    n_samples: int,
    seed: int = 0,
) -> Sampled:
    """Loss of the minimum of one cell of each diagram, sampled and on nodes.

    Parameters
    ----------
    diagrams : sequence of (Panel, Dataset)
    probability, importance : float
        The cell is the nearest one, in ratio.
    n_samples : int
    seed : int
        Of the samples; the nodes have the next.
    """
    losses = []
    for panel, found in diagrams:
        model = panel.config(4).toy_model
        row, column = (
            int(np.argmin(np.abs(np.log(found[axis].values / value))))
            for axis, value in (("probability", probability), ("importance", importance))
        )
        cell = found.isel(probability=[row], importance=column)
        inputs = INPUTS[panel.inputs or FAMILIES[panel.model]](float(cell.probability.values[0]))
        v = to_numpy(one_feature_varied([float(cell.importance)], model.n_features))
        network = model, cell.W.values, cell.bias.values, v
        mean, error = sampled_loss(*network, inputs, n_samples, seed)
        nodes = _nodes(inputs, model.n_features, _MANY, seed + 1)
        losses.append((mean[0], error[0], quadrature_loss(*network, nodes)[0]))
    return Sampled(*np.array(losses).T)
