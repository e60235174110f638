"""Figures of section 2.1: what capacity measures."""

import matplotlib.pyplot as plt
import numpy as np

from .._style import BLACK, BLUE, PHASE_COLORS, book_style
from .panels import Pairs, centered, dot, legend_above
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
    for number, side in zip(ax.get_xticklabels()[::2], ("left", "right"), strict=True):
        number.set_horizontalalignment(side)  # away from those of the next bar
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
