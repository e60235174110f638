"""Embeddings as vectors in the plane and in space, and as matrices in signed colors."""

from collections.abc import Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch, Rectangle
from mpl_toolkits.mplot3d import Axes3D

from .._style import BLACK, BLUE, DIFFERENCE_MAP, FEATURE_COLORS, MUTED, ORANGE
from ..geometry.blocks import Block
from .panels import bare, centered

BLOCK_COLORS = (BLUE, ORANGE, FEATURE_COLORS[2], FEATURE_COLORS[3], FEATURE_COLORS[4])
"""One color for each block, the first found first."""

_CROSS = {"color": "#c3c9d1", "lw": 1}


def feature_colors(n: int) -> list[str]:
    """One color for each of n features; from the eighth on they repeat."""
    return [FEATURE_COLORS[i % len(FEATURE_COLORS)] for i in range(n)]


def color_of_features(found: Sequence[Block], n: int) -> list[str]:
    """One color per feature, the same within a block; gray for features in none."""
    color = [MUTED] * n
    for block, ink in zip(found, BLOCK_COLORS, strict=False):
        for i in block.features:
            color[i] = ink
    return color


def arrows(
    ax: Axes, W: np.ndarray, colors: Sequence[str], width: float = 1.6, head: float = 11
) -> None:
    """One arrow per column from the origin; an open ring stands for a zero column."""
    for w, ink in zip(W.T, colors, strict=True):
        if np.linalg.norm(w) < 1e-9:
            ax.plot(0, 0, "o", mfc="white", mec=ink, ms=7, mew=1.6, zorder=5)
        else:
            _arrow(ax, w, ink, width, head)
    ax.plot(0, 0, "o", color=MUTED, ms=2.5)


def arrows_on_neurons(ax: Axes, W: np.ndarray, letters: str = "", size: float = 11) -> None:
    """Vectors of a (2, n_features) matrix on a bare cross of neuron axes, with the unit circle.

    A dot stands for a zero column; letters, one for each feature, stand beyond the tips.
    """
    bare(ax, aspect="equal")
    ax.axhline(0, zorder=0, **_CROSS)
    ax.axvline(0, zorder=0, **_CROSS)
    ax.add_patch(Circle((0, 0), 1, fill=False, ls=(0, (2, 3)), **_CROSS))
    for i, (w, color) in enumerate(zip(W.T, feature_colors(W.shape[1]), strict=True)):
        length = np.hypot(*w)
        if length == 0:
            ax.plot(0, 0, "o", color=color, ms=7, zorder=4)
        else:
            _arrow(ax, w, color, 2.4, 15)
        if letters:
            x, y = w * (1 + 0.11 / length if length else 0)
            centered(ax, x, y, letters[i], color=color, weight="bold", fontsize=size)


def _arrow(ax: Axes, tip: np.ndarray, color: str, width: float, head: float) -> None:
    look = {"arrowstyle": "-|>", "lw": width, "color": color, "mutation_scale": head}
    ax.add_patch(FancyArrowPatch((0, 0), tip, shrinkA=0, shrinkB=0, zorder=3, **look))


def bare_space(ax: Axes3D, limit: float, zoom: float, elevation: float, azimuth: float) -> None:
    """Equal scales from -limit to limit, no frame, no ticks, seen from one side."""
    ax.set_box_aspect((1, 1, 1), zoom=zoom)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), zlim=(-limit, limit))
    ax.view_init(elev=elevation, azim=azimuth)
    ax.set_axis_off()


def heat_map(ax: Axes, W: np.ndarray, limit: float | None = None) -> None:
    """Entries of a matrix in signed colors, without frame or ticks; the scale ends at limit."""
    limit = np.abs(W).max() if limit is None else limit
    ax.imshow(W, cmap=DIFFERENCE_MAP, vmin=-limit, vmax=limit, aspect="auto")
    ax.tick_params(length=0)
    bare(ax)


def frame(
    ax: Axes, row: float, column: float, height: int, width: int, ink: str = BLACK, lw: float = 2.2
) -> None:
    """Frame some rows and columns of a matrix that is drawn as squares."""
    corner = (column - 0.5, row - 0.5)
    ax.add_patch(Rectangle(corner, width, height, fill=False, ec=ink, lw=lw, clip_on=False))


def frame_blocks(ax: Axes, found: Sequence[Block]) -> None:
    """Frame the blocks of a matrix whose rows and columns are sorted by block."""
    row = column = 0
    for b, ink in zip(found, cycle(BLOCK_COLORS), strict=False):
        frame(ax, row, column, b.dimension, len(b.features), ink)
        row, column = row + b.dimension, column + len(b.features)
