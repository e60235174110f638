"""The labelled dataset of a sweep as a Zarr store, with the hashes of all its files."""

from __future__ import annotations

import json
import platform
import warnings
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import torch
import xarray as xr

from .. import __version__
from .._arrays import require
from .candidates import WON_FROM
from .config import SweepConfig
from .rows import cell_dtype, fields_of

_SUMS = "SHA256SUMS"  # as `sha256sum --check` reads it
_CHUNK_BYTES = 2**20  # of a whole sweep, all fields together


def write_dataset(
    place: Path, config: SweepConfig, attributes: dict[str, Any], row: Callable[[int], np.ndarray]
) -> None:
    """Write a whole sweep, some rows at a time, so that memory does not grow with their number.

    Parameters
    ----------
    place : Path
        A folder; what is there is replaced.
    config : SweepConfig
    attributes : dict
        Attributes of the dataset besides those that follow from the configuration.
    row : callable
        From the number of a row to its cells.
    """
    whole, n_rows = _blank(config).assign_attrs(attributes), config.shape[0]
    # Small files, one a row, would take long to read.
    step = min(n_rows, max(1, _CHUNK_BYTES * n_rows // whole.nbytes))
    files = {
        name: {"chunks": (step, *values.shape[1:]), "_FillValue": None}
        for name, values in whole.data_vars.items()
    }
    with warnings.catch_warnings():
        # Zarr says that consolidated metadata are no standard yet; xarray looks for them first.
        warnings.filterwarnings("ignore", "Consolidated metadata")
        whole.to_zarr(place, mode="w", encoding=files, consolidated=True)  # zeros have no files
    for start in range(0, n_rows, step):
        rows = range(n_rows)[start : start + step]
        values = np.stack([row(number) for number in rows])
        block = whole.drop_vars(whole.coords).isel(probability=rows)
        for name in fields_of(config):
            block[name] = block[name].copy(data=values[name])
        block.to_zarr(place, region={"probability": slice(rows.start, rows.stop)})
    (place / _SUMS).write_text("".join(_sums(place)), encoding="utf-8")


def read_dataset(place: Path) -> xr.Dataset:
    """A whole sweep, its files checked; values are read when they are needed.

    Raises
    ------
    ValueError
        If a file is not as it was written, missing or new; names the first.
    OSError
        If a file cannot be read.
    """
    told = (place / _SUMS).read_text(encoding="utf-8").splitlines(keepends=True)
    changed = {line[66:].strip() for line in set(told) ^ set(_sums(place))}
    require(not changed, f"{min(changed, default='')} has changed")
    return xr.open_zarr(place, chunks=None)


def _sums(store: Path) -> list[str]:
    """A line for every file of a store that is not hidden: the hash of what it holds, its name."""
    return [
        f"{sha256(file.read_bytes()).hexdigest()}  {file.relative_to(store).as_posix()}\n"
        for file in sorted(store.rglob("[!.]*"))
        if file.is_file() and file.name != _SUMS
    ]


def _blank(config: SweepConfig) -> xr.Dataset:
    """A whole sweep with its labels; all values are one zero, which takes no memory."""
    zeros = np.broadcast_to(np.zeros((), cell_dtype(config)), config.shape)
    variables = {}
    for name, field in fields_of(config).items():
        dims, told = ("probability", "importance", *field.dims), {"long_name": field.meaning}
        variables[name] = xr.Variable(dims, zeros[name], told | {"units": "1"})
    flags = {"flag_values": list(range(len(WON_FROM))), "flag_meanings": " ".join(WON_FROM)}
    variables["won_from"].attrs |= flags
    versions = {"python": platform.python_version()}
    versions |= {module.__name__: module.__version__ for module in (np, scipy, torch)}
    attributes = {
        "title": f"Lowest loss and feature capacities: {config.toy_model.name}, "
        f"{config.inputs} inputs",
        "seed": config.seed,
        "versions": json.dumps(versions | {"feature_capacity": __version__}),
    }
    return xr.Dataset(variables, _coordinates(config), attributes)


def _coordinates(config: SweepConfig) -> dict[str, xr.Variable]:
    kurtosis = [config.inputs_of(row).kurtosis for row in range(config.shape[0])]
    meaning = "kurtosis of a feature (fourth standardized moment)"
    told = {
        "probability": ("probability", config.probability, "feature probability p"),
        "importance": ("importance", config.importance, "importance of the varied feature"),
        "kurtosis": ("probability", kurtosis, meaning),
        "feature": ("feature", range(config.n_features), "feature, the varied one first"),
        "dim": ("dim", range(config.n_dims), "embedding dimension"),
        "start": ("start", range(config.n_starts), "random start"),
    }
    return {
        name: xr.Variable(dim, np.asarray(values), {"long_name": meaning, "units": "1"})
        for name, (dim, values, meaning) in told.items()
    }
