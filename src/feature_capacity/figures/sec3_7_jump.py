"""Figures of the page on the jump at equal importances: the zoom, and the foot before it."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .._style import BLACK, MUTED, book_style
from .maps import CHANCE, VARIED
from .nonlinearities import ACTIVATION_COLORS
from .panels import HALVES, note, plain_ticks

Lines = Sequence[tuple[float, np.ndarray]]
"""Feature probabilities, each with capacities along the axis of importance."""


@book_style
def zoom(importance: np.ndarray, curves: Mapping[str, Lines], near: float) -> Figure:
    """Capacity against importance: the whole slope above, the jump at V = 1 below.

    ``curves`` maps a nonlinearity to its lines; ``near`` is how far the lower panels reach on
    either side of 1.
    """
    n = len(curves)
    fig, axes = plt.subplots(2, n, figsize=(1.65 * n + 0.6, 4.9), sharey=True, squeeze=False)
    shades = plt.get_cmap("viridis")
    for column, (name, lines) in zip(axes.T, curves.items(), strict=True):
        for i, (p, capacity) in enumerate(lines):
            color = shades(0.9 * i / max(1, len(lines) - 1))
            column[0].plot(importance, capacity, color=color, lw=1.5, label=f"{p:g}")
            close = np.abs(importance - 1) <= 1.001 * near  # 1.03 - 1 is more than 0.03
            column[1].plot(importance[close], capacity[close], ".-", color=color, lw=1.2, ms=4)
        column[0].set_title(name, color=ACTIVATION_COLORS[name])
        column[0].set(xscale="log", ylim=(-0.03, 1.03))
        column[0].set_yticks(*HALVES)
        plain_ticks(column[0].xaxis, (0.5, 1, 2), minor=True)
        # Well inside, where numbers of neighboring panels do not meet.
        inside = round(2 * near / 3, 2)
        plain_ticks(column[1].xaxis, (1 - inside, 1, 1 + inside))
        column[1].set_xlim(1 - 1.1 * near, 1 + 1.1 * near)
    for ax in axes[:, 0]:
        ax.set_ylabel("capacity, $C_1$")
    _mark(axes, list(curves))
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles[::-1], labels[::-1], title=CHANCE, loc="outside upper center", ncols=n + 4)
    fig.supxlabel(f"{VARIED}  (below: a closer look)", size=10)
    return fig


def _mark(axes: np.ndarray, names: Sequence[str]) -> None:
    """Point at the foot and at the jump, in the panels where they differ most."""
    style = {"fontsize": 8.5, "color": BLACK, "arrowprops": {"arrowstyle": "->", "color": MUTED}}
    if "ReLU" in names:
        ax = axes[0, names.index("ReLU")]
        note(ax, "foot", (0.55, 0.07), (-12, 34), **style)
        note(ax, "jump", (1.0, 0.55), (-46, 10), **style)
    if "|x|" in names:
        note(axes[0, names.index("|x|")], "no foot", (0.55, 0.01), (-18, 34), **style)


@book_style
def foot_and_jump(
    importance: np.ndarray,
    feet: Mapping[str, np.ndarray],
    jumps: Mapping[str, tuple[np.ndarray, np.ndarray]],
) -> Figure:
    """Left: capacities of a feature that hardly matters. Right: the size of the jump at V = 1.

    ``jumps`` maps a nonlinearity to feature probabilities and sizes; many of them make a line.
    """
    fig, axes = plt.subplots(1, 2, figsize=(6.4, 3.2))
    for name, capacity in feet.items():
        color, seen = ACTIVATION_COLORS[name], capacity > 1e-7
        if seen.any():
            axes[0].plot(importance[seen], capacity[seen], "o-", ms=4, color=color, label=name)
    _parabola(axes[0], importance, feet)
    axes[0].set(xscale="log", yscale="log", xlabel=VARIED, ylabel="capacity, $C_1$")
    plain_ticks(axes[0].xaxis, [t for t in (0.02, 0.05, 0.1, 0.2) if t >= importance[0] * 0.99])
    axes[0].legend()
    for name, (p, size) in jumps.items():
        look = "-" if len(p) > 20 else "o-"
        axes[1].plot(p, size, look, ms=4, color=ACTIVATION_COLORS[name], label=name)
    axes[1].axvline(0.6, color=MUTED, ls=":", lw=1.2, zorder=0)
    note(axes[1], "$k=3$", (0.6, 0.72), (-4, 0), fontsize=8.5, color=MUTED, ha="right")
    axes[1].set(xscale="log", xlabel=CHANCE, ylabel="jump of $C_1$ at $V=1$", ylim=(-0.03, 1.03))
    plain_ticks(axes[1].xaxis, (0.01, 0.1, 1))
    axes[1].legend(fontsize=8.5)
    return fig


def _parabola(ax: Axes, importance: np.ndarray, feet: Mapping[str, np.ndarray]) -> None:
    """A line of slope 2 beside the first of the feet."""
    first = next(iter(feet.values()))
    if first[-1] > 0:
        line = 2 * first[-1] * (importance / importance[-1]) ** 2
        ax.plot(importance, line, color=MUTED, ls=":", lw=1.2, label="slope 2")
