"""Signals that wait until a block is over."""

import os
import signal
import threading

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
