"""Whether the minima of a sweep are the lowest: a longer search, and what must hold of any lowest.

:func:`long_search` minimizes some cells again with many times the effort.  :func:`concavity_gap`
needs no computation: the autoencoder's loss at fixed parameters is linear in importance, so that
the lowest loss, a minimum of straight lines, is concave in it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import xarray as xr

from .._arrays import require, require_whole
from ..models.quadrature import sparse_quadrature
from ..solvers.minimization import can_mirror, minimize
from ..solvers.starts import arranged_starts, moved, random_starts
from ..theory.phases import one_feature_varied
from .config import SweepConfig
from .library import library, parameters_of, to_importance
from .rows import cell_dtype, exact_nodes, search_nodes

_PROMISING = 1.03  # of an eighth of the nodes

# Panels with the same inputs are searched in the same rows, on nodes that take a second to make.
_nodes = lru_cache(maxsize=64)(sparse_quadrature)


def long_search(
    sweep: xr.Dataset,
    n_cells: int = 40,
    times: int = 10,
    seed: int = 0,
    device: str = "auto",
    others: Sequence[xr.Dataset] = (),
) -> xr.Dataset:
    """Cells drawn by a seed, minimized again from many times as many starts.

    A cell is started from fresh random matrices, fresh arrangements, moves of its own minimum, and
    minima of all cells of the sweep, ``times`` as many of each as the sweep has random starts.
    Its own minimum is among the starts, and counts where the search on fewer nodes has lost it.

    Parameters
    ----------
    sweep : Dataset
        From :func:`feature_capacity.run_sweep`.
    n_cells : int
        At most as many as there are.
    times, seed : int
    device : str
    others : sequence of Dataset
        Sweeps of the same model on the same grid with other activations, whose minima of the same
        cell are among the starts, too.

    Returns
    -------
    Dataset
        Along ``cell``: probability, importance, the sweep's ``loss``, the ``lowest`` loss of the
        search on the same nodes, ``fall`` = 1 - lowest / loss, and how far a capacity ``moved``
        at most, equal features in order of capacity.

    Raises
    ------
    ValueError
        For a dataset that is no sweep, or one whose loss is exact and needs no search, and for
        other sweeps of another model or grid.
    """
    config = config_of(sweep)
    require(not config.exact, "the loss of this sweep is exact: compare it with solve_allocation")
    rule = "a whole number, at least 1"
    n_cells = require_whole(n_cells, "n_cells", 1, None, rule)
    times = require_whole(times, "times", 1, None, rule)
    beside = [(_alike(config, config_of(each)), each) for each in others]
    rows_beside = [(theirs, _rows_of(theirs, each)) for theirs, each in beside]
    n_rows, n_columns = config.shape
    generator = np.random.default_rng([seed, 3])
    count = min(n_cells, n_rows * n_columns)
    drawn = np.sort(generator.choice(n_rows * n_columns, count, replace=False))
    rows = _rows_of(config, sweep)
    minima, result = library(config, rows, 0), []
    for row in np.unique(drawn // n_columns):
        cells = drawn[drawn // n_columns == row] % n_columns
        starts = [_many_starts(config, rows[row], cells, minima, times, [seed, 4, int(row)])]
        starts += [_from_another(config, *each, int(row), cells) for each in rows_beside]
        result.append(
            _searched(config, sweep, int(row), cells, np.concatenate(starts, axis=1), device)
        )
    return xr.concat(result, "cell")


def concavity_gap(sweep: xr.Dataset) -> xr.DataArray:
    """How far each loss lies below the chord of its neighbors in importance, relative to it.

    Nowhere above rounding for an autoencoder whose losses are the lowest; a positive gap says that
    a neighbor's minimum is missing one that is lower, by at least as much.

    Raises
    ------
    ValueError
        For the computation model, whose loss is no sum weighted by importance.
    """
    config = config_of(sweep)
    require(
        config.model == "autoencoder",
        "only the autoencoder's lowest loss is concave in importance; got a sweep of the "
        f"{config.model} model",
    )
    V, loss = sweep.importance.values, sweep.loss.values
    part = (V[1:-1] - V[:-2]) / (V[2:] - V[:-2])
    chord = loss[:, :-2] * (1 - part) + loss[:, 2:] * part
    inner = sweep.loss.isel(importance=slice(1, -1))
    return (inner.copy(data=chord) / inner - 1).rename("concavity_gap")


def config_of(sweep: xr.Dataset) -> SweepConfig:
    """The configuration that a sweep was computed with."""
    try:
        return SweepConfig.from_mapping(json.loads(sweep.attrs["config"]))
    except (AttributeError, LookupError, TypeError, ValueError):
        raise ValueError("this is no dataset of run_sweep: it says no configuration") from None


def _alike(config: SweepConfig, other: SweepConfig) -> SweepConfig:
    """The other configuration, which has to be that of a sweep of the same model and grid."""
    names = ("model", "n_features", "n_dims", "bias", "importance", "probability")
    differ = [name for name in names if getattr(config, name) != getattr(other, name)]
    require(
        not differ,
        "other sweeps must be of the same model on the same grid; got another "
        f"{', '.join(differ)}: leave out what cannot be compared cell by cell",
    )
    return other


def _from_another(
    config: SweepConfig,
    other: SweepConfig,
    rows: list[np.ndarray],
    row: int,
    cells: np.ndarray,
) -> np.ndarray:
    """Minima of the same cells with another activation, one each; (n_cells, 1, n_params)."""
    V, one = np.array(config.importance)[cells], np.ones(())
    unscaled = to_importance(other, parameters_of(other, rows[row])[cells], V, one)
    return to_importance(config, unscaled, one, V)[:, None]


def _rows_of(config: SweepConfig, sweep: xr.Dataset) -> list[np.ndarray]:
    """The minima of a sweep in the form that rows have while they are computed."""
    rows = np.zeros(config.shape, cell_dtype(config))
    rows["W"], rows["bias"] = sweep.W.values, sweep.bias.values
    return list(rows)


def _many_starts(
    config: SweepConfig,
    row: np.ndarray,
    cells: np.ndarray,
    minima: np.ndarray,
    times: int,
    seed: list[int],
) -> np.ndarray:
    """Starts of some cells, their own minimum first; shape (n_cells, n_starts, n_params)."""
    model, count = config.toy_model, times * config.n_starts
    V = np.array(config.importance)[cells]
    importance = np.asarray(one_feature_varied(V, config.n_features))
    own = parameters_of(config, row)[cells]
    moves = [
        [moved(model, start, v, [*seed, 5, int(cell), k]) for k in range(count)]
        for start, v, cell in zip(own, importance, cells, strict=True)
    ]
    generator = np.random.default_rng([*seed, 6])
    some = [
        to_importance(
            config, minima[generator.integers(len(minima), size=count)], np.ones(()), v[0]
        )
        for v in importance
    ]
    fresh = random_starts(model, len(cells), count, [*seed, 7])
    arranged = arranged_starts(model, importance, count, [*seed, 8])
    return np.concatenate([own[:, None], fresh, arranged, moves, some], axis=1)


def _searched(
    config: SweepConfig,
    sweep: xr.Dataset,
    row: int,
    cells: np.ndarray,
    starts: np.ndarray,
    device: str,
) -> xr.Dataset:
    """The search in some cells of a row, beside what the sweep has there."""
    model, inputs = config.toy_model, config.inputs_of(row)
    few, *stages = search_nodes(model, inputs, config.n_points, config.seed)
    if exact_nodes(model):
        stages = [few]
    else:  # the fewest would lose minima that are a few parts in a thousand apart
        mirrored = can_mirror(model, inputs)
        n, points = config.n_features, config.n_points
        stages.append(_nodes(inputs, n, points, config.seed, mirrored=mirrored))
    importance = one_feature_varied(np.array(config.importance)[cells], config.n_features)
    found = minimize(
        model,
        inputs,
        importance,
        starts=starts,
        quadrature=stages,
        rough=few,
        dtype=config.dtype,
        device=device,
        promising=_PROMISING,
    )
    there = sweep.isel(probability=row, importance=cells)
    # Equal features may have changed places.
    ours, theirs = (
        np.concatenate([C[:, :1], np.sort(C[:, 1:], axis=1)], axis=1)
        for C in (there.capacity.values, found.capacity)
    )
    loss = there.loss.values
    columns = {
        "probability": np.full(len(cells), config.probability[row]),
        "importance": np.array(config.importance)[cells],
        "loss": loss,
        "lowest": np.minimum(found.loss, loss),
        "fall": np.maximum(1 - found.loss / loss, 0.0),
        "moved": np.where(found.loss < loss, np.abs(theirs - ours).max(axis=1), 0.0),
    }
    return xr.Dataset({name: ("cell", values) for name, values in columns.items()})
