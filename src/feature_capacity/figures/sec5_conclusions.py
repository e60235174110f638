"""Figures of chapter 5: the paper's result in one picture, and all verdicts at a glance."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Patch

from .._style import BLACK, LIGHT, MUTED, PHASE_COLORS, book_style
from ..theory.allocation import Allocation
from .maps import PHASE_LOOK, cells, phase_patches
from .panels import Arrays, legend_above, lettered

_VERDICT_COLORS = {
    "agrees": "#2b6ca3",
    "differs": "#d9822b",
    "not applicable": "#9aa5b1",
    "not checked": "#b3261e",
    "not attempted": LIGHT,
}


@book_style
def three_fates(
    importance: np.ndarray, found: Allocation, probability: np.ndarray, phases: np.ndarray
) -> plt.Figure:
    """Capacities of many features, and the phase of each of them for every sparsity."""
    fig, (left, right) = lettered(1, 2, figsize=(6.8, 3.6))
    for code, ink in PHASE_COLORS.items():
        some = found.phase == code
        left.plot(importance[some], found.capacity[some], "o", color=ink, ms=4, mew=0)
    left.set(xscale="log", xlabel="importance $v_i$", ylabel="capacity $C_i$", ylim=(-0.03, 1.03))
    cells(right, importance, probability, phases, **PHASE_LOOK)
    right.set(xlabel="importance $v_i$", ylabel="probability $p$ that a feature is active")
    fig.legend(handles=phase_patches(), loc="outside upper center", ncols=3, handlelength=1)
    return fig


@book_style
def block_geometry(cosines: Arrays[str]) -> plt.Figure:
    """Angles between all pairs of features, one line for each embedding."""
    fig, ax = plt.subplots(figsize=(6.4, 0.62 * len(cosines) + 1.0))
    for y, cosine in enumerate(cosines.values()):
        ax.plot(cosine, np.full(len(cosine), -y), "|", color=BLACK, ms=13, mew=1.1, alpha=0.6)
        ax.axhline(-y, color=MUTED, lw=0.5, zorder=0)
    ax.set(xlim=(-0.02, 1.02), ylim=(0.6 - len(cosines), 0.6))
    ax.set(xlabel="cosine between two features, without sign", ylabel="features in dimensions")
    ax.set_yticks(-np.arange(len(cosines)), list(cosines))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    return fig


@book_style
def verdicts_at_a_glance(statuses: Mapping[str, Sequence[str]], per_line: int = 40) -> plt.Figure:
    """One square for every claim, by section, colored by its verdict."""
    lines = [
        (section if start == 0 else "", found[start : start + per_line])
        for section, found in statuses.items()
        for start in range(0, len(found), per_line)
    ]
    fig, ax = plt.subplots(figsize=(6.8, 0.2 * len(lines) + 0.6))
    for y, (_, found) in enumerate(lines):
        for x, status in enumerate(found):
            ax.add_patch(plt.Rectangle((x, -y), 0.84, 0.8, color=_VERDICT_COLORS[status], lw=0))
    ax.set(xlim=(-0.2, per_line), ylim=(-len(lines) + 0.8, 1.0), aspect="equal", xticks=[])
    ax.set_yticks(0.4 - np.arange(len(lines)), [section for section, _ in lines], fontsize=9)
    ax.tick_params(axis="y", length=0)
    ax.spines[:].set_visible(False)
    present = {status for found in statuses.values() for status in found}
    names = [Patch(color=ink, label=s) for s, ink in _VERDICT_COLORS.items() if s in present]
    # Above the squares themselves: their aspect is fixed, and the figure may be higher.
    legend_above(ax, handles=names, ncols=len(names), handlelength=1)
    return fig
