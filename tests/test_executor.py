"""The executor: the same pairs wherever the work is done, few at a time, and clear failures."""

import operator
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest

from feature_capacity import _executor
from feature_capacity._executor import WorkerError, Workers, open_workers

# Functions that processes find without this file.
PAIRS = [(-n, n) for n in range(9)]
NO_NUMBER = "invalid literal for int"


@contextmanager
def cluster(n_workers=1):
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=n_workers, threads_per_worker=1, processes=False, dashboard_address=None
    ) as running:
        yield running.scheduler_address


@pytest.mark.parametrize("number", [1, 2])
def test_every_task_is_done_once(number):
    with open_workers(number) as workers:
        assert sorted(workers.completed(abs, range(0, -9, -1))) == sorted(PAIRS)
        assert list(workers.completed(abs, [])) == []
        with pytest.raises(ValueError, match=NO_NUMBER):
            list(workers.completed(int, ["seven"]))


def test_every_task_is_done_once_on_a_cluster():
    with cluster() as address, open_workers(scheduler=address, check=os.getpid) as workers:
        assert sorted(workers.completed(abs, range(0, -9, -1))) == sorted(PAIRS)
        with pytest.raises(ValueError, match=NO_NUMBER):
            list(workers.completed(int, ["seven"]))


def test_a_cluster_is_refused_if_its_workers_are(monkeypatch):
    with (
        cluster() as address,
        pytest.raises(ValueError, match=NO_NUMBER),
        open_workers(scheduler=address, check=partial(int, "zero")),
    ):
        pass
    monkeypatch.setattr(_executor, "_SECONDS_TO_ANSWER", 1)
    with (
        cluster(n_workers=0) as address,
        pytest.raises(WorkerError, match="has no workers"),
        open_workers(scheduler=address),
    ):
        pass


@pytest.mark.parametrize(("at_most", "most"), [(100, 6), (2, 2)])
def test_few_tasks_are_under_way_at_a_time(at_most, most):
    taken, done, seen = [], [], []

    def tasks():
        for number in range(20):
            taken.append(number)
            seen.append(len(taken) - len(done))
            yield number

    with ThreadPoolExecutor(3) as executor:
        for pair in Workers(executor, lambda: 6).completed(abs, tasks(), at_most=at_most):
            done.append(pair)
    assert len(done) == 20
    assert max(seen) == most


def test_a_killed_worker_is_an_error_after_what_was_finished():
    tasks = [partial(abs, -1), partial(abs, -2), partial(signal.raise_signal, signal.SIGKILL)]
    with open_workers(2) as workers:
        found = workers.completed(operator.call, tasks)
        assert {next(found)[1], next(found)[1]} == {1, 2}
        with pytest.raises(WorkerError, match=r"a worker process was killed.*with fewer workers"):
            next(found)


def test_processes_of_a_pool_are_prepared_and_the_signals_of_this_one_are_as_they_were():
    before = signal.getsignal(signal.SIGTERM)
    with open_workers(2) as workers:
        assert signal.getsignal(signal.SIGTERM) != before
        assert next(workers.completed(os.getenv, ["OMP_WAIT_POLICY"]))[1] == "PASSIVE"
        assert next(workers.completed(signal.getsignal, [signal.SIGINT]))[1] == signal.SIG_IGN
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_pool_can_be_opened_in_a_thread():
    found = []

    def compute():
        with open_workers(2) as workers:
            found.extend(workers.completed(abs, [-4]))

    thread = threading.Thread(target=compute)
    thread.start()
    thread.join()
    assert found == [(-4, 4)]


@pytest.mark.parametrize("number", [1, 2])
def test_sigterm_leaves_in_order_and_only_once(number):
    def twice():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)  # a second one does not interrupt leaving

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit, match="143"), open_workers(number):
        twice()
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_interrupt_while_workers_start_is_not_theirs():
    with open_workers(2) as workers:
        future = workers.executor.submit(abs, -1)
        for worker in list(workers.executor._processes):
            os.kill(worker, signal.SIGINT)
        assert future.result(timeout=60) == 1
