"""The commands of those who test a method: networks whose truth is known."""

from pathlib import Path
from typing import Annotated

import typer

from ..book.files import check_output, replace_files
from .base import app, command

zoo = typer.Typer(name="zoo", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="As zoo list names it.")]
Kind = Annotated[
    str, typer.Option(help="Where the weights come from: minimized, trained or random.")
]
Seed = Annotated[int, typer.Option(help="Of starts, samples and directions.")]


@zoo.callback()
def _zoo() -> None:
    """Networks whose features, optimal capacities and lowest loss are known.

    They are made when they are first asked for, and kept in the cache folder
    (FEATURE_CAPACITY_CACHE, or feature-capacity in XDG_CACHE_HOME or ~/.cache).

    \b
    Example: feature-capacity zoo list
    Example: feature-capacity zoo show autoencoder-relu --kind trained
    Example: feature-capacity zoo export quadratic-independent -o known.safetensors
    """  # noqa: D301 - click wants the backspace itself, to leave the lines alone


@zoo.command("list")
@command("models")
def list_() -> None:
    """List the networks.

    Example: feature-capacity zoo list
    """
    from ..zoo.catalog import names, summary

    width = max(map(len, names()))
    for name in names():
        typer.echo(f"{name:{width}}  {summary(name)}")


@zoo.command()
@command("models")
def show(name: Name, kind: Kind = "minimized", seed: Seed = 0) -> None:
    """Show what is known about a network.

    Example: feature-capacity zoo show autoencoder-relu --kind trained
    """
    from ..zoo.catalog import load
    from ..zoo.export import described

    told = described(load(name, kind, seed))
    width = max(map(len, told))
    for key, value in told.items():
        typer.echo(f"{key:{width}}  {_shown(value)}")


@zoo.command()
@command("models")
def export(
    name: Name,
    out: Annotated[
        Path, typer.Option("-o", "--out", help="File to write, for example known.safetensors.")
    ],
    kind: Kind = "minimized",
    seed: Seed = 0,
) -> None:
    """Write a network as a dictionary of known features, in the layout of SAELens.

    Example: feature-capacity zoo export quadratic-independent -o known.safetensors
    """
    from ..zoo.catalog import load
    from ..zoo.export import safetensors_bytes

    out = check_output(out, [".safetensors"])
    replace_files({out: safetensors_bytes(load(name, kind, seed))})
    typer.echo(f"wrote {out}")


def _shown(value: object) -> str:
    if isinstance(value, list):
        return " ".join(_shown(x) for x in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


app.add_typer(zoo)
