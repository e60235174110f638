"""Pages of the book: list, pair and execute them.

``notebooks/NAME.py`` is the source of a page; ``NAME.ipynb`` is derived from it, without outputs.
"""

import contextlib
import hashlib
import json
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._arrays import unknown
from .._digest import PACKAGE
from .._signals import leaving_at_sigterm
from .files import replace_file
from .parameters import ParameterCell, read_parameters
from .project import BUILD_FOLDER, Project, find_project
from .unfinished import beside

_METADATA = {
    "jupytext": {"formats": "ipynb,py:percent"},
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_TITLE = re.compile(r"^# # (.+)$", re.MULTILINE)
_RUN_TIME = re.compile(r"^# \*\*Run time:\*\* *([^;\n]+?)[ .]*(?:;.*)?$", re.MULTILINE)
_PAPER = re.compile(r"^# \*\*Paper:\*\* *(.+?)[ .]*$", re.MULTILINE)


_SECONDS_TO_START = 300  # of a kernel; a machine that executes many pages at once is slow
_SECONDS_TO_END = 2.0  # for a kernel that is asked to; less than its worker has


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
        return self._line(_TITLE) or self.name

    @property
    def paper(self) -> str:
        """The part of the paper that the page is about, as the page itself says."""
        # The command line shows it as plain text: citations and other roles are left out.
        return re.sub(r" *\{\w+\}`[^`]*`", "", self._line(_PAPER)).rstrip()

    @property
    def run_time(self) -> str:
        """How long it takes with its defaults, as the page itself says; "" if it does not."""
        return self._line(_RUN_TIME)

    def _line(self, pattern: re.Pattern[str]) -> str:
        match = pattern.search(self.source.read_text(encoding="utf-8"))
        return match[1] if match else ""

    @property
    def parameters(self) -> ParameterCell:
        """What can be set."""
        return read_parameters(self.source)


def list_pages(project: Project) -> list[Page]:
    """The executable pages in the order of the table of contents."""
    pages = []
    for file in list_documents(project):
        if file.startswith("notebooks/"):
            source = project.root / f"{file}.py"
            if not source.is_file():
                raise PageError(f"_toc.yml names {file}, but there is no {source}")
            pages.append(Page(source))
    return pages


def list_documents(toc: Project | Any) -> list[str]:
    """Every page of the book, prose too, in reading order, as the table of contents names them.

    Parameters
    ----------
    toc
        The book, or a piece of its table of contents.
    """
    if isinstance(toc, Project):
        toc = toc.contents()
    if isinstance(toc, list):
        return [file for entry in toc for file in list_documents(entry)]
    if not isinstance(toc, Mapping):
        return []
    own = [str(toc[key]) for key in ("root", "file") if key in toc]
    return own + [file for value in toc.values() for file in list_documents(value)]


def list_parts(project: Project) -> list[tuple[str, list[str]]]:
    """Caption and documents of each part of the book; the front page is a part of its own."""
    toc = project.contents()
    parts = toc.get("parts", [{key: value for key, value in toc.items() if key != "root"}])
    return [("", [toc["root"]])] + [(p.get("caption", ""), list_documents(p)) for p in parts]


def find_page(project: Project, name: str) -> Page:
    """The page called `name`; raises ``ValueError`` that names the nearest ones otherwise."""
    pages = {page.name: page for page in list_pages(project)}
    stem = Path(name).stem if name.endswith((".py", ".ipynb")) else name
    if stem not in pages:
        raise ValueError(unknown("page", name, pages))
    return pages[stem]


# --------------------------------------------------------------------------------------- converting


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


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def write(path: Path, content: str | bytes) -> None:
    """Replace a file in one step, and only if its content changes."""
    content = content.encode() if isinstance(content, str) else content
    if not _holds(path, content):
        replace_file(path, content)


# ---------------------------------------------------------------------------------------- executing


def execute(
    page: Page,
    destination: Path,
    failed: Path,
    parameters: Mapping[str, Any] | None = None,
    *,
    progress: bool | None = None,
) -> float:
    """Execute a page with papermill into `destination`; return the seconds it took.

    The working folder is the folder of the page, as in JupyterLab. Until the page has run to its
    end `destination` is not touched; if a cell fails, the executed notebook with the error marked
    is left as `failed`. A bar shows the progress on a terminal unless `progress` is False.

    Raises
    ------
    PageError
        Saying page, cell and error.
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError

    destination, failed = destination.resolve(), failed.resolve()
    if page.source.is_relative_to(PACKAGE):
        # The page's folder is the installed package's, and nothing may be generated there.
        os.environ.setdefault(BUILD_FOLDER, str(find_project().build))
    start = time.perf_counter()
    destination.parent.mkdir(parents=True, exist_ok=True)
    with leaving_at_sigterm(), beside(destination) as running:
        try:
            with kernel_settings() as config:
                papermill.execute_notebook(
                    to_notebook(page),
                    # papermill formats its paths
                    str(running).replace("{", "{{").replace("}", "}}"),
                    parameters=dict(parameters or {}),
                    cwd=str(page.source.parent),
                    progress_bar=sys.stderr.isatty() if progress is None else progress,
                    config=config,
                    start_timeout=_SECONDS_TO_START,
                    # ipykernel warns of its own transport
                    extra_arguments=["--log-level=CRITICAL"],
                )
        except Exception as error:
            if isinstance(error, PapermillExecutionError):
                where, what = f", cell [{error.exec_count}]", f"{error.ename}: {error.evalue}"
            else:
                where, what = "", f"{type(error).__name__}: {error}"
            message = f"page {page.name}{where}: {what.strip().splitlines()[0]}"
            if _is_notebook(running):  # not what a full disk has cut
                failed.parent.mkdir(parents=True, exist_ok=True)
                os.replace(running, failed)
                message += f" (see {failed})"
            raise PageError(message) from error
        os.replace(running, destination)
    return time.perf_counter() - start


def _is_notebook(file: Path) -> bool:
    try:
        return bool(json.loads(file.read_text(encoding="utf-8"))["cells"])
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _holds_sockets(folder: Path) -> bool:
    longest = folder / "kernel-12345678" / "socket-5"  # the length of such a name
    return os.name == "posix" and len(os.fsencode(longest)) <= 103


def _place_for_sockets() -> Path:
    """The folder of temporary files, or ``/tmp`` where that is too deep for a socket."""
    usual, system = Path(tempfile.gettempdir()), Path("/tmp")
    if not _holds_sockets(usual) and _holds_sockets(system) and os.access(system, os.W_OK):
        return system
    return usual


@contextlib.contextmanager
def kernel_settings():
    """Settings under which one kernel talks through socket files of its own, where there are some.

    A kernel's ports are chosen before it opens them, and another process may take one in between.
    The names of socket files that Jupyter chooses by itself are the same for all kernels that are
    started in one folder.  The system bounds the path of a socket, by 103 characters or more; where
    temporary files are deeper, the socket files are in ``/tmp``.
    """
    from traitlets.config import Config

    with tempfile.TemporaryDirectory(prefix="kernel-", dir=_place_for_sockets()) as folder:
        own = {"transport": "ipc", "ip": str(Path(folder) / "socket")}
        if not _holds_sockets(Path(folder).parent):
            own = {}
        # Jupyter would leave this file elsewhere, if it is interrupted when it puts things away.
        own |= {"connection_file": str(Path(folder) / "connection.json")}
        own |= {"shutdown_wait_time": _SECONDS_TO_END}
        said = Path(folder) / "said"
        client = {"kernel_manager_class": _kernel_manager(said)}
        with said.open("w"), _no_kernel_left(folder):
            try:
                yield Config({"KernelManager": own, "NotebookClient": client})
            except Exception:
                sys.stderr.write(said.read_text(encoding="utf-8", errors="replace"))
                raise


def _kernel_manager(said: Path) -> type:
    """A manager whose kernel has a file for what it says aside, instead of the error stream here.

    What cells say is in the notebook.  A kernel that ends with an interrupted command may complain
    of sockets that are closed already, and only when something has failed does anybody want to
    hear of it.
    """
    from jupyter_client.manager import AsyncKernelManager

    class Manager(AsyncKernelManager):
        async def start_kernel(self, **options: Any) -> None:
            with said.open("ab") as file:
                await super().start_kernel(**{"stderr": file, **options})

    return Manager


@contextlib.contextmanager
def _no_kernel_left(folder: str):
    """End a kernel whose start was interrupted, before the folder of its files is put away.

    Such a kernel is nobody's to end.  Without its files it would say so, or write them anew.
    """
    import psutil

    try:
        yield
    finally:
        left, this = [], psutil.Process()
        for process in this.children():
            with contextlib.suppress(psutil.Error):
                words = process.cmdline()
                if any(folder in word for word in words) or words == this.cmdline():  # just forked
                    process.kill()
                    left.append(process)
        psutil.wait_procs(left, timeout=_SECONDS_TO_END)
