"""Figures of chapter 5: who gets capacity, and the angles of small and large blocks."""

import matplotlib.pyplot as plt
import numpy as np

from .._style import BLACK, MUTED, PHASE_COLORS, book_style
from ..theory.allocation import Allocation
from .maps import PHASE_LOOK, cells, phase_patches
from .panels import Arrays, lettered


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
