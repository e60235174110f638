"""Commands of experimenters: run pages with other settings, measure matrices, sweep models."""

from pathlib import Path
from typing import Annotated, Any

import typer
from tqdm import tqdm
from typer.core import TyperCommand

from ..book.batches.grid import read_grid, read_yaml
from ..book.export.standalone import render_page
from ..book.files import check_folder, check_output, replace_file
from ..book.pages import Page, PageError, execute, find_page
from ..book.parameters import Value
from ..book.project import Project, find_project
from .base import app, command, fail, need_extra
from .completion import complete_page, complete_parameter


class _PairedOptions(TyperCommand):
    """Takes ``-p NAME VALUE``, as papermill does, beside ``-p NAME=VALUE``."""

    def parse_args(self, ctx, args: list[str]):
        joined, rest = [], list(args)
        while rest:
            word = rest.pop(0)
            joined.append(word)
            if word in ("-p", "--parameter") and rest and "=" not in rest[0]:
                name = rest.pop(0)
                joined.append(f"{name}={rest.pop(0)}" if rest else name)
        if ctx.resilient_parsing and joined and joined[-1] in ("-p", "--parameter"):
            joined.pop()  # the name that a shell asks for; the page before it must be read
        return super().parse_args(ctx, joined)


@app.command(cls=_PairedOptions)
@command
def run(
    page: Annotated[
        str,
        typer.Argument(help="Name of a page; `pages` lists them.", autocompletion=complete_page),
    ],
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            "--parameter",
            metavar="NAME VALUE",
            help="Set one parameter.",
            autocompletion=complete_parameter,
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("-f", "--file", help="YAML file of parameter: value.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="Notebook to write, or folder of a grid; default in _build/runs."
        ),
    ] = None,
    html: Annotated[
        bool, typer.Option("--html", help="Render it to one HTML file beside it, too.")
    ] = False,
    grid: Annotated[
        Path | None, typer.Option("--grid", help="YAML file of parameter: list of values.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Runs of a grid side by side [2].")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Dask cluster for a grid, as tcp://10.0.0.1:8786.")
    ] = None,
) -> None:
    """Execute a page with other parameters, or a grid of them.

    Names and values are checked before anything runs. What -p says comes before what -f says.

    A grid file holds a list of values for each parameter, of which every combination is run, or a
    list of runs. Runs that are there already are kept; index.html shows all of them side by side.

    \b
    Example: feature-capacity run sec2_capacity -p n_dims 5 -o five.ipynb
    Example: feature-capacity run sec2_capacity -f settings.yml --html
    Example: feature-capacity run sec2_capacity --grid grid.yml -o sizes
    """  # noqa: D301 - click wants the backspace itself, to leave the lines alone
    project = find_project()
    found = find_page(project, page)
    values = {**_read_values(file), **dict(map(_split, parameter or []))}
    checked = found.parameters.check(values, text=True)
    if html:
        need_extra("book")
    if grid is not None:
        runs = read_grid(grid, found.parameters, checked)
        folder = (output or project.build / "runs" / f"{found.name}-grid").absolute()
        _check_batch_folder(folder, project, given=output is not None)
        _run_grid(project, found, runs, folder, jobs=jobs or 2, scheduler=scheduler, html=html)
        return
    if jobs or scheduler:
        raise ValueError("--jobs and --scheduler go with --grid; a single run needs neither")
    if output is None:
        output = (project.build / "runs" / found.notebook.name).absolute()
    else:
        output = check_output(output, [".ipynb"])
        _check_sources(output.parent, project)
    failed = output.with_name(f"{output.stem}.failed.ipynb")
    seconds = execute(found, output, failed, checked)
    failed.unlink(missing_ok=True)
    typer.echo(f"{found.name}: {seconds:.0f} s, written to {output}")
    if html:
        typer.echo(f"{found.name}: rendered to {render_page(project, found, output)}")


