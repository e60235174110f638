"""What a sweep computes: one validated, hashable description of it.

A configuration file, YAML or JSON, names the fields of :class:`SweepConfig`::

    model: autoencoder            # or computation
    activation: relu              # quadratic, relu, gelu, tanh, abs
    inputs: unit_sparse_uniform   # or sparse_uniform, sparse_normal
    n_features: 6
    n_dims: 3
    bias: best                    # shared: one for all features; none: always 0
    importance: {low: 0.01, high: 100, count: 32}  # of the varied feature; or a list of numbers
    probability: {low: 0.01, high: 1, count: 32}   # of a feature being active; or a list
    n_starts: 4

A grid ``{low, high, count}`` has equal ratios between neighbors.  What is left out has its default.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, SupportsFloat

import numpy as np

from .._arrays import require, require_known, require_whole, shown, unknown
from .._digest import digest, module_file
from .._documents import read_document
from ..models.activations import ACTIVATIONS
from ..models.inputs import SparseInput, SparseNormal, SparseUniform, UnitSparseUniform
from ..models.toy_models import ToyModel

INPUTS: dict[str, type[SparseInput]] = {
    "sparse_uniform": SparseUniform,
    "sparse_normal": SparseNormal,
    "unit_sparse_uniform": UnitSparseUniform,
}
"""Families of inputs by name."""


_MOST = 10**9  # numbers that a sweep works with at a time
_WHOLE = {
    "n_starts": (1, 10**6),
    "max_rounds": (0, 1000),
    "seed": (0, 2**63 - 1),
    "n_points": (64, 10**8),
    "max_iterations": (1, 10**9),
}


class SweepError(RuntimeError):
    """A sweep that could not go on: a full disk, lost workers; one sentence."""


@dataclass(frozen=True)
class SweepConfig:
    """A grid of cells: importance of one feature against the probability that a feature is active.

    Parameters
    ----------
    model : {"computation", "autoencoder"}
    activation : str
        A name in :data:`feature_capacity.models.activations.ACTIVATIONS`.
    importance : increasing positive numbers
        Of the varied feature; the others have importance 1.
    probability : increasing numbers in (0, 1]
        Feature probability p; one row of the sweep for each.
    inputs : {"sparse_uniform", "sparse_normal", "unit_sparse_uniform"}
    n_features, n_dims : int
        N features in D dimensions, D at most N.
    n_starts : int
        Random starts in each cell, and as many arrangements.
    max_rounds : int
        Rounds in which cells are started again from minima of others, at most so many on some of
        the nodes and then on all, for each grid from a coarse one to the whole; 0 leaves one round,
        on all nodes, without any other start.  There are none where the loss is exact, because
        practically every start ends in the global minimum.
    seed : int
        Of the starts and of the nodes.
    n_points : int
        About how many expectation nodes a row has in the end; most of the search has an eighth.
        Quadratic models of up to 8 features need none of this: their nodes are few and exact.
    max_iterations, tolerance : optional
        Of the solver; default: its own.
    dtype : {"float32", "float64"}
        Precision of the iterations; exact losses always have float64.
    bias : {"best", "shared", "none"}
        Of :class:`feature_capacity.models.toy_models.ToyModel`.

    Examples
    --------
    >>> SweepConfig("autoencoder", "relu", [0.1, 1, 10], [0.1, 1]).shape
    (2, 3)
    >>> SweepConfig("autoencoder", "sigmoid", [1], [1])
    Traceback (most recent call last):
    ...
    ValueError: unknown activation 'sigmoid'; known: abs, gelu, quadratic, relu, tanh
    """

    model: str
    activation: str
    importance: tuple[float, ...]
    probability: tuple[float, ...]
    inputs: str = "sparse_uniform"
    n_features: int = 6
    n_dims: int = 3
    n_starts: int = 4
    max_rounds: int = 100
    seed: int = 0
    n_points: int = 16384
    max_iterations: int | None = None
    tolerance: float | None = None
    dtype: str = "float32"
    bias: str = "best"

    def __post_init__(self) -> None:
        require_known("activation", self.activation, ACTIVATIONS)
        require_known("inputs", self.inputs, INPUTS)
        require_known("dtype", self.dtype, ("float32", "float64"))
        model = self.toy_model
        for name, (least, most) in _WHOLE.items():
            value = getattr(self, name)
            if value is not None or name != "max_iterations":
                object.__setattr__(self, name, _whole(value, name, least, most))
        object.__setattr__(self, "n_features", int(model.n_features))
        object.__setattr__(self, "n_dims", int(model.n_dims))
        if self.tolerance is not None:
            tolerance = _number(self.tolerance, "tolerance")
            require(0 < tolerance < 1, f"tolerance must be in (0, 1); got {self.tolerance!r}")
            object.__setattr__(self, "tolerance", tolerance)
        for name, high in {"importance": math.inf, "probability": 1.0}.items():
            object.__setattr__(self, name, _grid(getattr(self, name), name, high))
            _require_squares(getattr(self, name), name, "float64" if self.exact else self.dtype)
        rarest = min(self.probability)
        require(
            self.exact or self.n_features == 1 or rarest >= 1e-6,
            "probability must be at least 1e-06 where the loss is taken on nodes, or no two "
            f"features would be active together on them; got {rarest:g}",
        )
        self._require_room()

    def _require_room(self) -> None:
        """Refuse what no machine can hold, before anything is written."""
        row = self.shape[1] * self.n_starts * self.n_features * self.n_dims
        for number, what in (
            (row, "n_importance x n_starts x n_features x n_dims"),
            (self.n_points * self.n_features, "n_points x n_features"),
            (self.shape[0] * self.shape[1], "n_probability x n_importance"),
        ):
            require(
                number <= _MOST,
                f"{what} must be at most {_MOST:,}; got {shown(number)}: make one of them smaller",
            )

    @property
    def toy_model(self) -> ToyModel:
        """The model of every cell."""
        return ToyModel(self.model, self.activation, self.n_features, self.n_dims, self.bias)

    @property
    def exact(self) -> bool:
        """Whether the loss is equation (12): mean 0, variance 1, and the best bias."""
        centered = self.inputs in ("sparse_uniform", "sparse_normal")
        quadratic = self.model == "computation" and self.activation == "quadratic"
        return quadratic and centered and self.bias != "none"

    @property
    def rounds(self) -> int:
        """Rounds of warm starts, at most."""
        return 0 if self.exact else self.max_rounds

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and cells in each: (n_probability, n_importance)."""
        return len(self.probability), len(self.importance)

    def inputs_of(self, row: int) -> SparseInput:
        """The distribution of every feature in one row."""
        return INPUTS[self.inputs](self.probability[row])

    def json(self) -> str:
        """All fields, always in the same form."""
        return json.dumps(asdict(self), sort_keys=True)

    @property
    def digest(self) -> str:
        """Hash of the configuration and of the code that determines the result."""
        return digest(self.json(), code_digest())

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> SweepConfig:
        """Configuration from field names and values."""
        names = {field.name for field in fields(cls)}
        for name in values:
            if name not in names:
                raise ValueError(unknown("sweep setting", str(name), names))
        needed = ("model", "activation", "importance", "probability")
        missing = [name for name in needed if name not in values]
        require(not missing, f"a sweep needs the setting {' and '.join(missing)}")
        return cls(**values)

    @classmethod
    def from_file(cls, file: Path | str) -> SweepConfig:
        """Configuration from a YAML or JSON file; see the top of this module for an example."""
        file = Path(file)
        values = read_document(file, "configuration file")
        require(isinstance(values, dict), f"{file} holds no mapping of setting: value")
        try:
            return cls.from_mapping(values)
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from None


