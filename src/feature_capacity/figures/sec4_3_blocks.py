"""Figures of sections 4.3 to 4.5: mixtures of blocks, Theorem 2, and the path between phases."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from mpl_toolkits.mplot3d import Axes3D

from .._style import BLACK, BLUE, LIGHT, MUTED, ORANGE, book_style
from ..geometry.blocks import Block
from .panels import bare, centered, dot, legend_above, note
from .vectors import BLOCK_COLORS, arrows, bare_space, color_of_features, frame_blocks, heat_map


@book_style
def fig5_two_blocks(W: np.ndarray, found: Sequence[Block]) -> plt.Figure:
    """Figure 5: a matrix with two blocks, its features and neurons, its vectors in space."""
    fig = plt.figure(figsize=(6.8, 2.9))
    grid = fig.add_gridspec(1, 3, width_ratios=[1.05, 1.05, 1.1])
    color = color_of_features(found, W.shape[1])
    left, center = fig.add_subplot(grid[0]), fig.add_subplot(grid[1])
    heat_map(left, W)
    left.set_xticks(range(W.shape[1]), range(1, W.shape[1] + 1))
    left.set_yticks(range(W.shape[0]), range(1, W.shape[0] + 1))
    left.set(xlabel="feature", ylabel="neuron")
    frame_blocks(left, found)
    _bipartite(center, W, found, color)
    space = fig.add_subplot(grid[2], projection="3d", computed_zorder=False)
    _space(space, W, color)
    for ax, name in ((left, "matrix"), (center, "features and neurons"), (space, "vectors")):
        ax.set_title(name, fontsize=11, weight="normal", y=1.04)
    return fig


def _bipartite(ax: plt.Axes, W: np.ndarray, found: Sequence[Block], color: Sequence[str]) -> None:
    n = W.shape[1]
    y: list[float] = []  # every neuron stands below the features of its block
    for b in found:
        low, step = b.features[0] - 0.5, len(b.features) / b.dimension
        y += [low + (d + 0.5) * step for d in range(b.dimension)]
    for (d, i), weight in np.ndenumerate(W / np.abs(W).max()):
        size = abs(weight)
        if size > 1e-9:
            style = {"lw": 0.5 + 3 * size, "alpha": 0.25 + 0.6 * size, "color": color[i]}
            dashes = "-" if weight > 0 else (0, (2, 1.2))
            ax.plot([i, y[d]], [1, 0], ls=dashes, solid_capstyle="round", zorder=1, **style)
    for i, ink in enumerate(color):
        ax.plot(i, 1, "o", ms=14, mfc="white", mec=ink, mew=1.8, zorder=3)
        centered(ax, i, 1, str(i + 1), fontsize=9, zorder=4)
    for d, place in enumerate(y, start=1):
        ax.plot(place, 0, "s", ms=16, mfc="#eef1f4", mec=BLACK, mew=1.2, zorder=3)
        centered(ax, place, 0, str(d), fontsize=9, zorder=4)
    bare(ax, xlim=(-0.6, n - 0.4), ylim=(-0.28, 1.28))
    centered(ax, (n - 1) / 2, 1.22, "feature")
    centered(ax, (n - 1) / 2, -0.24, "neuron")


def _space(ax: Axes3D, W: np.ndarray, color: Sequence[str]) -> None:
    angle = np.linspace(0, 2 * np.pi, 121)
    size = np.linalg.norm(W[:2], axis=0).max()
    disk = np.stack([np.cos(angle), np.sin(angle), 0 * angle]) * size
    fan = np.concatenate([np.zeros((3, 1)), disk[:, :-1]], axis=1)
    ax.plot_trisurf(*fan, color=BLOCK_COLORS[0], alpha=0.10, lw=0, zorder=0)
    ax.plot(*disk, color=BLOCK_COLORS[0], lw=0.9, alpha=0.5, zorder=0)
    for axis in np.eye(3):
        ax.plot(*np.outer(axis, [-1.25, 1.25]), color=LIGHT, lw=0.9, zorder=1)
    for i, w in enumerate(W.T):
        ax.quiver(0, 0, 0, *w, color=color[i], lw=2.2, arrow_length_ratio=0.14, zorder=3)
        ax.text(*(1.2 * w), str(i + 1), fontsize=10, ha="center", va="center", color=color[i])
    bare_space(ax, 1, zoom=1.55, elevation=22, azimuth=-58)


@book_style
def hidden_blocks(W: np.ndarray, aligned: np.ndarray, found: Sequence[Block]) -> plt.Figure:
    """The same embedding as it comes, and with axes and features sorted by its blocks."""
    fig, axes = plt.subplots(2, 1, figsize=(5.8, 5.0))
    for ax, matrix in zip(axes, (W, aligned), strict=True):
        heat_map(ax, matrix, limit=0.7 * np.abs([W, aligned]).max())
    axes[0].set_title("as it comes: $W$", loc="left")
    axes[0].set(xlabel="feature", ylabel="neuron")
    axes[1].set_title("axes turned, features sorted: $B = Q^T W P^T$", loc="left")
    axes[1].set(xlabel="feature, sorted by block", ylabel="principal axis")
    frame_blocks(axes[1], found)
    fig.get_layout_engine().set(hspace=0.1)
    return fig


@book_style
def interpolation(
    stages: Sequence[np.ndarray], stage_length: np.ndarray, length: np.ndarray, capacity: np.ndarray
) -> plt.Figure:
    """One vector grows within a block: five stages, and every feature's capacity on the way."""
    fig, axes = plt.subplot_mosaic("abcde;-----", figsize=(6.4, 5.4), height_ratios=[1, 1.45])
    top = 1.05 * np.sqrt(max(stage_length.max(), 1))
    for letter, W, n in zip("abcde", stages, stage_length, strict=True):
        ax = axes[letter]
        arrows(ax, W, [ORANGE] + [BLUE] * (W.shape[1] - 1), width=2.2)
        for i in range(2, W.shape[1]):
            if np.allclose(W[:, i], W[:, i - 1]):
                ax.text(*(W[:, i] + [0.1, -0.42]), "twice", color=BLUE, fontsize=9)
        ax.set_title(letter, loc="left")
        ax.set_title(rf"$n_1={n:.3g}$", weight="normal")
        bare(ax, xlim=(-1.12, 1.12), ylim=(-1.0, top), aspect="equal")
    ax, free = axes["-"], length >= 3
    ax.axvspan(3, length.max(), color=LIGHT, alpha=0.45, lw=0)
    ax.plot(length[~free], capacity[~free, 0], color=ORANGE, lw=2.6, label="feature 1")
    ax.plot(length[free], capacity[free, 0], color=ORANGE, lw=2.6, ls=(0, (3, 1.2)))
    ax.plot(length, capacity[:, 1], color=BLUE, lw=2.2, label="each of the other three")
    for letter, n in zip("abcde", stage_length, strict=True):
        c = np.interp(n, length, capacity[:, 0])
        dot(ax, n, c, ORANGE, 7, mew=1)
        shift = (0, -16) if c > 0.95 else (-8, 5) if n > 0 else (12, 1)
        note(ax, letter, (n, c), shift, weight="bold", ha="center")
    ax.text((3 + length.max()) / 2, 0.62, "a block of its own:\nthe length is free", ha="center")
    ax.text(1.7, 0.06, "one shared block:  $C_1 = n_1/\\lambda$", ha="center")
    ax.set(xlim=(0, length.max()), ylim=(0, 1.08))
    ax.set(xlabel="squared length $n_1$ (the others have 1)", ylabel="capacity $C$")
    ax.legend(loc="upper left", bbox_to_anchor=(0.02, 0.98))
    return fig


