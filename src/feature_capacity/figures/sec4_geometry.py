"""Figures of section 4: efficient embeddings, Theorems 1 and 2, blocks."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from mpl_toolkits.mplot3d import Axes3D

from .._style import BLACK, BLUE, LIGHT, MUTED, ORANGE, book_style
from ..geometry.blocks import Block
from .panels import Arrays, bare, titled
from .vectors import arrows, bare_space, color_of_features, heat_map

_ELEVATION, _AZIMUTH = 18, -62  # from where the gallery is seen


@book_style
def balance(embeddings: Arrays[str], totals: Sequence[float]) -> plt.Figure:
    """Plane embeddings with the ellipse of their second moments; a circle means efficient."""
    fig, axes = plt.subplots(1, len(embeddings), figsize=(7.2, 2.95))
    panels = titled(axes, embeddings, weight="normal", fontsize=11)
    for (ax, W), total in zip(panels, totals, strict=True):
        moments, directions = np.linalg.eigh(W @ W.T)
        angle = np.linspace(0, 2 * np.pi, 181)
        circle = np.stack([np.cos(angle), np.sin(angle)])
        ellipse = directions @ (np.sqrt(moments / moments.mean())[:, None] * circle)
        ink = BLUE if np.isclose(total, 2) else ORANGE
        ax.fill(*(1.08 * ellipse), color=ink, alpha=0.12, lw=0)
        ax.plot(*(1.08 * ellipse), color=ink, lw=1.2)
        arrows(ax, W / np.linalg.norm(W, axis=0).max(), [BLACK] * W.shape[1])
        ax.set_xlabel(rf"$\sum_i C_i = {total:.4g}$", color=ink, fontsize=12)
        bare(ax, xlim=(-1.45, 1.45), ylim=(-1.45, 1.45), aspect="equal")
    return fig


@book_style
def polytope_gallery(
    shapes: Arrays[str],
    edges: Mapping[str, Sequence[tuple[int, int]]],
    found: Mapping[str, Sequence[Block]],
    labels: Sequence[str],
) -> plt.Figure:
    """Named arrangements as small multiples, one color per block, each with a label below."""
    n_columns = 5
    n_rows = -(-len(shapes) // n_columns)
    fig = plt.figure(figsize=(6.8, 2.15 * n_rows))
    for s, ((name, W), label) in enumerate(zip(shapes.items(), labels, strict=True)):
        place, solid = (n_rows, n_columns, s + 1), len(W) == 3
        color = color_of_features(found[name], W.shape[1])
        if solid:
            ax = fig.add_subplot(*place, projection="3d", computed_zorder=False)
            _solid(ax, W, edges[name], color)
        else:
            ax = fig.add_subplot(*place)
            _plane(ax, np.concatenate([W, np.zeros((2 - len(W), W.shape[1]))]), color)
        ax.set_title(name.replace(" ", "\n", 1), weight="normal", fontsize=12, linespacing=0.95)
        write = ax.text2D if solid else ax.text
        below = -0.17 if solid else -0.1
        write(0.5, below, label, transform=ax.transAxes, fontsize=13, ha="center", va="center")
    return fig


def _plane(ax: plt.Axes, W: np.ndarray, color: Sequence[str]) -> None:
    if W[1].any():
        ax.fill(*W, color=MUTED, alpha=0.12, lw=0)
        ax.plot(*W[:, [*range(W.shape[1]), 0]], color=MUTED, lw=0.9, alpha=0.6)
    arrows(ax, W, color, width=1.8, head=9)
    bare(ax, xlim=(-1.12, 1.12), ylim=(-1.12, 1.12), aspect="equal")


def _solid(
    ax: Axes3D, W: np.ndarray, edges: Sequence[tuple[int, int]], color: Sequence[str]
) -> None:
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
    bare_space(ax, 0.9, zoom=1.4, elevation=_ELEVATION, azimuth=_AZIMUTH)


@book_style
def rotation_film(steps: Sequence[np.ndarray], capacity: np.ndarray) -> plt.Figure:
    """Every matrix on the way from unit axes to the wanted capacities, with its lengths."""
    n_columns = 3
    n_rows = -(-len(steps) // n_columns)
    fig = plt.figure(figsize=(6.2, 2.2 * n_rows + 0.2))
    # A pair of rows for each row of steps, and a gap below it.
    grid = fig.add_gridspec(3 * n_rows, n_columns, height_ratios=[1.0, 1.25, 0.12] * n_rows)
    n = len(capacity)
    for s, W in enumerate(steps):
        row, column = divmod(s, n_columns)
        bars = fig.add_subplot(grid[3 * row, column])
        length = (W**2).sum(axis=0)
        colors = np.where(np.isclose(length, capacity), BLUE, LIGHT)
        bars.bar(range(n), length, color=colors, width=0.7)
        bars.hlines(capacity, np.arange(n) - 0.42, np.arange(n) + 0.42, color=BLACK, lw=1.6)
        bars.set(xlim=(-0.5, n - 0.5), ylim=(0, 1.08), xticks=[], yticks=[0, 1])
        bars.set_title("start" if s == 0 else f"after rotation {s}", weight="normal")
        if column == 0:
            bars.set_ylabel("$n_i$", rotation=0, labelpad=8, va="center")
        picture = fig.add_subplot(grid[3 * row + 1, column])
        heat_map(picture, W, limit=1.0)
        if column == 0:
            picture.set_ylabel("$W$", rotation=0, labelpad=14, va="center")
    return fig


@book_style
def two_members(
    wanted: np.ndarray, members: Sequence[np.ndarray], measured: Sequence[np.ndarray]
) -> plt.Figure:
    """Wanted capacities, and two matrices with them: the sparse staircase and a generic one."""
    fig, axes = plt.subplots(3, 1, figsize=(6.4, 5.4), sharex=True, height_ratios=[0.75, 1, 1])
    n = len(wanted)
    axes[0].bar(range(n), wanted, color=BLUE, width=0.75)
    axes[0].plot(range(n), measured[0], "_", color=BLACK, ms=8, mew=1.6)
    axes[0].plot(range(n), measured[1], ".", color=ORANGE, ms=5)
    axes[0].set(ylim=(0, 1.08), yticks=[0, 0.5, 1], ylabel="capacity $C_i$")
    for ax, W, name in zip(axes[1:], members, ("staircase", "generic member"), strict=True):
        heat_map(ax, W, limit=1.0)
        ax.set_title(name, loc="left")
        ax.set_ylabel("axis")
    axes[2].set_xlabel("feature")
    return fig
