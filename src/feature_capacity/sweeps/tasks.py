"""What a worker is asked to do: one row of a sweep in one round."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .config import SweepConfig

_TRIED_IN = 16  # rows, and cells of each, in which a new kind of minima is tried


@dataclass(frozen=True)
class RowTask:
    """What one worker is asked to do.

    In round 0 a row is minimized from random starts and from arrangements.  In a later round its
    cells are started again from what the round before has found: minima of their neighbors, of the
    whole diagram, and their own after a move.  Rounds come in stages: on few nodes or on all, and
    on a coarser grid, which has some of the rows and of their cells, or on the whole one.  The
    first round of a stage tries all that there is, new or not.
    """

    config: SweepConfig
    row: int
    round: int = 0
    own: np.ndarray | None = None
    below: np.ndarray | None = None  # the next row of the grid, of lower probability
    above: np.ndarray | None = None
    library: np.ndarray | None = None  # minima that are new, one of each kind
    fine: bool = False  # on all nodes
    first: bool = False  # of its stage
    spacing: tuple[int, int] = (1, 1)  # of the grid: between its rows, and between their cells
    refined: tuple[int, int] | None = None  # spacing of the grid that has been on all nodes
    device: str = "auto"
    code: str = ""

    @property
    def cells(self) -> np.ndarray:
        """Those of the row that are on the grid, in order."""
        return np.arange(0, self.config.shape[1], self.spacing[1])

    @property
    def sampled(self) -> np.ndarray:
        """Those in which new minima of the whole diagram are tried.

        All in the first round of a stage; later some rows and cells, others in each round, since
        what is lowest there spreads to neighbors.
        """
        if self.first:
            return self.cells
        down, along = (
            max(1, n // step // _TRIED_IN)
            for n, step in zip(self.config.shape, self.spacing, strict=True)
        )
        if (self.row // self.spacing[0] + self.round) % down:
            return self.cells[:0]
        return self.cells[self.round // down % along :: along]

    @property
    def on_other_nodes(self) -> np.ndarray:
        """Which cells have losses on other nodes than this round's; a mask."""
        mask = np.zeros(self.config.shape[1], dtype=bool)
        mask[self.cells] = self.fine and self.first
        if self.refined is not None and self.row % self.refined[0] == 0:
            mask[:: self.refined[1]] = False
        return mask

    def new(self, row: np.ndarray) -> np.ndarray:
        """Which cells of a row hold something to be tried in others; a mask."""
        mask = np.zeros(len(row), dtype=bool)
        if self.first:
            mask[self.cells] = self.config.rounds > 0
        else:
            mask[self.cells] = row["won_in_round"][self.cells] == self.round - 1
        return mask
