"""Who does the tasks of a long computation: this process, processes beside it, or a Dask cluster.

Each has the interface of :mod:`concurrent.futures`.  Only a few tasks are under way at a time, so
memory does not grow with their number.  What is finished is the caller's to keep: a local worker
that is killed ends the computation, and a cluster gives the task of a lost worker to another one.
"""

import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from typing import ParamSpec, TypeVar

from ._lazy import missing_sentence
from ._signals import held_back, leaving_at_sigterm, sigint_held_back

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

_SECONDS_TO_ANSWER = 20
_SECONDS_TO_END = 3.0


class WorkerError(RuntimeError):
    """Workers that were lost or do not answer; one sentence."""


@dataclass(frozen=True)
class Workers:
    """An executor, and how many tasks are given to it at a time."""

    executor: futures.Executor
    room: Callable[[], int]

    def completed(
        self, function: Callable[[T], R], tasks: Iterable[T], at_most: int = sys.maxsize
    ) -> Iterator[tuple[T, R]]:
        """Pairs (task, result) in the order in which they come to be finished.

        Parameters
        ----------
        function : callable
            From task to result; must be importable where the work is done.
        tasks : iterable
            Each is taken when there is room for it.
        at_most : int
            Tasks under way at a time, even if there is room for more.

        Raises
        ------
        WorkerError
            If a local worker was killed; results that were finished are yielded before.
        """
        waiting, running = iter(tasks), dict[futures.Future[R], T]()
        try:
            while True:
                room = min(self.room(), at_most) - len(running)
                for task in islice(waiting, max(0, room)):
                    running[self.executor.submit(function, task)] = task
                if not running:
                    return
                done = futures.wait(running, return_when=futures.FIRST_COMPLETED).done
                for future in sorted(done, key=lambda future: future.exception() is not None):
                    yield running.pop(future), future.result()
        except BrokenProcessPool:
            raise WorkerError(
                "a worker process was killed, perhaps for lack of memory; what is finished is "
                "kept: run the same command again, with fewer workers if memory is short"
            ) from None


def open_workers(
    number: int = 1, scheduler: str | None = None, check: Callable[[], object] = lambda: None
) -> AbstractContextManager[Workers]:
    """Start, or connect to, what does the tasks; leaving it ends local workers at once.

    Parameters
    ----------
    number : int
        1 for this process itself; more for a pool of as many.
    scheduler : str, optional
        Address of a Dask cluster that does the tasks instead, for example ``tcp://10.0.0.1:8786``.
    check : callable, optional
        Called here, or once on every worker of the cluster, before anything is done; raises what
        is wrong with the place.

    Raises
    ------
    ValueError
        If Dask is not installed, or no scheduler answers.
    WorkerError
        If the cluster fails or has no workers.

    Examples
    --------
    >>> with open_workers() as workers:
    ...     list(workers.completed(abs, [-1, 2]))
    [(-1, 1), (2, 2)]
    """
    if scheduler is not None:
        if not re.fullmatch(r"[\w.+-]+://\S+|[^\s:/]+:\d+", scheduler):
            raise ValueError(
                f"scheduler must be an address such as tcp://10.0.0.1:8786; got {scheduler!r:.60}"
            )
        return _cluster(scheduler, check)
    check()
    return _this_process() if number == 1 else _local_pool(number)


class _ThisProcess(futures.Executor):
    """Does a task when it is given."""

    def submit(
        self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> futures.Future[R]:
        future: futures.Future[R] = futures.Future()
        future.set_result(function(*args, **kwargs))
        return future


@contextmanager
def _this_process() -> Iterator[Workers]:
    with leaving_at_sigterm():
        yield Workers(_ThisProcess(), lambda: 1)


# ------------------------------------------------------------------------------- local processes


class _Pool(futures.ProcessPoolExecutor):
    """Starts its processes with SIGINT held back, which they let through when it is ignored.

    Neither does a signal end this process in between: a process that has begun waits to be told
    what it is, and complains if nobody does.
    """

    def submit(
        self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> futures.Future[R]:
        with held_back(), sigint_held_back():
            return super().submit(partial(_end_at_sigterm, function), *args, **kwargs)


def _end_at_sigterm(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Do a task; a process that is told to end while it does ends, and begins no other."""
    # What a task has started ends with it.  Before and after there is nothing to put away, and what
    # starts a process would tell of an exception.
    try:
        with leaving_at_sigterm():
            return function(*args, **kwargs)
    except SystemExit:
        os._exit(1)


@contextmanager
def _local_pool(number: int) -> Iterator[Workers]:
    # What a process leaves behind when it is ended goes with this folder.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch, leaving_at_sigterm():
        # Spawned, not forked: forking a process in which torch has started threads can hang.
        pool = _Pool(number, get_context("spawn"), _prepare_process, (scratch,))
        try:
            yield Workers(pool, lambda: 2 * number)
        finally:
            # The executor itself would wait for the tasks under way, which may take minutes.
            _end(list((pool._processes or {}).values()))
            pool.shutdown(cancel_futures=True)


def _end(processes: list[BaseProcess]) -> None:
    """Ask processes to end, and end those that have not done so in time."""
    for process in processes:
        process.terminate()
    last = time.monotonic() + _SECONDS_TO_END
    for process in processes:
        process.join(max(0.0, last - time.monotonic()))
        process.kill()


def _prepare_process(scratch: str) -> None:
    from tqdm import tqdm

    tempfile.tempdir = scratch
    # Progress bars share a semaphore among processes, which one that is ended would leave behind.
    tqdm.set_lock(threading.RLock())
    # Threads that spin while they wait would hold up the processes beside this one.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A pool whose parent was killed would otherwise wait for work forever."""
    if (parent := parent_process()) is not None:
        parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_SECONDS_TO_END)
    os._exit(1)


# ------------------------------------------------------------------------------------ a cluster


@contextmanager
def _cluster(address: str, check: Callable[[], object]) -> Iterator[Workers]:
    try:
        from distributed import Client, KilledWorker
        from distributed.comm import CommClosedError
    except ModuleNotFoundError:
        raise ValueError(missing_sentence("a scheduler", "distributed")) from None
    try:
        client = Client(address, timeout=_SECONDS_TO_ANSWER, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"no Dask scheduler answers at {address}: {_line(error)}") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=_SECONDS_TO_ANSWER)
        except TimeoutError:
            raise WorkerError(f"the Dask cluster at {address} has no workers") from None
        try:
            client.run(check)
        except (ValueError, RuntimeError):
            raise
        except Exception as error:
            raise WorkerError(f"the workers of {address} cannot start: {_line(error)}") from None
        try:
            # Workers may come and go; with none left, one task waits for the next to come.
            yield Workers(
                client.get_executor(pure=False),
                lambda: max(1, 2 * sum(client.nthreads().values())),
            )
        except (KilledWorker, CommClosedError, futures.CancelledError, TimeoutError) as error:
            raise WorkerError(f"the cluster at {address} failed: {_line(error)}") from error


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".strip().splitlines()[0]
