"""Commands of the book: build, list, check, show, print."""

import functools
import http.server
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..book.files import check_output
from ..book.pages import Page, PageError, find_page, list_pages
from ..book.pairing import ASIDE, EDITS, loose_notebooks, pair, refuse_edited
from ..book.project import find_project
from .base import Quick, app, command
from .completion import complete_page


@app.command()
@command("book")
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

    Pages are executed from their .py sources; a notebook beside one that was edited is refused.

    Example: feature-capacity book --quick
    """
    from ..book.build import Build, build_book

    build = Build(find_project(), quick)
    refuse_edited(list_pages(build.project))
    table = build_book(build, everything=everything, jobs=jobs, report=typer.echo)
    typer.echo(f"claims: {table.score()}")
    typer.echo(f"open {build.index}")
    _fail_on_problems(table)


def _fail_on_problems(table) -> None:
    if table.problems:
        listed = "; ".join(f"{row.claim.id} ({row.status})" for row in table.problems)
        raise PageError(f"claims without an explanation: {listed}")


@app.command()
@command("book", "yaml", "jinja2")
def pages(
    name: Annotated[
        str | None,
        typer.Argument(help="One page, in detail.", autocompletion=complete_page),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="For a program to read.")] = False,
) -> None:
    """List the executable pages with their parameters.

    With a name, say what each parameter of that page means and may be.

    Example: feature-capacity pages sec2_capacity
    """
    from ..book.build import Build
    from ..book.listing import as_json, details, listing

    build = Build(find_project())
    found = list_pages(build.project) if name is None else [find_page(build.project, name)]
    if json:
        typer.echo(as_json(build, found))
    else:
        typer.echo(listing(build) if name is None else details(build, found[0]))


@app.command()
@command("book", "yaml", "jinja2")
def claims(quick: Quick = False) -> None:
    """Show the verdict on every claim, from the pages executed last.

    Exit status 1 if a claim differs without an explanation or was never checked.

    Example: feature-capacity claims
    """
    from ..book.build import Build

    table = Build(find_project(), quick).claims()
    if table.rows:
        typer.echo(table.text())
    typer.echo(table.score())
    _fail_on_problems(table)


@app.command(name="pair")
@command("book", "jupytext")
def pair_command(
    check: Annotated[bool, typer.Option("--check", help="Only report; write nothing.")] = False,
    edits: Annotated[
        str,
        typer.Option(help="For notebooks edited by hand: refuse, take or keep; see above."),
    ] = "refuse",
) -> None:
    """Bring each notebook in step with its .py source, which is what is executed.

    A notebook that was edited by hand, in VS Code or Colab for example, is never overwritten:
    take writes the edits into the source, keep sets them aside as NAME.edited.ipynb.

    With --check the exit status is 1 when one is not in step.

    \b
    Example: feature-capacity pair --check
    Example: feature-capacity pair --edits take
    """  # noqa: D301 - click wants the backspace itself, to leave the lines alone
    if edits not in EDITS:
        raise ValueError(f"--edits must be one of {', '.join(EDITS)}; got {edits!r}")
    project = find_project()
    done = pair(project, check=check, edits=edits)
    if done and check:
        refuse_edited(map(Page, sorted(project.notebooks.glob("*.py"))))
        raise PageError(f"not in step with the source: {', '.join(done)}; run `make pair`")
    typer.echo(f"brought in step: {', '.join(done)}" if done else "all notebooks are in step")
    for path in loose_notebooks(project):
        if not path.name.endswith(ASIDE):
            typer.echo(f"{path.name} has no source, and stays as it is")


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Knows that a path may be none."""

    def send_head(self):
        if "\0" in self.translate_path(self.path):
            self.send_error(404, "File not found")
            return None
        return super().send_head()


class _Server(http.server.ThreadingHTTPServer):
    """Says nothing about a reader who left, and of any other fault one line."""

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError):
            typer.echo(f"a request failed: {type(error).__name__}: {error}"[:300], err=True)


@app.command()
@command("book", "yaml", "jinja2")
def serve(
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    quick: Quick = False,
) -> None:
    """Serve the built book on this machine until Ctrl-C.

    Example: feature-capacity serve --port 8001
    """
    from ..book.build import Build

    build = Build(find_project(), quick)
    if not build.index.is_file():
        raise PageError("there is no built book yet; run `make book` first")
    handler = functools.partial(_Handler, directory=str(build.html))
    try:
        server = _Server(("127.0.0.1", port), handler)
    except OSError as error:
        raise PageError(f"cannot listen on port {port}: {error.strerror}; try --port") from None
    with server:
        typer.echo(f"the book is at http://127.0.0.1:{server.server_port}/ (Ctrl-C ends)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            typer.echo("")


@app.command()
@command("book")
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
    from ..book.build import Build
    from ..book.export.pdf import print_book

    build = Build(find_project(), quick)
    output = check_output(output, [".pdf"]) if output else build.folder / "book.pdf"
    print_book(build, output, report=typer.echo)
    typer.echo(f"wrote {output}: {output.stat().st_size / 1e6:.1f} MB")


@app.command()
@command()
def clean() -> None:
    """Delete everything that a build made.

    Example: feature-capacity clean
    """
    build = find_project().build
    if build.name != "_build":  # a folder that FEATURE_CAPACITY_BUILD names may hold other things
        raise ValueError(f"{build} is not called _build; delete it by hand")
    shutil.rmtree(build, ignore_errors=True)
    typer.echo(f"deleted {build}")
