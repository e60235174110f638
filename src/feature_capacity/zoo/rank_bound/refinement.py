"""Where lines of lengths and biases are put, so that the corrections are small."""

from __future__ import annotations

import numpy as np

from .case import Case
from .grid import Grid, on_lattice
from .lengths import length_corrections
from .outside import Box, Outside
from .rows import Rows, live_vertices, own_loss

_MOST = 1300  # vertices
_LINES = 6  # of either kind to begin with
_AIM, _NEAR = 0.004, 0.02  # in parts of a feature's share of the loss


def start(case: Case, box: Box, outside: Outside, room: tuple[float, float]) -> Grid:
    """Lines so dense that the corrections are small beside the own loss, or beside a small one.

    Parameters
    ----------
    case : Case
    box : Box
        The rectangle.
    outside : Outside
    room : tuple of float
        Parts of the loss that was found, and of the own loss, that the corrections may be.
    """
    biases = np.linspace(box[2], box[3], _LINES)
    grid = Grid(np.linspace(box[0], box[1], _LINES), on_lattice(biases))
    for _ in range(12):
        own, bias_loss = own_loss(case, grid)
        length_loss, partner_loss = length_corrections(case, grid)
        length_loss = length_loss + (case.n - 1) * partner_loss[:, :, grid.middle]
        live = live_vertices(own - length_loss, outside.bias * case.chance(0))
        over = own + bias_loss
        most = room[0] * case.found / case.v.sum() + room[1] * (over - over[live].min())
        marks = (live & (length_loss > most)).any(1), (live & (bias_loss > most)).any(0)
        if not (marks[0].any() or marks[1].any()):
            break
        grid = grid.finer(*marks)
    return grid


def refined(case: Case, rows: Rows, costs: list[np.ndarray]) -> Grid | None:
    """The grid with lines added where the least costs owe too much to the corrections.

    None if there is nothing to add, or too much.
    """
    grid, aim = rows.grid, _AIM * case.found / case.n
    by_length, by_bias = np.zeros(len(grid.lengths), bool), np.zeros(len(grid.biases), bool)
    partners = (case.n - 1) * rows.partner_loss[:, grid.middle]
    for v, cost in zip(case.v, costs, strict=True):
        low = cost[:-2] < cost.min() + _NEAR * case.found / case.n
        length_loss = v * (rows.length_loss + partners)
        by_length[rows.length[low & (length_loss > aim)]] = True
        by_bias[rows.bias[low & (v * rows.bias_loss > aim)]] = True
    if not by_length.any() and not by_bias.any():
        return None
    finer = grid.finer(by_length, by_bias)
    share = len(rows.own) / (len(grid.lengths) * len(grid.biases))
    return finer if share * len(finer.lengths) * len(finer.biases) < _MOST else None
