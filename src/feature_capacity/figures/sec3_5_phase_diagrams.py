"""Figures of section 3.5: the budget, the edges of the phases, and Figure 4 whole."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patheffects import withStroke

from .._style import BLACK, BLUE, CAPACITY_MAP, MUTED, PHASE_COLORS, book_style
from ..theory.allocation import IGNORED, MONOSEMANTIC, POLYSEMANTIC
from ..theory.varied import BenefitCurves
from .maps import CAPACITY_LOOK, CONTOUR_LEVELS, VARIED, capacity_bar, cells, square_frame
from .panels import HALVES, Arrays, Map, Pairs, centered, dot, note

_LINE = "#ff8c42"  # reads on the dark and on the light end of the capacity map


@book_style
def fig4(
    maps: Mapping[str, Map],
    edges: Pairs[float],
    first_order: tuple[np.ndarray, np.ndarray],
    points: Mapping[str, tuple[float, float]],
    panels: Mapping[str, BenefitCurves],
) -> plt.Figure:
    """Figure 4 whole: capacity of the varied feature twice, and what capacity is worth.

    Parameters
    ----------
    maps : the two maps by their heads, the closed form first
    edges : for each capacity level the importances and probabilities on its exact contour
    first_order : importances and probabilities on the line of jumps
    points : importance and probability of each labeled point
    panels : both curves of marginal benefit at each of these points
    """
    fig = plt.figure(figsize=(7.4, 9.6), layout="constrained")
    top, low = fig.subfigures(2, 1, height_ratios=(1.0, 1.15), hspace=0.03)
    _phase_diagrams(top, maps, edges, first_order, points)
    axes = low.subplots(2, 3, sharex=True, sharey="row")
    for ax, (letter, curves) in zip(axes.flat, panels.items(), strict=True):
        _benefit_panel(ax, letter, curves)
    for row in axes[:, 0]:
        bottom, height = row.get_ylim()
        marks = plt.LogLocator(subs=(1, 2, 5) if height < 50 * bottom else (1,))
        room = (height / bottom) ** (0.16 if height < 50 * bottom else 0.06)
        row.set_ylim(bottom / room, height * room)
        row.yaxis.set(major_locator=marks, major_formatter="{x:g}", minor_formatter="")
    low.supxlabel("capacity of the feature, $C_i$", size=11)
    low.supylabel(r"marginal benefit of capacity, $-\partial L/\partial C_i$", size=11)
    return fig


def _phase_diagrams(
    fig: Any,
    maps: Mapping[str, Map],
    edges: Pairs[float],
    first_order: tuple[np.ndarray, np.ndarray],
    points: Mapping[str, tuple[float, float]],
) -> None:
    axes = fig.subplots(1, 2)
    for ax, (title, picture) in zip(axes, maps.items(), strict=True):
        image = cells(ax, *picture, **CAPACITY_LOOK)
        _frame(ax, left=ax is axes[0])
        ax.set_title(title)
    for level, (at, rows) in edges.items():
        edge = level in (0.0, 1.0)
        axes[0].plot(at, rows, color=_LINE if edge else "white", lw=2.2 if edge else 0.7)
    axes[0].plot(*first_order, color=_LINE, lw=2.2, ls=(0, (2.2, 1.2)))
    axes[1].contour(*picture, levels=CONTOUR_LEVELS, colors="white", linewidths=0.7)
    for letter, at in points.items():
        _letter(axes[0], letter, at)
    capacity_bar(image, axes, aspect=36, pad=0.03)


def _frame(ax: plt.Axes, left: bool = True) -> None:
    square_frame(ax, (0.1, 1, 10), (0.05, 0.1, 0.2, 0.6, 1))
    ax.set_xlabel(VARIED)
    if left:
        ax.set_ylabel("feature probability, $p$\n(sparse below, dense on top)")
    else:
        ax.tick_params(labelleft=False)


def _letter(ax: plt.Axes, letter: str, at: tuple[float, float]) -> None:
    look = {"ms": 7, "mew": 1.3, "clip_on": False} if letter == "C" else {"ms": 4}
    ax.plot(*at, "o", color="white", mec=BLACK, zorder=6, **look)
    shift, ha = (-7, "right") if letter in "AD" else (7, "left")
    style = {"ha": ha, "va": "center_baseline", "weight": "bold", "fontsize": 12, "zorder": 7}
    rim = [withStroke(linewidth=2.6, foreground=BLACK)]
    note(ax, letter, at, (shift, 0), color="white", path_effects=rim, **style)


def _benefit_panel(ax: plt.Axes, letter: str, curves: BenefitCurves) -> None:
    """Feature 1 in blue, each other one in black, and where the best allocation puts them."""
    ax.axhspan(*curves.thresholds, facecolor="#f4d9bd", edgecolor=_LINE, lw=1.2, zorder=0)
    style = {"lw": 5, "alpha": 0.45} if curves.divisible else {}
    ax.plot(curves.fraction, curves.varied, color=BLUE, zorder=2, **style)
    ax.plot(curves.fraction, curves.reference, color=BLACK, zorder=2)
    ax.set_title(f"{letter}   {curves.phase}", loc="left")
    ax.set_xticks(*HALVES)
    ax.set(yscale="log", xlim=(-0.03, 1.03))
    if curves.divisible:
        style = {"ha": "center", "color": MUTED}
        note(ax, "all curves are one:\nany division will do", (0.5, curves.own[1]), (0, 9), **style)
        return
    rising = curves.reference[-1] > curves.reference[0]
    for C, benefit, number in curves.others:
        dot(ax, C, benefit, BLACK, 8, zorder=4)
        text = f"{number} other{'s' if number > 1 else ''}"
        _beside(
            ax, text, (C, benefit), BLACK, "below" if C == 0 else "above" if C == 1 else "right"
        )
    dot(ax, *curves.own, BLUE, 8, zorder=5)
    sides = {0: "below" if rising else "under", 1: "left" if rising else "above left"}
    side = sides.get(curves.own[0], "under left")
    _beside(ax, "feature 1", curves.own, BLUE, side)


_SIDES = {
    "right": ((7, 6), "left", "bottom"),
    "left": ((-9, 8), "right", "bottom"),
    "above": ((3, 6), "right", "bottom"),
    "above left": ((3, 17), "right", "bottom"),
    "below": ((9, -8), "left", "top"),
    "under": ((3, -22), "left", "top"),
    "under left": ((-6, -7), "right", "top"),
}


def _beside(ax: plt.Axes, text: str, at: tuple[float, float], color: str, side: str) -> None:
    """A word at a dot, on the side that its curve leaves free."""
    shift, ha, va = _SIDES[side]
    note(ax, text, at, shift, ha=ha, va=va, color=color, fontsize=9.5)


@book_style
def total_capacity_line(
    inverse: np.ndarray, capacity: np.ndarray, breakpoints: np.ndarray, n_dims: int, solution: float
) -> plt.Figure:
    """Capacities stacked over 1 / multiplier; the budget picks the multiplier (section 3.5.1).

    ``capacity`` has shape (n_points, n_features), most important feature first.
    """
    fig, ax = plt.subplots(figsize=(5.6, 3.3))
    shades = CAPACITY_MAP(np.linspace(0.25, 0.9, capacity.shape[1]))
    ax.stackplot(inverse, capacity.T, colors=shades, linewidth=0.4, edgecolor="white")
    total = capacity.sum(axis=1)
    ax.plot(inverse, total, color=BLACK)
    ax.plot(breakpoints, np.interp(breakpoints, inverse, total), ".", color=BLACK, ms=5)
    ax.axhline(n_dims, color=_LINE, lw=1.4)
    ax.plot([solution] * 2, [0, n_dims], color=_LINE, lw=1.4, ls="--")
    ax.plot(solution, n_dims, "o", color=_LINE, ms=8, mec="white", zorder=5)
    ax.text(inverse[0], n_dims, f" budget $D={n_dims}$", va="bottom", color="#b3500c")
    ax.text(solution, 0.06, r"  solution $1/\lambda$", va="bottom", color="white", weight="bold")
    ax.set(xlim=(inverse[0], inverse[-1]), ylim=(0, capacity.shape[1] + 0.1))
    ax.set(xlabel=r"one over the multiplier, $1/\lambda$", ylabel="total capacity of all features")
    return fig


@book_style
def boundary_lines(
    kurtosis: np.ndarray, lines: Arrays[str], found: Arrays[str], limit: float
) -> plt.Figure:
    """Edges of the superposed phase against kurtosis: closed forms (lines), bisection (dots).

    ``lines`` and ``found`` hold the keys "monosemantic" and "ignored".
    """
    fig, ax = plt.subplots(figsize=(5.6, 3.6))
    x = kurtosis - 3
    ends = min(lines["ignored"].min() / 3, 0.02), max(lines["monosemantic"].max() * 6, 15)
    for low, high, phase, alpha in (
        (lines["monosemantic"], ends[1], MONOSEMANTIC, 0.18),
        (lines["ignored"], lines["monosemantic"], POLYSEMANTIC, 0.2),
        (ends[0], lines["ignored"], IGNORED, 0.3),
    ):
        ax.fill_between(x, low, high, color=PHASE_COLORS[phase], alpha=alpha)
    for name, phase in (("monosemantic", MONOSEMANTIC), ("ignored", IGNORED)):
        color = PHASE_COLORS[phase] if phase else "#5b6672"
        ax.plot(x, lines[name], color=color, zorder=3)
        ax.plot(x, found[name], "o", color=color, ms=4.5, mec="white", mew=0.7, zorder=4)
    if np.isfinite(limit):
        ax.axhline(limit, color=PHASE_COLORS[MONOSEMANTIC], ls=":", lw=1.2)
        ax.text(x[0] * 1.3, limit * 1.25, f"$(N-1)/(D-1)={limit:.3g}$", color="#1d4f7a")
    ax.axhline(1, color=MUTED, lw=0.7, zorder=1)
    near, far = np.sqrt(x[0] * x[-1]), np.searchsorted(x, x[-1] / 9)
    middle = np.sqrt(lines["ignored"][far]) * min(lines["monosemantic"][far], 1) ** 0.5
    for at, y, word, color in (
        (near, np.sqrt(ends[1] * max(lines["monosemantic"])), "monosemantic", "#1d4f7a"),
        (x[far], middle, "polysemantic", "#8a4b0f"),
        (near, np.sqrt(ends[0] * 0.15), "ignored", "#4b535c"),
    ):
        centered(ax, at, y, word, color=color, weight="bold")
    ax.set(xscale="log", yscale="log", xlim=(x[0], x[-1]), ylim=ends)
    ax.set(xlabel="kurtosis beyond the critical one, $k-3$", ylabel=VARIED)
    plt.setp((ax.xaxis, ax.yaxis), major_formatter="{x:g}")
    return fig
