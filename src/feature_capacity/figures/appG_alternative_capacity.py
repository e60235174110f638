"""Figures of Appendices D to G: sparse inputs, capacity as correlation, its bound, its rival."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from .._style import (
    BLACK,
    BLUE,
    DIFFERENCE_MAP,
    FEATURE_COLORS,
    MUTED,
    PHASE_COLORS,
    book_style,
    panel_letter,
)

ALTERNATIVE_COLOR = PHASE_COLORS[1]
"""The alternative capacity of Appendix G, wherever it is drawn beside the first one."""

_PLAIN = FuncFormatter(lambda value, _: f"{value:g}")


@book_style
def sparse_features(
    x: np.ndarray, density: Sequence[np.ndarray], p: Sequence[float], kurtosis: Sequence[float]
) -> Figure:
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
    p: np.ndarray, lines: Mapping[str, np.ndarray], critical: Mapping[str, float]
) -> Figure:
    """Fourth moment against feature probability for several shapes of the active value.

    Parameters
    ----------
    p : array (n,)
    lines : arrays (n,) by name
    critical : floats by name
        Feature probability at which the fourth moment is 3, where there is one up to 1.
    """
    fig, ax = plt.subplots(figsize=(6.6, 4.5))
    top = 70
    ax.axhspan(3, top, color=PHASE_COLORS[1], alpha=0.1, lw=0)
    ax.fill_between(p, 0.8, 1 / p, color="#d7dbe0", lw=0)
    ax.axhline(3, color=BLACK, lw=1, ls="--")
    for (name, k), color in zip(lines.items(), FEATURE_COLORS, strict=False):
        ax.plot(p, k, color=color, label=name)
        if name in critical:
            ax.plot(critical[name], 3, "o", color=color, ms=8, mec="white", clip_on=False, zorder=4)
            ax.annotate(
                f"{critical[name]:.2g}", (critical[name], 3), (-3, -8), color=color, weight="bold",
                textcoords="offset points", ha="right", va="top",
            )  # fmt: skip
    ax.text(0.96, 45, "superposition pays: $k>3$", ha="right", fontsize=10)
    ax.text(1.2 * p[0], 1.3, "no distribution is here: $k<1/p$", fontsize=10)
    ax.set(xscale="log", yscale="log", xlim=(p[0], 1), ylim=(0.8, top))
    ax.set_xticks([0.05, 0.1, 0.2, 0.5, 1])
    ax.set_yticks([1, 3, 10, 30])
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(_PLAIN)
        axis.set_minor_formatter(FuncFormatter(lambda *_: ""))
    ax.set_xlabel("feature probability $p$   (sparse on the left)")
    ax.set_ylabel(r"fourth moment $k=\mathbb{E}[x^4]$")
    ax.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.48, 1.0), columnspacing=1.4)
    return fig


@book_style
def off_center(p: np.ndarray, lines: Mapping[str, np.ndarray]) -> Figure:
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
    ax.set(yscale="log", xlim=(0, 1), ylim=(0.8, 40), yticks=[1, 3, 10, 30])
    ax.yaxis.set_major_formatter(_PLAIN)
    ax.yaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
    ax.set_xlabel("feature probability $p$")
    ax.set_ylabel("standardized fourth moment")
    ax.legend(loc="upper center")
    return fig


@book_style
def readout_scatter(
    x: np.ndarray, readout: np.ndarray, capacity: np.ndarray, slope: np.ndarray
) -> Figure:
    """Readouts of a few features against the features, with the regression lines.

    Parameters
    ----------
    x, readout : arrays (n_samples, n_panels)
        In standard deviations.
    capacity, slope : arrays (n_panels,)
    """
    fig, axes = plt.subplots(1, len(capacity), figsize=(6.8, 2.9), sharex=True, sharey=True)
    for i, ax in enumerate(axes):
        ax.plot(x[:, i], readout[:, i], ".", color=BLUE, ms=4, alpha=0.4, mew=0, rasterized=True)
        ends = np.array([-4.4, 4.4])
        ax.plot(ends, slope[i] * ends, color=BLACK, lw=1.4)
        ax.set_title(f"$C_i$ = {capacity[i]:.2f}")
        ax.set(xlim=(-4.4, 4.4), ylim=(-4.4, 4.4), xlabel="feature $x_i$")
        ax.set(xticks=[-4, -2, 0, 2, 4], yticks=[-4, -2, 0, 2, 4])
        ax.set_aspect("equal")
    axes[0].set_ylabel(r"readout $(W^{\mathsf{T}}Wx)_i$")
    return fig


@book_style
def correlations(
    capacity: np.ndarray,
    sampled: Mapping[str, tuple[np.ndarray, np.ndarray]],
    strength: np.ndarray,
    squared: np.ndarray,
) -> Figure:
    """Squared correlations: uncorrelated inputs on the left, correlated ones on the right.

    Parameters
    ----------
    capacity : array (n_features,)
    sampled : pairs of arrays (n_features,) by name of the inputs
        Sampled squared correlation, and four standard errors.
    strength : array (n,)
        Correlation between any two features.
    squared : array (n, n_features)
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.0, 3.5))
    left.plot([0, 1], [0, 1], color=BLACK, lw=1)
    inks = (BLACK, MUTED, "white")  # not those of features on the right
    marks = zip(sampled.items(), inks, "osD", (-0.012, 0, 0.012), strict=False)
    for (name, (estimate, error)), color, mark, shift in marks:
        left.errorbar(
            capacity + shift, estimate, error, fmt=mark, mfc=color, mec=BLACK, ecolor=MUTED,
            ms=4.5, capsize=2, lw=1.2, label=name,
        )  # fmt: skip
    left.set(xlim=(0, 1.04), ylim=(0, 1.04))
    left.set_xlabel("capacity $C_i$")
    left.set_ylabel(r"sampled $\rho^2(x_i,\,(W^{\mathsf{T}}Wx)_i)$")
    left.legend(loc="upper left", fontsize=8.5)
    for i, color in zip(range(squared.shape[1]), FEATURE_COLORS * 2, strict=False):
        right.plot(strength, squared[:, i], color=color)
        right.plot(0, capacity[i], "o", color=color, ms=6, clip_on=False, zorder=3)
    right.set(xlim=(0, strength[-1]), ylim=(0, 1.04))
    right.set_xlabel("correlation between inputs")
    right.set_ylabel(r"$\rho^2$;   dots: $C_i$")
    panel_letter(left, "a")
    panel_letter(right, "b")
    return fig


