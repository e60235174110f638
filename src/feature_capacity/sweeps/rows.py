"""One row of a sweep: all importances at one probability, minimized on its own.

A row is always solved alone and by one thread, so its numbers do not depend on what else is
computed, where, or in which order.  Its state is a structured array, one entry a cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from threadpoolctl import ThreadpoolController

from ..models.device import pick_device
from ..models.inputs import SparseInput
from ..models.quadrature import (
    MOST_MOMENT_NODES,
    Quadrature,
    moment_quadrature,
    sparse_quadrature,
)
from ..models.toy_models import ToyModel
from ..solvers.minimization import can_mirror, coarse_to_fine, minimize
from ..solvers.newton import minimize_quadratic
from ..solvers.result import MinimizationResult
from ..solvers.starts import arranged_starts, random_starts
from ..theory.phases import one_feature_varied
from .candidates import WON_FROM, candidates_of
from .config import SweepConfig, SweepError, code_digest
from .library import parameters_of
from .tasks import RowTask

_FEWER = 8  # the search has so many times fewer nodes than the minima that come back
_WORTH_TAKING = 1e-4  # relative fall of the loss; well above float32 noise and solver tolerance
_WORTH_ON_FEW = 1e-3  # nor is less worth a round on few nodes, which leave more in doubt
_PROMISING = 1.01  # minima on the coarse nodes are worth going on with up to so many times the best
_CLOSE = 1.01  # and those on an eighth of the nodes
_TOLERANCE = 2e-5
# Where the loss falls slowly, what a round brings would else be steps that the one before left out.
_TO_THE_END: dict[str, Any] = {"tolerance": 1e-6, "max_iterations": 300}
_OF_MINIMUM = ("capacity", "loss", "W", "bias", "iterations", "gradient_norm", "converged")


@dataclass(frozen=True)
class Field:
    """One number, or array of numbers, that a cell has."""

    dims: tuple[str, ...]
    dtype: str
    meaning: str


def fields_of(config: SweepConfig) -> dict[str, Field]:
    """What a cell has, in the order of its numbers."""
    bias = () if config.model == "computation" else ("feature",)
    return {
        "capacity": Field(("feature",), "float64", "capacity of each feature, equation (3)"),
        "loss": Field((), "float64", "lowest expected loss found"),
        "W": Field(("dim", "feature"), "float64", "embedding matrix of the lowest loss"),
        "bias": Field(bias, "float64", "bias of the lowest loss"),
        "best_start": Field((), "int32", "random start that came lowest"),
        "n_near_best": Field((), "int32", "random starts within 1 % of the lowest loss"),
        "iterations": Field((), "int32", "solver steps of the minimization that won"),
        "gradient_norm": Field((), "float64", "norm of the gradient where it ended"),
        "converged": Field((), "bool", "whether it met the solver's stopping rule"),
        "loss_of_starts": Field(("start",), "float64", "loss that each random start ended with"),
        "all_masks": Field((), "bool", "whether the loss sums over all on/off masks"),
        "dropped": Field((), "float64", "share of the second moment in masks left out"),
        "won_from": Field((), "int8", "where the start of the lowest loss came from"),
        "won_in_round": Field((), "int16", "round that found it; 0: random or arranged starts"),
        "accelerated": Field((), "bool", "whether it was found on an accelerator, not the CPU"),
    }


def cell_dtype(config: SweepConfig) -> np.dtype:
    """Structured type of one cell, by field; a row is an array of as many as it has cells."""
    sizes = {"feature": config.n_features, "dim": config.n_dims, "start": config.n_starts}
    return np.dtype(
        [
            (name, field.dtype, tuple(sizes[dim] for dim in field.dims))
            for name, field in fields_of(config).items()
        ]
    )


def solve_row(task: RowTask) -> np.ndarray:
    """The new state of the row."""
    check_worker(task.device, task.code)
    with _one_thread():
        if task.own is None:
            return _first_starts(task)
        return _later_starts(task, task.own)


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()  # looking for them takes as long as an easy row


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with _libraries().limit(limits=1):
            yield
    finally:
        torch.set_num_threads(before)


def check_worker(device: str, code: str) -> None:
    """Refuse to work with other code than the one that asks, or without the device."""
    if code != code_digest():
        raise SweepError("a worker has another version of feature_capacity; install the same one")
    pick_device(device)


def _minimize(
    task: RowTask,
    cells: np.ndarray,
    starts: np.ndarray,
    nodes: Sequence[Quadrature],
    **options: Any,
) -> MinimizationResult:
    """Cells of the row from starts (n_cells, n_starts, n_params)."""
    config = task.config
    importance = one_feature_varied(np.array(config.importance)[cells], config.n_features)
    options = _effort(config) | options | {"device": task.device}
    options |= {"starts": starts, "quadrature": nodes, "dtype": config.dtype}
    return minimize(config.toy_model, config.inputs_of(task.row), importance, **options)


def _effort(config: SweepConfig) -> dict[str, Any]:
    names = ("max_iterations", "tolerance")
    given = {name: getattr(config, name) for name in names if getattr(config, name) is not None}
    # Tighter than the solver's own: the last percent of a percent is what rounds compare.
    return given if config.exact else {"tolerance": _TOLERANCE} | given


# A worker meets a row in every round; the same nodes, so that losses of rounds can be compared.
@lru_cache(maxsize=64)
def search_nodes(
    model: ToyModel, inputs: SparseInput, n_points: int, seed: int
) -> tuple[Quadrature, ...]:
    """From coarse to fine; a single one where it is exact."""
    n = model.n_features
    if exact_nodes(model):
        return (moment_quadrature(inputs, n),)
    mirrored = can_mirror(model, inputs)
    return coarse_to_fine(inputs, n, max(64, n_points // _FEWER), seed, mirrored)


def exact_nodes(model: ToyModel) -> bool:
    """Whether a few nodes give the expected loss without an error."""
    return model.activation == "quadratic" and 3**model.n_features <= MOST_MOMENT_NODES


def _stages(task: RowTask) -> tuple[Quadrature, ...]:
    config = task.config
    inputs = config.inputs_of(task.row)
    return search_nodes(config.toy_model, inputs, config.n_points, config.seed)


def _first_starts(task: RowTask) -> np.ndarray:
    config, seed = task.config, [task.config.seed, task.row]
    row, cells = np.zeros(config.shape[1], cell_dtype(config)), np.arange(config.shape[1])
    importance = np.asarray(one_feature_varied(config.importance, config.n_features))
    if config.exact:
        kurtosis, options = config.inputs_of(task.row).kurtosis, _effort(config)
        options |= {"seed": seed, "device": task.device, "n_starts": config.n_starts}
        found = minimize_quadratic(importance, kurtosis, config.n_dims, **options)
    else:
        random = random_starts(config.toy_model, len(cells), config.n_starts, seed)
        arranged = arranged_starts(config.toy_model, importance, config.n_starts, seed)
        found = _minimize(task, cells, np.concatenate([random, arranged], axis=1), _stages(task))
    for name in row.dtype.fields.keys() & vars(found).keys() - {"loss_of_starts"}:
        row[name] = getattr(found, name)
    row["loss_of_starts"] = found.loss_of_starts[:, : config.n_starts]
    by_chance = found.best_start < config.n_starts
    row["won_from"] = np.where(by_chance, 0, WON_FROM.index("arrangement"))
    row["accelerated"] = pick_device(task.device).type != "cpu"
    return _told_of_starts(row)


def _later_starts(task: RowTask, own: np.ndarray) -> np.ndarray:
    """The row after a round of warm starts; its losses are on the nodes of the round."""
    stages, row, worth = _stages(task), own.copy(), _WORTH_TAKING
    again = task.on_other_nodes
    last = _all_nodes(task) if task.fine else stages[-1]
    tried = candidates_of(task, own, stages[0], last)
    options: dict[str, Any] = {"promising": _PROMISING}
    if task.fine:
        options = {"promising": _CLOSE, "rough": stages[0]}
        stages = stages[-1], last
    elif len(stages) > 1:
        worth = _WORTH_ON_FEW
    for count in np.unique(tried.count[(tried.count > 1) | again]):
        cells = np.flatnonzero((tried.count == count) & ((count > 1) | again))
        starts = tried.parameters[cells, :count]
        found = _minimize(task, cells, starts, stages, **options)
        here = np.where(again[cells], found.loss_of_starts[:, 0], row["loss"][cells])
        here, loss = (np.nan_to_num(x, nan=np.inf) for x in (here, found.loss))
        better = loss < (1 - worth) * here
        new = better | again[cells]
        for name in _OF_MINIMUM:
            row[name][cells[new]] = getattr(found, name)[new]
        if task.fine and not task.config.exact:
            _go_to_the_end(task, row, cells[new])
        taken = cells[better]
        row["won_from"][taken] = tried.origin[taken, found.best_start[better]]
        row["won_in_round"][taken] = task.round
        row["accelerated"][cells[new]] = pick_device(task.device).type != "cpu"
    return _told_of_starts(row)


def _go_to_the_end(task: RowTask, row: np.ndarray, cells: np.ndarray) -> None:
    """Minimize cells of the row from where they stand, with small steps counting, too."""
    if not len(cells):
        return
    given = _effort(task.config)
    options = _TO_THE_END | {name: given[name] for name in given if name == "max_iterations"}
    options["tolerance"] = min(options["tolerance"], given["tolerance"])
    start, steps = parameters_of(task.config, row)[cells, None], row["iterations"][cells]
    rough = _stages(task)[-1]
    found = _minimize(task, cells, start, [_all_nodes(task)], rough=rough, **options)
    for name in _OF_MINIMUM:
        row[name][cells] = getattr(found, name)
    row["iterations"][cells] += steps


def _all_nodes(task: RowTask) -> Quadrature:
    config = task.config
    inputs, model = config.inputs_of(task.row), config.toy_model
    return all_nodes(
        inputs, model.n_features, config.n_points, config.seed, can_mirror(model, inputs)
    )


@lru_cache(maxsize=64)
def all_nodes(
    inputs: SparseInput, n_features: int, n_points: int, seed: int, mirrored: bool
) -> Quadrature:
    """Those of the minima that come back, as long as a worker meets their row again."""
    return sparse_quadrature(inputs, n_features, n_points, seed, mirrored=mirrored)


def _told_of_starts(row: np.ndarray) -> np.ndarray:
    """The row, with its random starts compared with the lowest loss."""
    losses = row["loss_of_starts"]
    row["best_start"] = np.nan_to_num(losses, nan=np.inf).argmin(axis=1)
    row["n_near_best"] = (losses <= 1.01 * row["loss"][:, None]).sum(axis=1)
    return row
