"""What there is to say about the features of one matrix, as text, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .._arrays import require
from .._lazy import load
from ..geometry.blocks import Block, blocks
from ..theory.allocation import PHASES
from ..theory.capacity import capacities

FEW = 40
"""Up to so many features each has a bar of its own in the picture, and each pair a square."""

_FEATURES_SHOWN, _BLOCKS_SHOWN = 12, 6


class FeatureRow(NamedTuple):
    """What there is to say about one feature; ``block`` is None where it is in none."""

    feature: int
    length: float
    capacity: float
    phase: str
    block: int | None


@dataclass(frozen=True)
class MatrixReport:
    """Capacities of the columns of a matrix, and how they share its dimensions.

    Attributes
    ----------
    n_dims : int
        Rows of the matrix.
    capacity, length : array (n_features,)
        Capacity, equation (3), and Euclidean length of each column.
    phase : integer array (n_features,)
        0 ignored, 1 polysemantic, 2 monosemantic.
    blocks : tuple of Block
        Sets of features that are orthogonal to all others.
    cosines : array (n_features, n_features) or None
        Between the columns, 0 for a zero column; None for more features than are drawn so.
    tolerance : float
        As given to :func:`measure_matrix`.
    """

    n_dims: int
    capacity: np.ndarray
    length: np.ndarray
    phase: np.ndarray
    blocks: tuple[Block, ...]
    cosines: np.ndarray | None
    tolerance: float

    @property
    def n_features(self) -> int:
        """Columns of the matrix."""
        return len(self.capacity)

    @property
    def total(self) -> float:
        """Total capacity, at most ``n_dims``."""
        return float(self.capacity.sum(dtype=np.float64))

    @property
    def block_of(self) -> np.ndarray:
        """Number of the block of each feature; -1 for a feature that is in none."""
        found = np.full(self.n_features, -1)
        for number, block in enumerate(self.blocks):
            found[list(block.features)] = number
        return found

    def rows(self) -> list[FeatureRow]:
        """One row a feature."""
        phases = [PHASES[phase] for phase in self.phase]
        blocks = [None if block < 0 else block for block in self.block_of.tolist()]
        columns = self.length.tolist(), self.capacity.tolist(), phases, blocks
        return list(map(FeatureRow, range(self.n_features), *columns))

    def csv(self) -> str:
        """The rows as CSV with a header; a feature in no block has an empty field."""
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows([FeatureRow._fields, *self.rows()])
        return text.getvalue()

    def json(self) -> str:
        """Everything as JSON: the numbers of the whole, the blocks, and one object a feature."""
        content = {
            "n_features": self.n_features,
            "n_dims": self.n_dims,
            "total_capacity": self.total,
            "tolerance": self.tolerance,
            "phases": self.counts,
            "blocks": [
                {
                    "n_features": len(block.features),
                    "dimension": block.dimension,
                    "scale": block.scale,
                    "deviation": block.deviation,
                }
                for block in self.blocks
            ],
            "features": [row._asdict() for row in self.rows()],
        }
        return json.dumps(content, indent=1) + "\n"

    @property
    def counts(self) -> dict[str, int]:
        """How many features are in each phase."""
        numbers = np.bincount(self.phase, minlength=len(PHASES)).tolist()
        return dict(zip(PHASES, numbers, strict=True))

    def text(self) -> str:
        """A table for a terminal: the first features, and a summary of all."""
        lines = [f"{'feature':>8}  {'length':>9}  {'capacity':>8}  {'phase':<12}  {'block':>5}"]
        shown = _FEATURES_SHOWN if self.n_features > _FEATURES_SHOWN + 1 else self.n_features
        for row in self.rows()[:shown]:
            number = "-" if row.block is None else str(row.block)
            lines.append(
                f"{row.feature:>8}  {row.length:>9.4g}  {row.capacity:>8.4f}  "
                f"{row.phase:<12}  {number:>5}"
            )
        if shown < self.n_features:
            lines.append(f"       … and {self.n_features - shown:,} more")
        low, middle, high = np.quantile(self.capacity, [0, 0.5, 1])
        share = 100 * self.total / self.n_dims
        counts = ", ".join(f"{count:,} {phase}" for phase, count in self.counts.items())
        lines += [
            "",
            f"total capacity  {self.total:.4g} of {self.n_dims} dimensions ({share:.1f} %)",
            f"each feature    least {low:.3g}, median {middle:.3g}, most {high:.3g}",
            f"phases          {counts}",
            f"blocks          {len(self.blocks):,}",
        ]
        if outside := int((self.block_of < 0).sum()):
            lines[-1] += f"; {_plural(outside, 'feature')} too short to be in one"
        for place, block in enumerate(self.blocks[:_BLOCKS_SHOWN]):
            kind = "efficient" if block.deviation <= self.tolerance else "not efficient"
            features = _plural(len(block.features), "feature")
            dimensions = _plural(block.dimension, "dimension")
            lines.append(f"{place:>8}  {features} in {dimensions}, {kind}")
        if len(self.blocks) > _BLOCKS_SHOWN:
            lines.append(f"       … and {len(self.blocks) - _BLOCKS_SHOWN:,} more")
        return "\n".join(lines)


def measure_matrix(W: np.ndarray, tolerance: float = 0.01) -> MatrixReport:
    """Measure the capacity of every column of a matrix, and split the columns into blocks.

    Parameters
    ----------
    W : array, shape (n_dims, n_features)
        Finite real numbers, one feature a column.
    tolerance : float
        In (0, 0.5).  A feature within it of capacity 1 is monosemantic; one with less than this
        part of its even share, ``n_dims / n_features``, is ignored; features whose cosine is
        within it of 0 are orthogonal; one shorter than this part of the longest is in no block.

    Examples
    --------
    >>> report = measure_matrix(np.array([[1.0, -1, 0], [0, 0, 2]]))
    >>> report.capacity, report.counts
    (array([0.5, 0.5, 1. ]), {'ignored': 0, 'polysemantic': 2, 'monosemantic': 1})
    >>> [block.features for block in report.blocks]
    [(0, 1), (2,)]
    """
    require(0 < tolerance < 0.5, f"tolerance must be above 0 and below 0.5; got {tolerance!r}")
    capacity = np.asarray(capacities(W))
    n_dims, n_features = W.shape
    even_share = min(1.0, n_dims / n_features)
    phase = 1 + (capacity >= 1 - tolerance).astype(int) - (capacity < tolerance * even_share)
    peak = np.abs(W).max() or 1.0  # squares of very long or short columns stay in range
    scaled = (W / peak).astype(np.float64)
    length = np.linalg.norm(scaled, axis=0)
    cosines = None
    if n_features <= FEW:
        directions = scaled / np.where(length > 0, length, 1)
        cosines = directions.T @ directions
    return MatrixReport(
        n_dims, capacity, length * float(peak), phase, blocks(W, tolerance), cosines, tolerance
    )


def draw(report: MatrixReport, ending: str = ".png") -> bytes:
    """The picture of a report, as the content of a file with this ending."""
    picture = load("feature_capacity.measure.picture")  # matplotlib comes with an extra
    content = io.BytesIO()
    picture.capacity_overview(report).savefig(content, format=ending[1:].lower(), dpi=160)
    return content.getvalue()


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
