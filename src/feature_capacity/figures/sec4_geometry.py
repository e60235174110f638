"""Figures of chapter 4: what efficient embeddings look like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.patches import Rectangle

from .._style import BLACK, BLUE, DIFFERENCE_MAP, FEATURE_COLORS, LIGHT, MUTED, ORANGE, book_style
from ..geometry.blocks import Block

_BLOCK_COLORS = (BLUE, ORANGE, FEATURE_COLORS[2], FEATURE_COLORS[3], FEATURE_COLORS[4])


@book_style
def balance(embeddings: Mapping[str, np.ndarray], totals: Sequence[float]) -> Figure:
    """Plane embeddings with the ellipse of their second moments; a circle means efficient."""
    fig, axes = plt.subplots(1, len(embeddings), figsize=(7.2, 2.95))
    for ax, (name, W), total in zip(axes, embeddings.items(), totals, strict=True):
        limit = 1.45
        moments, directions = np.linalg.eigh(W @ W.T)
        angle = np.linspace(0, 2 * np.pi, 181)
        circle = np.stack([np.cos(angle), np.sin(angle)])
        ellipse = directions @ (np.sqrt(moments / moments.mean())[:, None] * circle)
        efficient = np.isclose(total, 2)
        ink = BLUE if efficient else ORANGE
        ax.fill(*(1.08 * ellipse), color=ink, alpha=0.12, lw=0)
        ax.plot(*(1.08 * ellipse), color=ink, lw=1.2)
        arrows(ax, W / np.linalg.norm(W, axis=0).max(), [BLACK] * W.shape[1])
        ax.set_title(name, weight="normal", fontsize=11)
        ax.set_xlabel(rf"$\sum_i C_i = {total:.4g}$", color=ink, fontsize=12)
        bare_square(ax, limit)
    return fig


@book_style
def fig5_two_blocks(W: np.ndarray, found: Sequence[Block]) -> Figure:
    """Figure 5: a matrix with two blocks, its features and neurons, its vectors in space."""
    fig = plt.figure(figsize=(6.8, 2.9))
    grid = GridSpec(1, 3, figure=fig, width_ratios=[1.05, 1.05, 1.1])
    color = color_of_features(found, W.shape[1])
    left, center = fig.add_subplot(grid[0]), fig.add_subplot(grid[1])
    heat_map(left, W)
    left.set_xticks(range(W.shape[1]), range(1, W.shape[1] + 1))
    left.set_yticks(range(W.shape[0]), range(1, W.shape[0] + 1))
    left.set(xlabel="feature", ylabel="neuron")
    _frame_blocks(left, found)
    _bipartite(center, W, found, color)
    space = fig.add_subplot(grid[2], projection="3d", computed_zorder=False)
    _space(space, W, color)
    for ax, name in ((left, "matrix"), (center, "features and neurons"), (space, "vectors")):
        ax.set_title(name, fontsize=11, weight="normal", y=1.04)
    return fig


@book_style
def hidden_blocks(W: np.ndarray, aligned: np.ndarray, found: Sequence[Block]) -> Figure:
    """The same embedding as it comes, and with axes and features sorted by its blocks."""
    fig, axes = plt.subplots(2, 1, figsize=(5.8, 5.0))
    limit = 0.7 * np.abs([W, aligned]).max()
    heat_map(axes[0], W, limit=limit)
    heat_map(axes[1], aligned, limit=limit)
    axes[0].set_title("as it comes: $W$", loc="left")
    axes[1].set_title("axes turned, features sorted: $B = Q^T W P^T$", loc="left")
    axes[0].set_ylabel("neuron")
    axes[1].set_ylabel("principal axis")
    axes[0].set_xlabel("feature")
    axes[1].set_xlabel("feature, sorted by block")
    _frame_blocks(axes[1], found)
    fig.get_layout_engine().set(hspace=0.1)
    return fig


@book_style
def interpolation(
    stages: Sequence[np.ndarray],
    stage_length: np.ndarray,
    length: np.ndarray,
    capacity: np.ndarray,
) -> Figure:
    """One vector grows within a block: five stages, and every feature's capacity on the way."""
    fig = plt.figure(figsize=(6.4, 5.4))
    grid = GridSpec(2, len(stages), figure=fig, height_ratios=[1, 1.45])
    top = 1.05 * np.sqrt(max(stage_length.max(), 1))
    for s, (W, n) in enumerate(zip(stages, stage_length, strict=True)):
        ax = fig.add_subplot(grid[0, s])
        arrows(ax, W, [ORANGE] + [BLUE] * (W.shape[1] - 1), width=2.2)
        for i in range(2, W.shape[1]):
            if np.allclose(W[:, i], W[:, i - 1]):
                ax.text(*(W[:, i] + [0.1, -0.42]), "twice", color=BLUE, fontsize=9)
        ax.set_title("abcde"[s], loc="left")
        ax.set_title(rf"$n_1={n:.3g}$", weight="normal")
        bare_square(ax, low=(-1.12, -1.0), high=(1.12, top))
    ax = fig.add_subplot(grid[1, :])
    free = length >= 3
    ax.axvspan(3, length.max(), color=LIGHT, alpha=0.45, lw=0)
    ax.plot(length[~free], capacity[~free, 0], color=ORANGE, lw=2.6, label="feature 1")
    ax.plot(length[free], capacity[free, 0], color=ORANGE, lw=2.6, ls=(0, (3, 1.2)))
    ax.plot(length, capacity[:, 1], color=BLUE, lw=2.2, label="each of the other three")
    for s, n in enumerate(stage_length):
        c = np.interp(n, length, capacity[:, 0])
        ax.plot(n, c, "o", color=ORANGE, ms=7, mec="white", clip_on=False, zorder=5)
        above = c > 0.95
        ax.annotate(
            "abcde"[s],
            (n, c),
            xytext=(0, -16) if above else (-8, 5) if n > 0 else (12, 1),
            textcoords="offset points",
            weight="bold",
            ha="center",
        )
    ax.text((3 + length.max()) / 2, 0.62, "a block of its own:\nthe length is free", ha="center")
    ax.text(1.7, 0.06, "one shared block:  $C_1 = n_1/\\lambda$", ha="center")
    ax.set(
        xlim=(0, length.max()),
        ylim=(0, 1.08),
        xlabel="squared length $n_1$ (the others have 1)",
        ylabel="capacity $C$",
    )
    ax.legend(loc="upper left", bbox_to_anchor=(0.02, 0.98))
    return fig


