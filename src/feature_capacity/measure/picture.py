"""Capacities of the features of any one matrix, from a handful to many thousands."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from .._style import (
    BLACK,
    BLUE,
    MUTED,
    ORANGE,
    PHASE_COLORS,
    book_style,
    pair_matrix,
    panel_letters,
)
from ..theory.allocation import PHASES
from .record import FEW, Measurement

_POINTS = 3000  # up to so many a feature is a point, beyond them a count
_LOG_FROM = 1000  # features; many thousands mostly have next to nothing, a few have a lot
_DRAWN = 2000  # points of a curve; more cannot be seen


@book_style
def capacity_overview(found: Measurement) -> Figure:
    """Capacity of each feature, capacity against length, and how features overlap.

    Few features: a bar for each, a point for each, a square for each pair.  Many: the sorted
    curve, a density, a histogram beside what random directions have.  Features that were left out
    are not drawn.
    """
    there = found.phase >= 0
    capacity, length, phase = found.capacity[there], found.length[there], found.phase[there]
    fig, (first, second, third) = plt.subplots(1, 3, figsize=(10.5, 3.7))
    few = len(capacity) <= FEW
    even_share = min(1.0, found.n_dims / len(capacity))
    panel_letters((first, second, third), "ABC")
    colors = np.array([PHASE_COLORS[code] for code in sorted(PHASE_COLORS)])[phase]
    if few:
        _bars(first, capacity, colors)
    else:
        _sorted(first, capacity, phase)
    even = first.axhline(even_share, color=MUTED, lw=1, ls=(0, (4, 3)), zorder=3)
    first.set(ylabel="capacity $C_i$")
    if len(capacity) <= _LOG_FROM:
        first.set_ylim(0, 1.02)
    if len(capacity) <= _POINTS:
        second.scatter(length, capacity, c=colors, s=28 if few else 8, lw=0, alpha=0.8)
    else:
        cells = second.hexbin(length, capacity, gridsize=40, bins="log", mincnt=1, cmap="mako_r")
        fig.colorbar(cells, ax=second, label="features", location="right")
    second.set(xlabel=r"length $\|w_i\|$", ylabel="capacity $C_i$")
    if np.ptp(length) < 1e-3 * length.max():  # lengths that differ by rounding alone
        second.set_xlim(0.95 * length.min(), 1.05 * length.max())
    if found.cosines is not None:
        squares = pair_matrix(third, found.cosines, 1.0)
        n = found.n_features
        shown = list(range(0, n, max(1, n // 8)))
        third.set_xticks(shown, shown)
        third.set_yticks(shown, shown)
        third.set(xlabel="feature", ylabel="feature")
        fig.colorbar(squares, ax=third, label="cosine")
    else:
        _histogram(third, capacity, even_share, found)
    codes = [code for code in sorted(PHASE_COLORS) if (phase == code).any()]
    marks: list[Artist] = [
        plt.Line2D([], [], marker="s", ls="", ms=8, color=PHASE_COLORS[code]) for code in codes
    ]
    names = [f"{PHASES[code]} ({(phase == code).sum():,})" for code in codes]
    marks.append(even)
    names.append(f"even share {even_share:.3g}")
    if found.cosines is None:
        marks.append(Patch(facecolor=(ORANGE, 0.25), edgecolor=ORANGE, lw=1))
        names.append("nine of ten random unit vectors")
    fig.legend(marks, names, loc="outside upper center", ncols=len(marks))
    return fig


def _bars(ax: Axes, capacity: np.ndarray, colors: np.ndarray) -> None:
    ax.bar(range(len(capacity)), capacity, color=colors, width=0.8)
    # A bar of height 0 would not be seen at all.
    ax.plot(np.arange(len(capacity)), np.zeros(len(capacity)), "|", color=MUTED, ms=4)
    ax.locator_params(axis="x", integer=True)
    ax.set(xlabel="feature", xlim=(-0.6, len(capacity) - 0.4))


def _sorted(ax: Axes, capacity: np.ndarray, phase: np.ndarray) -> None:
    order = np.argsort(-capacity, kind="stable")
    n = len(capacity)
    place = np.unique(np.geomspace(1, n, _DRAWN).round().astype(int)) if n > _DRAWN else None
    rank = np.arange(1, n + 1) if place is None else place
    capacity, phase = capacity[order][rank - 1], phase[order][rank - 1]
    for code, color in PHASE_COLORS.items():
        # As steps: a phase that has few features, or one, is still seen.
        ax.fill_between(rank, capacity, where=phase == code, color=color, lw=0, step="mid")
    ax.plot(rank, capacity, color=BLACK, lw=1.2)
    ax.set(xlabel="features, largest capacity first", xlim=(1, n))
    if n > _LOG_FROM:
        # Up to 1, so that one sees how far from a dimension of its own each is.
        typical = np.median(capacity[capacity > 0]) if capacity.any() else 1.0
        least = max(capacity.min(), typical / 1000)
        ax.set(xscale="log", yscale="log", ylim=(min(least, 0.5) / 2, 1.3))


def _histogram(ax: Axes, capacity: np.ndarray, even_share: float, found: Measurement) -> None:
    low, high = float(capacity.min()), float(capacity.max())
    # Capacities that differ by rounding alone are one bar.
    margin = 0.02 if high - low < 1e-6 else 0.0
    bins = np.linspace(low - margin, high + margin, 41 if len(capacity) > _LOG_FROM else 21)
    ax.hist(capacity, bins=bins.tolist(), color=BLUE, log=len(capacity) > _LOG_FROM)
    ax.axvline(even_share, color=MUTED, lw=1, ls=(0, (4, 3)))
    expected = found.random.quantiles
    ax.axvspan(expected[0.05], expected[0.95], color=ORANGE, alpha=0.25, lw=0, zorder=0)
    for end in (expected[0.05], expected[0.95]):  # before the bars, which hide the band
        ax.axvline(end, color=ORANGE, lw=1)
    ax.set(xlabel="capacity $C_i$", ylabel="features")
