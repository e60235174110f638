"""Execute one page under many settings, side by side, and go on where an earlier call stopped.

Each run is one executed notebook, which says in its metadata what it was made from, and appears
when it is whole.  The index page shows all of them beside each other.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ... import __version__
from ..._digest import digest
from ..._executor import open_cluster, open_pool
from ..build import page_digest, strip_run
from ..files import replace_file
from ..pages import Page, PageError, execute, find_page
from ..parameters import Value
from ..project import Project, find_project
from .grid import run_name

_KEY = "feature_capacity"


class BatchError(RuntimeError):
    """A batch that could not go on: lost workers, a full disk; one sentence."""


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


@dataclass(frozen=True)
class _Task:
    """What a worker is asked to do."""

    name: str
    root: Path
    settings: Mapping[str, Value]
    source: str


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
    BatchError
        If workers keep dying, or have another version of the package or of the page.
    ValueError
        If no scheduler answers.
    """
    wanted = [Run(page, settings, folder) for settings in runs]
    outcomes: dict[str, Outcome] = {}
    digests = {run.name: page_digest(project, page, run.settings) for run in wanted}

    def end(outcome: Outcome) -> None:
        outcomes[outcome.run.name] = outcome
        report(outcome)

    todo = {}
    for run in wanted:
        seconds = _seconds_if_whole(run.notebook, digests[run.name])
        if seconds is None:
            todo[run.name] = run
        else:
            run.failed.unlink(missing_ok=True)
            end(Outcome(run, seconds, executed=False))
    if todo:
        source = _source_digest(page)
        tasks = [_Task(page.name, project.root, run.settings, source) for run in todo.values()]
        with _workers(tasks[0], min(jobs, len(todo)), scheduler) as work:
            for task, result in work(tasks):
                run = todo[run_name(task.settings)]
                end(_keep(run, digests[run.name], *result))
    return [outcomes[run.name] for run in wanted]


def _workers(task: _Task, jobs: int, scheduler: str | None) -> Any:
    if scheduler is None:
        return open_pool(_execute, jobs, BatchError)
    return open_cluster(scheduler, _execute, partial(_page_of, task), BatchError)


def _execute(task: _Task) -> tuple[float | None, str | None, str | None]:
    """In a worker: seconds, error, and the text of the executed notebook as far as it got."""
    page = _page_of(task)
    with tempfile.TemporaryDirectory(prefix="run-") as folder:
        done, failed = Path(folder) / page.notebook.name, Path(folder) / "failed.ipynb"
        try:
            seconds, error = execute(page, done, failed, task.settings, progress=False), None
        except PageError as problem:
            # The notebook is in a folder that goes; the caller says where it comes to be.
            seconds, error = None, str(problem).removesuffix(f" (see {failed.resolve()})")
        left = done if error is None else failed
        if not left.is_file():
            return seconds, error, None
        strip_run(left)
        return seconds, error, left.read_text(encoding="utf-8")


def _page_of(task: _Task) -> Page:
    """The page, in the folder of the caller where it is there; else in the worker's own copy."""
    source = task.root / "notebooks" / f"{task.name}.py"
    page = Page(source) if source.is_file() else find_page(find_project(), task.name)
    if _source_digest(page) != task.source:
        raise BatchError(
            f"a worker has another version of feature_capacity or of the page {task.name}; "
            "install the same one"
        )
    return page


def _source_digest(page: Page) -> str:
    """Hash of the page and of the code that it can reach, which all workers must share."""
    return digest(code=[page.source])


def _keep(
    run: Run, made_from: str, seconds: float | None, error: str | None, text: str | None
) -> Outcome:
    """Write what a run has left, in one step, and say how it ended."""
    if error is not None:
        if text is not None:
            replace_file(run.failed, text.encode())
        return Outcome(run, error=error)
    content = json.loads(text)
    stamp = {"digest": made_from, "seconds": round(seconds, 1), "version": __version__}
    stamp["settings"], stamp["cells"] = dict(run.settings), _hash(content["cells"])
    content["metadata"][_KEY] = stamp
    replace_file(run.notebook, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
    run.failed.unlink(missing_ok=True)
    return Outcome(run, stamp["seconds"])


def _seconds_if_whole(notebook: Path, made_from: str) -> float | None:
    """How long an earlier run took, if its notebook is whole and was made from the same."""
    try:
        content = json.loads(notebook.read_text(encoding="utf-8"))
        stamp = content["metadata"][_KEY]
        whole = stamp["digest"] == made_from and stamp["cells"] == _hash(content["cells"])
        return stamp["seconds"] if whole else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _hash(cells: Any) -> str:
    return hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()
