"""Signals that wait until a block is over."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from feature_capacity._signals import held_back, leaving_at_sigterm


@pytest.fixture
def handled():
    """SIGINT raises, and SIGTERM leaves, as in a command that runs."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with leaving_at_sigterm():
        yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
def test_a_signal_waits_for_the_end_of_the_block_and_is_then_handled(handled, number, error):
    reached, before = [], signal.getsignal(number)

    def work():
        with held_back():
            os.kill(os.getpid(), number)
            reached.append("end")

    with pytest.raises(error):
        work()
    assert reached == ["end"]
    if number == signal.SIGINT:
        assert signal.getsignal(number) is before


def test_an_error_of_the_block_is_not_lost_without_a_signal(handled):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(ZeroDivisionError), held_back():
        1 / 0  # noqa: B018
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_signals_that_are_ignored_stay_ignored_and_other_threads_do_nothing(handled):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with held_back():
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    found = []

    def elsewhere():
        with held_back():
            found.append(1)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == [1]


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
def test_a_signal_during_a_destructor_is_not_lost(handled, number, error, capsys):
    class Object:
        def __del__(self):
            os.kill(os.getpid(), number)
            reached.append("a destructor")  # where the handler's exception is raised

    def work():
        Object()
        time.sleep(20)

    reached = []
    with pytest.raises(error):
        work()
    assert not reached
    assert capsys.readouterr().err == ""


def test_other_exceptions_of_destructors_are_told_as_usual(handled, monkeypatch):
    class Object:
        def __del__(self):
            raise ZeroDivisionError

    told = []
    with monkeypatch.context() as patch:
        patch.setattr(sys, "unraisablehook", told.append)
        with leaving_at_sigterm():
            Object()
    assert [each.exc_type for each in told] == [ZeroDivisionError]


SPAWNING = """
import os, signal
from feature_capacity._executor import open_workers
from multiprocessing import util

def spawn_and_be_ended(*arguments, spawn=util.spawnv_passfds):
    pid = spawn(*arguments)
    if any("spawn_main" in str(word) for word in arguments[1]):  # not what tracks resources
        os.kill(os.getpid(), signal.SIGTERM)
    return pid

util.spawnv_passfds = spawn_and_be_ended
if __name__ == "__main__":
    with open_workers(2) as workers:
        list(workers.completed(abs, [-1, 2]))
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_process_that_is_ended_while_it_starts_another_leaves_no_complaint(tmp_path):
    script = tmp_path / "spawning.py"
    script.write_text(SPAWNING)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (128 + signal.SIGTERM, "")