@book_style
def block_structures(grams: Mapping[str, np.ndarray], found: Sequence[Sequence[Block]]) -> Figure:
    """Cosines between features at optima; features sorted so that blocks lie on the diagonal."""
    n_columns = 2
    n_rows = -(-len(grams) // n_columns)
    fig, axes = plt.subplots(n_rows, n_columns, figsize=(5.6, 2.75 * n_rows), squeeze=False)
    for ax in axes.flat[len(grams) :]:
        ax.set_visible(False)
    for ax, (name, cosine), parts in zip(axes.flat, grams.items(), found, strict=False):
        order = [i for b in parts for i in b.features]
        order += [i for i in range(len(cosine)) if i not in order]
        picture = ax.imshow(cosine[np.ix_(order, order)], cmap="Blues", vmin=0, vmax=1)
        start = 0
        for b in parts:
            n = len(b.features)
            _frame(ax, start, start, n, n, ORANGE if n > b.dimension else BLACK)
            start += n
        ticks = range(len(order))
        ax.set_xticks(ticks, [str(i + 1) for i in order])
        ax.set_yticks(ticks, [str(i + 1) for i in order])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.set_title(name, weight="normal", fontsize=10)
    fig.colorbar(picture, ax=axes, shrink=0.6, aspect=30, pad=0.03).set_label(
        r"absolute cosine $|w_i \cdot w_j| / (\|w_i\| \|w_j\|)$"
    )
    return fig


def color_of_features(found: Sequence[Block], n: int) -> list[str]:
    """One color per feature, the same within a block; gray for features in none."""
    color = [MUTED] * n
    for b, ink in zip(found, _BLOCK_COLORS, strict=False):
        for i in b.features:
            color[i] = ink
    return color


def heat_map(ax: Axes, W: np.ndarray, limit: float | None = None) -> None:
    """Entries of a matrix in signed colors, without frame or ticks; the scale ends at limit."""
    limit = np.abs(W).max() if limit is None else limit
    ax.imshow(W, cmap=DIFFERENCE_MAP, vmin=-limit, vmax=limit, aspect="auto")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.set(xticks=[], yticks=[])


def _frame_blocks(ax: Axes, found: Sequence[Block]) -> None:
    """Frame the blocks of a matrix whose rows and columns are sorted by block."""
    row = column = 0
    for s, b in enumerate(found):
        ink = _BLOCK_COLORS[s % len(_BLOCK_COLORS)]
        _frame(ax, row, column, b.dimension, len(b.features), ink)
        row, column = row + b.dimension, column + len(b.features)


def _frame(ax: Axes, row: float, column: float, height: int, width: int, ink: str) -> None:
    ax.add_patch(
        Rectangle(
            (column - 0.5, row - 0.5), width, height, fill=False, ec=ink, lw=2.2, clip_on=False
        )
    )


def arrows(
    ax: Axes, W: np.ndarray, inks: Sequence[str], width: float = 1.6, head: float = 11
) -> None:
    """One arrow per column from the origin; an open ring stands for a zero column."""
    for w, ink in zip(W.T, inks, strict=True):
        if np.linalg.norm(w) < 1e-9:
            ax.plot(0, 0, "o", mfc="white", mec=ink, ms=7, mew=1.6, zorder=5)
            continue
        style = {"arrowstyle": "-|>", "lw": width, "color": ink, "mutation_scale": head}
        ax.annotate("", w, (0, 0), arrowprops={**style, "shrinkA": 0, "shrinkB": 0})
    ax.plot(0, 0, "o", color=MUTED, ms=2.5)


def bare_square(
    ax: Axes,
    limit: float = 1.0,
    low: tuple[float, float] | None = None,
    high: tuple[float, float] | None = None,
) -> None:
    """Equal scales, no frame, no ticks; from -limit to limit, or from corner to corner."""
    (x0, y0), (x1, y1) = low or (-limit, -limit), high or (limit, limit)
    ax.set(xlim=(x0, x1), ylim=(y0, y1), xticks=[], yticks=[], aspect="equal")
    ax.spines[:].set_visible(False)


def _bipartite(ax: Axes, W: np.ndarray, found: Sequence[Block], color: Sequence[str]) -> None:
    n_dims, n = W.shape
    x = np.arange(n, dtype=float)
    y: list[float] = []  # every neuron stands below the features of its block
    for b in found:
        low, high = b.features[0] - 0.5, b.features[-1] + 0.5
        step = (high - low) / b.dimension
        y += [low + (d + 0.5) * step for d in range(b.dimension)]
    for d in range(n_dims):
        for i in range(n):
            size = abs(W[d, i]) / np.abs(W).max()
            if size > 1e-9:
                ax.plot(
                    [x[i], y[d]],
                    [1, 0],
                    color=color[i],
                    lw=0.5 + 3 * size,
                    alpha=0.25 + 0.6 * size,
                    solid_capstyle="round",
                    zorder=1,
                    ls="-" if W[d, i] > 0 else (0, (2, 1.2)),
                )
    for i in range(n):
        ax.plot(x[i], 1, "o", ms=14, mfc="white", mec=color[i], mew=1.8, zorder=3)
        ax.text(x[i], 1, str(i + 1), ha="center", va="center", fontsize=9, zorder=4)
    for d in range(n_dims):
        ax.plot(y[d], 0, "s", ms=16, mfc="#eef1f4", mec=BLACK, mew=1.2, zorder=3)
        ax.text(y[d], 0, str(d + 1), ha="center", va="center", fontsize=9, zorder=4)
    ax.set(xlim=(-0.6, n - 0.4), ylim=(-0.28, 1.28), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.text((n - 1) / 2, 1.22, "feature", ha="center", va="center")
    ax.text((n - 1) / 2, -0.24, "neuron", ha="center", va="center")


def _space(ax, W: np.ndarray, color: Sequence[str]) -> None:
    angle = np.linspace(0, 2 * np.pi, 121)
    size = np.linalg.norm(W[:2], axis=0).max()
    disk = np.stack([np.cos(angle), np.sin(angle), 0 * angle]) * size
    ax.plot_trisurf(*_fan(disk), color=_BLOCK_COLORS[0], alpha=0.10, lw=0, zorder=0)
    ax.plot(*disk, color=_BLOCK_COLORS[0], lw=0.9, alpha=0.5, zorder=0)
    for axis in np.eye(3):
        ax.plot(*np.outer(axis, [-1.25, 1.25]), color=LIGHT, lw=0.9, zorder=1)
    for i, w in enumerate(W.T):
        ax.quiver(0, 0, 0, *w, color=color[i], lw=2.2, arrow_length_ratio=0.14, zorder=3)
        ax.text(*(1.2 * w), str(i + 1), fontsize=10, ha="center", va="center", color=color[i])
    ax.set_box_aspect((1, 1, 1), zoom=1.55)
    ax.set(xlim=(-1, 1), ylim=(-1, 1), zlim=(-1, 1))
    ax.view_init(elev=22, azim=-58)
    ax.set_axis_off()


def _fan(circle: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros((3, 1)), circle[:, :-1]], axis=1)
