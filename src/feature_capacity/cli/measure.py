"""The command of researchers: measure a matrix of one's own."""

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from .._lazy import MissingExtraError, need
from ..book.files import check_output, replace_files
from .base import app, command


def _with_layouts(function: Any) -> Any:
    """Put the table of layouts into the help, which is read when the command is made."""
    from ..measure.layouts import table

    layouts = "\n".join(f"    {line}" for line in table().splitlines())
    function.__doc__ = function.__doc__.replace("    LAYOUTS", layouts)
    return function


@app.command()
@command()
@_with_layouts
def capacity(
    matrix: Annotated[
        Path,
        typer.Argument(
            help="File of NumPy, torch or safetensors, index of shards, or Zarr store; "
            "told by its content."
        ),
    ],
    key: Annotated[
        str | None, typer.Option(help="Name of the tensor, in a file that holds several.")
    ] = None,
    index: Annotated[
        str | None, typer.Option(help="Which instance of a batch, such as 3 or 0,2.")
    ] = None,
    features: Annotated[
        str | None, typer.Option(help="Which axis is features: rows or columns.")
    ] = None,
    transpose: Annotated[
        bool, typer.Option("--transpose", help="Short for --features rows.")
    ] = False,
    skip_nonfinite: Annotated[
        bool, typer.Option("--skip-nonfinite", help="Leave out features that are not finite.")
    ] = False,
    activations: Annotated[
        Path | None,
        typer.Option(
            help="File with the activations of these features, features x samples: "
            "capacity is then also weighted by what is active together."
        ),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(help="What counts as 0, as 1 and as orthogonal; see above.")
    ] = 0.01,
    picture: Annotated[
        Path | None,
        typer.Option(help="Where the picture goes; default FILE-capacity.png, in this folder."),
    ] = None,
    no_picture: Annotated[bool, typer.Option("--no-picture", help="Draw none.")] = False,
    csv: Annotated[Path | None, typer.Option(help="Write one line a feature to this file.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write everything to this file.")] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write the report, with its picture, as one page.")
    ] = None,
) -> None:
    """Measure the capacities of the features of a matrix of your own.

    The first line says what was measured, and which axis is features. A feature within the
    tolerance of capacity 1 is monosemantic; one with less than this part of its even share
    (dimensions by features) is ignored; features whose cosine is within it of 0 are orthogonal,
    and sets of features that are orthogonal to all others are blocks.

    Nothing in the file is executed, and it is read in slices: large matrices are fine.

    \b
    Which axis is features, by the name of the tensor:
    LAYOUTS

    \b
    Example: feature-capacity capacity weights.npy
    Example: feature-capacity capacity sae.safetensors --key W_dec --html sae.html
    Example: feature-capacity capacity ae.pt --key decoder.weight --csv capacity.csv
    Example: feature-capacity capacity toy.pt --key W --index 3
    Example: feature-capacity capacity model.safetensors.index.json --key lm_head.weight
    Example: feature-capacity capacity weights.npy --features rows --activations acts.npy
    """  # noqa: D301 - click wants the backspace itself, to leave the lines alone
    from ..measure.choice import ChoiceError
    from ..measure.measuring import measure
    from ..measure.report import draw

    if picture and no_picture:
        raise ValueError("--picture and --no-picture exclude each other; leave one out")
    if not no_picture:
        picture = _place_of_picture(matrix, picture)
    csv = csv and check_output(csv, [".csv"])
    json = json and check_output(json, [".json"])
    html = html and check_output(html, [".html"])
    axis, place = _axis(features, transpose), _numbers(index)
    try:
        found = measure(
            matrix,
            key=key,
            index=place,
            features=cast("Any", axis),
            tolerance=tolerance,
            skip_nonfinite=skip_nonfinite,
            activations=activations,
        )
    except ChoiceError as refusal:
        raise ValueError(refusal.for_command_line()) from None
    typer.echo(found.text())
    contents = {}
    if csv:
        contents[csv] = found.csv().encode()
    if json:
        contents[json] = found.json().encode()
    if html:
        from ..measure.page import page

        contents[html] = page(found).encode()
    if picture:
        contents[picture] = draw(found, picture.suffix)
    replace_files(contents)
    for path in contents:
        typer.echo(f"wrote {path}")


def _axis(features: str | None, transpose: bool) -> str | None:
    if features not in (None, "rows", "columns"):
        raise ValueError(f"--features must be rows or columns; got {features!r:.60}")
    if transpose and features == "columns":
        raise ValueError("--transpose and --features columns exclude each other; leave one out")
    return "rows" if transpose else features


def _numbers(index: str | None) -> tuple[int, ...] | None:
    """``0,2`` as numbers."""
    if index is None:
        return None
    try:
        return tuple(int(part) for part in index.split(","))
    except ValueError:
        raise ValueError(
            f"--index must be whole numbers joined by commas, such as 3 or 0,2; got {index!r:.60}"
        ) from None


def _place_of_picture(matrix: Path, wanted: Path | None) -> Path | None:
    """Where the picture goes; None, in one line, if none was asked for and none can be drawn."""
    try:
        need("plots", "a picture")
    except MissingExtraError as missing:
        if wanted:
            raise
        typer.echo(f"no picture is drawn: {missing}", err=True)
        return None
    return check_output(wanted or Path(f"{matrix.stem}-capacity.png"), [".png", ".svg", ".pdf"])
