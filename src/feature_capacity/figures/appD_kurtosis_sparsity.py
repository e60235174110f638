"""Figures of Appendix D: the fourth moment of sparse features."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np

from .._style import BLACK, BLUE, FEATURE_COLORS, PHASE_COLORS, book_style
from .panels import Arrays, dot, legend_above, note, plain_ticks


@book_style
def sparse_features(
    x: np.ndarray, density: Sequence[np.ndarray], p: Sequence[float], kurtosis: Sequence[float]
) -> plt.Figure:
    """Distribution of a sparse uniform feature of unit variance as it gets sparser.

    Parameters
    ----------
    x : array (n_points,)
    density : arrays (n_points,)
        Of the active part, weighted by p; one per panel.
    p, kurtosis : floats, one per panel
    """
    fig, axes = plt.subplots(1, len(p), figsize=(6.6, 2.6), sharex=True, sharey=True)
    top = 1.25 * max(part.max() for part in density)
    for ax, part, active, k in zip(axes, density, p, kurtosis, strict=True):
        ax.fill_between(x, part, color=BLUE, alpha=0.35, lw=0, step="mid")
        ax.step(x, part, color=BLUE, lw=1.4, where="mid")
        if active < 1:
            ax.plot([0, 0], [0, top], color=BLACK, lw=2.2)
            ax.text(0.45, 0.88 * top, f"zero: {1 - active:.0%}", fontsize=10, color=BLACK)
        ax.set_title(f"$p$ = {active:g},  $k$ = {k:.3g}")
        ax.set(ylim=(0, top), xlim=(x[0], x[-1]), xlabel="value $x$")
    axes[0].set_ylabel("probability density\nof active values")
    return fig


@book_style
def kurtosis_lines(
    p: np.ndarray,
    lines: Arrays[str],
    critical: Mapping[str, float],
    least: Mapping[float, float],
) -> plt.Figure:
    """Fourth moment against feature probability for several shapes of the active value.

    Parameters
    ----------
    p : array (n,)
    lines : arrays (n,) by name
    critical : floats by name
        Feature probability at which the fourth moment is 3, where there is one up to 1.
    least : floats by feature probability
        The least fourth moment of any distribution, drawn as crosses.
    """
    fig, ax = plt.subplots(figsize=(6.6, 4.5))
    top = 70
    ax.axhspan(3, top, color=PHASE_COLORS[1], alpha=0.1, lw=0)
    ax.fill_between(p, 0.8, 1 / p, color="#d7dbe0", lw=0)
    ax.axhline(3, color=BLACK, lw=1, ls="--")
    for (name, k), color in zip(lines.items(), FEATURE_COLORS, strict=False):
        ax.plot(p, k, color=color, label=name)
        if name in critical:
            at, style = (critical[name], 3), {"color": color, "weight": "bold"}
            dot(ax, *at, color, 8, mew=1, zorder=4)
            note(ax, f"{critical[name]:.2g}", at, (-3, -8), ha="right", va="top", **style)
    ax.plot(list(least), list(least.values()), "x", color=BLACK, ms=8, mew=1.6, zorder=6)
    ax.text(0.96, 45, "superposition pays: $k>3$", ha="right", fontsize=10)
    ax.text(1.2 * p[0], 1.3, "no distribution is here: $k<1/p$", fontsize=10)
    ax.set(xscale="log", yscale="log", xlim=(p[0], 1), ylim=(0.8, top))
    plain_ticks(ax.xaxis, (0.05, 0.1, 0.2, 0.5, 1), minor=True)
    plain_ticks(ax.yaxis, (1, 3, 10, 30), minor=True)
    ax.set_xlabel("feature probability $p$   (sparse on the left)")
    ax.set_ylabel(r"fourth moment $k=\mathbb{E}[x^4]$")
    legend_above(ax, ncols=3, bbox_to_anchor=(0.48, 1.0), columnspacing=1.4)
    return fig


@book_style
def off_center(p: np.ndarray, lines: Arrays[str]) -> plt.Figure:
    """Standardized fourth moment against feature probability when active values are not centered.

    Parameters
    ----------
    p : array (n,)
    lines : arrays (n,) by name
    """
    fig, ax = plt.subplots(figsize=(5.8, 3.3))
    for (name, k), color in zip(lines.items(), FEATURE_COLORS, strict=False):
        ax.plot(p, k, color=color, label=name)
    ax.axhline(3, color=BLACK, lw=1, ls="--")
    ax.set(yscale="log", xlim=(0, 1), ylim=(0.8, 40))
    plain_ticks(ax.yaxis, (1, 3, 10, 30), minor=True)
    ax.set(xlabel="feature probability $p$", ylabel="standardized fourth moment")
    ax.legend(loc="upper center")
    return fig
