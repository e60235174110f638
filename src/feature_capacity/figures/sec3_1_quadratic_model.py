"""Figures of sections 3.1 to 3.4: the loss, what it trades, and who gets capacity."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from .._style import (
    BLACK,
    BLUE,
    FEATURE_COLORS,
    HALLUCINATED_COLOR,
    MUTED,
    TRUE_COLOR,
    book_style,
    pair_matrix,
)
from .panels import HALVES, POINTER, Pairs, centered, color_bar, lettered, plain_ticks, shaded

_HALO = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.85}


@book_style
def sampling_funnel(
    size: np.ndarray, ratio: Mapping[str, np.ndarray], error: Mapping[str, np.ndarray]
) -> plt.Figure:
    """Running averages of sampled losses over the closed form, with four standard errors.

    Parameters
    ----------
    size : array (n_sizes,)
    ratio, error : dicts of arrays (n_streams, n_sizes), (n_sizes,)
        By name of distribution: sampled over closed form, and the standard error of one stream.
    """
    height = 0.4 + 2.1 * len(ratio)
    fig, axes = plt.subplots(len(ratio), figsize=(5.8, height), sharex=True, sharey=True)
    for ax, (name, lines), color in zip(axes, ratio.items(), FEATURE_COLORS, strict=False):
        ax.fill_between(size, 1 - 4 * error[name], 1 + 4 * error[name], color="#e5e7eb", lw=0)
        ax.plot(size, lines.T, color=color, lw=1, alpha=0.8)
        ax.axhline(1, color=BLACK, lw=1.2)
        ax.set(xscale="log", xlim=(size[0], size[-1]))
        ax.text(0.98, 0.93, name, transform=ax.transAxes, ha="right", va="top", color=color)
    widest = max(float(band[0]) for band in error.values())
    axes[0].set_ylim(max(0.0, 1 - 4.5 * widest), 1 + 4.5 * widest)
    axes[-1].set_xlabel("number of sampled inputs")
    plt.setp(axes, ylabel="sampled loss /\nclosed form")
    return fig


@book_style
def correlation_maps(panels: Mapping[str, tuple[np.ndarray, float, float]]) -> plt.Figure:
    """What the data and two models say about each pair of features, as matrices side by side.

    Parameters
    ----------
    panels : array (n_features, n_features) and two numbers, by head
        The diagonal of importances for the data, or the Gram matrix of a model; the missed and
        the hallucinated part of its loss, as fractions of the variance of the target, which are
        not written where both are 0.
    """
    fig, axes = plt.subplots(1, len(panels), figsize=(6.6, 3.1), sharey=True)
    limit = max(float(np.abs(matrix).max()) for matrix, _, _ in panels.values())
    for ax, (head, (matrix, missed, hallucinated)) in zip(axes, panels.items(), strict=True):
        image = pair_matrix(ax, matrix, limit)
        ax.set(title=head, xlabel="feature $j$")
        if missed + hallucinated > 0:
            parts = f"missed {missed:.1%}\nhallucinated {hallucinated:.1%}"
            ax.text(0.5, -0.24, parts, transform=ax.transAxes, ha="center", va="top")
    axes[0].set_ylabel("feature $i$")
    label = r"$v_i\delta_{ij}$  or  $w_i\cdot w_j$"
    color_bar(image, axes, label, shrink=0.62, pad=0.02, aspect=14)
    return fig


@book_style
def loss_terms_against_kurtosis(
    kurtosis: np.ndarray, missed: np.ndarray, hallucinated: np.ndarray, alone: np.ndarray
) -> plt.Figure:
    """Two terms of the loss of the shared embedding, against the loss of leaving features out.

    Parameters
    ----------
    kurtosis : array (n,)
    missed, hallucinated : arrays (n,)
        Fractions of the variance of the target, with features sharing at the best lengths.
    alone : array (n,)
        The same for one dimension each for as many features as fit, the others ignored.
    """
    fig, ax = plt.subplots(figsize=(5.8, 3.6))
    total = missed + hallucinated
    ax.fill_between(kurtosis, 0, missed, color=TRUE_COLOR, alpha=0.85, lw=0)
    ax.fill_between(kurtosis, missed, total, color=HALLUCINATED_COLOR, alpha=0.85, lw=0)
    ax.plot(kurtosis, alone, color=BLACK, ls="--")
    ax.axvline(3, color=MUTED, lw=1, ls=":")
    ax.set_xscale("log")
    plain_ticks(ax.xaxis, [1, 2, 3, 5, 10, 20, 50])
    ax.yaxis.set_major_formatter("{x:.0%}")
    ax.set(xlim=(kurtosis[0], kurtosis[-1]), ylim=(0, 1))
    ax.set(xlabel="kurtosis $k$ of a feature", ylabel="loss, part of Var[$y$]")
    right = kurtosis[-1] * 0.94
    ax.text(right, alone[-1] + 0.02, "some kept, the others left out", ha="right", va="bottom")
    # Where the bands are as wide as the words, and below the dashed line.
    dense, wide, sparse = np.searchsorted(kurtosis, (1.55, 7.2, 6))
    ax.text(kurtosis[dense], missed[dense] / 2, "missed", color="white", weight="bold", ha="center")
    # Not in white, which would be hard to read on orange.
    height = (missed[wide] + total[wide]) / 2
    centered(ax, kurtosis[wide], height, "hallucinated", weight="bold")
    spot = (kurtosis[sparse], total[sparse])
    style = {"arrowprops": POINTER, "bbox": _HALO, "va": "bottom"}
    ax.annotate("all features share", spot, (16, 12), textcoords="offset points", **style)
    return fig


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
        centered(ax, capacity[near], curve[near], f"$k={k:g}$", bbox={**_HALO, "alpha": 1})
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
