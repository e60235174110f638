"""Who does the tasks of a long computation: a local pool of processes, or a Dask cluster.

Both are used in the same way: a function from tasks to pairs (task, result), in whatever order
they come to be finished.  Only a few tasks are under way at a time, so memory does not grow with
their number.  A worker that is lost costs the tasks that it had under way, which are done again.
"""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from typing import Any

Runner = Callable[[Iterable[Any]], Iterator[tuple[Any, Any]]]
"""Tasks in, pairs (task, result) out."""

_LOSSES_IN_A_ROW = 3  # of workers, without one finished task between them
_SECONDS_TO_ANSWER = 20
_SECONDS_BETWEEN_LOOKS = 5


@contextmanager
def open_pool(
    solve: Callable[[Any], Any], workers: int, failure: type[RuntimeError]
) -> Iterator[Runner]:
    """A pool of local processes; leaving it ends them at once.

    Parameters
    ----------
    solve : callable
        From task to result; must be importable.
    workers : int
    failure : exception class
        Raised when workers keep dying.
    """
    # What a process leaves behind when it is ended goes with this folder.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        pool = _Pool(solve, workers, failure, scratch)
        try:
            yield pool.run
        finally:
            pool.close()


@contextmanager
def open_cluster(
    address: str,
    solve: Callable[[Any], Any],
    check: Callable[[], None],
    failure: type[RuntimeError],
) -> Iterator[Runner]:
    """A Dask cluster.

    Parameters
    ----------
    address : str
        Of its scheduler, for example ``tcp://10.0.0.1:8786``.
    solve : callable
        From task to result; must be importable by the workers.
    check : callable
        Called once on every worker before it is given anything; raises ``ValueError`` or
        `failure` if the worker cannot be used.
    failure : exception class
        Raised when the cluster fails or has no workers.

    Raises
    ------
    ValueError
        If Dask is not installed, or no scheduler answers.
    """
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
        capacity = _Capacity(client, address, failure)
        capacity.wait_for_workers()
        try:
            client.run(check)
        except (ValueError, failure):
            raise
        except Exception as error:
            raise failure(f"the workers of {address} cannot start: {_line(error)}") from None
        executor = client.get_executor(pure=False)

        def run(tasks: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
            try:
                yield from _work(tasks, lambda task: executor.submit(solve, task), capacity)
            except (ValueError, failure):
                raise
            except Exception as error:
                raise failure(f"the cluster at {address} failed: {_line(error)}") from error

        yield run


def _work(
    tasks: Iterable[Any], submit: Callable[[Any], Any], limit: Callable[[], int]
) -> Iterator[tuple[Any, Any]]:
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


class _Pool:
    """Local processes; when one is killed, all are started anew."""

    def __init__(
        self, solve: Callable, workers: int, failure: type[RuntimeError], scratch: str
    ) -> None:
        self.solve, self.workers, self.failure, self.scratch = solve, workers, failure, scratch
        self.losses = 0
        self.start()

    def start(self) -> None:
        # Spawned, not forked: forking a process in which torch has started threads can hang.
        self.executor = ProcessPoolExecutor(
            self.workers,
            mp_context=get_context("spawn"),
            initializer=_prepare_process,
            initargs=(self.scratch,),
        )

    def submit(self, task: Any) -> Any:
        try:
            return self.executor.submit(self.solve, task)
        except BrokenProcessPool:
            self.losses += 1
            if self.losses == _LOSSES_IN_A_ROW:
                raise self.failure(
                    f"worker processes died {self.losses} times in a row, perhaps for lack of "
                    "memory; use fewer workers"
                ) from None
            self.executor.shutdown(wait=False)
            self.start()
            return self.executor.submit(self.solve, task)

    def run(self, tasks: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        for done in _work(tasks, self.submit, lambda: 2 * self.workers):
            self.losses = 0
            yield done

    def close(self) -> None:
        # The executor itself would wait for the tasks under way, which may take minutes.
        processes = list((getattr(self.executor, "_processes", None) or {}).values())
        self.executor.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()


def _prepare_process(scratch: str) -> None:
    tempfile.tempdir = scratch
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A pool whose parent was killed would otherwise wait for work forever."""
    parent_process().join()
    os._exit(1)


class _Capacity:
    """How many tasks a cluster is given at a time; workers may come and go."""

    def __init__(self, client: Any, address: str, failure: type[RuntimeError]) -> None:
        self.client, self.address, self.failure = client, address, failure
        self.seen = time.monotonic()

    def __call__(self) -> int:
        threads = sum(self.client.nthreads().values())
        if threads:
            self.seen = time.monotonic()
        elif time.monotonic() - self.seen > _SECONDS_TO_ANSWER:
            raise self.failure(f"the Dask cluster at {self.address} has no workers")
        return 2 * threads

    def wait_for_workers(self) -> None:
        while not self():
            time.sleep(0.1)


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".strip().splitlines()[0]
