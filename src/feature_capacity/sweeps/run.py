"""Sweeps: a toy model minimized over a grid of importances and feature probabilities (Figure 7).

:func:`run_sweep` computes a :class:`SweepConfig`, in this process, in a pool of processes or on a
Dask cluster, and returns one labelled dataset; :func:`cached_sweep` computes it only once.
However the work is divided, interrupted or resumed, the result is the same.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import xarray as xr
from tqdm import tqdm

from .._arrays import require, require_whole
from .config import INPUTS, SweepConfig, SweepError, code_digest
from .rows import WON_FROM, RowTask, unpack
from .store import DamagedStoreError, SweepStore
from .workers import Runner, open_workers

__all__ = [
    "INPUTS",
    "WON_FROM",
    "DamagedStoreError",
    "SweepConfig",
    "SweepError",
    "cached_sweep",
    "run_sweep",
]


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

    Every cell is minimized from random starts; then, round by round, from the minima of its four
    neighbors as they stood a round before, until no cell improves by more than a relative 1e-4.

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
        is 1 when another round of warm starts would improve nothing (or the loss is exact).

    Raises
    ------
    ValueError
        For a store that holds something else or is damaged, a device that is not there, a
        scheduler that does not answer.
    SweepError
        When the disk is full or workers keep dying; what is finished is kept.

    Examples
    --------
    >>> config = SweepConfig("computation", "quadratic", [0.1, 1, 10], [0.2, 1], n_features=3,
    ...                      n_dims=2)
    >>> run_sweep(config, progress=False).capacity.sel(feature=0).values.round(3) + 0.0
    array([[0.   , 0.667, 1.   ],
           [0.   , 1.   , 1.   ]])
    """
    require_whole(workers, "workers", 1, None, "a whole number, at least 1")
    require(
        scheduler is None or workers == 1,
        "workers and scheduler exclude each other: a Dask cluster has workers of its own",
    )
    if store is None:
        with tempfile.TemporaryDirectory() as folder:
            options = {"device": device, "workers": workers, "scheduler": scheduler}
            place = Path(folder) / "sweep.zarr"
            return run_sweep(config, place, progress=progress, **options).load()
    kept = SweepStore(Path(store), config)
    if not kept.finished:
        with open_workers(device, workers, scheduler) as run, kept.opened():
            if not kept.finished:  # another process may have been faster
                _compute(config, kept, run, device, progress)
    return kept.dataset()


def cached_sweep(
    config: SweepConfig, folder: Path | str, *, progress: bool = False, **options: Any
) -> xr.Dataset:
    """The sweep, computed only if it is not in the folder yet.

    It is found by the hash of its configuration and of the code that determines its numbers.

    Parameters
    ----------
    config : SweepConfig
    folder : path
        Where the sweeps are kept; made if it is not there.
    **options
        As for :func:`run_sweep`.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    store = folder / f"{config.model}-{config.activation}-{config.digest[:16]}.zarr"
    try:
        return run_sweep(config, store, progress=progress, **options)
    except DamagedStoreError:
        shutil.rmtree(store)  # a cache is ours to renew
        return run_sweep(config, store, progress=progress, **options)


def _compute(
    config: SweepConfig, kept: SweepStore, run: Runner, device: str, progress: bool
) -> None:
    """All rounds; rows that are there already are left alone."""
    rows, settled = range(config.shape[0]), False
    for round_ in range(config.rounds + 1):
        todo = [row for row in rows if kept.read(round_, row) is None]
        bar = tqdm(
            total=len(rows),
            initial=len(rows) - len(todo),
            desc=f"warm starts {round_}" if round_ else "random starts",
            unit="row",
            disable=not progress,
        )
        with bar:
            for task, state in run(_tasks(config, kept, round_, todo, device)):
                kept.write(round_, task.row, state)
                bar.update()
        settled = round_ > 0 and not any(
            (unpack(config, kept.need(round_, row))["won_in_round"] == round_).any() for row in rows
        )
        if settled:
            break
    kept.finish(round_, settled or config.exact)


def _tasks(
    config: SweepConfig, kept: SweepStore, round_: int, todo: list[int], device: str
) -> Iterator[RowTask]:
    """What is to be done in a round, read from the round before when its turn comes."""
    last = config.shape[0] - 1
    common = {"device": device, "code": code_digest()}
    for row in todo:
        if round_ == 0:
            yield RowTask(config, row, **common)
            continue
        own, below, above = (
            kept.need(round_ - 1, r) if 0 <= r <= last else None for r in (row, row - 1, row + 1)
        )
        yield RowTask(config, row, round_, own, below, above, **common)
