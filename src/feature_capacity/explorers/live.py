"""Explorers in a live notebook: widgets whose values are those of Python objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anywidget import AnyWidget


def live_widget(
    module: str, style: str, data: Mapping[str, Any], state: Mapping[str, Any]
) -> AnyWidget:
    """A widget drawn by an ES module, with an attribute for each value that a reader changes.

    Parameters
    ----------
    module : str
        Source of an ES module whose default export has ``render({ model, el })``.
    style : str
        Its style sheet.
    data : mapping
        What stays as it is; the widget's attribute ``data``.
    state : mapping
        What changes, by name.

    Notes
    -----
    Lists and mappings are changed by assigning new ones: the widget does not hear of what is
    changed inside them.
    """
    import anywidget
    import traitlets

    values = {"data": dict(data), **state}
    traits = {name: traitlets.Any(value).tag(sync=True) for name, value in values.items()}
    own = {"_esm": module, "_css": style, "__doc__": live_widget.__doc__}
    return type("LiveExplorer", (anywidget.AnyWidget,), own | traits)()
