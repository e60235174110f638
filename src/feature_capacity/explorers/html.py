"""An explorer as one self-contained piece of HTML.

Script, style and data travel in the output of the cell, so that it works in the built book, opened
from a disk, in JupyterLab and in an exported notebook alike: nothing is fetched, no kernel runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Explorer:
    """What a notebook shows as an interactive figure.

    Attributes
    ----------
    html : str
        The whole explorer, which shows a sentence instead where scripts are off.
    """

    html: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return "Explorer: open the page in a browser to use it"


def embed(kind: str, identifier: str, title: str, still: str, data: Mapping[str, Any]) -> Explorer:
    """Put the scripts of one kind of explorer and its data together.

    Parameters
    ----------
    kind : {"capacity", "phases", "geometry"}
        Which script drives it.
    identifier : str
        Its id on the page; links to a setting begin with it.
    title : str
        Heading, as text.
    still : str
        What a reader without scripts sees: where the still picture is, as text.
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
        f"<noscript><p>{escape(still)}</p></noscript>\n"
        f'<script type="application/json">{content}</script>\n'
        f'<script type="module">\n{script(kind)}</script>\n'
        "</section>"
    )


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
