"""Figures of section 2: what capacity measures, and how a budget of it is shared."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np

from .._style import BLACK, BLUE, FEATURE_COLORS, MUTED, PHASE_COLORS, book_style, panel_letters
from ..theory.budget import BudgetAllocation
from .panels import HALVES, Arrays, Pairs, centered, dot, legend_above, note, outer_labels, titled
from .vectors import arrows_on_neurons, feature_colors

_BAND = "#e8ebef"


@book_style
def fig6_example_allocations(examples: Pairs[str]) -> plt.Figure:
    """Figure 6: arrangements in the plane, and how each divides its two dimensions.

    Parameters
    ----------
    examples : pairs of arrays (2, n_features), (n_features,), by name
        Embeddings and their capacities; the hatched rest of a bar is capacity unused.
    """
    columns = 3
    rows = -(-len(examples) // columns)
    fig = plt.figure(figsize=(6.6, 2.78 * rows))
    cells = fig.add_gridspec(rows, columns, hspace=0.24)
    for cell, (name, (W, capacity)) in zip(cells, examples.items(), strict=False):
        inner = cell.subgridspec(2, 1, height_ratios=[5, 1.15], hspace=0.02)
        arrows, bar = fig.add_subplot(inner[0]), fig.add_subplot(inner[1])
        arrows.set_title(name, fontsize=11)
        arrows_on_neurons(arrows, W)
        arrows.set(xlim=(-1.12, 1.12), ylim=(-1.12, 1.12))
        _budget_bar(bar, capacity)
    return fig


def _budget_bar(ax: plt.Axes, capacity: np.ndarray, budget: float = 2.0) -> None:
    ax.barh(0, budget, color="white", edgecolor="#b6bdc6", hatch="////", lw=0.8)
    left = 0.0
    for c, color in zip(capacity, feature_colors(len(capacity)), strict=True):
        ax.barh(0, c, left=left, color=color, edgecolor="white", lw=1.2)
        if c > 0:
            text, size = f"{c:.2f}".rstrip("0").rstrip("."), 9.5 if c > 0.3 else 7.5
            centered(ax, left + c / 2, 0, text, color="white", weight="bold", fontsize=size)
        left += c
    ax.set(xlim=(-0.03, budget + 0.03), ylim=(-0.45, 0.45), yticks=[], xticks=[0, 1, 2])
    ax.tick_params(axis="x", length=2, labelsize=9, pad=1)
    ax.spines[:].set_visible(False)


@book_style
def total_capacity_bounds(
    stable_rank: np.ndarray, total: np.ndarray, n_dims: int, tight: np.ndarray
) -> plt.Figure:
    """Total capacity of many embeddings between its two bounds.

    Parameters
    ----------
    stable_rank, total : arrays (n_matrices,)
    n_dims : int
    tight : array (n, 2)
        Stable rank and total of embeddings that attain the lower bound.
    """
    fig, ax = plt.subplots(figsize=(6.0, 4.2))
    ax.fill_between([1, n_dims], [1, n_dims], n_dims, color=_BAND, lw=0)
    ax.plot(stable_rank, total, ".", color=BLUE, ms=4, alpha=0.45, rasterized=True)
    ax.plot([1, n_dims], [1, n_dims], color=BLACK, lw=1.8, label="at least the stable rank")
    at_most = f"at most $D$ = {n_dims}"
    ax.axhline(n_dims, color=PHASE_COLORS[1], lw=2.2, label=at_most, clip_on=False)
    dot(ax, *tight.T, "white", 9, mec=BLACK, mew=1.8, label="attained")
    ax.set(xlabel=r"stable rank $\|W\|_F^2\,/\,\|W\|_2^2$", ylabel=r"total capacity $\Sigma_i C_i$")
    ax.set(xlim=(1, n_dims * 1.01), ylim=(0.95, n_dims * 1.02))
    legend_above(ax, bbox_to_anchor=(0.5, 1.01), ncols=3, fontsize=10, columnspacing=1.2)
    return fig


@book_style
def vanishing_embeddings(
    lengths: np.ndarray, capacity: np.ndarray, exceptional: np.ndarray
) -> plt.Figure:
    """Capacity of one feature as its embedding shrinks along fixed directions.

    Parameters
    ----------
    lengths : array (n_lengths,)
    capacity, exceptional : arrays (n_directions, n_lengths), (n_lengths,)
        Along random directions, and along one that is orthogonal to every other feature.
    """
    fig, ax = plt.subplots(figsize=(6.0, 3.8))
    ax.loglog(lengths, capacity.T, color=BLUE, lw=0.9, alpha=0.35)
    ax.plot([], [], color=BLUE, lw=1.6, label="random directions")
    apart = "the exceptional direction"
    ax.loglog(lengths, exceptional, color=PHASE_COLORS[1], lw=2.6, label=apart)
    ax.set(xlim=(lengths.min(), lengths.max()))
    ax.set(xlabel=r"length $\|w_i\|$ of the embedding", ylabel="capacity $C_i$")
    legend_above(ax, ncols=2, fontsize=10.5)
    return fig


@book_style
def six_situations(
    grid: np.ndarray, situations: Mapping[str, tuple[np.ndarray, np.ndarray, float | None]]
) -> plt.Figure:
    """Two marginal-benefit curves in six situations, as in the lower half of Figure 4.

    Parameters
    ----------
    grid : array (n_points,)
    situations : arrays (n_points,), (n_points,) and a number, by head
        Curves over the capacities of the grid, blue and black, that compete for one dimension;
        and the optimal capacity of blue, the rest being black's, or None where all are optimal.
    """
    fig, axes = plt.subplots(2, 3, figsize=(6.8, 5.0), sharex=True)
    panel_letters(axes.flat, "ABCDEF")
    for ax, (blue, black, split) in titled(axes, situations, fontsize=10.5, pad=8):
        ax.plot(grid, black, color=BLACK, lw=2.6)
        ax.plot(grid, blue, color=BLUE, lw=2.6, ls="-" if split is not None else (0, (3, 3)))
        if split is None:
            every = slice(None, None, len(grid) // 10)
            dot(ax, grid[every], black[every], "white", 7, mec=BLACK, mew=1.6)
        else:
            for c, curve, color in ((split, blue, BLUE), (1 - split, black, BLACK)):
                height = np.interp(c, grid, curve)
                dot(ax, c, height, color, 10)
            if 0 < split < 1:
                ax.axhline(height, color=MUTED, lw=1.1, ls=(0, (4, 3)), zorder=0)
        headroom = 1.6 if split is None else 1.08
        ax.set_xticks(*HALVES)
        ax.set(xlim=(0, 1), ylim=(0, headroom * max(np.max(blue), np.max(black))))
        ax.locator_params(axis="y", nbins=4)
    outer_labels(axes, "capacity $C_i$", "marginal benefit")
    return fig


@book_style
def water_filling(
    grid: np.ndarray,
    benefits: Arrays[str],
    best: BudgetAllocation,
    at_optimum: np.ndarray,
    thresholds: np.ndarray,
    spent: np.ndarray,
) -> plt.Figure:
    """Curves of several families meet one threshold, which is where spending meets the budget.

    Parameters
    ----------
    grid, benefits : array (n_points,), arrays (n_points,) by name
        Capacities, and a curve over them for each feature.
    best, at_optimum : BudgetAllocation, array (n_features,)
        The optimal allocation, and the benefits there.
    thresholds, spent : arrays (n_thresholds,)
        Total capacity taken when everything worth the threshold or more is served.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(6.8, 4.8), width_ratios=[1.45, 1], sharey=True)
    optimum = zip(best.capacity, at_optimum, FEATURE_COLORS, strict=False)
    for (name, curve), (c, height, color) in zip(benefits.items(), optimum, strict=True):
        left.plot([c, c], [0, height], color=color, lw=1.2, ls=(0, (2, 2)))
        left.plot(grid, curve, color=color, lw=2.3, label=name)
        dot(left, c, height, color, 10)
    budget = best.capacity.sum()
    right.plot(spent, thresholds, color=BLACK, lw=2.3)
    right.axvline(budget, color=MUTED, lw=2)
    dot(right, budget, best.threshold, BLACK, 10)
    for ax in (left, right):
        ax.axhline(best.threshold, color=MUTED, lw=1.2, ls=(0, (4, 3)), zorder=0)
    at, place = (budget, 0.98), ("data", "axes fraction")
    note(right, "budget", at, (5, 0), xycoords=place, va="top", weight="bold")
    left.set(xlim=(0, 1), ylim=(0, float(thresholds.max())))
    left.set(xlabel="capacity $C_i$", ylabel=r"marginal benefit $-\partial L/\partial C_i$")
    right.set(xlabel=r"capacity taken $\Sigma_i C_i$", ylabel="price", xlim=(0, len(benefits)))
    fig.legend(loc="outside upper center", ncols=3, fontsize=10.5, handlelength=1.4)
    return fig


