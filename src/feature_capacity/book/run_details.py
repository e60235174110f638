"""How a page was run: its settings and its time, as a folded box for the end of the page."""

import math
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
    steps = (
        (3600, "hour", 3600, 0.5),
        (240, "minute", 60, 1),
        (57.5, "minute", 60, 0.5),
        (7.5, "second", 1, 5),
        (-math.inf, "second", 1, 1),
    )
    unit, size, step = next(scale for least, *scale in steps if seconds >= least)
    number = max(step, round(seconds / size / step) * step)
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
