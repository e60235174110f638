"""Pieces that figures of many pages are put together from: panels, ticks, legends, dots, notes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axis import Axis
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.legend import Legend

from .._style import panel_letters

HALVES = (0, 0.5, 1), ("0", "½", "1")
"""Ticks of an axis from 0 to 1, and their labels; for ``ax.set_xticks``."""

Map = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Importances, probabilities, and one value for each cell, (len(p), len(V))."""

# Arrays, pairs and triples of them, by the name or number that they are drawn under.
K = TypeVar("K")
Arrays = Mapping[K, np.ndarray]
Pairs = Mapping[K, tuple[np.ndarray, np.ndarray]]
Triples = Mapping[K, tuple[np.ndarray, np.ndarray, np.ndarray]]

POINTER = {"arrowstyle": "-", "color": "#6b7280", "lw": 0.8}
"""A thin line from a note to what it is about; for ``arrowprops``."""


def small_multiples(
    n: int, n_columns: int, width: float, row_height: float, margin: float = 0.0, **options: Any
) -> tuple[plt.Figure, np.ndarray]:
    """Panels for n things, row after row; those that are left over stay invisible.

    Parameters
    ----------
    n, n_columns : int
    width, row_height, margin : float
        Inches; the margin is added to the height of all rows together.
    **options
        Of ``plt.subplots``.

    Returns
    -------
    Figure, array of Axes (n_rows, n_columns)
    """
    n_rows = -(-n // n_columns)
    size = (width, margin + row_height * n_rows)
    fig, axes = plt.subplots(n_rows, n_columns, figsize=size, squeeze=False, **options)
    plt.setp(axes.flat[n:], visible=False)
    return fig, axes


def lettered(n_rows: int, n_columns: int, **options: Any) -> tuple[plt.Figure, np.ndarray]:
    """Panels with a letter each; options are those of ``plt.subplots``."""
    fig, axes = plt.subplots(n_rows, n_columns, **options)
    panel_letters(axes.flat)
    return fig, axes


def titled(
    axes: np.ndarray, panels: Mapping[Any, Any], **style: Any
) -> Iterator[tuple[plt.Axes, Any]]:
    """Each panel that has something to show, under its head, with what it is."""
    for ax, (head, content) in zip(axes.flat[: len(panels)], panels.items(), strict=True):
        ax.set_title(head, **style)
        yield ax, content


def shaded(curves: Mapping[Any, Any], palette: str = "flare") -> list[tuple[Any, Any, Any]]:
    """Name, curve and color of each, from pale to dark; none is the color of another map."""
    colors = sns.color_palette(palette, len(curves))
    return [(*item, color) for item, color in zip(curves.items(), colors, strict=True)]


def bare(ax: plt.Axes, **settings: Any) -> None:
    """Take ticks and frame away; settings are those of ``ax.set``."""
    ax.set(xticks=[], yticks=[], **settings)
    ax.spines[:].set_visible(False)


def plain_ticks(axis: Axis, ticks: Sequence[float], minor: bool = False) -> None:
    """Plain numbers at these places, which widen an axis that lacks them; minor ticks have none."""
    axis.set_ticks(list(ticks))
    axis.set_major_formatter("{x:g}")
    if minor:
        axis.set_minor_formatter(plt.NullFormatter())
    else:
        axis.set_minor_locator(plt.NullLocator())


def outer_labels(axes: np.ndarray, x: str, y: str) -> None:
    """Label the lowest panels below and the leftmost ones at the left."""
    plt.setp(axes[-1], xlabel=x)
    plt.setp(axes[:, 0], ylabel=y)


def dot(ax: plt.Axes, x: Any, y: Any, color: Any, size: float, **style: Any) -> None:
    """Dots that stand out: with a rim, above the lines, whole also at the edge of the panel."""
    look = {"mfc": color, "mec": "white", "mew": 1.5, "clip_on": False, "zorder": 5}
    ax.plot(x, y, "o", ms=size, **{**look, **style})


def note(
    ax: plt.Axes, text: str, at: tuple[float, float], shift: tuple[float, float], **style: Any
) -> None:
    """Write a text beside a point of the data, shifted by points of the page."""
    ax.annotate(text, at, xytext=shift, textcoords="offset points", **style)


def centered(ax: plt.Axes, x: float, y: float, text: str, **style: Any) -> None:
    """Write a text around a point of the data."""
    ax.text(x, y, text, ha="center", va="center", **style)


def legend_above(ax: plt.Axes, **style: Any) -> Legend:
    """Put the legend above the panel, where it covers nothing."""
    return ax.legend(**{"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), **style})


def color_bar(image: ScalarMappable, axes: Any, label: str = "", **style: Any) -> Colorbar:
    """A color bar without frame, beside or below the panels that share it."""
    bar = image.figure.colorbar(image, ax=axes, label=label, **style)
    bar.outline.set_visible(False)
    return bar
