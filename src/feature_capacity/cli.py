"""The command line ``feature-capacity``: one line a task, helpful when mistaken."""

import functools
import http.server
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from typer.core import TyperCommand

from feature_capacity.building import Build, build_book
from feature_capacity.gallery import write_gallery, write_score
from feature_capacity.pages import PageError, execute, find_page, list_pages, pair
from feature_capacity.printing import print_book
from feature_capacity.project import find_project

app = typer.Typer(
    name="feature-capacity",
    help="Read, re-run and extend the book on polysemanticity and capacity in neural networks.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Quick = Annotated[bool, typer.Option("--quick", help="Use each page's small trial settings.")]


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
        return super().parse_args(ctx, joined)


def _fail(message: object, code: int) -> typer.Exit:
    typer.echo(f"error: {message}", err=True)
    return typer.Exit(code)


def _command(function: Callable[..., Any]) -> Callable[..., Any]:
    """Turn the errors that a user can meet into one line and an exit status."""

    @functools.wraps(function)
    def wrapped(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except (ValueError, FileNotFoundError) as error:
            raise _fail(error, 2) from None
        except PageError as error:
            raise _fail(error, 1) from None
        except KeyboardInterrupt:
            raise _fail("interrupted; nothing earlier was changed", 130) from None

    return wrapped


@app.command()
@_command
def book(
    quick: Quick = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Execute every page again, changed or not.")
    ] = False,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, help="Pages executed side by side.")
    ] = 2,
) -> None:
    """Execute the pages that changed, and build the book.

    The book is strict: a warning, a failing page, a claim that differs without an explanation or
    that was never checked ends in exit status 1.

    Example: feature-capacity book --quick
    """
    build = Build(find_project(), quick)
    table = build_book(build, everything=everything, jobs=jobs, report=typer.echo)
    typer.echo(f"claims: {table.score()}")
    typer.echo(f"open {build.index}")
    _fail_on_problems(table)


def _fail_on_problems(table) -> None:
    if table.problems:
        listed = "; ".join(f"{row.claim.id} ({row.status})" for row in table.problems)
        raise PageError(f"claims without an explanation: {listed}")


@app.command()
@_command
def pages() -> None:
    """List the executable pages with their parameters.

    Example: feature-capacity pages
    """
    build = Build(find_project())
    for page in list_pages(build.project):
        seconds = build.seconds(page)
        took = "" if seconds is None else f" · {seconds:g} s"
        typer.echo(f"{page.name}: {page.title} ({page.paper or 'no section of the paper'}{took})")
        for parameter in page.parameters.parameters.values():
            typer.echo(
                f"    {parameter.name} = {parameter.default!r}: "
                f"{parameter.comment} ({parameter.rule})"
            )


@app.command(cls=_PairedOptions)
@_command
def run(
    page: Annotated[str, typer.Argument(help="Name of a page; `pages` lists them.")],
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", "--parameter", metavar="NAME VALUE", help="Set one parameter."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("-f", "--file", help="YAML file of parameter: value.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Where to; default _build/runs/PAGE.ipynb."),
    ] = None,
) -> None:
    """Execute one page with other parameters.

    Names and values are checked before anything runs. What -p says comes before what -f says.

    Example: feature-capacity run sec2_capacity -p n_dims 5 -o five.ipynb
    """
    project = find_project()
    found = find_page(project, page)
    values = {**_read_values(file), **dict(map(_split, parameter or []))}
    checked = found.parameters.check(values, text=True)
    output = (output or project.build / "runs" / found.notebook.name).resolve()
    _check_output(output, project.notebooks)
    failed = output.with_name(f"{output.stem}.failed.ipynb")
    seconds = execute(found, output, failed, checked)
    typer.echo(f"{found.name}: {seconds:.0f} s, written to {output}")


def _split(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"the parameter {name} has no value; write -p {name} VALUE")
    return name, value


def _read_values(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    if not file.is_file():
        raise ValueError(f"there is no parameter file {file}")
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} is not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(values, dict):
        raise ValueError(f"{file} holds no mapping of parameter: value")
    return {str(name): value for name, value in values.items()}


def _check_output(output: Path, notebooks: Path) -> None:
    if output.suffix != ".ipynb":
        raise ValueError(f"the output is a notebook; write -o {output.with_suffix('.ipynb').name}")
    if output.parent == notebooks.resolve():
        raise ValueError(f"{output} is among the sources of the book; choose another folder")
    if not output.parent.is_dir() and output.parent.name != "runs":
        raise ValueError(f"there is no folder {output.parent} to write to")


