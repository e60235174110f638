"""Figures of the introduction: two kinds of polysemanticity, equal marginal loss, toy models."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.patches import Circle, FancyArrowPatch, Patch, Wedge

from .._style import BLACK, FEATURE_COLORS, MUTED, PHASE_COLORS, book_style
from ..theory.allocation import MONOSEMANTIC, PHASES, POLYSEMANTIC, Allocation
from .maps import PHASE_LOOK, cells, phase_patches
from .panels import (
    Arrays,
    Pairs,
    centered,
    dot,
    legend_above,
    note,
    plain_ticks,
    shaded,
    titled,
)
from .vectors import arrows_on_neurons, feature_colors


@book_style
def fig1_two_kinds(embeddings: Pairs[str]) -> plt.Figure:
    """Figure 1: two embeddings that are both polysemantic, and what each neuron receives.

    Parameters
    ----------
    embeddings : pairs of arrays (2, 2), (2,), by head
        In each of two columns an embedding, whose rows are neurons, and its capacities.
    """
    fig, axes = plt.subplots(2, 2, figsize=(6.6, 6.2), height_ratios=[2.3, 1], sharey="row")
    columns = zip(titled(axes[0], embeddings, fontsize=12), axes[1], strict=True)
    for (top, (W, c)), bottom in columns:
        arrows_on_neurons(top, W, letters="AB", size=13)
        shares = "    ".join(f"$C_{letter}$ = {x:.2f}" for letter, x in zip("AB", c, strict=True))
        centered(top, 0.33, -0.3, shares, fontsize=12, bbox={"fc": "white", "ec": "none", "pad": 3})
        top.set(xlim=(-0.5, 1.16), ylim=(-0.46, 1.16), xlabel="neuron 1")
        _received(bottom, W)
    axes[0, 0].set_ylabel("neuron 2")
    axes[1, 0].set_ylabel("input $W_{ai}$")
    names = [Patch(color=FEATURE_COLORS[i], label=f"from feature {'AB'[i]}") for i in (0, 1)]
    look = {"fontsize": 10, "ncols": 2, "columnspacing": 1.0, "handlelength": 1.0}
    axes[1, 1].legend(handles=names, loc="upper right", bbox_to_anchor=(1.02, 1.22), **look)
    return fig


def _received(ax: plt.Axes, W: np.ndarray) -> None:
    ax.axhline(0, color=BLACK, lw=0.8)
    for i, w in enumerate(W.T):
        x = np.arange(len(w)) + 0.34 * (i - 0.5)
        ax.bar(x, w, width=0.32, color=FEATURE_COLORS[i])
        for a, value in zip(x, w, strict=True):
            text = f"{value:.2f}".replace("-", "\N{MINUS SIGN}")
            shift, va = ((0, 2), "bottom") if value >= 0 else ((0, -2), "top")
            note(ax, text, (a, value), shift, ha="center", va=va, fontsize=10)
    ax.set_xticks(range(W.shape[0]), [f"neuron {a + 1}" for a in range(W.shape[0])], fontsize=10)
    ax.set(ylim=(-1.15, 1.45), yticks=[-1, 0, 1])
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(axis="x", length=0)


@book_style
def turning_the_basis(degrees: np.ndarray, crosstalk: Arrays[str]) -> plt.Figure:
    """Worst cross-talk of a neuron while the neuron basis turns; one line per embedding.

    Parameters
    ----------
    degrees : array (n_angles,)
    crosstalk : arrays (n_angles,) by name of the embedding
        From 0 (each neuron hears one feature) to 1.
    """
    fig, ax = plt.subplots(figsize=(6.6, 3.3))
    colors = (PHASE_COLORS[MONOSEMANTIC], PHASE_COLORS[POLYSEMANTIC])
    for (label, values), color in zip(crosstalk.items(), colors, strict=True):
        lowest = int(np.argmin(values))
        ax.plot(degrees, values, color=color, lw=2.6, label=label)
        dot(ax, degrees[lowest], values[lowest], "white", 10, mec=color, mew=2.4)
    ax.set(xlabel="turn of the neuron basis (degrees)", ylabel="worst cross-talk of a neuron")
    ax.set(xlim=(degrees[0], degrees[-1]), ylim=(0, 1.03), xticks=np.arange(0, 91, 15))
    legend_above(ax, ncols=2, fontsize=11)
    return fig


@book_style
def fig2_marginal_loss(
    grid: np.ndarray, benefit: np.ndarray, best: Allocation, benefit_at_optimum: np.ndarray
) -> plt.Figure:
    """Figure 2: marginal loss reduction of many features, circles at the optimum.

    Parameters
    ----------
    grid, benefit : arrays (n_points,), (n_points, n_features)
        Capacities, and a curve over them for each feature, the most important first.
    best : Allocation
        The optimal allocation; the line is at its threshold.
    benefit_at_optimum : array (n_features,)
        How high each circle is.
    """
    fig, ax = plt.subplots(figsize=(6.6, 5.0))
    colors = sns.color_palette("crest_r", benefit.shape[1])
    for i, color in enumerate(colors):
        ax.plot(grid, benefit[:, i], color=color, lw=1.7, zorder=2)
    threshold, style = float(best.threshold), {"color": BLACK, "lw": 1.3, "ls": (0, (5, 3))}
    ax.axhline(threshold, zorder=3, label="common threshold", **style)
    # Curves far below the threshold, or far above, would flatten the rest of the picture.
    low = max(benefit[-1].min(), threshold / 300) / 1.5
    high = min(benefit[0].max(), threshold * 300) * 1.4
    visible = (benefit_at_optimum > low) & (benefit_at_optimum < high)
    for code in range(len(PHASES)):
        those = best.phase == code
        name, some = f"{PHASES[code]} ({those.sum()})", those & visible
        at = best.capacity[some], benefit_at_optimum[some]
        dot(ax, *at, PHASE_COLORS[code], 9.5, mew=1.3, label=name)
    ax.set(yscale="log", xlim=(-0.005, 1.005), ylim=(low, high))
    ax.set_xlabel("capacity $C_i$ of the feature")
    ax.set_ylabel(r"marginal loss reduction $-\partial L/\partial C_i$")
    legend_above(ax, ncols=2, fontsize=10.5)
    return fig


@book_style
def phases_by_importance(
    kurtosis: np.ndarray, importance: np.ndarray, phase: np.ndarray, multiplier: np.ndarray
) -> plt.Figure:
    """Phase of every feature as the kurtosis grows, with the two ends of the shared range.

    Parameters
    ----------
    kurtosis, importance : arrays (n_kurtosis,), rising, and (n_features,), falling
    phase : integer array (n_kurtosis, n_features)
    multiplier : array (n_kurtosis,)
        The lambda of equation (15): shared importances lie between 2 lambda / (k - 1) and lambda.
    """
    fig, ax = plt.subplots(figsize=(6.6, 4.2))
    cells(ax, kurtosis, importance, phase.T, **PHASE_LOOK)
    beyond = kurtosis > 3
    for edge in (multiplier, 2 * multiplier / np.maximum(kurtosis - 1, 1)):
        ax.plot(kurtosis[beyond], edge[beyond], color="white", lw=2)
    ax.axvline(3, color="white", lw=1.6, ls=(0, (3, 3)))
    note(ax, "$k = 3$", (3, 0.03), (6, 0), xycoords=("data", "axes fraction"), color=BLACK)
    ax.set(xlim=(kurtosis[0], kurtosis[-1]), ylim=(importance.min(), importance.max()))
    ax.set_xlabel("kurtosis $k$ (sparser inputs to the right)")
    ax.set_ylabel("importance $v_i$ of the feature")
    legend_above(ax, handles=phase_patches((2, 1, 0)), ncols=3, fontsize=10.5)
    return fig


@book_style
def one_among_equals(
    fine: np.ndarray, lines: Arrays[float], importance: np.ndarray, found: Arrays[float]
) -> plt.Figure:
    """Capacity of one feature among equal ones over its importance, one color a kurtosis.

    Parameters
    ----------
    fine, importance : arrays (n_points,) and (n_found,)
        Importances of the lines and of the dots.
    lines, found : arrays (n_points,) and (n_found,) by kurtosis
        Capacities in closed form, and of minimized embeddings.
    """
    fig, ax = plt.subplots(figsize=(6.6, 3.6))
    for k, line, color in shaded(lines):
        ax.plot(fine, line, color=color, lw=1.8, label=f"$k$ = {k:g}")
        dot(ax, importance, found[k], color, 5.5, mew=0.7)
    ax.set(xscale="log", xlim=(fine[0], fine[-1]), ylim=(-0.02, 1.02))
    plain_ticks(ax.xaxis, (0.1, 0.2, 0.5, 1, 2, 5, 10))
    ax.set_xlabel("importance $V$ of feature 1; the others have 1")
    ax.set_ylabel("capacity $C_1$")
    legend_above(ax, ncols=4, fontsize=10.5)
    return fig


@book_style
def fig3_two_toy_models(W: np.ndarray) -> plt.Figure:
    """Figure 3: the autoencoder (compress, recover) and the computation model, as a schematic.

    Every neuron is a pie of the features that it hears, by squared weight, so that a neuron of
    one color is monosemantic.

    Parameters
    ----------
    W : array (n_dims, n_features)
        The embedding that both models are drawn with.
    """
    n = W.shape[1]
    fig, ax = plt.subplots(figsize=(7.2, 4.9))
    own, few = np.eye(n), len(W)
    first, second, third = 0.0, 4.9, 9.2

    # The autoencoder: in, squeeze, out; the loss compares each output with its own input.
    x, h, out = _row(n, first, 0.0), _row(few, first, 2.1), _row(n, first, 4.2)
    _wires(ax, x, h, W)
    _wires(ax, h, out, W.T)
    for nodes, kind in ((x, own), (h, W), (out, own)):
        _nodes(ax, nodes, kind)

    # The computation: a few mixed neurons imitate many pure ones, whose sum is the target.
    x1, h1 = _row(n, second, 0.0), _row(few, second, 2.1)
    x2, h2 = _row(n, third, 0.0), _row(n, third, 2.1)
    y1, y2 = np.array([[second, 4.2]]), np.array([[third, 4.2]])
    _wires(ax, x1, h1, W)
    _wires(ax, x2, h2, own)
    _wires(ax, h1, y1, np.ones((1, few)), color=MUTED)
    _wires(ax, h2, y2, np.ones((1, n)))
    for nodes, kind, curved in ((x1, own, 0), (h1, W, 1), (x2, own, 0), (h2, own, 1)):
        _nodes(ax, nodes, kind, curved=bool(curved))
    for (cx, cy), label in ((y1[0], r"$\tilde y$"), (y2[0], "$y$")):
        ax.add_patch(Circle((cx, cy), 0.46, fc="white", ec=BLACK, lw=1.6, zorder=4))
        centered(ax, cx, cy, label, fontsize=14, zorder=7)
    ends = (second + 0.55, 4.2), (third - 0.55, 4.2)
    ax.add_patch(FancyArrowPatch(*ends, arrowstyle="<|-|>", mutation_scale=14, color=BLACK, lw=1.3))

    ax.plot([2.45, 2.45], [-0.9, 7.1], color="#c3c9d1", lw=1)
    middle = (second + third) / 2
    for at, text in ((first, "Compress and recover"), (middle, "Compute with fewer neurons")):
        centered(ax, at, 6.85, text, fontsize=12.5, weight="bold", zorder=7)
    for at, height, text in (
        (first, 6.1, r"loss $\sum_i v_i\,(\hat x_i-x_i)^2$"),
        (middle, 6.1, r"loss $(\tilde y-y)^2$"),
        (first, 5.1, r"$\hat x=\mathrm{ReLU}(W^{T}Wx+b)$"),
        (second, 5.1, r"$\sum_a\sigma((Wx)_a)+b$"),
        (third, 5.1, r"$\sum_i v_i\,\sigma(x_i)$"),
        (first, -0.72, "features $x$"),
        (second, -0.72, "model"),
        (third, -0.72, "target"),
    ):
        centered(ax, at, height, text, fontsize=11.5, zorder=7)
    centered(ax, middle, 3.85, "compared", fontsize=10.5, zorder=7)
    centered(ax, -2.25, 2.1, "linear", fontsize=10.5, zorder=7)
    ax.set(xlim=(-2.8, third + 2.1), ylim=(-1.0, 7.15), aspect="equal")
    ax.set_axis_off()
    return fig


def _row(n: int, center: float, height: float) -> np.ndarray:
    """Positions of n nodes side by side."""
    spread = 3.3 if n > 3 else 3.3 * 0.72
    return np.stack([center + np.linspace(-0.5, 0.5, n) * spread, np.full(n, height)], axis=1)


def _nodes(ax: plt.Axes, places: np.ndarray, weights: np.ndarray, curved: bool = False) -> None:
    """Neurons as pies of the features that they hear; a small parabola marks a nonlinear one."""
    colors = feature_colors(weights.shape[1])
    radius = 0.27 if len(places) > 3 else 0.46
    for (x, y), row in zip(places, weights**2, strict=True):
        turns = 90 + 360 * np.concatenate([[0], np.cumsum(row / row.sum())])
        for color, (start, stop) in zip(colors, pairwise(turns), strict=True):
            if stop - start > 1e-6:
                ax.add_patch(Wedge((x, y), radius, start, stop, fc=color, ec="none", zorder=4))
        ax.add_patch(Circle((x, y), radius, fill=False, ec=BLACK, lw=1.2, zorder=5))
        if curved:
            t = np.linspace(-1, 1, 41)
            ax.add_patch(Circle((x, y), 0.66 * radius, fc="white", ec="none", zorder=5))
            curve = x + 0.42 * radius * t, y + radius * (0.75 * t**2 - 0.38)
            ax.plot(*curve, color=BLACK, lw=1.5, zorder=6)


def _wires(
    ax: plt.Axes, sources: np.ndarray, targets: np.ndarray, weights: np.ndarray, color: str = ""
) -> None:
    """Lines from sources to targets, as strong as weights (n_targets, n_sources).

    Their colors are those of features, which are at the end with more nodes.
    """
    strength = np.abs(weights) / np.abs(weights).max()
    hues = feature_colors(max(strength.shape))
    for (t, s), size in np.ndenumerate(strength):
        if size > 0.02:
            ends = np.stack([sources[s], targets[t]], axis=1)
            look = {"lw": 0.5 + 1.7 * size, "alpha": 0.35 + 0.55 * size, "zorder": 1}
            hue = color or hues[s if len(sources) >= len(targets) else t]
            ax.plot(*ends, color=hue, solid_capstyle="round", **look)
