"""What all commands share: the application, and how errors end."""

import functools
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution, requires
from typing import Annotated, Any

import typer
from packaging.requirements import Requirement

from .. import __version__
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


def need_extra(extra: str) -> None:
    """Raise ``ValueError`` that says what to install, unless all of an optional extra is there."""
    for line in requires("feature-capacity") or ():
        requirement = Requirement(line)
        if requirement.marker is None or not requirement.marker.evaluate({"extra": extra}):
            continue
        try:
            distribution(requirement.name)
        except PackageNotFoundError:
            raise ValueError(
                f"this takes {requirement.name}, which is not installed; "
                f"run: pip install 'feature-capacity[{extra}]'"
            ) from None


def command(function: Callable[..., Any]) -> Callable[..., Any]:
    """Turn the errors that a user can meet into one line and an exit status."""

    @functools.wraps(function)
    def wrapped(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except (ValueError, FileNotFoundError) as error:
            raise fail(error, 2) from None
        except PageError as error:
            raise fail(error, 1) from None
        except KeyboardInterrupt:
            raise fail("interrupted; nothing earlier was changed", 130) from None

    return wrapped
