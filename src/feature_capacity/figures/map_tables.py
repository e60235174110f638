"""Tables of maps of capacity: one row for each model, one column for each nonlinearity."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .maps import CAPACITY_LOOK, CHANCE, CONTOUR_LEVELS, VARIED, capacity_bar, cells, square_frame
from .panels import Map, small_multiples

PLATEAU_LEVELS = tuple(sorted({*CONTOUR_LEVELS, 0.47, 0.53} - {0.5}))
"""Contours of Figure 7: 0.47 and 0.53 in place of 0.5."""

_FEW_LABELS = (0.001, 0.01, 0.1, 1, 10, 100, 1000)


def map_cells(ax: Axes, picture: Map, **style: Any) -> QuadMesh:
    """A map in a square frame, with few numbers, so that they keep apart in a table."""
    image = cells(ax, *picture, **style)
    low, high = ax.get_xlim()
    inside = [t for t in _FEW_LABELS if low <= t <= high]
    if len(inside) > 4:
        inside = inside[1:-1:2] if len(inside) > 5 else inside[1:-1]
    square_frame(ax, inside, _FEW_LABELS)
    return image


def capacity_map(ax: Axes, picture: Map) -> QuadMesh:
    """Colors and contours; cells that are NaN stay white, and a map of nothing else says so."""
    image = map_cells(ax, picture, **CAPACITY_LOOK)
    if min(np.shape(picture[2])) > 1 and np.isfinite(picture[2]).any():
        width = [1.0 if c in (0.47, 0.53) else 0.5 for c in PLATEAU_LEVELS]
        ink = ["#ffb07c" if c in (0.47, 0.53) else "white" for c in PLATEAU_LEVELS]
        ax.contour(*picture, levels=PLATEAU_LEVELS, colors=ink, linewidths=width)
    if not np.isfinite(picture[2]).any():
        ax.text(0.5, 0.5, "not\ndetermined", transform=ax.transAxes, ha="center", va="center")
    return image


def table_of_maps(rows: Mapping[str, Mapping[str, Map]], below: float) -> tuple[Figure, np.ndarray]:
    """Axes for a table of maps with heads on top and at the left, and labels shared by all."""
    columns = list(next(iter(rows.values())))
    n, width = len(columns), 0.9 + 1.72 * len(columns)
    fig, axes = small_multiples(n * len(rows), n, width, 1.66, below, sharex=True, sharey=True)
    for ax, name in zip(axes[0], columns, strict=True):
        ax.set_title(name)
    for ax, name in zip(axes[:, 0], rows, strict=True):
        ax.set_ylabel(name, weight="bold", labelpad=6)
    axes[-1, len(columns) // 2].set_xlabel(VARIED)
    fig.supylabel(f"{CHANCE}  (sparse below, dense on top)", size=10)
    return fig, axes


def bar_below(image: QuadMesh, axes: np.ndarray) -> None:
    """The color bar of all maps of capacity in a table."""
    capacity_bar(image, axes, aspect=34, pad=0.02, ticks=np.arange(6) / 5)


def legend_of_squares(fig: Figure, kinds: Iterable[tuple[str, str]], ms: int, **style: Any) -> None:
    """What the colors of maps stand for: names and colors, below the maps."""
    square = {"marker": "s", "ls": "", "ms": ms}
    squares = [Line2D([], [], color=color, label=name, **square) for name, color in kinds]
    fig.legend(handles=squares, loc="outside lower center", ncols=3, handletextpad=0.2, **style)
