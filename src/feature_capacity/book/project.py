"""Where the book is: a checkout of the project, or the copy that travels inside the wheel."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[1]
"""Folder of the installed package."""

BUILD_FOLDER = "FEATURE_CAPACITY_BUILD"
"""Environment variable that names the folder for everything generated."""


@dataclass(frozen=True)
class Project:
    """The files of one copy of the book.

    Parameters
    ----------
    root
        Folder that holds ``_toc.yml``, ``_config.yml``, ``book/`` and ``notebooks/``.
    build
        Folder that everything generated goes to.
    """

    root: Path
    build: Path

    @property
    def toc(self) -> Path:
        """Table of contents."""
        return self.root / "_toc.yml"

    def contents(self) -> dict[str, Any]:
        """What the table of contents says."""
        toc = _read(self.toc)
        if not isinstance(toc.get("root"), str):
            raise ValueError(f"{self.toc} must name the front page of the book, as root: FILE")
        parts = toc.get("parts", [])
        if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
            raise ValueError(f"{self.toc} must have a list of mappings as parts")
        return toc

    def configuration(self) -> dict[str, Any]:
        """What the configuration says."""
        return _read(self.config)

    @property
    def config(self) -> Path:
        """Configuration of the book."""
        return self.root / "_config.yml"

    @property
    def book(self) -> Path:
        """Prose pages, references and claims."""
        return self.root / "book"

    @property
    def notebooks(self) -> Path:
        """The executable pages."""
        return self.root / "notebooks"

    @property
    def claims(self) -> Path:
        """What is claimed: a file for each page that checks claims."""
        return self.book / "claims"

    @property
    def constraints(self) -> Path:
        """Exact versions of the published results; absent from the copy inside the wheel."""
        return self.root / "constraints.txt"


def _read(file: Path) -> dict[str, Any]:
    from .._documents import read_document  # takes an extra; finding a project works without

    content = read_document(file, "file of the book")
    if not isinstance(content, dict):
        raise ValueError(f"{file} holds no mapping of setting: value")
    return content


def find_project(start: Path | str | None = None) -> Project:
    """Find the book that a command run in the folder `start` is about.

    The first of these that holds the book: `start` (default: the working folder) and the folders
    above it; the checkout that this package is installed from; the copy inside the wheel. What is
    generated goes to the folder that the environment variable ``FEATURE_CAPACITY_BUILD`` names;
    without it to ``_build``, beside a checkout, and below `start` for the copy inside the wheel,
    which may be read-only.

    Raises
    ------
    FileNotFoundError
        If none of them holds the book.
    """
    start = Path.cwd() if start is None else Path(start).resolve()
    packaged = PACKAGE / "_book"
    for folder in (start, *start.parents, PACKAGE.parents[1], packaged):
        if (folder / "_toc.yml").is_file() and (folder / "book" / "claims").is_dir():
            beside = start if folder == packaged else folder
            build = Path(os.environ.get(BUILD_FOLDER) or beside / "_build")
            return Project(folder, build.absolute())
    raise FileNotFoundError(
        f"no copy of the book at or above {start}; change into a checkout of the project"
    )


@contextmanager
def generating_here() -> Iterator[Project]:
    """The book of :func:`find_project`; away from it, what is generated goes below this folder.

    A checkout that the package happens to be installed from is left as it is. What pages generate
    goes there too: for the while, the environment variable says so to their processes.
    """
    project, here = find_project(), Path.cwd()
    if os.environ.get(BUILD_FOLDER) or here.is_relative_to(project.root):
        yield project
        return
    os.environ[BUILD_FOLDER] = str(here / "_build")
    try:
        yield find_project()
    finally:
        del os.environ[BUILD_FOLDER]
