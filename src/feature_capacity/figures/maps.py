"""Maps over two logarithmic axes: capacities and phases by importance and sparsity."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import QuadMesh
from matplotlib.patches import Patch

from .._style import CAPACITY_MAP, PHASE_COLORS, PHASE_MAP
from ..theory.allocation import PHASES
from .panels import color_bar, plain_ticks

CONTOUR_LEVELS = (0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99)
"""Capacity levels drawn on phase diagrams."""

VARIED = "importance of feature 1, $V$"
CHANCE = "feature probability, $p$"
"""What the axes of phase diagrams are."""


CAPACITY_LOOK = {"cmap": CAPACITY_MAP, "vmin": 0, "vmax": 1}
PHASE_LOOK = {"cmap": PHASE_MAP, "vmin": -0.5, "vmax": 2.5}
"""How cells of capacities, and of phases by their codes, are colored."""


def cell_edges(centers: np.ndarray) -> np.ndarray:
    """Edges of the cells whose centers are given, halfway in the logarithm."""
    x = np.log(centers)
    middle = (x[1:] + x[:-1]) / 2
    return np.exp(np.concatenate([[2 * x[0] - middle[0]], middle, [2 * x[-1] - middle[-1]]]))


def cells(ax: Axes, x: np.ndarray, y: np.ndarray, values: np.ndarray, **style: Any) -> QuadMesh:
    """One colored cell for each value of a map (len(y), len(x)), which fill the panel."""
    columns, rows = cell_edges(x), cell_edges(y)
    ax.set(xscale="log", yscale="log")
    ax.set(xlim=(columns.min(), columns.max()), ylim=(rows.min(), rows.max()))
    return ax.pcolormesh(columns, rows, values, rasterized=True, **style)


def phase_patches(codes: Iterable[int] = (0, 1, 2)) -> list[Patch]:
    """Patches of the legend of a map of phases."""
    return [Patch(color=PHASE_COLORS[code], label=PHASES[code]) for code in codes]


def square_frame(ax: Axes, x_ticks: Sequence[float], y_ticks: Sequence[float]) -> None:
    """A square map with a whole frame, and those of the ticks that lie in it."""
    for axis, ticks in ((ax.xaxis, x_ticks), (ax.yaxis, y_ticks)):
        low, high = axis.get_view_interval()
        plain_ticks(axis, [t for t in ticks if low <= t <= high])
    ax.spines[:].set_visible(True)
    ax.set_box_aspect(1)


def capacity_bar(image: ScalarMappable, axes: Any, **style: Any) -> None:
    """The color bar of capacities below all maps of a figure."""
    place = {"location": "bottom", "shrink": 0.62, **style}
    color_bar(image, axes, "capacity of feature 1, $C_1$", **place)