def _run_grid(
    project: Project,
    page: Page,
    runs: list[dict[str, Value]],
    folder: Path,
    *,
    jobs: int,
    scheduler: str | None,
    html: bool,
) -> None:
    from ..book.batches.index import write_index
    from ..book.batches.run import Outcome, run_batch

    bar = tqdm(total=len(runs), unit="run", disable=None)  # a bar only on a terminal

    def report(outcome: Outcome) -> None:
        bar.update()
        told = outcome.error or (f"{outcome.seconds:g} s" if outcome.executed else "there already")
        bar.write(f"{outcome.run.name}: {told}")

    try:
        with bar:
            outcomes = run_batch(
                project, page, runs, folder, jobs=jobs, scheduler=scheduler, report=report
            )
    except KeyboardInterrupt:
        raise fail("interrupted; the same command goes on where it stopped", 130) from None
    if html:
        for outcome in outcomes:
            if outcome.error is None and outcome.rendering_is_old:
                render_page(project, page, outcome.run.notebook)
    typer.echo(f"open {write_index(page, outcomes, folder)}")
    if failed := sum(outcome.error is not None for outcome in outcomes):
        raise PageError(f"{failed} of {len(outcomes)} runs failed; the index says which and how")


def _check_batch_folder(folder: Path, project: Project, *, given: bool) -> None:
    if folder.suffix == ".ipynb" or folder.is_file():
        raise ValueError(f"a grid is written to a folder; {folder} is a file or named like one")
    _check_sources(folder, project)
    if given:
        check_folder(folder if folder.is_dir() else folder.parent)


def _check_sources(folder: Path, project: Project) -> None:
    if folder.resolve() in (project.notebooks.resolve(), project.book.resolve()):
        raise ValueError(f"{folder} holds the sources of the book; choose another folder")


def _split(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"the parameter {name} has no value; write -p {name} VALUE")
    return name, value


def _read_values(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    values = read_yaml(file)
    if not isinstance(values, dict):
        raise ValueError(f"{file} holds no mapping of parameter: value")
    return {str(name): value for name, value in values.items()}


@app.command()
@command
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
        picture = picture or Path(f"{matrix.stem}-capacity.png")
        picture = check_output(picture, [".png", ".svg", ".pdf"])
    csv = csv and check_output(csv, [".csv"])
    json = json and check_output(json, [".json"])
    W = read_matrix(matrix, key)
    report = measure_matrix(W.T if transpose else W, tolerance)
    typer.echo(report.text())
    if csv:
        replace_file(csv, report.csv().encode())
    if json:
        replace_file(json, report.json().encode())
    if picture:
        replace_file(picture, draw(report, picture.suffix))
    for path in filter(None, (csv, json, picture)):
        typer.echo(f"wrote {path}")


@app.command()
@command
def sweep(
    config: Annotated[Path, typer.Option(help="YAML or JSON file that says what to compute.")],
    out: Annotated[Path, typer.Option(help="Zarr store for the result, for example relu.zarr.")],
    device: Annotated[
        str, typer.Option(help="Where torch computes: auto, cpu, cuda, mps.")
    ] = "auto",
    workers: Annotated[int, typer.Option(help="Processes on this machine.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="Dask cluster instead, for example tcp://10.0.0.1:8786.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Minimize a toy model in every cell of a phase diagram.

    The store appears when the sweep is whole. Interrupted in whatever way, the same command goes
    on where it stopped; on a store that is whole it only checks it.

    \b
    A configuration:
      model: autoencoder            # or computation
      activation: relu              # quadratic, relu, gelu, tanh, abs
      inputs: unit_sparse_uniform   # or sparse_uniform, sparse_normal
      n_features: 6
      n_dims: 3
      importance: {low: 0.01, high: 100, count: 32}   # or a list of numbers
      probability: {low: 0.01, high: 1, count: 32}
      n_starts: 4                   # random starts in each cell
    Also: max_rounds, seed, n_points, max_iterations, tolerance, dtype.

    Example: feature-capacity sweep --config relu.yml --out relu.zarr
    """  # noqa: D301 - click wants the backspace itself, to leave the lines alone
    from ..sweeps.config import SweepConfig, SweepError
    from ..sweeps.run import run_sweep

    options = {"device": device, "workers": workers, "scheduler": scheduler}
    try:
        data = run_sweep(SweepConfig.from_file(config), out, progress=not quiet, **options)
    except SweepError as error:
        raise fail(error, 1) from None
    except KeyboardInterrupt:
        raise fail("interrupted; the same command goes on where it stopped", 130) from None
    rows, cells = data.loss.shape
    settled = float(data.converged.mean())
    typer.echo(f"{out}: {rows} x {cells} cells, {100 * settled:.1f} % of them converged")
