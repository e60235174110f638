"""Figures of sections 3.5 and 3.6: phase diagrams, marginal curves, the critical point."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.colors import BoundaryNorm
from matplotlib.patheffects import withStroke

from .._style import BLACK, BLUE, CAPACITY_MAP, MUTED, PHASE_COLORS, book_style
from ..theory.allocation import IGNORED, MONOSEMANTIC, POLYSEMANTIC
from .maps import CAPACITY_LOOK, CONTOUR_LEVELS, VARIED, capacity_bar, cells, square_frame
from .panels import HALVES, Arrays, Map, Pairs, centered, color_bar, dot, note, plain_ticks, shaded

_LINE = "#ff8c42"  # reads on the dark and on the light end of the capacity map


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
        ax.text(x[0] * 1.3, limit * 1.1, f"$(N-1)/(D-1)={limit:.3g}$", color="#1d4f7a")
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


@book_style
def fig4_phase_diagrams(
    maps: Mapping[str, Map],
    edges: Pairs[float],
    first_order: tuple[np.ndarray, np.ndarray],
    points: Mapping[str, tuple[float, float]],
) -> plt.Figure:
    """Figure 4, upper: capacity of the varied feature, closed form beside minimization.

    Parameters
    ----------
    maps : the two maps by their heads, the closed form first
    edges : for each capacity level the importances and probabilities on its exact contour
    first_order : importances and probabilities on the line of jumps
    points : importance and probability of each labeled point
    """
    fig, axes = plt.subplots(1, 2, figsize=(5.6, 3.45))
    for ax, (title, picture) in zip(axes, maps.items(), strict=True):
        image = cells(ax, *picture, **CAPACITY_LOOK)
        _frame(ax, left=ax is axes[0])
        ax.set_title(title)
    for level, (at, rows) in edges.items():
        edge = level in (0.0, 1.0)
        axes[0].plot(at, rows, color=_LINE if edge else "white", lw=1.8 if edge else 0.6)
    axes[0].plot(*first_order, color=_LINE, lw=1.8, ls=(0, (2.2, 1.2)))
    axes[1].contour(*picture, levels=CONTOUR_LEVELS, colors="white", linewidths=0.6)
    for letter, at in points.items():
        _letter(axes[0], letter, at)
    capacity_bar(image, axes, aspect=32, pad=0.03)
    return fig


@book_style
def agreement_maps(
    difference: Map, share: Map, lines: Sequence[tuple[np.ndarray, np.ndarray]]
) -> plt.Figure:
    """Distance between the two diagrams, and how many starts found the optimum.

    ``difference`` is NaN where the capacity is not unique; ``lines`` are drawn over the shares.
    """
    fig, axes = plt.subplots(1, 2, figsize=(5.6, 3.45))
    *grid, distance = difference
    powers = np.log10(np.maximum(distance, 1e-17))
    levels = np.arange(-16, -5, 2)
    heat = sns.color_palette("rocket_r", as_cmap=True).with_extremes(bad="#cfd6de")
    below = {"location": "bottom", "shrink": 0.86, "aspect": 20, "pad": 0.03}
    norm = BoundaryNorm(levels, heat.N, extend="both")
    image = cells(axes[0], *grid, powers, cmap=heat, norm=norm)
    color_bar(image, axes[0], r"$\log_{10}|C_1^{\rm emp}-C_1^{\rm th}|$", ticks=levels, **below)
    image = cells(axes[1], *share, cmap="cividis", vmin=0, vmax=1)
    color_bar(image, axes[1], "starts reaching best loss", format="{x:.0%}", **below)
    for at, rows in lines:
        axes[1].plot(at, rows, color="#e6550d", lw=1.6)
    for ax in axes:
        _frame(ax)
    top = axes[1].get_ylim()[1]
    plain_ticks(axes[1].xaxis, (0.2, 0.5, 1, 2, 5))
    plain_ticks(axes[1].yaxis, (0.5, 0.6, 0.8, 1))
    axes[1].set(xlim=(0.2, 5), ylim=(0.5, top), ylabel="")
    return fig


@book_style
def fig4_marginal_benefit(
    capacity: np.ndarray, panels: Mapping[str, Mapping[str, Any]]
) -> plt.Figure:
    """Figure 4, lower: marginal benefit of the varied (blue) and the reference feature (black).

    Each panel holds ``varied`` and ``reference`` (benefit over ``capacity``), ``interval`` (lowest
    and highest threshold that satisfies the optimality conditions), ``dots`` (capacity, benefit,
    number of features, varied or not) and ``divisible`` (any split is as good).
    """
    fig, axes = plt.subplots(2, 3, figsize=(5.6, 4.6), sharex=True, sharey="row")
    for ax, (letter, panel) in zip(axes.flat, panels.items(), strict=True):
        low, high = panel["interval"]
        ax.axhspan(low, high, facecolor="#f4d9bd", edgecolor=_LINE, lw=1.2, zorder=0)
        style = {"lw": 5, "alpha": 0.45} if panel["divisible"] else {}
        ax.plot(capacity, panel["varied"], color=BLUE, zorder=2, **style)
        ax.plot(capacity, panel["reference"], color=BLACK, zorder=2)
        for at, benefit, number, varied in panel["dots"]:
            dot(ax, at, benefit, BLACK, 7, mec=BLUE if varied else "white", mew=1.4, zorder=4)
            if not varied:
                rising = panel["reference"][-1] > panel["reference"][0]
                shift = (-12, 5) if at > 0.9 else (15, -13) if rising else (12, 5)
                note(ax, f"×{number}", (at, benefit), shift, ha="center", fontsize=9)
        if panel["divisible"]:
            note(ax, "any capacity", (0.5, high), (0, 8), ha="center", color=MUTED)
        ax.set_title(f"{letter}   {panel['phase']}", loc="left")
        ax.set_xticks(*HALVES)
        ax.set(yscale="log", xlim=(-0.02, 1.02))
    for row in axes[:, 0]:
        low, high = row.get_ylim()
        marks = plt.LogLocator(subs=(1, 2, 5) if high < 50 * low else (1,))
        row.yaxis.set(major_locator=marks, major_formatter="{x:g}", minor_formatter="")
    fig.supxlabel("capacity of the feature, $C_i$", size=10)
    fig.supylabel(r"marginal benefit, $-\partial L/\partial C_i$", size=10)
    return fig


@book_style
def order_parameter(importance_1: np.ndarray, curves: Pairs[float]) -> plt.Figure:
    """Capacity and marginal benefit of the varied feature across V = 1, by kurtosis.

    NaN in a curve breaks the line, so that a jump is not drawn as a slope.
    """
    fig, axes = plt.subplots(1, 2, figsize=(5.6, 3.2))
    for kurtosis, pair, color in shaded(curves):
        for ax, values in zip(axes, pair, strict=True):
            ax.plot(importance_1, values, color=color, label=f"{kurtosis:g}")
    axes[0].set(xlabel=VARIED, ylabel="capacity, $C_1$")
    axes[1].set(xlabel=VARIED, ylabel=r"order parameter, $-\partial L/\partial C_1$")
    axes[0].legend(title="kurtosis $k$", loc="lower right", handlelength=1.2)
    return fig


@book_style
def landscape(capacity: np.ndarray, panels: Mapping[float, Arrays[float]]) -> plt.Figure:
    """Lowest loss at a given capacity of the varied feature: bowl, plane, cap.

    ``panels`` maps kurtosis to a mapping from importance V to loss (smallest value 0).
    """
    fig, axes = plt.subplots(1, len(panels), figsize=(5.6, 2.7), sharex=True, sharey=True)
    for ax, (kurtosis, curves) in zip(axes, panels.items(), strict=True):
        looks = (("#7fb3d5", 1.6, 5), (BLUE, 2.6, 10), ("#08306b", 1.6, 5))
        for (importance, loss), (color, width, size) in zip(curves.items(), looks, strict=True):
            best = np.flatnonzero(loss <= loss.min() + 1e-12)
            flat = len(best) == len(capacity)
            style = {"lw": 6 if flat else width, "solid_capstyle": "round", "clip_on": not flat}
            ax.plot(capacity, loss, color=color, label=f"{importance:g}", zorder=2, **style)
            if not flat:
                dot(ax, capacity[best], loss[best], color, size, mew=1, zorder=5 - size / 10)
        ax.set(title=f"$k={kurtosis:g}$", xlabel="capacity, $C_1$")
    axes[0].set_ylabel("loss above its minimum")
    axes[0].legend(title="$V$", loc="upper center", handlelength=1.2)
    return fig


@book_style
def critical_scaling(
    distance: np.ndarray,
    laws: Arrays[str],
    scaled: np.ndarray,
    curves: Pairs[float],
    limit: np.ndarray,
) -> plt.Figure:
    """Power laws at the critical point, and all capacity curves on one when V is rescaled.

    ``laws`` maps a name to values over ``distance``; ``curves`` maps k - 3 to importances and
    capacities at the points ``scaled``; ``limit`` is the scaling function there.
    """
    fig, axes = plt.subplots(1, 2, figsize=(5.6, 3.6))
    colors = (PHASE_COLORS[POLYSEMANTIC], BLUE, "#7b3294", BLACK)
    for (name, values), color, mark in zip(laws.items(), colors, "osD^", strict=False):
        axes[0].plot(distance, values, mark + "-", color=color, ms=4, lw=1, label=name)
    axes[0].set(xscale="log", yscale="log", xlabel="distance from the critical\nkurtosis, $|k-3|$")
    axes[0].legend(loc="center left", bbox_to_anchor=(0.02, 0.52), labelspacing=0.3)
    inset = axes[1].inset_axes((0.66, 0.17, 0.33, 0.36))
    for x, (importance, values), color in shaded(curves, "flare_r"):
        axes[1].plot(scaled, values, color=color, lw=1.5, label=f"{x:g}")
        inset.plot(importance, values, color=color, lw=1.2)
    inset.set(xticks=(1,), yticks=(0, 1), ylabel="$C_1$", xlabel="$V$")
    inset.tick_params(labelsize=8)
    axes[1].plot(scaled, limit, color=BLACK, lw=1.1, ls="--", label="limit")
    axes[1].set(xlabel="scaled importance,\n$(V-1)/(k-3)$", ylabel="capacity, $C_1$")
    axes[1].legend(title="$k-3$", loc="upper left", handlelength=1.4)
    return fig
