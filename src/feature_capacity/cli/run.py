"""The command of experimenters: run a page with other settings, or with a grid of them."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from .._arrays import require
from ..book.files import check_folder, check_output
from ..book.pages import Page, PageError, execute, find_page
from ..book.pairing import refuse_edited
from ..book.parameters import Value
from ..book.project import Project, generating_here
from .base import app, command, fail
from .completion import complete_page, complete_parameter

_PARAMETER = typer.Option(
    "-p",
    "--parameter",
    metavar="NAME VALUE",
    help="Set one parameter.",
    autocompletion=complete_parameter,
)


class _PairedOptions(TyperCommand):
    """Takes ``-p NAME VALUE``, as papermill does, beside ``-p NAME=VALUE``.

    Typer knows no list of pairs, and click's own options of two values would not take the second
    form; a pair is therefore joined before click reads the line.
    """

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
@command("book")
def run(
    page: Annotated[
        str,
        typer.Argument(help="Name of a page; `pages` lists them.", autocompletion=complete_page),
    ],
    parameter: Annotated[list[str] | None, _PARAMETER] = None,
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
    What is executed is the page's .py source; a notebook beside it that was edited is refused.

    A grid file holds a list of values for each parameter, of which every combination is run, or a
    list of runs. Runs that are there already are kept; index.html shows all of them side by side.

    \b
    Example: feature-capacity run sec2_capacity -p n_dims 5 -o five.ipynb
    Example: feature-capacity run sec2_capacity -f settings.yml --html
    Example: feature-capacity run sec2_capacity --grid grid.yml -o sizes
    """  # noqa: D301 - click wants the backspace itself, to leave the lines alone
    with generating_here() as project:
        found = find_page(project, page)
        values = {**_read_values(file), **dict(map(_split, parameter or []))}
        checked = found.parameters.check(values, text=True)
        refuse_edited([found])
        if grid is not None:
            from ..book.batches.grid import read_grid

            runs = read_grid(grid, found.parameters, checked)
            folder = (output or project.build / "runs" / f"{found.name}-grid").absolute()
            _check_batch_folder(folder, project, given=output is not None)
            _run_grid(project, found, runs, folder, jobs=jobs or 2, scheduler=scheduler, html=html)
        elif jobs or scheduler:
            raise ValueError("--jobs and --scheduler go with --grid; a single run needs neither")
        else:
            _run_once(project, found, output, checked, html=html)


def _run_once(
    project: Project, page: Page, output: Path | None, settings: dict[str, Value], *, html: bool
) -> None:
    from ..book.export.standalone import render_page

    if output is None:
        output = (project.build / "runs" / page.notebook.name).absolute()
    else:
        output = check_output(output, [".ipynb"])
        _check_sources(output.parent, project)
    failed = output.with_name(f"{output.stem}.failed.ipynb")
    typer.echo(f"{page.name}: executing {page.source}")
    seconds = execute(page, output, failed, settings)
    failed.unlink(missing_ok=True)
    typer.echo(f"{page.name}: {seconds:.0f} s, written to {output}")
    if html:
        typer.echo(f"{page.name}: rendered to {render_page(project, page, output)}")


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
    from tqdm import tqdm

    from ..book.batches.index import write_index
    from ..book.batches.run import Outcome, run_batch
    from ..book.export.standalone import render_page

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
    require(equals, f"the parameter {name:.60} has no value; write -p {name} VALUE")
    return name, value


def _read_values(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    from .._documents import read_document

    values = read_document(file, "parameter file")
    require(isinstance(values, dict), f"{file} holds no mapping of parameter: value")
    return {str(name): value for name, value in values.items()}
