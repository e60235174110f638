"""The list of figures: what the executed pages show, in reading order, with thumbnails."""

from __future__ import annotations

import base64
import html
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

_WIDTH, _QUALITY = 220, 55  # of thumbnails, which are part of the page that lists them
_PAPER = re.compile(r"paper's Figure (\d)|Figure (\d) of the paper")
_MATH = re.compile(r"\$(.+?)\$")


@dataclass(frozen=True)
class Figure:
    """One figure of the book.

    Parameters
    ----------
    number
        Its number in the book, which counts through all pages.
    page, title
        Name and title of the page that shows it.
    name
        Where links to it lead, as the page names it.
    caption
        What stands below it, with mathematics between dollar signs.
    picture
        The PNG file.
    """

    number: int
    page: str
    title: str
    name: str
    caption: str
    picture: bytes

    @property
    def paper(self) -> int | None:
        """Which figure of the paper it reproduces, as its caption says; None for our own.

        >>> Figure(3, "sec2", "Capacity", "fig-a", "Two circles (the paper's Figure 6).", b"").paper
        6
        """
        match = _PAPER.search(self.caption)
        return int(next(filter(None, match.groups()))) if match else None

    def thumbnail(self) -> str:
        """A small version of the picture, as the address of an image."""
        from PIL import Image  # comes with matplotlib

        with Image.open(io.BytesIO(self.picture)) as picture:
            small = picture.convert("RGB")
            small.thumbnail((_WIDTH, 2 * _WIDTH))
        target = io.BytesIO()
        small.save(target, "WEBP", quality=_QUALITY, method=6)
        return f"data:image/webp;base64,{base64.b64encode(target.getvalue()).decode()}"


@dataclass(frozen=True)
class Picture:
    """What one cell of an executed page shows as a figure.

    Parameters
    ----------
    name, caption, alt
        As the metadata of the cell has them; `alt` is for who cannot see it.
    png
        The PNG file.
    """

    name: str
    caption: str
    alt: str
    png: bytes


def read_pictures(notebook: Path) -> Iterator[Picture]:
    """The named figures of an executed page that have a picture, in their order."""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        metadata = cell["metadata"].get("mystnb", {})
        figure = metadata.get("figure")
        for output in cell.get("outputs", ()) if figure else ():
            if png := output.get("data", {}).get("image/png"):
                alt = metadata.get("image", {}).get("alt", "")
                content = base64.b64decode("".join(png))
                yield Picture(figure["name"], figure.get("caption", ""), alt, content)
                break


def read_figures(pages: Iterable[tuple[str, str, Path]]) -> list[Figure]:
    """Every figure of the executed pages, numbered in reading order.

    Parameters
    ----------
    pages
        Name, title and executed notebook of each page, in the order of the table of contents.
    """
    found = [
        (page, title, picture)
        for page, title, notebook in pages
        for picture in read_pictures(notebook)
    ]
    return [
        Figure(number, page, title, picture.name, picture.caption, picture.png)
        for number, (page, title, picture) in enumerate(found, start=1)
    ]


def figures_html(figures: Iterable[Figure], root: str) -> str:
    """The figures as a table, those of each page together.

    Parameters
    ----------
    root
        Relative address of the top of the book.
    """
    lines = [
        '<table class="figures"><thead><tr><th>Figure</th><th>In small</th><th>What it shows</th>'
        "</tr></thead><tbody>"
    ]
    for page, group in groupby(figures, key=lambda figure: (figure.page, figure.title)):
        address = f"{root}notebooks/{page[0]}.html"
        lines.append(
            f'<tr class="figures-page"><th colspan="3" scope="rowgroup">'
            f'<a href="{address}">{html.escape(page[1])}</a></th></tr>'
        )
        for figure in group:
            lines.append(
                f'<tr><td><a href="{address}#{figure.name}">Fig. {figure.number}</a></td>'
                f'<td><img class="thumbnail" alt="" src="{figure.thumbnail()}"></td>'
                f"<td>{_prose(figure.caption)}</td></tr>"
            )
    return "\n".join([*lines, "</tbody></table>"])


def paper_figures_html(figures: Iterable[Figure], root: str) -> str:
    """The figures of the paper by their number there; `root` as in `figures_html`."""
    found = sorted(
        (f for f in figures if f.paper), key=lambda figure: (figure.paper, figure.number)
    )
    lines = [
        '<table class="figures"><thead><tr><th>In the paper</th><th>Here</th>'
        "<th>What it shows</th></tr></thead><tbody>"
    ]
    for figure in found:
        address = f"{root}notebooks/{figure.page}.html"
        lines.append(
            f'<tr data-paper="{figure.paper}"><td>Figure {figure.paper}</td>'
            f'<td><a href="{address}#{figure.name}">Fig. {figure.number}</a> '
            f"in {html.escape(figure.title)}</td>"
            f"<td>{_prose(figure.caption)}</td></tr>"
        )
    return "\n".join([*lines, "</tbody></table>"])


def _prose(caption: str) -> str:
    r"""A caption as HTML, with its formulas left to MathJax.

    >>> _prose("at $k < 3$ & above")
    'at <span class="math notranslate nohighlight">\\(k &lt; 3\\)</span> &amp; above'
    """
    formula = r'<span class="math notranslate nohighlight">\\(\1\\)</span>'
    return _MATH.sub(formula, html.escape(caption, quote=False))
