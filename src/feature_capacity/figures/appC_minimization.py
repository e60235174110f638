"""Figures of Appendix C: the shape of the loss, and who finds its minimum."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from .._style import BLACK, FEATURE_COLORS, MUTED, ORANGE, book_style
from .panels import Pairs, Triples, color_bar, lettered, note, shaded, titled

_LOSS_MAP = sns.color_palette("crest", as_cmap=True)


@book_style
def valleys(
    capacity: np.ndarray, sq_norm: np.ndarray, panels: Mapping[str, tuple[np.ndarray, ...]]
) -> plt.Figure:
    """One feature's loss over capacity and length, and along a straight path between two points.

    Parameters
    ----------
    panels : arrays (n_lengths, n_capacities), (n_capacities,), (2, 2), (n_steps,), by head
        The loss; the best squared length for each capacity; the two ends of a path, each as
        capacity and squared length; and the loss at even steps on it.
    """
    fig, axes = plt.subplots(2, len(panels), figsize=(7.2, 4.9), sharex="row", sharey="row")
    levels = np.linspace(0, 1.2, 13)
    shown = zip(titled(axes[0], panels), axes[1], strict=True)
    for (ax, (loss, best, path, heights)), below in shown:
        ax.contourf(capacity, sq_norm, loss, levels=levels, cmap=_LOSS_MAP, extend="max")
        ax.contour(capacity, sq_norm, loss, levels=levels[1:], colors="white", linewidths=0.5)
        ax.plot(capacity, best, color=BLACK, lw=3.6)
        ax.plot(capacity, best, color="#fff3b0", lw=2.4)
        ax.plot(*path.T, "o--", color=ORANGE, ms=5, lw=1.6)
        ax.set_xticks([0.25, 0.5, 0.75, 1], ["0.25", "0.5", "0.75", "1"])
        ax.set_xlabel("capacity $C$")
        t = np.linspace(0, 1, len(heights))
        chord = heights[0] + t * (heights[-1] - heights[0])
        below.fill_between(t, chord, heights, color="#f4d9b8", lw=0)
        below.plot(t, chord, color=MUTED, lw=1, ls=":")
        below.plot(t, heights, color=ORANGE, ls="--", lw=1.6)
        below.plot(t[[0, -1]], heights[[0, -1]], "o", color=ORANGE, ms=5)
        below.set_xlabel("way along the dashed path")
    axes[0, 0].set_ylabel("squared length $n$")
    axes[1, 0].set_ylabel(r"loss $/\,(k-1)$")
    return fig


@book_style
def triangles(corners: np.ndarray, points: np.ndarray, panels: Pairs[str]) -> plt.Figure:
    """The loss over all ways in which three features can share one dimension.

    Parameters
    ----------
    corners : array (3, 2)
        Where the triangle's corners are drawn; corner i gives all capacity to feature i.
    points : array (n, 3)
        Capacities.
    panels : arrays (n,), (3,), by head
        The loss from 0 to 1, and the optimum.
    """
    fig, axes = plt.subplots(2, 2, figsize=(6.4, 5.7))
    x, y = (points @ corners).T
    for ax, (head, (loss, optimum)) in zip(axes.flat, panels.items(), strict=True):
        image = ax.tricontourf(x, y, loss, levels=np.linspace(0, 1, 21), cmap=_LOSS_MAP)
        thin = {"colors": "white", "linewidths": 0.6}
        ax.tricontour(x, y, loss, levels=np.linspace(0.05, 0.95, 10), **thin)
        ax.plot(*corners[[0, 1, 2, 0]].T, color=BLACK, lw=1)
        ax.plot(*(optimum @ corners), "*", color="#fff3b0", mec=BLACK, ms=16, clip_on=False)
        for i, (corner, ha) in enumerate(zip(corners, ("center", "left", "right"), strict=True)):
            shift, va = (10, "bottom") if ha == "center" else (-7, "top")
            style = {"ha": ha, "va": va, "fontsize": 9, "color": FEATURE_COLORS[i]}
            note(ax, f"feature {i + 1}", corner, (0, shift), **style)
        ax.text(-0.02, 1.0, head, transform=ax.transAxes, va="top", fontsize=11)
        ax.set_aspect("equal")
        ax.axis("off")
    bar = color_bar(image, axes, "loss in this panel", shrink=0.55, pad=0.03, aspect=18)
    bar.set_ticks([0, 1], labels=["least", "most"])
    return fig


@book_style
def optimizers_on_ramps(
    scale: np.ndarray, ramps: Pairs[str], generic: Triples[str], direct: Triples[str]
) -> plt.Figure:
    """Capacity and length over importance in units of the multiplier: lines and what was found.

    Parameters
    ----------
    ramps : (capacity, length) by kurtosis, over ``scale``
    generic, direct : (importance, capacity, length) by kurtosis
        Found by two optimizers; importance and length in units of the multiplier.
    """
    fig, axes = lettered(2, 1, figsize=(5.8, 5.4), sharex=True)
    for name, lines, color in shaded(ramps):
        for ax, line, column in zip(axes, lines, (1, 2), strict=True):
            ax.plot(scale, line, color=color, lw=1.6, label=name)
            ax.plot(generic[name][0], generic[name][column], "o", ms=6.5, mfc="none", mec=color)
            ax.plot(direct[name][0], direct[name][column], "x", ms=4, color=color)
    for marker, name in (("o", "generic optimizer"), ("x", "minimized over $W$")):
        axes[0].plot([], [], marker, color=MUTED, mfc="none", label=name)
    axes[0].legend(loc="lower right", bbox_to_anchor=(1.0, 0.02))
    axes[0].set_ylabel("capacity $C_i$")
    axes[1].set(ylabel=r"squared length $n_i/\lambda$", xlabel=r"importance $v_i/\lambda$")
    axes[1].set(xlim=(scale[0], scale[-1]))
    return fig