@book_style
def theorem2_both_ways(
    before: Sequence[np.ndarray],
    after: Sequence[np.ndarray],
    noise: np.ndarray,
    missing: np.ndarray,
    deviation: np.ndarray,
) -> plt.Figure:
    """Singular values before and after ascent; what it costs to disturb an efficient matrix."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(6.6, 3.5), width_ratios=[1, 1.05])
    for s, (start, end) in enumerate(zip(before, after, strict=True)):
        left.plot(start, np.full(len(start), s), "o", color=MUTED, ms=3, alpha=0.45, mew=0)
        left.plot(end, np.full(len(end), s), "o", color=BLUE, ms=4, mew=0)
    left.plot([], [], "o", color=MUTED, ms=4, alpha=0.6, label="random start")
    left.plot([], [], "o", color=BLUE, ms=4, label="maximizer")
    left.set(xscale="log", xlabel="squared singular value\n÷ mean of its block")
    left.set(yticks=[], ylabel="start")
    legend_above(left, ncols=2, handletextpad=0.2)
    right.loglog(noise, deviation, "o-", color=ORANGE, ms=4, label="blocks")
    right.loglog(noise, missing, "s-", color=BLUE, ms=4, label="capacity")
    right.set_xlabel(r"relative size $\epsilon$ of the disturbance")
    right.set_ylabel("departure of blocks,\ncapacity lost")
    spot, look = len(noise) // 2, {"shift": (8, -12), "fontsize": 12}
    note(right, r"$\propto \epsilon$", (noise[spot], deviation[spot]), color=ORANGE, **look)
    note(right, r"$\propto \epsilon^2$", (noise[spot], missing[spot]), color=BLUE, **look)
    legend_above(right, ncols=2, handlelength=1.4)
    return fig
