"""One row of a sweep: all importances at one probability, minimized on its own.

A row is always solved alone and by one thread, so its numbers do not depend on what else is
computed, where, or in which order.  Its state is a plain matrix, one line of numbers a cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from ..models.device import pick_device
from ..solvers.minimization import coarse_to_fine, minimize
from ..solvers.newton import minimize_quadratic
from ..solvers.result import MinimizationResult
from ..theory.phases import one_feature_varied
from .config import SweepConfig, SweepError, code_digest

WON_FROM = (
    "random_start",
    "lower_importance",
    "higher_importance",
    "lower_probability",
    "higher_probability",
)
"""Where the parameters of a cell came from, by code."""

_WORTH_TAKING = 1e-4  # relative fall of the loss; well above float32 noise and solver tolerance


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
        "best_start": Field((), "int32", "random start with the lowest loss"),
        "n_near_best": Field((), "int32", "random starts within 1 % of the lowest loss"),
        "iterations": Field((), "int32", "solver steps of the minimization that won"),
        "gradient_norm": Field((), "float64", "norm of the gradient where it ended"),
        "converged": Field((), "bool", "whether it met the solver's stopping rule"),
        "loss_of_starts": Field(("start",), "float64", "loss that each random start ended with"),
        "all_masks": Field((), "bool", "whether the loss sums over all on/off masks"),
        "dropped": Field((), "float64", "share of the second moment in masks left out"),
        "won_from": Field((), "int8", "where the start of the lowest loss came from"),
        "won_in_round": Field((), "int8", "round of warm starts that found it; 0: random starts"),
        "accelerated": Field((), "bool", "whether it was found on an accelerator, not the CPU"),
    }


def sizes_of(config: SweepConfig) -> dict[str, int]:
    """Length of every dimension of a cell's fields."""
    return {"feature": config.n_features, "dim": config.n_dims, "start": config.n_starts}


def pack(config: SweepConfig, values: dict[str, np.ndarray]) -> np.ndarray:
    """State of a row, float64 (n_cells, n_numbers), from its fields; every dtype fits exactly."""
    columns = [values[name].reshape(config.shape[1], -1) for name in fields_of(config)]
    return np.concatenate(columns, axis=1, dtype=np.float64)


def unpack(config: SweepConfig, state: np.ndarray) -> dict[str, np.ndarray]:
    """Fields of a row from its state."""
    sizes, values, start = sizes_of(config), {}, 0
    for name, field in fields_of(config).items():
        shape = tuple(sizes[dim] for dim in field.dims)
        stop = start + int(np.prod(shape))
        values[name] = state[:, start:stop].reshape(-1, *shape).astype(field.dtype)
        start = stop
    return values


@dataclass(frozen=True)
class RowTask:
    """What one worker is asked to do.

    In round 0 a row is minimized from random starts.  In a later round its cells are started
    again from the parameters of their neighbors as they stood at the end of the round before.
    """

    config: SweepConfig
    row: int
    round: int = 0
    own: np.ndarray | None = None
    below: np.ndarray | None = None  # the row of the next lower probability
    above: np.ndarray | None = None
    device: str = "auto"
    code: str = ""

    @property
    def candidates(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cells to start again, where from, and the parameters; only what has changed is tried."""
        config, found = self.config, []
        cells = np.arange(config.shape[1])
        neighbors = (self.own, -1), (self.own, 1), (self.below, 0), (self.above, 0)
        for code, (state, shift) in enumerate(neighbors, start=1):
            if state is None:
                continue
            values = unpack(config, state)
            there = cells + shift
            inside = (there >= 0) & (there < len(cells))
            inside[inside] &= values["won_in_round"][there[inside]] == self.round - 1
            W, bias = (values[name].reshape(len(cells), -1) for name in ("W", "bias"))
            # A shared bias is stored for every feature, and is a single parameter.
            parameters = np.concatenate([W, bias[:, : config.toy_model.n_bias]], axis=1)
            found.append((cells[inside], np.full(inside.sum(), code), parameters[there[inside]]))
        return tuple(np.concatenate(part) for part in zip(*found, strict=True))


def solve_row(task: RowTask) -> np.ndarray:
    """The new state of the row."""
    return _random_starts(task) if task.round == 0 else _warm_starts(task)


def solve_in_worker(task: RowTask) -> np.ndarray:
    """The new state of the row, in a process that does nothing else."""
    check_worker(task.device, task.code)
    torch.set_num_threads(1)
    threadpool_limits(1)
    return solve_row(task)


def check_worker(device: str, code: str) -> None:
    """Refuse to work with other code than the one that asks, or without the device."""
    if code != code_digest():
        raise SweepError("a worker has another version of feature_capacity; install the same one")
    pick_device(device)


def _solver_options(config: SweepConfig) -> dict[str, Any]:
    options = {"max_iterations": config.max_iterations, "tolerance": config.tolerance}
    return {name: value for name, value in options.items() if value is not None}


def _minimize(task: RowTask, cells: Any = slice(None), starts: Any = None) -> MinimizationResult:
    config, inputs = task.config, task.config.inputs_of(task.row)
    stages = coarse_to_fine(inputs, config.n_features, config.n_points, config.seed)
    return minimize(
        config.toy_model,
        inputs,
        one_feature_varied(config.importance, config.n_features)[cells],
        n_starts=config.n_starts,
        seed=[config.seed, task.row],
        starts=starts,
        # The same in all rounds, so that losses of different rounds can be compared; minima of
        # neighbors are near enough to go without the coarse one.
        quadrature=stages if starts is None else stages[-1:],
        dtype=config.dtype,
        device=task.device,
        **_solver_options(config),
    )


def _random_starts(task: RowTask) -> np.ndarray:
    config = task.config
    if config.exact:
        found = minimize_quadratic(
            one_feature_varied(config.importance, config.n_features),
            config.inputs_of(task.row).kurtosis,
            config.n_dims,
            n_starts=config.n_starts,
            seed=[config.seed, task.row],
            device=task.device,
            **_solver_options(config),
        )
    else:
        found = _minimize(task)
    cells = np.zeros(config.shape[1])
    rest = {
        "won_from": cells,
        "won_in_round": cells,
        "accelerated": cells + (pick_device(task.device).type != "cpu"),
    }
    return pack(config, {**vars(found), **rest})


def _warm_starts(task: RowTask) -> np.ndarray:
    cells, origin, parameters = task.candidates
    if not len(cells):
        return task.own
    found = _minimize(task, cells, parameters[:, None, :])
    loss = np.nan_to_num(found.loss, nan=np.inf)
    order = np.argsort(-loss, kind="stable")
    best = np.full(task.config.shape[1], -1)
    best[cells[order]] = order  # the last one written is the lowest
    values = unpack(task.config, task.own)
    cell = np.flatnonzero(best >= 0)
    cell = cell[loss[best[cell]] < (1 - _WORTH_TAKING) * values["loss"][cell]]
    for name in ("capacity", "loss", "W", "bias", "iterations", "gradient_norm", "converged"):
        values[name][cell] = getattr(found, name)[best[cell]]
    near = values["loss_of_starts"][cell] <= 1.01 * values["loss"][cell, None]
    values["n_near_best"][cell] = near.sum(axis=1)
    values["won_from"][cell] = origin[best[cell]]
    values["won_in_round"][cell] = task.round
    values["accelerated"][cell] = pick_device(task.device).type != "cpu"
    return pack(task.config, values)
