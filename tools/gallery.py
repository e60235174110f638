"""What the README shows of the built book: pictures, badges and the score.

python tools/gallery.py [--no-film]
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from badges import BLUE, GREEN, badge, badge_line, launch_addresses
from recording import film_explorer

from feature_capacity.book.build import Build
from feature_capacity.book.figure_list import read_pictures
from feature_capacity.book.pages import PageError, write
from feature_capacity.book.project import find_project

PICTURES = "tools/pictures"
"""Folder of the pictures, relative to the README."""

GALLERY = {
    "phase-diagrams": ("sec3_5_phase_diagrams", "fig-sec3-5-phase-diagrams"),
    "two-blocks": ("sec4_3_blocks", "fig-5"),
    "other-models": ("sec3_7_other_models", "fig-7"),
}
"""Picture name -> page and figure name."""


def figure_png(notebook: Path, figure: str) -> bytes:
    """The picture that an executed page shows for one of its figures.

    Raises ``ValueError`` if the page has no figure of that name, or no picture in it.
    """
    for picture in read_pictures(notebook):
        if picture.name == figure:
            return picture.png
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


def write_between_marks(readme: Path, name: str, content: str) -> None:
    """Replace what stands between the two marks of that name in the README.

    Raises ``ValueError`` if the marks are not there.
    """
    before, after = f"<!-- {name}: written by make gallery -->", f"<!-- end of {name} -->"
    text = readme.read_text(encoding="utf-8")
    place = re.compile(rf"({re.escape(before)}\n).*?({re.escape(after)})", re.DOTALL)
    if not place.search(text):
        raise ValueError(
            f"{readme.name} has no place for the {name}; add the lines {before} and {after}"
        )
    write(readme, place.sub(lambda marks: f"{marks[1]}{content}\n{marks[2]}", text))


def write_badges(folder: Path, config: Mapping[str, Any], python: str, score: str) -> str:
    """Write the badges of the README as pictures; return the lines that show them.

    Parameters
    ----------
    folder
        Where the pictures go.
    config
        The content of ``_config.yml``; launch badges are made if it names a repository.
    python
        Versions of Python that the project runs on.
    score
        How many statements of the paper hold, in a few words.
    """
    shown = {
        "claims": ("the paper", score, GREEN, "book/claims"),
        "python": ("python", python, BLUE, "pyproject.toml"),
        "license": ("license", "MIT", BLUE, "LICENSE"),
    }
    for server, address in launch_addresses(config, "notebooks/sec1_introduction.ipynb").items():
        shown[server.lower()] = ("open in", server, BLUE, address)
    for old in folder.glob("badge-*.svg"):
        old.unlink()
    for name, (label, value, color, _) in shown.items():
        write(folder / f"badge-{name}.svg", badge(label, value, color))
    lines = {name: (f"{label}: {value}", link) for name, (label, value, _, link) in shown.items()}
    return badge_line(lines, PICTURES)


def renew(*, film: bool) -> None:
    """Renew pictures, badges and score from the book built last."""
    project = find_project()
    build = Build(project)
    folder, table = project.root / PICTURES, build.claims()
    for path in write_gallery(build.stage / "notebooks", folder):
        print(f"wrote {path}")
    if film:
        film_explorer(build.html, folder / "explorer.gif")
        print(f"wrote {folder / 'explorer.gif'}")
    paper = table.group("paper")
    few_words = f"{paper.count('holds')} of {len(paper.rows)} statements hold"
    readme = project.root / "README.md"
    badges = write_badges(folder, project.configuration(), "3.11 or newer", few_words)
    write_between_marks(readme, "badges", badges)
    write_between_marks(readme, "score", f"**{table.score()} {table.coverage()}**")
    print(f"README.md: {table.score()}")


def main() -> None:
    """Read the command line; end in one sentence where something is missing."""
    parser = argparse.ArgumentParser(description=renew.__doc__)
    parser.add_argument("--no-film", action="store_true", help="do not film the explorer")
    options = parser.parse_args()
    try:
        renew(film=not options.no_film)
    except (ValueError, PageError) as error:
        parser.exit(2, f"error: {error}\n")


if __name__ == "__main__":
    main()
