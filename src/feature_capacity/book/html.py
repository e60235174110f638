"""HTML from templates: ``MODULE.html.j2`` lies beside the module that fills it."""

from pathlib import Path
from typing import Any

import jinja2

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def fill(template: str, **values: Any) -> str:
    """A piece of HTML: a template with values in it, which are escaped.

    Parameters
    ----------
    template
        Named from this folder, without ending.
    **values
        What it asks for.

    Examples
    --------
    >>> print(fill("build.score", score="1 < 2", coverage="all").partition(">1")[2])
     &lt; 2</a> <a href="../book/equations.html">all</a></p>
    """
    return _TEMPLATES.get_template(f"{template}.html.j2").render(values)