@functools.cache
def code_digest() -> str:
    """Hash of the code that determines the numbers of a sweep."""
    return digest(code=[module_file("sweeps.rows")])


def _number(value: object, name: str) -> float:
    """A finite number; YAML reads 1e-3, without a point, as text."""
    number = math.nan
    if isinstance(value, SupportsFloat | str) and not isinstance(value, bool):
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            number = float(value)
    require(math.isfinite(number), f"{name} must be finite numbers; got {value!r:.60}")
    return number


def _whole(value: object, name: str, low: int, high: int) -> int:
    rule = f"a whole number, at least {low}"
    whole = require_whole(value, name, low, None, rule)
    require(whole <= high, f"{name} must be {rule} and at most {high:,}; got {shown(whole)}")
    return whole


def _require_squares(grid: tuple[float, ...], name: str, dtype: str) -> None:
    """Normal matrices multiply two weights, so that the precision must hold squares."""
    limits = np.finfo(dtype)
    low, high = math.sqrt(limits.tiny), math.sqrt(limits.max)
    remedy = "; take dtype float64" if dtype == "float32" else ""
    for value in grid:
        require(
            low <= value <= high,
            f"{name} must be from {low:.1g} to {high:.1g}, whose squares {dtype} holds; "
            f"got {value!r}{remedy}",
        )


def _grid(given: object, name: str, high: float) -> tuple[float, ...]:
    if isinstance(given, Mapping):
        given = _ratios(given, name)
    rule = f"{name} must be a list of increasing numbers or low, high and count"
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise ValueError(f"{rule}; got {given!r:.60}")
    grid = tuple(_number(value, name) for value in given)
    require(grid, f"{name} is an empty grid; {rule}")
    where = "in (0, 1]" if high == 1 else "above 0"
    for value in grid:
        require(0 < value <= high, f"{name} must be {where}; got {value!r}")
    for a, b in itertools.pairwise(grid):
        require(a < b, f"{name} must increase strictly; got {b!r} after {a!r}")
    return grid


def _ratios(given: Mapping[str, object], name: str) -> list[float]:
    names = ", ".join(map(str, given)) or "none"
    require(
        set(given) == {"low", "high", "count"},
        f"{name} as a mapping has low, high and count; got {names:.60}",
    )
    low, high = (_number(given[end], f"{name}: {end}") for end in ("low", "high"))
    count = _whole(given["count"], f"{name}: count", 2, 10**6)
    require(0 < low < high, f"{name} needs 0 < low < high; got low {low!r} and high {high!r}")
    return np.geomspace(low, high, count).tolist()
