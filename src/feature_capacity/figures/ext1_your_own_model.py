"""Figures of the page on one's own model: a trained matrix, and dictionaries of known features."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .._style import BLACK, BLUE, FEATURE_COLORS, MUTED, PHASE_COLORS, book_style, panel_letters

_WHOLE = 0.99  # capacity from which a bar is drawn as monosemantic


@book_style
def against_random(capacity: np.ndarray, random: Mapping[str, np.ndarray], n_dims: int) -> Figure:
    """Sorted capacities of measured features, and of random vectors; both axes logarithmic.

    Parameters
    ----------
    capacity : array (n_features,)
    random : mapping of str to array (n_features,)
        By name.
    n_dims : int
    """
    fig, ax = plt.subplots(figsize=(6.6, 3.6))
    rank = np.arange(1, len(capacity) + 1)
    ax.axhline(1, color=BLACK, lw=1)
    ax.text(1.1, 0.9, "a dimension of its own", va="top")
    share = min(1.0, n_dims / len(capacity))
    ax.axhline(share, color=MUTED, lw=1, ls=(0, (4, 3)))
    look = {"": (BLUE, "-")} | dict(
        zip(random, ((FEATURE_COLORS[1], "-"), (FEATURE_COLORS[2], ":")), strict=False)
    )
    for name, values in {"": capacity, **random}.items():
        color, style = look[name]
        ax.plot(rank, np.sort(values)[::-1], color=color, ls=style, label=name or "measured")
    least = max(capacity[capacity > 0].min(initial=share), share * 1e-4)
    ax.set(xscale="log", yscale="log", xlim=(1, max(2, len(rank))), ylim=(least / 2, 2))
    ax.set(xlabel="features, largest capacity first", ylabel="capacity $C_i$")
    ax.text(1.1, share / 1.25, "even share", va="top", color=MUTED)
    fig.legend(loc="outside upper center", ncols=3)
    return fig


@book_style
def length_and_capacity(
    sq_norm: np.ndarray, capacity: np.ndarray, multipliers: tuple[float, float], even: float
) -> Figure:
    """Capacity against squared length, between the lines of the largest and least multiplier.

    Parameters
    ----------
    sq_norm, capacity : array (n_features,)
    multipliers : pair of float
        Least and largest eigenvalue of W W^T that is not zero.
    even : float
        The multiplier that all features would share in an efficient embedding of these lengths.
    """
    fig, ax = plt.subplots(figsize=(5.4, 3.8))
    there = capacity > 0
    n, c = sq_norm[there], capacity[there]
    cells = ax.hexbin(
        n, c, xscale="log", yscale="log", gridsize=45, mincnt=1, bins="log", cmap="mako_r"
    )
    fig.colorbar(cells, ax=ax, label="features")
    ends = np.array([n.min(), n.max()])
    look = {"color": FEATURE_COLORS[1], "lw": 1.2}
    ax.plot(ends, ends / even, **look, label="if efficient")
    for multiplier, label in zip(multipliers, ("limits", None), strict=True):
        ax.plot(ends, ends / multiplier, ls="--", **look, label=label)
    fig.legend(loc="outside upper center", ncols=2)
    ax.set(xlabel=r"squared length $n_i$", ylabel="capacity $C_i$")
    ax.set(xlim=ends * [0.8, 1.25], ylim=(c.min() / 1.6, c.max() * 1.6))
    return fig


@book_style
def dictionaries(known: np.ndarray, measured: Mapping[str, np.ndarray]) -> Figure:
    """Known capacities as bars, and those of dictionaries beside them, a panel each.

    Parameters
    ----------
    known : array (n_features,)
    measured : mapping of str to array (n_runs, n_features)
        Capacity of what stands for each feature: bars are medians, dots are runs.
    """
    fig, axes = plt.subplots(
        len(measured) + 1, 1, figsize=(6.6, 1.15 * (len(measured) + 1) + 0.6), sharex=True
    )
    panel_letters(axes)
    panels = {"known features": known[None], **measured}
    for ax, (name, values) in zip(axes, panels.items(), strict=True):
        _bars(ax, np.median(values, axis=0))
        ax.set_title(name, loc="left", weight="normal", fontsize="medium", x=0.04)
        if name in measured:
            place = np.arange(len(known))
            ax.plot(np.tile(place, len(values)), values.ravel(), "o", color=MUTED, ms=2.5)
            ax.hlines(known, place - 0.45, place + 0.45, color=BLACK, lw=1.4)
    axes[-1].set(xlabel="known feature", xticks=range(0, len(known), max(1, len(known) // 12)))
    fig.supylabel("capacity", fontsize="medium")
    return fig


def _bars(ax: Axes, values: np.ndarray) -> None:
    colors = [PHASE_COLORS[2 if c >= _WHOLE else 1] for c in values]
    ax.bar(range(len(values)), values, color=colors, width=0.8)
    ax.set(ylim=(0, 1.05), yticks=(0, 0.5, 1), xlim=(-0.6, len(values) - 0.4))
