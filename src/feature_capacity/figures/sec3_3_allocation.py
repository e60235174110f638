"""Figures of sections 3.3 and 3.4: the loss of one feature, and who gets capacity."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from .._style import BLACK, BLUE, MUTED, book_style
from .panels import HALVES, POINTER, Pairs, centered, lettered, plain_ticks, shaded

_HALO = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 1}


@book_style
def envelope(
    capacity: np.ndarray, panels: Mapping[float, tuple[np.ndarray, np.ndarray, np.ndarray]]
) -> plt.Figure:
    """Loss of one feature against its capacity: at several fixed lengths, and at the best length.

    Parameters
    ----------
    capacity : array (n,)
    panels : arrays (n_lengths, n), (n,), (2, n_lengths), by kurtosis
        Losses at fixed lengths and at the best; where the two touch, as capacities and losses.
    """
    fig, axes = plt.subplots(1, len(panels), figsize=(6.8, 2.9), sharey=True)
    bends = {-1: "concave", 0: "straight", 1: "convex"}
    for ax, (k, (family, low, touching)) in zip(axes, panels.items(), strict=True):
        ax.plot(capacity, family.T, color="#b6bdc6", lw=0.9)
        ax.plot(capacity, low, color=BLUE, lw=2.6)
        ax.plot(*touching, "o", color=BLUE, ms=4.5, mfc="white", mew=1.4)
        ax.set_title(f"$k = {k:g}$: {bends[int(np.sign(k - 3))]}", weight="normal")
        ax.set_xticks(*HALVES)
        ax.set(xlim=(0, 1), ylim=(0, 1.15), xlabel="capacity $C_i$")
    axes[0].yaxis.set_major_formatter("{x:.0%}")
    axes[0].set_ylabel("loss of feature $i$,\npart of loss when ignored")
    return fig


@book_style
def marginal_curves(capacity: np.ndarray, curves: Mapping[float, np.ndarray]) -> plt.Figure:
    """Marginal benefit of capacity at the best length, for several kurtoses.

    Parameters
    ----------
    capacity : array (n,)
    curves : arrays (n,), by kurtosis
        In units of the squared importance.
    """
    fig, ax = plt.subplots(figsize=(5.6, 3.9))
    near = int(0.06 * len(capacity))
    for k, curve, color in shaded(curves):
        ax.plot(capacity, curve, color=color)
        centered(ax, capacity[near], curve[near], f"$k={k:g}$", bbox=_HALO)
    ax.plot(1, curve[-1], "o", color=BLACK, ms=6, zorder=3, clip_on=False)
    end, pointer = (1, curve[-1]), {**POINTER, "shrinkB": 6}
    ax.annotate("all end here", end, (0.98, 0.35), ha="right", va="center", arrowprops=pointer)
    centered(ax, 0.72, 40, "falling:\nfeatures share", color=MUTED)
    centered(ax, 0.72, 0.16, "rising:\nwinners take all", color=MUTED)
    ax.set_yscale("log")
    plain_ticks(ax.yaxis, [0.1, 0.3, 1, 2, 5, 10, 30, 100, 300])
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "¼", "½", "¾", "1"])
    ax.set(xlim=(0, 1), xlabel="capacity $C_i$ of the feature")
    ax.set_ylabel("marginal benefit  $-\\partial\\mathcal{L}/\\partial C_i$,  in $v_i^2$")
    return fig


@book_style
def ramps_and_lengths(importance: np.ndarray, ramps: Pairs[float]) -> plt.Figure:
    """Optimal capacity and squared length of a feature against its importance.

    Parameters
    ----------
    importance : array (n,)
        In units of the multiplier.
    ramps : pairs of arrays (n,), by kurtosis
        Capacities, and squared lengths in units of the multiplier too.
    """
    fig, (top, low) = lettered(2, 1, figsize=(5.6, 5.6), sharex=True)
    curves = shaded(ramps)
    for k, (C, n), color in curves:
        name = rf"$k\leq{k:g}$" if k <= 3 else f"$k={k:g}$"
        top.plot(importance, C, color=color, label=name)
        low.plot(importance, n, color=color)
    low.plot(importance, importance, color=MUTED, lw=1, ls="--", zorder=0)
    low.text(1.27, 1.31, "$n_i=v_i$", color=MUTED, ha="right", va="bottom")
    k, (_, n), color = curves[len(curves) // 2]
    low.fill_between(importance, n, importance, color=color, alpha=0.12, lw=0)
    shorter = f"embedded shorter\nthan asked ($k={k:g}$)"
    low.annotate(shorter, (0.58, 0.36), (0.22, 0.95), ha="center", arrowprops=POINTER)
    for ax in (top, low):
        ax.axvline(1, color=MUTED, lw=0.8, ls=":")
    top.legend(loc="upper left", handlelength=1.2)
    top.set(ylim=(-0.02, 1.08), ylabel="capacity $C_i$")
    low.set(ylim=(-0.03, None), ylabel=r"squared length $n_i\,/\,\lambda$")
    low.set_xlabel(r"importance over multiplier, $v_i\,/\,\lambda$")
    low.set_xlim(importance[0], importance[-1])
    return fig


@book_style
def stacked_capacities(
    kurtosis: np.ndarray, capacity: np.ndarray, importance: np.ndarray, marked: float
) -> plt.Figure:
    """Optimal capacities of a set of features, stacked, as the kurtosis rises.

    Parameters
    ----------
    kurtosis : array (n,)
    capacity : array (n, n_features)
    importance : array (n_features,)
        In descending order.
    marked : float
        A kurtosis to mark.
    """
    fig, ax = plt.subplots(figsize=(5.8, 3.9))
    colors = sns.color_palette("crest_r", n_colors=capacity.shape[1])
    ax.stackplot(kurtosis, capacity.T, colors=colors, ec="white", lw=0.9)
    ends = np.cumsum(capacity[-1])
    for v, end, part in zip(importance, ends, capacity[-1], strict=True):
        if part > 0.06 * ends[-1] / 3:
            ax.text(kurtosis[-1] * 1.04, end - part / 2, f"$v={v:.2g}$", va="center", clip_on=False)
    ax.axvline(3, color="white", lw=1, ls=":")
    for at, text in ((np.sqrt(3 * kurtosis[0]), "whole"), (np.sqrt(3 * kurtosis[-1]), "shared")):
        ax.text(at, 1.02, text, transform=ax.get_xaxis_transform(), ha="center", color=MUTED)
    ax.set_xscale("log")
    plain_ticks(ax.xaxis, [1, 3, 10, 30, 100, 300])
    total = round(float(ends[-1]))
    ax.set(xlim=(kurtosis[0], kurtosis[-1]), ylim=(0, total), yticks=range(total + 1))
    ax.set(xlabel="kurtosis $k$ of a feature", ylabel="capacity, stacked")
    ax.plot(marked, 0, "^", color=BLACK, ms=8, clip_on=False, zorder=4)
    return fig
