"""The gallery of named arrangements of chapter 4."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from .._style import MUTED, book_style
from ..geometry.blocks import Block
from .embeddings import arrows, bare_square, color_of_features

_ELEVATION, _AZIMUTH = 18, -62


@book_style
def polytope_gallery(
    shapes: Mapping[str, np.ndarray],
    edges: Mapping[str, Sequence[tuple[int, int]]],
    found: Mapping[str, Sequence[Block]],
    labels: Sequence[str],
) -> Figure:
    """Named arrangements as small multiples, one color per block, each with a label below."""
    n_columns = 5
    n_rows = -(-len(shapes) // n_columns)
    fig = plt.figure(figsize=(6.8, 2.15 * n_rows))
    for s, ((name, W), label) in enumerate(zip(shapes.items(), labels, strict=True)):
        place, solid = (n_rows, n_columns, s + 1), len(W) == 3
        if solid:
            ax = fig.add_subplot(*place, projection="3d", computed_zorder=False)
            _solid(ax, W, edges[name], color_of_features(found[name], W.shape[1]))
        else:
            ax = fig.add_subplot(*place)
            flat = np.concatenate([W, np.zeros((2 - len(W), W.shape[1]))])
            _plane(ax, flat, color_of_features(found[name], W.shape[1]))
        ax.set_title(name.replace(" ", "\n", 1), weight="normal", fontsize=12, linespacing=0.95)
        write = ax.text2D if solid else ax.text
        below = -0.17 if solid else -0.1
        write(0.5, below, label, transform=ax.transAxes, fontsize=13, ha="center", va="center")
    return fig


def _plane(ax, W: np.ndarray, color: Sequence[str]) -> None:
    if W[1].any():
        ax.fill(*W, color=MUTED, alpha=0.12, lw=0)
        ax.plot(*W[:, [*range(W.shape[1]), 0]], color=MUTED, lw=0.9, alpha=0.6)
    arrows(ax, W, color, width=1.8, head=9)
    bare_square(ax, 1.12)


def _solid(ax, W: np.ndarray, edges: Sequence[tuple[int, int]], color: Sequence[str]) -> None:
    """Vectors to the corners, and the edges between corners; what lies behind is pale."""
    turn = np.radians(_AZIMUTH)
    to_viewer = np.array([np.cos(turn), np.sin(turn), np.tan(np.radians(_ELEVATION))])
    for i, j in edges:
        near = (W[:, i] + W[:, j]) @ to_viewer > -1e-9
        ax.plot(*W[:, [i, j]], color=MUTED, lw=1.0, alpha=0.65 if near else 0.25)
    for w, ink in zip(W.T, color, strict=True):
        near = w @ to_viewer > 0
        ax.plot(*np.outer(w, [0, 1]), color=ink, lw=2.0, alpha=0.95 if near else 0.4)
        ax.plot(*w[:, None], "o", color=ink, ms=4.5, alpha=1.0 if near else 0.5)
    ax.set_box_aspect((1, 1, 1), zoom=1.4)
    ax.set(xlim=(-0.9, 0.9), ylim=(-0.9, 0.9), zlim=(-0.9, 0.9))
    ax.view_init(elev=_ELEVATION, azim=_AZIMUTH)
    ax.set_axis_off()
