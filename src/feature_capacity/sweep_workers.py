"""Who computes the rows of a sweep: this process, a local pool of processes, or a Dask cluster.

All three are used in the same way: a function from tasks to pairs (task, result), in whatever
order they come to be finished.  Only a few tasks are under way at a time, so memory does not grow
with their number.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from .sweep_config import SweepError, code_digest
from .sweep_rows import RowTask, check_worker, solve_in_worker, solve_row

Runner = Callable[[Iterable[RowTask]], Iterator[tuple[RowTask, np.ndarray]]]
"""Takes rows to solve, and yields each with its numbers as it is done."""

_LOSSES_IN_A_ROW = 3  # of workers, without one finished row between them
_SECONDS_TO_ANSWER = 20
_SECONDS_BETWEEN_LOOKS = 5


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
    if scheduler is not None:
        with _dask(scheduler, device) as run:
            yield run
        return
    check_worker(device, code_digest())
    if workers == 1:
        with _one_thread():
            yield lambda tasks: ((task, solve_row(task)) for task in tasks)
        return
    pool = _Pool(workers)
    try:
        yield pool.run
    finally:
        pool.executor.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


def _work(
    tasks: Iterable[RowTask], submit: Callable[[RowTask], Any], limit: Callable[[], int]
) -> Iterator[tuple[RowTask, np.ndarray]]:
    """Results as they come, with at most ``limit()`` tasks under way; lost ones are done again."""
    tasks, again, running = iter(tasks), [], {}
    while True:
        while len(running) < limit() and (task := again.pop() if again else next(tasks, None)):
            running[submit(task)] = task
        if not running:
            return
        for future in wait(running, _SECONDS_BETWEEN_LOOKS, FIRST_COMPLETED).done:
            task = running.pop(future)
            if isinstance(future.exception(), BrokenProcessPool):
                again.append(task)
            else:
                yield task, future.result()


# ------------------------------------------------------------------------------ a pool of processes


class _Pool:
    """Local processes; one that is killed costs the rows under way, which are done again."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.losses = 0
        self.start()

    def start(self) -> None:
        # Spawned, not forked: forking a process in which torch has started threads can hang.
        self.executor = ProcessPoolExecutor(
            self.workers, mp_context=get_context("spawn"), initializer=_prepare_process
        )

    def submit(self, task: RowTask) -> Any:
        try:
            return self.executor.submit(solve_in_worker, task)
        except BrokenProcessPool:
            self.losses += 1
            if self.losses == _LOSSES_IN_A_ROW:
                raise SweepError(
                    f"worker processes died {self.losses} times in a row, perhaps for lack of "
                    "memory; use fewer workers"
                ) from None
            self.executor.shutdown(wait=False)
            self.start()
            return self.executor.submit(solve_in_worker, task)

    def run(self, tasks: Iterable[RowTask]) -> Iterator[tuple[RowTask, np.ndarray]]:
        for done in _work(tasks, self.submit, lambda: 2 * self.workers):
            self.losses = 0
            yield done


def _prepare_process() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A pool whose parent was killed would otherwise wait for work forever."""
    parent_process().join()
    os._exit(1)


# ----------------------------------------------------------------------------------- a Dask cluster


@contextmanager
def _dask(address: str, device: str) -> Iterator[Runner]:
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise ValueError(
            "a scheduler needs Dask; install it with: pip install 'feature-capacity[cluster]'"
        ) from None
    try:
        client = Client(address, timeout=_SECONDS_TO_ANSWER, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"no Dask scheduler answers at {address}: {_line(error)}") from None
    with client:
        capacity = _Capacity(client, address)
        capacity.wait_for_workers()
        try:
            client.run(check_worker, device, code_digest())
        except (ValueError, SweepError):
            raise
        except Exception as error:
            raise SweepError(f"the workers of {address} cannot start: {_line(error)}") from None
        executor = client.get_executor(pure=False)

        def run(tasks: Iterable[RowTask]) -> Iterator[tuple[RowTask, np.ndarray]]:
            try:
                yield from _work(
                    tasks, lambda task: executor.submit(solve_in_worker, task), capacity
                )
            except (ValueError, SweepError):
                raise
            except Exception as error:
                raise SweepError(f"the cluster at {address} failed: {_line(error)}") from error

        yield run


class _Capacity:
    """How many tasks a cluster is given at a time; workers may come and go."""

    def __init__(self, client: Any, address: str) -> None:
        self.client, self.address = client, address
        self.seen = time.monotonic()

    def __call__(self) -> int:
        threads = sum(self.client.nthreads().values())
        if threads:
            self.seen = time.monotonic()
        elif time.monotonic() - self.seen > _SECONDS_TO_ANSWER:
            raise SweepError(f"the Dask cluster at {self.address} has no workers")
        return 2 * threads

    def wait_for_workers(self) -> None:
        while not self():
            time.sleep(0.1)


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".strip().splitlines()[0]
