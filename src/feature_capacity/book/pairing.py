"""Source and notebook of a page in step, and nothing that somebody wrote lost on the way.

``notebooks/NAME.py`` is what is executed.  A derived ``NAME.ipynb`` carries a fingerprint of its
cells, so that one that was edited since, in VS Code or Colab for example, is noticed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .pages import Page, PageError, to_notebook, write
from .project import Project

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

EDITS = ("refuse", "take", "keep")
"""What can be done about an edited notebook."""

ASIDE = ".edited.ipynb"
"""Ending of a notebook whose edits were set aside."""

_FINGERPRINT = "feature_capacity"  # in the metadata of a derived notebook
# What editors note about a cell for themselves.
_OF_EDITORS = (
    *("ExecuteTime", "_cell_guid", "_uuid", "colab", "collapsed", "execution", "id", "jupyter"),
    *("lines_to_next_cell", "outputId", "papermill", "pycharm", "scrolled", "trusted", "vscode"),
)
_FRONT = re.compile(r"\A# ---\n(?:#.*\n)*?# ---\n")
_CELL_HEAD = re.compile(r"^# %% .*$", re.MULTILINE)
_ESCAPED = re.compile(r"(?:\\u[0-9a-f]{4})+")


@dataclass(frozen=True)
class Edited:
    """A notebook whose cells are neither those it was derived with nor those of its source.

    Attributes
    ----------
    page : Page
    cells : list of mapping
        What is in it.
    source_too : bool
        Whether the source was changed as well since it was derived, or nobody can tell.
    """

    page: Page
    cells: list[Mapping[str, Any]]
    source_too: bool


def find_edited(pages: Iterable[Page]) -> list[Edited]:
    """The pages whose notebook holds edits that their source does not have.

    Outputs, execution counts and what editors note about cells are no edits.

    Raises
    ------
    PageError
        For a file that is no notebook.
    """
    found = []
    for page in pages:
        content = _read(page.notebook)
        if content is None:
            continue
        now, derived = fingerprint(content["cells"]), _derived(content)
        if now == derived:
            continue
        source = fingerprint(to_notebook(page).cells)
        if now != source:
            found.append(Edited(page, content["cells"], source_too=derived != source))
    return found


def refuse_edited(pages: Iterable[Page]) -> None:
    """Raise ``PageError``, saying what can be done, where a notebook holds edits of its own."""
    if edited := find_edited(pages):
        names = ", ".join(one.page.notebook.name for one in edited)
        page = edited[0].page
        what = "was edited, and what" if len(edited) == 1 else "were edited, and what"
        raise PageError(
            f"{names} {what} is executed is {page.source.name}; "
            "`feature-capacity pair --edits take` writes the edits into the source, "
            f"`--edits keep` sets them aside as {page.name}{ASIDE}"
        )


def pair(project: Project, *, check: bool = False, edits: str = "refuse") -> list[str]:
    """Write the notebook of each page whose notebook is not in step; return what was not.

    JupyterLab writes versions and filters into the header of a source that is saved there, and
    captions in ASCII; the header is brought back to `HEADER`, and captions to what they say.
    A derived notebook whose source is gone is removed; any other without a source stays.

    Parameters
    ----------
    check
        Only report, write nothing.
    edits
        For notebooks that were edited: ``refuse``; ``take`` the edits into the source; ``keep``
        them in a file beside it.

    Raises
    ------
    PageError
        For an edited notebook, where edits are refused, or where the source was changed as well.
    """
    pages = [Page(source) for source in sorted(project.notebooks.glob("*.py"))]
    settled = [] if check else _settle(pages, edits)
    expected = {}
    for page in pages:
        text = page.source.read_text(encoding="utf-8")
        expected[page.source] = _in_our_form(text)
        expected[page.notebook] = _derive(page)
    stale = [path for path, text in expected.items() if not _holds(path, text.encode())]
    orphans = [path for path in loose_notebooks(project) if _is_derived(path)]
    if not check:
        for path in stale:
            write(path, expected[path])
        for path in orphans:
            path.unlink()
    return settled + [path.name for path in stale + orphans]


def loose_notebooks(project: Project) -> list[Path]:
    """The notebooks beside the pages that have no source."""
    notebooks = sorted(project.notebooks.glob("*.ipynb"))
    return [path for path in notebooks if not path.with_suffix(".py").is_file()]


def _settle(pages: list[Page], edits: str) -> list[str]:
    """Do with edited notebooks what was asked; the names of the files that were written."""
    if edits == "refuse":
        refuse_edited(pages)
        return []
    written = []
    for one in find_edited(pages):
        page = one.page
        if edits == "keep":
            aside = _free(page.notebook.with_name(f"{page.name}{ASIDE}"))
            os.replace(page.notebook, aside)
            written.append(aside.name)
        elif one.source_too:
            raise PageError(
                f"{page.notebook.name} and {page.source.name} were both changed since one was "
                "derived from the other; `--edits keep` sets the notebook aside, to compare them"
            )
        else:
            write(page.source, _as_source(one.cells))
            written.append(page.source.name)
    return written


def _as_source(cells: list[Mapping[str, Any]]) -> str:
    import jupytext
    from nbformat import from_dict, v4

    own = []
    for cell in cells:
        kind, text, settings = meant(cell)
        own.append({"cell_type": kind, "source": text, "metadata": settings})
        if kind == "code":
            own[-1] |= {"outputs": [], "execution_count": None}
    notebook = v4.new_notebook(cells=[from_dict(cell) for cell in own])
    return _in_our_form(HEADER + _FRONT.sub("", jupytext.writes(notebook, fmt="py:percent")))


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _free(path: Path) -> Path:
    """The path, or the first of ``NAME-2.edited.ipynb``, … that nothing has."""
    stem = path.name.removesuffix(ASIDE)
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{stem}-{number}{ASIDE}")
    return free


def meant(cell: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]]:
    r"""Kind, text and settings of a cell: what its author means, without outputs and notes.

    >>> meant({"cell_type": "code", "source": ["1\n", "2"], "outputs": [3], "metadata": {"id": 4}})
    ('code', '1\n2', {})
    """
    text = cell["source"]
    text = text if isinstance(text, str) else "".join(text)
    settings = {k: v for k, v in cell["metadata"].items() if k not in _OF_EDITORS}
    return cell["cell_type"], text, settings


def fingerprint(cells: Iterable[Mapping[str, Any]]) -> str:
    """A hash of what the author of the cells means."""
    text = json.dumps([meant(cell) for cell in cells], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _derive(page: Page) -> str:
    import nbformat

    notebook = to_notebook(page)
    notebook.metadata[_FINGERPRINT] = {"derived": fingerprint(notebook.cells)}
    return nbformat.writes(notebook) + "\n"


def _in_our_form(text: str) -> str:
    return HEADER + _CELL_HEAD.sub(_in_plain_letters, _FRONT.sub("", text))


def _in_plain_letters(head: re.Match[str]) -> str:
    def letters(escaped: re.Match[str]) -> str:
        text = json.loads(f'"{escaped[0]}"')
        return text if text.isprintable() else escaped[0]

    return _ESCAPED.sub(letters, head[0])


def _read(notebook: Path) -> dict[str, Any] | None:
    """The notebook; None if there is none."""
    if not notebook.is_file():
        return None
    try:
        content = json.loads(notebook.read_text(encoding="utf-8"))
        fingerprint(content["cells"])
        return content
    except (ValueError, LookupError, TypeError, AttributeError):
        raise PageError(
            f"{notebook} is not a notebook; delete it, and `feature-capacity pair` makes it anew"
        ) from None


def _derived(content: Mapping[str, Any]) -> str | None:
    """The fingerprint that the notebook was derived with."""
    own = content.get("metadata", {}).get(_FINGERPRINT)
    return own.get("derived") if isinstance(own, dict) else None


def _is_derived(notebook: Path) -> bool:
    """Whether a notebook has the very cells it was derived with."""
    try:
        content = _read(notebook) or {}
    except PageError:
        return False
    return bool(content) and _derived(content) == fingerprint(content["cells"])
