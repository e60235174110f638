"""Random starts carried from a coarse quadrature to a fine one, one for each promising minimum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from tqdm import tqdm

from .batch import Minima, Objective
from .levenberg_marquardt import levenberg_marquardt

_MOST_STEPS = 2**62  # no search gets there, and compiled loops count no further
_MOST_ROUGH_STEPS, _ROUGH_TOLERANCE = 30, 1e-4
# A start leaves when this many more steps like its last would not bring it near the lowest of its
# cell; falls shrink from step to step, by a half or so.
_STEPS_AHEAD = 10
# Starts whose losses differ by less than this fraction are in the same minimum, or in a copy.
_SAME_MINIMUM = 3e-4


@dataclass(frozen=True)
class Effort:
    """How far a minimization goes in each stage, and the bar that tells of it."""

    max_iterations: int
    tolerance: float
    promising: float  # starts whose loss is up to so many times the lowest go on
    bar: tqdm


def minimize_in_stages(
    stages: Sequence[Objective], starts: Tensor, n_starts: int, effort: Effort
) -> Minima:
    """Minimize every start on the first stage, and on each later one what is worth it.

    Parameters
    ----------
    stages : sequence of Objective
        The loss from coarse to fine.
    starts : tensor, shape (n_cells * n_starts, n_params)
        Those of a cell one after the other.
    n_starts : int
    effort : Effort
    """
    everywhere = torch.arange(len(starts), device=starts.device)
    nothing = starts.new_zeros(len(starts))
    minima = Minima.at(starts, nothing, nothing)
    first, *finer = stages
    # On coarse nodes the slow ones need not arrive.
    rough = replace(
        effort,
        max_iterations=min(effort.max_iterations, _MOST_ROUGH_STEPS),
        tolerance=max(effort.tolerance, _ROUGH_TOLERANCE),
    )
    margin = 1 + (effort.promising - 1) / 5
    race = _Race(n_starts, margin * (effort.promising if finer else 1))
    _improve(first, minima, everywhere, rough if finer else effort, race)
    for number, objective in enumerate(finer, start=1):
        race = _Race(n_starts, margin * (effort.promising if number < len(finer) else 1))
        leader, promising = leaders(minima.loss.view(-1, n_starts), effort.promising)
        _improve(objective, minima, torch.unique(leader[promising]), effort, race)
        minima[promising] = minima[leader[promising]]
        rest = everywhere[~promising]
        if len(rest):
            # The others get their loss of this stage; those left out wrongly go on after all.
            minima.loss[rest] = objective.loss(minima.parameters[rest], rest)
            known = torch.where(promising, minima.loss, torch.inf)
            lowest = known.view(-1, n_starts).amin(dim=1)
            late = rest[minima.loss[rest] < lowest[rest // n_starts]]
            _improve(objective, minima, late, effort, race)
    return minima


@dataclass(frozen=True)
class _Race:
    """Which starts of a cell cannot become its lowest, nor promising, any more."""

    n_starts: int
    limit: float  # in units of the lowest loss of the cell

    def beaten(self, start: Tensor, loss: Tensor, fall: Tensor) -> Tensor:
        """Whether so many more steps like the last would leave the loss too high."""
        cell = start // self.n_starts
        lowest = loss.new_full((int(cell.max()) + 1,), torch.inf)
        lowest.scatter_reduce_(0, cell, loss, "amin")
        return loss - _STEPS_AHEAD * fall > self.limit * lowest[cell]


def _improve(
    objective: Objective, minima: Minima, going: Tensor, effort: Effort, race: _Race
) -> None:
    """Minimize the models of the index ``going`` from where they stand."""
    if not len(going):
        return
    effort.bar.total += len(going)
    start, told = minima.parameters[going], effort.bar.update
    if objective.descend is not None:
        rule = min(effort.max_iterations, _MOST_STEPS), effort.tolerance, race.limit
        reached = objective.descend(start, going, going // race.n_starts, rule, told)
    else:
        reached = levenberg_marquardt(
            lambda parameters, index: objective.linearize(parameters, going[index]),
            start,
            effort.max_iterations,
            effort.tolerance,
            told,
            lambda index, loss, fall: race.beaten(going[index], loss, fall),
        )
    minima[going] = replace(reached, iterations=minima.iterations[going] + reached.iterations)


def leaders(loss: Tensor, promising: float) -> tuple[Tensor, Tensor]:
    """Which start stands for each start, and which are worth going on with.

    Takes losses (n_cells, n_starts).  In each cell, starts are in one group if their losses tie in
    turn; the lowest of a group stands for it.  Both results are flat, one entry for each start.
    """
    n_cells, n_starts = loss.shape
    ordered, order = loss.sort(dim=1)
    own_group = torch.ones_like(order, dtype=torch.bool)
    own_group[:, 1:] = ~(ordered[:, 1:] <= (1 + _SAME_MINIMUM) * ordered[:, :-1])
    place = torch.where(own_group, torch.arange(n_starts, device=loss.device), 0)
    first = place.cummax(dim=1).values
    good = ordered.gather(1, first) <= promising * ordered[:, :1]
    good[:, 0] = True  # also where no loss is a number
    leader, goes_on = torch.empty_like(order), torch.empty_like(good)
    leader.scatter_(1, order, order.gather(1, first))
    goes_on.scatter_(1, order, good)
    offset = n_starts * torch.arange(n_cells, device=loss.device)[:, None]
    return (leader + offset).reshape(-1), goes_on.reshape(-1)
