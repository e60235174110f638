"""Figures of the page on a blog post: sizes of blocks, widths by kurtosis, penalties."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from .._style import LIGHT, MUTED, book_style
from .nonlinearities import ACTIVATION_COLORS, Curves, curves_by_model, key_of_curves
from .panels import plain_ticks


@book_style
def secondary_claims(
    sizes: Mapping[str, Mapping[str, float]], kurtosis: np.ndarray, widths: Mapping[str, np.ndarray]
) -> Figure:
    """Left: mean block size by model and nonlinearity. Right: width of the band by kurtosis."""
    fig, axes = plt.subplots(1, 2, figsize=(5.8, 3.2), width_ratios=(1, 1.25))
    for values, shift, alpha in zip(sizes.values(), (-0.2, 0.2), (1, 0.45), strict=True):
        colors = [ACTIVATION_COLORS[name] for name in values]
        style = {"color": colors, "edgecolor": "white", "alpha": alpha}
        axes[0].bar(np.arange(len(values)) + shift, list(values.values()), 0.38, **style)
    axes[0].set_xticks(range(len(values)), list(values), rotation=30)
    axes[0].set_ylabel("features in the largest block")
    highest = max(max(values.values()) for values in sizes.values())
    axes[0].set_ylim(0, 1.4 * highest)  # room for the key
    shades = [Patch(color=MUTED, alpha=alpha) for alpha in (1, 0.45)]
    axes[0].legend(shades, list(sizes), loc="upper center", fontsize=8.5, handlelength=1.2)
    for name, width in widths.items():
        axes[1].plot(kurtosis, width, "o-", color=ACTIVATION_COLORS[name], ms=3.5, label=name)
    axes[1].set(xscale="log", xlabel="kurtosis, $k$", ylabel="width of the band (decades of $V$)")
    plain_ticks(axes[1].xaxis, (3, 10, 100, 1000), minor=True)
    axes[1].legend(handlelength=1.2)
    return fig


@book_style
def penalties(strengths: np.ndarray, sizes: Curves, rises: Curves) -> Figure:
    """Largest blocks, and relative losses, against the strength of a penalty on overlap.

    The first of the increasing ``strengths`` is 0 and has a place of its own, left of the
    logarithmic axis.
    """
    fig, axes = plt.subplots(1, 2, figsize=(6.2, 3.3))
    step = strengths[2] / strengths[1]
    x = np.append(strengths[1] / step**2, strengths[1:])
    for ax, curves in zip(axes, (sizes, rises), strict=True):
        ax.axvspan(x[0] / step, x[0] * step, color=LIGHT, alpha=0.5, lw=0, zorder=0)
        curves_by_model(ax, x, curves, marker="o", ms=3.5)
    axes[0].set(ylabel="features in the largest block", ylim=(0.8, None))
    axes[1].set(ylabel="loss, relative to no penalty", yscale="log")
    decades = [t for t in (1e-4, 1e-3, 1e-2, 1e-1, 1, 10) if x[1] <= 1.01 * t <= 1.03 * x[-1]]
    for ax in axes:
        ax.set(xscale="log", xlim=(x[0] / step, x[-1] * step**0.5))
        ax.minorticks_off()
        ax.set_xticks([x[0], *decades], ["0", *(f"{t:g}" for t in decades)])
    most = max(np.max(values) for values in rises.values())
    ticks = [r for r in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if r <= max(2, 1.2 * most)]
    axes[1].set_yticks(ticks, [f"{r:g}" for r in ticks])
    fig.supxlabel("penalty, in losses of an empty network", size=10)
    key_of_curves(fig, sizes)
    return fig
