"""An explorer: an ES module, what it starts from, and the two places where it runs.

In a page it is one self-contained piece of HTML: script, style and data travel in the output of the
cell, so that it works in the built book, opened from a disk and in an exported notebook alike;
nothing is fetched, no kernel runs.  In a live notebook :meth:`Explorer.widget` shows the same
module, and its values are those of a Python object.
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from .._lazy import need

if TYPE_CHECKING:
    from anywidget import AnyWidget

_HERE = Path(__file__).resolve().parent
_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./(\w+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async )?(?:function|const|class) (\w+)", re.MULTILINE)
_WITHOUT_SCRIPTS = (
    "This is one setting. With scripts on, the page has this figure to be changed by hand."
)


@dataclass(frozen=True)
class Explorer:
    """What a notebook shows as an interactive figure.

    Attributes
    ----------
    kind : str
        Name of the module that draws it: ``capacity`` is ``capacity.js``.
    title : str
        Heading, as text.
    data : mapping
        What stays as it is, such as maps, limits and colors; must be what JSON can hold.
    state : mapping
        What a reader changes, by name; must be what JSON can hold.
    still : Figure
        What a reader without scripts sees, and what is printed.
    alt : str
        The same in words.
    """

    kind: str
    title: str
    data: Mapping[str, Any]
    state: Mapping[str, Any]
    still: Figure
    alt: str

    @property
    def identifier(self) -> str:
        """Its id on a page; links to a setting begin with it."""
        return f"{self.kind}-explorer" if self.kind != "phases" else "phase-explorer"

    @property
    def html(self) -> str:
        """The whole explorer; its still picture stands in where scripts are off, and on paper."""
        values = {"data": self.data, **self.state}
        # "</" would end the element, whatever it stands in.
        content = json.dumps(values, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
        return (
            f'<section class="explorer" id="{escape(self.identifier)}" '
            f'data-explorer="{escape(self.kind)}" aria-label="{escape(self.title)}">\n'
            f"<style>{_asset('explorers.css')}</style>\n"
            f'<p class="explorer-title">{escape(self.title)}</p>\n'
            f'<div class="explorer-instead"><img class="explorer-still" '
            f'src="{_address(self.still)}" alt="{escape(self.alt)}">'
            f"<p>{_WITHOUT_SCRIPTS}</p></div>\n"
            f'<script type="application/json">{content}</script>\n'
            f'<script type="module">\n{page_script(self.kind)}</script>\n'
            "</section>"
        )

    def widget(self) -> AnyWidget:
        """The same in a live notebook, as a widget whose values follow the reader's hand.

        Every entry of ``state`` is an attribute of the widget.  Moving a slider changes it, a
        change of it moves the slider, and ``observe`` calls back.  Takes the extra ``widgets``.

        Raises
        ------
        ModuleNotFoundError
            Where anywidget is not installed; the message has the line to type.
        """
        need("widgets", "a live explorer")
        from .live import live_widget

        return live_widget(module(self.kind), _asset("explorers.css"), self.data, self.state)

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return "Explorer: open the page in a browser to use it"


def _address(figure: Figure) -> str:
    """The picture itself as an address, small enough to travel with a page."""
    webp = io.BytesIO()
    figure.savefig(webp, format="webp", dpi=150, pil_kwargs={"quality": 80})
    return f"data:image/webp;base64,{base64.b64encode(webp.getvalue()).decode('ascii')}"


@cache
def module(kind: str) -> str:
    """One kind of explorer as a single ES module, with all that it imports put before it.

    A page opened from a disk may not load one file from another, and a widget is sent as one text;
    both get this one.  Its default export has ``render({ model, el })``.

    >>> module("capacity").rstrip().endswith("export default explorer;")
    True
    >>> "import {" in module("capacity")
    False
    """
    name = f"{kind}.js"
    before = [_enclosed(needed) for needed in _needed(name) if needed != name]
    return "\n".join([*before, _unbound(name)])


@cache
def page_script(kind: str) -> str:
    """The same module, followed by what starts it in a page without a kernel."""
    already = _needed(f"{kind}.js")
    more = [_enclosed(needed) for needed in _needed("page.js") if needed not in already]
    return "\n".join([module(kind), *more, f"{_space('page.js')}.mount(explorer);\n"])


def _enclosed(name: str) -> str:
    """A module as an object of what it exports, so that its other names are its own."""
    exported = ", ".join(_EXPORT.findall(_asset(name)))
    return f"const {_space(name)} = (() => {{\n{_unbound(name)}\nreturn {{ {exported} }};\n}})();\n"


def _unbound(name: str) -> str:
    """The text of a module that finds what it imports in such objects."""
    text = _IMPORT.sub(lambda found: f"const {found[1]} = {_space(found[2])};\n", _asset(name))
    return _EXPORT.sub(lambda found: found[0].removeprefix("export "), text)


def _space(name: str) -> str:
    return f"{name.removesuffix('.js')}_js"


def _needed(name: str) -> list[str]:
    """A module and the modules that it imports, these first."""
    found: dict[str, None] = {}
    for _, other in _IMPORT.findall(_asset(name)):
        found.update(dict.fromkeys(_needed(other)))
    return [*found, *([] if name in found else [name])]


@cache
def _asset(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