@app.command()
@_command
def claims(quick: Quick = False) -> None:
    """Show the verdict on every claim, from the pages executed last.

    Exit status 1 if a claim differs without an explanation or was never checked.

    Example: feature-capacity claims
    """
    table = Build(find_project(), quick).claims()
    if table.rows:
        typer.echo(table.text())
    typer.echo(table.score())
    _fail_on_problems(table)


@app.command(name="pair")
@_command
def pair_command(
    check: Annotated[bool, typer.Option("--check", help="Only report; write nothing.")] = False,
) -> None:
    """Bring each notebook in step with its .py source.

    With --check the exit status is 1 when one is not in step.

    Example: feature-capacity pair --check
    """
    stale = pair(find_project(), check=check)
    if stale and check:
        raise PageError(f"not in step with the source: {', '.join(stale)}; run `make pair`")
    typer.echo(f"brought in step: {', '.join(stale)}" if stale else "all notebooks are in step")


@app.command()
@_command
def sweep(
    config: Annotated[Path, typer.Option(help="YAML or JSON file that says what to compute.")],
    out: Annotated[Path, typer.Option(help="Zarr store for the result, for example relu.zarr.")],
    device: Annotated[str, typer.Option(help="Where torch computes: auto, cpu, cuda.")] = "auto",
    workers: Annotated[int, typer.Option(help="Processes on this machine.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="Dask cluster instead, for example tcp://10.0.0.1:8786.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Minimize a toy model over a grid of importances and feature probabilities.

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
    from feature_capacity.sweeps import SweepConfig, SweepError, run_sweep  # imports torch

    options = {"device": device, "workers": workers, "scheduler": scheduler}
    try:
        data = run_sweep(SweepConfig.from_file(config), out, progress=not quiet, **options)
    except SweepError as error:
        raise _fail(error, 1) from None
    except KeyboardInterrupt:
        raise _fail("interrupted; the same command goes on where it stopped", 130) from None
    rows, cells = data.loss.shape
    settled = float(data.converged.mean())
    typer.echo(f"{out}: {rows} x {cells} cells, {100 * settled:.1f} % of them converged")


@app.command()
@_command
def serve(
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    quick: Quick = False,
) -> None:
    """Serve the built book on this machine until Ctrl-C.

    Example: feature-capacity serve --port 8001
    """
    build = Build(find_project(), quick)
    if not build.index.is_file():
        raise PageError("there is no built book yet; run `make book` first")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(build.html))
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise PageError(f"cannot listen on port {port}: {error.strerror}; try --port") from None
    with server:
        typer.echo(f"the book is at http://127.0.0.1:{server.server_port}/ (Ctrl-C ends)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            typer.echo("")


@app.command()
@_command
def pdf(
    quick: Quick = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where to; default _build/book.pdf.")
    ] = None,
) -> None:
    """Print the book built last as one PDF, with every figure.

    It takes Chromium or Chrome, which prints the pages.

    Example: feature-capacity pdf -o book.pdf
    """
    build = Build(find_project(), quick)
    output = (output or build.folder / "book.pdf").resolve()
    if output.suffix != ".pdf":
        raise ValueError(f"the output is a PDF; write -o {output.with_suffix('.pdf').name}")
    if not output.parent.is_dir() and output.parent != build.folder:
        raise ValueError(f"there is no folder {output.parent} to write to")
    print_book(build, output, report=typer.echo)
    typer.echo(f"wrote {output}: {output.stat().st_size / 1e6:.1f} MB")


@app.command()
@_command
def gallery() -> None:
    """Bring the README's pictures and score in step with the book built last.

    Example: feature-capacity gallery
    """
    project = find_project()
    build = Build(project)
    folder, table = project.book / "_static" / "gallery", build.claims()
    for path in write_gallery(build.stage / "notebooks", folder):
        typer.echo(f"wrote {path}")
    write_score(project.root / "README.md", f"{table.score()} {table.coverage()}")
    typer.echo(f"README.md: {table.score()}")


@app.command()
@_command
def clean() -> None:
    """Delete everything that a build made.

    Example: feature-capacity clean
    """
    build = find_project().build
    shutil.rmtree(build, ignore_errors=True)
    typer.echo(f"deleted {build}")
