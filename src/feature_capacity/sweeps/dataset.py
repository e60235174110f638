"""The labelled dataset of a sweep, and a hash of every row of it."""

from __future__ import annotations

import json
import platform

import numpy as np
import scipy
import torch
import xarray as xr

from .. import __version__
from .._digest import digest
from .candidates import WON_FROM
from .config import SweepConfig
from .rows import cell_dtype, fields_of

HASH = "row_hash"
"""Name of the variable that holds the hash of each row."""


def blank_dataset(config: SweepConfig) -> xr.Dataset:
    """A whole sweep with its labels; all values are one zero, which takes no memory."""
    zeros = np.broadcast_to(np.zeros((), cell_dtype(config)), config.shape)
    variables = {}
    for name, field in fields_of(config).items():
        dims, told = ("probability", "importance", *field.dims), {"long_name": field.meaning}
        variables[name] = xr.Variable(dims, zeros[name], told | {"units": "1"})
    flags = {"flag_values": list(range(len(WON_FROM))), "flag_meanings": " ".join(WON_FROM)}
    variables["won_from"].attrs |= flags
    meaning = {"long_name": "start of the SHA-256 hash of the row and its labels"}
    hashes = np.zeros(config.shape[0], "uint64")
    variables[HASH] = xr.Variable("probability", hashes, meaning)
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


def row_hashes(data: xr.Dataset) -> np.ndarray:
    """A hash a row of all that a reader takes from it: values, coordinates and attributes."""
    data = data.drop_vars(HASH)
    names = sorted(map(str, data.variables))
    labels = json.dumps(data.to_dict(data=False), sort_keys=True)
    rows = [data.isel(probability=row) for row in range(data.sizes["probability"])]
    hashes = [row_hash(labels, *(row[name].values.tobytes() for name in names)) for row in rows]
    return np.array(hashes, dtype="uint64")


def row_hash(*parts: object) -> int:
    """A hash of 64 bits; never 0, which is what one that was not written reads as."""
    return int(digest(*parts)[:16], 16) | 1
