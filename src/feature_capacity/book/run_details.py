"""How a page was run: its settings and its time, as a folded box for the end of the page."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from .html import fill
from .parameters import ParameterCell


def about(seconds: float) -> str:
    """A time as one would say it; the same for two runs of a page that take about as long.

    >>> about(0.4), about(13.2), about(86)
    ('about 1 second', 'about 15 seconds', 'about 1.5 minutes')
    >>> about(570), about(5000)
    ('about 10 minutes', 'about 1.5 hours')
    """
    for least, unit, step in ((3600, "hour", 0.5), (240, "minute", 1), (57.5, "minute", 0.5)):
        if seconds >= least:
            size = 3600 if unit == "hour" else 60
            return _count(max(step, round(seconds / size / step) * step), unit)
    return _count(max(1, round(seconds)) if seconds < 7.5 else 5 * round(seconds / 5), "second")


def _count(number: float, unit: str) -> str:
    return f"about {number:g} {unit}{'' if number == 1 else 's'}"


def run_details_html(
    page: str, cell: ParameterCell, settings: Mapping[str, Any], seconds: float | None
) -> str:
    """The box.

    Parameters
    ----------
    page
        Name of the page.
    cell
        What can be set.
    settings
        What this build set; the other parameters had their defaults.
    seconds
        How long the page took; None if it is not known.
    """
    took = "" if seconds is None else f" in {about(seconds)}"
    used = {**cell.defaults, **settings}
    first = next((f" -p {name} {_typed(value)}" for name, value in used.items()), "")
    return fill(
        "run_details",
        took=took,
        parameters=cell.parameters.values(),
        shown={name: repr(value) for name, value in used.items()},
        line=f"feature-capacity run {page}{first} -o {page}.ipynb",
    )


def _typed(value: Any) -> str:
    """A value as one types it in a shell.

    >>> _typed(0.5), _typed("auto"), _typed("a b")
    ('0.5', 'auto', "'a b'")
    """
    return shlex.quote(str(value))
