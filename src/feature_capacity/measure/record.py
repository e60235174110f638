"""The measurement of the features of one matrix: what was measured, and all that was found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

import numpy as np

from .._arrays import require
from .._lazy import load, need
from ..geometry.blocks import Block
from ..theory.allocation import PHASES
from .choice import Source
from .neighbors import Neighbors
from .random_directions import RandomDirections
from .statistics import Statistic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DataFrame: TypeAlias = Any
"""A pandas DataFrame; pandas, which has no types of its own, comes with the extra ``book``."""

FEW = 40
"""Up to so many features each has a bar of its own in the picture, and each pair a square."""


class FeatureRow(NamedTuple):
    """What there is to say about one feature; None where there is nothing to say."""

    feature: int
    length: float
    capacity: float | None
    phase: str
    block: int | None
    leverage: float | None
    coactive_capacity: float | None


@dataclass(frozen=True)
class Measurement:
    """Capacities of the features of a matrix, and how they share its dimensions.

    Attributes
    ----------
    source : Source
        File, tensor, shape, and which axis is features and why.
    n_dims : int
    capacity, length : array (n_features,)
        Capacity, equation (3), and Euclidean length of each feature.  The capacity of a feature
        that was left out because it is not finite is nan, and its length 0.
    phase : integer array (n_features,)
        0 ignored, 1 polysemantic, 2 monosemantic; -1 left out.
    leverage : array (n_features,)
        Capacity by the alternative definition, equation (88).
    coactive : array (n_features,) or None
        Capacity weighted by co-activation, where activations were given.
    squares : array (rank,)
        Squared singular values that are not zero, the largest first.
    blocks : tuple of Block or None
        Sets of features that are orthogonal to all others; None where the matrix is too large to
        look for them.
    cosines : array (n_features, n_features) or None
        Between the features, 0 for a zero vector; None for more features than are drawn so.
    neighbors : Neighbors
        Of all features, or of some.
    random : RandomDirections
        What as many unit vectors in random directions have.
    statistics : tuple of Statistic
        Numbers of the whole, each with its meaning and source.
    tolerance : float
    """

    source: Source
    n_dims: int
    capacity: np.ndarray
    length: np.ndarray
    phase: np.ndarray
    leverage: np.ndarray
    coactive: np.ndarray | None
    squares: np.ndarray
    blocks: tuple[Block, ...] | None
    cosines: np.ndarray | None
    neighbors: Neighbors
    random: RandomDirections
    statistics: tuple[Statistic, ...]
    tolerance: float

    @property
    def n_features(self) -> int:
        """How many features there are, with those that were left out."""
        return len(self.capacity)

    @property
    def measured(self) -> np.ndarray:
        """Capacities of the features that were not left out."""
        return self.capacity[self.phase >= 0]

    @property
    def total(self) -> float:
        """Total capacity, at most ``n_dims``."""
        return float(self.measured.sum(dtype=np.float64))

    @property
    def left_out(self) -> np.ndarray:
        """Features that were left out because they are not finite."""
        return np.flatnonzero(self.phase < 0)

    @property
    def n_zero(self) -> int:
        """How many features are zero vectors."""
        return int(((self.length == 0) & (self.phase >= 0)).sum())

    @property
    def block_of(self) -> np.ndarray:
        """Number of the block of each feature; -1 for a feature that is in none."""
        found = np.full(self.n_features, -1)
        for number, block in enumerate(self.blocks or ()):
            found[list(block.features)] = number
        return found

    @property
    def counts(self) -> dict[str, int]:
        """How many features are in each phase."""
        found = np.bincount(self.phase[self.phase >= 0], minlength=len(PHASES)).tolist()
        return dict(zip(PHASES, found, strict=True))

    def statistic(self, name: str) -> float:
        """The value of one of the ``statistics``."""
        return {one.name: one.value for one in self.statistics}[name]

    def rows(self) -> list[FeatureRow]:
        """One row a feature."""
        names = [*PHASES, "left out"]
        n = self.n_features
        coactive = [None] * n if self.coactive is None else _numbers(self.coactive)
        columns = (
            self.length.tolist(),
            _numbers(self.capacity),
            [names[code] for code in self.phase.tolist()],
            [None if block < 0 else block for block in self.block_of.tolist()],
            _numbers(self.leverage),
            coactive,
        )
        return list(map(FeatureRow, range(n), *columns))

    def text(self) -> str:
        """The report for a terminal."""
        return str(load("feature_capacity.measure.report").text(self))

    def csv(self) -> str:
        """The rows as CSV with a header; what is None is an empty field."""
        return str(load("feature_capacity.measure.report").csv_text(self))

    def json(self) -> str:
        """Everything as JSON; the fields are those of ``report.content``."""
        return str(load("feature_capacity.measure.report").json_text(self))

    def to_dataframe(self) -> DataFrame:
        """The rows as a pandas DataFrame, with the number of the feature as its index."""
        need("book", "a DataFrame", "pandas")
        pd = load("pandas")
        found = pd.DataFrame(self.rows(), columns=FeatureRow._fields).set_index("feature")
        found["block"] = found["block"].astype("Int64")
        return found

    def plot(self) -> Figure:
        """Capacity of each feature, against length, and how features overlap."""
        picture = load("feature_capacity.measure.picture")  # matplotlib comes with an extra
        return cast("Figure", picture.capacity_overview(self))

    def save(self, path: str | Path) -> Path:
        """Write the report as one HTML file, which needs no other; return its path."""
        path = Path(path)
        require(path.suffix.lower() in (".html", ".htm"), f"the report {path} must end in .html")
        path.write_text(load("feature_capacity.measure.page").page(self), encoding="utf-8")
        return path

    def _repr_html_(self) -> str:
        return str(load("feature_capacity.measure.page").fragment(self))


def _numbers(array: np.ndarray) -> list[float | None]:
    """A list for rows, with None for nan."""
    return [None if value != value else value for value in array.tolist()]
