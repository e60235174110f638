"""What Ctrl-C and SIGTERM do, and when they wait."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NoReturn

_LEFT = 128 + signal.SIGTERM
_SECONDS_TO_SEND_AGAIN = 0.01


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

    before, hook = signal.signal(signal.SIGTERM, leave), sys.unraisablehook
    sys.unraisablehook = partial(_send_again, hook)
    try:
        yield
    finally:
        sys.unraisablehook = hook
        signal.signal(signal.SIGTERM, before)


def _send_again(
    usual: Callable[[sys.UnraisableHookArgs], object], lost: sys.UnraisableHookArgs
) -> None:
    """Send a signal again that came while a destructor ran, or what a weak reference calls.

    Python prints the exceptions of these, and goes on.
    """
    if isinstance(lost.exc_value, KeyboardInterrupt):
        number = signal.SIGINT
    elif isinstance(lost.exc_value, SystemExit) and lost.exc_value.code == _LEFT:
        number = signal.SIGTERM
        signal.signal(number, leave)
    else:
        usual(lost)
        return
    again = threading.Timer(_SECONDS_TO_SEND_AGAIN, _send_to_main_thread, (number,))
    again.daemon = True
    again.start()


def _send_to_main_thread(number: int) -> None:
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, number)  # wakes it if it waits
    else:
        signal.raise_signal(number)


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
