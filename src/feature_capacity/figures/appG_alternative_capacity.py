"""Figures of Appendix G: the alternative capacity beside the first one."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np

from .._style import BLACK, BLUE, FEATURE_COLORS, MUTED, book_style
from .panels import legend_above, lettered


@book_style
def two_capacities(
    transposed: np.ndarray, best: np.ndarray, efficient: tuple[np.ndarray, np.ndarray]
) -> plt.Figure:
    """Squared correlation of each feature with two linear readouts of the embedding.

    Parameters
    ----------
    transposed, best, efficient : arrays (n,), (n,), pair of arrays (m,)
        Readout by the transpose of W and best readout, for many random and efficient embeddings.
    """
    fig, ax = plt.subplots(figsize=(4.6, 4.4))
    ax.plot([0, 1], [0, 1], color=BLACK, lw=1, label="equal")
    ax.plot(transposed, best, "o", color=MUTED, ms=3.5, alpha=0.5, mew=0, label="random $W$")
    ax.plot(*efficient, "D", color=BLUE, ms=5, mfc="white", label="efficient $W$")
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    ax.set_xlabel("read out by $W^T$:  $C_i$")
    ax.set_ylabel("read out as well as possible:  $\\tilde C_i$")
    ax.legend(loc="lower right")
    return fig


@book_style
def ratio_floor(
    condition: np.ndarray, ratio: np.ndarray, x: np.ndarray, floor: np.ndarray
) -> plt.Figure:
    """Ratio of the two capacities against the condition number, above its floor.

    Parameters
    ----------
    condition, ratio : arrays (n,)
        Condition number of W W^T, and one feature's ratio.
    x, floor : arrays (m,)
    """
    fig, ax = plt.subplots(figsize=(5.8, 3.6))
    ax.fill_between(x, 0, floor, color="#e8ebef", lw=0)
    ax.plot(condition, ratio, ".", color=BLUE, ms=4, alpha=0.4, mew=0, rasterized=True)
    ax.plot(x, floor, color=BLACK, lw=1.8)
    ax.set(xscale="log", xlim=(1, x[-1]), ylim=(0, 1.02), xticks=[1, 10, 100])
    ax.xaxis.set_major_formatter("{x:g}")
    ax.text(1.25, 0.2, "no feature can be here", color=MUTED)
    ax.set_xlabel(r"condition number $\kappa$ of $WW^T$  (1: evenly spread)")
    ax.set_ylabel(r"$C_i\,/\,\tilde C_i$")
    return fig


@book_style
def tangency(
    t: np.ndarray, both: Sequence[np.ndarray], steps: np.ndarray, gaps: Sequence[np.ndarray]
) -> plt.Figure:
    """The two capacities touch at an efficient embedding, and part quadratically.

    Parameters
    ----------
    t : array (n,)
    both : pair of arrays (n, n_features)
        Both capacities along one line through an efficient embedding at t = 0.
    steps : array (m,)
    gaps : pair of arrays (m, n_features)
        Their difference at distance t, and its leading term.
    """
    fig, (left, right) = lettered(1, 2, figsize=(7.0, 3.6))
    (capacity, alternative), (gap, predicted) = both, gaps
    for i, color in zip(range(capacity.shape[1]), FEATURE_COLORS, strict=False):
        left.plot(t, capacity[:, i], color=color)
        left.plot(t, alternative[:, i], color=color, ls=(0, (3, 1.5)))
        right.loglog(steps, predicted[:, i], color=color, lw=1.2)
        right.loglog(steps, gap[:, i], "o", color=color, ms=4)
    left.axvline(0, color=MUTED, lw=0.8, zorder=0)
    left.plot([], [], color=BLACK, label="$C_i$")
    left.plot([], [], color=BLACK, ls=(0, (3, 1.5)), label=r"$\tilde C_i$")
    left.set(xlim=(t[0], t[-1]), ylim=(0, 1.02))
    left.set(xlabel="distance $t$ from an efficient embedding", ylabel="part of one dimension")
    right.plot([], [], "o", color=BLACK, ms=4, label="measured")
    right.plot([], [], color=BLACK, lw=1.2, label="formula")
    right.set(xlabel="distance $t$", ylabel=r"gap $\tilde C_i - C_i$")
    for ax in (left, right):
        legend_above(ax, ncols=2)
    return fig


@book_style
def rank_jump(t: np.ndarray, both: Sequence[tuple[np.ndarray, np.ndarray]]) -> plt.Figure:
    """Both capacities along a path of embeddings whose rank drops at one point.

    Parameters
    ----------
    t : array (n,)
        Without 0.
    both : two pairs of arrays (n, n_features), (n_features,)
        Either capacity at these places, and at t = 0.
    """
    fig, axes = plt.subplots(1, 2, figsize=(6.8, 3.3), sharex=True, sharey=True)
    heads = ("capacity $C_i$", r"alternative capacity $\tilde C_i$")
    for ax, (values, point), head in zip(axes, both, heads, strict=True):
        for i, color in zip(range(values.shape[1]), FEATURE_COLORS, strict=False):
            for side in (t < 0, t > 0):
                ax.plot(t[side], values[side, i], color=color)
            limit = values[np.argmin(abs(t)), i]
            if abs(limit - point[i]) > 0.01:
                ax.plot(0, limit, "o", color=color, mfc="white", ms=7, zorder=3)
                ax.plot([0, 0], [limit, point[i]], color=color, lw=0.8, ls=":")
            ax.plot(0, point[i], "o", color=color, ms=7, zorder=4)
        ax.set(title=head, xlim=(t[0], t[-1]), ylim=(-0.02, 1.02), xlabel="$t$")
    axes[0].set_ylabel("part of one dimension")
    return fig