@book_style
def realizable_pairs(
    capacity: np.ndarray, leverage: np.ndarray, heads: Sequence[str]
) -> plt.Figure:
    """Pairs of capacities that two features in the plane can have, by both definitions.

    Parameters
    ----------
    capacity, leverage : arrays (n_embeddings, 2)
    heads : a head for each of the two definitions
    """
    fig, axes = plt.subplots(1, 2, figsize=(6.8, 3.7), sharey=True)
    for ax, pairs, head, size in zip(axes, (capacity, leverage), heads, (4.5, 7), strict=True):
        ax.set_title(head, fontsize=11)
        ax.fill([0, 1, 1], [1, 1, 0], color=_BAND, lw=0)
        ax.plot([0, 1, 1, 0], [1, 0, 1, 1], color="#b6bdc6", lw=1)
        style = {"color": BLUE, "ms": size, "alpha": 0.55, "rasterized": True}
        ax.plot(*pairs.T, ".", clip_on=False, zorder=3, **style)
        ax.plot(1, 0.5, "X", ms=11, mfc=PHASE_COLORS[1], mec="white", clip_on=False, zorder=6)
        ax.set_xticks(*HALVES)
        ax.set_yticks(*HALVES)
        ax.set(xlim=(0, 1.02), ylim=(0, 1.02), aspect="equal")
    outer_labels(axes[None], "capacity of the first feature", "capacity of the second feature")
    return fig
