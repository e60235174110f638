"""Pages of the book: list, pair, execute and build them.

``notebooks/NAME.py`` is the source of a page; ``NAME.ipynb`` is derived from it, without outputs.
A build executes each page into a stage below ``_build`` and renders the stage there, so that the
sources stay untouched. A page that nothing has changed for is not executed again.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from feature_capacity.claims import ClaimTable, collect, load_claims
from feature_capacity.parameters import ParameterCell, read_parameters, unknown
from feature_capacity.project import PACKAGE, Project

HEADER = """\
# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---
"""
"""How every page begins."""

_METADATA = {
    "jupytext": {"formats": "ipynb,py:percent"},
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_FRONT = re.compile(r"\A# ---\n(?:#.*\n)*?# ---\n")
_TITLE = re.compile(r"^# # (.+)$", re.MULTILINE)
_PAPER = re.compile(r"^# \*\*Paper:\*\* *(.+?)[ .]*$", re.MULTILINE)


class PageError(RuntimeError):
    """A page that failed to execute, or a book that failed to build; one sentence."""


@dataclass(frozen=True)
class Page:
    """One executable page.

    Parameters
    ----------
    source
        The py:percent file.
    """

    source: Path

    @property
    def name(self) -> str:
        """File name without its ending."""
        return self.source.stem

    @property
    def notebook(self) -> Path:
        """The derived notebook beside the source."""
        return self.source.with_suffix(".ipynb")

    @property
    def title(self) -> str:
        """The page's heading."""
        match = _TITLE.search(self.source.read_text(encoding="utf-8"))
        return match[1] if match else self.name

    @property
    def paper(self) -> str:
        """The part of the paper that the page is about, as the page itself says."""
        match = _PAPER.search(self.source.read_text(encoding="utf-8"))
        return match[1] if match else ""

    @property
    def parameters(self) -> ParameterCell:
        """What can be set."""
        return read_parameters(self.source)


def list_pages(project: Project) -> list[Page]:
    """The executable pages in the order of the table of contents."""
    toc = yaml.safe_load(project.toc.read_text(encoding="utf-8"))
    pages = []
    for file in _files(toc):
        if file.startswith("notebooks/"):
            source = project.root / f"{file}.py"
            if not source.is_file():
                raise PageError(f"_toc.yml names {file}, but there is no {source}")
            pages.append(Page(source))
    return pages


def _files(toc: Any) -> list[str]:
    """Every file named in a table of contents, in reading order."""
    if isinstance(toc, list):
        return [file for entry in toc for file in _files(entry)]
    if not isinstance(toc, Mapping):
        return []
    own = [str(toc[key]) for key in ("root", "file") if key in toc]
    return own + [file for value in toc.values() for file in _files(value)]


def find_page(project: Project, name: str) -> Page:
    """The page called `name`; raises ``ValueError`` that names the nearest ones otherwise."""
    pages = {page.name: page for page in list_pages(project)}
    stem = Path(name).stem if name.endswith((".py", ".ipynb")) else name
    if stem not in pages:
        raise ValueError(unknown("page", name, pages))
    return pages[stem]


# ------------------------------------------------------------------------------------------ pairing


def to_notebook(page: Page):
    """Convert the source of a page to a notebook without outputs.

    Cell ids are made from the cell itself, so that the same source gives the same file.
    """
    import jupytext
    from nbformat import from_dict

    notebook = jupytext.reads(page.source.read_text(encoding="utf-8"), fmt="py:percent")
    notebook.metadata = from_dict(_METADATA)
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        text = f"{page.name}\n{cell.cell_type}\n{cell.source}"
        seen[text] += 1
        cell["id"] = hashlib.sha256(f"{text}\n{seen[text]}".encode()).hexdigest()[:8]
    return notebook


