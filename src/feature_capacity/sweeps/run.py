"""Sweeps: a toy model minimized over a grid of importances and feature probabilities (Figure 7).

:func:`run_sweep` computes a :class:`SweepConfig`, in this process, in a pool of processes or on a
Dask cluster, and returns one labelled dataset; :func:`cached_sweep` computes it only once.
However the work is divided, interrupted or resumed, the result is the same.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import xarray as xr
from tqdm import tqdm

from .._arrays import require, require_whole
from .._executor import WorkerError, Workers, open_workers
from .config import SweepConfig, SweepError, code_digest
from .library import library
from .rows import check_worker, exact_nodes, solve_row
from .store import DamagedStoreError, SweepStore
from .tasks import RowTask

# Shares of the cells that a last round may improve: what is left on few nodes is found on all of
# them, and what is left on a coarser grid on the next one.
_ON_FEW_NODES, _ON_COARSER_GRID = 0.1, 0.02
_COARSEST = 8  # rows, and cells in each, that the coarsest grid has at least


def run_sweep(
    config: SweepConfig,
    store: Path | str | None = None,
    *,
    device: str = "auto",
    workers: int = 1,
    scheduler: str | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """The best minimum found in every cell of the grid, as one labelled dataset.

    Every cell is minimized from random starts and from arrangements that the theory knows.  Then,
    round by round, it is started again from what the round before has found: minima of its four
    neighbors, some of each kind that the whole diagram has, and its own after random moves; first
    on a coarse grid of cells, then on finer ones, until less than a tenth of the cells improve by
    more than a relative 1e-3.  All this is done on an eighth of the nodes.  It goes on with all of
    them, from the coarse grid to the fine one again, until no cell improves by more than 1e-4.
    Each grid begins with every minimum of another kind that a neighbor or the diagram has, and
    goes on with new ones alone.

    Parameters
    ----------
    config : SweepConfig
    store : path, optional
        Zarr store to keep the result in.  A sweep that was interrupted goes on where it stopped;
        one that is there already is read.  Default: only in memory.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``mps``.
    workers : int
        Processes on this machine.  With more than one a script needs the usual
        ``if __name__ == "__main__":``.
    scheduler : str, optional
        Address of a Dask cluster, for example ``tcp://10.0.0.1:8786``, instead of workers.
    progress : bool
        Show a progress bar.

    Returns
    -------
    xarray.Dataset
        Dimensions probability, importance, feature, dim, start.  ``settled`` among the attributes
        is 1 when another round would improve nothing (or the loss is exact).

    Raises
    ------
    ValueError
        For a store that holds something else or is damaged, a device that is not there, a
        scheduler that does not answer.
    SweepError
        When the disk is full or a worker was killed; what is finished is kept, and the same call
        goes on from there.

    Examples
    --------
    >>> config = SweepConfig("computation", "quadratic", [0.1, 1, 10], [0.2, 1], n_features=3,
    ...                      n_dims=2)
    >>> run_sweep(config, progress=False).capacity.sel(feature=0).values.round(3) + 0.0
    array([[0.   , 0.667, 1.   ],
           [0.   , 1.   , 1.   ]])
    """
    if store is not None:
        return _sweep(SweepStore(Path(store), config), device, workers, scheduler, progress)
    with tempfile.TemporaryDirectory() as folder:
        kept = SweepStore(Path(folder) / "sweep.zarr", config)
        return _sweep(kept, device, workers, scheduler, progress).load()


def cached_sweep(
    config: SweepConfig,
    folder: Path | str,
    *,
    device: str = "auto",
    workers: int = 1,
    scheduler: str | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """The sweep, computed only if it is not in the folder yet.

    It is found by the hash of its configuration and of the code that determines its numbers.

    Parameters
    ----------
    config : SweepConfig
    folder : path
        Where the sweeps are kept; made if it is not there.
    device, workers, scheduler, progress
        As for :func:`run_sweep`.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    store = folder / f"{config.model}-{config.activation}-{config.digest[:16]}.zarr"
    kept = SweepStore(store, config)
    try:
        if kept.finished:
            return kept.dataset()
    except DamagedStoreError:
        shutil.rmtree(store)  # a cache is ours to renew
    return _sweep(kept, device, workers, scheduler, progress)


