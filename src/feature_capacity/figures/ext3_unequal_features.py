"""Figures of the page on features that differ in kurtosis: who shares, and beside whom."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from .._style import (
    BLACK,
    BLUE,
    CAPACITY_MAP,
    FEATURE_COLORS,
    MUTED,
    ORANGE,
    PHASE_MAP,
    book_style,
    panel_letters,
)
from .panels import HALVES, Map, color_bar


@book_style
def dense_beside_sparse(
    importance: np.ndarray, capacity: np.ndarray, minimized: tuple[np.ndarray, np.ndarray]
) -> Figure:
    """Capacity of a dense feature and of each sparse one beside it, as its importance grows.

    ``capacity`` has the dense feature first; ``minimized`` holds importances and capacities that a
    minimizer found.
    """
    fig, ax = plt.subplots(figsize=(5.4, 3.2), layout="constrained")
    ax.plot(importance, capacity[:, 0], color=ORANGE, label="the dense feature")
    ax.plot(importance, capacity[:, 1], color=BLUE, label="each sparse feature")
    at, found = minimized
    look = {"mec": "white", "mew": 0.6, "ms": 5, "ls": "none", "marker": "o"}
    ax.plot(at, found[:, 0], color=ORANGE, **look)
    ax.plot(at, found[:, 1], color=BLUE, label="minimized, without theory", **look)
    shared = (capacity[:, 0] > 0) & (capacity[:, 0] < 1)
    if shared.any():
        low, high = importance[shared][[0, -1]]
        ax.axvspan(low, high, color=MUTED, alpha=0.15, lw=0)
        ax.text(low, 0.93, "it shares ", ha="right", color=BLACK, fontsize="small")
    ax.set(xlabel="importance of the dense feature", ylabel="capacity", ylim=(-0.03, 1.03))
    ax.set_yticks(*HALVES)
    ax.set_xlim(importance[0], importance[-1])
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return fig


@book_style
def losses_along_the_trade(
    share: np.ndarray, losses: Sequence[np.ndarray], heads: Sequence[str]
) -> Figure:
    """Loss against what the dense feature takes, the sparse ones sharing the rest; in panels."""
    fig, axes = plt.subplots(1, len(losses), figsize=(7.2, 2.7), layout="constrained")
    panel_letters(axes)
    for ax, loss, head in zip(axes, losses, heads, strict=True):
        ax.plot(share, loss, color=BLACK)
        best = int(np.argmin(loss))
        ax.plot(share[best], loss[best], "o", color=ORANGE, ms=7, mec="white", clip_on=False)
        ax.set(xlabel="capacity of the dense feature", title=head)
        ax.set_xticks(*HALVES)
    axes[0].set_ylabel("loss")
    return fig


@book_style
def dense_feature_map(exact: Map, phase: np.ndarray, minimized: Map) -> Figure:
    """Capacity of one feature by its importance and its own kurtosis, twice, and its phase.

    Parameters
    ----------
    exact, minimized : arrays (n_importance,), (n_kurtosis,), (n_kurtosis, n_importance)
        Importances, kurtoses and capacities; the second map may be coarser.
    phase : array (n_kurtosis, n_importance)
        Of the first map.
    """
    fig, axes = plt.subplots(1, 3, figsize=(7.2, 2.9), sharex=True, sharey=True)
    panel_letters(axes)
    looks = (CAPACITY_MAP, 0, 1), (CAPACITY_MAP, 0, 1), (PHASE_MAP, -0.5, 2.5)
    maps = exact, minimized, (*exact[:2], phase)
    for ax, picture, (colors, low, high) in zip(axes, maps, looks, strict=True):
        image = ax.pcolormesh(*picture, cmap=colors, vmin=low, vmax=high)
        ax.axhline(3, color="white", lw=1, ls="--")
        ax.set(xlabel="its importance", yscale="log")
        ax.set_yticks([1.5, 2, 3, 5, 10, 30], ["1.5", "2", "3", "5", "10", "30"])
        ax.minorticks_off()
        if ax is axes[1]:
            bar = color_bar(image, ax)
            bar.set_ticks(*HALVES[:1], labels=HALVES[1])
        elif ax is axes[2]:
            color_bar(image, ax).set_ticks([0, 1, 2], labels=["ignored", "shares", "whole"])
    for ax, head in zip(axes, ("capacity, exact", "minimized", "phase, exact"), strict=True):
        ax.set_title(head, loc="left", weight="normal")
    axes[0].set_ylabel("kurtosis of the feature")
    return fig


@book_style
def random_rows(heaviness: np.ndarray, share: np.ndarray) -> Figure:
    """Random problems: heaviness of the dense feature against what it takes."""
    fig, ax = plt.subplots(figsize=(5.0, 3.1), layout="constrained")
    ax.scatter(heaviness, share, s=10, color=FEATURE_COLORS[0], alpha=0.6, lw=0)
    ax.axvline(1, color=BLACK, lw=1, ls="--")
    ax.text(1, 1.02, "as heavy as all others that share", fontsize="small")
    ax.set(xscale="log", xlabel="heaviness of the dense one / of the others", ylim=(0, 1))
    ax.set_xlim(left=0.7)
    ax.set_ylabel("its capacity")
    ax.set_yticks(*HALVES)
    return fig
