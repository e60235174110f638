"""One row of a sweep: all importances at one probability, minimized on its own.

A row is always solved alone and by one thread, so its numbers do not depend on what else is
computed, where, or in which order.  Its state is a structured array, one entry a cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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


def cell_dtype(config: SweepConfig) -> np.dtype:
    """Structured type of one cell, by field; a row is an array of as many as it has cells."""
    sizes = {"feature": config.n_features, "dim": config.n_dims, "start": config.n_starts}
    return np.dtype(
        [
            (name, field.dtype, tuple(sizes[dim] for dim in field.dims))
            for name, field in fields_of(config).items()
        ]
    )


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

    def candidates(self) -> Candidates:
        """Cells to start again, and from where; only what has changed is tried."""
        cells, found = np.arange(self.config.shape[1]), []
        neighbors = (self.own, -1), (self.own, 1), (self.below, 0), (self.above, 0)
        for code, (row, shift) in enumerate(neighbors, start=1):
            if row is None:
                continue
            there = cells + shift
            inside = (there >= 0) & (there < len(cells))
            inside[inside] &= row["won_in_round"][there[inside]] == self.round - 1
            W, bias = (row[name].reshape(len(cells), -1) for name in ("W", "bias"))
            # A shared bias is stored for every feature, and is a single parameter.
            parameters = np.concatenate([W, bias[:, : self.config.toy_model.n_bias]], axis=1)
            found.append((cells[inside], np.full(inside.sum(), code), parameters[there[inside]]))
        return Candidates(*(np.concatenate(part) for part in zip(*found, strict=True)))


@dataclass(frozen=True)
class Candidates:
    """What a row is started from again in a round of warm starts; one entry a start."""

    cell: np.ndarray
    origin: np.ndarray  # code of WON_FROM
    parameters: np.ndarray


def solve_row(task: RowTask) -> np.ndarray:
    """The new state of the row."""
    check_worker(task.device, task.code)
    with _one_thread():
        return _random_starts(task) if task.own is None else _warm_starts(task, task.own)


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


def check_worker(device: str, code: str) -> None:
    """Refuse to work with other code than the one that asks, or without the device."""
    if code != code_digest():
        raise SweepError("a worker has another version of feature_capacity; install the same one")
    pick_device(device)


def _minimize(task: RowTask, warm: Candidates | None = None) -> MinimizationResult:
    """All cells from random starts, or each candidate from its own parameters."""
    config, inputs = task.config, task.config.inputs_of(task.row)
    importance = one_feature_varied(config.importance, config.n_features)
    options: dict[str, Any] = {
        name: getattr(config, name)
        for name in ("n_starts", "max_iterations", "tolerance")
        if getattr(config, name) is not None
    }
    options |= {"seed": [config.seed, task.row], "device": task.device}
    if config.exact:
        return minimize_quadratic(importance, inputs.kurtosis, config.n_dims, **options)
    # The same in all rounds, so that losses of different rounds can be compared; minima of
    # neighbors are near enough to go without the coarse one.
    stages = coarse_to_fine(inputs, config.n_features, config.n_points, config.seed)
    options |= {"quadrature": stages, "dtype": config.dtype}
    if warm is not None:
        importance = importance[warm.cell]
        options |= {"quadrature": stages[-1], "starts": warm.parameters[:, None, :]}
    return minimize(config.toy_model, inputs, importance, **options)


def _random_starts(task: RowTask) -> np.ndarray:
    found = _minimize(task)
    row = np.zeros(task.config.shape[1], cell_dtype(task.config))
    for name in row.dtype.fields.keys() & vars(found).keys():
        row[name] = getattr(found, name)
    row["accelerated"] = pick_device(task.device).type != "cpu"
    return row


def _warm_starts(task: RowTask, own: np.ndarray) -> np.ndarray:
    warm = task.candidates()
    if not len(warm.cell):
        return own
    found = _minimize(task, warm)
    loss = np.nan_to_num(found.loss, nan=np.inf)
    order = np.argsort(-loss, kind="stable")
    best = np.full(task.config.shape[1], -1)
    best[warm.cell[order]] = order  # the last one written is the lowest
    row = own.copy()
    cell = np.flatnonzero(best >= 0)
    cell = cell[loss[best[cell]] < (1 - _WORTH_TAKING) * row["loss"][cell]]
    for name in ("capacity", "loss", "W", "bias", "iterations", "gradient_norm", "converged"):
        row[name][cell] = getattr(found, name)[best[cell]]
    near = row["loss_of_starts"][cell] <= 1.01 * row["loss"][cell, None]
    row["n_near_best"][cell] = near.sum(axis=1)
    row["won_from"][cell] = warm.origin[best[cell]]
    row["won_in_round"][cell] = task.round
    row["accelerated"][cell] = pick_device(task.device).type != "cpu"
    return row
