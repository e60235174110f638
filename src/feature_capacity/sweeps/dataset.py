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
from .config import SweepConfig
from .rows import WON_FROM, fields_of, sizes_of

HASH = "row_hash"
"""Name of the variable that holds the hash of each row."""


def blank_dataset(config: SweepConfig) -> xr.Dataset:
    """A whole sweep with its labels; all values are one zero, which takes no memory."""
    sizes = dict(zip(("probability", "importance"), config.shape, strict=True)) | sizes_of(config)
    variables = {}
    for name, field in fields_of(config).items():
        dims = ("probability", "importance", *field.dims)
        zeros = np.broadcast_to(np.zeros((), field.dtype), [sizes[dim] for dim in dims])
        variables[name] = xr.Variable(dims, zeros, {"long_name": field.meaning, "units": "1"})
    flags = {"flag_values": list(range(len(WON_FROM))), "flag_meanings": " ".join(WON_FROM)}
    variables["won_from"].attrs |= flags
    variables[HASH] = xr.Variable(
        "probability",
        np.zeros(config.shape[0], "uint64"),
        {"long_name": "start of the SHA-256 hash of the row and its labels"},
    )
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
    told = {
        "probability": (config.probability, "feature probability p"),
        "importance": (config.importance, "importance of the varied feature"),
        "kurtosis": (kurtosis, "kurtosis of a feature (fourth standardized moment)"),
        "feature": (range(config.n_features), "feature, the varied one first"),
        "dim": (range(config.n_dims), "embedding dimension"),
        "start": (range(config.n_starts), "random start"),
    }
    return {
        name: xr.Variable(
            "probability" if name == "kurtosis" else name,
            np.asarray(values),
            {"long_name": meaning, "units": "1"},
        )
        for name, (values, meaning) in told.items()
    }


def row_hashes(data: xr.Dataset) -> np.ndarray:
    """A hash a row of all that a reader takes from it: values, coordinates and attributes."""
    variables = {str(name): data.variables[name] for name in sorted(map(str, data.variables))}
    del variables[HASH]
    by_row = [name for name, found in variables.items() if "probability" in found.dims]
    labels = [
        (name, v.dims, str(v.dtype), sorted(v.attrs.items())) for name, v in variables.items()
    ]
    shared = [v.values.tobytes() for name, v in variables.items() if name not in by_row]
    common = digest(sorted(data.attrs.items()), labels, shared)
    rows = zip(*(variables[name].values for name in by_row), strict=True)
    return np.array([row_hash(*row, labels=common) for row in rows], dtype="uint64")


def row_hash(*parts: np.ndarray | np.generic, labels: str = "") -> int:
    """A hash of arrays, of 64 bits; never 0, which is what one that was not written reads as."""
    return int(digest(labels, [part.tobytes() for part in parts])[:16], 16) | 1
