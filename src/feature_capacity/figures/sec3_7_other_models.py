"""Figures of section 3.7: phase diagrams of other models and nonlinearities, and what is behind."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from mpl_toolkits.mplot3d import Axes3D

from .._style import BLACK, BLUE, FEATURE_COLORS, LIGHT, MUTED, ORANGE, PHASE_COLORS, book_style
from ..geometry.blocks import Block
from .map_tables import bar_below, capacity_map, legend_of_squares, map_cells, table_of_maps
from .maps import CHANCE, PHASE_LOOK, VARIED
from .panels import HALVES, Map, color_bar, plain_ticks, small_multiples
from .vectors import bare_space, color_of_features

ACTIVATION_COLORS = dict(zip(("quadratic", "ReLU", "GELU", "tanh"), FEATURE_COLORS, strict=False))
"""One color per nonlinearity."""

_STYLES = {"computation": "-", "autoencoder": (0, (3, 1.6))}

Curves = Mapping[tuple[str, str], np.ndarray]
"""Values by kind of model and name of nonlinearity."""


@book_style
def fig7_phase_diagrams(rows: Mapping[str, Mapping[str, Map]]) -> Figure:
    """Figure 7: capacity of the varied feature, one row per model, one column per nonlinearity.

    ``rows`` maps the name of a model to maps by the name of a nonlinearity, the same in each row.
    """
    fig, axes = table_of_maps(rows, below=1.25)
    for line, maps in zip(axes, rows.values(), strict=True):
        for ax, picture in zip(line, maps.values(), strict=True):
            image = capacity_map(ax, picture)
    bar_below(image, axes)
    return fig


@book_style
def gallery(maps: Mapping[str, Map]) -> Figure:
    """Capacity maps by title, as in Figure 7, row after row."""
    fig, axes = small_multiples(len(maps), 4, 6.2, 1.75, 1.25, sharey=True)
    for ax, (title, picture) in zip(axes.flat, maps.items(), strict=False):
        image = capacity_map(ax, picture)
        ax.set_title(title, fontsize=9)
        ax.tick_params(labelbottom=ax in axes[-1])
    axes[-1, 1].set_xlabel(VARIED)
    fig.supylabel(CHANCE, size=10)
    bar_below(image, axes)
    return fig


@book_style
def slices(
    curves: Mapping[str, Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]]],
) -> Figure:
    """Capacity against importance: panels by sparsity and model, one line per nonlinearity."""
    models = list(next(iter(curves.values())))
    shape = len(curves), len(models)
    fig, axes = plt.subplots(*shape, figsize=(5.8, 4.4), sharex=True, sharey=True, squeeze=False)
    for line, (sparsity, panels) in zip(axes, curves.items(), strict=True):
        for ax, model in zip(line, models, strict=True):
            ax.axhspan(0.47, 0.53, color=LIGHT, lw=0)
            for name, (importance, capacity) in panels[model].items():
                ax.plot(importance, capacity, color=ACTIVATION_COLORS[name], label=name, lw=1.6)
            ax.set(xscale="log", ylim=(-0.03, 1.03))
            ax.set_yticks(*HALVES)
            plain_ticks(ax.xaxis, (0.01, 1, 100), minor=True)
        line[0].set_ylabel(f"{sparsity}\ncapacity, $C_1$")
    for ax, model in zip(axes[0], models, strict=True):
        ax.set_title(model)
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    fig.supxlabel(VARIED, size=10)
    return fig


@book_style
def block_maps(
    rows: Mapping[str, Mapping[str, Map]], kinds: Mapping[int, tuple[str, str]]
) -> Figure:
    """What block the varied feature belongs to; ``kinds`` maps a code to its name and color."""
    fig, axes = table_of_maps(rows, below=1.3)
    colors = ListedColormap([color for _, color in kinds.values()])
    norm = BoundaryNorm(np.arange(len(kinds) + 1) - 0.5, len(kinds))
    place = {code: i for i, code in enumerate(kinds)}
    for line, maps in zip(axes, rows.values(), strict=True):
        for ax, (importance, p, codes) in zip(line, maps.values(), strict=True):
            map_cells(ax, (importance, p, np.vectorize(place.get)(codes)), cmap=colors, norm=norm)
    legend_of_squares(fig, kinds.values(), ms=9)
    return fig


@book_style
def embeddings_in_space(
    embeddings: Mapping[str, np.ndarray], found: Sequence[Sequence[Block]]
) -> Figure:
    """Embedding vectors in three dimensions; those of one block have one color.

    Vectors come in units of the longest; ignored features are left out.
    """
    space = {"projection": "3d", "computed_zorder": False}
    fig, axes = small_multiples(len(embeddings), 3, 5.8, 2.45, subplot_kw=space)
    for ax, (name, W), parts in zip(axes.flat, embeddings.items(), found, strict=False):
        _space(ax, W / np.linalg.norm(W, axis=0).max(), parts)
        ax.set_title(name, fontsize=10, weight="normal", y=1.03)
    return fig


def _space(ax: Axes3D, W: np.ndarray, parts: Sequence[Block]) -> None:
    color = color_of_features(parts, W.shape[1])
    for axis in np.eye(3):
        ax.plot(*np.outer(axis, [-1.05, 1.05]), color=LIGHT, lw=0.9, zorder=1)
    for part in parts:
        for i in part.features:
            w = W[:, i]
            ax.plot(*np.outer(w, [0, 1]), color=color[i], lw=2.4, zorder=3)
            size = 5.5 if i else 9
            ax.plot(*w[:, None], "o", color=color[i], ms=size, mec="white", mew=0.8, zorder=4)
            tip = w * (1 + 0.24 / max(np.linalg.norm(w), 1e-9))
            style = {"ha": "center", "va": "center", "fontsize": 9.5, "color": color[i]}
            ax.text(*tip, str(i + 1), zorder=5, **style)
    bare_space(ax, 1, zoom=1.15, elevation=20, azimuth=-62)


@book_style
def largest_shared_importance(
    p: np.ndarray, limits: Mapping[str, np.ndarray], top: float
) -> Figure:
    """Largest importance at which the varied feature still shares, against p; NaN where none.

    A value at ``top``, the end of what was tried, is drawn as an arrow: it is a lower bound.
    """
    fig, ax = plt.subplots(figsize=(5.6, 3.3))
    for name, values in limits.items():
        color, beyond = ACTIVATION_COLORS[name], values >= top
        ax.plot(p, values, "o-", color=color, ms=4.5, mec="white", mew=0.6, label=name)
        ax.plot(p[beyond], values[beyond], "^", color=color, ms=9)
    ax.plot(p, 0.5 / p, color=MUTED, ls=":", lw=1.2, label="slope $-1$")
    ax.set(xscale="log", yscale="log", xlabel=f"{CHANCE}  (sparse at left)")
    ax.set(ylabel="largest $V$ in superposition", ylim=(0.7, 2 * top))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter("{x:g}")
    ax.minorticks_off()
    ax.legend()
    return fig


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
    key = "solid: {}; pale: {}".format(*sizes)
    axes[0].text(0.02, 1.02, key, transform=axes[0].transAxes, fontsize=8.5, color=MUTED)
    for name, width in widths.items():
        axes[1].plot(kurtosis, width, "o-", color=ACTIVATION_COLORS[name], ms=3.5, label=name)
    axes[1].set(xscale="log", xlabel="kurtosis, $k$", ylabel="width of the band (decades of $V$)")
    axes[1].legend(handlelength=1.2)
    return fig


def _rows_of_models(ax: Axes, models: Sequence[str]) -> np.ndarray:
    """A row for each model, the first on top; and a color for each of them."""
    ax.set_yticks(range(len(models)), models, fontsize=8)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(models) - 0.5, -0.5)
    return plt.get_cmap("viridis")(np.linspace(0, 0.7, len(models)))


@book_style
def restarts(
    counts: Sequence[int],
    best: Mapping[str, Sequence[float]],
    spread: Mapping[str, tuple[float, float]],
    n_starts: int,
) -> Figure:
    """Left: excess loss of the best of m starts (mean over cells). Right: capacity of best, mean.

    ``best`` holds excesses by model for every count; ``spread`` the mean distance to the capacity
    at the best known loss, of the best of ``n_starts`` and of the average over them.
    """
    fig, axes = plt.subplots(1, 2, figsize=(5.8, 3.4))
    models = list(best)
    shades = _rows_of_models(axes[1], models)
    for color, name in zip(shades, models, strict=True):
        axes[0].plot(counts, np.maximum(best[name], 1e-6), "o-", color=color, ms=4, lw=1.3)
    axes[0].set(xscale="log", yscale="log", xlabel="number of starts", ylabel="mean excess loss")
    axes[0].set_xticks(counts, counts)
    axes[0].minorticks_off()
    marks = (BLUE, "o", f"best of {n_starts}"), (ORANGE, "s", f"mean of {n_starts}")
    for s, (color, marker, word) in enumerate(marks):
        found = [spread[model][s] for model in models]
        axes[1].plot(found, range(len(models)), marker, color=color, ms=5, label=word)
    axes[1].set_xlabel("error of $C_1$")
    axes[1].tick_params(axis="x", length=0)
    for tick, color in zip(axes[1].get_yticklabels(), shades, strict=True):
        tick.set_color(color)
    fig.legend(loc="outside upper right", ncols=2, fontsize=8.5)
    return fig


@book_style
def trained_or_minimized(
    excess: Mapping[str, np.ndarray],
    error: Mapping[str, np.ndarray],
    capacities: Mapping[str, tuple[np.ndarray, np.ndarray]],
) -> Figure:
    """Left: trained above minimized loss, in percent of it. Right: capacities where both agree."""
    fig, axes = plt.subplots(1, 2, figsize=(5.8, 3.4), width_ratios=(1.1, 1))
    shades = _rows_of_models(axes[0], list(excess))
    for row, (color, name) in enumerate(zip(shades, excess, strict=True)):
        y = row + np.linspace(-0.22, 0.22, len(excess[name]))
        style = {"fmt": "o", "color": color, "ms": 2.5, "lw": 0.8}
        axes[0].errorbar(100 * excess[name], y, xerr=100 * error[name], **style)
        axes[1].plot(*capacities[name], "o", color=color, ms=4.5, alpha=0.85)
    axes[0].axvline(0, color=BLACK, lw=1)
    axes[0].set_xscale("symlog", linthresh=10)
    most = 100 * max(np.max(values) for values in excess.values())
    # Below zero only error bars; they may leave the frame.
    axes[0].set_xlim(-20, 2 * max(most, 20))
    ticks = [t for t in (-10, 0, 10, 1e2, 1e4, 1e6, 1e8) if t <= 2 * max(most, 20)]
    names = [f"{t:,.0f}" if t < 1e5 else f"$10^{{{len(str(int(t))) - 1}}}$" for t in ticks]
    axes[0].set_xticks(ticks, names)
    axes[0].minorticks_off()
    axes[0].set_xlabel("trained above minimized (%)")
    axes[1].plot([0, 1], [0, 1], color=MUTED, lw=0.8, zorder=0)
    axes[1].set(xlabel="capacity, minimized", ylabel="capacity, trained")
    axes[1].set_box_aspect(1)
    return fig


@book_style
def two_in_one(maps: Mapping[str, Map], gain: Map, names: Sequence[str]) -> Figure:
    """Two features in one dimension: phases by hand-made networks, by minimization, and the gain.

    Phases are codes 0, 1, 2 with the given names: the extra feature is out, shares, or rules.
    """
    fig, axes = plt.subplots(1, 3, figsize=(6.4, 2.7), sharey=True)
    for ax, (name, picture) in zip(axes, maps.items(), strict=False):
        map_cells(ax, picture, **PHASE_LOOK)
        ax.set_title(name)
    image = map_cells(axes[2], gain, cmap="cividis", vmin=0)
    axes[2].set_title("part of loss saved")
    color_bar(image, axes, aspect=16, shrink=0.75, pad=0.02)
    kinds = [(name, PHASE_COLORS[code]) for code, name in enumerate(names)]
    legend_of_squares(fig, kinds, ms=8, columnspacing=1.2)
    axes[0].set_ylabel(CHANCE)
    axes[1].set_xlabel("importance of the extra feature, $V$")
    return fig


def _curves(ax: Axes, x: np.ndarray, curves: Curves, **style: Any) -> None:
    for (model, name), values in curves.items():
        color = ACTIVATION_COLORS[name]
        ax.plot(x, values, color=color, ls=_STYLES[model], lw=1.5, **style)


def _legend(fig: Figure, curves: Iterable[tuple[str, str]]) -> None:
    models, names = (dict.fromkeys(column) for column in zip(*curves, strict=True))
    lines = [Line2D([], [], color=ACTIVATION_COLORS[n], lw=2, label=n) for n in names]
    lines += [Line2D([], [], color=BLACK, ls=_STYLES[m], lw=1.3, label=m) for m in models]
    fig.legend(handles=lines, loc="outside upper center", ncols=len(lines), handlelength=2.2)


@book_style
def shares_by_limit(panels: Mapping[str, tuple[str, np.ndarray, Curves, float]]) -> Figure:
    """How shares of cells move with the limit that defines them, one panel for each limit.

    ``panels`` maps what is counted to the name of the limit, its values, a share for each of them
    by model and nonlinearity, and the limit that the book uses.
    """
    fig, axes = plt.subplots(1, len(panels), figsize=(6.4, 3.1), sharey=True, squeeze=False)
    for ax, (title, (name, x, curves, usual)) in zip(axes[0], panels.items(), strict=True):
        ax.axvline(usual, color=MUTED, ls=":", lw=1.2, zorder=0)
        _curves(ax, x, curves)
        ax.set(xlabel=name, ylim=(-0.03, 1.03), xlim=(0, 1.03 * np.max(x)))
        ax.set_title(title, fontsize=9)
    axes[0, 0].yaxis.set_major_formatter("{x:.0%}")
    axes[0, 0].set_ylabel("share of cells")
    _legend(fig, [key for _, _, curves, _ in panels.values() for key in curves])
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
        _curves(ax, x, curves, marker="o", ms=3.5)
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
    _legend(fig, sizes)
    return fig