@book_style
def proof_matrices(
    matrices: Mapping[str, np.ndarray], layout: Sequence[Sequence[str]], boxed: Sequence[str]
) -> Figure:
    """The matrices of the proof of Appendix F, entry by entry.

    Parameters
    ----------
    matrices
        By name, which heads the panel.
    layout
        Names by row of the figure.
    boxed
        Names of the matrices whose diagonal is framed.
    """
    fig = plt.figure(figsize=(6.8, 4.9))
    rows = fig.add_gridspec(2, 1, height_ratios=[2, 4], hspace=0.12)
    for row, names in zip(rows, layout, strict=True):
        widths = [matrices[name].shape[1] for name in names]
        cells = row.subgridspec(1, len(names), width_ratios=widths, wspace=0.12)
        for cell, name in zip(cells, names, strict=True):
            ax, A = fig.add_subplot(cell), matrices[name]
            ax.imshow(A, cmap=DIFFERENCE_MAP, vmin=-1.4, vmax=1.4)
            for (i, j), value in np.ndenumerate(A):
                text = f"{round(value, 2) + 0:.2f}".replace("-", "−")
                if np.isclose(value, round(value)):
                    text = text.removesuffix(".00")
                color = "white" if abs(value) > 1 else BLACK
                ax.text(j, i, text, ha="center", va="center", fontsize=9, color=color)
                if name in boxed and i == j:
                    frame = plt.Rectangle((j - 0.46, i - 0.46), 0.92, 0.92, fill=False, lw=1.8)
                    ax.add_patch(frame)
            ax.set_title(name)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
    return fig


