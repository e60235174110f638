"""Figures of section 2.2: how a budget of capacity is shared."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np

from .._style import BLACK, BLUE, FEATURE_COLORS, MUTED, PHASE_COLORS, book_style, panel_letters
from ..theory.budget import BudgetAllocation
from .panels import HALVES, Arrays, dot, note, outer_labels, titled

_BAND = "#e8ebef"


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
