"""What a worker is asked to do: one row of a sweep in one round."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .config import SweepConfig


@dataclass(frozen=True)
class RowTask:
    """What one worker is asked to do.

    In round 0 a row is minimized from random starts and from arrangements.  In a later round its
    cells are started again from what the round before has found: minima of their neighbors, of the
    whole diagram, and their own after a move.  The last rounds are on all nodes.  The first of
    these compares all that there is, new or not, since losses have changed.
    """

    config: SweepConfig
    row: int
    round: int = 0
    own: np.ndarray | None = None
    below: np.ndarray | None = None  # the row of the next lower probability
    above: np.ndarray | None = None
    library: np.ndarray | None = None  # minima that are new, one of each kind
    fine: bool = False  # on all nodes
    first: bool = False  # of the rounds on all nodes
    device: str = "auto"
    code: str = ""

    def new(self, row: np.ndarray) -> np.ndarray:
        """Which cells of a row hold something to be tried in others; a mask."""
        if self.first:
            return np.full(len(row), self.config.rounds > 0)
        return row["won_in_round"] == self.round - 1
