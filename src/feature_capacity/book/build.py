"""Build the book: execute what changed into a stage, and render the stage strictly.

The stage is below ``_build``, so that the sources stay untouched. A page is executed again only if
something that its outputs depend on has changed.
"""

import itertools
import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from .._digest import PACKAGE, digest
from .._executor import WorkerError, open_workers
from .._signals import leaving_at_sigterm, sigint_held_back
from .claims.registry import load_claims
from .claims.tables import GROUPS, ClaimTable, collect
from .figure_list import figures_html, paper_figures_html, read_figures
from .html import fill
from .pages import Page, PageError, execute, list_pages, write
from .project import Project
from .run_details import run_details_html


@dataclass(frozen=True)
class Build:
    """One build of the book: the published one, or a quick one with small parameters."""

    project: Project
    quick: bool = False

    @property
    def folder(self) -> Path:
        """Where everything of this build is."""
        return self.project.build / "quick" if self.quick else self.project.build

    @property
    def stage(self) -> Path:
        """The sources of the rendered book: prose, executed pages, configuration."""
        return self.folder / "stage"

    @property
    def output(self) -> Path:
        """The folder that Jupyter Book puts its own ``_build`` in."""
        beside = self.folder.name == "_build" and not self.quick
        return self.folder.parent if beside else self.folder

    @property
    def html(self) -> Path:
        """The rendered book."""
        return self.output / "_build" / "html"

    @property
    def index(self) -> Path:
        """The page to open."""
        return self.html / "index.html"

    def executed(self, page: Page) -> Path:
        """The executed notebook of a page."""
        return self.stage / "notebooks" / page.notebook.name

    def settings(self, page: Page) -> dict[str, Any]:
        """The parameters that this build executes a page with; the others keep their defaults."""
        return page.parameters.quick if self.quick else {}

    def stamp(self, name: str) -> Path:
        """The file that says what an earlier result was made from."""
        return self.folder / "stamps" / f"{name}.json"

    def seconds(self, page: Page) -> float | None:
        """How long the page took to execute; None before it was executed."""
        return _read_stamp(self.stamp(page.name)).get("seconds")

    def claims(self) -> ClaimTable:
        """The registry joined with the pages executed so far."""
        executed = {page.name: self.executed(page) for page in list_pages(self.project)}
        claims = load_claims(self.project.claims).values()
        return collect(claims, {n: path for n, path in executed.items() if path.is_file()})


