"""Who computes the rows of a sweep: this process, a local pool of processes, or a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from threadpoolctl import threadpool_limits

from .._executor import Runner, open_cluster, open_pool
from .config import SweepError, code_digest
from .rows import check_worker, solve_in_worker, solve_row


@contextmanager
def open_workers(device: str, workers: int, scheduler: str | None) -> Iterator[Runner]:
    """Start, or connect to, what computes the rows.

    Parameters
    ----------
    device : str
        Checked at once where the work is done.
    workers : int
        1 for this process; more for a pool of as many.
    scheduler : str, optional
        Address of a Dask cluster, which then does the work.
    """
    check = partial(check_worker, device, code_digest())
    if scheduler is not None:
        with open_cluster(scheduler, solve_in_worker, check, SweepError) as run:
            yield run
        return
    check()
    if workers == 1:
        with _one_thread():
            yield lambda tasks: ((task, solve_row(task)) for task in tasks)
        return
    with open_pool(solve_in_worker, workers, SweepError) as run:
        yield run


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)
