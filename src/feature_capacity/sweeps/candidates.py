"""From where the cells of a row are started again in a later round."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..models.device import pick_device
from ..models.quadrature import Quadrature
from ..solvers.nodes import QuadratureTensors, quadrature_tensors
from ..solvers.starts import moved
from ..theory.phases import one_feature_varied
from .library import kinds_of, losses_everywhere, losses_there, parameters_of, to_importance
from .tasks import RowTask

WON_FROM = (
    "random_start",
    "lower_importance",
    "higher_importance",
    "lower_probability",
    "higher_probability",
    "arrangement",
    "library",
    "move",
)
"""Where the parameters of a cell came from, by code."""

N_MOVES = 6  # of a minimum that is new
N_KINDS = 4  # of the library, in each cell
_FAR = 1.15  # entries of the library whose loss is as many times a cell's own are not tried
_TIE = 1e-3
_ROUNDING = 1e-5  # of sums over nodes in float32
_TOGETHER = 4


@dataclass(frozen=True)
class Candidates:
    """Starts of every cell, its own minimum first; none for cells that are not on the grid.

    Of those beyond ``count`` nothing is told.
    """

    count: np.ndarray  # (n_cells,)
    origin: np.ndarray  # (n_cells, most): codes of WON_FROM
    parameters: np.ndarray  # (n_cells, most, n_params)


def candidates_of(
    task: RowTask, own: np.ndarray, coarse: Quadrature, nodes: Quadrature
) -> Candidates:
    """What is to be tried in each cell of a row; only what has changed.

    Minima of the whole diagram are compared on coarse nodes first; the losses of ``own`` are on the
    others.
    """
    here = parameters_of(task.config, own)
    lists: list[list[tuple[int, np.ndarray]]] = [[] for _ in here]
    for cell in task.cells:
        lists[cell].append((0, here[cell]))
    found = [*_neighbors(task), *_kinds(task, own, coarse, nodes)]
    for cell, code, parameters in _of_other_kinds(task, here, found) if task.first else found:
        lists[cell].append((code, parameters))
    importance = np.asarray(one_feature_varied(task.config.importance, task.config.n_features))
    shaken = task.new(own) & ~(task.first & (np.array([len(each) for each in lists]) == 1))
    for cell, each in enumerate(lists):
        n_moves = N_MOVES * int(shaken[cell])
        if len(each) + n_moves > 1:  # few different numbers of starts make large batches
            n_moves += -(len(each) + n_moves) % _TOGETHER
        for k in range(n_moves):
            key = [task.config.seed, 2, task.row, task.round, cell, k]
            start = moved(task.config.toy_model, here[cell], importance[cell], key)
            each.append((WON_FROM.index("move"), start))
    most = max(map(len, lists))
    origin, starts = np.zeros((len(own), most), int), np.zeros((len(own), most, here.shape[1]))
    for cell, each in enumerate(lists):
        for k, (code, parameters) in enumerate(each):
            origin[cell, k], starts[cell, k] = code, parameters
    return Candidates(np.array([len(each) for each in lists]), origin, starts)


def _of_other_kinds(
    task: RowTask, own: np.ndarray, found: list[tuple[int, int, np.ndarray]]
) -> list[tuple[int, int, np.ndarray]]:
    """What is found, less what is of the kind that its cell has anyway."""
    if not found:
        return []
    config, one = task.config, np.ones(())
    cells = np.array([cell for cell, _, _ in found])
    V = np.array(config.importance)[cells]
    ours, theirs = (
        kinds_of(config.toy_model, to_importance(config, parameters, V, one))
        for parameters in (own[cells], np.array([parameters for _, _, parameters in found]))
    )
    other = (ours != theirs).any(axis=1)
    return [each for each, is_other in zip(found, other, strict=True) if is_other]


def _neighbors(task: RowTask) -> list[tuple[int, int, np.ndarray]]:
    """New minima of neighbors: (cell, code of WON_FROM, parameters)."""
    config, found = task.config, []
    importance = np.array(config.importance)
    step = task.spacing[1]
    neighbors = (task.own, -step), (task.own, step), (task.below, 0), (task.above, 0)
    for code, (row, shift) in enumerate(neighbors, start=1):
        if row is None:
            continue
        parameters = parameters_of(config, row)
        for there in np.flatnonzero(task.new(row)):
            cell = there - shift
            if 0 <= cell < len(row):
                start = to_importance(
                    config, parameters[there], importance[there], importance[cell]
                )
                found.append((int(cell), code, start))
    return found


def _kinds(
    task: RowTask, own: np.ndarray, coarse: Quadrature, nodes: Quadrature
) -> list[tuple[int, int, np.ndarray]]:
    """Minima of the library: the lowest few in some cells, elsewhere what is lower as it stands."""
    if task.library is None or not len(task.library):
        return []
    config, V = task.config, np.array(task.config.importance)
    there = losses_everywhere(config, V[task.cells], task.library, _tensors(task, coarse))
    sampled = np.isin(task.cells, task.sampled)
    chosen = [
        (cell, k)
        for cell, loss in zip(task.cells[sampled], there[sampled], strict=True)
        for k in _lowest_few(loss, own["loss"][cell])
    ]
    chosen += _lower_as_they_stand(task, own, task.cells[~sampled], there[~sampled], nodes)
    code, one = WON_FROM.index("library"), np.ones(())
    return [
        (int(cell), code, to_importance(config, task.library[k], one, V[cell]))
        for cell, k in chosen
    ]


def _lowest_few(loss: np.ndarray, limit: float) -> list[int]:
    """Entries with the lowest losses, no two of them with the same."""
    last, taken = 0.0, list[int]()
    for k in np.argsort(loss, kind="stable"):
        if len(taken) == N_KINDS or not loss[k] < _FAR * limit:
            break
        if loss[k] > (1 + _TIE) * last:
            last = loss[k]
            taken.append(int(k))
    return taken


def _lower_as_they_stand(
    task: RowTask, own: np.ndarray, cells: np.ndarray, there: np.ndarray, nodes: Quadrature
) -> list[tuple[int, int]]:
    """Cells, and the entry that is lowest there on coarse nodes, where it is lower on the others.

    ``there`` are the losses of all entries on the coarse nodes, (len(cells), n_entries).
    """
    if task.library is None or not len(cells):
        return []
    V, lowest = np.array(task.config.importance)[cells], there.argmin(axis=1)
    standing = to_importance(task.config, task.library[lowest], np.ones(()), V)
    loss = losses_there(task.config, V, standing, _tensors(task, nodes))
    lower = loss < (1 - _ROUNDING) * own["loss"][cells]
    return list(zip(cells[lower].tolist(), lowest[lower].tolist(), strict=True))


def _tensors(task: RowTask, quadrature: Quadrature) -> QuadratureTensors:
    device, dtype = pick_device(task.device), getattr(torch, task.config.dtype)
    return quadrature_tensors(quadrature, dtype, device)