def _read_stamp(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def build_book(
    build: Build,
    *,
    everything: bool = False,
    jobs: int = 1,
    report: Callable[[str], None] = print,
) -> ClaimTable:
    """Execute what has changed, stage, and render the book strictly.

    Parameters
    ----------
    everything
        Execute and render all pages, changed or not.
    jobs
        Pages executed side by side. A page that measures times is alone.
    report
        Called with a line for each thing done.

    Returns
    -------
    ClaimTable
        The verdicts. The caller decides what its `problems` lead to.

    Raises
    ------
    PageError
        If a page fails (pages under way are finished first, and earlier results are not touched),
        or the book has a warning.
    """
    list_pages(build.project)  # a book that cannot be read leaves nothing behind, not even a lock
    with _alone(build, report):
        return _build(build, everything, jobs, report)


@contextmanager
def _alone(build: Build, report: Callable[[str], None]) -> Iterator[None]:
    """Wait until no other process builds the same book."""
    build.folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(build.folder / "lock")
    try:
        held = lock.acquire(timeout=0)
    except Timeout:
        report(f"another process builds the book in {build.folder}; waiting until it has ended")
        held = lock.acquire()
    with held:
        yield


def _build(build: Build, everything: bool, jobs: int, report: Callable[[str], None]) -> ClaimTable:
    pages = list_pages(build.project)
    plain, timing = _groups(build.project)
    number = itertools.count(1)

    def tell(page: Page, what: str) -> None:
        report(f"[{next(number)}/{len(pages)}] {page.name}: {what}")

    for group, side_by_side in ((plain, jobs), (timing, 1)):
        digests = {page: _digest_of(build, page) for page in group}
        changed = []
        for page in group:
            if everything or not _is_current(build, page, digests[page]):
                changed.append(page)
            else:
                tell(page, "unchanged")
        errors = []
        for page, seconds in _execute_all(build, changed, side_by_side, report):
            if isinstance(seconds, PageError):
                errors.append(seconds)
                tell(page, "failed")
                continue
            write(
                build.stamp(page.name),
                json.dumps({"digest": digests[page], "seconds": round(seconds, 1)}),
            )
            tell(page, f"{seconds:.0f} s")
        if errors:
            raise PageError("; ".join(map(str, errors)))
    table = build.claims()
    _stage(build, pages, table)
    _render(build, everything, report)
    return table


def is_executed(build: Build) -> bool:
    """Whether every page has been executed as it stands, so that a build only renders."""
    return all(
        _is_current(build, page, _digest_of(build, page)) for page in list_pages(build.project)
    )


def _groups(project: Project) -> tuple[list[Page], list[Page]]:
    """Pages that only compute, and those that measure times."""
    plain, timing = [], []
    for page in list_pages(project):
        (timing if _scripts(project, page) else plain).append(page)
    return plain, timing


def _digest_of(build: Build, page: Page) -> str:
    return page_digest(build.project, page, build.settings(page))


def _is_current(build: Build, page: Page, made_from: str) -> bool:
    return (
        build.executed(page).is_file()
        and _read_stamp(build.stamp(page.name)).get("digest") == made_from
    )


def _execute_all(
    build: Build, pages: list[Page], jobs: int, report: Callable[[str], None]
) -> Iterator[tuple[Page, float | PageError]]:
    """Execute pages into the stage; yield each with its seconds, or its error, as it ends.

    After an error no further page is begun.
    """
    jobs, failed = max(1, min(jobs, len(pages))), False
    if jobs > 1:
        # The longest first, so that none is left for the end; the largest, if times are not known.
        pages = sorted(
            pages,
            key=lambda page: (build.seconds(page) or math.inf, page.source.stat().st_size),
            reverse=True,
        )
        report(f"executing {len(pages)} pages, {jobs} at a time")

    def begins(page: Page) -> bool:
        if jobs == 1 and not failed:
            report(f"executing {page.name}")
        return not failed

    try:
        with open_workers(jobs) as workers:
            begun, execute_one = itertools.takewhile(begins, pages), partial(_execute_one, build)
            for page, seconds in workers.completed(execute_one, begun, at_most=jobs):
                failed = failed or isinstance(seconds, PageError)
                yield page, seconds
    except WorkerError as error:
        raise PageError(str(error)) from None


def _execute_one(build: Build, page: Page) -> float | PageError:
    """Execute one page into the stage; its seconds, or its error."""
    executed = build.executed(page)
    failed = build.folder / "failed" / executed.name
    try:
        seconds = execute(page, executed, failed, build.settings(page))
    except PageError as error:
        return error
    strip_run(executed)
    failed.unlink(missing_ok=True)
    return seconds


def strip_run(notebook: Path) -> None:
    """Take out what differs from run to run: times and the folders of this machine."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    content["metadata"].pop("papermill", None)
    for cell in content["cells"]:
        cell["metadata"].pop("papermill", None)
        cell["metadata"].pop("execution", None)
    write(notebook, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _scripts(project: Project, page: Page) -> list[Path]:
    """The timing scripts of a page: those in the folder with its name."""
    return sorted((project.root / page.name).glob("*.py"))


def page_digest(project: Project, page: Page, settings: Mapping[str, Any]) -> str:
    """Everything that the outputs of a page depend on, as one number."""
    claims = map(repr, load_claims(project.claims, page.name).values())
    return digest(
        sys.version_info[:2],
        json.dumps(settings, sort_keys=True),
        *claims,
        files=[project.constraints],
        code=[page.source, *_scripts(project, page)],
    )


def _stage(build: Build, pages: list[Page], table: ClaimTable) -> None:
    """Bring the stage in step with the sources; files that do not change keep their times."""
    project, stage = build.project, build.stage
    config = project.configuration()
    config["execute"] = {**config.get("execute", {}), "execute_notebooks": "off"}
    write(stage / "_config.yml", yaml.safe_dump(config, sort_keys=False, allow_unicode=True))
    write(stage / "_toc.yml", project.toc.read_bytes())
    kept = {build.executed(page) for page in pages}
    for source in sorted(project.book.rglob("*")):
        if source.is_file() and "__pycache__" not in source.parts:
            copy = stage / "book" / source.relative_to(project.book)
            write(copy, source.read_bytes())
            kept.add(copy)
    from ..explorers.front import front_explorer  # draws its still picture, which takes matplotlib

    figures = read_figures((page.name, page.title, build.executed(page)) for page in pages)
    pieces = {
        **{f"claims-{g}": table.group(g).by_section_html(root="../") for g in GROUPS},
        "equations": table.by_equation_html(root="../"),
        "figures": figures_html(figures, root="../"),
        "paper-figures": paper_figures_html(figures, root="../"),
        "front": front_explorer().html,
        "score": fill("build.score", score=table.score(), coverage=table.coverage()),
    }
    for page in pages:
        settings, seconds = build.settings(page), build.seconds(page)
        pieces[f"run-{page.name}"] = run_details_html(page.name, page.parameters, settings, seconds)
    for name, text in pieces.items():
        path = stage / "book" / "_generated" / f"{name}.html"
        write(path, text + "\n")
        kept.add(path)
    for folder in ("book", "notebooks"):
        for path in (stage / folder).rglob("*"):
            if path.is_file() and path not in kept:
                path.unlink()


def _render(build: Build, force: bool, report: Callable[[str], None]) -> None:
    """Render the stage with ``jupyter-book build -n -W --keep-going``, unless nothing changed."""
    stage, stamp = build.stage, build.stamp("html")
    files = [path for path in sorted(stage.rglob("*")) if path.is_file()]
    looks = [path for path in files if path.suffix not in (".ipynb", ".md", ".html", ".pyc")]
    constraints = build.project.constraints
    # The reference of the package is made from its docstrings.
    package = sorted(PACKAGE.rglob("*.py"))
    new = {
        "all": digest(files=[*files, *package, constraints]),
        "looks": digest(files=[*looks, constraints]),
    }
    old = _read_stamp(stamp)
    if not force and old == new and build.index.is_file():
        report("book: unchanged")
        return
    report("book: rendering")
    if force or old.get("looks") != new["looks"]:
        # Sphinx does not see that scripts, styles, references or the configuration changed.
        _forget(build)
        shutil.rmtree(build.html, ignore_errors=True)
    command = "from jupyter_book.cli.main import main; main()"
    options = ["--path-output", str(build.output), "-n", "-W", "--keep-going", "-q"]
    # On Ctrl-C of a terminal it would show where in its own code it was.
    with leaving_at_sigterm():
        with sigint_held_back():
            sphinx = subprocess.Popen(
                [sys.executable, "-c", command, "build", str(stage), *options]
            )
        try:
            status = sphinx.wait()
        finally:
            sphinx.kill()  # which does nothing to one that has ended
            sphinx.wait()
    if status:
        # Sphinx repeats a warning only for a page that it reads again.
        _forget(build)
        stamp.unlink(missing_ok=True)
        raise PageError("the strict build of the book failed; the warnings are above")
    write(stamp, json.dumps(new))


def _forget(build: Build) -> None:
    shutil.rmtree(build.html.parent / ".doctrees", ignore_errors=True)
