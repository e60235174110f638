"""The nine panels of the paper's Figure 7, and the panels that it does not have.

Pages of the book that draw on the same panels find them in one folder, and wait where another
process is computing one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from .config import SweepConfig, SweepError
from .run import cached_sweep

NONLINEARITIES = {"quadratic": "quadratic", "ReLU": "relu", "GELU": "gelu"}
"""The columns of Figure 7: a name for readers, and that of the activation."""

MODELS = {
    "computation, 6 in 3": ("computation", 3),
    "autoencoder, 6 in 3": ("autoencoder", 3),
    "autoencoder, 6 in 5": ("autoencoder", 5),
}
"""The rows of Figure 7: kind of model and number of dimensions."""

IMPORTANCES, PROBABILITIES = (0.01, 100.0), (0.001, 1.0)
"""The ranges of its axes as we have them; the paper's text has no numbers there."""

FAMILIES = {"computation": "sparse_uniform", "autoencoder": "unit_sparse_uniform"}
"""The inputs of a panel unless it says otherwise."""

Solve = Callable[["Panel", int], xr.Dataset]
"""Takes a panel and the number of cells along each axis."""


_PATIENCE = 3.0  # seconds between two looks at a sweep that another process computes


@dataclass(frozen=True)
class Panel:
    """One phase diagram.

    Parameters
    ----------
    model : {"computation", "autoencoder"}
    n_dims : int
        For six features.
    activation : str
    inputs : str, optional
        A family of :data:`feature_capacity.sweeps.config.INPUTS`; default: that of Figure 7.
    bias : {"best", "shared", "none"}

    Examples
    --------
    >>> Panel("autoencoder", 3, "relu").config(4).shape
    (4, 4)
    """

    model: str
    n_dims: int
    activation: str
    inputs: str | None = None
    bias: str = "best"

    def config(self, cells: int, **effort: Any) -> SweepConfig:
        """What a sweep computes; ``effort`` are settings of :class:`SweepConfig`."""
        # Tanh in the computation model leaves little loss, so that small errors count for more.
        if self.activation == "tanh" and "n_points" in effort:
            effort["n_points"] *= 4
        V, p = (np.geomspace(*ends, cells).tolist() for ends in (IMPORTANCES, PROBABILITIES))
        return SweepConfig(
            self.model, self.activation, tuple(V), tuple(p), n_dims=self.n_dims, bias=self.bias,
            inputs=self.inputs or FAMILIES[self.model], **effort,
        )  # fmt: skip


def solver(folder: Path, workers: int = 1, device: str = "auto", **effort: Any) -> Solve:
    """A function that solves panels with one effort and keeps them in a folder.

    Parameters
    ----------
    folder : Path
    workers, device
        Of :func:`feature_capacity.sweeps.run.cached_sweep`.
    **effort
        Settings of :class:`SweepConfig`, such as ``n_starts`` and ``seed``; the function takes
        those that are to be others in one call.
    """
    return partial(_solve, folder=folder, workers=workers, device=device, effort=effort)


def _solve(
    panel: Panel,
    cells: int,
    folder: Path,
    workers: int,
    device: str,
    effort: Mapping[str, Any],
    **other: Any,
) -> xr.Dataset:
    config = panel.config(cells, **{**effort, **other})
    return patient_sweep(config, folder, workers=workers, device=device)


def patient_sweep(config: SweepConfig, folder: Path, **options: Any) -> xr.Dataset:
    """`cached_sweep`, but where another process is computing the same sweep, wait for it."""
    while True:
        try:
            return cached_sweep(config, folder, **options)
        except SweepError as error:
            if "another process is computing" not in str(error):
                raise
            time.sleep(_PATIENCE)


def figure_seven(solve: Solve, cells: int) -> dict[tuple[str, str], xr.Dataset]:
    """All nine panels, by the name of the model and of the nonlinearity."""
    return {
        (row, name): solve(Panel(*model, activation), cells)
        for row, model in MODELS.items()
        for name, activation in NONLINEARITIES.items()
    }


def first_capacity(found: xr.Dataset) -> np.ndarray:
    """Capacity of feature 1, shape (n_probability, n_importance)."""
    return found.capacity.sel(feature=0).values


def as_map(found: xr.Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Importances, probabilities and capacities of feature 1, as figures take them."""
    return found.importance.values, found.probability.values, first_capacity(found)


def table_of_maps(
    found: Mapping[tuple[str, str], xr.Dataset],
    read: Callable[[xr.Dataset], np.ndarray] = first_capacity,
) -> dict[str, dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]]:
    """Rows of panels by two names, with what is read off each cell, as figures take them."""
    rows: dict[str, dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]] = {}
    for (row, name), each in found.items():
        rows.setdefault(row, {})[name] = (*as_map(each)[:2], read(each))
    return rows


def by_activation(
    found: Mapping[tuple[str, str], xr.Dataset], row: str, read: Callable[[xr.Dataset], Any]
) -> dict[str, Any]:
    """What is read off each panel of a row of Figure 7, by the activation.

    >>> panels = {("a row", "ReLU"): xr.Dataset({"x": 2.0}), ("another", "ReLU"): xr.Dataset()}
    >>> by_activation(panels, "a row", lambda panel: float(panel.x))
    {'relu': 2.0}
    """
    return {NONLINEARITIES[name]: read(each) for (at, name), each in found.items() if at == row}


def named(names: Iterable[str]) -> dict[str, str]:
    """Activations by the names of readers, also such as Figure 7 does not have."""
    return {name: NONLINEARITIES.get(name, name) for name in names}
