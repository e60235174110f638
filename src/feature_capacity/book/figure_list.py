"""The list of figures: what the executed pages show, in reading order, with thumbnails."""

import base64
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup, escape

from .html import fill
from .numbering import figure_numbers, paper_figure

_WIDTH, _QUALITY = 220, 55  # of thumbnails, which are part of the page that lists them
_MATH = re.compile(r"\$(.+?)\$")
_SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-Z])")
_BRIEF = 50  # characters of a first sentence that says enough
_PARTS = ("Left", "Top", "a:")  # a caption that goes on to the other parts


@dataclass(frozen=True)
class Picture:
    """What one cell of an executed page shows as a figure.

    Parameters
    ----------
    name
        Where links to it lead, as the page names it.
    caption
        What stands below it, with mathematics between dollar signs.
    alt
        What it shows, in words.
    png
        The PNG file.
    """

    name: str
    caption: str
    alt: str
    png: bytes

    @property
    def paper(self) -> int | None:
        """Which figure of the paper it reproduces, as its caption says; None for our own.

        >>> Picture("fig-a", "Two circles (the paper's Figure 6).", "", b"").paper
        6
        """
        return paper_figure(self.caption)

    @property
    def brief(self) -> str:
        """The caption's first sentence, and more where that is short.

        >>> caption = "Six. And all of the others that are beside them, too. More."
        >>> Picture("fig-a", caption, "", b"").brief
        'Six. And all of the others that are beside them, too.'
        """
        first, *more = _SENTENCE.split(self.caption)
        while more and (len(first) < _BRIEF or first.startswith(_PARTS)):
            first += f" {more.pop(0)}"
        return first

    def thumbnail(self) -> str:
        """A small version of the picture, as the address of an image."""
        from PIL import Image  # comes with matplotlib

        with Image.open(io.BytesIO(self.png)) as picture:
            small = picture.convert("RGB")
            small.thumbnail((_WIDTH, 2 * _WIDTH))
        target = io.BytesIO()
        small.save(target, "WEBP", quality=_QUALITY, method=6)
        return f"data:image/webp;base64,{base64.b64encode(target.getvalue()).decode()}"


@dataclass(frozen=True)
class Figure(Picture):
    """One figure of the book.

    Parameters
    ----------
    number
        Its number in the book: the paper's, marked by a P, or by page.
    page, title
        Name and title of the page that shows it.
    """

    number: str
    page: str
    title: str


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
    figures: list[Figure] = []
    for page, title, notebook in pages:
        pictures = list(read_pictures(notebook))
        numbers = figure_numbers(page, [picture.caption for picture in pictures])
        figures += [
            Figure(**vars(picture), number=number, page=page, title=title)
            for picture, number in zip(pictures, numbers, strict=True)
        ]
    return figures


def figures_html(figures: Iterable[Figure], root: str) -> str:
    """The figures as a table, those of each page together.

    Parameters
    ----------
    root
        Relative address of the top of the book.
    """
    return fill("figure_list", figures=figures, root=root, prose=_prose)


def paper_figures_html(figures: Iterable[Figure], root: str) -> str:
    """The figures of the paper by their number there; `root` as in `figures_html`."""
    return fill("figure_list.paper", figures=figures, root=root, prose=_prose)


def _prose(caption: str) -> Markup:
    r"""A caption as HTML, with its formulas left to MathJax.

    >>> print(_prose("at $k < 3$ & above"))
    at <span class="math notranslate nohighlight">\(k &lt; 3\)</span> &amp; above
    """
    formula = r'<span class="math notranslate nohighlight">\\(\1\\)</span>'
    return Markup(_MATH.sub(formula, str(escape(caption))))
