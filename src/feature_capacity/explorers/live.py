"""Explorers in a live notebook: widgets whose values are those of Python objects."""

from collections.abc import Mapping
from typing import Any

import anywidget
import traitlets


def live_widget(
    module: str, style: str, data: Mapping[str, Any], state: Mapping[str, Any]
) -> anywidget.AnyWidget:
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
    widget = anywidget.AnyWidget(_esm=module, _css=style)
    values = {"data": dict(data), **state}
    traits = {name: traitlets.Any(value).tag(sync=True) for name, value in values.items()}
    widget.add_traits(**traits)
    widget.send_state(list(values))
    return widget
