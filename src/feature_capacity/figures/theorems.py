"""Figures of chapter 4 for Theorems 1 and 2."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from .._style import BLACK, BLUE, LIGHT, MUTED, ORANGE, book_style
from .embeddings import heat_map


@book_style
def rotation_film(steps: Sequence[np.ndarray], capacity: np.ndarray) -> Figure:
    """Every matrix on the way from unit axes to the wanted capacities, with its lengths."""
    n_columns = 3
    n_rows = -(-len(steps) // n_columns)
    fig = plt.figure(figsize=(6.2, 2.2 * n_rows + 0.2))
    # A pair of rows for each row of steps, and a gap below it.
    heights = [1.0, 1.25, 0.12] * n_rows
    grid = GridSpec(3 * n_rows, n_columns, figure=fig, height_ratios=heights)
    n = len(capacity)
    for s, W in enumerate(steps):
        row, column = divmod(s, n_columns)
        bars = fig.add_subplot(grid[3 * row, column])
        length = (W**2).sum(axis=0)
        done = np.isclose(length, capacity)
        bars.bar(range(n), length, color=[BLUE if d else LIGHT for d in done], width=0.7)
        bars.hlines(capacity, np.arange(n) - 0.42, np.arange(n) + 0.42, color=BLACK, lw=1.6)
        bars.set(xlim=(-0.5, n - 0.5), ylim=(0, 1.08), xticks=[], yticks=[0, 1])
        bars.set_title("start" if s == 0 else f"after rotation {s}", weight="normal")
        if column == 0:
            bars.set_ylabel("$n_i$", rotation=0, labelpad=8, va="center")
        picture = fig.add_subplot(grid[3 * row + 1, column])
        heat_map(picture, W, limit=1.0)
        picture.set(xticks=[], yticks=[])
        if column == 0:
            picture.set_ylabel("$W$", rotation=0, labelpad=14, va="center")
    return fig


@book_style
def two_members(
    wanted: np.ndarray, members: Sequence[np.ndarray], measured: Sequence[np.ndarray]
) -> Figure:
    """Wanted capacities, and two matrices with them: the sparse staircase and a generic one."""
    fig, axes = plt.subplots(
        3, 1, figsize=(6.4, 5.4), sharex=True, gridspec_kw={"height_ratios": [0.75, 1, 1]}
    )
    n = len(wanted)
    axes[0].bar(range(n), wanted, color=BLUE, width=0.75)
    axes[0].plot(range(n), measured[0], "_", color=BLACK, ms=8, mew=1.6)
    axes[0].plot(range(n), measured[1], ".", color=ORANGE, ms=5)
    axes[0].set(ylim=(0, 1.08), yticks=[0, 0.5, 1], ylabel="capacity $C_i$")
    for ax, W, name in zip(axes[1:], members, ("staircase", "generic member"), strict=True):
        heat_map(ax, W, limit=1.0)
        ax.set_title(name, loc="left")
        ax.set_ylabel("axis")
        ax.set_yticks([])
    axes[2].set_xticks([])
    axes[2].set_xlabel("feature")
    return fig


@book_style
def theorem2_both_ways(
    before: Sequence[np.ndarray],
    after: Sequence[np.ndarray],
    noise: np.ndarray,
    missing: np.ndarray,
    deviation: np.ndarray,
) -> Figure:
    """Singular values before and after ascent; what it costs to disturb an efficient matrix."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(6.6, 3.5), width_ratios=[1, 1.05])
    for s, (start, end) in enumerate(zip(before, after, strict=True)):
        left.plot(start, np.full(len(start), s), "o", color=MUTED, ms=3, alpha=0.45, mew=0)
        left.plot(end, np.full(len(end), s), "o", color=BLUE, ms=4, mew=0)
    left.plot([], [], "o", color=MUTED, ms=4, alpha=0.6, label="random start")
    left.plot([], [], "o", color=BLUE, ms=4, label="maximizer")
    left.set_xscale("log")
    left.set(yticks=[], xlabel="squared singular value\n÷ mean of its block", ylabel="start")
    left.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, handletextpad=0.2)
    right.loglog(noise, deviation, "o-", color=ORANGE, ms=4, label="blocks")
    right.loglog(noise, missing, "s-", color=BLUE, ms=4, label="capacity")
    right.set(
        xlabel=r"relative size $\epsilon$ of the disturbance",
        ylabel="departure of blocks,\ncapacity lost",
    )
    for curve, order, ink in ((deviation, 1, ORANGE), (missing, 2, BLUE)):
        spot = len(noise) // 2
        right.annotate(
            rf"$\propto \epsilon^{order}$" if order > 1 else r"$\propto \epsilon$",
            (noise[spot], curve[spot]),
            xytext=(8, -12),
            textcoords="offset points",
            color=ink,
            fontsize=12,
        )
    right.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, handlelength=1.4)
    return fig