@book_style
def ascent(totals: Mapping[int, np.ndarray]) -> Figure:
    """Gradient ascent on total capacity, from many starts, for several numbers of dimensions.

    Parameters
    ----------
    totals : arrays (n_steps, n_starts) by number of dimensions
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(6.8, 3.3))
    for (n_dims, total), color in zip(totals.items(), FEATURE_COLORS, strict=False):
        left.plot(total, color=color, lw=0.8, alpha=0.5)
        left.axhline(n_dims, color=color, lw=1, ls="--")
        right.plot(np.maximum(n_dims - total, 1e-16), color=color, lw=0.8, alpha=0.5)
        right.plot([], [], color=color, label=f"$D$ = {n_dims}")
    steps = len(total) - 1
    left.set(xlim=(0, min(200, steps)), ylim=(0.9, max(totals) + 0.15), xlabel="step of ascent")
    left.set_yticks(list(totals))
    left.set_ylabel(r"total capacity $\Sigma_i C_i$")
    right.set(yscale="log", xlim=(0, steps), xlabel="step of ascent")
    right.set_ylabel(r"what is missing, $D-\Sigma_i C_i$")
    right.legend(loc="upper right")
    panel_letter(left, "a")
    panel_letter(right, "b")
    return fig


@book_style
def ceilings(cases: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """Capacity of each feature below its ceiling from the proof.

    Parameters
    ----------
    cases : pairs of arrays (n_features,) by head of the panel
        Capacities and ceilings.
    """
    fig, axes = plt.subplots(1, len(cases), figsize=(6.8, 2.9), sharey=True)
    for ax, (name, (capacity, ceiling)) in zip(axes, cases.items(), strict=True):
        place = np.arange(1, capacity.size + 1)
        ax.bar(place, ceiling, color="white", ec="#b6bdc6", hatch="////", width=0.72, lw=0.8)
        ax.bar(place, capacity, color=BLUE, width=0.72, label="capacity $C_i$")
        ax.hlines(
            ceiling, place - 0.4, place + 0.4, color=ALTERNATIVE_COLOR, lw=2.4,
            label=r"ceiling $\|\vec y_i\|^2$",
        )  # fmt: skip
        ax.set_title(name)
        ax.set(xlabel="feature $i$", xticks=place, ylim=(0, 1.04))
        ax.tick_params(axis="x", length=0)
    axes[0].set_ylabel("part of one dimension")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return fig


@book_style
def rank_jump(
    t: np.ndarray, capacity: np.ndarray, alternative: np.ndarray, at_zero: Sequence[np.ndarray]
) -> Figure:
    """Both capacities along a path of embeddings whose rank drops at one point.

    Parameters
    ----------
    t : array (n,)
        Without 0.
    capacity, alternative : arrays (n, n_features)
    at_zero : pair of arrays (n_features,)
        Both capacities at t = 0.
    """
    fig, axes = plt.subplots(1, 2, figsize=(6.8, 3.3), sharex=True, sharey=True)
    heads = ("capacity $C_i$", r"alternative capacity $\tilde C_i$")
    for ax, values, point, head in zip(axes, (capacity, alternative), at_zero, heads, strict=True):
        for i, color in zip(range(values.shape[1]), FEATURE_COLORS, strict=False):
            for side in (t < 0, t > 0):
                ax.plot(t[side], values[side, i], color=color)
            limit = values[np.argmin(abs(t)), i]
            if abs(limit - point[i]) > 0.01:
                ax.plot(0, limit, "o", color=color, mfc="white", ms=7, zorder=3)
                ax.plot([0, 0], [limit, point[i]], color=color, lw=0.8, ls=":")
            ax.plot(0, point[i], "o", color=color, ms=7, zorder=4)
        ax.set_title(head)
        ax.set(xlim=(t[0], t[-1]), ylim=(-0.02, 1.02), xlabel="$t$")
    axes[0].set_ylabel("part of one dimension")
    return fig


@book_style
def ratio_floor(
    condition: np.ndarray, ratio: np.ndarray, x: np.ndarray, floor: np.ndarray
) -> Figure:
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
    ax.set(xscale="log", xlim=(1, x[-1]), ylim=(0, 1.02))
    ax.set_xticks([1, 10, 100])
    ax.xaxis.set_major_formatter(_PLAIN)
    ax.text(1.25, 0.2, "no feature can be here", color=MUTED)
    ax.set_xlabel(r"condition number $\kappa$ of $WW^{\mathsf{T}}$  (1: evenly spread)")
    ax.set_ylabel(r"$C_i\,/\,\tilde C_i$")
    return fig


@book_style
def tangency(
    t: np.ndarray,
    capacity: np.ndarray,
    alternative: np.ndarray,
    steps: np.ndarray,
    gap: np.ndarray,
    predicted: np.ndarray,
) -> Figure:
    """The two capacities touch at an efficient embedding, and part quadratically.

    Parameters
    ----------
    t : array (n,)
    capacity, alternative : arrays (n, n_features)
        Along one line through an efficient embedding at t = 0.
    steps : array (m,)
    gap, predicted : arrays (m, n_features)
        Their difference at distance t, and its leading term.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.0, 3.6))
    for i, color in zip(range(capacity.shape[1]), FEATURE_COLORS, strict=False):
        left.plot(t, capacity[:, i], color=color)
        left.plot(t, alternative[:, i], color=color, ls=(0, (3, 1.5)))
        right.loglog(steps, predicted[:, i], color=color, lw=1.2)
        right.loglog(steps, gap[:, i], "o", color=color, ms=4)
    left.axvline(0, color=MUTED, lw=0.8, zorder=0)
    left.plot([], [], color=BLACK, label="$C_i$")
    left.plot([], [], color=BLACK, ls=(0, (3, 1.5)), label=r"$\tilde C_i$")
    left.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    left.set(xlim=(t[0], t[-1]), ylim=(0, 1.02))
    left.set_xlabel("distance $t$ from an efficient embedding")
    left.set_ylabel("part of one dimension")
    right.plot([], [], "o", color=BLACK, ms=4, label="measured")
    right.plot([], [], color=BLACK, lw=1.2, label="formula")
    right.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    right.set_xlabel("distance $t$")
    right.set_ylabel(r"gap $\tilde C_i - C_i$")
    panel_letter(left, "a")
    panel_letter(right, "b")
    return fig
