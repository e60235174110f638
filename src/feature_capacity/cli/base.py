"""What all commands share: the application, and how errors end."""

import errno
import functools
import re
import signal
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from .. import __version__
from .._lazy import MissingExtraError, need
from ..book.pages import PageError

app = typer.Typer(
    name="feature-capacity",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"feature-capacity {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Read, re-run and extend the book on polysemanticity and capacity in neural networks."""


Quick = Annotated[bool, typer.Option("--quick", help="Use each page's small trial settings.")]


_LONGEST_MESSAGE = 1000
_OF_THE_MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENOMEM, errno.EMFILE)


def fail(message: object, code: int) -> typer.Exit:
    """Say what went wrong, in one line; raise the result to end with that status."""
    text = re.sub(r"\s*[\r\n]\s*", " ", str(message))
    if len(text) > _LONGEST_MESSAGE:
        half = _LONGEST_MESSAGE // 2
        text = f"{text[:half]} … {text[-half:]}"
    typer.echo(f"error: {text}", err=True)
    return typer.Exit(code)


def command(extra: str | None = None, *libraries: str) -> Callable[..., Any]:
    """Turn the errors that a user can meet into one line and an exit status.

    Parameters
    ----------
    extra : str, optional
        Extra of the package that the command takes; looked for before it starts.
    *libraries : str
        Which libraries of the extra it takes; all, where none is named.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*args, **kwargs):
            try:
                with _interruptible():
                    if extra is not None:
                        need(extra, "this command", *libraries)
                    return function(*args, **kwargs)
            except (ValueError, MissingExtraError) as error:
                raise fail(error, 2) from None
            except PageError as error:
                raise fail(error, 1) from None
            except KeyboardInterrupt:
                raise fail("interrupted; nothing earlier was changed", 130) from None
            except (typer.Exit, typer.Abort):
                raise
            except OSError as error:
                if error.errno == errno.EPIPE:  # who reads has left
                    raise
                raise _of_the_system(error) from None
            except MemoryError as error:
                raise fail(f"not enough memory: {error}".rstrip(": "), 1) from None
            except Exception as error:
                raise _surprise(error) from None

        return wrapped

    return decorate


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C raise while a command runs; after it, what libraries put away is not disturbed."""
    handled = threading.current_thread() is threading.main_thread()
    if not handled or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        handler = before if before is signal.default_int_handler else signal.SIG_IGN
        signal.signal(signal.SIGINT, handler)


def _of_the_system(error: OSError) -> typer.Exit:
    """What the operating system refused: a full disk, a name that is too long, no permission."""
    where = "" if error.filename is None else f"{error.filename!s:.300} cannot be read or written: "
    code = 1 if error.errno in _OF_THE_MACHINE else 2
    return fail(f"{where}{error.strerror or error}", code)


def _surprise(error: Exception) -> typer.Exit:
    """The last resort: what nobody thought of is one sentence, with the details in a file."""
    kind = f"{type(error).__name__}: {error}"[:200]
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="feature-capacity-", suffix=".log", delete=False, encoding="utf-8"
        ) as file:
            file.writelines(traceback.format_exception(error))
    except OSError:
        return fail(f"a fault of this program, {kind}; please report it", 1)
    return fail(f"a fault of this program, {kind}; please report it with {file.name}", 1)
