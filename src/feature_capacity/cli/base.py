"""What all commands share: the application, and how errors end."""

import functools
from collections.abc import Callable
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


def fail(message: object, code: int) -> typer.Exit:
    """Say what went wrong, in one line; raise the result to end with that status."""
    typer.echo(f"error: {message}", err=True)
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
                if extra is not None:
                    need(extra, "this command", *libraries)
                return function(*args, **kwargs)
            except (ValueError, FileNotFoundError, MissingExtraError) as error:
                raise fail(error, 2) from None
            except PageError as error:
                raise fail(error, 1) from None
            except KeyboardInterrupt:
                raise fail("interrupted; nothing earlier was changed", 130) from None

        return wrapped

    return decorate
