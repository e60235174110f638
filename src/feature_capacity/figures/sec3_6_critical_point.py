"""Figures of section 3.6: landscape, order parameter, metastable states, critical scaling."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np

from .._style import BLACK, BLUE, MUTED, PHASE_COLORS, book_style
from ..theory.allocation import POLYSEMANTIC
from .maps import CHANCE, VARIED, cells
from .panels import HALVES, Arrays, Map, Pairs, color_bar, dot, plain_ticks, shaded


@book_style
def landscape(capacity: np.ndarray, panels: Mapping[float, Arrays[float]]) -> plt.Figure:
    """Lowest loss at a given capacity of the varied feature: bowl, plane, cap.

    ``panels`` maps kurtosis to a mapping from importance V to loss (smallest value 0).
    """
    fig, axes = plt.subplots(1, len(panels), figsize=(6.8, 3.2), sharex=True, sharey=True)
    shapes = {1: "a bowl", 0: "a plane", -1: "a cap"}
    for ax, (kurtosis, curves) in zip(axes, panels.items(), strict=True):
        looks = (("#7fb3d5", 1.6, 5), (BLUE, 2.6, 10), ("#08306b", 1.6, 5))
        for (importance, loss), (color, width, size) in zip(curves.items(), looks, strict=True):
            best = np.flatnonzero(loss <= loss.min() + 1e-12)
            flat = len(best) == len(capacity)
            style = {"lw": 6 if flat else width, "solid_capstyle": "round", "clip_on": not flat}
            ax.plot(capacity, loss, color=color, label=f"{importance:g}", zorder=2, **style)
            if not flat:
                dot(ax, capacity[best], loss[best], color, size, mew=1, zorder=5 - size / 10)
        ax.set_title(f"$k={kurtosis:g}$: {shapes[int(np.sign(kurtosis - 3))]}")
        ax.set_xlabel("capacity of feature 1, $C_1$")
        ax.set_xticks(*HALVES)
    axes[0].set_ylabel("loss above its minimum")
    axes[0].legend(title="$V$", loc="upper center", handlelength=1.2)
    return fig


@book_style
def order_parameter(importance_1: np.ndarray, curves: Pairs[float]) -> plt.Figure:
    """Capacity and marginal benefit of the varied feature across V = 1, by kurtosis.

    NaN in a curve breaks the line, so that a jump is not drawn as a slope.
    """
    fig, axes = plt.subplots(1, 2, figsize=(6.6, 3.4))
    for kurtosis, pair, color in shaded(curves):
        for ax, values in zip(axes, pair, strict=True):
            ax.plot(importance_1, values, color=color, label=f"{kurtosis:g}")
    axes[0].text(0.97, 0.62, "$k\\leq 3$:\n0, then 1", ha="right", color=MUTED)
    axes[1].text(1.05, 0.25, "a jump to 2,\nnone at $k=3$", color=MUTED)
    axes[0].set(xlabel=VARIED, ylabel="capacity, $C_1$")
    axes[1].set(xlabel=VARIED, ylabel=r"order parameter, $-\partial L/\partial C_1$")
    axes[0].legend(title="kurtosis $k$", loc="lower right", handlelength=1.2)
    return fig


@book_style
def wedge_map(share: Map, lines: Sequence[tuple[np.ndarray, np.ndarray]]) -> plt.Figure:
    """Share of random starts that reach the best loss, and the edges of the metastable wedge.

    ``lines`` holds importances and probabilities on each edge.
    """
    fig, ax = plt.subplots(figsize=(5.0, 4.2))
    image = cells(ax, *share, cmap="cividis", vmin=0, vmax=1)
    color_bar(image, ax, "starts that reach the best loss", format="{x:.0%}")
    for at, rows in lines:
        ax.plot(at, rows, color="#ff8c42", lw=2)
    plain_ticks(ax.xaxis, (0.2, 0.5, 1, 2, 5))
    plain_ticks(ax.yaxis, (0.5, 0.6, 0.7, 0.8, 0.9, 1))
    ax.axhline(0.6, color=BLACK, lw=0.8, ls=":")
    ax.text(0.45, 0.53, "no metastable state", ha="center")
    ax.text(0.23, 0.605, "$k=3$", va="bottom")
    ax.set(xlabel=VARIED, ylabel=CHANCE)
    return fig


@book_style
def critical_scaling(
    distance: np.ndarray,
    laws: Arrays[str],
    scaled: np.ndarray,
    curves: Pairs[float],
    limit: np.ndarray,
) -> plt.Figure:
    """Power laws at the critical point, and all capacity curves on one when V is rescaled.

    ``laws`` maps a name to values over ``distance``; ``curves`` maps k - 3 to importances and
    capacities at the points ``scaled``; ``limit`` is the scaling function there.
    """
    fig, axes = plt.subplots(1, 2, figsize=(6.8, 3.9))
    colors = (PHASE_COLORS[POLYSEMANTIC], BLUE, "#7b3294", BLACK)
    for (name, values), color, mark in zip(laws.items(), colors, "osD^", strict=False):
        axes[0].plot(distance, values, mark + "-", color=color, ms=4, lw=1, label=name)
    axes[0].set(xscale="log", yscale="log", xlabel="distance from the critical\nkurtosis, $|k-3|$")
    axes[0].legend(loc="center left", bbox_to_anchor=(0.02, 0.52), labelspacing=0.3)
    inset = axes[1].inset_axes((0.66, 0.17, 0.33, 0.36))
    for x, (importance, values), color in shaded(curves, "flare_r"):
        axes[1].plot(scaled, values, color=color, lw=1.5, label=f"{x:g}")
        inset.plot(importance, values, color=color, lw=1.2)
    inset.set(xticks=(1,), yticks=(0, 1), ylabel="$C_1$", xlabel="$V$")
    inset.tick_params(labelsize=8)
    axes[1].plot(scaled, limit, color=BLACK, lw=1.1, ls="--", label="limit")
    axes[1].set(xlabel="scaled importance,\n$(V-1)/(k-3)$", ylabel="capacity, $C_1$")
    axes[1].legend(title="$k-3$", loc="upper left", handlelength=1.4)
    return fig