def _sweep(
    kept: SweepStore, device: str, workers: int, scheduler: str | None, progress: bool
) -> xr.Dataset:
    require_whole(workers, "workers", 1, None, "a whole number, at least 1")
    require(
        scheduler is None or workers == 1,
        "workers and scheduler exclude each other: a Dask cluster has workers of its own",
    )
    if not kept.finished:
        check = partial(check_worker, device, code_digest())
        try:
            with open_workers(workers, scheduler, check) as pool, kept.opened():
                if not kept.finished:  # another process may have been faster
                    _compute(kept, pool, device, progress)
        except WorkerError as error:
            raise SweepError(str(error)) from error
    return kept.dataset()


def _compute(kept: SweepStore, workers: Workers, device: str, progress: bool) -> None:
    """All rounds; rows that are there already are left alone."""
    config, task = kept.config, RowTask(kept.config, 0, device=device, code=code_digest())
    _round(kept, workers, task, progress)
    settled, one_kind_of_nodes = False, config.exact or exact_nodes(config.toy_model)
    grids = coarse_grids(config.shape) if config.rounds else [(1, 1)]
    for fine in (False,) if one_kind_of_nodes else (False, True):
        refined = None
        for spacing in grids:
            task = replace(task, fine=fine, first=True, spacing=spacing, refined=refined)
            enough = 0.0 if spacing == (1, 1) else _ON_COARSER_GRID
            if not fine and not one_kind_of_nodes:
                enough = _ON_FEW_NODES
            most = max(int(fine), config.rounds)
            task, settled = _until_settled(kept, workers, task, most, enough, progress)
            refined = spacing if fine else None
    kept.finish(task.round, config.exact or (settled and config.rounds > 0))


def coarse_grids(shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Spacings of rows and of cells, from the coarsest grid to the whole one.

    A minimum spreads by a cell in each round.  Where a coarser grid has settled before, it is near
    all cells where it is the lowest, however many there are.

    >>> coarse_grids((32, 16)), coarse_grids((4, 5))
    ([(4, 2), (2, 2), (1, 1)], [(1, 1)])
    """
    rows, cells = (max(0, (n // _COARSEST).bit_length() - 1) for n in shape)
    return [(2 ** min(k, rows), 2 ** min(k, cells)) for k in reversed(range(max(rows, cells) + 1))]


def _until_settled(
    kept: SweepStore, workers: Workers, task: RowTask, most: int, enough: float, progress: bool
) -> tuple[RowTask, bool]:
    """The rounds of a stage, as many as there may be, or until one improves hardly a cell.

    That is when the share of cells that it improves is at most ``enough``.
    """
    for _ in range(most):
        task = replace(task, round=task.round + 1)
        _round(kept, workers, task, progress)
        task = replace(task, first=False)
        if kept.improved(task.round, task.spacing) <= enough:
            return task, True
    return task, False


def _round(kept: SweepStore, workers: Workers, task: RowTask, progress: bool) -> None:
    n_rows, round_, step = kept.config.shape[0], task.round, task.spacing[0]
    todo = [row for row in range(n_rows) if kept.read(round_, row) is None]
    for row in todo:
        if row % step:
            kept.write(round_, row, kept.need(round_ - 1, row))
    todo = [row for row in todo if row % step == 0]
    total = len(range(0, n_rows, step))
    bar = tqdm(
        total=total,
        initial=total - len(todo),
        desc=f"round {round_}" + ", all nodes" * task.fine if round_ else "first starts",
        unit="row",
        disable=not progress,
    )
    with bar:
        for done, values in workers.completed(solve_row, _tasks(kept, task, todo)):
            kept.write(round_, done.row, values)
            bar.update()


def _tasks(kept: SweepStore, task: RowTask, todo: list[int]) -> Iterator[RowTask]:
    """What is to be done in a round, read from the round before when its turn comes."""
    n_rows, last = kept.config.shape[0], task.round - 1
    before = lru_cache(maxsize=3)(partial(kept.need, last))  # rows are read by neighbors too
    minima = None
    if todo and task.round and kept.config.rounds:
        minima = library(kept.config, map(before, range(n_rows)), None if task.first else last)
    step = task.spacing[0]
    for row in todo:
        if not task.round:
            yield replace(task, row=row)
            continue
        below = before(row - step) if row >= step else None
        above = before(row + step) if row + step < n_rows else None
        yield replace(task, row=row, own=before(row), below=below, above=above, library=minima)
