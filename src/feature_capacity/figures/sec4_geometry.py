"""Figures of section 4: efficient embeddings, Theorems 1 and 2, blocks."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
from mpl_toolkits.mplot3d import Axes3D

from .._style import BLACK, BLUE, LIGHT, MUTED, ORANGE, book_style
from ..geometry.blocks import Block
from .panels import Arrays, bare, centered, dot, legend_above, note, small_multiples, titled
from .vectors import BLOCK_COLORS, arrows, bare_space, color_of_features, frame, heat_map

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
    _frame_blocks(left, found)
    _bipartite(center, W, found, color)
    space = fig.add_subplot(grid[2], projection="3d", computed_zorder=False)
    _space(space, W, color)
    for ax, name in ((left, "matrix"), (center, "features and neurons"), (space, "vectors")):
        ax.set_title(name, fontsize=11, weight="normal", y=1.04)
    return fig


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
    _frame_blocks(axes[1], found)
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
def block_structures(grams: Arrays[str], found: Sequence[Sequence[Block]]) -> plt.Figure:
    """Cosines between features at optima; features sorted so that blocks lie on the diagonal."""
    fig, axes = small_multiples(len(grams), 2, 5.6, 2.75)
    panels = titled(axes, grams, weight="normal", fontsize=10)
    for (ax, cosine), parts in zip(panels, found, strict=True):
        order = [i for b in parts for i in b.features]
        order += [i for i in range(len(cosine)) if i not in order]
        picture = ax.imshow(cosine[np.ix_(order, order)], cmap="Blues", vmin=0, vmax=1)
        start = 0
        for b in parts:
            n = len(b.features)
            frame(ax, start, start, n, n, ORANGE if n > b.dimension else BLACK)
            start += n
        plt.setp((ax.xaxis, ax.yaxis), ticks=range(len(order)), ticklabels=np.add(order, 1))
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    label = r"absolute cosine $|w_i \cdot w_j| / (\|w_i\| \|w_j\|)$"
    fig.colorbar(picture, ax=axes, shrink=0.6, aspect=30, pad=0.03, label=label)
    return fig


def _frame_blocks(ax: plt.Axes, found: Sequence[Block]) -> None:
    """Frame the blocks of a matrix whose rows and columns are sorted by block."""
    row = column = 0
    for b, ink in zip(found, cycle(BLOCK_COLORS), strict=False):
        frame(ax, row, column, b.dimension, len(b.features), ink)
        row, column = row + b.dimension, column + len(b.features)


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
