"""What Ctrl-C and SIGTERM do, and when they wait."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


def leave(number: int, _frame: object) -> NoReturn:
    """A handler that lets the process leave as if it had come to its end."""
    signal.signal(number, signal.SIG_IGN)  # once is enough; leaving is not to be interrupted
    raise SystemExit(128 + number)


@contextmanager
def leaving_at_sigterm() -> Iterator[None]:
    """Batch systems send SIGTERM before they kill; it is to leave as little behind as Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield  # where no signal can be handled
        return

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def held_back() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait until the end of a block that takes moments.

    Zarr reads and writes in threads of its own.  These go on when an exception ends the main one,
    and complain of all that is not there any more.
    """
    came: list[int] = []
    handlers = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # One that the system handles ends the process without a word, and one is ignored for a reason.
    handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


@contextmanager
def sigint_held_back() -> Iterator[None]:
    """Start processes that never see the Ctrl-C of a terminal; this one sees it after the block.

    They inherit that SIGINT is blocked, from their first moment on.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
