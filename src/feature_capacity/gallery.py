"""What the README shows of the built book: pictures and the score."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

from feature_capacity.pages import write

GALLERY = {
    "phase-diagrams": ("sec3_5_phase_diagrams", "fig-sec3-5-phase-diagrams"),
    "two-blocks": ("sec4_geometry", "fig-5"),
    "other-models": ("sec3_7_other_models", "fig-7"),
}
"""Picture name -> page and figure name."""


def figure_png(notebook: Path, figure: str) -> bytes:
    """The picture that an executed page shows for one of its figures.

    Raises ``ValueError`` if the page has no figure of that name, or no picture in it.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    named = [
        c for c in cells if c["metadata"].get("mystnb", {}).get("figure", {}).get("name") == figure
    ]
    for cell in named:
        for output in cell["outputs"]:
            if "image/png" in output.get("data", {}):
                return base64.b64decode("".join(output["data"]["image/png"]))
    raise ValueError(f"{notebook.name} shows no picture for a figure named {figure!r}")


def write_gallery(executed: Path, folder: Path) -> list[Path]:
    """Write every picture of ``GALLERY`` from the executed pages; return the files.

    Parameters
    ----------
    executed
        Folder of executed notebooks, as a build leaves them.
    folder
        Where the pictures go.
    """
    pictures = {}
    for name, (page, figure) in GALLERY.items():
        notebook = executed / f"{page}.ipynb"
        if not notebook.is_file():
            raise ValueError(f"{notebook} does not exist; build the book first (make book)")
        pictures[folder / f"{name}.png"] = figure_png(notebook, figure)
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in pictures.items():
        path.write_bytes(content)
    return list(pictures)


_BEFORE, _AFTER = "<!-- score: written by make gallery -->", "<!-- end of score -->"
_SCORE = re.compile(rf"({_BEFORE}\n).*?({_AFTER})", re.DOTALL)


def write_score(readme: Path, sentences: str) -> None:
    """Put the score between its two marks in the README.

    Raises ``ValueError`` if the marks are not there.
    """
    text = readme.read_text(encoding="utf-8")
    if not _SCORE.search(text):
        raise ValueError(
            f"{readme.name} has no place for the score; add the lines {_BEFORE} and {_AFTER}"
        )
    write(readme, _SCORE.sub(lambda marks: f"{marks[1]}**{sentences}**\n{marks[2]}", text))