def pair(project: Project, *, check: bool = False) -> list[str]:
    """Write the notebook of each page whose notebook is not in step; return what was not.

    JupyterLab writes versions and filters into the header of a source that is saved there; the
    header is brought back to `HEADER`.

    Parameters
    ----------
    check
        Only report, write nothing.
    """
    import nbformat

    sources = sorted(project.notebooks.glob("*.py"))
    wanted = {}
    for page in map(Page, sources):
        text = page.source.read_text(encoding="utf-8")
        wanted[page.source] = HEADER + _FRONT.sub("", text)
        wanted[page.notebook] = nbformat.writes(to_notebook(page)) + "\n"
    stale = [path for path, text in wanted.items() if not _holds(path, text)]
    orphans = sorted(set(project.notebooks.glob("*.ipynb")) - set(wanted))
    if not check:
        for path in stale:
            _write(path, wanted[path])
        for path in orphans:
            path.unlink()
    return [path.name for path in stale + orphans]


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _write(path: Path, text: str) -> None:
    """Replace a file in one step, and only if its content changes."""
    if _holds(path, text):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)


# ---------------------------------------------------------------------------------------- executing


def execute(
    page: Page, destination: Path, failed: Path, parameters: Mapping[str, Any] | None = None
) -> float:
    """Execute a page with papermill into `destination`; return the seconds it took.

    The working folder is the folder of the page, as in JupyterLab. Until the page has run to its
    end `destination` is not touched; if a cell fails, the executed notebook with the error marked
    is left as `failed`.

    Raises
    ------
    PageError
        Saying page, cell and error.
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError

    destination, failed = destination.resolve(), failed.resolve()
    running = destination.with_name(f".{destination.stem}.{os.getpid()}.ipynb")
    running.parent.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    try:
        papermill.execute_notebook(
            to_notebook(page),
            str(running).replace("{", "{{").replace("}", "}}"),  # papermill formats its paths
            parameters=dict(parameters or {}),
            cwd=str(page.source.parent),
            progress_bar=sys.stderr.isatty(),
            extra_arguments=["--log-level=CRITICAL"],  # ipykernel warns of its own transport
        )
    except Exception as error:
        if isinstance(error, PapermillExecutionError):
            where, what = f", cell [{error.exec_count}]", f"{error.ename}: {error.evalue}"
        else:
            where, what = "", f"{type(error).__name__}: {error}"
        message = f"page {page.name}{where}: {what.strip().splitlines()[0]}"
        if running.is_file():
            failed.parent.mkdir(parents=True, exist_ok=True)
            os.replace(running, failed)
            message += f" (see {failed})"
        raise PageError(message) from error
    else:
        os.replace(running, destination)
    finally:
        running.unlink(missing_ok=True)
    return time.perf_counter() - start


def _strip_run(notebook: Path) -> None:
    """Take out what differs from run to run: times and the folders of this machine."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    content["metadata"].pop("papermill", None)
    for cell in content["cells"]:
        cell["metadata"].pop("papermill", None)
        cell["metadata"].pop("execution", None)
    _write(notebook, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


# ----------------------------------------------------------------------------------------- building


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
        return self.folder if self.quick else self.folder.parent

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
        return collect(load_claims(), {n: path for n, path in executed.items() if path.is_file()})


def _read_stamp(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def build_book(
    build: Build, *, everything: bool = False, report: Callable[[str], None] = print
) -> ClaimTable:
    """Execute what has changed, stage, and render the book strictly.

    Parameters
    ----------
    everything
        Execute and render all pages, changed or not.
    report
        Called with a line for each thing done.

    Returns
    -------
    ClaimTable
        The verdicts. The caller decides what its `problems` lead to.

    Raises
    ------
    PageError
        If a page fails (nothing earlier is touched), or the book has a warning.
    """
    pages = list_pages(build.project)
    for number, page in enumerate(pages, start=1):
        _execute_if_changed(build, page, f"[{number}/{len(pages)}] {page.name}", everything, report)
    table = build.claims()
    _stage(build, pages, table)
    _render(build, everything, report)
    return table


def _execute_if_changed(
    build: Build, page: Page, label: str, force: bool, report: Callable[[str], None]
) -> None:
    settings = build.settings(page)
    digest = _page_digest(build.project, page, settings)
    stamp, executed = build.stamp(page.name), build.executed(page)
    if not force and executed.is_file() and _read_stamp(stamp).get("digest") == digest:
        report(f"{label}: unchanged")
        return
    report(f"{label}: executing")
    failed = build.folder / "failed" / executed.name
    seconds = execute(page, executed, failed, settings)
    _strip_run(executed)
    failed.unlink(missing_ok=True)
    _write(stamp, json.dumps({"digest": digest, "seconds": round(seconds, 1)}))
    report(f"{label}: {seconds:.0f} s")


def _page_digest(project: Project, page: Page, settings: Mapping[str, Any]) -> str:
    """Everything that the outputs of a page depend on, as one number."""
    sources = [
        path
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.name not in ("cli.py", "pages.py") and "_book" not in path.parts
    ]
    claims = [repr(claim) for claim in load_claims().values() if claim.page == page.name]
    return _digest(
        [page.source, *sources, project.constraints],
        sys.version_info[:2],
        json.dumps(settings, sort_keys=True),
        *claims,
    )


def _digest(files: list[Path], *more: object) -> str:
    digest = hashlib.sha256(repr(more).encode())
    for file in files:
        digest.update(file.name.encode())
        digest.update(file.read_bytes() if file.is_file() else b"absent")
    return digest.hexdigest()


def _stage(build: Build, pages: list[Page], table: ClaimTable) -> None:
    """Bring the stage in step with the sources; files that do not change keep their times."""
    project, stage = build.project, build.stage
    config = yaml.safe_load(project.config.read_text(encoding="utf-8"))
    config["execute"] = {**config.get("execute", {}), "execute_notebooks": "off"}
    _write(stage / "_config.yml", yaml.safe_dump(config, sort_keys=False, allow_unicode=True))
    _copy(project.toc, stage / "_toc.yml")
    kept = {build.executed(page) for page in pages}
    for source in sorted(project.book.rglob("*")):
        if source.is_file() and "__pycache__" not in source.parts:
            copy = stage / "book" / source.relative_to(project.book)
            _copy(source, copy)
            kept.add(copy)
    for name, text in {"claims": table.html(root="../"), "score": _score(table)}.items():
        path = stage / "book" / "_generated" / f"{name}.html"
        _write(path, text + "\n")
        kept.add(path)
    for folder in ("book", "notebooks"):
        for path in (stage / folder).rglob("*"):
            if path.is_file() and path not in kept:
                path.unlink()


def _score(table: ClaimTable) -> str:
    return f'<p class="score"><a href="claims.html">{table.score()}</a></p>'


def _copy(source: Path, copy: Path) -> None:
    if not copy.is_file() or copy.read_bytes() != source.read_bytes():
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)


def _render(build: Build, force: bool, report: Callable[[str], None]) -> None:
    """Render the stage with ``jupyter-book build -n -W --keep-going``, unless nothing changed."""
    stage, stamp = build.stage, build.stamp("html")
    files = [path for path in sorted(stage.rglob("*")) if path.is_file()]
    looks = [path for path in files if path.suffix not in (".ipynb", ".md", ".html", ".pyc")]
    constraints = build.project.constraints
    new = {"all": _digest([*files, constraints]), "looks": _digest([*looks, constraints])}
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
    done = subprocess.run([sys.executable, "-c", command, "build", str(stage), *options])
    if done.returncode:
        # Sphinx repeats a warning only for a page that it reads again.
        _forget(build)
        stamp.unlink(missing_ok=True)
        raise PageError("the strict build of the book failed; the warnings are above")
    _write(stamp, json.dumps(new))


def _forget(build: Build) -> None:
    shutil.rmtree(build.html.parent / ".doctrees", ignore_errors=True)
