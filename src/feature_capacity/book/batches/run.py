"""Execute one page under many settings, side by side, and go on where an earlier call stopped.

Each run is one executed notebook, which says in its metadata what it was made from, and appears
when it is whole.  The index page shows all of them beside each other.
"""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ... import __version__
from ..._digest import digest
from ..._executor import WorkerError, open_workers
from ..build import page_digest, strip_run
from ..files import replace_file
from ..pages import Page, PageError, execute, find_page
from ..parameters import Value
from ..project import Project, find_project
from .grid import run_name

_KEY = "feature_capacity"


@dataclass(frozen=True)
class Run:
    """One page under one set of settings.

    Parameters
    ----------
    page : Page
    settings : mapping
        Parameters that are not at their default.
    folder : Path
        Where the outputs of the batch go.
    """

    page: Page
    settings: Mapping[str, Value]
    folder: Path

    @property
    def name(self) -> str:
        """File name without ending."""
        return run_name(self.settings)

    @property
    def notebook(self) -> Path:
        """The executed notebook."""
        return self.folder / f"{self.name}.ipynb"

    @property
    def failed(self) -> Path:
        """The notebook as far as it got, with the error marked."""
        return self.folder / f"{self.name}.failed.ipynb"


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes
    ----------
    run : Run
    seconds : float or None
        None for a run that failed.
    error : str or None
        Which cell failed, and how.
    executed : bool
        False where the notebook of an earlier call was kept.
    """

    run: Run
    seconds: float | None = None
    error: str | None = None
    executed: bool = True

    @property
    def rendering_is_old(self) -> bool:
        """Whether the HTML file beside the notebook is missing or from before it."""
        html = self.run.notebook.with_suffix(".html")
        return not html.is_file() or html.stat().st_mtime < self.run.notebook.stat().st_mtime


def run_batch(
    project: Project,
    page: Page,
    runs: Sequence[Mapping[str, Value]],
    folder: Path,
    *,
    jobs: int = 2,
    scheduler: str | None = None,
    report: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Execute a page under each of the settings; return how each run ended, in their order.

    A run is not executed again if its notebook is whole and was made from the same settings,
    source, package, claims and versions.  One that fails does not stop the others; its notebook
    is left with the error marked, and an earlier good one is not touched.

    Parameters
    ----------
    project, page
        The book, and one of its pages.
    runs
        Checked settings, one mapping a run.
    folder
        Where the notebooks go.
    jobs
        Runs executed side by side on this machine.
    scheduler
        Address of a Dask cluster that executes them instead.
    report
        Called with every outcome as it comes.

    Raises
    ------
    PageError
        If a worker was killed (what is finished is kept), or has another version of the package or
        of the page.
    ValueError
        If no scheduler answers.
    """
    batch = [Run(page, settings, folder) for settings in runs]
    made_from = {run.name: page_digest(project, page, run.settings) for run in batch}
    outcomes: dict[str, Outcome] = {}

    def end(outcome: Outcome) -> None:
        outcomes[outcome.run.name] = outcome
        report(outcome)

    todo = []
    for run in batch:
        seconds = _seconds_if_whole(run.notebook, made_from[run.name])
        if seconds is None:
            todo.append(run)
        else:
            run.failed.unlink(missing_ok=True)
            end(Outcome(run, seconds, executed=False))
    if todo:
        code = _code_digest(page)
        check = partial(_page_in_worker, code, page)
        try:
            with open_workers(min(jobs, len(todo)), scheduler, check) as workers:
                for run, left in workers.completed(partial(_execute, code), todo):
                    _keep(*left, made_from[run.name])
                    end(left[0])
        except WorkerError as error:
            raise PageError(str(error)) from None
    return [outcomes[run.name] for run in batch]


def _code_digest(page: Page) -> str:
    """Hash of the page and of the code that it can reach, which all workers must share."""
    return digest(code=[page.source])


def _page_in_worker(code: str, page: Page) -> Page:
    """The page, in the folder of the caller where it is there; else in the worker's own copy."""
    here = page if page.source.is_file() else find_page(find_project(), page.name)
    if _code_digest(here) != code:
        raise PageError(
            f"a worker has another version of feature_capacity or of the page {page.name}; "
            "install the same one"
        )
    return here


def _execute(code: str, run: Run) -> tuple[Outcome, str | None]:
    """In a worker: how the run ended, and its notebook as far as it got."""
    page = _page_in_worker(code, run.page)
    with tempfile.TemporaryDirectory(prefix="run-") as folder:
        done, failed = Path(folder) / page.notebook.name, Path(folder) / "failed.ipynb"
        try:
            seconds = execute(page, done, failed, run.settings, progress=False)
        except PageError as problem:
            # The notebook is in a folder that goes; the caller says where it comes to be.
            error = str(problem).removesuffix(f" (see {failed.resolve()})")
            return Outcome(run, error=error), _stripped(failed)
        return Outcome(run, round(seconds, 1)), _stripped(done)


def _stripped(notebook: Path) -> str | None:
    if not notebook.is_file():
        return None
    strip_run(notebook)
    return notebook.read_text(encoding="utf-8")


def _keep(outcome: Outcome, notebook: str | None, made_from: str) -> None:
    """Write what a run has left, in one step."""
    run = outcome.run
    if notebook is None:
        return
    if outcome.error is not None:
        replace_file(run.failed, notebook.encode())
        return
    content = json.loads(notebook)
    content["metadata"][_KEY] = {
        "digest": made_from,
        "seconds": outcome.seconds,
        "version": __version__,
        "settings": dict(run.settings),
        "cells": _cells_digest(content),
    }
    replace_file(run.notebook, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
    run.failed.unlink(missing_ok=True)


def _seconds_if_whole(notebook: Path, made_from: str) -> float | None:
    """How long an earlier run took, if its notebook is whole and was made from the same."""
    try:
        content = json.loads(notebook.read_text(encoding="utf-8"))
        stamp = content["metadata"][_KEY]
        whole = stamp["digest"] == made_from and stamp["cells"] == _cells_digest(content)
        return stamp["seconds"] if whole else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _cells_digest(notebook: dict[str, object]) -> str:
    return digest(json.dumps(notebook["cells"], sort_keys=True))
