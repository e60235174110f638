"""The command of researchers: measure a matrix of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from .._lazy import MissingExtraError, need
from ..book.files import check_output, replace_files
from .base import app, command


@app.command()
@command()
def capacity(
    matrix: Annotated[
        Path, typer.Argument(help="File ending in .npy, .npz, .pt, .pth or .safetensors.")
    ],
    key: Annotated[
        str | None, typer.Option(help="Name of the tensor, in a file that holds several.")
    ] = None,
    transpose: Annotated[
        bool, typer.Option("--transpose", help="Features are rows, not columns.")
    ] = False,
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
) -> None:
    """Measure the capacities of the features of a matrix of your own.

    Features are the columns, counted from 0. A feature within the tolerance of capacity 1 is
    monosemantic; one with less than this part of its even share (dimensions by features) is
    ignored; features whose cosine is within it of 0 are orthogonal, and sets of features that are
    orthogonal to all others are blocks.

    Nothing in the file is executed. Large matrices are fine: pairs of features are never stored.

    \b
    Example: feature-capacity capacity weights.npy
    Example: feature-capacity capacity model.safetensors --key W_enc --csv capacity.csv
    """  # noqa: D301 - click wants the backspace itself, to leave the lines alone
    from ..measure.report import draw, measure_matrix
    from ..measure.tensor_files import read_matrix

    if picture and no_picture:
        raise ValueError("--picture and --no-picture exclude each other; leave one out")
    if not no_picture:
        picture = _place_of_picture(matrix, picture)
    csv = csv and check_output(csv, [".csv"])
    json = json and check_output(json, [".json"])
    W = read_matrix(matrix, key)
    report = measure_matrix(W.T if transpose else W, tolerance)
    typer.echo(report.text())
    contents = {}
    if csv:
        contents[csv] = report.csv().encode()
    if json:
        contents[json] = report.json().encode()
    if picture:
        contents[picture] = draw(report, picture.suffix)
    replace_files(contents)
    for path in contents:
        typer.echo(f"wrote {path}")


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
