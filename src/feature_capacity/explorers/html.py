"""An explorer as one self-contained piece of HTML.

Script, style and data travel in the output of the cell, so that it works in the built book, opened
from a disk, in JupyterLab and in an exported notebook alike: nothing is fetched, no kernel runs.
"""

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

_HERE = Path(__file__).resolve().parent

_WITHOUT_SCRIPTS = "This is one setting. With scripts on, this figure can be changed by hand."


@dataclass(frozen=True)
class Explorer:
    """What a notebook shows as an interactive figure.

    Attributes
    ----------
    html : str
        The whole explorer, which shows a still picture instead where scripts are off.
    """

    html: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return "Explorer: open the page in a browser to use it"


def embed(
    kind: str, identifier: str, title: str, still: Figure, alt: str, data: Mapping[str, Any]
) -> Explorer:
    """Put the scripts of one kind of explorer and its data together.

    Parameters
    ----------
    kind : {"capacity", "phases", "geometry"}
        Which script drives it.
    identifier : str
        Its id on the page; links to a setting begin with it.
    title : str
        Heading, as text.
    still : Figure
        What a reader without scripts sees.
    alt : str
        The same in words.
    data : mapping
        What the script starts from; must be what JSON can hold.
    """
    # "</" would end the element, whatever it stands in.
    content = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    return Explorer(
        f'<section class="explorer" id="{escape(identifier)}" data-explorer="{escape(kind)}" '
        f'aria-label="{escape(title)}">\n'
        f"<style>{_asset('explorers.css')}</style>\n"
        f'<p class="explorer-title">{escape(title)}</p>\n'
        f'<noscript><img class="explorer-still" src="{_address(still)}" alt="{escape(alt)}">'
        f"<p>{_WITHOUT_SCRIPTS}</p></noscript>\n"
        f'<script type="application/json">{content}</script>\n'
        f'<script type="module">\n{script(kind)}</script>\n'
        "</section>"
    )


def _address(figure: Figure) -> str:
    """The picture itself as an address, small enough to travel with a page."""
    webp = io.BytesIO()
    figure.savefig(webp, format="webp", dpi=150, pil_kwargs={"quality": 80})
    return f"data:image/webp;base64,{base64.b64encode(webp.getvalue()).decode('ascii')}"


@cache
def script(kind: str) -> str:
    """The whole script of one kind of explorer, the closed forms first.

    >>> "function solveAllocation" in script("capacity")
    True
    """
    return "\n".join(_asset(name) for name in ("theory.js", "ui.js", f"{kind}.js"))


@cache
def _asset(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
