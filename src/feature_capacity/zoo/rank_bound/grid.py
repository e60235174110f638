"""Lines of lengths and biases, and where new ones are put."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .activations import LATTICE

_NARROW = 0.004  # lines of lengths that are no further apart are not parted


@dataclass(frozen=True)
class Grid:
    """Lines of the grid of lengths and biases, rising; biases are multiples of the lattice.

    Attributes
    ----------
    lengths, biases : array
    """

    lengths: np.ndarray
    biases: np.ndarray

    @property
    def reach(self) -> float:
        """The largest length."""
        return float(self.lengths[-1])

    @property
    def upper(self) -> np.ndarray:
        """The largest lengths in the cells next to the lines."""
        return np.append(self.lengths[1:], self.lengths[-1])

    @property
    def middle(self) -> int:
        """The line of the length 1, or the next one; the last one if all are shorter."""
        return int(np.flatnonzero(self.lengths >= min(1.0, self.reach))[0])

    def finer(self, by_length: np.ndarray, by_bias: np.ndarray) -> Grid:
        """The grid with lines added next to the marked ones."""
        lengths = _halved(self.lengths, by_length, _NARROW)
        biases = _halved(self.biases, by_bias, 2 * LATTICE)
        return Grid(lengths, on_lattice(biases))


def on_lattice(biases: np.ndarray) -> np.ndarray:
    """The nearest points of the lattice, each once.

    >>> on_lattice(np.array([0.0021, 0.0049, 0.0051])).tolist()
    [0.0, 0.005]
    """
    return np.unique(np.round(biases / LATTICE)) * LATTICE


def gaps(lines: np.ndarray) -> np.ndarray:
    """The larger of the distances to the two neighbors.

    >>> gaps(np.array([0, 1, 3])).tolist()
    [1.0, 2.0, 2.0]
    """
    steps = np.diff(lines)
    return np.maximum(np.r_[steps, 0.0], np.r_[0.0, steps])


def _halved(lines: np.ndarray, marked: np.ndarray, least: float) -> np.ndarray:
    """Lines with the middles of the gaps next to a marked one, if wider than the least."""
    steps, wide = np.diff(lines), gaps(lines)
    due = np.zeros(len(steps), bool)
    for near in (slice(None, -1), slice(1, None)):
        due |= marked[near] & (steps > 0.6 * wide[near])
    due &= steps > least - 1e-9
    return np.sort(np.r_[lines, (lines[1:] + lines[:-1])[due] / 2])
