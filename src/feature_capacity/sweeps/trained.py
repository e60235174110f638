"""Networks trained the usual way, beside the minima of a phase diagram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from .._arrays import to_numpy
from .._executor import open_workers
from ..models.losses import quadrature_loss
from ..models.quadrature import sparse_quadrature
from ..models.row_training import TrainedRow, train_row
from ..theory.capacity import capacities
from ..theory.phases import one_feature_varied
from .figure_seven import Panel

_JUDGES = 16_384  # nodes on which both are judged; they share nothing with those minimized on


@dataclass(frozen=True)
class RowOfPanel:
    """What to train: some cells of one row of a panel, and the minima there.

    Attributes
    ----------
    panel : Panel
    probability : float
    importance : array (n_cells,)
    W, bias : arrays
        Minima in the same cells.
    """

    panel: Panel
    probability: float
    importance: np.ndarray
    W: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Beside:
    """A trained row and the minima beside it, both judged on nodes of their own.

    Attributes
    ----------
    trained : TrainedRow
    minimized : array (n_cells,)
        Loss of the minima on the nodes of `trained.loss`.
    capacity : array (n_cells,)
        Of feature 1, minimized.
    """

    trained: TrainedRow
    minimized: np.ndarray
    capacity: np.ndarray

    @property
    def excess(self) -> np.ndarray:
        """How much of the minimized loss the best trained one is above it."""
        return self.trained.loss / np.maximum(self.minimized, 1e-300) - 1


@dataclass(frozen=True)
class Training:
    """How networks are trained; see :func:`feature_capacity.models.row_training.train_row`."""

    n_starts: int = 8
    n_steps: int = 10_000
    batch_size: int = 256
    seed: int = 0


def row_of(
    panel: Panel, found: xr.Dataset, row: int, columns: Sequence[int] | None = None
) -> RowOfPanel:
    """Some cells of a row of a panel that was minimized; default: all of them."""
    which = np.arange(found.sizes["importance"]) if columns is None else np.asarray(columns)
    cells = found.isel(probability=row, importance=which)
    p = float(found.probability.values[row])
    return RowOfPanel(panel, p, cells.importance.values, cells.W.values, cells.bias.values)


def train_beside(
    rows: Mapping[object, RowOfPanel], training: Training, workers: int = 1
) -> dict[object, Beside]:
    """Train networks in the cells of some rows, and judge them and the minima alike.

    Parameters
    ----------
    rows : mapping
        By whatever names them.
    training : Training
    workers : int
        Processes that share the rows.
    """
    tasks = [(key, row, training) for key, row in rows.items()]
    with open_workers(workers) as pool:
        done = {task[0]: beside for task, beside in pool.completed(_beside, tasks)}
    return {key: done[key] for key in rows}


def _beside(task: tuple[object, RowOfPanel, Training]) -> Beside:
    _, row, training = task
    config = row.panel.config(4)
    model = config.toy_model
    inputs = type(config.inputs_of(0))(row.probability)
    v = to_numpy(one_feature_varied(row.importance, model.n_features))
    judges = sparse_quadrature(inputs, model.n_features, _JUDGES, 1001, gauss=False)
    trained = train_row(
        model, inputs, v, judges, n_starts=training.n_starts, n_steps=training.n_steps,
        batch_size=training.batch_size, seed=training.seed,
    )  # fmt: skip
    minimized = quadrature_loss(model, row.W, row.bias, v, judges)
    capacity = to_numpy(capacities(row.W))[:, 0]
    return Beside(trained, minimized, capacity)
